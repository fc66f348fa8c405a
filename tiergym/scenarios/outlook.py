"""What is known beforehand of a placed network: how often and how rightly its exits answer.

Shares are counted on the exit table's validation rows, jointly: what leaves at the edge's head is
counted among what did not leave at the terminal's. Scenarios draw from the other rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiergym.networks import ExitTable, payload_bytes
from tiergym.scenarios.spec import ScenarioSpec
from tiergym.scenarios.system import Floats, pair_ends


@dataclass(frozen=True, eq=False)
class Outlook:
    """Of the placed network of L blocks, P pairs and T threshold levels.

    Attributes:
        blocks: L; deadline: seconds after arrival, may be infinite.
        macs, param_bytes: float64[L], of each block; macs NaN where unknown.
        payload_bytes: float64[L + 1], of a task that goes on after block k; 0 after L.
        head_accuracy: float64[L], share that the head after a block answers rightly.
        head_exit_rate: float64[L], share that reaches the first level's first threshold there.
        exit_share: float64[T * P, 2], of all tasks, what leaves at the terminal's head and at the
            edge's; the rest leaves at the cloud. Indexed as `Placing` numbers routes.
        accuracy: float64[T * P], share of right answers.
    """

    blocks: int
    deadline: float
    macs: Floats
    param_bytes: Floats
    payload_bytes: Floats
    head_accuracy: Floats
    head_exit_rate: Floats
    exit_share: Floats
    accuracy: Floats


def outlook_of(spec: ScenarioSpec) -> Outlook | None:
    """What is known of the scenario's placed network; None if it has none."""
    if spec.placed is None:
        return None
    placed = spec.networks[spec.placed]
    network = placed.network
    assert network.exits is not None
    table = network.exits.validation or network.exits
    shares = [exit_shares(table, level) for level in placed.levels]
    rates = table.confidence[:, 1:] >= placed.levels[0][0]
    return Outlook(
        blocks=network.blocks,
        deadline=placed.deadline,
        macs=network.macs,
        param_bytes=network.param_bytes,
        payload_bytes=_payloads(spec),
        head_accuracy=table.correct[:, 1:].mean(axis=0),
        head_exit_rate=np.append(rates[:, :-1].mean(axis=0), 1.0),
        exit_share=np.concatenate([share for share, _ in shares]),
        accuracy=np.concatenate([right for _, right in shares]),
    )


def _payloads(spec: ScenarioSpec) -> Floats:
    assert spec.placed is not None
    network = spec.networks[spec.placed].network
    sizes = [payload_bytes(network, k, spec.features) for k in range(network.blocks)]
    return np.array([*sizes, 0.0])


def exit_shares(table: ExitTable, level: tuple[float, float]) -> tuple[Floats, Floats]:
    """For every pair under one threshold level: what leaves where, and how much is right.

    Returns:
        float64[P, 2] shares at the terminal's and at the edge's head; float64[P] accuracy.
    """
    blocks = table.confidence.shape[1] - 1
    ends = pair_ends(blocks)
    share, right = np.zeros((len(ends), 2)), np.zeros(len(ends))
    for pair, (p1, p2) in enumerate(ends):
        first = _leaves(table, p1, level[0])
        second = ~first & (_leaves(table, p2, level[1]) if p2 > p1 else False)
        answer = np.where(first, table.correct[:, p1], table.correct[:, blocks])
        answer = np.where(second, table.correct[:, p2], answer)
        share[pair] = first.mean(), second.mean()
        right[pair] = answer.mean()
    return share, right


def _leaves(table: ExitTable, block: int, threshold: float) -> NDArray[np.bool_]:
    """bool[S]: nobody leaves after block 0, everybody after L."""
    if block == 0:
        return np.zeros(table.samples, np.bool_)
    if block == table.confidence.shape[1] - 1:
        return np.ones(table.samples, np.bool_)
    return table.confidence[:, block] >= threshold
