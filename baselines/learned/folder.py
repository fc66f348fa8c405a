"""What a training run leaves in its folder, and how it is found again after an interruption.

``config.json`` what was asked for, ``curve.jsonl`` one validation a line, ``progress.csv`` what the
algorithm logged, ``best.*`` and ``last.*`` agents, ``checkpoint.npz`` what training goes on from,
``reference.json`` what the reference costs on the same seeds. All are replaced whole.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.logger import KVWriter

from baselines.learned.agent import read_arrays, write_arrays
from tiergym.errors import InvalidInput
from tiergym.evaluation.records import clear_temporaries, write_text

Point = dict[str, Any]


class Folder:
    """The folder of one run.

    Args:
        path: of the folder; made if it is not there.
        config: what was asked for, as far as it changes what is learned.

    Raises:
        InvalidInput: if another run lies there.
    """

    def __init__(self, path: Path, config: Mapping[str, Any]) -> None:
        self.path = path
        clear_temporaries(path)
        file = path / "config.json"
        asked = json.loads(json.dumps(config))
        if file.is_file():
            found = json.loads(file.read_text(encoding="utf-8"))
            if found != asked:
                other = sorted(k for k in {*found, *asked} if found.get(k) != asked.get(k))
                allowed = f"a name that is free: a run with another {', '.join(other)} lies there"
                raise InvalidInput("name", path.name, allowed)
        else:
            write_text(file, json.dumps(asked, indent=1) + "\n")

    def curve(self) -> list[Point]:
        """The validations so far."""
        return self._json_lines("curve.jsonl")

    def write_curve(self, points: list[Point]) -> None:
        """Replace the curve."""
        lines = (json.dumps(point) + "\n" for point in points)
        write_text(self.path / "curve.jsonl", "".join(lines))

    def _json_lines(self, name: str) -> list[Point]:
        file = self.path / name
        if not file.is_file():
            return []
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]

    def agent(self, which: str) -> Path:
        """Where the ``best`` or ``last`` agent lies, without an ending."""
        return self.path / which

    @property
    def checkpoint(self) -> Path:
        """What training goes on from."""
        return self.path / "checkpoint.npz"

    @property
    def reference(self) -> Path:
        """What the reference costs."""
        return self.path / "reference.json"


@dataclass(frozen=True)
class Checkpoint:
    """Where a run stands.

    Attributes:
        frames: decisions that were learned from. seconds: of wall time, over all its parts.
        parts: how often it was begun or gone on with.
    """

    frames: int
    seconds: float
    parts: int


def write_checkpoint(path: Path, model: Any, at: Checkpoint) -> None:
    """Keep weights and the optimiser's moments; a replay buffer is filled anew.

    Args:
        model: an algorithm of Stable-Baselines3.
    """
    arrays = {f"policy/{k}": v.cpu().numpy() for k, v in model.policy.state_dict().items()}
    moments = model.policy.optimizer.state_dict()["state"]
    for index, state in moments.items():
        for name, value in state.items():
            arrays[f"optimizer/{index}/{name}"] = torch.as_tensor(value).cpu().numpy()
    stand = np.array([at.frames, at.seconds, at.parts, model._n_updates], np.float64)
    write_arrays(path, {**arrays, "stand": stand})


def read_checkpoint(path: Path, model: Any) -> Checkpoint:
    """Put a checkpoint into a model that was just made."""
    arrays = read_arrays(path)
    frames, seconds, parts, updates = arrays.pop("stand").tolist()
    weights = _below(arrays, "policy/")
    model.policy.load_state_dict({name: torch.from_numpy(v) for name, v in weights.items()})
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in _below(arrays, "optimizer/").items():
        index, _, name = key.partition("/")
        state.setdefault(int(index), {})[name] = torch.from_numpy(value)
    groups = model.policy.optimizer.state_dict()["param_groups"]
    model.policy.optimizer.load_state_dict({"state": state, "param_groups": groups})
    model.num_timesteps, model._n_updates = int(frames), int(updates)
    if hasattr(model, "learning_starts"):
        model.learning_starts += int(frames)  # until the replay buffer is filled anew
    return Checkpoint(int(frames), seconds, int(parts))


def _below(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}


class Progress(KVWriter):
    """What an algorithm logs, as a CSV file that a resumed run goes on with.

    Args:
        path: of the file.
        frames: where the run stands; what was logged after that is forgotten.
    """

    def __init__(self, path: Path, frames: int) -> None:
        self._path = path
        self._rows: list[dict[str, Any]] = []
        if path.is_file():
            with path.open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
            self._rows = [r for r in rows if float(r["time/total_timesteps"] or "inf") <= frames]

    def write(
        self, key_values: dict[str, Any], key_excluded: dict[str, Any], step: int = 0
    ) -> None:
        """Keep a row; `save` writes it."""
        row = {k: v for k, v in key_values.items() if isinstance(v, (int, float, np.number))}
        self._rows.append({**row, "time/total_timesteps": step})

    def save(self) -> None:
        """Replace the file."""
        names = sorted({name for row in self._rows for name in row})
        text = io.StringIO()
        writer = csv.DictWriter(text, names, restval="")
        writer.writeheader()
        writer.writerows(self._rows)
        write_text(self._path, text.getvalue())

    def close(self) -> None:
        """Write what is left."""
        self.save()
