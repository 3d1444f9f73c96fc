{{ config(unique_key=['study_id', 'ts'], meta={'window': 'all'}) }}

with source as (

    select * from {{ source('research', 'equity') }}

),

final as (

    select
        study_id,
        ts,
        equity,
        benchmark
    from source

)

select * from final
