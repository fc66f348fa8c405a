"""One record per (policy, scenario, seed), in one file a job that is replaced whole or not at all.

A record holds only what a replay gives again bit for bit; times that a clock told go elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import tiergym.errors
from tiergym.evaluation.rollout import Episode

SCHEMA = 1
"""Raised when the fields of a record change."""

DELAY_EDGES = np.logspace(-3, 3, 121)
"""Seconds: bins of the delay histogram, twenty a decade; shorter and longer count at the ends."""

Record = dict[str, Any]


def make_record(facts: Mapping[str, Any], episode: Episode) -> Record:
    """The record of one episode.

    Args:
        facts: what all episodes of the job share (suite, policy, scenario, versions, command).
        episode: what was played.
    """
    metrics = {name: _plain(value) for name, value in episode.metrics.items()}
    return {
        "schema": SCHEMA,
        **facts,
        "seed": episode.seed,
        "instance": episode.instance.digest() if episode.instance else None,
        "metrics": metrics,
        "delays": delay_counts(np.asarray(episode.log.delay)[np.asarray(episode.log.charged)]),
    }


def delay_counts(delay: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, int]:
    """Histogram over `DELAY_EDGES` of the delays that are known, as {bin: count}."""
    known = delay[~np.isnan(delay)]
    bins = np.clip(np.searchsorted(DELAY_EDGES, known, side="right") - 1, 0, len(DELAY_EDGES) - 2)
    found, counts = np.unique(bins, return_counts=True)
    return {str(b): int(c) for b, c in zip(found.tolist(), counts.tolist(), strict=True)}


def _plain(value: float) -> float | None:
    """JSON has neither NaN nor infinity: None stands for unknown."""
    return float(value) if np.isfinite(value) else None


def metric(record: Record, name: str) -> float:
    """A metric of a record, NaN where it is unknown or missing."""
    value = record["metrics"].get(name)
    return float("nan") if value is None else float(value)


def write_text(path: Path, text: str) -> None:
    """Write a file so that, whatever happens, either the old or the new text is there whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(
        dir=path.parent, prefix=f".{path.name}.{os.getpid()}.", suffix=".tmp"
    )
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_records(path: Path, records: Iterable[Record]) -> None:
    """Write records, sorted by seed, one JSON object a line."""
    ordered = sorted(records, key=lambda record: record["seed"])
    write_text(path, "".join(json.dumps(record, sort_keys=True) + "\n" for record in ordered))


def read_records(path: Path) -> list[Record]:
    """The records of a file; none where it is missing or cannot be read as such."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        records = [json.loads(line) for line in lines]
    except (OSError, ValueError):
        return []
    return [record for record in records if isinstance(record, dict) and "seed" in record]


def clear_temporaries(folder: Path) -> None:
    """Remove what interrupted writes left, but nothing that a live process is writing."""
    for path in folder.rglob(".*.tmp"):
        process = path.name.split(".")[-3]
        if not (process.isdigit() and _alive(int(process))):
            path.unlink(missing_ok=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def code_digest(roots: Sequence[Path]) -> str:
    """SHA-256 (hex) over names and bytes of the code and data below some folders.

    Two runs with the same digest simulate the same, so records may be used again.
    """
    state = hashlib.sha256()
    for root in roots:
        paths = [root] if root.is_file() else sorted(p for p in root.rglob("*") if p.is_file())
        for path in paths:
            if path.suffix in (".py", ".yaml", ".npz", ".csv", ".json"):
                state.update(f"{root.name}/{path.relative_to(root)}".encode())
                state.update(path.read_bytes())
    return state.hexdigest()


def simulation_roots() -> list[Path]:
    """What of tiergym a simulation's result depends on (not how results are shown)."""
    package = Path(tiergym.errors.__file__).parent
    own = {"evaluation", "testing", "calibration", "__pycache__"}
    parts = sorted(p for p in package.iterdir() if p.is_dir() and p.name not in own)
    return [*parts, package / "evaluation" / "rollout.py", package / "evaluation" / "acting.py"]


def key_of(facts: Mapping[str, Any]) -> str:
    """Short digest of what must agree for a record to be used again."""
    text = json.dumps(facts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
