with reconciled as (

    select * from {{ ref('fct_tca_reconciliation') }}
    where asked_on > cast({{ as_of() }} as date) - {{ var('agreement_days') }}

),

pairs as (

    select
        metric,
        horizon_s,
        vendor,
        'OWN' as compared_with,
        vendor_gain_bps as figure,
        own_gain_bps as other_figure
    from reconciled
    where own_gain_bps is not null

    union all

    select
        one.metric,
        one.horizon_s,
        one.vendor,
        other.vendor as compared_with,
        one.vendor_gain_bps as figure,
        other.vendor_gain_bps as other_figure
    from reconciled as one
    inner join reconciled as other
        on
            one.rfq_id = other.rfq_id
            and one.metric = other.metric
            and one.horizon_s is not distinct from other.horizon_s
            and one.vendor < other.vendor

),

summed as (

    select
        metric,
        horizon_s,
        vendor,
        compared_with,
        count(*) as n,
        corr(figure, other_figure) as pearson_correlation,
        avg(figure - other_figure) as mean_difference_bps,
        avg(pow(figure - other_figure, 2)) as mean_square
    from pairs
    group by metric, horizon_s, vendor, compared_with

),

measured as (

    select
        *,
        {{ interval_half_width('mean', 'mean_difference_bps', 'n', 'mean_square') }} as half_width
    from summed

)

select
    {{ as_of() }} as as_of,
    metric,
    horizon_s,
    vendor,
    compared_with,
    n,
    -- Figures that never move have no correlation.
    case when isfinite(pearson_correlation) then pearson_correlation end as pearson_correlation,
    mean_difference_bps,
    mean_difference_bps - half_width as mean_difference_low_bps,
    mean_difference_bps + half_width as mean_difference_high_bps
from measured
