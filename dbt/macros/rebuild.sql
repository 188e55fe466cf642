{#-
    What is kept by day is built in steps: so many days at a time, each step's days deleted and built again. `flows/steps.py`
    writes the steps into `rebuild.steps`; the materialization `by_days` puts each in turn into the variable `step` of its session.
    Where no step is set, in a test or a query by hand, everything is meant.

    The planner takes a step of a table for all of it, and sorts it (a window, an asof join) in up to a thousand parts, each of
    which costs a tenth of a millisecond. What is sorted out of a table that is kept by day is therefore materialized first: of
    what it does not see through the planner supposes few rows.
-#}
{#- What the step that the session is at says of one of the columns of `rebuild.steps`; NULL = it is at none. -#}
{% macro of_step(column) -%}
    getvariable('step').{{ column }}
{%- endmacro %}

{#-
    Whether a day lies in a step or near it, by the step's first day and the day after its last. A planner folds what is no step
    away, and a bound prunes what is stored.
-#}
{% macro is_near(at, days, before, after) -%}
    {%- set start, end = (of_step(days ~ '_from'), of_step(days ~ '_until')) -%}
    (
        ({{ start }} is null or {{ at }} >= cast({{ start }} as date) - {{ before }})
        and ({{ end }} is null or {{ at }} < cast({{ end }} as date) + {{ after }})
    )
{%- endmacro %}

{#- A list of days of a step; NULL = every day between its bounds. -#}
{% macro is_listed(day, days) -%}
    ({{ of_step(days) }} is null or list_contains({{ of_step(days) }}, {{ day }}))
{%- endmacro %}

{% macro among_days(day, days) -%}
    ({{ is_near(day, days, 0, 0) }} and {{ is_listed(day, days ~ '_days') }})
{%- endmacro %}

{#- A day of which anything is built again. -#}
{% macro is_touched(day) -%}
    {{ among_days(day, 'touched') }}
{%- endmacro %}

{#- A row that is built again: all of a day's, and on other days those of the RFQs that stand on both. -#}
{% macro is_rebuilt(day, rfq_id) -%}
    (
        {{ is_touched(day) }}
        and ({{ is_listed(day, 'rebuilt_days') }} or hash({{ rfq_id }}) in (select rfq from rebuild.split_rfqs))
    )
{%- endmacro %}

{#- An instant whose reference mids are built again; bounds on the instant itself prune, on its day they do not. -#}
{% macro is_repriced(at) -%}
    ({{ is_near(at, 'repriced', 0, 0) }} and {{ is_listed('cast(' ~ at ~ ' as date)', 'repriced_days') }})
{%- endmacro %}

{#- A report that is read to build prints again: of one of their days, or of another on which it may amend them. -#}
{% macro tells_of_prints(at) -%}
    ({{ is_near(at, 'printed', 0, 0) }} or list_contains({{ of_step('amended_days') }}, cast({{ at }} as date)))
{%- endmacro %}

{#- A day whose prints are built again. -#}
{% macro is_printed(day) -%}
    {{ among_days(day, 'printed') }}
{%- endmacro %}

{#- A test `where: touched`, `repriced` or `printed` looks at what was built again: in a full build, at everything. -#}
{% macro get_where_subquery(relation) -%}
    {%- set where = config.get('where', '') -%}
    {%- if where == 'touched' -%}
        {%- set where = built_again('asked_on', 'touched_days') -%}
    {%- elif where == 'repriced' -%}
        {%- set where = built_again('priced_at', 'repriced_days') -%}
    {%- elif where == 'printed' -%}
        {%- set where = built_again('printed_on', 'printed_days') -%}
    {%- endif -%}
    {%- if where -%}
        (select * from {{ relation }} where {{ where }}) as rebuilt
    {%- else -%}
        {{ relation }}
    {%- endif -%}
{%- endmacro %}

{#- The condition on a day or an instant, written out: a test has no step, and bounds in a statement prune. -#}
{% macro built_again(at, days) -%}
    {%- set found = [none] -%}
    {%- if execute and adapter.get_relation(database=target.database, schema='rebuild', identifier='steps') -%}
        {%- set query = 'select cast(unnest(coalesce(' ~ days ~ ', [null])) as varchar) from rebuild.steps' -%}
        {%- set found = run_query(query).columns[0].values() -%}
    {%- endif -%}
    {%- if not found -%}
        false
    {%- elif none in found -%}
        true
    {%- else -%}
        {{ at }} >= date '{{ found | min }}' and {{ at }} < date '{{ found | max }}' + 1
        and cast({{ at }} as date) in (date '{{ found | join("', date '") }}')
    {%- endif -%}
{%- endmacro %}
