with source as (

    select * from {{ source('ops', 'ingests') }}

),

renamed as (

    select
        ingest_id,
        window_id,
        source,
        known_from
    from source

)

select * from renamed
