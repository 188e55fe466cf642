{#- The instant at which a table last landed anything, by the receipts of the warehouse. -#}
{% macro last_landed(table) -%}
    select max(landed_at) from landing.receipts where table_name = '{{ table }}'
{%- endmacro %}
