"""Names for the companies and people of the showcase, none of them real."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Managers first, one for each team, then reps; the last one has left.
PEOPLE = (
    "Margareta Ekdal", "Thomas Keller", "Priya Nair",
    "Ingrid Solberg", "Lukas Brandt", "Amelia Shaw", "Daniel Okafor", "Sofia Marchetti", "Peter Lindahl",
)  # fmt: skip

_BEGINNINGS = (
    "Alder", "Ash", "Birch", "Bright", "Clear", "Elm", "Fair", "Frost", "Green", "Hart", "Hazel", "King",
    "Linden", "Mill", "North", "Oak", "Red", "Sand", "Silver", "Stone", "Thorn", "West", "White", "Win",
)  # fmt: skip
_ENDINGS = (
    "bridge", "brook", "burn", "field", "ford", "gate", "haven", "lake", "mont", "ridge", "stead", "vale",
    "water", "wood",
)  # fmt: skip
_TRADES = {
    "Construction": ("Builders", "Civil Works", "Contractors", "Roofing"),
    "Energy": ("Energy", "Grid", "Power", "Renewables"),
    "Food & Beverage": ("Brewery", "Dairy", "Foods", "Mills"),
    "Healthcare": ("Clinics", "Diagnostics", "Health", "Pharma"),
    "Logistics": ("Cargo", "Freight", "Logistics", "Shipping"),
    "Manufacturing": ("Castings", "Machines", "Plastics", "Tools"),
    "Retail": ("Home", "Markets", "Outfitters", "Stores"),
    "Technology": ("Data", "Instruments", "Networks", "Systems"),
}


def company_names(industries: Sequence[str]) -> list[str]:
    """A different name for each company, after its trade; the same ones each time. For at most 336 companies."""
    places = [first + last for first, last in product(_BEGINNINGS, _ENDINGS)]
    # 101 and 336 have no common factor: every place comes once, in an order that looks like none.
    return [
        f"{places[row * 101 % len(places)]} {_TRADES[industry][row % 4]}"
        for row, industry in enumerate(industries)
    ]
