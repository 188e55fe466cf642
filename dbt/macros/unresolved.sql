{#-
    What a row names and nobody knows, in the quarantine's columns: one row for all rows of a delivery that name the same, which
    stands at the first of them and counts them. A tape may be of a thousand bonds of which the desk keeps ten.
-#}
{% macro unresolved(table_name, column, value, rule) -%}
    landed_source as source,
    '{{ table_name }}' as table_name,
    landed_file as file,
    min(landed_row) as row,
    landed_batch as batch,
    '{{ column }}' as column_name,
    '{{ rule }}' as rule,
    '{{ unresolved_reason(rule) }}' as reason,
    {{ value }} as value,
    count(*) as row_count
{%- endmacro %}

{#- Why a cell is set aside, by the rule's short name. -#}
{% macro unresolved_reason(rule) -%}
    {{ {
        'unknown_security': 'is in no security master',
        'unknown_dealer': 'is neither a dealer nor an alias valid on that day',
        'unknown_print': 'is no print so far',
        'unknown_rfq': 'is in no RFQ log so far',
        'untraded_rfq': 'has no trade of a known dealer and security in the RFQ log so far',
    }[rule] }}
{%- endmacro %}
