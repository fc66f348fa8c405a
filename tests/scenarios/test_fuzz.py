"""Whatever mapping is given: a scenario that draws, or one clear error."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.envs import small_selection
from tests.scenarios.examples import PLAIN, THREE_TIERS, example
from tiergym.errors import InvalidInput
from tiergym.scenarios import check_instance, load_scenario

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 20),
    st.integers(),
    st.floats(),
    st.floats(0.001, 100.0),
    st.sampled_from(
        [
            "",
            "whole",
            "profile",
            "device",
            "upper",
            "edge",
            "small",
            "vgg16",
            "lte",
            "30 Mbit/s",
            "a/b.yaml",
        ]
    ),
    st.text(max_size=5),
)
KEYS = st.one_of(
    st.sampled_from(
        ["points", "ar1", "constant", "median", "trace", "process", "rate", "load", "blocks"]
    ),
    st.text(max_size=5),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=6,
)
RICH = example(
    PLAIN,
    background=[{"node": "upper", "network": "large", "process": "poisson", "load": 0.3}],
    cost={"delay_weight": 1.0, "late_weight": 1.0, "refusal_seconds": 1e9},
    schedule="device",
    features="float32",
    nodes__device__memory_bytes=1e9,
    nodes__device__rank=["large"],
    links__uplink__bandwidth={"ar1": {"median": 30.0, "sigma": 0.3, "rho": 0.9, "step": 1.0}},
    arrivals={"process": "mmpp", "rates": [1.0, 3.0], "dwell": [1.0, 2.0], "load": 0.5},
)
REPLAY = example(PLAIN, arrivals={"trace": [0.0, 0.5, 0.7, 3.0], "rate": 10.0})
SELECTING = [make() for make in small_selection.ALL.values()]
BASES = [PLAIN, THREE_TIERS, RICH, REPLAY, *SELECTING]


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in nested mappings and lists."""
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    below = [place for key, inner in items for place in paths(inner, (*path, key))]
    return ([path] if path else []) + below


@st.composite
def mappings(draw: st.DrawFn) -> dict[str, Any]:
    """A legal mapping with one to three places replaced, added or removed."""
    result = copy.deepcopy(draw(st.sampled_from(BASES)))
    for _ in range(draw(st.integers(1, 3))):
        *above, last = draw(st.sampled_from(paths(result)))
        inner: Any = result
        for key in above:
            inner = inner[key]
        action = draw(st.sampled_from(["scale", "scale", "scale", "replace", "remove", "add"]))
        if action == "scale":
            if isinstance(inner[last], float | int):
                inner[last] = inner[last] * draw(st.sampled_from([0, 0.01, 0.5, 2, 3, 1000, -1]))
        elif action == "replace":
            inner[last] = draw(VALUES)
        elif action == "remove" and len(result) > 1:
            del inner[last]
        elif action == "add" and isinstance(inner, dict):
            inner[draw(KEYS)] = draw(VALUES)
    return result


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(mappings())
def test_a_scenario_or_one_clear_error(given_mapping: dict[str, Any]) -> None:
    try:
        scenario = load_scenario(given_mapping)
    except InvalidInput:
        return
    scenario.summary()
    if scenario.rate * scenario.window > 1e4:
        return
    instance = scenario.draw(np.random.default_rng(0))
    check_instance(scenario.system, instance)
    now = scenario.window / 2.0
    again = scenario.redraw(np.random.default_rng(1), instance, now, instance.arrival <= now)
    check_instance(scenario.system, again)
