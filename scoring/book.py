"""What the whole book says: horizon, fifths, peers, base rates, ranks, and tier cut-offs per owner."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from scoring.columns import coded, flags, numbers, whole
from scoring.counts import (
    Spreads,
    Summary,
    as_integers,
    count,
    count_pairs,
    merge,
    merge_spreads,
    money_bin,
    money_of,
    quantile,
    ranks,
    scores_by_name,
)  # fmt: skip
from scoring.cutoffs import EVERYBODY, Cutoffs, cutoffs
from scoring.features import Features, Reader, day_number
from scoring.growth import kept_share
from scoring.likelihood import earlier_points
from scoring.owners import measure_owners, owners_of, sums, weighted_pipeline
from scoring.points import DOUBLE, chance
from scoring.value import Assessed, Scored, assess, settle

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from numpy.typing import NDArray

    from config.rules import Rules
    from scoring.features import Tables

# What the first reading needs: how long deals took to win.
TIMES = {"opportunity": ("stage", "is_won", "close_date", "created_at"), "stage": ("id", "name", "is_won")}

_VERSION = 1
_NO_BIN = 1_000_000  # above every bin of money
_FEWEST_CYCLES, _FEWEST_PEERS = 10, 5
_PRIOR_WEIGHT = 10  # accounts' or deals' worth of the prior that a rate is drawn towards
_PRIOR_WINS, _PRIOR_CUSTOMERS, _PRIOR_PROSPECTS, _PRIOR_KEPT = 30, 30, 10, 50  # percent


@dataclass(frozen=True, slots=True)
class Peers:
    """Accounts of one industry and size: median spend of the last year in cents (0: too few), and card points."""

    median: float
    buys: int
    fits: int


@dataclass(frozen=True)
class Book:
    """Everything that one account's score needs to know of the others; small, and the same for every order of rows.

    `horizon`, `cycle` (usual time to win) and `gap` (usual time between purchases) are in days; `basket` is the
    mean purchase in cents; `spend_fifths` and `cut_fifths` are the lowest money bins (`scoring.counts`) of the
    upper four fifths; bases are points.
    """

    horizon: int
    cycle: int
    gap: float = 180.0
    basket: float = 0.0
    win_percent: int = _PRIOR_WINS
    kept_percent: int = _PRIOR_KEPT
    spend_fifths: tuple[int, ...] = (_NO_BIN,) * 4
    cut_fifths: tuple[int, ...] = (_NO_BIN,) * 4
    peers: Mapping[str, Peers] = field(default_factory=dict)
    customer_base: int = 0
    prospect_base: int = 0
    amounts: Mapping[int, int] = field(default_factory=dict)
    spends: Mapping[int, int] = field(default_factory=dict)
    owner_spend: Mapping[str, int] = field(default_factory=dict)
    owner_customers: Mapping[str, int] = field(default_factory=dict)
    owner_accounts: Mapping[str, int] = field(default_factory=dict)
    owner_deals: Mapping[str, int] = field(default_factory=dict)
    owner_pipeline: Mapping[str, int] = field(default_factory=dict)
    cutoffs: Mapping[str, Mapping[str, Cutoffs]] = field(default_factory=dict)

    @cached_property
    def amount_ranks(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Money bins of open deals, and their rank."""
        return ranks(self.amounts)

    @cached_property
    def spend_ranks(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Money bins of expected spend, and their rank."""
        return ranks(self.spends)

    def to_json(self) -> str:
        """As text, to keep between a full run and the increments after it."""
        return json.dumps({"version": _VERSION, **asdict(self)}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Book:
        """A kept book. Raises `ValueError` if another version of Foretag wrote it."""
        kept = json.loads(text)
        if kept.pop("version", None) != _VERSION:
            raise ValueError("the kept book is of another version: a full run makes a new one")
        for name in ("amounts", "spends"):
            kept[name] = as_integers(kept[name])
        kept["spend_fifths"], kept["cut_fifths"] = tuple(kept["spend_fifths"]), tuple(kept["cut_fifths"])
        kept["peers"] = {name: Peers(**found) for name, found in kept["peers"].items()}
        kept["cutoffs"] = {
            object_name: {owner: Cutoffs(**found) for owner, found in owners.items()}
            for object_name, owners in kept["cutoffs"].items()
        }
        return cls(**kept)


def read_book(
    buckets: Iterable[Tables], rules: Rules, today: date, times: Iterable[Tables] | None = None
) -> tuple[Book, tuple[Features, ...]]:
    """Read all buckets, twice: `buckets` must be iterable again, a list or an object that re-opens them.

    `times`, if it is cheaper to give, are the same buckets with no more columns than `TIMES`; then `buckets` are
    read once.

    Every statistic is a sum of integers over buckets, so neither their number nor any order matters.
    The features come back too, one for each bucket in order, so that `tag` need not extract them again.
    """
    with Reader(rules, today) as reader:
        won_after = merge({"cycles": _keyed(reader.cycles(tables))} for tables in times or buckets)
        book = start(as_integers(won_after.get("cycles", {})), rules)
        parts = tuple(reader.features(tables, book.horizon) for tables in buckets)
    book = with_measures(book, merge(measure(part, today) for part in parts))
    book = with_bases(book, merge(calibrate(part, book, rules, today) for part in parts))
    assessed = [assess(part, book, rules, today) for part in parts]
    book = with_ranks(book, merge(map(spread, assessed)))
    return with_cutoffs(
        book, merge_spreads(order(settle(part, book, rules)) for part in assessed), rules
    ), parts


def _keyed(histogram: Mapping[int, int]) -> Counter[str]:
    return Counter({str(key): number for key, number in histogram.items()})


def start(won_after: Mapping[int, int], rules: Rules) -> Book:
    """A book that knows its times: the median time to win a deal, or 90 days if hardly any was won."""
    enough = sum(won_after.values()) >= _FEWEST_CYCLES
    median = quantile(won_after, 0.5) if enough else None
    cycle = 90 if median is None else max(median, 7)
    wanted = rules.likelihood.horizon
    return Book(horizon=min(max(cycle, 30), 365) if wanted == "auto" else wanted, cycle=cycle)


def measure(part: Features, today: date) -> Summary:
    """First round: sums and histograms of what was bought, by whom, and among which peers."""
    accounts = part.accounts
    purchases, spend, year = (whole(accounts, name) for name in ("purchases", "spend", "year_spend"))
    customer = purchases > 0
    days = numbers(accounts, "last_day") - numbers(accounts, "first_day")
    kept = kept_share(accounts, day_number(today))
    kept = np.floor(100 * kept[~np.isnan(kept)]).astype(np.int64)
    peers, peer_codes = coded(accounts["peer"])
    bins, year_bins = money_bin(spend), money_bin(year)
    open_deals = ~flags(part.deals, "closed")
    owners, owner_codes = owners_of(accounts)
    return {
        "totals": Counter({
            "purchases": int(purchases.sum()),
            "closed": int(whole(accounts, "closed").sum()),
            "spend": sum(spend.tolist()),  # Python's integers do not overflow
            "gaps": int((purchases[customer] - 1).sum()),
            "gap_days": int(days[customer].sum()),
            "plans": len(kept),
            "kept": int(kept.sum()),
        }),
        "spend": count(bins[customer]),
        "cut_spend": count(money_bin(whole(accounts, "cut_spend"))[whole(accounts, "cut_purchases") > 0]),
        "amounts": count(money_bin(np.nan_to_num(numbers(part.deals, "cents")))[open_deals]),
        "peer": count_pairs(peers, peer_codes, bins),
        "peer_year": count_pairs(peers, np.where(year > 0, peer_codes, -1), year_bins),
        "owner_spend": sums(owners, owner_codes, year),
        "owner_customers": sums(owners, owner_codes, (year > 0).astype(np.int64)),
        **measure_owners(part),
    }  # fmt: skip


def with_measures(book: Book, found: Summary) -> Book:
    """The book with its usual gap, basket, win rate, fifths, peers and owners' spend."""
    totals = found["totals"]
    spend, amounts = as_integers(found["spend"]), as_integers(found["amounts"])
    priced = {key: number for key, number in amounts.items() if key > 0}
    typical_deal = money_of(quantile(priced, 0.5) or 0)
    fifths = _fifths(spend)
    won, closed, weight = totals["purchases"], totals["closed"], _PRIOR_WEIGHT
    win_percent = min(max((100 * won + weight * _PRIOR_WINS) // (closed + weight), 1), 99)
    return replace(
        book,
        gap=totals["gap_days"] / totals["gaps"] if totals["gaps"] else 180.0,
        basket=totals["spend"] / won if won else typical_deal,
        win_percent=win_percent,
        kept_percent=(totals["kept"] + 2 * _PRIOR_KEPT) // (totals["plans"] + 2),
        spend_fifths=fifths, cut_fifths=_fifths(as_integers(found["cut_spend"])),
        peers=_peers(found["peer"], found["peer_year"], fifths[-1]),
        amounts=priced, owner_spend=dict(found["owner_spend"]), owner_customers=dict(found["owner_customers"]),
        owner_accounts=dict(found["owner_accounts"]), owner_deals=dict(found["owner_deals"]),
        owner_pipeline=weighted_pipeline(found, win_percent),
    )  # fmt: skip


def _fifths(histogram: Mapping[int, int]) -> tuple[int, ...]:
    """The lowest bin of the second to the fifth fifth; equal bins are in one fifth, that of their mean place."""
    keys, places = ranks(histogram)
    bounds = [keys[places >= share] for share in (20, 40, 60, 80)]
    return tuple(int(bound[0]) if len(bound) else _NO_BIN for bound in bounds)


def _peers(spent: Mapping[str, int], last_year: Mapping[str, int], top: int) -> dict[str, Peers]:
    """Per group of peers: the median spend of those who buy, and how often its accounts buy, or buy most."""
    by_peer, by_year = _by_name(spent), _by_name(last_year)
    everyone = sum(spent.values())
    buyers = sum(_from(bins, 1) for bins in by_peer.values())
    best = sum(_from(bins, top) for bins in by_peer.values())
    found = {}
    for peer, bins in sorted(by_peer.items()):
        size, year = sum(bins.values()), by_year.get(peer, {})
        median = money_of(quantile(year, 0.5) or 0) if sum(year.values()) >= _FEWEST_PEERS else 0.0
        found[peer] = Peers(
            median,
            _lift(_from(bins, 1), size, buyers, everyone),
            _lift(_from(bins, top), size, best, everyone),
        )
    return found


def _by_name(counts: Mapping[str, int]) -> dict[str, dict[int, int]]:
    grouped: dict[str, dict[int, int]] = {}
    for key, number in counts.items():
        name, _, bin_number = key.rpartition("|")
        grouped.setdefault(name, {})[int(bin_number)] = number
    return grouped


def _from(bins: Mapping[int, int], lowest: int) -> int:
    return sum(number for key, number in bins.items() if key >= lowest)


def _lift(hits: int, size: int, all_hits: int, all_size: int) -> int:
    """Points for a group's odds against the book's, drawn towards them as if by ten accounts; 0 if all are alike."""
    if not 0 < all_hits < all_size:
        return 0
    rate = all_hits / all_size
    share = (hits + _PRIOR_WEIGHT * rate) / (size + _PRIOR_WEIGHT)
    return round(DOUBLE * math.log2((share / (1 - share)) / (rate / (1 - rate))))


def calibrate(part: Features, book: Book, rules: Rules, today: date) -> Summary:
    """Second round: card points as they stood one horizon ago, and how many then bought within it."""
    accounts = part.accounts
    points = earlier_points(accounts, book, rules, today)
    before = whole(accounts, "cut_purchases")
    bought = whole(accounts, "purchases") > before
    customer = before > 0
    prospect = ~customer & flags(accounts, "cut_known")
    return {
        "customers": count(points[customer]),
        "prospects": count(points[prospect]),
        "bought": Counter({
            "customers": int((bought & customer).sum()), "prospects": int((bought & prospect).sum())
        }),
    }  # fmt: skip


def with_bases(book: Book, found: Summary) -> Book:
    """The book with the points at which its cards foretell, on the whole, what the last horizon brought."""
    bought = found["bought"]
    return replace(
        book,
        customer_base=_base(as_integers(found["customers"]), bought["customers"], _PRIOR_CUSTOMERS),
        prospect_base=_base(as_integers(found["prospects"]), bought["prospects"], _PRIOR_PROSPECTS),
    )


def _base(points: Mapping[int, int], bought: int, prior: int) -> int:
    size = sum(points.values())
    wanted = (100 * bought + _PRIOR_WEIGHT * prior) / (size + _PRIOR_WEIGHT)  # percent
    keys = np.array(list(points) or [0])
    weights = np.array(list(points.values()) or [1])
    for base in range(-200, 200):
        if float((chance(keys + base) * weights).sum()) >= wanted * float(weights.sum()):
            return base
    return 200


def spread(assessed: Assessed) -> Summary:
    """Third round: how expected spend is spread."""
    return {"spends": count(money_bin(assessed.expected)[assessed.scored])}


def with_ranks(book: Book, found: Summary) -> Book:
    """The book with its ranks of expected spend."""
    return replace(book, spends=as_integers(found["spends"]))


def order(scored: Scored) -> dict[str, Spreads]:
    """Fourth round: how each owner's scores are spread."""
    part, found = scored.features, scored.deals
    owners, codes = owners_of(part.accounts)
    deal_owners, deal_codes = owners_of(part.deals)
    return {
        "account": scores_by_name(owners, np.where(scored.scored, codes, -1), scored.score),
        "opportunity": scores_by_name(
            deal_owners, np.where(found.scored, deal_codes, -1), found.priority.score
        ),
    }


def with_cutoffs(book: Book, found: Mapping[str, Spreads], rules: Rules) -> Book:
    """The finished book: with the score at which each tier of each owner begins."""
    begin = {}
    for object_name, owners in found.items():
        everybody = sum(owners.values(), np.zeros(101, dtype=np.int64))
        spreads = {**owners, EVERYBODY: everybody}
        begin[object_name] = {owner: cutoffs(spreads[owner], rules.tiers) for owner in sorted(spreads)}
    return replace(book, cutoffs=begin)
