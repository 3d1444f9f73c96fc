-- A session: open, high, low, close and `volume` are those of its regular minutes, rolled up. Beside them stand
-- `close_official`, the close of the vendor's day bar where the market has an exchange and the bar is known, and
-- `volume_total`, the volume of all minutes from `pre_open` to `post_close`.
-- depends_on: {{ ref('stg_ops__bar_sessions') }}
-- noqa: disable=LT02
{{
    config(
        unique_key=['instrument_id', 'ts'],
        meta={'window': 'session', 'built_from': 'day'},
        indexes=[{'columns': ['instrument_id', 'ts'], 'unique': true}],
        post_hook="{{ index_sessions() }}",
    )
}}

with sessions as (

    {{ sessions_to_build(ref('candles_30m')) }}

),

rolled_up as (

    select
        sessions.instrument_id,
        sessions.session,
        sessions.day_ts as ts,
        sessions.opens_at,
        sessions.closes_at,
        sessions.pre_open,
        sessions.post_close,
        sessions.asset_class,
        sessions.counts_fillers,
        sessions.session_minutes,
        sessions.final_at,
        days.*
    from sessions
    cross join lateral (
        select {{ sums_of_candles() }}
        from {{ ref('candles_30m') }} as bars
        where
            bars.instrument_id = sessions.instrument_id
            and bars.ts >= sessions.opens_at
            and bars.ts < sessions.closes_at
        having count(*) > 0
    ) as days
    order by sessions.instrument_id, sessions.session

),

around as (

    select
        rolled_up.*,
        day_bars.close as close_official,
        {{ joined_sources('candles_30m', 'rolled_up.opens_at', 'rolled_up.closes_at') }} as source,
        {% for since, until in [('pre_open', 'opens_at'), ('closes_at', 'post_close')] -%}
        coalesce((
            select sum(minutes.volume order by minutes.ts)
            from {{ ref('stg_massive__bars_1m') }} as minutes
            where
                minutes.instrument_id = rolled_up.instrument_id
                and minutes.ts >= rolled_up.{{ since }}
                and minutes.ts < rolled_up.{{ until }}
                and {{ is_trade('minutes', 'rolled_up.counts_fillers') }}
        ), 0) as volume_from_{{ since }}{{ ',' if not loop.last }}
        {% endfor %}
    from rolled_up
    left join {{ ref('stg_massive__bars_1d') }} as day_bars
        on
            rolled_up.instrument_id = day_bars.instrument_id
            and rolled_up.ts = day_bars.ts
            and rolled_up.asset_class in ('stocks', 'indices', 'options')

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
        session_minutes as expected_count,
        final_at <= {{ as_of() }} as is_final,
        source,
        close_official,
        volume_from_pre_open + volume + volume_from_closes_at as volume_total
    from around

)

select * from final
