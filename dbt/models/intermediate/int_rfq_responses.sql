{{ config(materialized='incremental', pre_hook="{{ forget(is_rebuilt('asked_on', 'rfq_id')) }}") }}

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
    where {{ is_near('priced_at', var('touched_days'), var('mid_max_age_days') + 1, 0) }}

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

-- Two names of one dealer in one RFQ are one response: the one that traded, else the first answer. Few are, and only
-- those are sorted; they are found by hash, so that some are sorted in vain.
repeated as (

    select hash(rfq_id, dealer_id) as key_hash
    from resolved
    group by all
    having count(*) > 1

),

second_names as (

    select
        rfq_id,
        dealer_ref
    from resolved
    where hash(rfq_id, dealer_id) in (select repeated.key_hash from repeated)
    qualify row_number() over (
        partition by rfq_id, dealer_id
        order by outcome <> 'TRADED' asc, responded_at asc nulls last, dealer_ref asc
    ) > 1

),

-- The desk had the order when it asked the first dealer: a whisper's later dealers are measured from there too.
first_asked as (

    select
        rfq_id,
        security_id,
        min(asked_at) as asked_at
    from resolved
    group by rfq_id, security_id

),

arrivals as (

    select
        rfq_id,
        security_id,
        min(asked_at) over (partition by rfq_id) as arrived_at
    from first_asked

),

-- A few narrow columns are sorted for the mid at arrival; the wide rows stream past it in the order of their files.
arrived as (

    select
        arrivals.rfq_id,
        arrivals.security_id,
        {{ mid_unless_old('mids', 'arrivals.arrived_at') }} as mid
    from arrivals
    asof left join mids on arrivals.security_id = mids.security_id and arrivals.arrived_at >= mids.priced_at

),

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
