"""Rules over rules: a file that extends another, teams and pipelines, and errors placed in the file that has them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.files.layers import laid_over, load_layers, sections
from config.problems import ConfigProblem
from config.rules import Rules, load_rules


@pytest.fixture
def written(tmp_path):
    """A function that writes rules files, and gives the path of the first."""

    def write(**texts):
        for name, text in texts.items():
            (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        return tmp_path / f"{next(iter(texts))}.yaml"

    return write


def problems(path):
    """What is wrong, without the folder."""
    with pytest.raises(ConfigProblem) as caught:
        load_rules(path)
    return [str(problem).removeprefix(f"{path.parent}/") for problem in caught.value.problems]


def test_a_file_may_extend_another(written):
    """Sections merge key by key; a curve, a card or a list takes the place of the one below."""
    path = written(
        north="extends: company.yaml\npriority: {weights: {soon: 10}, overdue: {0: 9}}\nplaybook: []\n",
        company="extends: group.yaml\npriority: {weights: {much: 1}, overdue: {0: 50, 10: 0}}\n",
        group="priority: {weights: {soon: 1, profitable: 2}}\ntiers: {A: 7}\n",
    )
    rules = load_rules(path)
    weights = rules.priority.weights
    assert (weights.soon, weights.profitable, weights.much) == (10, 2, 1)
    assert rules.priority.overdue == {0: 9}
    assert (rules.tiers.A, rules.playbook) == (7, ())


def test_the_digest_is_of_the_effective_rules(written):
    """The same rules have the same digest, whether written in one file or in two; a change below shows."""
    path = written(mine="extends: base.yaml\ntiers: {A: 9}\n", base="tiers: {B: 20}\n")
    alone = written(alone="tiers: {A: 9, B: 20}\n")
    assert load_rules(path).digest == load_rules(alone).digest
    written(base="tiers: {B: 21}\n")
    assert load_rules(path).digest != load_rules(alone).digest


def test_each_error_stands_in_the_file_that_has_it(written):
    """Line and column are those of the file that says it, also within a team's section, and each is told once."""
    path = written(
        mine="extends: base.yaml\nshow:\n  margin: loud\nteams:\n  East: {tiers: {A: 90}}\n",
        base="show: {}\nneeds:\n  pain: 900\nteams:\n  West:\n    priority:\n      weights: {soon: 0, much: 0}\n"
        "    nonsense: 1\n",
    )
    found = problems(path)
    places = {text.split(": ")[0]: text for text in found}
    assert set(places) == {
        "base.yaml:3:3",
        "mine.yaml:3:3",
        "base.yaml:8:5",
        "base.yaml:7:7",
        "mine.yaml:5:10",
    }
    assert len(found) == 5
    assert "teams.West.priority.weights: " in places["base.yaml:7:7"]
    assert "teams.East.tiers: A, B and C together are 150 %" in places["mine.yaml:5:10"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"a": "tiers: {A: 5}\nextends: b.yaml\n"}, "a.yaml:2:1: extends: there is no file"),
        ({"a": f"extends: {'x' * 300}.yaml\n"}, "a.yaml:1:1: extends: there is no file"),
        ({"a": "extends: a.yaml\n"}, "a.yaml:1:1: extends: a.yaml extends this file, or is it"),
        (
            {"a": "extends: b.yaml\n", "b": "extends: a.yaml\n"},
            "b.yaml:1:1: extends: a.yaml extends this file",
        ),
        ({"a": "extends: [b.yaml]\n"}, "a.yaml:1:1: extends: must be the name of one other rules file"),
        ({"a": "extends: b.yaml\n", "b": "x: ]\n"}, "b.yaml:1:4: is not valid YAML"),
    ],
)
def test_what_cannot_be_extended_is_told_in_its_place(written, files, expected):
    """Missing files, circles and files that cannot be read."""
    (found,) = problems(written(**files))
    assert found.startswith(expected)


def test_a_team_stands_once(written):
    """Names that differ in case alone would be one team: the second is told."""
    (found,) = problems(written(a="teams:\n  East: {tiers: {A: 9}}\n  EAST: {tiers: {A: 8}}\n"))
    assert found.startswith('a.yaml:3:3: teams: "EAST" stands here twice')


@pytest.mark.parametrize("kind", ["teams", "pipelines"])
def test_kinds_of_requests_are_the_same_for_everybody(written, kind):
    """A team or pipeline may value needs otherwise, not tell otherwise which requests are needs or urgent."""
    load_rules(written(a=f"{kind}:\n  East:\n    needs: {{pain: 9}}\n"))
    found = problems(written(a=f"{kind}:\n  East:\n    needs: {{cases: [Outage], urgent: [Low]}}\n"))
    places = [
        f"a.yaml:3:{column}: {kind}.East.needs: `{key}`" for column, key in ((13, "cases"), (30, "urgent"))
    ]
    assert [line.partition(" is the same for everybody")[0] for line in found] == places


def test_a_variant_is_the_whole_of_its_rules():
    """A pipeline goes before a team; names are compared without regard to case; nothing else is the company's."""
    rules = Rules.model_validate({
        "tiers": {"A": 9},
        "teams": {"Mid Market": {"priority": {"weights": {"soon": 1}}}},
        "pipelines": {"Renewals": {"tiers": {"B": 3}}},
    })  # fmt: skip
    team, pipeline = rules.variant("mid  market"), rules.variant("mid market", "RENEWALS")
    assert (team.priority.weights.soon, team.priority.weights.much, team.tiers.A) == (1, 20, 9)
    assert (pipeline.tiers.A, pipeline.tiers.B, pipeline.priority.weights.soon) == (9, 3, 50)
    assert rules.variant("Nobody", None) is rules
    assert Rules.model_validate(rules.model_dump()) == rules


def test_boosts_have_the_same_items_in_every_variant():
    """So that records of all teams share one table: a boost that one team alone has is an item of all."""
    boost = {"name": "b", "on": "account", "when": "quiet", "points": 1, "because": "b"}
    rules = Rules.model_validate({
        "boosts": [boost | {"name": "a"}], "teams": {"X": {"boosts": [boost]}},
        "pipelines": {"P": {"boosts": [boost | {"name": "c", "on": "opportunity", "when": "pain"}]}},
    })  # fmt: skip
    for variant in (rules, rules.variant("X"), rules.variant(None, "P")):
        assert variant.boost_names("account") == ("a", "b")
        assert variant.boost_names("opportunity") == ("c",)


trees = st.recursive(
    st.integers()
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.integers(), st.integers(), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from(["a", "b", "c", "none", "<=1"]), inner, max_size=3),
    max_leaves=12,
)


@given(trees, trees)
def test_what_is_nearer_counts(below, above):
    """A layer over itself is itself; laid over another, it is all there, and stays there when laid over again."""
    assert laid_over(below, below) == below
    both = laid_over(below, above)
    assert laid_over(both, above) == both
    assert laid_over(below, both) == both


def test_what_a_team_says_stands_in_the_file_that_says_it_last(tmp_path):
    """Two files speak of one team: a key stands in the upper one, and below only where that is silent."""
    (tmp_path / "company.yaml").write_text("teams:\n  North:\n    needs: {pain: 1, case: 2}\n")
    (tmp_path / "rules.yaml").write_text("extends: company.yaml\nteams:\n  North:\n    needs: {pain: 3}\n")
    ((_, _, whole),) = sections(load_layers(tmp_path / "rules.yaml"))
    places = [whole.place(("needs", key)) for key in ("pain", "case")]
    assert [(place.path.name, place.line) for place in places] == [("rules.yaml", 4), ("company.yaml", 3)]
