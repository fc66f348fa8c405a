"""What was measured as a device profile or a link profile, with where it comes from."""

from __future__ import annotations

import datetime
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from tiergym import __version__
from tiergym.calibration.measuring.fitting import Parts
from tiergym.calibration.measuring.machine import describe_machine
from tiergym.calibration.measuring.measure import Measured
from tiergym.calibration.measuring.sockets import LinkMeasured
from tiergym.calibration.records import versions, write_yaml
from tiergym.devices import load_device
from tiergym.links import load_link

HEADER = "Written by tiergym-calibrate on the machine that it describes."


def device_record(name: str, found: Sequence[Measured], command: str) -> dict[str, object]:
    """The mapping that `tiergym.devices.load_device` takes."""
    threads = torch.get_num_threads()
    record: dict[str, object] = {
        "name": name,
        "device": str(describe_machine()["processor"]),
        "runtime": f"torch {torch.__version__} eager, {threads} thread{'s' * (threads > 1)}",
        "jitter_cv": round(statistics.median(each.jitter_cv for each in found), 4),
    }
    return {
        **record,
        **_rate(min(each.load_rate for each in found)),
        "source": {
            "kind": "measured",
            "from": "timings of stages by tiergym-calibrate",
            "command": command,
            "date": datetime.date.today().isoformat(),
            "machine": describe_machine(),
            "versions": {**versions(["torch", "numpy"]), "tiergym": __version__},
            "threads": threads,
            "method": "median of interleaved repeats of whole stages (splicing, blocks, head and "
            "confidence); base, blocks and heads fitted per batch size by non-negative least "
            "squares of the relative error",
            "jitter_cv": "of one stage about its median, repeats beyond Tukey's outer fence left "
            "out; the median of the networks",
            "load_rate": "a file of parameters read into modules, page cache dropped before; the "
            "slowest of the networks",
            "measured": {each.subject.name: _trust(each) for each in found},
            "unknown": "watts, memory_bytes, workspace",
        },
        "networks": {each.subject.name: _entry(each.parts) for each in found},
    }


def _rate(bytes_a_second: float) -> dict[str, float]:
    """Nothing for networks without parameters."""
    known = math.isfinite(bytes_a_second)
    return {"load_rate": float(f"{bytes_a_second:.4g}")} if known else {}


def _trust(found: Measured) -> dict[str, object]:
    errors = {f"{name}_error": round(value, 4) for name, value in vars(found.errors).items()}
    return {
        "what": found.subject.about,
        "held_out_cut": list(found.cut),
        **{name: value for name, value in errors.items() if value == value},
        "jitter_cv": round(found.jitter_cv, 4),
        "jitter_cv_with_outliers": round(found.jitter_cv_all, 4),
        **_rate(found.load_rate),
        "noise": found.noise.record(),
        **({"warning": "; ".join(loud)} if (loud := found.complaints()) else {}),
    }


def _entry(parts: Mapping[int, Parts]) -> dict[str, object]:
    def law(value: Callable[[Parts], float]) -> dict[str, object]:
        return {"points": [[b, round(value(found), 9)] for b, found in sorted(parts.items())]}

    some = next(iter(parts.values()))
    return {
        "base": law(lambda found: found.base),
        "blocks": [law(lambda found, k=k: float(found.blocks[k])) for k in range(len(some.blocks))],
        "heads": {
            block: law(lambda found, block=block: found.heads[block]) for block in some.heads
        },
    }


def link_record(name: str, found: LinkMeasured, command: str) -> dict[str, object]:
    """The mapping that `tiergym.links.load_link` takes: the way up."""
    return {
        "name": name,
        "description": f"Link to {found.host}, measured over TCP.",
        "rtt": round(found.rtt, 7),
        "per_package": round(found.per_package, 7),
        "bandwidth": round(found.up_mbps, 3),
        "source": {
            "kind": "measured",
            "from": "transfers over one TCP connection by tiergym-calibrate",
            "command": command,
            "date": datetime.date.today().isoformat(),
            "machine": describe_machine(),
            "rtt_quantiles_ms": {k: round(v * 1e3, 4) for k, v in found.rtt_quantiles.items()},
            "down_mbps": round(found.down_mbps, 3),
            "fit_error": round(found.error, 4),
            "method": "rtt: median of small messages; per_package and bandwidth: line through the "
            "seconds of transfers of several sizes, less the rtt",
        },
    }


def write_device(path: Path, record: Mapping[str, Any]) -> None:
    """Check that the record is one and write it, whole or not at all.

    Raises:
        InvalidInput: if a figure is none that a profile may hold.
    """
    load_device(dict(record))
    write_yaml(path, record, HEADER)


def write_link(path: Path, record: Mapping[str, Any]) -> None:
    """As `write_device`, for a link."""
    load_link(dict(record))
    write_yaml(path, record, HEADER)
