with source as (

    select * from {{ source('raw', 'massive__splits') }}

),

renamed as (

    select
        instrument_id,
        execution_date,
        split_from,
        split_to
    from source

)

select * from renamed
