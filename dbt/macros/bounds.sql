{#- What half of a spread usually is in an asset class, bps: the unit where no bid and ask are on record. -#}
{% macro usual_half_spread_bps(asset_class) -%}
    (case {{ asset_class }}
    {%- for name, usual in var('usual_half_spreads_bps').items() if name != 'default' %} when '{{ name }}' then {{ usual }}
    {%- endfor %} else {{ var('usual_half_spreads_bps')['default'] }} end)
{%- endmacro %}

{#- A figure kept within two bounds; NULL stays NULL, where least() and greatest() would pass over it. -#}
{% macro kept_within(figure, bounds) -%}
    (case when {{ figure }} is not null then greatest({{ bounds[0] }}, least({{ bounds[1] }}, {{ figure }})) end)
{%- endmacro %}
