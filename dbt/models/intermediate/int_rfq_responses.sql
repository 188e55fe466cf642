-- Responses with dealer and security resolved, the class at the time, and every signed figure of the response.
with responses as (

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

),

resolved as (

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
    -- Two names of one dealer in one RFQ are one response: the one that traded, else the first answer.
    qualify row_number() over (
        partition by responses.rfq_id, names.dealer_id
        order by responses.outcome <> 'TRADED', responses.responded_at nulls last, responses.dealer_ref
    ) = 1

),

referenced as (

    select
        resolved.* exclude (arrival_mid),
        coalesce(resolved.arrival_mid, mids.mid) as arrival_mid
    from resolved
    asof left join mids
        on resolved.security_id = mids.security_id and resolved.asked_at >= mids.priced_at

)

select
    referenced.*,
    securities.asset_class,
    securities.scorecard_class,
    securities.issuer_id,
    securities.sector,
    {{ maturity_bucket('securities.maturity_date', 'referenced.asked_at') }} as maturity_bucket,
    {{ size_bucket('referenced.quantity') }} as size_bucket,
    cast(referenced.asked_at as date) as asked_on,
    case
        when response = 'QUOTED' and firm then date_diff('millisecond', asked_at, responded_at) / 1000.0
    end as firm_quote_seconds,
    case when response = 'QUOTED' then {{ clamped('quote_quantity / referenced.quantity') }} end as size_ratio,
    {{ improvement_gain_bps('client_side', 'arrival_mid', 'quote_price') }} as quote_improvement_gain_bps
from referenced
inner join securities using (security_id)
