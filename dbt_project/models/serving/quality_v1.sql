-- New columns may be null and come last, so that readers of the relation as it was go on.
{{
    config(
        unique_key=['symbol', 'timeframe', 'session'],
        meta={'window': 'session'},
        indexes=[{'columns': ['session']}],
        pre_hook="{{ carry_renames() }}",
        on_schema_change='append_new_columns',
    )
}}

with scores as (

    select * from {{ ref('quality_scores_daily') }}
    where {{ in_window() }}

),

instruments as (

    select * from {{ ref('stg_ops__instruments') }}

),

final as (

    select
        instruments.symbol,
        scores.timeframe,
        scores.session,
        scores.instrument_id,
        instruments.asset_class,
        scores.score,
        scores.validity,
        scores.completeness,
        scores.plausibility,
        scores.bar_count,
        scores.expected_count,
        scores.held_count,
        scores.findings,
        scores.source,
        scores.consistency,
        scores.timeliness
    from scores
    inner join instruments on scores.instrument_id = instruments.instrument_id

)

select * from final
