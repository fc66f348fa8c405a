"""The event-driven simulator, compiled. It knows neither Gymnasium nor files.

`Simulation` runs rows of independent simulations of a `System` from an `Instance`; `simulate` is
the shortest way to a `TaskLog`. The order of events at equal times is that of `events`; the record
of a row is in `layout`.

>>> simulation = Simulation([system], rows=1, claimed=0)
>>> status = simulation.start(0, instance)        # runs to the first decision at node 0
>>> while status == DECIDING:
...     group = simulation.slots[0][0]
...     status = simulation.decide(0, RUN, group, 1)
>>> log = simulation.log(0)
"""

from tiergym.engine.layout import ATTACH, DECIDING, ENDED, MOVE, NOBODY, PLACE
from tiergym.engine.log import TaskLog
from tiergym.engine.running import RUN, UPLOAD, WAIT
from tiergym.engine.simulation import Simulation, Snapshot, simulate

__all__ = [
    "ATTACH",
    "DECIDING",
    "ENDED",
    "MOVE",
    "NOBODY",
    "PLACE",
    "RUN",
    "UPLOAD",
    "WAIT",
    "Simulation",
    "Snapshot",
    "TaskLog",
    "simulate",
]
