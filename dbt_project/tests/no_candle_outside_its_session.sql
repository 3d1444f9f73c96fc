{{ config(meta={'dagster': {'ref': {'name': 'candles_v1'}}}) }}

select candles.*
from {{ ref('candles_v1') }} as candles
inner join {{ ref('stg_ops__instruments') }} as instruments
    on candles.instrument_id = instruments.instrument_id
left join {{ ref('stg_ops__sessions') }} as sessions
    on
        instruments.calendar = sessions.calendar
        and candles.session = sessions.session
where
    {{ in_window('candles.session') }}
    and candles.timeframe <> '1w'
    and (
        sessions.session is null
        or (candles.timeframe = '1d' and candles.ts <> sessions.day_ts)
        or (candles.timeframe <> '1d' and (candles.ts < sessions.opens_at or candles.ts >= sessions.closes_at))
    )
