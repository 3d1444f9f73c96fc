{% test split_ratios_are_positive(model) %}
select * from {{ model }}
where split_from <= 0 or split_to <= 0
{% endtest %}
