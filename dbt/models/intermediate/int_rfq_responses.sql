{{ config(materialized='by_days', meta={'owns': is_rebuilt('asked_on', 'rfq_id')}) }}

with responses as not materialized (

    select * from {{ ref('stg_rfq_log') }}

),

identifiers as (

    select * from {{ ref('int_security_identifiers') }}

),

names as (

    select * from {{ ref('int_dealer_names') }}

),

securities as (

    select * from {{ ref('int_securities') }}

),

mids as (

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

{{ second_names('resolved') }},

{{ arrived('resolved', 'mids') }},

referenced as (

    select
        resolved.* exclude (arrival_mid),
        coalesce(resolved.arrival_mid, arrived.mid) as arrival_mid,
        securities.asset_class,
        securities.scorecard_class,
        securities.issuer_id,
        securities.sector,
        securities.maturity_date
    from resolved
    inner join arrived using (rfq_id, security_id)
    inner join securities using (security_id)
    left join second_names using (rfq_id, dealer_ref)
    where second_names.rfq_id is null

)

select
    rfq_id,
    dealer_id,
    security_id,
    order_id,
    venue,

    -- context at the time
    asset_class,
    scorecard_class,
    issuer_id,
    sector,
    {{ maturity_bucket('maturity_date', 'asked_at') }} as maturity_bucket,
    client_side,
    quantity,
    {{ size_bucket('quantity') }} as size_bucket,

    -- how it was asked
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
    case when response = 'QUOTED' and firm then date_diff('millisecond', asked_at, responded_at) / 1000.0 end
        as firm_quote_seconds,
    quote_price,
    quote_quantity,
    case when response = 'QUOTED' then {{ clamped('quote_quantity / quantity') }} end as size_ratio,
    firm,
    outcome,
    executed_at,
    executed_price,
    executed_quantity,
    completed_at,
    arrival_mid,
    {{ improvement_gain_bps('client_side', 'arrival_mid', 'quote_price') }} as quote_improvement_gain_bps,

    -- where it stands in landing
    landed_source,
    landed_file,
    landed_row,
    landed_batch
from referenced
