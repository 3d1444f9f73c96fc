{#
    The window of a run: sessions with `start_session <= session < end_session`. A model whose rows are weeks widens it
    to whole Monday weeks, because one changed session changes its week. Dates become constants of the statement, so
    that the planner sees how little is asked.
#}
{% macro window_edges(grain='session') %}
    {%- set one_day = modules.datetime.timedelta(days=1) -%}
    {%- set start = modules.datetime.date.fromisoformat(var('start_session') | string) -%}
    {%- set end = modules.datetime.date.fromisoformat(var('end_session') | string) -%}
    {%- if not start < end -%}
        {{ exceptions.raise_compiler_error(
            "The window was [" ~ start ~ ", " ~ end ~ "); end_session is exclusive and must come after start_session."
        ) }}
    {%- endif -%}
    {%- if grain == 'week' -%}
        {%- set start = start - one_day * start.weekday() -%}
        {%- set end = end + one_day * ((7 - end.weekday()) % 7) -%}
    {%- endif -%}
    {{ return((start, end)) }}
{% endmacro %}

{% macro in_window(column='session', grain='session') -%}
    {%- set edges = window_edges(grain) -%}
    ({{ column }} >= date '{{ edges[0] }}' and {{ column }} < date '{{ edges[1] }}')
{%- endmacro %}

{# Candles of all timeframes in one relation: weeks carry their Monday and follow the widened window. #}
{% macro in_candle_window(column='session', timeframe='timeframe') -%}
    (
        ({{ timeframe }} <> '1w' and {{ in_window(column) }})
        or ({{ timeframe }} = '1w' and {{ in_window(column, 'week') }})
    )
{%- endmacro %}

{# Rows by instant: the session window with a day of slack on either side, for the zones of the exchanges. #}
{% macro near_window(column='ts') -%}
    {%- set edges = window_edges() -%}
    {%- set one_day = modules.datetime.timedelta(days=1) -%}
    ({{ column }} >= timestamptz '{{ edges[0] - one_day }} 00:00+00'
        and {{ column }} < timestamptz '{{ edges[1] + one_day }} 00:00+00')
{%- endmacro %}
