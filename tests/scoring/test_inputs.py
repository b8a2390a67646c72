"""Inputs of conditions: every one that the vocabulary names exists, and means what it says."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from config.vocabulary import NAMES
from scoring.inputs import account_inputs, deal_inputs

KINDS = {"number": pa.float64(), "text": pa.string(), "yes-or-no": pa.bool_()}


def inputs_of(company):
    """The inputs of all accounts and of all deals, with no tier given."""
    tagged = company.tagged()
    found, book = tagged.scored, tagged.book
    tiers = [np.full(table.num_rows, -1) for table in (found.features.accounts, found.features.deals)]
    return {
        "account": account_inputs(found, tiers[0], book, company.rules, company.today),
        "opportunity": deal_inputs(found, tiers[1], book, company.rules, company.today),
    }


def facts(company, account):
    """All inputs of one account."""
    tagged = company.tagged()
    row = tagged.accounts["id"].to_pylist().index(account)
    return {name: column[row].as_py() for name, column in inputs_of(company)["account"].items()}


def test_every_name_of_the_vocabulary_has_a_column_of_its_kind(company):
    """A condition that passes the check can be computed: each name is there, as a number, text, or yes or no."""
    company.open("deal", company.account("account"))
    for object_name, found in inputs_of(company).items():
        assert set(found) == set(NAMES[object_name])
        for name, column in found.items():
            assert column.type == KINDS[NAMES[object_name][name].kind], name
