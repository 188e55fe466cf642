-- On which days a dealer advertised interest that suits a side of ours, by class and sector.
with axes as (

    select * from {{ ref('int_axes') }}

),

securities as (

    select * from {{ ref('int_securities') }}

),

told as (

    select
        axes.dealer_id,
        securities.scorecard_class,
        coalesce(securities.sector, '') as sector,
        {{ suited_side('axes.side') }} as client_side,
        cast(axes.advertised_at as date) as first_day,
        least(
            coalesce(cast(axes.withdrawn_at as date) - 1, cast({{ as_of() }} as date)),
            cast(axes.advertised_at as date) + {{ var('axe_max_age_days') }},
            cast({{ as_of() }} as date)
        ) as last_day
    from axes
    inner join securities using (security_id)

),

days as (

    select
        dealer_id,
        scorecard_class,
        sector,
        client_side,
        first_day,
        cast(unnest(generate_series(first_day, greatest(first_day, last_day), interval 1 day)) as date) as told_on
    from told

)

select
    dealer_id,
    scorecard_class,
    sector,
    client_side,
    told_on,
    bool_or(told_on = first_day) as placed
from days
group by all
