-- Every candle the API shows. `basis` minutes: rolled up from regular-session minutes; day: the vendor's day bars as
-- published, unadjusted. The score is the one of the bars behind the candle: of the session, for a week of its worst.
-- noqa: disable=LT02
-- depends_on: {{ ref('stg_ops__bar_sessions') }}
-- depends_on: {{ ref('stg_ops__sessions') }}
{{
    config(
        unique_key=['symbol', 'timeframe', 'basis', 'ts'],
        meta={'window': 'candle', 'built_from': 'marts'},
        indexes=[{'columns': ['session']}],
        pre_hook="{{ carry_renames() }}",
    )
}}

with minute_candles as (

    {% for timeframe in ['5m', '15m', '30m', '1h', '4h', '1d', '1w'] -%}
    {{ served_candles(timeframe) }}
    {%- if not loop.last %}

    union all

    {% endif %}
    {%- endfor %}

),

day_bars as (

    select
        bars.instrument_id,
        '1d' as timeframe,
        'day' as basis,
        bars.ts,
        bars.session,
        bars.open,
        bars.high,
        bars.low,
        bars.close,
        bars.volume,
        bars.vwap,
        bars.trade_count,
        1 as bar_count,
        1 as expected_count,
        bars.final_at <= {{ as_of() }} as is_final,
        bars.source
    from {{ ref('int_day_bars') }} as bars
    {{ within_scope('bars', '1d') }}

),

candles as (

    select * from minute_candles
    union all
    select * from day_bars

),

instruments as (

    select * from {{ ref('stg_ops__instruments') }}

),

session_scores as (

    select * from {{ ref('quality_scores_daily') }}
    where {{ in_window('session', 'week') }}

),

scores as (

    select
        instrument_id,
        session,
        'session' as grain,
        case timeframe when '1m' then 'minutes' else 'day' end as basis,
        score
    from session_scores

    union all

    select
        instrument_id,
        (date_trunc('week', session::timestamp))::date as session,
        'week' as grain,
        'minutes' as basis,
        min(score) as score
    from session_scores
    where timeframe = '1m'
    group by instrument_id, (date_trunc('week', session::timestamp))::date

),

final as (

    select
        instruments.symbol,
        candles.timeframe,
        candles.basis,
        candles.ts,
        candles.session,
        candles.instrument_id,
        instruments.asset_class,
        candles.open,
        candles.high,
        candles.low,
        candles.close,
        candles.volume,
        candles.vwap,
        candles.trade_count,
        candles.bar_count,
        candles.expected_count,
        candles.is_final,
        scores.score as quality_score,
        candles.source
    from candles
    inner join instruments on candles.instrument_id = instruments.instrument_id
    left join scores
        on
            candles.instrument_id = scores.instrument_id
            and candles.session = scores.session
            and candles.basis = scores.basis
            and case candles.timeframe when '1w' then 'week' else 'session' end = scores.grain

)

select * from final
