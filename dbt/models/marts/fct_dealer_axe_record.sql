-- An advertisement comes true where the dealer, asked on the side that suits it, quotes better than without one.
with axes as (

    select * from {{ ref('int_axes') }}
    where advertised_at > {{ as_of() }} - to_days({{ var('axe_record_days') + var('axe_true_within_days') }})

),

securities as (

    select * from {{ ref('int_securities') }}

),

answers as (

    select
        *,
        coalesce(issuer_id, security_id) as interest
    from {{ ref('int_rfq_responses') }}
    where asked_on > cast({{ as_of() }} as date) - {{ var('axe_record_days') }}

),

told as (

    select
        axes.dealer_id,
        coalesce(securities.issuer_id, securities.security_id) as interest,
        {{ suited_side('axes.side') }} as client_side,
        axes.advertised_at,
        least(axes.advertised_at + to_days({{ var('axe_true_within_days') }}), axes.withdrawn_at) as told_until
    from axes
    inner join securities using (security_id)

),

axed as (

    select answers.* from answers
    semi join told
        on
            answers.dealer_id = told.dealer_id
            and answers.interest = told.interest
            and answers.client_side = told.client_side
            and answers.asked_at >= told.advertised_at
            and answers.asked_at < told.told_until

),

unaxed as (

    select
        answers.dealer_id,
        answers.scorecard_class,
        avg(answers.quote_improvement_gain_bps) as usual_gain_bps
    from answers
    anti join axed using (rfq_id, dealer_id)
    where answers.response = 'QUOTED'
    group by answers.dealer_id, answers.scorecard_class

),

tested as (

    -- Silence is no. Where a quote could be compared with nothing neither counts: else silence alone would.
    select
        axed.dealer_id,
        axed.response = 'QUOTED' and axed.quote_improvement_gain_bps > unaxed.usual_gain_bps as came_true,
        axed.quote_improvement_gain_bps - unaxed.usual_gain_bps as better_by_bps
    from axed
    left join unaxed using (dealer_id, scorecard_class)
    where axed.arrival_mid is not null and unaxed.usual_gain_bps is not null

),

counted as (

    select
        dealer_id,
        count(*) as axes_tested,
        count(*) filter (where came_true) as axes_came_true,
        axes_came_true / axes_tested as came_true_share,
        avg(better_by_bps) as mean_gain_over_usual_bps
    from tested
    group by dealer_id

)

select
    {{ as_of() }} as as_of,
    dealer_id,
    axes_tested,
    axes_came_true,
    came_true_share,
    {{ interval_centre('rate', 'came_true_share', 'axes_tested') }}
    - {{ interval_half_width('rate', 'came_true_share', 'axes_tested') }} as came_true_low,
    {{ interval_centre('rate', 'came_true_share', 'axes_tested') }}
    + {{ interval_half_width('rate', 'came_true_share', 'axes_tested') }} as came_true_high,
    mean_gain_over_usual_bps
from counted
