"""What the whole book says: horizon, fifths, peers, base rates, ranks, and tier cut-offs per owner."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from scoring.arithmetic.columns import coded, flags, numbers, whole
from scoring.arithmetic.counts import (
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
from scoring.buying.calibration import calibrate, lessons, with_bases, with_card
from scoring.buying.lessons import Buying, begun, histories, with_model
from scoring.conditions.exclusions import included, left_out
from scoring.engine import HERE
from scoring.growing.growth import outlooks
from scoring.growing.growth_book import GrowthBook, growth_book, growth_counts, lift
from scoring.growing.headroom import best_known, sales_of
from scoring.growing.promises import plan_counts
from scoring.placing.cutoffs import EVERYBODY, Cutoffs, books, cutoffs, prefix_of, tiers_of
from scoring.reading.features import Features, Readers, day_number, opened
from scoring.reading.groups import with_families
from scoring.reading.owners import measure_owners, owners_of, sums, weighted_pipeline
from scoring.reading.past_deals import merged
from scoring.value import Assessed, Scored, assess, settle
from scoring.winning.deal_history import DealHistory, deal_history, usual_counts
from scoring.winning.win import level, level_counts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    import pyarrow as pa
    from numpy.typing import NDArray

    from config.rules import Rules
    from scoring.engine import Engine
    from scoring.reading.features import Bucket
    from scoring.reading.past_deals import PastDeals

# What the first reading needs: how long deals took to win.
TIMES = {"opportunity": ("stage", "is_won", "close_date", "created_at"), "stage": ("id", "name", "is_won")}

_VERSION = 2
_NO_BIN = 1_000_000  # above every bin of money
_FEWEST_CYCLES, _FEWEST_PEERS = 10, 5
_PRIOR_WEIGHT = 10  # accounts' or deals' worth of the prior that a rate is drawn towards
_PRIOR_WINS, _PRIOR_KEPT = 30, 70  # percent; who only buys as before reaches most of a plan


@dataclass(frozen=True, slots=True)
class Peers:
    """Accounts of one industry and size: median spend of the last year in cents (0: too few), points for buying."""

    median: float
    buys: int


@dataclass(frozen=True)
class Book:
    """Everything that one account's score needs to know of the others; small, and the same for every order of rows.

    `horizon`, `cycle` (usual time to win) and `gap` (usual time between purchases) are in days; `basket` is the
    mean purchase in cents; `spend_fifths` and `cut_fifths` are the lowest money bins (`arithmetic.counts`) of the
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
    buying: Buying = field(default_factory=Buying)
    amounts: Mapping[int, int] = field(default_factory=dict)
    spends: Mapping[int, int] = field(default_factory=dict)
    owner_spend: Mapping[str, int] = field(default_factory=dict)
    owner_customers: Mapping[str, int] = field(default_factory=dict)
    owner_accounts: Mapping[str, int] = field(default_factory=dict)
    owner_deals: Mapping[str, int] = field(default_factory=dict)
    owner_pipeline: Mapping[str, int] = field(default_factory=dict)
    history: DealHistory = field(default_factory=DealHistory)
    growth: GrowthBook = field(default_factory=GrowthBook)
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
        return json.dumps({"version": _VERSION, **_fields(self)}, sort_keys=True, default=_fields)

    @classmethod
    def from_json(cls, text: str) -> Book:
        """A kept book. Raises `ValueError` if another version of Foretag wrote it."""
        kept = json.loads(text)
        if kept.pop("version", None) != _VERSION:
            raise ValueError("the kept book is of another version: a full run makes a new one")
        for name in ("amounts", "spends"):
            kept[name] = as_integers(kept[name])
        kept["spend_fifths"], kept["cut_fifths"] = tuple(kept["spend_fifths"]), tuple(kept["cut_fifths"])
        kept["buying"] = Buying.of(kept["buying"])
        kept["history"] = DealHistory.of(kept["history"])
        kept["growth"] = GrowthBook.of(kept["growth"])
        kept["peers"] = {name: Peers(**found) for name, found in kept["peers"].items()}
        kept["cutoffs"] = {
            object_name: {owner: Cutoffs(**found) for owner, found in owners.items()}
            for object_name, owners in kept["cutoffs"].items()
        }
        return cls(**kept)


def _fields(part: Any) -> dict[str, Any]:
    """The fields of a part of the book by their names, for a text: nothing is copied."""
    return {field.name: getattr(part, field.name) for field in fields(part)}


def read_book(
    buckets: Iterable[Bucket],
    rules: Rules,
    today: date,
    times: Iterable[Bucket] | None = None,
    engine: Engine = HERE,
) -> tuple[Book, Sequence[Features]]:
    """Read all buckets, twice: `buckets` must be iterable again, a list or an object that re-opens them.

    `times`, if it is cheaper to give, are the same buckets with no more columns than `TIMES`; then `buckets` are
    read once.

    Every statistic is a sum of integers over buckets, so neither their number nor any order matters.
    The features come back too, one for each bucket in order, so that `tag` need not extract them again: as the
    engine keeps them.
    """
    readers = Readers(rules, today)
    book = start(merge(engine.each(_times, times or buckets, readers=readers)), rules)
    read = engine.keep(_read, buckets, readers=readers, book=book, rules=rules, today=today)
    parts = with_families(engine.keep(_features, read), engine)
    past = merged(engine.each(_past, read), rules.win.like_deals.by)
    del read, readers
    ours = engine.keep(included, parts, book=book, rules=rules, today=today)
    book = with_measures(book, merge(engine.each(measure, ours)))
    book = with_history(book, past, ours, rules, today, engine)
    book = with_buying(book, ours, rules, today, engine)
    book = with_growth(book, ours, rules, today, engine)
    assessed = engine.keep(assess, parts, book=book, rules=rules, today=today)
    book = with_ranks(book, merge(engine.each(spread, assessed)))
    return with_cutoffs(
        book, merge_spreads(engine.each(_order, assessed, book=book, rules=rules)), rules
    ), parts


def _times(bucket: Bucket, readers: Readers) -> Summary:
    return {
        name: Counter({str(key): number for key, number in histogram.items()})
        for name, histogram in readers.mine.times(opened(bucket)).items()
    }


def _read(
    bucket: Bucket, readers: Readers, book: Book, rules: Rules, today: date
) -> tuple[Features, PastDeals]:
    reader = readers.mine
    part = reader.features(opened(bucket), book.buying.window)
    return part, reader.past(rules, *left_out(part, reader.every_deal, book, rules, today))


def _features(read: tuple[Features, PastDeals]) -> Features:
    return read[0]


def _past(read: tuple[Features, PastDeals]) -> PastDeals:
    return read[1]


def start(times: Summary, rules: Rules) -> Book:
    """A book that knows its times: the median time to win a deal, or 90 days if hardly any was won."""
    won_after, ages = (as_integers(times.get(name, {})) for name in ("cycle", "purchase_age"))
    enough = sum(won_after.values()) >= _FEWEST_CYCLES
    median = quantile(won_after, 0.5) if enough else None
    cycle = 90 if median is None else max(median, 7)
    wanted = rules.likelihood.horizon
    horizon = min(max(cycle, 30), 365) if wanted == "auto" else wanted
    return Book(horizon=horizon, cycle=cycle, buying=begun(ages, horizon))


def with_history(
    book: Book, past: PastDeals, parts: Sequence[Features], rules: Rules, today: date, engine: Engine
) -> Book:
    """The book that knows how its deals ended (`past`), and what is usual of its open ones."""
    usual = merge(engine.each(usual_counts, parts, today=today))
    book = replace(book, history=deal_history(past, usual, book, rules))
    table = book.history.lasting
    found = merge(engine.each(level_counts, parts, book=book, rules=rules, today=today))
    return replace(book, history=replace(book.history, level=level(found, table)))


def with_buying(book: Book, parts: Sequence[Features], rules: Rules, today: date, engine: Engine) -> Book:
    """The book with its purchase model, the points of its card, and its base rates, each learned over all parts."""
    counts = merge(engine.each(histories, parts, buying=book.buying, today=today))
    book = replace(book, buying=with_model(book.buying, counts, book))
    taught = merge(engine.each(lessons, parts, book=book, rules=rules, today=today))
    book = replace(book, buying=with_card(book.buying, taught, rules))
    found = merge(engine.each(calibrate, parts, book=book, rules=rules, today=today))
    return replace(book, buying=with_bases(book.buying, found, book.horizon))


def measure(part: Features) -> Summary:
    """First round: sums and histograms of what was bought, by whom, and among which peers."""
    accounts = part.accounts
    purchases, spend, year = (whole(accounts, name) for name in ("purchases", "spend", "year_spend"))
    customer = purchases > 0
    days = numbers(accounts, "last_day") - numbers(accounts, "first_day")
    peers, peer_codes = coded(accounts["peer"])
    bins, year_bins = money_bin(spend), money_bin(year)
    open_deals = ~flags(part.deals, "closed")
    owners, owner_codes = owners_of(accounts)
    return {
        "totals": Counter({
            "purchases": int(purchases.sum()),
            "closed": int(whole(accounts, "closed").sum()),
            "spend": sum(spend.tolist()),  # Python's integers do not overflow
            "gaps": int((whole(accounts, "purchase_days")[customer] - 1).sum()),
            "gap_days": int(days[customer].sum()),
            **plan_counts(accounts),
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
        peers=_peers(found["peer"], found["peer_year"]),
        amounts=priced, owner_spend=dict(found["owner_spend"]), owner_customers=dict(found["owner_customers"]),
        owner_accounts=dict(found["owner_accounts"]), owner_deals=dict(found["owner_deals"]),
        owner_pipeline=weighted_pipeline(found, win_percent),
    )  # fmt: skip


def _fifths(histogram: Mapping[int, int]) -> tuple[int, ...]:
    """The lowest bin of the second to the fifth fifth; equal bins are in one fifth, that of their mean place."""
    keys, places = ranks(histogram)
    bounds = [keys[places >= share] for share in (20, 40, 60, 80)]
    return tuple(int(bound[0]) if len(bound) else _NO_BIN for bound in bounds)


def _peers(spent: Mapping[str, int], last_year: Mapping[str, int]) -> dict[str, Peers]:
    """Per group of peers: the median spend of those who buy, and how often its accounts buy."""
    by_peer, by_year = _by_name(spent), _by_name(last_year)
    everyone = sum(spent.values())
    buyers = sum(_from(bins, 1) for bins in by_peer.values())
    found = {}
    for peer, bins in sorted(by_peer.items()):
        size, year = sum(bins.values()), by_year.get(peer, {})
        median = money_of(quantile(year, 0.5) or 0) if sum(year.values()) >= _FEWEST_PEERS else 0.0
        found[peer] = Peers(
            median,
            lift(_from(bins, 1), size, buyers, everyone),
        )
    return found


def with_growth(book: Book, parts: Sequence[Features], rules: Rules, today: date, engine: Engine) -> Book:
    """The book that also knows products, the attributes of top customers, and how beginnings go on."""
    products = best_known(merge(engine.each(_sales, parts)).get("sales", Counter()))
    found = merge(engine.each(_growth, parts, book=book, products=products, today=today))
    return replace(book, growth=growth_book(found, products, rules.growth.product_share))


def _sales(part: Features) -> Summary:
    return {"sales": sales_of(part.accounts)}


def _growth(part: Features, book: Book, products: tuple[str, ...], today: date) -> Summary:
    ahead = outlooks(part.accounts, book, day_number(today))
    return growth_counts(part.accounts, ahead, products, book.spend_fifths[-1])


def _by_name(counts: Mapping[str, int]) -> dict[str, dict[int, int]]:
    grouped: dict[str, dict[int, int]] = {}
    for key, number in counts.items():
        name, _, bin_number = key.rpartition("|")
        grouped.setdefault(name, {})[int(bin_number)] = number
    return grouped


def _from(bins: Mapping[int, int], lowest: int) -> int:
    return sum(number for key, number in bins.items() if key >= lowest)


def spread(assessed: Assessed) -> Summary:
    """Third round: how expected spend is spread."""
    return {"spends": count(money_bin(assessed.expected)[assessed.scored])}


def with_ranks(book: Book, found: Summary) -> Book:
    """The book with its ranks of expected spend."""
    return replace(book, spends=as_integers(found["spends"]))


def _order(assessed: Assessed, book: Book, rules: Rules) -> dict[str, Spreads]:
    return order(settle(assessed, book, rules), rules)


def order(scored: Scored, rules: Rules) -> dict[str, Spreads]:
    """Fourth round: how the scores of each owner's (or team's …) book are spread."""
    found = scored.deals
    scores = {"account": (scored.scored, scored.score), "opportunity": (found.scored, found.priority.score)}
    return {
        name: _spreads(books(name, scored.features, rules), valid, score)
        for name, (valid, score) in scores.items()
    }


def _spreads(of: pa.ChunkedArray, valid: NDArray[np.bool_], scores: NDArray[np.int64]) -> Spreads:
    names, codes = coded(of)
    return scores_by_name([*names, ""], np.where(valid, np.where(codes < 0, len(names), codes), -1), scores)


def with_cutoffs(book: Book, found: Mapping[str, Spreads], rules: Rules) -> Book:
    """The finished book: with the score at which each tier of each owner's (or team's …) book begins."""
    tiers = tiers_of(rules)
    begin = {}
    for object_name, spreads in found.items():
        whole_book = {prefix + EVERYBODY: np.zeros(101, dtype=np.int64) for prefix in tiers}
        for name, scores in spreads.items():
            whole_book[prefix_of(name, tiers) + EVERYBODY] += scores
        every = spreads | whole_book
        begin[object_name] = {
            name: cutoffs(every[name], tiers[prefix_of(name, tiers)]) for name in sorted(every)
        }
    return replace(book, cutoffs=begin)
