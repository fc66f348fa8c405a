from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.envs.small import scenario
from tiergym.errors import InvalidInput
from tiergym.evaluation.scenes import scenes_of
from tiergym.evaluation.suites import changed, load_suite


def definition(**changes: Any) -> dict[str, Any]:
    return {
        "name": "mine",
        "environment": "tiergym/TaskScheduling-v0",
        "reference": "fcfs",
        "policies": ["fcfs", {"name": "priority", "label": "aged", "options": {"ageing": 2.0}}],
        "scenarios": [scenario()],
        "seeds": 5,
        "block": 2,
        **changes,
    }


def test_blocks_hold_every_seed_once() -> None:
    suite = load_suite(definition(first_seed=10))
    assert list(suite.blocks("fcfs")) == [(10, 11), (12, 13), (14,)]
    assert load_suite(definition()).first_seed == 2_000_000_000


def test_slow_policies_play_the_first_seeds_only() -> None:
    entries = ["fcfs", {"name": "lookahead", "seeds": 3}, {"name": "random", "seeds": 9}]
    suite = load_suite(definition(policies=entries, first_seed=10))
    assert list(suite.blocks("lookahead")) == [(10, 11), (12,)]
    assert [suite.seeds_of(label) for label in ("fcfs", "lookahead", "random")] == [5, 3, 5]


def test_entries_keep_labels_and_options() -> None:
    aged = load_suite(definition()).entry("aged")
    assert (aged.name, aged.options) == ("priority", {"ageing": 2.0})


def test_the_digest_follows_the_definition() -> None:
    assert load_suite(definition()).digest() == load_suite(definition()).digest()
    assert load_suite(definition()).digest() != load_suite(definition(version=2)).digest()


def test_a_suite_is_read_from_yaml(tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    path.write_text(
        "name: a\nenvironment: e\nreference: fcfs\npolicies: [fcfs]\nscenarios: [b/c.yaml]\n"
    )
    suite = load_suite(path)
    assert list(suite.scenarios) == ["c"]
    assert load_suite(suite) is suite


@pytest.mark.parametrize(
    ("change", "field", "allowed"),
    [
        ({"polices": []}, "suite.polices", "policies"),
        ({"reference": "best"}, "suite.reference", "one of fcfs, aged"),
        ({"seeds": 0}, "suite.seeds", ">= 1"),
        ({"block": 1.5}, "suite.block", "whole"),
        ({"name": ""}, "suite.name", "text"),
        ({"policies": "fcfs"}, "suite.policies", "a list"),
        ({"policies": ["fcfs", "fcfs"]}, "suite.policies", "each label once"),
        ({"policies": [{"label": "x"}]}, "suite.policies[0].name", "text"),
        ({"scenarios": ["a", "a"]}, "suite.scenarios[1]", "each scenario once"),
        ({"environment": None}, "suite.environment", "text"),
        ({"ablations": [{"name": "x"}]}, "suite.ablations[0].scenarios", "list"),
        (
            {"ablations": [{"name": "x", "change": {}, "scenarios": ["b"], "policies": []}]},
            "suite.ablations[0].scenarios",
            "small",
        ),
        (
            {"ablations": [{"name": "x", "change": {}, "scenarios": [], "policies": ["b"]}]},
            "suite.ablations[0].policies",
            "some of fcfs, aged",
        ),
    ],
)
def test_wrong_suites_are_refused_by_field(
    change: dict[str, Any], field: str, allowed: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        load_suite(definition(**change))
    assert caught.value.field == field
    assert allowed in caught.value.allowed


def test_what_has_to_be_given() -> None:
    given = definition()
    del given["reference"]
    with pytest.raises(InvalidInput, match="has to be given"):
        load_suite(given)


def test_changed_reaches_every_key_and_leaves_the_original() -> None:
    given = {"links": {"a": {"packing": True}, "b": {}}, "tasks": 3}
    result = changed(given, {"links.*.packing": False, "cost.late_weight": 2})
    assert result["links"] == {"a": {"packing": False}, "b": {"packing": False}}
    assert result["cost"] == {"late_weight": 2}
    assert given["links"]["a"]["packing"] is True
    with pytest.raises(InvalidInput, match="dotted path"):
        changed(given, {"tasks.more": 1})


def ablated(change: dict[str, Any], **scenario_changes: Any) -> Any:
    ablation = {"name": "off", "change": change, "scenarios": ["small"], "policies": ["fcfs"]}
    given = scenario(arrivals={"process": "poisson", "load": 0.9}, **scenario_changes)
    del given["window"]
    suite = load_suite(definition(scenarios=[{**given, "tasks": 60}], ablations=[ablation]))
    return scenes_of(suite)


def test_an_ablation_meets_the_same_instances() -> None:
    """Without packing the capacity is less, and the same load would be a lower rate."""
    base, variant = ablated({"links.*.packing": False})
    assert (base.scores, variant.scores) == (True, False)
    assert (variant.label, variant.base, variant.policies) == ("small@off", "small", ("fcfs",))
    assert variant.facts["capacity"]["total"] < base.facts["capacity"]["total"]
    assert variant.facts["rate"] == base.facts["rate"]
    assert variant.facts["window"] == base.facts["window"]
    assert variant.digest != base.digest
    assert variant.same_instances


def test_a_sweep_of_the_load_does_not() -> None:
    base, variant = ablated({"arrivals.load": 0.5})
    assert variant.facts["load"] == pytest.approx(0.5)
    assert variant.facts["rate"] < base.facts["rate"]
    assert not variant.same_instances


def test_facts_of_shipped_scenarios_name_their_sources() -> None:
    suite = load_suite(definition(scenarios=["rtx-2080-ti-code-0.80", "pi-5-conv-0.80"]))
    first, second = scenes_of(suite)
    assert first.facts["arrivals"] == "azure-code"
    assert first.facts["overload"] > 1
    assert first.facts["load"] == pytest.approx(0.8)
    assert first.facts["sources"]["trace azure-code-b"]["licence"] == "CC-BY-4.0"
    for facts in (first.facts, second.facts):
        kinds = {name.split()[0] for name in facts["sources"]}
        assert kinds == {"device", "network", "link", "trace"}
        assert all(source for source in facts["sources"].values())
