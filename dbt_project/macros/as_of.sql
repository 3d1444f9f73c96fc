{#
    A candle is final when its finality instant (bucket end + 15 minutes; for days and weeks of listed instruments 11:00
    New York the day after, when the vendor's daily file is complete) is not after this instant. It is the variable
    `as_of`, else the start of the run: a session of the past is final whichever it is, so a rerun gives equal rows.
#}
{% macro as_of() -%}
    timestamptz '{{ var('as_of') or run_started_at.isoformat() }}'
{%- endmacro %}
