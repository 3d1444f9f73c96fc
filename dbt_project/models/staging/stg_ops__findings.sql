with source as (

    select * from {{ source('ops', 'findings') }}

),

renamed as (

    select
        instrument_id,
        timeframe,
        ts,
        session,
        rule,
        severity,
        state
    from source

)

select * from renamed
