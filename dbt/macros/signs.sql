{#- Every signed figure stands here once. +1 when we buy, -1 when we sell. -#}
{% macro direction(side) -%}
    (case {{ side }} when 'BUY' then 1 when 'SELL' then -1 end)
{%- endmacro %}

{#- Gain against a reference price, bps of the reference; positive is good for us. -#}
{% macro improvement_gain_bps(side, reference, price) -%}
    ({{ direction(side) }} * ({{ reference }} - {{ price }}) / nullif({{ reference }}, 0) * 10000)
{%- endmacro %}

{#- Move of the mid after the trade, bps; negative = the price fell back after we bought, which M-11 punishes. -#}
{% macro reversion_bps(side, mid_at_trade, mid_later) -%}
    ({{ direction(side) }} * ({{ mid_later }} - {{ mid_at_trade }}) / nullif({{ mid_at_trade }}, 0) * 10000)
{%- endmacro %}

{#- Move of the mid since arrival, bps; positive = the market ran away from us, the trace of leakage. -#}
{% macro drift_cost_bps(side, arrival_mid, mid_later) -%}
    ({{ direction(side) }} * ({{ mid_later }} - {{ arrival_mid }}) / nullif({{ arrival_mid }}, 0) * 10000)
{%- endmacro %}

{#- A vendor's figure in bps, positive = gain. A price figure is per 100 par, a currency figure is for the whole execution. -#}
{% macro vendor_gain_bps(value, unit, positive_is, reference_price, quantity) -%}
    (
        case {{ positive_is }} when 'GAIN' then 1 when 'COST' then -1 end
        * case {{ unit }}
            when 'bps' then {{ value }}
            when 'price' then {{ value }} / nullif({{ reference_price }}, 0) * 10000
            when 'currency' then {{ value }} / nullif({{ reference_price }} / 100 * {{ quantity }}, 0) * 10000
        end
    )
{%- endmacro %}
