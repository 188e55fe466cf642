{#- Closed vocabularies: each column holds only the words given for it, or NULL. -#}
{% test accepted_words(model, words) %}

select *
from {{ model }}
where
    false
    {% for column, values in words.items() %}
        or {{ column }} not in ('{{ values | join("', '") }}')
    {% endfor %}

{% endtest %}
