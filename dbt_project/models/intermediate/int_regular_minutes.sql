-- Minute bars inside the regular session [opens_at, closes_at) of the instrument's calendar, one row per
-- (instrument_id, ts). A filler (volume 0 and one price) stands for "no trade": it is no bar of a stock or a crypto
-- pair; an index never has volume.
--
-- `offset 0` keeps the lookup a lookup: one index range per (instrument, session). Without it, and without statistics,
-- the planner sorted all bars against all sessions of a calendar: 21 s instead of 0.07 s for 203,400 bars.
with instruments as (

    select * from {{ ref('stg_ops__instruments') }}

),

sessions as (

    select * from {{ ref('stg_ops__sessions') }}

),

final as (

    select
        instruments.instrument_id,
        instruments.asset_class,
        bars.ts,
        bars.open,
        bars.high,
        bars.low,
        bars.close,
        bars.volume,
        bars.vwap,
        bars.trade_count,
        bars.source,
        sessions.calendar,
        sessions.session,
        sessions.opens_at,
        sessions.closes_at,
        sessions.day_ts,
        sessions.week_ts,
        sessions.monday,
        sessions.session_minutes,
        sessions.final_at
    from instruments
    inner join sessions on instruments.calendar = sessions.calendar
    inner join
        lateral (
            select * from {{ ref('stg_massive__bars_1m') }}
            where
                instrument_id = instruments.instrument_id
                and ts >= sessions.opens_at
                and ts < sessions.closes_at
            offset 0 -- noqa: AM09
        ) as bars
        on true
    where
        not (
            instruments.asset_class in ('stocks', 'crypto')
            and bars.volume = 0
            and bars.open = bars.high
            and bars.high = bars.low
            and bars.low = bars.close
        )

)

select * from final
