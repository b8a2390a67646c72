"""The rules file: defaults, digest, and every problem at once with its place and a suggestion."""

from __future__ import annotations

from importlib.resources import as_file, files

import pytest
from pydantic import BaseModel, RootModel

from config.files.documents import load_document
from config.language.expressions import parse
from config.language.vocabulary import NAMES
from config.problems import ConfigProblem
from config.records import RECORDS
from config.rules import Rules, load_rules
from config.sections.cards import Bands


def problems(tmp_path, text):
    """What is wrong with a rules file of this text."""
    path = tmp_path / "rules.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigProblem) as caught:
        load_rules(path)
    return [str(problem).removeprefix(str(path)) for problem in caught.value.problems]


def test_an_empty_file_means_the_shipped_defaults(tmp_path):
    """The default file that `init` writes says exactly what an empty file means."""
    path = tmp_path / "rules.yaml"
    path.write_text("")
    with as_file(files("config").joinpath("rules.yaml")) as shipped:
        assert load_rules(shipped) == load_rules(path) == Rules()
        assert load_rules(shipped).digest == load_rules(path).digest == Rules().digest


def test_the_shipped_file_shows_every_default():
    """So that whoever looks for something to change finds it there, with its meaning."""

    def absent(section, shown, path=""):
        for name in type(section).model_fields:
            value = getattr(section, name)
            if name not in shown:
                yield path + name
            elif isinstance(value, BaseModel) and not isinstance(value, RootModel):
                yield from absent(value, shown[name], f"{path}{name}.")

    with as_file(files("config").joinpath("rules.yaml")) as shipped:
        assert list(absent(Rules(), load_document(shipped).data)) == ["extends"]


def test_the_starter_file_says_some_of_the_defaults():
    """What `init` writes is short, has curves and weights but no cards, and changes nothing."""
    with as_file(files("config").joinpath("starter", "rules.yaml")) as starter:
        assert load_rules(starter) == Rules()
        text = starter.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 50
    assert "<=" not in text


def test_digest_follows_the_meaning_not_the_text(tmp_path):
    """A comment or another order changes nothing; another weight does."""
    path = tmp_path / "rules.yaml"
    path.write_text("# ours\npriority: {weights: {much: 20, soon: 50}}\n")
    assert load_rules(path).digest == Rules().digest
    path.write_text("priority: {weights: {much: 21, soon: 50}}\n")
    assert load_rules(path).digest != Rules().digest


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("priorty: {}\n", ":1:1: unknown key 'priorty'; did you mean \"priority\"?"),
        (
            "fields: {opportunity: {margn: X__c}}\n",
            ':1:1: fields: unknown name "margn" of opportunity; did you mean "margin"?',
        ),
        ("fields: {acount: {industry: X}}\n", ':1:1: fields: unknown object "acount"; did you mean "account"?'),
        (
            "priority:\n  weights: {soon: 0, profitable: 0, much: 0}\n",
            ":2:3: priority.weights: the weights sum to nothing: give at least one of soon, profitable, much",
        ),
        ("growth: {high: 30, medium: 40}\n", ":1:1: growth: medium (40) must be below high (30)"),
        ("tiers: {A: 60, B: 60, C: 0}\n", ":1:1: tiers: A, B and C together are 120 % of the book: at most 100"),
        (
            'growth:\n  trend: {"<=1": 5, "<=0.5": 3, ">1": 2}\n',
            ':2:3: growth.trend: "<=0.5" can never be reached: the ranges before it go up to 1',
        ),
        (
            'growth:\n  trend: {"<=1": 5}\n',
            ':2:3: growth.trend: the ranges end without one for larger values: add ">": as in ">1": 0',
        ),
        (
            'growth:\n  trend: {"about 1": 5}\n',
            ':2:3: growth.trend: "about 1" is not a range; write "<=NUMBER", ">NUMBER" or none',
        ),
        (
            "playbook:\n  - on: account\n    when: sgment == 'Reduce'\n    say: Hello\n",
            ':3:11: rule "playbook 1": when: unknown name "sgment"; did you mean "segment"?',
        ),
        (
            "tasks:\n  - {name: a, on: account, when: 'True', subject: '{acount}'}\n",
            ':2:34: rule "a": subject: unknown name "{acount}"; did you mean "account"?',
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_and_a_suggestion(tmp_path, text, expected):
    """Each kind of mistake has its line, column, and what was probably meant."""
    (found,) = problems(tmp_path, text)
    assert found.split(": ", 1)[1] == expected.split(": ", 1)[1]
    assert found.split(":")[1] == expected.split(":")[1]


def test_every_mistake_is_told_at_once(tmp_path):
    """One run over a file with five mistakes tells five."""
    text = (
        "tiers: {dwell_days: soon}\nshow: {margin: loud}\noverrides: {days: -1}\n"
        "needs: {pain: 900}\nalerts: {quiet_after: 0}\n"
    )
    assert len(problems(tmp_path, text)) == 5


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("", "is not a condition"),
        ("1 +", "is not a condition"),
        ("score", "gives no yes or no"),
        ("score = 3", "is not a condition"),
        ('score > "high"', "\"'high'\" is a text, where a number is needed"),
        ('stage > "A"', "a text has no order"),
        ('tier == "E"', "tier is never 'E'"),
        ("stage in []", 'after "in" comes a list'),
        ("stage in [tier]", "a list holds texts or numbers only"),
        ("score is None", "compare with =="),
        ("score > None", '"None" is not allowed'),
        ("pain and score", '"score" is a number, where a yes-or-no is needed'),
        ("score > 1e99", "too large a number"),
        ("__import__('os')", "is not allowed"),
        ("score.real > 1", "is not allowed"),
        ("[s for s in stage] == 1", "is not allowed"),
        ("(lambda: 1)() == 1", "is not allowed"),
        ("score ** 99 > 1", "is not allowed"),
        ('f"{score}" == "1"', "is not allowed"),
        ("(" * 300 + "score > 1" + ")" * 300, "longer than 500"),
        ("not " * 120 + "pain", ""),
    ],
)
def test_conditions_are_a_small_safe_language(condition, message):
    """Only comparisons of known names pass; the message says what is wrong, in the user's words."""
    if not message:
        parse(condition, "opportunity")
        return
    with pytest.raises(
        ValueError, match=r"condition|allowed|needed|order|never|list|compare|large|longer"
    ) as caught:
        parse(condition, "opportunity")
    assert message in str(caught.value)


def test_every_name_of_the_vocabulary_can_be_used(company_inputs):
    """Each documented name is a column that conditions can read, of the kind it is documented to have."""
    for object_name, inputs in company_inputs.items():
        assert set(inputs) == set(NAMES[object_name])
        for name in inputs:
            assert (
                str(inputs[name].type)
                == {"number": "double", "text": "string", "yes-or-no": "bool"}[NAMES[object_name][name].kind]
            )


@pytest.fixture
def company_inputs():
    """The inputs of conditions, for an empty book."""
    from datetime import date

    from scoring import read_book
    from scoring.conditions.inputs import account_inputs, deal_inputs
    from scoring.value import assess, settle

    rules, today = Rules(), date(2026, 11, 22)
    book, (part,) = read_book([{}], rules, today)
    scored = settle(assess(part, book, rules, today), book, rules)
    tier = scored.rank
    return {
        "account": account_inputs(scored, tier, book, rules, today),
        "opportunity": deal_inputs(scored, scored.deals.chance, book, rules, today),
    }


_LINE_ITEM = ("id", "opportunity_id", "product", "amount", "cost")


def _boost(when):
    """A boost with this condition, on the object that it fits."""
    on = "opportunity" if when.startswith("account_") else "account"
    return {"name": "boost", "on": on, "when": when, "points": 5, "because": "it is so"}


def test_needed_columns_are_canonical_and_few():
    """Only what scoring reads is pulled: no modification stamps, no names of people."""
    for name in ("account", "opportunity", "owner", "stage"):
        needed = Rules().needed_columns(name)
        assert set(needed) <= {column.name for column in RECORDS[name]}
        assert "modified_at" not in needed
    assert Rules().needed_columns("owner") == ("id", "active")


@pytest.mark.parametrize(
    ("said", "object_name", "columns"),
    [
        ({}, "call", ()),
        ({"needs": {"urgent": []}}, "case", ()),
        ({"boosts": [_boost("days_since_call > 30")]}, "call", ("id", "account_id", "opportunity_id", "day")),
        ({"boosts": [_boost("owner_quota > 0")]}, "quota", ("id", "owner_id", "amount", "start", "end")),
        ({"boosts": [_boost('team == "North"')]}, "owner", ("id", "active", "team")),
        ({"fields": {"line_item": {"cost": "Cost__c"}}}, "line_item", _LINE_ITEM),
        ({"read": ["line_item"]}, "line_item", _LINE_ITEM),
        ({"teams": {"North": {"needs": {"pain": 7}}}}, "owner", ("id", "active", "team")),
        ({"pipelines": {"Renewals": {"boosts": [_boost("account_open_cases > 0")]}}, "needs": {"urgent": []}},
         "case", ("id", "account_id", "type", "priority", "is_closed")),
    ],
)  # fmt: skip
def test_only_what_rules_use_is_pulled(said, object_name, columns):
    """An object, or a column of few, is read only if a condition, a variant, a mapping or `read:` asks for it."""
    assert Rules.model_validate(said).needed_columns(object_name) == columns


def test_bands_cover_every_number():
    """Bands have inclusive upper bounds, one range above, and points for a missing input."""
    bands = Bands.model_validate({None: -3, "<=1": 10, "<=2.5": 5, ">2.5": -5})
    assert (bands.bounds, bands.points, bands.none) == ((1.0, 2.5), (10, 5, -5), -3)


def test_a_field_may_be_called_otherwise_in_each_crm(tmp_path):
    """One rules file serves connections to both; where a CRM is not named, its usual field counts."""
    path = tmp_path / "rules.yaml"
    path.write_text(
        "fields:\n  opportunity:\n    product: {salesforce: Product__c, hubspot: product}\n"
        "    need_by: {hubspot: deadline}\n    margin: Margin\n"
    )
    rules = load_rules(path)
    assert rules.mapping("salesforce") == {"opportunity": {"product": "Product__c", "margin": "Margin"}}
    assert rules.mapping("hubspot") == {
        "opportunity": {"product": "product", "need_by": "deadline", "margin": "Margin"}
    }


def test_what_is_no_field_name_is_said_so(tmp_path):
    """With its place, and no regular expression in the message."""
    path = tmp_path / "rules.yaml"
    path.write_text("fields:\n  opportunity:\n    product: {hubspot: 9 lives}\n")
    with pytest.raises(ConfigProblem, match=r':3:\d+: .*"9 lives" is not the name of a field'):
        load_rules(path)
