with source as (

    select * from {{ source('raw', 'massive__quarantine') }}

),

renamed as (

    select
        window_id,
        instrument_id,
        timeframe,
        ts,
        held_at
    from source

)

select * from renamed
