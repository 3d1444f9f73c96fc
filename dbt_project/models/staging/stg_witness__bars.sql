with source as (

    select * from {{ source('raw', 'witness__bars') }}

),

renamed as (

    select
        instrument_id,
        timeframe,
        source,
        ts,
        known_from
    from source

)

select * from renamed
