{{ config(materialized='by_days', meta={'owns': is_rebuilt('asked_on', 'rfq_id')}) }}

{% set horizons = var('horizons_s') %}

-- A mid stands for a horizon only when it was priced after arrival, and only once the horizon has passed.
with responses as (

    select * from {{ ref('int_resolved_responses') }}
    where {{ is_rebuilt('asked_on', 'rfq_id') }}

),

-- Materialized: else it is sorted in as many parts as the whole table would need (`macros/rebuild.sql`).
mids as materialized (

    select * from {{ ref('int_reference_mids') }}
    where {{ is_near('priced_at', 'touched', var('mid_max_age_days') + 1, 2) }}

),

rfqs as (

    select
        rfq_id,
        min(security_id) as security_id,
        min(client_side) as client_side,
        min(asked_at) as arrived_at,
        min_by(arrival_mid, (asked_at, dealer_id)) as arrival_mid
    from responses
    group by rfq_id

),

{{ mids_over_horizons('rfqs', 'arrived_at', 'mids') }}

select
    rfqs.rfq_id,
    rfqs.security_id,
    rfqs.client_side,
    cast(rfqs.arrived_at as date) as asked_on,
    rfqs.arrived_at,
    rfqs.arrival_mid,
    {% for name in horizons %}
        {{ drift_cost_bps('rfqs.client_side', 'rfqs.arrival_mid', 'after.mid_' ~ name) }}
            as drift_{{ name }}_cost_bps
        {%- if not loop.last %},{% endif %}
    {% endfor %}
from rfqs
left join after on rfqs.security_id = after.security_id and rfqs.arrived_at = after.started_at
