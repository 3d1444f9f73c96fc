{#
    dbt-postgres publishes a view by rename and drops the old one with cascade, which takes every view built on it away
    until its own turn. Replacing it in place keeps them; only changed columns, which PostgreSQL refuses to replace
    (invalid_table_definition), need the drop, and then in one statement.
#}
{% materialization view, adapter='postgres' %}
    {%- set target_relation = this.incorporate(type='view') -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call statement('main') %}
        do $replace$
        begin
            create or replace view {{ target_relation }} as (
                {{ sql }}
            );
        exception when invalid_table_definition then
            drop view {{ target_relation }} cascade;
            create view {{ target_relation }} as (
                {{ sql }}
            );
        end
        $replace$
    {% endcall %}
    {% do persist_docs(target_relation, model) %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{#
    A view over tables that dbt builds. It is built with them, not with the views over raw and ops, which are there
    before the first bar.
#}
{% materialization view_of_marts, adapter='postgres' %}
    {{ return(materialization_view_postgres()) }}
{% endmaterialization %}
