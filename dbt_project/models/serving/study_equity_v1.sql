{{ config(unique_key=['study_id', 'ts'], meta={'window': 'all'}) }}

with studies as (

    select study_id
    from {{ source('research', 'studies') }}
    where finished_at is not null

),

equity as (

    select * from {{ source('research', 'equity') }}

),

final as (

    select
        equity.study_id,
        equity.ts,
        equity.equity,
        equity.benchmark
    from equity
    inner join studies on equity.study_id = studies.study_id

)

select * from final
