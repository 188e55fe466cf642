{#-
    The grain: these columns together are unique, NULL counting as a value; and none of `filled` is NULL. Gives the keys at
    fault.
-#}
{% test unique_key(model, columns, filled=[]) %}

select
    {{ columns | join(', ') }},
    count(*) as rows_found
from {{ model }}
group by {{ columns | join(', ') }}
having
    count(*) > 1
    {% for column in filled %}
        or count({{ column }}) < count(*)
    {% endfor %}

{% endtest %}
