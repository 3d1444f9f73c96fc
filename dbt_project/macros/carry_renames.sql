{#
    Hook before a served relation that carries the symbol in every row: when an instrument's ticker changed (FB, META),
    rows outside the window still show the old one. `symbols_v1`, built last, tells what was published before. It comes
    before the rows are replaced, which are found by their present symbol.
#}
{% macro carry_renames() %}
    {%- set published = adapter.get_relation(this.database, 'serving', 'symbols_v1') if execute -%}
    {%- if execute and is_incremental() and published is not none -%}
        {#- Asked first, and then updated by name: as one statement it read all of history to find nothing, 0.4 s. -#}
        {%- set renamed = run_query(renames_since(published)) -%}
        {%- for row in renamed.rows %}
            update {{ this }}
            set symbol = '{{ escape_single_quotes(row[1]) }}'
            where
                symbol = '{{ escape_single_quotes(row[0]) }}'
                and instrument_id = {{ row[2] }};
        {%- endfor %}
    {%- endif -%}
{% endmacro %}

{% macro renames_since(published) %}
    select
        before.symbol,
        present.symbol as present_symbol,
        present.instrument_id
    from {{ published }} as before
    inner join {{ ref('stg_ops__instruments') }} as present
        on
            before.instrument_id = present.instrument_id
            and before.symbol <> present.symbol
    order by present.instrument_id
{% endmacro %}
