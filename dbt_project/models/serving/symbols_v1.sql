-- One row per instrument. `bars_1m` counts the regular-session minutes its candles are made of; sessions are those with
-- a candle of either basis. Built after the relations that carry the symbol in every row: their hook reads what was
-- published before.
-- depends_on: {{ ref('candles_v1') }}
-- depends_on: {{ ref('quality_v1') }}
{{ config(unique_key=['symbol'], meta={'window': 'all'}) }}

with instruments as (

    select * from {{ ref('stg_ops__instruments') }}

),

coverage as (

    select
        instrument_id,
        session,
        bar_count as minutes,
        0 as days,
        source
    from {{ ref('candles_1d') }}

    union all

    select
        instrument_id,
        session,
        0 as minutes,
        1 as days,
        source
    from {{ ref('int_day_bars') }}

),

covered as (

    select
        instrument_id,
        min(session) as first_session,
        max(session) as last_session,
        sum(minutes) as bars_1m,
        sum(days) as bars_1d
    from coverage
    group by instrument_id

),

-- Many sessions, few combinations of sources: reduced before they are taken apart.
combinations as (

    select distinct
        instrument_id,
        source
    from coverage

),

sources as (

    select
        combinations.instrument_id,
        string_agg(distinct parts.source, '+' order by parts.source) as source
    from combinations
    cross join lateral unnest(string_to_array(combinations.source, '+')) as parts (source)
    group by combinations.instrument_id

),

scored as (

    select
        instrument_id,
        avg(score order by timeframe, session) as mean_score
    from {{ ref('quality_scores_daily') }}
    group by instrument_id

),

final as (

    select
        instruments.symbol,
        instruments.instrument_id,
        instruments.asset_class,
        instruments.calendar,
        instruments.currency,
        instruments.name,
        covered.first_session,
        covered.last_session,
        coalesce(covered.bars_1m, 0)::bigint as bars_1m,
        coalesce(covered.bars_1d, 0)::bigint as bars_1d,
        scored.mean_score,
        sources.source
    from instruments
    left join covered on instruments.instrument_id = covered.instrument_id
    left join sources on instruments.instrument_id = sources.instrument_id
    left join scored on instruments.instrument_id = scored.instrument_id

)

select * from final
