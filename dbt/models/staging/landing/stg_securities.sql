with source as (

    select * from {{ source('landing', 'securities') }}

),

newest as (

    select * from source
    qualify {{ newest_version(['security_id']) }}

)

select
    -- identifiers
    security_id,
    cusip,
    isin,
    figi,
    issuer_id,
    issuer_name,

    -- terms
    asset_class,
    sector,
    currency,
    coupon,
    issue_date,
    maturity_date,
    amount_outstanding,

    -- ratings, as each agency writes them
    rating_sp,
    rating_moodys,
    rating_fitch

from newest
