"""Evaluate the conditions of the rules on whole columns; an unknown value makes a condition not hold."""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from config.language.expressions import parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_COMPARE = {
    ast.Eq: pc.equal, ast.NotEq: pc.not_equal, ast.Lt: pc.less, ast.LtE: pc.less_equal,
    ast.Gt: pc.greater, ast.GtE: pc.greater_equal,
}  # fmt: skip
_COMPUTE = {ast.Add: pc.add, ast.Sub: pc.subtract, ast.Mult: pc.multiply, ast.Div: pc.divide}
_parsed = lru_cache(maxsize=1024)(parse)


def holds(condition: str, object_name: str, inputs: Mapping[str, pa.Array], rows: int) -> NDArray[np.bool_]:
    """Whether the condition holds, for each of `rows`; `inputs` gives the column of each name that it uses.

    Numbers are doubles: nothing overflows, and a division by zero compares as infinite. Texts are compared without
    regard to case and to blanks around them, as people do; an empty one counts as unknown.
    """
    found = _value(_parsed(condition, object_name), inputs)
    if isinstance(found, pa.Scalar):
        return np.full(rows, found.as_py() is True)
    flat = found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
    return np.asarray(pc.fill_null(flat, fill_value=False).to_numpy(zero_copy_only=False), dtype=np.bool_)


def _value(node: ast.expr, inputs: Mapping[str, pa.Array]) -> Any:  # noqa: PLR0911  # one case, one line
    """The value of a tree that `config.language.expressions.parse` has checked: a column, or a scalar."""
    match node:
        case ast.Name(id=name):
            return inputs[name]
        case ast.Constant(value=bool() | str() as value):
            return pa.scalar(value)
        case ast.Constant(value=value):
            return pa.scalar(float(value))  # type: ignore[arg-type]  # a number, as parse has checked
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return pc.invert(_value(operand, inputs))
        case ast.UnaryOp(operand=operand):
            return pc.negate(_value(operand, inputs))
        case ast.BinOp(left=left, op=op, right=right):
            return _COMPUTE[type(op)](_value(left, inputs), _value(right, inputs))
        case ast.BoolOp(op=op, values=values):
            join = pc.and_kleene if isinstance(op, ast.And) else pc.or_kleene
            found = [_value(value, inputs) for value in values]
            whole = found[0]
            for more in found[1:]:
                whole = join(whole, more)
            return whole
        case ast.Compare():
            return _comparison(node, inputs)
    raise AssertionError(ast.dump(node))


def _comparison(node: ast.Compare, inputs: Mapping[str, pa.Array]) -> Any:
    """A comparison, chained or not: every link must hold."""
    links, left = [], node.left
    for op, right in zip(node.ops, node.comparators, strict=True):
        links.append(_link(left, op, right, inputs))
        left = right
    whole = links[0]
    for link in links[1:]:
        whole = pc.and_kleene(whole, link)
    return whole


def _link(left: ast.expr, op: ast.cmpop, right: ast.expr, inputs: Mapping[str, pa.Array]) -> Any:
    value = _folded(_value(left, inputs))
    if isinstance(op, ast.Is | ast.IsNot):
        wanted = isinstance(op, ast.Is) == (right.value == "known")  # type: ignore[attr-defined]  # a text: see parse
        return pc.is_valid(value) if wanted else pc.is_null(value)
    if isinstance(op, ast.In | ast.NotIn):
        inside = _among(value, right, inputs)
        return pc.invert(inside) if isinstance(op, ast.NotIn) else inside
    return _COMPARE[type(op)](value, _folded(_value(right, inputs)))


def _among(value: Any, right: ast.expr, inputs: Mapping[str, pa.Array]) -> Any:
    """Whether a value is one of a list, or a part of a text."""
    if isinstance(right, ast.Name):
        return pc.match_substring(_folded(inputs[right.id]), value.as_py())
    listed = right.elts if isinstance(right, ast.List | ast.Tuple) else []
    members = pa.array([_folded(_value(member, inputs)).as_py() for member in listed])
    return pc.if_else(pc.is_null(value), pa.scalar(None, pa.bool_()), pc.is_in(value, value_set=members))


def _folded(value: Any) -> Any:
    """A text without regard to case and blanks around it; an empty one is unknown."""
    if not pa.types.is_string(value.type):
        return value
    if isinstance(value, pa.Scalar):
        return pa.scalar(value.as_py().strip().lower())
    # Few texts stand in many rows.
    coded = (value.combine_chunks() if isinstance(value, pa.ChunkedArray) else value).dictionary_encode()
    texts = pc.utf8_lower(pc.utf8_trim_whitespace(coded.dictionary))
    return pc.if_else(pc.equal(texts, ""), None, texts).take(coded.indices)
