-- The sessions of a Monday week; `session` is its Monday and `ts` local midnight of it, also when that is a holiday.
-- noqa: disable=LT02
{{
    config(
        unique_key=['instrument_id', 'ts'],
        meta={'window': 'week', 'built_from': 'week'},
        indexes=[{'columns': ['instrument_id', 'ts'], 'unique': true}],
        post_hook="{{ index_sessions() }}",
    )
}}

with days as (

    select * from {{ ref('candles_1d') }}
    where {{ in_window('session', 'week') }}

),

instruments as (

    select * from {{ ref('stg_ops__instruments') }}

),

weeks as (

    {{ weeks_of_the_calendar() }}

),

bars as (

    select
        days.*,
        instruments.calendar,
        (date_trunc('week', days.session::timestamp))::date as monday
    from days
    inner join instruments on days.instrument_id = instruments.instrument_id
    {%- if only_touched() %}
    inner join {{ touched_relation() }} as touched
        on
            days.instrument_id = touched.instrument_id
            and (date_trunc('week', days.session::timestamp))::date = touched.session
            and days.ts >= touched.starts_at
            and days.ts < touched.ends_at
    {%- endif %}

),

rolled_up as (

    select
        bars.instrument_id,
        bars.monday,
        min(bars.calendar) as calendar,
        {{ sums_of_candles() }}
    from bars
    group by bars.instrument_id, bars.monday

),

final as (

    select
        rolled_up.instrument_id,
        rolled_up.monday as session,
        weeks.week_ts as ts,
        rolled_up.open,
        rolled_up.high,
        rolled_up.low,
        rolled_up.close,
        rolled_up.volume,
        case
            when rolled_up.volume > 0 and not rolled_up.misses_vwap then rolled_up.turnover / rolled_up.volume
        end as vwap,
        case when not rolled_up.misses_count then rolled_up.trade_count end as trade_count,
        case when not rolled_up.misses_vwap then rolled_up.turnover end as turnover,
        rolled_up.bar_count,
        weeks.session_minutes as expected_count,
        weeks.final_at <= {{ as_of() }} as is_final,
        {{ joined_sources('candles_1d', 'weeks.week_ts', "weeks.week_ts + interval '6 days 12 hours'") }} as source
    from rolled_up
    inner join weeks
        on
            rolled_up.calendar = weeks.calendar
            and rolled_up.monday = weeks.monday

)

select * from final
