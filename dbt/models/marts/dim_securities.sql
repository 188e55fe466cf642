with securities as (

    select * from {{ ref('int_securities') }}

)

select
    security_id,
    cusip,
    isin,
    figi,
    asset_class,
    scorecard_class,
    issuer_id,
    issuer_name,
    sector,
    currency,
    coupon,
    issue_date,
    maturity_date,
    maturity_bucket,
    rating_rank,
    amount_outstanding
from securities
