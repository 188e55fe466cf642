-- Axes of dealers or in securities that nobody knows.
with axes as (

    select * from {{ ref('stg_axes') }}

),

identifiers as (

    select * from {{ ref('int_security_identifiers') }}

),

names as (

    select * from {{ ref('int_dealer_names') }}

)

select
    {{ unresolved('axes', 'security_id', 'security_ref', 'unknown_security') }}
from axes
anti join identifiers using (security_ref)
group by all
union all
select
    {{ unresolved('axes', 'dealer_id', 'dealer_ref', 'unknown_dealer') }}
from axes
anti join names
    on
        axes.dealer_ref = names.dealer_ref
        and cast(axes.advertised_at as date) between names.valid_from and names.valid_to
group by all
