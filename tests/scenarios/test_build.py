"""What a mapping compiles to, number by number."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tests.scenarios.examples import PLAIN, THREE_TIERS, example
from tiergym.devices import load_device
from tiergym.errors import InvalidInput
from tiergym.networks import load_network
from tiergym.scenarios import load_scenario
from tiergym.scenarios.system import EMPTY_STAGE, NO_STAGE


def test_plain_numbers() -> None:
    scenario = load_scenario(PLAIN)
    system = scenario.system
    assert system.node_names == ("device", "upper")
    assert system.network_names == ("small", "large")
    assert system.node_tier.tolist() == [1, 2]
    assert system.node_executors.tolist() == [1, 2]
    assert system.node_batch_max.tolist() == [8, 1]
    assert system.node_uplink.tolist() == [0, -1]
    assert system.group_payload[[0, 3]].tolist() == [20000.0, 40000.0]
    assert system.link_half_rtt.tolist() == [0.01]
    assert system.batch_columns == 8
    device_small, upper_large = system.stage_row[0, 0], system.stage_row[1, 3]
    assert np.allclose(system.stage_seconds[device_small], 0.004 * np.arange(1, 9))
    assert system.stage_seconds[upper_large, 0] == 0.002
    assert np.isnan(system.stage_seconds[upper_large, 1:]).all()
    assert np.isinf(system.node_memory).all()
    assert scenario.schedule_node == 0
    assert scenario.window == 20.0
    assert scenario.rate == 50.0
    assert scenario.watts_known is False


def test_one_node_without_links() -> None:
    alone = example(links=..., nodes__upper=...)
    scenario = load_scenario(alone)
    assert scenario.system.links == 0
    assert scenario.capacity.uplink == 0.0
    assert scenario.capacity.total == scenario.capacity.local
    instance = scenario.draw(np.random.default_rng(0))
    assert instance.piece_offset.tolist() == [0]
    assert len(instance.piece_start) == 0


def test_three_tiers_with_exits() -> None:
    system = load_scenario(THREE_TIERS).system
    assert system.group_entry_block.tolist() == [0, 1, 2]
    assert system.group_payload.tolist() == [1000.0, 2000.0, 200.0]
    assert system.route_threshold.tolist() == [[0.8, 0.7]]
    # the phone runs block 1, the edge 2 (or 1 and 2 of raw inputs), the cloud what is left
    assert (system.stage_row[0] >= 0).tolist() == [True, False, False]
    assert system.stage_row[0, 1] == EMPTY_STAGE
    assert system.stage_row[1, 2] == EMPTY_STAGE
    assert system.stage_end.tolist() == [[1, 1, 2], [2, 2, 2], [3, 3, 3]]

    def seconds(node: int, group: int) -> float:
        return float(system.stage_seconds[system.stage_row[node, group], 0])

    assert seconds(0, 0) == pytest.approx(0.01 + 0.001)
    assert seconds(1, 0) == pytest.approx(0.5 + 0.001 + 0.002 + 0.004)
    assert seconds(1, 1) == pytest.approx(0.5 + 0.002 + 0.004)
    assert seconds(2, 0) == pytest.approx(0.6)
    assert seconds(2, 1) == pytest.approx(0.5)
    assert seconds(2, 2) == pytest.approx(0.3)
    table = system.exit_confidence.reshape(6, 4)
    assert np.allclose(table[1], [0, 0.1, 0.9, 0.9])
    assert system.network_samples.tolist() == [6]
    assert system.exit_correct.reshape(6, 4)[2].tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("features", "payload"),
    [("float32", [1000.0, 2000.0]), ("float16", [1000.0, 1000.0]), ("int8", [1000.0, 504.0])],
)
def test_feature_type_sets_the_payload(features: str, payload: list[float]) -> None:
    system = load_scenario(example(THREE_TIERS, features=features)).system
    assert system.group_payload[:2].tolist() == payload


def test_whole_by_the_tier_of_the_origin() -> None:
    cases = {"phone": [0, 3, 3], "edge": [0, 0, 3], "cloud": [0, 0, 0]}
    for origin, starts in cases.items():
        changes = {"arrivals__origin": origin, "schedule": origin, "networks__net__placement": ...}
        system = load_scenario(example(THREE_TIERS, **changes)).system
        node = system.node_names.index(origin)
        assert system.group_entry_block.tolist() == starts
        row = system.stage_row[node, 0]
        assert row >= 0
        assert system.stage_end[node, 0] == 3
        # of entry kinds that begin at the same block only the lowest is used
        assert system.stage_row[node, 2] == NO_STAGE


def test_an_empty_stage_passes_tasks_on() -> None:
    scenario = load_scenario(
        example(THREE_TIERS, networks__net__placement=[0, 0], schedule="cloud")
    )
    system = scenario.system
    assert system.stage_row[:, 0].tolist()[:2] == [EMPTY_STAGE, EMPTY_STAGE]
    assert system.stage_row[2, 0] >= 0
    # up: 1 ms a task; wire: 0.1 ms; cloud: 0.6 s
    assert scenario.capacity.total == pytest.approx(1.0 / 0.6)


def test_an_unneeded_stage_may_be_unknown() -> None:
    """The edge cannot run raw inputs (no law for block 1 alone), which only pre-upload needs."""
    upper = {"small": 0.001}
    scenario = load_scenario(example(nodes__upper__profile={"networks": upper}))
    assert scenario.system.stage_row[1, 3] == NO_STAGE
    assert scenario.system.stage_row[1, 0] >= 0


def test_ranks() -> None:
    changes = {"nodes__device__rank": ["large"], "nodes__device__discipline": "static-priority"}
    system = load_scenario(example(**changes)).system
    assert system.node_rank.tolist() == [[1, 0], [0, 1]]
    assert system.node_discipline.tolist() == [3, 1]


def test_background() -> None:
    entry = {"node": "upper", "network": "large", "process": "poisson", "load": 0.3}
    scenario = load_scenario(example(background=[entry]))
    system = scenario.system
    assert system.network_names[2] == "background:large@upper"
    assert system.network_route.tolist() == [0, 1, 2]
    # 0.3 of two executors at 2 ms a task
    assert scenario.models.streams[1].rate == pytest.approx(0.3 * 2 / 0.002)
    assert scenario.capacity.upper == pytest.approx(2 * 0.7 / (0.7 * 0.001 + 0.3 * 0.002))
    instance = scenario.draw(np.random.default_rng(0))
    other = instance.network == 2
    assert (instance.charged == ~other).all()
    assert (instance.origin == other).all()
    assert abs(other.sum() - 6000) < 4 * math.sqrt(6000)


def test_memory_holds_parameters_and_a_reserve() -> None:
    changes = {"nodes__edge__memory_bytes": 100_000, "cost": {"refusal_seconds": 1e6}}
    system = load_scenario(example(THREE_TIERS, **changes)).system
    # the edge may run blocks 1 and 2; a batch of one turns 1000 or 2000 bytes into 200
    assert system.node_memory.tolist() == [math.inf, 100_000 - 30, math.inf]
    assert system.node_reserve[1] == 0.0
    # the phone turns 1000 bytes into 2000
    assert system.node_reserve[0] == 1000.0


def test_memory_is_the_profiles_where_a_node_says_so() -> None:
    stated = example(nodes__device__profile__memory_bytes=400_000)
    unlimited = load_scenario(stated).system
    assert unlimited.node_memory[0] == math.inf
    assert unlimited.cost.refusal_seconds == 0.0
    taken = load_scenario(example(stated, nodes__device__memory_bytes="profile")).system
    given = load_scenario(example(stated, nodes__device__memory_bytes=400_000)).system
    assert taken.node_memory[0] == given.node_memory[0] == 400_000
    assert taken.cost.refusal_seconds == given.cost.refusal_seconds > 0.0
    device = load_device("titan-x-pascal-nexus")
    shipped = {"tier": "edge", "profile": device.name, "memory_bytes": "profile"}
    changes = {
        "nodes__device": shipped,
        "nodes__upper__profile": device.name,
        "networks": {"vgg16": {}},
    }
    system = load_scenario(example(**changes)).system
    held = load_network("vgg16").param_bytes.sum()
    assert system.node_memory.tolist() == [device.memory_bytes - held, math.inf]


def test_workspace_is_reserved() -> None:
    law = {"small": {"whole": 0.004, "workspace": {"line": {"a": 100, "k": 10}}}, "large": 0.01}
    changes = {
        "nodes__device__profile": {"networks": law},
        "nodes__device__memory_bytes": 1e6,
        "cost": {"refusal_seconds": 1000},
    }
    system = load_scenario(example(**changes)).system
    assert system.node_reserve[0] == 110.0
    assert system.stage_workspace[system.stage_row[0, 0], 7] == 180.0


def test_refusal_costs_at_least_the_drain() -> None:
    memory: dict[str, Any] = {"nodes__device__memory_bytes": 400_000}
    # 20 small tasks at 4 ms, 10 large ones at 5 ms: 0.08 s
    assert load_scenario(example(**memory)).system.cost.refusal_seconds == 1.0
    given = load_scenario(example(**memory, cost={"refusal_seconds": 0.081}))
    assert given.system.cost.refusal_seconds == 0.081
    with pytest.raises(InvalidInput, match=r"at least 0\.08 s") as caught:
        load_scenario(example(**memory, cost={"refusal_seconds": 0.079}))
    assert caught.value.field == "cost.refusal_seconds"


def test_energy_needs_watts() -> None:
    watts = {"idle_watts": 1.0, "busy_watts": 3.0}
    with pytest.raises(InvalidInput, match=r"device\.profile\.idle_watts"):
        load_scenario(example(cost={"energy_weight": 1.0}))
    changes = {
        "nodes__device__profile__idle_watts": 1.0,
        "nodes__device__profile__busy_watts": 3.0,
        "nodes__upper__profile": {**watts, "networks": {"small": 0.001, "large": 0.002}},
        "links__uplink__base_watts": 2.0,
        "links__uplink__watts_per_mbps": 0.1,
        "cost": {"energy_weight": 1.0},
    }
    scenario = load_scenario(example(**changes))
    assert scenario.watts_known
    assert scenario.system.node_busy_watts.tolist() == [3.0, 3.0]
    assert scenario.system.link_joules_per_megabit.tolist() == [0.1]


def test_a_placement_that_strands_tasks() -> None:
    with pytest.raises(InvalidInput, match="has no uplink") as caught:
        load_scenario(example(THREE_TIERS, links__wire=...))
    assert caught.value.field == "networks.net.placement"


def test_no_exit_table_no_inner_head() -> None:
    with pytest.raises(InvalidInput, match="no exit table") as caught:
        load_scenario(example(THREE_TIERS, networks__net__exits=...))
    assert caught.value.field == "networks.net.placement"


def test_missing_head_law() -> None:
    heads = "nodes__edge__profile__networks__net__heads"
    with pytest.raises(InvalidInput, match="exit head after block 2") as caught:
        load_scenario(example(THREE_TIERS, **{heads: ...}))
    assert caught.value.field.startswith("nodes.edge.profile")
