{#- Keep the newest known version of each row: the last landed; within a delivery the last written. -#}
{% macro newest_version(key) -%}
    row_number() over (partition by {{ key | join(', ') }} order by _landed_at desc, _file desc, _row desc) = 1
{%- endmacro %}
