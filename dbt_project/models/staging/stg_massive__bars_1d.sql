with source as (

    select * from {{ source('raw', 'massive__bars_1d') }}

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
        ingest_id,
        reason
    from source

)

select * from renamed
