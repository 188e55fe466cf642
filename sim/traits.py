"""The calibration: one entry per scorecard class, with the figures that a lifelike market must show.

Half-spreads and impacts are basis points of price for a round lot of the class; growth with size is in ``behaviour``.
GOVT, EM and unrated corporates have no published figure of their own and are set between their neighbours.
"""

from dataclasses import dataclass

from expectations.contracts.vocabulary import AssetClass, CorporateClass

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class ClassTraits:
    """How one scorecard class trades.

    ``response`` is the range of dealers' probabilities to quote when four are asked. ``latency_s`` is the range of dealers'
    medians. ``evaluation_95_pt`` bounds 95 % of the evaluated price's errors, in points. ``cap`` is the size above which
    print reports are capped (``None`` = never). ``lot`` is the rounding of sizes, ``size`` the median size asked.
    """

    scorecard_class: str
    asset_class: str
    share: float
    rfq_tilt: float
    half_spread_bps: Range
    response: Range
    latency_s: Range
    impact_bps: float
    daily_volatility_bps: float
    evaluation_95_pt: float
    timeout_s: float
    size: float
    lot: float
    cap: float | None
    popularity: float
    amount: Range
    years: Range
    price: Range


CLASSES: tuple[ClassTraits, ...] = (
    ClassTraits(
        CorporateClass.INVESTMENT_GRADE, AssetClass.CORP, 0.34, 1.3, (3, 8), (0.75, 0.90), (15, 25), 4, 14, 0.55, 120,
        3_000_000, 100_000, 5_000_000, 0.3, (4e8, 2.5e9), (1, 30), (88, 108),
    ),
    ClassTraits(
        CorporateClass.HIGH_YIELD, AssetClass.CORP, 0.19, 1.2, (15, 30), (0.60, 0.80), (15, 25), 15, 28, 0.82, 120,
        2_000_000, 100_000, 1_000_000, 0.1, (3e8, 1.4e9), (2, 10), (78, 106),
    ),
    ClassTraits(
        CorporateClass.NOT_RATED, AssetClass.CORP, 0.03, 0.8, (18, 35), (0.45, 0.65), (18, 30), 18, 24, 0.82, 180,
        1_500_000, 100_000, 1_000_000, -0.9, (1e8, 5e8), (2, 10), (85, 103),
    ),
    ClassTraits(
        AssetClass.MUNI, AssetClass.MUNI, 0.18, 0.9, (20, 40), (0.40, 0.70), (90, 240), 10, 10, 0.70, 900,
        1_000_000, 5_000, None, -0.5, (1e7, 2.5e8), (2, 30), (90, 115),
    ),
    ClassTraits(
        AssetClass.STRUCTURED, AssetClass.STRUCTURED, 0.12, 0.8, (25, 50), (0.30, 0.60), (20, 40), 25, 18, 1.0, 300,
        4_000_000, 100_000, 10_000_000, -0.8, (3e7, 5e8), (2, 12), (85, 101),
    ),
    ClassTraits(
        AssetClass.GOVT, AssetClass.GOVT, 0.06, 1.0, (0.8, 2), (0.85, 0.95), (6, 12), 1, 20, 0.10, 60,
        15_000_000, 1_000_000, None, 1.3, (2e10, 6e10), (1, 30), (85, 105),
    ),
    ClassTraits(
        AssetClass.EM, AssetClass.EM, 0.08, 1.0, (12, 30), (0.55, 0.80), (15, 30), 15, 30, 0.80, 120,
        2_000_000, 100_000, None, 0.0, (5e8, 2e9), (2, 30), (75, 108),
    ),
)  # fmt: skip

CLASS_NAMES: tuple[str, ...] = tuple(str(traits.scorecard_class) for traits in CLASSES)

# What each further dealer in the panel takes from the logit of a response, and the panel that ``response`` speaks of.
CROWD_LOGIT = -0.15
USUAL_PANEL = 4
# Share of dealers that do not specialise in a class.
NON_SPECIALISTS = 0.25
# Beta parameters of leak propensity; scale and Beta parameters of the probability to advertise without an axe.
LEAK_BETA = (0.6, 5.0)
FAKE_SCALE, FAKE_BETA = 0.3, (1.2, 6.0)
ADVERTISED_SHARE = 0.8
AXE_HALF_LIFE_DAYS = (1.0, 5.0)
# How often a dealer truly has an axe in a name: what turns a probability to fake into a count of fakes.
AXE_BASE_RATE = 0.08
LATENCY_SIGMA = (0.5, 0.8)
MANUAL_SHARE = 0.08
QUOTE_SD = (0.25, 0.55)
TOP_SHARE_OF_BONDS, TOP_SHARE_OF_TRADES = 0.02, 0.25
RFQS_PER_DAY = 24
PRINTS_PER_BOND_AND_DAY = 1.25
