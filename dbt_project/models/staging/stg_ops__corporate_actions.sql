-- Present judgements only; earlier ones are read as of an instant, by the store.
with source as (

    select * from {{ source('ops', 'corporate_actions') }}

),

renamed as (

    select
        action_id,
        instrument_id,
        kind,
        ex_date,
        split_from,
        split_to,
        cash,
        currency,
        status,
        source,
        known_from
    from source
    where known_to is null

)

select * from renamed
