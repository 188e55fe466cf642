{{ config(materialized='view') }}

-- All that names what nobody knows: set aside with the reason, counted, never scored.
with responses as (

    select * from {{ ref('int_unresolved_responses') }}

),

prices as (

    select * from {{ ref('int_unresolved_prices') }}

),

prints as (

    select * from {{ ref('int_unresolved_prints') }}

),

axes as (

    select * from {{ ref('int_unresolved_axes') }}

),

results as (

    select * from {{ ref('int_unresolved_results') }}

),

united as (

    select
        *,
        1 as row_count
    from responses
    union all by name
    select * from prices
    union all by name
    select * from prints
    union all by name
    select * from axes
    union all by name
    select * from results

)

select
    source,
    table_name,
    file,
    row,
    batch,
    column_name,
    rule,
    reason,
    value,
    row_count
from united
