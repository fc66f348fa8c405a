"""When tasks arrive, and what they ask for."""

from tiergym.workload.arrivals import PROCESS_NAMES, Arrivals, parse_arrivals
from tiergym.workload.mmpp import Mmpp
from tiergym.workload.modulated import Modulated, Swing
from tiergym.workload.poisson import Deterministic, Poisson
from tiergym.workload.process import ArrivalProcess
from tiergym.workload.replay import Replay
from tiergym.workload.series import Series, load_series, series_names
from tiergym.workload.tasks import deadlines, draw_networks, draw_samples
from tiergym.workload.traces import Trace, load_trace, trace_names

__all__ = [
    "PROCESS_NAMES",
    "ArrivalProcess",
    "Arrivals",
    "Deterministic",
    "Mmpp",
    "Modulated",
    "Poisson",
    "Replay",
    "Series",
    "Swing",
    "Trace",
    "deadlines",
    "draw_networks",
    "draw_samples",
    "load_series",
    "load_trace",
    "parse_arrivals",
    "series_names",
    "trace_names",
]
