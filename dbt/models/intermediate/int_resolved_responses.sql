{{ config(materialized='by_days', meta={'owns': is_rebuilt('asked_on', 'rfq_id')}) }}

-- The RFQ log with dealer and security resolved, and the mid at arrival.
-- What a security or a formula adds is not stored: `int_rfq_responses` adds it as it is read.
with responses as not materialized (

    select * from {{ ref('stg_rfq_log') }}

),

identifiers as (

    select * from {{ ref('int_security_identifiers') }}

),

names as (

    select * from {{ ref('int_dealer_names') }}

),

names_by_day as (

    select * from {{ ref('stg_rfq_dealers') }}
    where {{ is_near('asked_on', 'touched', 0, 0) }}

),

-- Materialized: else it is sorted in as many parts as the whole table would need (`macros/rebuild.sql`).
mids as materialized (

    select * from {{ ref('int_reference_mids') }}
    where {{ is_near('priced_at', 'touched', var('mid_max_age_days') + 1, 0) }}

),

resolved as not materialized (

    select
        responses.*,
        names.dealer_id,
        identifiers.security_id
    from responses
    inner join identifiers using (security_ref)
    inner join names
        on
            responses.dealer_ref = names.dealer_ref
            and cast(responses.asked_at as date) between names.valid_from and names.valid_to

),

{{ second_names('resolved', 'names', 'names_by_day') }},

{{ arrived('resolved', 'mids') }},

referenced as (

    select
        resolved.* exclude (arrival_mid),
        coalesce(resolved.arrival_mid, arrived.mid) as arrival_mid
    from resolved
    inner join arrived using (rfq_id, security_id)
    left join second_names using (rfq_id, dealer_ref)
    where second_names.rfq_id is null

)

select
    -- identifiers
    rfq_id,
    dealer_id,
    security_id,
    order_id,
    venue,

    -- how it was asked
    client_side,
    quantity,
    protocol,
    asked_at,
    cast(asked_at as date) as asked_on,
    sequence,
    dealers_asked,
    timeout_s,
    propensity,

    -- what came back and how it ended
    response,
    responded_at,
    quote_price,
    quote_quantity,
    firm,
    outcome,
    executed_at,
    executed_price,
    executed_quantity,
    arrival_mid,

    -- where it stands in landing
    landed_batch,
    landed_row
from referenced
