{{ config(meta={'dagster': {'ref': {'name': 'candles_v1'}}}) }}

select * from {{ ref('candles_v1') }}
where
    {{ in_candle_window() }}
    and (high < greatest(open, close) or low > least(open, close))
