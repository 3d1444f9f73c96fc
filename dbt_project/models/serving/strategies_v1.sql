{{ config(unique_key=['strategy'], meta={'window': 'all'}) }}

with source as (

    select * from {{ source('research', 'strategies') }}

),

final as (

    select
        strategy,
        version,
        family,
        title,
        definition
    from source

)

select * from final
