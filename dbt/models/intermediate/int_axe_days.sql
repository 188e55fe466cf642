-- On which days a dealer advertised interest that suits a side of ours, by class and sector.
with axes as (

    select * from {{ ref('stg_axes') }}

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

told as (

    select
        names.dealer_id,
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
    inner join identifiers using (security_ref)
    inner join securities using (security_id)
    inner join names
        on
            axes.dealer_ref = names.dealer_ref
            and cast(axes.advertised_at as date) between names.valid_from and names.valid_to

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
