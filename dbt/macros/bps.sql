{#- A fraction in basis points. -#}
{% macro in_bps(fraction) -%}
    ({{ fraction }} * 10000)
{%- endmacro %}

{#- A difference of prices in basis points of a base price; NULL where the base is zero or unknown. -#}
{% macro relative_bps(difference, base) -%}
    {{ in_bps('(' ~ difference ~ ') / nullif(' ~ base ~ ', 0)') }}
{%- endmacro %}
