{% test prices_are_positive(model) %}
select * from {{ model }}
where not (open > 0 and high > 0 and low > 0 and close > 0 and volume >= 0)
{% endtest %}
