-- The vendor's day bars with their session, unadjusted, one row per (instrument_id, session). A bar on a day that is no
-- session of the calendar is no candle; it stays in raw with its finding.
with bars as (

    select * from {{ ref('stg_massive__bars_1d') }}

),

instruments as (

    select * from {{ ref('stg_ops__instruments') }}

),

ingests as (

    select * from {{ ref('stg_ops__ingests') }}

),

sessions as (

    select * from {{ ref('stg_ops__sessions') }}

),

final as (

    select
        bars.instrument_id,
        instruments.symbol,
        instruments.asset_class,
        bars.ts,
        bars.open,
        bars.high,
        bars.low,
        bars.close,
        bars.volume,
        bars.vwap,
        bars.trade_count,
        ingests.source,
        sessions.session,
        sessions.final_at
    from bars
    inner join instruments on bars.instrument_id = instruments.instrument_id
    left join ingests on bars.ingest_id = ingests.ingest_id
    inner join sessions
        on
            instruments.calendar = sessions.calendar
            and bars.ts = sessions.day_ts

)

select * from final
