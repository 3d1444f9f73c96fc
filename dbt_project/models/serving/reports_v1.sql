{{ config(unique_key=['report_id'], meta={'window': 'all'}, indexes=[{'columns': ['portfolio', 'as_of']}]) }}

with source as (

    select * from {{ source('research', 'risk_reports') }}

),

final as (

    select
        report_id,
        portfolio,
        as_of,
        limit_state,
        payload,
        html,
        code_version,
        run_id,
        created_at
    from source

)

select * from final
