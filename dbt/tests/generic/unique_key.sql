{#- The grain: these columns together are unique; NULL counts as a value. -#}
{% test unique_key(model, columns) %}

select
    {{ columns | join(', ') }},
    count(*) as times
from {{ model }}
group by all
having count(*) > 1

{% endtest %}
