with responses as (

    select * from {{ ref('int_rfq_responses') }}

)

select
    dealer_id,
    issuer_id,
    sector,
    scorecard_class,
    maturity_bucket,
    count(*) as rfqs_quoted_180d,
    -- Some logs give no times of answers: the asking bounds them.
    max(coalesce(responded_at, asked_at)) as last_quoted_at
from responses
where response = 'QUOTED' and asked_on > cast({{ as_of() }} as date) - 180
group by all
