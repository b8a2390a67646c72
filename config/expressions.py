"""Conditions of the rules, such as `days_to_close <= 30 and stage in ["Negotiation"]`: parsed, never run as Python."""

from __future__ import annotations

import ast
import warnings
from typing import TYPE_CHECKING

from config.documents import did_you_mean
from config.vocabulary import KNOWN_VALUES, NAMES, Kind, Name

if TYPE_CHECKING:
    from pydantic import ValidationInfo

MAX_LENGTH = 500
_COMPARISONS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn)
_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div)


def checked(text: str, info: ValidationInfo, *, before_score: bool = False) -> str:
    """A condition that stands in a rule beside its `on:`, as it is. Raises as `parse` does."""
    if "on" in info.data:  # else `on` itself is wrong and already reported
        parse(text, info.data["on"], before_score=before_score)
    return text


def parse(text: str, object_name: str, *, before_score: bool = False) -> ast.expr:
    """The checked tree of a condition on an account or an opportunity.

    Allowed are names of the vocabulary, numbers, texts, True and False, `and or not`, comparisons (chained too),
    `in [ … ]`, and `+ - * /` on numbers. What makes a score (`before_score`) may not name what follows from it.
    Raises `ValueError` that says what is wrong, in the user's words.
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"is longer than {MAX_LENGTH} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "5 is 5" and the like are refused below, not remarked on
            tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "it cannot be read"
        raise ValueError(f'"{text}" is not a condition: {reason}') from None
    if _kind(tree, NAMES[object_name]) != "yes-or-no":
        raise ValueError(f'"{text}" is not a condition: it gives no yes or no')
    if before_score:
        _expect_early(tree, NAMES[object_name])
    return tree


def _expect_early(tree: ast.expr, names: dict[str, Name]) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and names[node.id].known == "after":
            raise ValueError(f'"{node.id}" is not known yet: it follows from the score')


def _kind(node: ast.expr, names: dict[str, Name]) -> Kind:  # noqa: PLR0911  # one case, one line
    """The kind of value that a tree gives, checking all below it."""
    match node:
        case ast.BoolOp(values=values):
            for value in values:
                _expect(value, "yes-or-no", names)
            return "yes-or-no"
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            _expect(operand, "yes-or-no", names)
            return "yes-or-no"
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            _expect(operand, "number", names)
            return "number"
        case ast.BinOp(left=left, op=op, right=right) if isinstance(op, _ARITHMETIC):
            _expect(left, "number", names)
            _expect(right, "number", names)
            return "number"
        case ast.Compare():
            return _comparison(node, names)
        case ast.Name(id=name):
            return _name(name, names).kind
        case ast.Constant():
            return _constant(node)
    raise ValueError(f'"{ast.unparse(node)}" is not allowed in a condition')


def _expect(node: ast.expr, kind: Kind, names: dict[str, Name]) -> None:
    found = _kind(node, names)
    if found != kind:
        raise ValueError(f'"{ast.unparse(node)}" is a {found}, where a {kind} is needed')


def _name(name: str, names: dict[str, Name]) -> Name:
    if name not in names:
        hint = did_you_mean(name, list(names))
        raise ValueError(f'unknown name "{name}"' + (f"; {hint}" if hint else ""))
    return names[name]


def _constant(node: ast.Constant) -> Kind:
    match node.value:
        case bool():
            return "yes-or-no"
        case int() | float():
            if abs(node.value) > 1e15:
                raise ValueError(f"{node.value} is too large a number")
            return "number"
        case str():
            return "text"
    raise ValueError(f'"{ast.unparse(node)}" is not allowed in a condition')


def _comparison(node: ast.Compare, names: dict[str, Name]) -> Kind:
    left = node.left
    for op, right in zip(node.ops, node.comparators, strict=True):
        if not isinstance(op, _COMPARISONS):
            raise ValueError(f'"{ast.unparse(node)}": compare with == != < <= > >= or in')  # noqa: TRY004
        kind = _kind(left, names)
        if isinstance(op, ast.In | ast.NotIn):
            _members(left, kind, right, names)
        else:
            _expect(right, kind, names)
            if kind != "number" and not isinstance(op, ast.Eq | ast.NotEq):
                raise ValueError(f'"{ast.unparse(node)}": a {kind} has no order, use == or in')
            _known_value(left, right)
            _known_value(right, left)
        left = right
    return "yes-or-no"


def _members(left: ast.expr, kind: Kind, right: ast.expr, names: dict[str, Name]) -> None:
    if not isinstance(right, ast.List | ast.Tuple) or not right.elts:
        raise ValueError(
            f'"{ast.unparse(right)}": after "in" comes a list, as in ["Negotiation", "Proposal"]'
        )
    for member in right.elts:
        if not isinstance(member, ast.Constant):
            raise ValueError(f'"{ast.unparse(member)}": a list holds texts or numbers only')  # noqa: TRY004
        _expect(member, kind, names)
        _known_value(left, member)


def _known_value(name: ast.expr, value: ast.expr) -> None:
    if isinstance(name, ast.Name) and isinstance(value, ast.Constant) and name.id in KNOWN_VALUES:
        known = KNOWN_VALUES[name.id]
        if not isinstance(value.value, str) or value.value not in known:
            hint = did_you_mean(str(value.value), list(known))
            raise ValueError(f"{name.id} is never {ast.unparse(value)}; {hint}")
