"""Paths: two families, one function, and the SDK's own spelling moved."""

from __future__ import annotations

import pytest

from connectors.hubspot.paths import kind_of, moved, path

FAMILIES = [
    ("objects", "/crm/v3/objects", "/crm/objects/2026-03"),
    ("associations", "/crm/v4/associations", "/crm/associations/2026-03"),
    ("properties", "/crm/v3/properties", "/crm/properties/2026-03"),
    ("owners", "/crm/v3/owners", "/crm/owners/2026-03"),
    ("pipelines", "/crm/v3/pipelines", "/crm/pipelines/2026-03"),
    ("exports", "/crm/v3/exports/export", "/crm/exports/2026-03/export"),
    ("imports", "/crm/v3/imports", "/crm/imports/2026-03"),
    ("account", "/account-info/v3", "/account-info/2026-03"),
    ("token", "/oauth/v1/token", "/oauth/2026-03/token"),
]


@pytest.mark.parametrize(("kind", "numbered", "dated"), FAMILIES)
def test_each_kind_has_a_numbered_and_a_dated_path(kind: str, numbered: str, dated: str) -> None:
    """Only the version decides which one is used."""
    assert path(kind, "v3") == numbered
    assert path(kind, "2026-03") == dated


@pytest.mark.parametrize(("kind", "numbered", "dated"), FAMILIES)
def test_a_path_with_numbers_is_moved_to_the_version_wanted(kind: str, numbered: str, dated: str) -> None:
    """The SDK spells numbers; what follows the beginning stays as it is."""
    assert moved(f"{numbered}/deals?archived=true", "2026-03") == f"{dated}/deals?archived=true"
    assert moved(f"{numbered}/", "v3") == f"{numbered}/"
    assert kind_of(f"{dated}/deals/batch/read") == kind_of(f"{numbered}/") == kind


def test_a_path_of_nobody_stays_where_it_is() -> None:
    """A name that only begins like one of ours is another one."""
    assert moved("/crm/v3/objectsandmore", "2026-03") == "/crm/v3/objectsandmore"
    assert kind_of("/crm/v3/objectsandmore") == kind_of("/elsewhere") == ""
