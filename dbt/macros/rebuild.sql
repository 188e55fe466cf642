{#-
    What is kept by day is deleted and built again for the days that a change can reach; `flows/rebuild.py` finds them and
    gives them as variables. Without them everything is built again.
-#}
{% macro among_days(day, days) -%}
    {%- if days is none -%}
        true
    {%- elif not days -%}
        false
    {%- else -%}
        {{ day }} in (date '{{ days | join("', date '") }}')
    {%- endif -%}
{%- endmacro %}

{#- A day of which anything is built again. -#}
{% macro is_touched(day) -%}
    ({{ among_days(day, var('touched_days')) }})
{%- endmacro %}

{#- A row that is built again: all of a day's, and on other days those of the RFQs that stand on both. -#}
{% macro is_rebuilt(day, rfq_id) -%}
    {%- set both = 'hash(' ~ rfq_id ~ ') in (select rfq from rebuild.split_rfqs)' -%}
    {%- if var('touched_days') == var('rebuilt_days') -%}
        {{ is_touched(day) }}
    {%- else -%}
        ({{ is_touched(day) }} and ({{ among_days(day, var('rebuilt_days')) }} or {{ both }}))
    {%- endif -%}
{%- endmacro %}

{#- A day whose reference mids are built again. -#}
{% macro is_repriced(day) -%}
    ({{ among_days(day, var('repriced_days')) }})
{%- endmacro %}

{#- Times near what is built again, as two bounds: they prune what is stored in order of time. -#}
{% macro is_near(at, days, before, after) -%}
    {%- if days is none -%}
        true
    {%- elif not days -%}
        false
    {%- else -%}
        (
            {{ at }} >= date '{{ days | min }}' - {{ before }}
            and {{ at }} < date '{{ days | max }}' + {{ after + 1 }}
        )
    {%- endif -%}
{%- endmacro %}

{#- Delete what is about to be built again; nothing where the table is made anew. -#}
{% macro forget(condition) -%}
    {%- if is_incremental() -%}
        delete from {{ this }} where {{ condition }}
    {%- endif -%}
{%- endmacro %}

{#- A test `where: touched` or `where: repriced` looks at what was built again: in a full build, at everything. -#}
{% macro get_where_subquery(relation) -%}
    {%- set written = config.get('where', '') -%}
    {%- if written == 'touched' -%}
        {%- set where = is_touched('asked_on') -%}
    {%- elif written == 'repriced' -%}
        {%- set where = is_repriced('cast(priced_at as date)') -%}
    {%- else -%}
        {%- set where = written -%}
    {%- endif -%}
    {%- if where -%}
        (select * from {{ relation }} where {{ where }}) as rebuilt
    {%- else -%}
        {{ relation }}
    {%- endif -%}
{%- endmacro %}
