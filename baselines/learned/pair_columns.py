"""Columns of a pair of exits that join several fields of an ExitPlacement observation.

A network that looks at one pair at a time cannot look up what the tables of blocks say of its
ends, nor divide a payload by a bandwidth. These are the terms that the rules of
`baselines.exit_placement` weigh too, from the same observation; how to weigh them is learned.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from baselines.learned.scaling import HUNDREDTHS, scaled
from baselines.learned.tables import Tables
from tiergym.scenarios.system import pair_ends

TIERS = 3
BUSIEST = 0.7
"""Load up to which a wait is that of a steady queue; beyond it a backlog builds up."""


class PairColumns(nn.Module):
    """Columns [n, P, width] of flat observations.

    Args:
        places: where each field lies in an observation.
        tables: of ExitPlacement.
    """

    first: Tensor
    second: Tensor
    units: Tensor

    def __init__(self, places: Mapping[str, slice], tables: Tables) -> None:
        super().__init__()
        self._places = dict(places)
        self._pairs, self._levels = tables.rows, tables.blocks
        blocks = places["block_macs"].stop - places["block_macs"].start
        ends = torch.tensor(pair_ends(blocks)).T
        self.register_buffer("first", ends[0], persistent=False)
        self.register_buffer("second", ends[1], persistent=False)
        # Of a pair: MB and seconds on both wires, seconds to load at each tier, what is the same.
        pair = [HUNDREDTHS] * (4 + TIERS) + [10.0] * 3
        # Of a level: seconds, cost, cost with waiting, shares that go on, loads of tiers and links.
        level = [HUNDREDTHS] * 3 + [10.0] * (2 + 2 * TIERS + 2)
        self.register_buffer("units", torch.tensor(pair + level * self._levels), persistent=False)
        # Behind them, unscaled: logarithm of both costs over those of the cheapest pair.
        self.width = len(self.units) + 2 * self._levels

    def forward(self, flat: Tensor) -> Tensor:
        """See the class."""
        field = {name: flat[:, place] for name, place in self._places.items()}
        wires, pair = self._pair(field)
        levels = [self._level(field, wires, level) for level in range(self._levels)]
        columns = torch.cat([pair, *(own for own, _ in levels)], 2)
        return torch.cat([scaled(columns, self.units), *(logs for _, logs in levels)], 2)

    def _pair(self, field: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Seconds on both wires [n, P, 2], and all columns that levels share."""
        payload, link = field["payload_megabytes"], field["link"].reshape(-1, 1, 2, 4)
        sizes = torch.stack([payload[:, self.first], payload[:, self.second]], 2)
        wires = link[..., 1] + 8.0 * sizes / link[..., 3].clamp(min=1e-6)
        ends, force = torch.stack([self.first, self.second], 1), field["placement"][:, None]
        same = (ends == force[..., :2]) * force[..., 3:]
        both = same.prod(2, keepdim=True)
        return wires, torch.cat([sizes, wires, self._loading(field), same, both], 2)

    def _loading(self, field: Mapping[str, Tensor]) -> Tensor:
        """Seconds [n, P, 3] that each tier takes to load what it lacks of its blocks."""
        held = field["held_blocks"].reshape(len(field["network"]), TIERS, -1)
        missing = (1.0 - held.ceil()) * field["block_megabytes"][:, None]
        before = nn.functional.pad(missing.cumsum(2), (1, 0))
        none = torch.zeros_like(self.first)
        cuts = (none, self.first, self.second, none + missing.shape[2])
        lacks = [before[:, k, cuts[k + 1]] - before[:, k, cuts[k]] for k in range(TIERS)]
        return torch.stack(lacks, 2) / field["load_rate"][:, None].clamp(min=1e-9)

    def _level(
        self, field: Mapping[str, Tensor], wires: Tensor, level: int
    ) -> tuple[Tensor, Tensor]:
        """Columns of one threshold level, and the logarithms of its costs."""
        shape = (len(wires), self._levels, self._pairs)
        share = field["pair_exit_share"].reshape(*shape, 2)[:, level]
        accuracy = field["pair_accuracy"].reshape(shape)[:, level]
        stage = field["pair_seconds"].reshape(len(wires), self._pairs, TIERS)
        link, rate = field["link"].reshape(-1, 1, 2, 4), field["arrivals_past"][:, None, :1]
        on = (1.0 - share.cumsum(2)).clamp(min=0.0)
        reach = torch.cat([torch.ones_like(on[..., :1]), on], 2)
        gain = field["batch_gain"] / field["executors"].clamp(min=1.0)
        own = rate * reach * stage * gain[:, None]
        loads = own + self._others(field, own)
        carried = rate * on * (wires - link[..., 1])
        seconds = (reach * stage).sum(2) + (on * (wires + link[..., 0])).sum(2)
        interval = field["time"][:, None, 2:3]
        waits = (reach * _wait(loads, stage, interval)).sum(2)
        waits = waits + (on * _wait(carried, wires, interval)).sum(2)
        wrong = field["weights"][:, 1:2] * (1.0 - accuracy)
        costs = [field["weights"][:, :1] * s + wrong for s in (seconds, seconds + waits)]
        logs = [_over_least(cost, accuracy > 0.0) for cost in costs]
        columns = [torch.stack([seconds, *costs], 2), on, own, loads, carried]
        return torch.cat(columns, 2), torch.stack(logs, 2)

    def _others(self, field: Mapping[str, Tensor], own: Tensor) -> Tensor:
        """Busy share [n, 1, 3] in the last interval, less what the pair in force brought."""
        p1, p2 = field["placement"][:, 0], field["placement"][:, 1]
        number = (p2 * (p2 + 1.0) / 2.0 + p1).long().clamp(0, self._pairs - 1)
        brought = own[torch.arange(len(own)), number][:, None]
        return (field["utilisation_past"][:, None, :TIERS] - brought).clamp(0.0, 1.0)


def _wait(load: Tensor, service: Tensor, interval: Tensor) -> Tensor:
    """Seconds before service: M/D/1, then growing with the overload of an interval."""
    steady = load.clamp(max=BUSIEST)
    queue = steady * service / (2.0 * (1.0 - steady))
    return (service > 0.0) * (queue + (load - BUSIEST).clamp(min=0.0) * interval / 2.0)


def _over_least(cost: Tensor, there: Tensor) -> Tensor:
    """Logarithm of a cost over the least of the pairs that there are, 0 for the others."""
    least = cost.masked_fill(~there, torch.inf).amin(1, keepdim=True)
    logs = (cost.clamp(min=1e-6) / least.clamp(min=1e-6)).log()
    return logs.clamp(max=5.0).masked_fill(~there, 0.0)
