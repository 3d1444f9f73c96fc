{# Candles of one mart as the serving layer shows them, before symbol and score are joined. #}
{% macro served_candles(timeframe) -%}
    select
        instrument_id,
        '{{ timeframe }}' as timeframe,
        'minutes' as basis,
        ts,
        session,
        open,
        high,
        low,
        close,
        volume,
        vwap,
        trade_count,
        bar_count,
        expected_count,
        is_final,
        source
    from {{ ref('candles_' ~ timeframe) }}
    where {{ in_window('session', 'week' if timeframe == '1w' else 'session') }}
{%- endmacro %}
