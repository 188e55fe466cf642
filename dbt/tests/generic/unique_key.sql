{#- The grain: these columns together are unique, NULL counting as a value; and none of `filled` is NULL. -#}
{% test unique_key(model, columns, filled=[]) %}

select *
from {{ model }}
qualify
    count(*) over (partition by {{ columns | join(', ') }}) > 1
    {% for column in filled %}
        or {{ column }} is null
    {% endfor %}

{% endtest %}
