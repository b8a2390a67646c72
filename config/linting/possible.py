"""Whether conditions can hold at all, together or behind one another: by trying every way in which they could.

An input may be unknown, and a condition on it then does not hold; so there are four things that a condition can be
asked to be: true, false, not true (false or unknown), not false (true or unknown).
"""

from __future__ import annotations

import ast
import math
import operator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from config.language.inputs import UNITS
from config.language.vocabulary import KNOWN_VALUES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from config.language.inputs import Name

Wanted = Literal["true", "false", "not true", "not false"]
Ranges = tuple[tuple[float, float], ...]

_OPPOSITE: dict[Wanted, Wanted] = {
    "true": "false", "false": "true", "not true": "not false", "not false": "not true",
}  # fmt: skip
_FLIPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE,
}  # fmt: skip
_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
}  # fmt: skip

# Percentages that are parts of a whole; growth, for example, may well be above 100.
WITHIN_A_HUNDRED = frozenset({"likelihood", "chance", "probability", "win_rate"})
AT_MOST_A_HUNDRED = frozenset({"margin", "items_margin"})
MOST_STEPS = 4000  # more ways than this are not tried; the condition then counts as possible


@dataclass(frozen=True, slots=True)
class Values:
    """The values that an input may still have: numbers in closed ranges, or texts; and whether it may be unknown.

    `texts` are these, or with `others` all but these. Yes and no are the texts "True" and "False".
    """

    ranges: Ranges | None = None
    texts: frozenset[str] = frozenset()
    others: bool = False
    unknown: bool = False

    @property
    def none(self) -> bool:
        """No value is left."""
        empty = not self.ranges if self.ranges is not None else not self.texts and not self.others
        return empty and not self.unknown

    def both(self, other: Values) -> Values:
        """What is among both."""
        unknown = self.unknown and other.unknown
        if self.ranges is not None and other.ranges is not None:
            return Values(ranges=_crossed(self.ranges, other.ranges), unknown=unknown)
        if self.others and other.others:
            return Values(texts=self.texts | other.texts, others=True, unknown=unknown)
        if self.others:
            return Values(texts=other.texts - self.texts, unknown=unknown)
        kept = self.texts - other.texts if other.others else self.texts & other.texts
        return Values(texts=kept, unknown=unknown)

    def opposite(self) -> Values:
        """All known values but these."""
        if self.ranges is None:
            return replace(self, others=not self.others, unknown=False)
        edges = [
            -math.inf,
            *(edge for low, high in self.ranges for edge in (_below(low), _above(high))),
            math.inf,
        ]
        pairs = zip(edges[::2], edges[1::2], strict=True)
        return Values(ranges=tuple((low, high) for low, high in pairs if low <= high))


def _crossed(some: Ranges, others: Ranges) -> Ranges:
    found = ((max(a, c), min(b, d)) for a, b in some for c, d in others)
    return tuple((low, high) for low, high in found if low <= high)


def _below(number: float) -> float:
    return math.nextafter(number, -math.inf) if math.isfinite(number) else math.nan


def _above(number: float) -> float:
    return math.nextafter(number, math.inf) if math.isfinite(number) else math.nan


def usual(name: Name) -> Values:
    """All that an input may be, as far as its kind, unit and meaning say."""
    unknown = name.missing != "never missing"
    if name.kind == "yes-or-no":
        return Values(texts=frozenset({"True", "False"}), unknown=unknown)
    if name.kind == "text":
        known = KNOWN_VALUES.get(name.name)
        return Values(
            texts=frozenset(text.lower() for text in known or ()), others=known is None, unknown=unknown
        )
    least, most = bounds(name)
    return Values(ranges=((least, most),), unknown=unknown)


def bounds(name: Name) -> tuple[float, float]:
    """The least and the most that a number can be; infinite where anything goes."""
    bare = name.name.removeprefix("account_")
    if bare in WITHIN_A_HUNDRED:
        return 0.0, 100.0
    if bare in AT_MOST_A_HUNDRED:
        return -math.inf, 100.0
    if name.unit in ("", "percent"):
        return -math.inf, math.inf
    unit = UNITS[name.unit]
    return (
        -math.inf if unit.least is None else unit.least,
        math.inf if unit.most is None else unit.most,
    )


@dataclass(frozen=True, slots=True)
class Claim:
    """One comparison: this input has one of these values."""

    name: str
    values: Values


def possible(wanted: Iterable[tuple[ast.expr, Wanted]], names: Mapping[str, Name]) -> bool:
    """Whether all of these trees can be what is wanted of them, for one and the same record."""
    return _Search(names).fits(list(wanted), {})


class _Search:
    """Tries one way after the other, each with the values that are left to every input."""

    def __init__(self, names: Mapping[str, Name]) -> None:
        self._names = names
        self._steps = 0

    def fits(self, wanted: list[tuple[ast.expr, Wanted]], left: Mapping[str, Values]) -> bool:
        """Whether what is wanted fits to the values that are left."""
        self._steps += 1
        if not wanted or self._steps > MOST_STEPS:
            return True
        # What leaves no choice goes first: it narrows what the choices may be.
        wanted = sorted(wanted, key=lambda one: len(_ways(*one)))
        (node, want), rest = wanted[0], wanted[1:]
        ways = _ways(node, want)
        if ways != [[(node, want)]]:
            return any(self.fits([*way, *rest], left) for way in ways)
        narrowed = self._narrowed(node, want, left)
        return narrowed is not None and self.fits(rest, narrowed)

    def _narrowed(
        self, node: ast.expr, want: Wanted, left: Mapping[str, Values]
    ) -> Mapping[str, Values] | None:
        """The values left once a single claim is what is wanted of it; None if there are none."""
        if isinstance(node, ast.Constant):
            return left if bool(node.value) == (want in ("true", "not false")) else None
        claim = claimed(node, self._names)
        if claim is None:
            return left
        values = claim.values if want in ("true", "not false") else claim.values.opposite()
        values = replace(values, unknown=want.startswith("not"))
        values = left.get(claim.name, usual(self._names[claim.name])).both(values)
        values = _whole(values) if self._names[claim.name].unit in ("count", "points") else values
        return None if values.none else {**left, claim.name: values}


def _ways(node: ast.expr, want: Wanted) -> list[list[tuple[ast.expr, Wanted]]]:
    """The ways in which a tree can be what is wanted, each a list of what must hold together."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return [[(node.operand, _OPPOSITE[want])]]
    if isinstance(node, ast.BoolOp):
        parts: list[tuple[ast.expr, Wanted]] = [(part, want) for part in node.values]
        together = isinstance(node.op, ast.And) == (want in ("true", "not false"))
        return [parts] if together else [[part] for part in parts]
    if isinstance(node, ast.Compare) and len(node.ops) > 1:
        return _ways(ast.BoolOp(ast.And(), links(node)), want)
    return [[(node, want)]]


def links(node: ast.Compare) -> list[ast.expr]:
    """A chain as its single comparisons: `0 <= score < 50` are two; each stands where its operands stand."""
    lefts = [node.left, *node.comparators[:-1]]
    return [
        ast.Compare(
            left, [op], [right], lineno=left.lineno, col_offset=left.col_offset,
            end_lineno=right.end_lineno, end_col_offset=right.end_col_offset,
        )
        for left, op, right in zip(lefts, node.ops, node.comparators, strict=True)
    ]  # fmt: skip


def claimed(node: ast.expr, names: Mapping[str, Name]) -> Claim | None:
    """What a single comparison says of one input; None where it compares inputs with one another."""
    if isinstance(node, ast.Name):
        return Claim(node.id, Values(texts=frozenset({"True"})))
    if not isinstance(node, ast.Compare) or len(node.ops) > 1 or isinstance(node.ops[0], ast.Is | ast.IsNot):
        return None
    left, op, right = node.left, type(node.ops[0]), node.comparators[0]
    if op in (ast.In, ast.NotIn) and not isinstance(right, ast.List | ast.Tuple):
        return None  # a part of a text
    if not isinstance(left, ast.Name):
        left, op, right = right, _FLIPPED.get(op, op), left
    if not isinstance(left, ast.Name) or left.id not in names:
        return None
    values = _compared(op, right)
    return None if values is None else _of_close_date(Claim(left.id, values), names)


def _compared(op: type[ast.cmpop], right: ast.expr) -> Values | None:
    constants = (
        [constant(member) for member in right.elts]
        if isinstance(right, ast.List | ast.Tuple)
        else [constant(right)]
    )
    if any(value is None for value in constants):
        return None
    numbers = [value for value in constants if isinstance(value, float)]
    if numbers:
        values = Values(ranges=_ranged(op, sorted(numbers)))
    else:
        values = Values(texts=frozenset(str(value) for value in constants))
    return values.opposite() if op in (ast.NotEq, ast.NotIn) else values


def _ranged(op: type[ast.cmpop], numbers: list[float]) -> Ranges:
    first = numbers[0]
    return {
        ast.Lt: ((-math.inf, _below(first)),), ast.LtE: ((-math.inf, first),),
        ast.Gt: ((_above(first), math.inf),), ast.GtE: ((first, math.inf),),
    }.get(op) or tuple((number, number) for number in dict.fromkeys(numbers))  # fmt: skip


def constant(node: ast.expr) -> float | str | None:
    """The number, text, or yes or no that a tree without inputs is; None if it has any."""
    match node:
        case ast.Constant(value=bool() as value):
            return str(value)
        case ast.Constant(value=str() as value):
            return value.strip().lower()  # texts are compared without regard to case
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            found = constant(operand)
            return -found if isinstance(found, float) else None
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            one, other = constant(left), constant(right)
            both = isinstance(one, float) and isinstance(other, float)
            return _ARITHMETIC[type(op)](one, other) if both else None  # type: ignore[arg-type]  # both are numbers
    return None


def _whole(values: Values) -> Values:
    """Ranges of whole numbers alone."""
    rounded = ((_up(low), _down(high)) for low, high in values.ranges or ())
    return replace(values, ranges=tuple((low, high) for low, high in rounded if low <= high))


def _up(number: float) -> float:
    return float(math.ceil(number)) if math.isfinite(number) else number


def _down(number: float) -> float:
    return float(math.floor(number)) if math.isfinite(number) else number


def _of_close_date(claim: Claim, names: Mapping[str, Name]) -> Claim:
    """Days overdue are the days to the close date, turned round: so the two can contradict one another."""
    if claim.name != "days_overdue" or "days_to_close" not in names or claim.values.ranges is None:
        return claim
    ahead = _crossed(claim.values.ranges, ((0, math.inf),))
    turned = sorted((-high, -low if low > 0 else math.inf) for low, high in ahead)
    return Claim("days_to_close", Values(ranges=tuple(turned)))
