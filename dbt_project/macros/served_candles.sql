{# Candles of one mart as the serving layer shows them, before symbol and score are joined. #}
{% macro served_candles(timeframe) -%}
    select
        candles.instrument_id,
        '{{ timeframe }}' as timeframe,
        'minutes' as basis,
        candles.ts,
        candles.session,
        candles.open,
        candles.high,
        candles.low,
        candles.close,
        candles.volume,
        candles.vwap,
        candles.trade_count,
        candles.bar_count,
        candles.expected_count,
        candles.is_final,
        candles.source
    from {{ ref('candles_' ~ timeframe) }} as candles
    {{ within_scope('candles', timeframe) }}
{%- endmacro %}

{# The touched sessions of a relation, or those of the window; weeks are found by their Monday. #}
{% macro within_scope(rows, timeframe) -%}
    {%- if only_touched() -%}
    inner join {{ touched_relation() }} as touched
        on
            touched.model = '{{ model.name }}{{ ' weeks' if timeframe == '1w' }}'
            and {{ rows }}.instrument_id = touched.instrument_id
            and {{ rows }}.session = touched.session
            and {{ rows }}.ts >= touched.starts_at
            and {{ rows }}.ts < touched.ends_at
    {%- else -%}
    where {{ in_window(rows ~ '.session', 'week' if timeframe == '1w' else 'session') }}
    {%- endif -%}
{%- endmacro %}
