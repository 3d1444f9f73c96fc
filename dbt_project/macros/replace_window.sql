{#
    Incremental strategy `replace_window`: delete the target's rows of the window, insert what the model says now. Unlike
    delete+insert by key or merge it also removes a row whose key vanished upstream, so tampered and spurious rows are
    repaired. Delete and insert share dbt's transaction with the hooks: a reader sees the old window or the new one.

    The model names its window in `meta.window`: session (default), week, candle (several timeframes), all.
#}
{% macro get_incremental_replace_window_sql(arg_dict) %}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) %}
    delete from {{ arg_dict['target_relation'] }}
    where {{ replaced_rows(config.get('meta', {}).get('window', 'session')) }};

    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }}
    from {{ arg_dict['temp_relation'] }}
{% endmacro %}

{% macro replaced_rows(window) -%}
    {%- if window == 'all' -%}
        true
    {%- elif window == 'candle' -%}
        {{ in_candle_window() }}
    {%- elif window in ('session', 'week') -%}
        {{ in_window('session', window) }}
    {%- else -%}
        {{ exceptions.raise_compiler_error("meta.window was " ~ window ~ "; it is session, week, candle or all.") }}
    {%- endif -%}
{%- endmacro %}

{#
    Hook before an incremental model: a second writer waits here, before it reads its sources, so that what it writes
    is never older than what it replaces. Readers are not blocked.
#}
{% macro one_writer_at_a_time() %}
    {%- if execute and config.get('materialized') == 'incremental' and load_relation(this) is not none -%}
        lock table {{ this }} in share row exclusive mode
    {%- endif -%}
{% endmacro %}

{# Hook after the first build: until autovacuum comes by, the planner would guess at the new table. #}
{% macro analyze_once() %}
    {%- if config.get('materialized') == 'incremental' and not is_incremental() -%}
        analyze {{ this }}
    {%- endif -%}
{% endmacro %}
