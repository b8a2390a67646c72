"""The JSON Schemas for editors: equal to the models, true to the shipped files, and full of explanations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from config.files.json_schema import MODELS, schema_name, schema_text, shipped_schema

CONFIG = Path(__file__).parents[2] / "config"
SCHEMAS = {file: json.loads(schema_text(file)) for file in MODELS}


def as_json(value):
    """YAML's values as an editor sees them: keys and dates are texts."""
    if isinstance(value, dict):
        return {"null" if key is None else str(key): as_json(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_json(inner) for inner in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def errors(file, text):
    """What the schema has against a file of this text."""
    found = Draft7Validator(SCHEMAS[file]).iter_errors(as_json(YAML(typ="safe", pure=True).load(text) or {}))
    return [error.message for error in found]


def properties(node):
    """Every property of a schema, with its name."""
    if isinstance(node, dict):
        for name, inner in node.get("properties", {}).items():
            yield name, inner
        for key, inner in node.items():
            if key not in ("default", "examples"):
                yield from properties(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from properties(inner)


@pytest.mark.parametrize("file", MODELS)
def test_a_shipped_schema_is_what_the_models_say(file):
    """Whoever changes a model runs `python -m config.files.json_schema`."""
    assert shipped_schema(file) == schema_text(file)


@pytest.mark.parametrize("file", MODELS)
def test_a_schema_is_a_schema(file):
    """By the standard that it names."""
    Draft7Validator.check_schema(SCHEMAS[file])


@pytest.mark.parametrize("file", MODELS)
def test_every_key_is_explained(file):
    """So that an editor can show what it is for."""
    definitions = SCHEMAS[file]["definitions"]

    def explained(node):
        reference = node.get("$ref", "").rpartition("/")[2]
        return "description" in node or (reference and "description" in definitions[reference])

    assert sorted({name for name, node in properties(SCHEMAS[file]) if not explained(node)}) == []


@pytest.mark.parametrize(
    ("file", "path"),
    [
        ("rules.yaml", "rules.yaml"),
        ("rules.yaml", "demo/pipeline.yaml"),
        ("rules.test.yaml", "rules.test.yaml"),
        ("rules.test.yaml", "starter/rules.test.yaml"),
        ("rules.yaml", "starter/rules.yaml"),
    ],
)
def test_shipped_files_fit_their_schema_and_name_it(file, path):
    """An editor finds the schema beside the file by the first line, without a network."""
    text = (CONFIG / path).read_text(encoding="utf-8")
    assert errors(file, text) == []
    if "/" not in path or path.startswith("starter"):
        assert text.startswith(f"# yaml-language-server: $schema={schema_name(file)}\n")


@pytest.mark.parametrize("crm", ["salesforce", "hubspot"])
def test_starter_settings_fit_their_schema(crm):
    """As `foretag init` writes them."""
    connection = (CONFIG / "starter" / f"{crm}.yaml").read_text(encoding="utf-8")
    text = (CONFIG / "starter" / "foretag.yaml").read_text(encoding="utf-8")
    assert errors("foretag.yaml", text.replace("{connection}\n", connection)) == []


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("rules.yaml", "priorty: {}"),
        ("rules.yaml", "priority: {close_date: {soon: 100}}"),
        ("rules.yaml", "priority: {close_date: {0: 101}}"),
        ("rules.yaml", "growth: {trend: {about 1: 5, '>1': 3}}"),
        ("rules.yaml", "growth: {trend: {'<=1': 0.5, '>1': 3}}"),
        ("rules.yaml", "tasks: [{name: a, on: deal, when: quiet, subject: S}]"),
        ("rules.yaml", "tiers: {dwell_days: 7 days}"),
        ("rules.yaml", "show: {margin: loud}"),
        ("foretag.yaml", "connections: {main: {crm: salesforce}}"),
        ("foretag.yaml", "connections: {main: {crm: hubspot, auth: {token: secret}}}"),
        ("rules.test.yaml", "tests: []"),
        (
            "rules.test.yaml",
            "today: 2026-11-22\ntests: [{name: a, accounts: {A: {}}, expect: {A: {tier: E}}}]",
        ),
        ("rules.test.yaml", "today: soon\ntests: [{name: a, accounts: {A: {}}, expect: {A: {tier: A}}}]"),
    ],
)
def test_mistakes_show_while_typing(file, text):
    """What the models refuse, an editor underlines."""
    assert errors(file, text)


def test_conditions_name_what_they_may_use():
    """An editor shows all names of conditions where one is written."""
    shown = SCHEMAS["rules.yaml"]["definitions"]["Condition"]["description"]
    assert "days_to_close" in shown
    assert "growth_potential" in shown
