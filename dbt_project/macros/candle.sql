{#
    Candles of one timeframe from regular-session minutes (market-data.md section 8). Buckets start at the session's open, so a
    half day or a change of the clock needs no special case; the last bucket ends with the session.

    The one sort by (instrument, bucket, ts) serves every ordered aggregate. Measured on PostgreSQL 18, 203,400 minutes
    to 5m: this 0.18-0.24 s, min(ts)/max(ts) joined back 0.27 s, window functions 0.29 s. Volume and turnover are summed
    in that order because float sums depend on it; every timeframe starts from minutes for the same reason.
#}
{% macro candle(timeframe) %}
{%- set minutes = {'5m': 5, '15m': 15, '30m': 30, '1h': 60, '4h': 240}.get(timeframe) -%}
{%- set grain = 'week' if timeframe == '1w' else 'session' -%}
with source as (

    select * from {{ ref('int_regular_minutes') }}
    where {{ in_window('session', grain) }}

),

{% if timeframe == '1w' %}
weeks as (

    select
        calendar,
        monday,
        sum(session_minutes)::integer as session_minutes,
        max(final_at) as final_at
    from {{ ref('stg_ops__sessions') }}
    where {{ in_window('session', grain) }}
    group by calendar, monday

),

{% endif %}
bucketed as (

    select
        *,
        {%- if minutes %}
        date_bin(interval '{{ minutes }} minutes', ts, opens_at) as bucket_ts
        {%- elif timeframe == '1d' %}
        day_ts as bucket_ts
        {%- else %}
        week_ts as bucket_ts
        {%- endif %}
    from source

),

rolled_up as (

    select
        instrument_id,
        bucket_ts as ts,
        min(calendar) as calendar,
        {%- if timeframe == '1w' %}
        min(monday) as session,
        {%- else %}
        min(session) as session,
        min(closes_at) as closes_at,
        min(session_minutes) as session_minutes,
        min(final_at) as final_at,
        {%- endif %}
        (array_agg(open order by ts))[1] as open,
        max(high) as high,
        min(low) as low,
        (array_agg(close order by ts))[count(*)] as close,
        sum(volume order by ts) as volume,
        -- A trading minute without vwap or count makes the candle's unknown: a partial sum would be a wrong figure.
        sum(case when volume > 0 then vwap * volume else 0.0 end order by ts) as turnover,
        bool_or(volume > 0 and vwap is null) as misses_vwap,
        sum(trade_count)::bigint as trade_count,
        bool_or(volume > 0 and trade_count is null) as misses_count,
        count(*)::integer as bar_count,
        string_agg(distinct source, '+' order by source) as source
    from bucketed
    group by instrument_id, bucket_ts

),

dated as (

    select
        rolled_up.*,
        {%- if minutes %}
        (
            extract(epoch from least(ts + interval '{{ minutes }} minutes', closes_at) - ts) / 60
        )::integer as expected_count,
        least(ts + interval '{{ minutes }} minutes', closes_at) + interval '15 minutes' as known_at
        {%- elif timeframe == '1d' %}
        session_minutes as expected_count,
        final_at as known_at
        {%- else %}
        weeks.session_minutes as expected_count,
        weeks.final_at as known_at
        {%- endif %}
    from rolled_up
    {%- if timeframe == '1w' %}
    inner join weeks
        on
            rolled_up.calendar = weeks.calendar
            and rolled_up.session = weeks.monday
    {%- endif %}

),

final as (

    select
        instrument_id,
        session,
        ts,
        open,
        high,
        low,
        close,
        volume,
        case when volume > 0 and not misses_vwap then turnover / volume end as vwap,
        case when not misses_count then trade_count end as trade_count,
        case when not misses_vwap then turnover end as turnover,
        bar_count,
        expected_count,
        known_at <= {{ as_of() }} as is_final,
        source
    from dated

)

select * from final
{% endmacro %}
