with source as (

    select * from {{ source('raw', 'massive__bars_1m') }}

),

renamed as (

    select
        instrument_id,
        ts,
        open,
        high,
        low,
        close,
        volume,
        vwap,
        trade_count,
        source,
        window_id,
        known_from
    from source

)

select * from renamed
