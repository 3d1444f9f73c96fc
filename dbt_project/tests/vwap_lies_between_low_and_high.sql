-- A float sum of a million terms errs by far less than a part in a billion. A minute whose own vwap is off is a minor
-- finding of the audit, so this warns.
{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'candles_v1'}}}) }}

select * from {{ ref('candles_v1') }}
where
    {{ in_candle_window() }}
    and (vwap > high * (1 + 1e-9) or vwap < low * (1 - 1e-9))
