{#- An arithmetic identity that every row must keep. -#}
{% test holds(model, condition) %}

select *
from {{ model }}
where not ({{ condition }})

{% endtest %}
