-- Prices and counts exactly; volume to 1e-12, because sums of sums round differently when volumes are fractional.
{{ config(meta={'dagster': {'ref': {'name': 'candles_1d'}}}) }}

with fine as (

    select
        instrument_id,
        session,
        (array_agg(open order by ts))[1] as open,
        max(high) as high,
        min(low) as low,
        (array_agg(close order by ts))[count(*)] as close,
        sum(volume order by ts) as volume,
        sum(bar_count) as bar_count,
        sum(expected_count) as expected_count
    from {{ ref('candles_5m') }}
    where {{ in_window() }}
    group by instrument_id, session

),

days as (

    select * from {{ ref('candles_1d') }}
    where {{ in_window() }}

)

select
    instrument_id,
    session
from days
full join fine using (instrument_id, session)
where
    days.ts is null
    or fine.open is null
    or days.open <> fine.open
    or days.high <> fine.high
    or days.low <> fine.low
    or days.close <> fine.close
    or days.bar_count <> fine.bar_count
    or days.expected_count < fine.expected_count
    or abs(days.volume - fine.volume) > 1e-12 * days.volume
