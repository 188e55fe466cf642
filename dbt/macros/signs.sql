{#- Every signed figure stands here once. +1 when we buy, -1 when we sell. -#}
{% macro direction(side) -%}
    (case {{ side }} when 'BUY' then 1 when 'SELL' then -1 end)
{%- endmacro %}

{#- Our side that a dealer's advertised side suits: it buys what we sell. -#}
{% macro suited_side(dealer_side) -%}
    (case {{ dealer_side }} when 'BUYS' then 'SELL' when 'SELLS' then 'BUY' end)
{%- endmacro %}

{#- Gain against a reference price, bps of the reference; positive is good for us. -#}
{% macro improvement_gain_bps(side, reference, price) -%}
    ({{ direction(side) }} * {{ relative_bps(reference ~ ' - ' ~ price, reference) }})
{%- endmacro %}

{#- Move of the mid after the trade, bps; negative = the price fell back after we bought, which M-11 punishes. -#}
{% macro reversion_bps(side, mid_at_trade, mid_later) -%}
    ({{ direction(side) }} * {{ relative_bps(mid_later ~ ' - ' ~ mid_at_trade, mid_at_trade) }})
{%- endmacro %}

{#- Move of the mid since arrival, bps; positive = the market ran away from us, the trace of leakage. -#}
{% macro drift_cost_bps(side, arrival_mid, mid_later) -%}
    ({{ direction(side) }} * {{ relative_bps(mid_later ~ ' - ' ~ arrival_mid, arrival_mid) }})
{%- endmacro %}

{#-
    The horizon by which a vendor's figure is told from others of its metric: a reversion at five minutes and one at a day are
    two figures. An impact without a horizon is taken for the move in the half-hour, as seed_v0 reads reversions.
-#}
{% macro own_horizon_s(metric, horizon_s) -%}
    (
        case {{ metric }}
            when 'price_reversion' then {{ horizon_s }}
            when 'market_impact' then coalesce({{ horizon_s }}, {{ var('horizons_s')['30m'] }})
        end
    )
{%- endmacro %}

{#-
    A vendor's figure in bps, positive = gain.
    A price figure is per 100 par, a currency figure is for the whole execution.
-#}
{% macro vendor_gain_bps(value, unit, positive_is, reference_price, quantity) -%}
    (
        case {{ positive_is }} when 'GAIN' then 1 when 'COST' then -1 end
        * case {{ unit }}
            when 'bps' then {{ value }}
            when 'price' then {{ relative_bps(value, reference_price) }}
            when 'currency' then {{ relative_bps(value, reference_price ~ ' / 100 * ' ~ quantity) }}
        end
    )
{%- endmacro %}

{#- A cost as a gain, or a gain as a cost. -#}
{% macro turned(figure_bps) -%}
    (-{{ figure_bps }})
{%- endmacro %}

{#-
    Implementation shortfall as a gain, bps of arrival (Perold 1988): what was filled at its price, what was not at a later
    mid. An order filled whole needs no later mid.
-#}
{% macro shortfall_gain_bps(filled_share, improvement_gain_bps, drift_cost_bps) -%}
    (
        case
            when {{ filled_share }} >= 1 then {{ improvement_gain_bps }}
            else {{ filled_share }} * {{ improvement_gain_bps }} - (1 - {{ filled_share }}) * {{ drift_cost_bps }}
        end
    )
{%- endmacro %}

{#- A figure of one fill: the vendor's, else ours. A vendor measures the RFQ: each of several fills has our own. -#}
{% macro of_one_fill(vendors, own, fills) -%}
    (case when {{ fills }} > 1 then coalesce({{ own }}, {{ vendors }}) else coalesce({{ vendors }}, {{ own }}) end)
{%- endmacro %}

{#- A figure of several fills: their mean, each counting by its size; fills without the figure are left out. -#}
{% macro over_fills(figure, quantity) -%}
    (
        sum({{ figure }} * {{ quantity }})
        / nullif(sum({{ quantity }}) filter (where {{ figure }} is not null), 0)
    )
{%- endmacro %}

{#- The best price of several for us: the lowest where we buy, the highest where we sell. -#}
{% macro best_price(side, price) -%}
    (case {{ direction(side) }} when 1 then min({{ price }}) when -1 then max({{ price }}) end)
{%- endmacro %}
