"""The accounts of the showcase that have a story: what happened, what is promised, and what a rep should see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# All days count from today; negative ones are past. Money is in the org's currency. Reps are rows of `names.PEOPLE`.
SOLBERG, BRANDT, SHAW, OKAFOR, MARCHETTI, LINDAHL = range(3, 9)
CUSTOMER, PROSPECT = "Customer - Direct", "Prospect"


@dataclass(frozen=True, slots=True)
class Sale:
    """A deal. `day` is its close date; of an open one, `wins` tells how it ends, on day `ends`."""

    product: str
    amount: float
    begun: int
    day: int
    end: Literal["won", "lost", "open"] = "won"
    stage: str = "Engaging"
    first_day: int | None = None
    moved: int | None = None
    margin: float | None = None
    need_by: int | None = None
    pain: str | None = None
    contacts: tuple[tuple[str, int], ...] = ()
    wins: bool = False
    ends: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A growth plan: money per year, to be reached by a day."""

    made: int
    due: int
    amount: float
    kept: bool


@dataclass(frozen=True, slots=True)
class Request:
    """A service request; `closed` is None while it is open."""

    type: str
    priority: str
    made: int
    closed: int | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """An account, what it is there to show, and (`growth`: spend of next year ÷ last year's) what comes of it."""

    name: str
    shows: str
    industry: str
    country: str
    territory: str
    employees: int
    revenue: float
    rep: int
    type: str = CUSTOMER
    own_growth: float | None = None
    opted_out: bool = False
    parent: str | None = None
    sales: tuple[Sale, ...] = ()
    plans: tuple[Plan, ...] = ()
    requests: tuple[Request, ...] = ()
    growth: float = 1.0
    next_purchase: int | None = None


def _bought(product: str, *days_and_amounts: tuple[int, float]) -> tuple[Sale, ...]:
    """Deals won on these days, each begun six weeks before."""
    return tuple(Sale(product, amount, day - 42, day) for day, amount in days_and_amounts)


def _regularly(product: str, amount: float, first: int, last: int, step: int) -> tuple[Sale, ...]:
    """The same order again and again, give or take a twentieth."""
    return _bought(
        product,
        *((day, amount * (1 + 0.05 * (place % 3 - 1))) for place, day in enumerate(range(first, last, step))),
    )


STORIES = (
    Story(
        "Lindqvist Precision", "The small grower: spends little yet, doubles each year, and keeps what it promises.",
        "Manufacturing", "Sweden", "Nordics", 45, 8_000_000, SHAW, own_growth=38,
        sales=_bought(
            "Sensor Kit", (-700, 2_400), (-560, 3_600), (-420, 4_800), (-330, 7_200), (-230, 9_600), (-150, 14_400),
            (-95, 18_000), (-40, 24_000),
        ),
        plans=(Plan(-400, -35, 50_000, kept=True), Plan(-30, 335, 140_000, kept=True)),
        growth=2.1, next_purchase=18,
    ),
    Story(
        "Harbour & Vale Foods",
        "The big one that goes quiet: an order every six weeks for years, none for eight months.",
        "Food & Beverage", "United Kingdom", "UK & Ireland", 2_300, 640_000_000, SOLBERG, own_growth=-4,
        sales=_regularly("Gateway", 62_000, -1_090, -240, 42),
        requests=(Request("Problem", "High", -262, -231),),
        growth=0.0,
    ),
    Story(
        "Castellan Construction", "The broken promise: two large plans came to a fifth, and a third one runs.",
        "Construction", "United States", "North America", 640, 120_000_000, BRANDT, own_growth=1,
        sales=_regularly("Installation", 15_000, -1_080, -20, 90),
        plans=(
            Plan(-800, -435, 300_000, kept=False), Plan(-430, -65, 350_000, kept=False),
            Plan(-60, 305, 400_000, kept=False),
        ),
        next_purchase=33,
    ),
    Story(
        "Nordvik Clinics", "The kept promise: each plan was reached, so the next one is believed.",
        "Healthcare", "Norway", "Nordics", 780, 95_000_000, BRANDT, own_growth=12,
        sales=_bought("Monitoring Plan", *((day, 15_000 * 1.45 ** (2 + day / 365)) for day in range(-1_060, -10, 60))),
        plans=(
            Plan(-830, -465, 75_000, kept=True), Plan(-460, -95, 110_000, kept=True),
            Plan(-90, 275, 260_000, kept=True),
        ),
        growth=1.4, next_purchase=40,
    ),
    Story(
        "Aurora Cold Storage", "The urgent need: freezers fail, and they must have it within two weeks.",
        "Logistics", "Finland", "Nordics", 310, 54_000_000, BRANDT, own_growth=6,
        sales=(
            *_bought("Gateway", (-640, 22_800), (-310, 26_600)),
            Sale(
                "Edge Server", 86_420, -38, 11, "open", margin=41, need_by=14, pain="Downtime costs them orders",
                contacts=(("call", -30), ("meeting", -12), ("email", -6), ("call", -2)), wins=True, ends=10,
            ),
        ),
        growth=1.2, next_purchase=10,
    ),
    Story(
        "Titan Retail Group", "The thin-margin whale: by far the largest deal, and hardly anything left of it.",
        "Retail", "United States", "North America", 18_000, 5_200_000_000, SOLBERG, own_growth=2,
        sales=(
            *_regularly("Edge Server", 240_000, -1_000, -100, 180),
            Sale(
                "Edge Server", 640_000, -95, 20, "open", margin=6.5,
                contacts=(("meeting", -60), ("call", -20), ("email", -4)), wins=True, ends=26,
            ),
        ),
        next_purchase=26,
    ),
    Story(
        "Bramley Analytics", "Small, sure and soon: closes this week, with a margin of more than four fifths.",
        "Technology", "United Kingdom", "UK & Ireland", 90, 14_000_000, SHAW, own_growth=11,
        sales=(
            *_bought("Monitoring Plan", (-520, 6_000), (-180, 6_000)),
            Sale(
                "Analytics Suite", 23_760, -50, 4, "open", margin=84, pain="An audit found gaps",
                contacts=(("call", -21), ("email", -8), ("call", -1)), wins=True, ends=3,
            ),
        ),
        growth=1.3, next_purchase=3,
    ),
    Story(
        "Sundgren Energy", "High potential that nobody looks after: the rep has left, and the account was overlooked.",
        "Energy", "Sweden", "Nordics", 1_400, 410_000_000, LINDAHL, own_growth=22,
        sales=_bought(
            "Gateway", (-610, 11_400), (-450, 15_200), (-300, 26_600), (-210, 34_200), (-120, 45_600), (-55, 57_000)
        ),
        plans=(Plan(-395, -30, 150_000, kept=True), Plan(-25, 340, 320_000, kept=True)),
        growth=1.7, next_purchase=52,
    ),
    Story(
        "Kestrel Logistics", "The deal that is always about to close: pushed for months, silent for ten weeks.",
        "Logistics", "Ireland", "UK & Ireland", 420, 88_000_000, BRANDT,
        sales=(
            *_bought("Service Contract", (-400, 9_000)),
            Sale(
                "Edge Server", 120_000, -240, -22, "open", first_day=-150, moved=-160,
                contacts=(("meeting", -170), ("email", -101), ("call", -75)), wins=False, ends=60,
            ),
        ),
        growth=0.8,
    ),
    Story(
        "Mirabel Hospitals", "Help first: a large deal is near, and an urgent problem has been open for six days.",
        "Healthcare", "Germany", "DACH", 3_900, 720_000_000, OKAFOR, own_growth=3,
        sales=(
            *_regularly("Monitoring Plan", 48_000, -980, -60, 120),
            Sale(
                "Analytics Suite", 214_560, -80, 25, "open", margin=72,
                contacts=(("meeting", -40), ("call", -14), ("email", -9)), wins=True, ends=58,
            ),
        ),
        requests=(Request("Problem", "High", -6), Request("Question", "Low", -200, -190)),
        next_purchase=58,
    ),
    Story(
        "Orchard Lane Supplies", "Faithful and flat: the same order each quarter for years. Keep them happy.",
        "Food & Beverage", "United Kingdom", "UK & Ireland", 140, 31_000_000, BRANDT, own_growth=-1,
        sales=_regularly("Service Contract", 22_000, -1_320, -10, 91),
        next_purchase=41,
    ),
    Story(
        "Falk & Sons Mechanics", "Small, rare, and no sign of more: self-service will do.",
        "Manufacturing", "Denmark", "Nordics", 12, 1_500_000, SHAW, own_growth=-6,
        sales=_bought("Sensor Kit", (-710, 1_200)),
        growth=0.5,
    ),
    Story(
        "Alpine Lifts", "The season: buys every November and December, so silence in summer means nothing.",
        "Construction", "Austria", "DACH", 260, 47_000_000, MARCHETTI, own_growth=4,
        sales=_bought(
            "Installation",
            *((year * 365 + day, 40_000 + 2_000 * (4 + year)) for year in (-3, -2, -1, 0) for day in (-112, -84)),
        ),
        growth=1.05, next_purchase=255,
    ),
    Story(
        "Pellworth Machines", "A prospect who looks like the best customers: never bought, early talks.",
        "Manufacturing", "United States", "North America", 1_050, 230_000_000, SOLBERG, type=PROSPECT, own_growth=9,
        sales=(
            Sale("Gateway", 20_000, -420, -350, "lost"),
            Sale(
                "Analytics Suite", 60_000, -24, 95, "open", "Prospecting",
                contacts=(("call", -20), ("email", -10)), wins=True, ends=110,
            ),
        ),
        growth=3.0, next_purchase=110,
    ),
    Story(
        "Meridian Holding", "The family: the holding buys little itself, its companies a lot.",
        "Construction", "Germany", "DACH", 5_200, 980_000_000, OKAFOR, own_growth=5,
        sales=_bought("Training Day", (-300, 4_800)),
        next_purchase=90,
    ),
    Story(
        "Meridian Bau", "The family's largest customer.",
        "Construction", "Germany", "DACH", 1_900, 390_000_000, OKAFOR, own_growth=7, parent="Meridian Holding",
        sales=_regularly("Edge Server", 58_000, -900, -20, 75),
        growth=1.1, next_purchase=45,
    ),
    Story(
        "Meridian Logistik", "A sister that buys sometimes.",
        "Logistics", "Germany", "DACH", 700, 140_000_000, MARCHETTI, parent="Meridian Holding",
        sales=_regularly("Gateway", 18_000, -700, -60, 210),
        next_purchase=130,
    ),
    Story(
        "Meridian Energie", "A sister that never bought: the door is open.",
        "Energy", "Germany", "DACH", 430, 150_000_000, MARCHETTI, type=PROSPECT, parent="Meridian Holding",
        own_growth=15, growth=3.0, next_purchase=200,
    ),
    Story(
        "Bluepeak Partners", "A partner: not a customer to be scored.",
        "Technology", "United States", "North America", 75, 12_000_000, SHAW, type="Partner",
        sales=_bought("Training Day", (-500, 4_800), (-190, 7_200)),
    ),
    Story(
        "Vantor Systems", "A competitor that somebody put into the CRM.",
        "Technology", "Switzerland", "DACH", 850, 160_000_000, OKAFOR, type="Competitor",
    ),
    Story(
        "Hollis Paper", "Does not want to be sold to.",
        "Manufacturing", "Canada", "North America", 330, 61_000_000, BRANDT, opted_out=True,
        sales=_bought("Sensor Kit", (-620, 7_200), (-400, 6_000), (-210, 9_600)),
    ),
)  # fmt: skip
