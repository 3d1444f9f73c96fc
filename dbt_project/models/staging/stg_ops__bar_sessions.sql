with source as (

    select * from {{ source('ops', 'bar_sessions') }}

),

renamed as (

    select
        instrument_id,
        timeframe,
        session,
        bars as bar_count,
        first_ts,
        last_ts,
        ingest_id,
        first_ingest_id
    from source

)

select * from renamed
