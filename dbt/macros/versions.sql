{#- Keep the newest known version of each row: the last made, where rows say so; the last landed; the last written. -#}
{% macro newest_version(key, made_at=none) -%}
    row_number() over (
        partition by {{ key | join(', ') }}
        order by {% if made_at %}{{ made_at }} desc, {% endif %}_landed_at desc, _file desc, _row desc
    ) = 1
{%- endmacro %}
