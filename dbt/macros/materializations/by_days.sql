{#-
    A table built in the steps of `rebuild.steps`, all in one transaction: made anew in a full refresh, else the rows that a
    step owns (`meta.owns`, a condition) are deleted and built again. A step's memory is all it takes, however long the history.
-#}
{% materialization by_days, adapter='duckdb' %}

    {%- set target = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set anew = existing is none or existing.is_view or should_full_refresh() -%}
    {%- set built = make_intermediate_relation(target) if anew else target -%}
    {{ drop_relation_if_exists(load_cached_relation(make_intermediate_relation(target))) }}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- for step in run_query('select step from rebuild.steps order by step').columns[0].values() %}
        {% call statement('step') %}
            set variable step = (select steps from rebuild.steps where step = {{ step }})
        {% endcall %}
        {% if anew and loop.first %}
            {% call statement('make') %}
                {{ create_table_as(False, built, 'select * from (' ~ compiled_code ~ ') as nothing where false') }}
            {% endcall %}
        {% elif not anew %}
            {% call statement('forget') %}delete from {{ built }} where {{ config.get('meta')['owns'] }}{% endcall %}
        {% endif %}
        {% call statement('main') %}
            insert into {{ built }} {{ get_column_names() }} ({{ get_select_subquery(compiled_code) }})
        {% endcall %}
    {% endfor -%}
    {% call statement('no_step') %}reset variable step{% endcall %}

    {% if anew %}
        {{ drop_relation_if_exists(existing) }}
        {% do adapter.rename_relation(built, target) %}
        {% do persist_docs(target, model) %}
    {% endif %}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [target]}) }}

{% endmaterialization %}
