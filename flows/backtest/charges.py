"""What a dealer that did not quote is charged: what not trading costs, or the worst quote of the RFQ where that is more."""

import numpy as np

from flows.backtest.history import PastRfq
from flows.bootstrap import Floats

NOT_TRADING_HS = 1.5


def charged_costs(rfq: PastRfq) -> Floats | None:
    """Give every dealer's cost, bps, those who did not quote charged; ``None`` where nobody quoted."""
    costs = np.array([np.nan if cost is None else cost for cost in rfq.quoted_bps])
    if np.isnan(costs).all():
        return None
    worst = max(float(np.nanmax(costs)), NOT_TRADING_HS * (rfq.half_spread_bps or 0.0))
    return np.where(np.isnan(costs), worst, costs)
