{#- The instant the build looks back from, in UTC. -#}
{% macro as_of() -%}
    timestamp '{{ var("as_of") }}'
{%- endmacro %}
