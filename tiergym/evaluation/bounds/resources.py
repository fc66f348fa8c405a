"""Lower bounds on when a node or a link can have finished, whatever it does in what order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tiergym.scenarios.instance import Instance
from tiergym.scenarios.system import Floats


@dataclass(frozen=True, eq=False)
class Wire:
    """What a link can carry over time: its bandwidth of one instance, integrated.

    Attributes:
        start: float64[P], seconds at which the pieces begin; bandwidth: float64[P], bit/s.
        bits: float64[P], carried from time 0 to the beginning of each piece.
    """

    start: Floats
    bandwidth: Floats
    bits: Floats

    @classmethod
    def of(cls, instance: Instance, link: int) -> Wire:
        """The link's bandwidth in an instance."""
        pieces = slice(*instance.piece_offset[link : link + 2].tolist())
        start, bandwidth = instance.piece_start[pieces], instance.piece_bandwidth[pieces]
        carried = np.concatenate([[0.0], np.cumsum(np.diff(start) * bandwidth[:-1])])
        return cls(start, bandwidth, carried)

    @property
    def endless(self) -> bool:
        """Whether the bandwidth is infinite at some time; then nothing but time 0 is bounded."""
        return bool(np.isinf(self.bandwidth).any())

    def carried(self, time: Floats) -> Floats:
        """Bits that it can have carried by ``time``."""
        piece = np.searchsorted(self.start, time, side="right") - 1
        return self.bits[piece] + (time - self.start[piece]) * self.bandwidth[piece]

    def when(self, bits: Floats) -> Floats:
        """The first time by which it can have carried so many bits."""
        piece = np.maximum(np.searchsorted(self.bits, bits, side="left") - 1, 0)
        rate = self.bandwidth[piece]
        # A piece that carries nothing begins and ends with the same bits, so it is never chosen.
        return self.start[piece] + (bits - self.bits[piece]) / np.where(rate > 0.0, rate, 1.0)

    def sent(self, ready: Floats, bits: float) -> Floats:
        """Earliest end of one payload that is alone on the wire from ``ready`` on."""
        if self.endless or bits == 0.0:
            return ready
        return self.when(self.carried(ready) + bits)

    def all_sent(self, ready: Floats, bits: float) -> Floats:
        """Earliest ends of equal payloads in order of ending; see `all_done`."""
        if self.endless or bits == 0.0:
            return np.sort(ready)
        return self.when(all_done(self.carried(ready), bits))


def all_done(ready: Floats, service: float) -> Floats:
    """float64[n], the i-th is a time before which no i + 1 tasks can have finished.

    ``ready`` is when each task can begin at the earliest, ``service`` what each takes of a machine
    that is never better used than wholly: of E executors that need at least s executor seconds a
    task in whatever batches, s / E. Proof: let t be a time, u the last time before it at which the
    first-come machine with that service has nothing left. It has finished by u what was ready by u,
    and floor((t - u) / service) since, or all that there was. Any schedule can finish by t what was
    ready by u, and of the rest, whose service lies wholly between u and t, no more than that.
    """
    order = np.arange(len(ready), dtype=np.float64)
    latest: Floats = np.maximum.accumulate(np.sort(ready) - service * order)
    return latest + service * (order + 1.0)
