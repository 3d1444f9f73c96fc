{#
    Tests cost in proportion to the window, not to history: `where: __window__` on a test becomes the session window,
    `__candle_window__` that of a relation with several timeframes, `__near_window__` the one by instant.
#}
{% macro get_where_subquery(relation) -%}
    {%- set where = config.get('where', '') or '' -%}
    {%- if not where -%}
        {{ return(relation) }}
    {%- endif -%}
    {%- set where = where
        | replace('__window__', in_window())
        | replace('__candle_window__', in_candle_window())
        | replace('__near_window__', near_window()) -%}
    {{ return('(select * from ' ~ relation ~ ' where ' ~ where ~ ') as windowed') }}
{%- endmacro %}
