with source as (

    select * from {{ source('ops', 'ingest_windows') }}

),

renamed as (

    select
        window_id,
        instrument_id,
        timeframe,
        start_session,
        end_session,
        status,
        last_answer,
        source,
        finished_at
    from source

)

select * from renamed
