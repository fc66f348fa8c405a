"""Agents on disk, without pickle: ``NAME.npz`` holds the weights, ``NAME.yaml`` what they are of.

Loading an agent runs no code from either file: the policy is built by the record's plain values,
and arrays are read with pickles refused.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from numpy.typing import NDArray

from baselines.learned.algorithms import Spaces, algorithm_of, build_policy
from baselines.policy import Observation
from tiergym.errors import InvalidInput
from tiergym.evaluation.records import write_text
from tiergym.fields import integer, mapping, read_yaml, text

FORMAT = 1
"""Raised when a record means something else than before."""
_NEEDED = ("format", "algo", "network", "env_id", "fields", "actions")


class Agent:
    """A trained policy with Stable-Baselines3's ``predict`` on dictionaries of observed fields.

    Args:
        policy: a policy of Stable-Baselines3.
        record: what it is, see `save_agent`.
    """

    privileged = False

    def __init__(self, policy: Any, record: Mapping[str, Any]) -> None:
        self.policy = policy
        self.record = dict(record)
        self._fields: dict[str, int] = dict(record["fields"])
        self._actions = int(record["actions"])
        self._masked = algorithm_of(record["algo"]).masked

    def predict(
        self,
        observation: Observation,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = False,
    ) -> tuple[Any, Any]:
        """A legal action of one observation (int64), or of n rows (int64[n]).

        An algorithm without a mask may prefer an illegal action; the lowest legal one is taken then
        as the environment does by default.
        """
        flat, legal = self._read(observation)
        more = {"action_masks": legal} if self._masked else {}
        actions = self.policy.predict(flat, deterministic=deterministic, **more)[0]
        if not self._masked:
            chosen = actions.reshape(len(legal), 1)
            works = np.take_along_axis(legal, chosen, 1)[:, 0]
            actions = np.where(works, actions, legal.argmax(1))
        single = np.ndim(observation["action_mask"]) == 1
        return (np.int64(actions[0]) if single else actions.astype(np.int64)), state

    def _read(self, observation: Observation) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        missing = [name for name in (*self._fields, "action_mask") if name not in observation]
        if missing:
            raise InvalidInput("observation", list(observation), f"{', '.join(missing)} too")
        parts = [np.asarray(observation[name]) for name in self._fields]
        widths = {name: p.shape[-1] for name, p in zip(self._fields, parts, strict=True)}
        legal = np.atleast_2d(np.asarray(observation["action_mask"], np.bool_))
        if widths != self._fields or legal.shape[1] != self._actions:
            allowed = f"{self._actions} actions and fields as in training, {self._fields}"
            raise InvalidInput("observation", {**widths, "actions": legal.shape[1]}, allowed)
        return np.atleast_2d(np.concatenate(parts, -1, dtype=np.float32)), legal


def save_agent(path: str | Path, policy: torch.nn.Module, record: Mapping[str, Any]) -> None:
    """Write ``path.npz`` and ``path.yaml``, each whole or not at all, the record last.

    Args:
        path: of both files, without their endings.
        policy: whose weights are kept.
        record: plain values; ``algo``, ``network``, ``env_id``, ``fields`` and ``actions`` rebuild
            the policy (see `policy_of`), the rest says where it comes from.
    """
    path = Path(path)
    weights = {name: value.cpu().numpy() for name, value in policy.state_dict().items()}
    write_arrays(path.with_name(path.name + ".npz"), weights)
    plain = {"format": FORMAT, **record}
    write_text(path.with_name(path.name + ".yaml"), yaml.safe_dump(plain, sort_keys=False))


def load_agent(path: str | Path) -> Agent:
    """The agent of ``path.npz`` and ``path.yaml``.

    Raises:
        InvalidInput: if they are missing, do not belong together, or are of a later format.
    """
    path = Path(path)
    record = read_record(path)
    fields = {k: integer(f"fields.{k}", v) for k, v in mapping("fields", record["fields"]).items()}
    actions = integer("actions", record["actions"], low=1)
    of = Spaces(text("env_id", record["env_id"]), fields, actions)
    network = mapping("network", record["network"])
    policy = build_policy(text("algo", record["algo"]), network, of)
    weights = read_arrays(path.with_name(path.name + ".npz"))
    try:
        policy.load_state_dict({name: torch.from_numpy(v) for name, v in weights.items()})
    except RuntimeError as error:
        raise InvalidInput(f"{path}.npz", sorted(weights), f"the weights of {error}") from None
    return Agent(policy, {**record, "fields": fields})


def read_record(path: Path) -> dict[str, Any]:
    """The record of the agent at ``path``.

    Raises:
        InvalidInput: if it is missing or incomplete.
    """
    file = path.with_name(path.name + ".yaml")
    record = mapping(str(file), read_yaml(file, "agent"))
    for name in _NEEDED:
        if name not in record:
            raise InvalidInput(f"{file}, {name}", None, "it has to be given")
    if record["format"] != FORMAT:
        raise InvalidInput(f"{file}, format", record["format"], str(FORMAT))
    return record


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write an .npz file that is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(
        dir=path.parent, prefix=f".{path.name}.{os.getpid()}.", suffix=".tmp"
    )
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez_compressed(file, **arrays)  # pyright: ignore[reportArgumentType]
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an .npz file; one that holds a pickle is refused.

    Raises:
        InvalidInput: if it cannot be read.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError) as error:
        raise InvalidInput("agent", str(path), f"an .npz file of arrays ({error})") from None
