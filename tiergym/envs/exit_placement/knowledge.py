"""What a scenario fixes of an ExitPlacement observation: per block, per pair and per tier."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tiergym.envs.buffers import clipped
from tiergym.envs.exit_placement.observation import (
    DEADLINE_BOUND,
    NO_EXIT,
    STATIC,
    TIERS,
    Sizes,
)
from tiergym.scenarios import Scenario
from tiergym.scenarios.outlook import Outlook
from tiergym.scenarios.placing import stage_row
from tiergym.scenarios.system import Floats, System, pair_number, pairs_of


def static_table(scenario: Scenario, sizes: Sizes) -> NDArray[np.float32]:
    """The `STATIC` fields of a scenario, one after the other, clipped to their bounds."""
    system, outlook = scenario.system, scenario.outlook
    assert outlook is not None
    assert system.placing is not None
    seconds = pair_seconds(system, outlook.blocks)
    deadline = min(outlook.deadline, DEADLINE_BOUND)
    values: dict[str, Floats] = {
        "network": np.array([outlook.blocks, deadline, outlook.payload_bytes[0] / 1e6]),
        "block_macs": _padded(np.nan_to_num(outlook.macs) / 1e6, sizes.max_blocks),
        "block_megabytes": _padded(outlook.param_bytes / 1e6, sizes.max_blocks),
        "payload_megabytes": _padded(outlook.payload_bytes / 1e6, sizes.max_blocks + 1),
        "head_accuracy": _padded(outlook.head_accuracy, sizes.max_blocks),
        "head_exit_rate": _padded(outlook.head_exit_rate, sizes.max_blocks),
        **_tier_seconds(seconds, outlook.blocks, sizes.max_blocks),
        "pair_seconds": _padded(seconds, sizes.pairs),
        "pair_exit_share": _by_level(outlook.exit_share, outlook, sizes),
        "pair_accuracy": _by_level(outlook.accuracy, outlook, sizes),
        "thresholds": _padded(np.minimum(system.placing.thresholds, NO_EXIT), sizes.max_thresholds),
        "batch_gain": _batch_gain(system, outlook.blocks),
        "executors": system.node_executors.astype(np.float64),
        "batch_max": system.node_batch_max.astype(np.float64),
        "load_rate": system.placing.load_rate / 1e6,
        "weights": _weights(system),
    }
    return clipped(sizes.fields(), STATIC, [values[name] for name in STATIC])


def pair_seconds(system: System, blocks: int) -> Floats:
    """float64[P, 3], seconds of each tier's stage of every pair, for one task alone."""
    assert system.placing is not None
    found = np.zeros((pairs_of(blocks), TIERS))
    for pair in range(len(found)):
        for tier in range(TIERS):
            row = stage_row(system, tier, system.placing.first_route + pair)
            if row >= 0:
                found[pair, tier] = system.stage_seconds[row, 0]
    return found


def _padded(values: Floats, rows: int) -> Floats:
    """The values with zeros up to ``rows`` along the first axis, flattened."""
    found = np.zeros((rows, *values.shape[1:]))
    found[: len(values)] = values
    return found.ravel()


def _by_level(values: Floats, outlook: Outlook, sizes: Sizes) -> Floats:
    """A table [T' * P', ...] of the network as [T, P, ...] of the environment, flattened."""
    own = pairs_of(outlook.blocks)
    found = np.zeros((sizes.max_thresholds, sizes.pairs, *values.shape[1:]))
    levels = len(values) // own
    found[:levels, :own] = values.reshape(levels, own, *values.shape[1:])
    return found.ravel()


def _tier_seconds(seconds: Floats, blocks: int, most: int) -> dict[str, Floats]:
    """Seconds of stages 1..k on terminal and edge, and k..L at the cloud, by k."""
    ends = range(1, blocks + 1)
    return {
        "terminal_seconds": _padded(np.array([seconds[pair_number(k, k), 0] for k in ends]), most),
        "edge_seconds": _padded(np.array([seconds[pair_number(0, k), 1] for k in ends]), most),
        "cloud_seconds": _padded(np.array([seconds[pair_number(0, k - 1), 2] for k in ends]), most),
    }


def _batch_gain(system: System, blocks: int) -> Floats:
    """float64[3], seconds a task of the whole network in its best batch, over those alone."""
    assert system.placing is not None
    whole = ((blocks, blocks), (0, blocks), (0, 0))
    gains: list[float] = []
    for tier, pair in enumerate(whole):
        row = stage_row(system, tier, system.placing.first_route + pair_number(*pair))
        most = int(system.node_batch_max[tier])
        table = system.stage_seconds[row, :most]
        each = table / np.arange(1, most + 1)
        gains.append(float(each.min() / each[0]) if row >= 0 else 0.0)
    return np.array(gains)


def _weights(system: System) -> Floats:
    cost = system.cost
    return np.array([cost.delay_weight, cost.error_weight, cost.late_weight, cost.energy_weight])
