{#- A figure kept within two bounds; NULL stays NULL, where least() and greatest() would pass over it. -#}
{% macro kept_within(figure, bounds) -%}
    (case when {{ figure }} is not null then greatest({{ bounds[0] }}, least({{ bounds[1] }}, {{ figure }})) end)
{%- endmacro %}
