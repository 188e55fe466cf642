-- Dealers and securities under the desk's own names; what nobody knows falls out.
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
    axes.dealer_ref,
    axes.security_ref,
    names.dealer_id,
    identifiers.security_id,
    axes.side,
    axes.quantity,
    axes.advertised_at,
    axes.withdrawn_at
from axes
inner join identifiers using (security_ref)
inner join names
    on
        axes.dealer_ref = names.dealer_ref
        and cast(axes.advertised_at as date) between names.valid_from and names.valid_to
