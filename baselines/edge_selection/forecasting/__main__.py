"""Measure the forecasters of edges' load; ``python -m baselines.edge_selection.forecasting``.

Without words it prints RMSE and MAE of each forecaster on series that none was fitted to, by
horizon, with ratios to those of the last value and 95 % intervals. ``train=true`` fits ``ar`` and
trains ``lstm`` anew first (a minute or two on one core; torch) and writes their weights.

    train: true fits and trains before it measures
    sources: of series, nab or simulated (default: both; simulated plays drawn episodes)
    seeds: runs of the LSTM, the best on the held-back part is kept (default 3)
    out: folder for the weights (default: those that the package ships)
"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

import tiergym
from baselines.edge_selection.forecasting import FORECASTERS, HORIZONS
from baselines.edge_selection.forecasting.ar import Ar
from baselines.edge_selection.forecasting.data import SOURCES, Series
from baselines.edge_selection.forecasting.errors import Errors, measure, table
from baselines.edge_selection.forecasting.lstm import Lstm
from baselines.edge_selection.forecasting.training import Trained, train
from baselines.edge_selection.forecasting.weights import FOLDER
from baselines.edge_selection.forecasting.windows import Forecaster
from tiergym.errors import InvalidInput
from tiergym.fields import closest, flag, integer, text

KEYS = ("train", "sources", "seeds", "out")
SEEDS = 3
_FITTED = ("ar", "lstm")


def main(words: Sequence[str] | None = None) -> int:
    """Run the command; 0 if all went well."""
    from tiergym.calibration.multi_exit.options import parse_words

    given = list(sys.argv[1:] if words is None else words)
    if {"-h", "--help"} & set(given):
        print(__doc__)
        return 0
    try:
        options = parse_words(given)
        sources = _checked(options)
        forecasters: dict[str, Forecaster] = {}
        if flag("train", options.get("train", False)):
            seeds = integer("seeds", options.get("seeds", SEEDS), "runs", low=1)
            out = Path(text("out", options.get("out", str(FOLDER))))
            forecasters = _train(sources, seeds, out, " ".join(given))
        _show(sources, forecasters or {name: make() for name, make in FORECASTERS.items()})
    except InvalidInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _checked(options: Mapping[str, object]) -> list[str]:
    """The names of the sources."""
    for key in options:
        if key not in KEYS:
            raise InvalidInput(key, options[key], f"one of {', '.join(KEYS)}{closest(key, KEYS)}")
    given = options.get("sources", list(SOURCES))
    names = given if isinstance(given, list) else [given]
    for name in names:
        if name not in SOURCES:
            raise InvalidInput("sources", name, f"of {', '.join(SOURCES)}")
    return [str(name) for name in names]


def _show(sources: Sequence[str], forecasters: Mapping[str, Forecaster]) -> None:
    """Two tables a source: all relative to the last value, and the LSTM to AR."""
    for source in sources:
        series = SOURCES[source]("test")
        size = f"{source}: {len(series)} series, {sum(map(len, series.values()))} values"
        title = f"{size}; utilisation, ratio to last [95 %]"
        print(table(title, measure(forecasters, series)), end="\n\n", flush=True)
        own = measure(forecasters, series, "ar")["lstm"]
        print(table(f"{source}: the LSTM, ratio to AR [95 %]", {"lstm": own}), end="\n\n")


def _train(sources: Sequence[str], seeds: int, out: Path, words: str) -> dict[str, Forecaster]:
    """Fit and train on all sources, write the weights, and return every forecaster with them."""
    started, series = time.perf_counter(), dict[str, Any]()
    for source in sources:
        series |= SOURCES[source]("train")
    ar = Ar.fitted(list(series.values()))
    runs = [train(series, seed, _told) for seed in range(seeds)]
    best = min(runs, key=lambda run: run.best)
    forecasters = {name: make() for name, make in FORECASTERS.items() if name not in _FITTED}
    forecasters |= {"ar": ar, "lstm": Lstm(best.weights)}
    errors = {source: measure(forecasters, SOURCES[source]("test")) for source in sources}
    about = _about(words, sources, series, time.perf_counter() - started)
    _write(out, "ar", {"coefficients": ar.coefficients}, about, errors)
    curves = {"kept_seed": best.seed, "runs": [_run(run) for run in runs]}
    _write(out, "lstm", best.weights, {**about, **curves}, errors)
    return forecasters


def _told(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)


def _about(words: str, sources: Sequence[str], series: Series, seconds: float) -> dict[str, Any]:
    from importlib.metadata import version

    return {
        "command": f"python -m baselines.edge_selection.forecasting {words}",
        "date": datetime.now(UTC).date().isoformat(),
        "machine": platform.processor() or platform.machine(),
        "versions": {
            "tiergym": tiergym.__version__,
            "numpy": np.__version__,
            "torch": version("torch"),
        },
        "seconds": round(seconds, 1),
        "sources": list(sources),
        "series": _counts(series),
    }


def _counts(series: Series) -> dict[str, list[int]]:
    """Series and values by machine or scenario."""
    found: dict[str, list[int]] = {}
    for name, values in series.items():
        count = found.setdefault(name.partition("/")[0], [0, 0])
        count[0] += 1
        count[1] += len(values)
    return found


def _run(run: Trained) -> dict[str, Any]:
    return {
        "seed": run.seed,
        "epochs": len(run.curve),
        "best": run.best,
        "training_loss": [round(first, 5) for first, _ in run.curve],
        "held_back_loss": [round(second, 5) for _, second in run.curve],
    }


def _write(
    out: Path, name: str, arrays: Mapping[str, Any], about: Mapping[str, Any], errors: Any
) -> None:
    """``NAME.npz`` and its record ``NAME.yaml``."""
    from tiergym.calibration.records import write_yaml

    out.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(out / f"{name}.npz", **arrays)
    held_out = {source: _errors(found[name]) for source, found in errors.items()}
    record = {**about, "horizons": list(HORIZONS), "held_out": held_out}
    write_yaml(out / f"{name}.yaml", record, "Written by the command below")
    print(f"written to {out / name}.npz", file=sys.stderr)


def _errors(found: Errors) -> dict[str, list[float]]:
    return {
        "rmse": [round(float(value), 5) for value in found.rmse],
        "mae": [round(float(value), 5) for value in found.mae],
        "rmse_over_last": [round(ratio.estimate, 4) for ratio in found.rmse_ratio],
        "mae_over_last": [round(ratio.estimate, 4) for ratio in found.mae_ratio],
    }


if __name__ == "__main__":
    sys.exit(main())
