"""The showcase through both CRMs: the same business gives the same scores, and those of the direct way."""

from __future__ import annotations

import pytest

from config.crms import CRMS
from connectors.sandbox.server import Sandbox
from sync.demo import set_up, write_settings
from sync.pipeline import run
from sync.workplace import opened_job
from tests.benchmarks.bench_planted import found

KEYS = {"account": ("name",), "opportunity": ("name", "created_at", "amount")}
SHOWN = ("foretag_tier", "foretag_score", "foretag_reason", "foretag_next_step")


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    """What each CRM holds after a run, and the rules, by CRM."""
    kept = {}
    for crm in CRMS:
        with Sandbox(crm=crm, data="showcase") as sandbox:
            settings = write_settings(tmp_path_factory.mktemp(crm), sandbox)
            set_up(settings)
            with opened_job(settings, None, lambda *_: None) as job:
                assert run(job).today == "2026-03-02"
                kept[crm] = {name: job.mirror.read(name).to_pylist() for name in KEYS} | {"rules": job.rules}
    return kept


def told(rows, object_name):
    """What a rep reads, by what the record is."""
    return {tuple(row[key] for key in KEYS[object_name]): tuple(row[name] for name in SHOWN) for row in rows}


@pytest.mark.long
@pytest.mark.parametrize("object_name", KEYS)
def test_both_crms_tell_the_same(held, object_name):
    """Tier, score, reason and next step of every record, to the letter."""
    one, other = (told(held[crm][object_name], object_name) for crm in CRMS)
    assert len(one) > 250
    assert one == other


@pytest.mark.long
def test_the_direct_way_tells_the_same(held):
    """Tests and benchmarks that skip the wire measure what people get."""
    from connectors.sandbox.datasets import load_book

    book = load_book("showcase")
    names = book.accounts["name"].to_pylist()
    direct = found(book, held["salesforce"]["rules"]).tagged.accounts.to_pylist()
    shown = {names[int(row["id"][3:])]: row["foretag_score"] for row in direct}
    there = {row["name"]: row["foretag_score"] for row in held["salesforce"]["account"]}
    assert shown == there
