-- The composite rating is the middle of three, the lower of two, the only one.
with securities as (

    select * from {{ ref('stg_securities') }}

),

ratings as (

    select * from {{ ref('ratings') }}

),

graded as (

    select
        securities.security_id,
        list_sort(list(ratings.rating_rank)) as ranks
    from securities
    inner join ratings
        on
            (ratings.agency = 'SP' and securities.rating_sp = ratings.symbol)
            or (ratings.agency = 'MOODYS' and securities.rating_moodys = ratings.symbol)
            or (ratings.agency = 'FITCH' and securities.rating_fitch = ratings.symbol)
    group by securities.security_id

),

rated as (

    select
        securities.*,
        case when len(graded.ranks) = 3 then graded.ranks[2] else graded.ranks[1] end as rating_rank
    from securities
    left join graded using (security_id)

)

select
    security_id,
    cusip,
    isin,
    figi,
    asset_class,
    {{ scorecard_class('asset_class', 'rating_rank') }} as scorecard_class,
    issuer_id,
    issuer_name,
    sector,
    currency,
    coupon,
    issue_date,
    maturity_date,
    {{ maturity_bucket('maturity_date', as_of()) }} as maturity_bucket,
    rating_rank,
    amount_outstanding
from rated
