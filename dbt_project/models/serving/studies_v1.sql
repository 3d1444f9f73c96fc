{{ config(unique_key=['study_id'], meta={'window': 'all'}) }}

with studies as (

    select * from {{ source('research', 'studies') }}
    where finished_at is not null

),

instruments as (

    select * from {{ ref('stg_ops__instruments') }}

),

final as (

    select
        studies.study_id,
        studies.strategy,
        studies.strategy_version,
        instruments.symbol,
        studies.timeframe,
        studies.method,
        studies.objective,
        studies.trials,
        studies.seed,
        studies.bars,
        studies.first_ts,
        studies.last_ts,
        studies.best_params,
        studies.metrics,
        studies.verdict,
        studies.source,
        studies.definition_hash,
        studies.panel_id,
        studies.code_version,
        studies.run_id,
        studies.created_at
    from studies
    inner join instruments on studies.instrument_id = instruments.instrument_id

)

select * from final
