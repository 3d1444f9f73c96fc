with source as (

    select * from {{ source('ops', 'witness_sources') }}

),

renamed as (

    select
        instrument_id,
        timeframe,
        source,
        is_independent
    from source

)

select * from renamed
