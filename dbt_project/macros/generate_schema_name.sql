{# A model lives exactly in the schema its folder names; dbt's own macro would put the target's name before it. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
