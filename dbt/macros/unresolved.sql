{#-
    What a row names and nobody knows, in the quarantine's columns: one row for all rows of a delivery that name the same, which
    stands at the first of them and counts them. A tape may be of a thousand bonds of which the desk keeps ten.
-#}
{% macro unresolved(table_name, column, value, rule, reason) -%}
    landed_source as source,
    '{{ table_name }}' as table_name,
    landed_file as file,
    min(landed_row) as row,
    landed_batch as batch,
    '{{ column }}' as column_name,
    '{{ rule }}' as rule,
    '{{ reason }}' as reason,
    {{ value }} as value,
    count(*) as row_count
{%- endmacro %}
