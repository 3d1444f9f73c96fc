{#
    Hook of a served relation that carries the symbol in every row: when an instrument's ticker changed (FB to META), rows
    outside the window still show the old one. `symbols_v1`, built last, tells what was published before.
#}
{% macro carry_renames() %}
    {%- set published = adapter.get_relation(this.database, 'serving', 'symbols_v1') if execute -%}
    {%- if execute and is_incremental() and published is not none -%}
        update {{ this }} as served
        set symbol = present.symbol
        from {{ published }} as before
        inner join {{ ref('stg_ops__instruments') }} as present
            on
                before.instrument_id = present.instrument_id
                and before.symbol <> present.symbol
        where
            served.symbol = before.symbol
            and served.instrument_id = before.instrument_id
    {%- endif -%}
{% endmacro %}
