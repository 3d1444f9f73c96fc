{{ config(meta={'dagster': {'ref': {'name': 'candles_v1'}}}) }}

select * from {{ ref('candles_v1') }}
where
    {{ in_candle_window() }}
    and (bar_count < 1 or bar_count > expected_count)
