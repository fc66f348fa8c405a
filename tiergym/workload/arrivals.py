"""Reading an arrival process from a mapping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tiergym.errors import InvalidInput
from tiergym.fields import closest, flag, mapping, number, sequence
from tiergym.workload.mmpp import Mmpp
from tiergym.workload.modulated import FLOOR, NO_SWING, Modulated, Swing
from tiergym.workload.poisson import Deterministic, Poisson
from tiergym.workload.process import ArrivalProcess
from tiergym.workload.replay import Replay
from tiergym.workload.series import load_series
from tiergym.workload.traces import load_trace

_OWN_KEYS = {
    "poisson": (),
    "deterministic": (),
    "mmpp": ("rates", "dwell"),
    "modulated": ("series", "period", "floor", "swing", "random_start"),
    "trace": ("trace", "scale", "random_start"),
}
PROCESS_NAMES = tuple(_OWN_KEYS)


@dataclass(frozen=True)
class Arrivals:
    """A process and how fast it runs: by rate (tasks per second), by load, or as recorded."""

    process: ArrivalProcess
    rate: float | None
    load: float | None

    def tasks_per_second(self, capacity: float) -> float:
        """The rate, where a load is relative to ``capacity`` (tasks per second)."""
        if self.rate is not None:
            return self.rate
        if self.load is not None:
            return self.load * capacity
        assert self.process.own_rate is not None
        return self.process.own_rate


def parse_arrivals(field: str, given: Mapping[str, object]) -> Arrivals:
    """Read ``{process, rate | load, ...}`` with the keys of that process.

    Raises:
        InvalidInput: naming the field.
    """
    name = given.get("process", "trace" if "trace" in given else None)
    if not isinstance(name, str) or name not in _OWN_KEYS:
        allowed = f"one of {', '.join(_OWN_KEYS)}{closest(name, _OWN_KEYS)}"
        raise InvalidInput(f"{field}.process", name, allowed)
    record = mapping(field, given, ("process", "rate", "load", *_OWN_KEYS[name]))
    rate, load = _speed(f"{field}.rate", record), _speed(f"{field}.load", record)
    if rate is not None and load is not None:
        raise InvalidInput(f"{field}.load", load, "only one of rate and load")
    if name == "trace":
        return Arrivals(_replay(field, record, rate is not None or load is not None), rate, load)
    if rate is None and load is None:
        raise InvalidInput(f"{field}.rate", None, "rate in tasks/s, or load of total capacity")
    return Arrivals(_modelled(name, field, record), rate, load)


def _speed(field: str, record: dict[str, object]) -> float | None:
    value = record.get(field.rpartition(".")[2])
    unit = "tasks per second" if field.endswith("rate") else "share of capacity"
    return None if value is None else number(field, value, unit, above=0.0)


def _modelled(name: str, field: str, record: dict[str, object]) -> ArrivalProcess:
    if name == "mmpp":
        return _mmpp(field, record)
    if name == "modulated":
        return _modulated(field, record)
    return Poisson() if name == "poisson" else Deterministic()


def _mmpp(field: str, record: dict[str, object]) -> Mmpp:
    rates = _numbers(f"{field}.rates", record.get("rates"), "relative rate", low=0.0)
    dwell = _numbers(f"{field}.dwell", record.get("dwell"), "seconds", above=0.0)
    if len(rates) < 2:
        raise InvalidInput(f"{field}.rates", list(rates), "relative rates of two or more states")
    if not any(rates):
        raise InvalidInput(f"{field}.rates", list(rates), "some rate above zero")
    if len(dwell) != len(rates):
        raise InvalidInput(f"{field}.dwell", list(dwell), f"{len(rates)} values, one per state")
    return Mmpp(rates, dwell)


def _modulated(field: str, record: dict[str, object]) -> Modulated:
    series = load_series(record.get("series"), field=f"{field}.series")
    period = number(f"{field}.period", record.get("period"), "seconds of the whole series", above=0)
    floor = number(f"{field}.floor", record.get("floor", FLOOR), "share of the mean rate", low=0.0)
    swing = _swing(f"{field}.swing", record["swing"]) if "swing" in record else NO_SWING
    random_start = flag(f"{field}.random_start", record.get("random_start", True))
    return Modulated(series, period, floor, swing, random_start)


def _swing(field: str, given: object) -> Swing:
    record = mapping(field, given, ("period", "depth"))
    period = number(f"{field}.period", record.get("period"), "seconds", above=0.0)
    depth = number(f"{field}.depth", record.get("depth"), "share of the rate, < 1,", low=0.0)
    if depth >= 1.0:
        raise InvalidInput(f"{field}.depth", depth, "share of the rate >= 0 and < 1")
    return Swing(period, depth)


def _numbers(
    field: str, value: object, unit: str, low: float = 0.0, above: float = -1.0
) -> tuple[float, ...]:
    items = enumerate(sequence(field, value, f"a list of numbers ({unit})"))
    return tuple(number(f"{field}[{k}]", item, unit, low=low, above=above) for k, item in items)


def _replay(field: str, record: dict[str, object], paced: bool) -> Replay:
    trace = load_trace(record.get("trace"), field=f"{field}.trace")
    if "scale" in record and flag(f"{field}.scale", record["scale"]) != paced:
        allowed = "true with a rate or load, false without (the times as they are)"
        raise InvalidInput(f"{field}.scale", record["scale"], allowed)
    random_start = flag(f"{field}.random_start", record.get("random_start", paced))
    return Replay(trace, random_start)
