{{ config(materialized='by_days', meta={'owns': is_rebuilt('asked_on', 'rfq_id')}) }}

-- Every response in half-spreads: what it would have cost, how crowded the RFQ was, how long a quote lay open.
-- Where no bid and ask are on record, a declared half-spread of the asset class is the unit.
with responses as (

    select * from {{ ref('int_rfq_responses') }}
    where {{ is_rebuilt('asked_on', 'rfq_id') }}

),

-- Materialized: else it is sorted in as many parts as the whole table would need (`macros/rebuild.sql`).
mids as materialized (

    select * from {{ ref('int_reference_mids') }}
    where
        half_spread_bps > 0
        and {{ is_near('priced_at', 'touched', var('mid_max_age_days') + 1, 0) }}

),

-- Few columns are sorted: instants of a security for its half-spreads, whispers for what comes after a quote.
instants as materialized (

    select distinct
        security_id,
        asked_at
    from responses

),

spreads as (

    select
        instants.security_id,
        instants.asked_at,
        mids.half_spread_bps
    from instants
    asof inner join mids on instants.security_id = mids.security_id and instants.asked_at >= mids.priced_at
    where mids.priced_at >= instants.asked_at - to_days({{ var('mid_max_age_days') }})

),

whispered as materialized (

    select
        rfq_id,
        dealer_id,
        sequence
    from responses
    where protocol = 'SEQUENTIAL'

),

whispers as (

    select
        rfq_id,
        dealer_id,
        count(*) over (
            partition by rfq_id order by sequence asc, dealer_id asc
            rows between 1 following and unbounded following
        ) as dealers_after
    from whispered

),

scaled as (

    select
        responses.*,
        coalesce(spreads.half_spread_bps, {{ usual_half_spread_bps('responses.asset_class') }}) as half_spread_bps,
        whispers.dealers_after
    from responses
    left join spreads using (security_id, asked_at)
    left join whispers using (rfq_id, dealer_id)

),

costed as (

    select
        *,
        -- The part that is not quoted must be found elsewhere, at a worse price.
        {{ var('unfilled_cost_hs') }} * (1 - coalesce(size_ratio, 1))
        - quote_improvement_gain_bps / nullif(half_spread_bps, 0) as cost_hs
    from scaled

)

select
    rfq_id,
    dealer_id,
    asked_on,
    scorecard_class,
    coalesce(sector, '') as sector,
    maturity_bucket,
    client_side,
    protocol = 'SEQUENTIAL' as whispered,
    half_spread_bps,
    response = 'QUOTED' as answered,
    outcome = 'TRADED' as won,
    case when protocol = 'SEQUENTIAL' then 0 else greatest(dealers_asked, 1) - 1 end as further_asked,
    {{ kept_within('cost_hs', var('quote_cost_bounds_hs')) }} as quote_cost_hs,

    -- A quote given in a whisper lies open while the dealers after it are asked.
    case when protocol = 'SEQUENTIAL' and response = 'QUOTED' then dealers_after else 0 end as steps_open,
    outcome = 'EXPIRED' as faded
from costed
