"""Conditions on columns: texts as people compare them, what is unknown, parts of texts, and hostile input."""

from __future__ import annotations

import ast

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.language.expressions import parse
from config.language.vocabulary import NAMES
from config.rules import Rules
from config.sections.exclusions import ALONE
from scoring import read_book
from scoring.conditions.expressions import holds
from scoring.conditions.facts import account_facts, deal_facts

TODAY_INPUTS = {
    "type": pa.array(["Renewal", " renewal ", "New business", "", None]),
    "stage": pa.array(["Renewal", "won", "Won", "x", None]),
    "margin": pa.array([40.0, None, -5.0, 0.0, 1e300]),
    "amount": pa.array([0.0, 100.0, None, 3.0, 5.0]),
    "pain": pa.array([True, False, None, True, False]),
}


def held(condition):
    """The rows, from 0, for which a condition holds."""
    return np.flatnonzero(holds(condition, "opportunity", TODAY_INPUTS, 5)).tolist()


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        ('type == "RENEWAL"', [0, 1]),
        ('type in ["renewal ", "other"]', [0, 1]),
        ('type != "Renewal"', [2]),
        ('type not in ["Renewal"]', [2]),
        ('"new" in type', [0, 1, 2]),
        ('"business" in type', [2]),
        ('"business" not in type', [0, 1]),
        ("type == stage", [0]),
        ("type is known", [0, 1, 2]),
        ("type is unknown", [3, 4]),
        ("type is not known", [3, 4]),
        ("margin is known and margin <= 0", [2, 3]),
        ("margin is unknown or margin > 20", [0, 1, 4]),
        ("not margin > 20", [2, 3]),
        ("0 <= margin < 50", [0, 3]),
        ("margin / amount > 1", [0, 4]),
        ("pain is known and not pain", [1, 4]),
        ("amount * 1e15 > 1e15", [1, 3, 4]),
        ("-margin > 1", [2]),
        ("True", [0, 1, 2, 3, 4]),
    ],
)
def test_a_condition_holds_as_a_reader_expects(condition, rows):
    """Texts regardless of case and blanks; what is unknown makes a comparison not hold, and can be asked for."""
    assert held(condition) == rows


hostile = st.text(max_size=120) | st.lists(
    st.sampled_from(
        [
            "amount", "type", "pain", "__import__", "os", "system", "lambda", "eval", "().__class__", "[", "]", "(",
            ")", "{", "}", "==", "in", "is", "known", "not", "and", "or", "<", "1", '"x"', "'", '"', ":=", "if",
            "else", "for", "await", "yield", "*", "**", "//", "%", "@", "~", ">>", ".", ",", "\n", "\\", "None", "...",
            "1e999", "0x", "b''", "f'{amount}'", "True",
        ]
    ),
    max_size=25,
).map(" ".join)  # fmt: skip


@settings(max_examples=600, deadline=None)
@given(hostile)
def test_what_is_no_condition_is_refused_and_nothing_is_ever_run(text):
    """Whatever stands in `when:` is refused with words, or is a tree of the few allowed kinds, that evaluates."""
    try:
        tree = parse(text, "opportunity")
    except ValueError:
        return
    allowed = (
        ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Compare, ast.Name, ast.Constant, ast.List, ast.Tuple,
        ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop,
    )  # fmt: skip
    assert all(isinstance(node, allowed) for node in ast.walk(tree))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert used <= set(NAMES["opportunity"])
    if used <= set(TODAY_INPUTS):
        assert holds(text, "opportunity", TODAY_INPUTS, 5).shape == (5,)


numbers = st.sampled_from(["amount", "margin", "3", "0", "2.5", "-1"])
comparisons = st.one_of(
    st.builds("{} {} {}".format, numbers, st.sampled_from(["<", "<=", "==", "!=", ">", ">="]), numbers),
    st.builds('type {} "{}"'.format, st.sampled_from(["==", "!="]), st.sampled_from(["won", "Renewal", "é"])),
    st.sampled_from(["pain", "type is known", "margin is unknown", '"new" in type', 'stage in ["won", "x"]']),
)
conditions = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.builds("({}) and ({})".format, inner, inner),
        st.builds("({}) or ({})".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(conditions)
def test_columns_are_judged_as_their_rows_are(condition):
    """A condition on a column gives what it gives for each row alone."""
    alone = [
        holds(
            condition, "opportunity", {name: column.slice(row, 1) for name, column in TODAY_INPUTS.items()}, 1
        )[0]
        for row in range(5)
    ]
    assert holds(condition, "opportunity", TODAY_INPUTS, 5).tolist() == alone


def test_exclusions_may_name_what_is_told_of_a_record_alone(company):
    """Every name that an exclusion may use can be told before the book is read, and no other fact can."""
    company.account("acme")
    company.open("deal", "acme")
    _, (part,) = read_book([company.tables()], Rules(), company.today)
    for object_name, facts in (("account", account_facts), ("opportunity", deal_facts)):
        unread = facts(part, None, Rules(), company.today)
        alone = set()
        for name, make in unread.items():
            try:
                make()
            except AttributeError:  # it asked the book
                continue
            alone.add(name)
        assert alone == set(ALONE[object_name])
