"""The base of the vector environments: n rows of episodes in one compiled call.

Bit for bit what Gymnasium's `SyncVectorEnv` makes of the single environment, in all three autoreset
modes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from tiergym.engine import TaskLog
from tiergym.envs.arguments import whole
from tiergym.envs.episodes import ACT, BEGIN, STAND, Episodes, Observation, ended
from tiergym.envs.rows import Snapshot
from tiergym.errors import InvalidInput
from tiergym.scenarios import Scenario

Flags = NDArray[np.bool_]
_MOST = 2**31 - 1


class EpisodesVectorEnv(VectorEnv[Observation, NDArray[np.int64], NDArray[Any]]):
    """A vector environment over `Episodes`.

    Row i of ``reset(seed=s)`` is the single environment with seed s + i. Beyond `SyncVectorEnv`:
    under ``DISABLED`` a finished row may be stepped on; it stands still, its reward 0 and its end
    told again, until `reset` with a ``reset_mask``.

    Args:
        make: makes the episodes of a number of rows.
        num_envs: rows.
        render_mode: ``"ansi"`` or None.
        autoreset_mode: ``"NextStep"``, ``"SameStep"`` or ``"Disabled"``.
        max_episode_steps: truncate after so many decisions; None for never.

    Raises:
        InvalidInput: naming the row for an illegal action; the actions of all live rows are
            checked before any row moves.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 (an instance's own, as Gymnasium declares it)
        "render_modes": ["ansi"],
        "render_fps": 4,
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }

    def __init__(
        self,
        make: Callable[[int], Episodes],
        num_envs: int,
        render_mode: str | None,
        autoreset_mode: str | AutoresetMode,
        max_episode_steps: int | None,
    ) -> None:
        num_envs = whole("num_envs", num_envs, 1, _MOST)
        self._episodes = make(num_envs)
        self.num_envs = num_envs
        self.render_mode = render_mode if render_mode in self.metadata["render_modes"] else None
        self._mode = _autoreset_mode(autoreset_mode)
        self.metadata = {**self.metadata, "autoreset_mode": self._mode}
        self.single_observation_space = self._episodes.observation_space()
        self.single_action_space = self._episodes.action_space()  # pyright: ignore[reportAttributeAccessIssue]
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._max_steps: int | None = None
        if max_episode_steps is not None:
            self._max_steps = whole("max_episode_steps", max_episode_steps, 1, _MOST)
        self._steps = np.zeros(num_envs, np.int64)
        self._generators: list[np.random.Generator | None] = [None] * num_envs
        self._seeds: list[int] = [-1] * num_envs
        # How the rows that have ended, and were not reset yet, did so.
        self._terminated: Flags = np.zeros(num_envs, np.bool_)
        self._truncated: Flags = np.zeros(num_envs, np.bool_)
        self._begun = False

    @property
    def np_random_seed(self) -> tuple[int, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The seed of each row's generator."""
        return tuple(self._seeds)

    @property
    def np_random(self) -> tuple[np.random.Generator, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The generator of each row."""
        return tuple(self._generator(row) for row in range(self.num_envs))

    def _generator(self, row: int) -> np.random.Generator:
        generator = self._generators[row]
        if generator is None:
            generator, self._seeds[row] = seeding.np_random()
            self._generators[row] = generator
        return generator

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        """The scenarios that episodes are drawn from."""
        return self._episodes.rows.scenarios

    def action_masks(self) -> NDArray[np.bool_]:
        """bool[n, A]: which actions are legal now."""
        return self._episodes.observe()["action_mask"].view(np.bool_)

    def reset(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Observation, dict[str, Any]]:
        """Reset all rows, or those of ``options["reset_mask"]`` (bool[n]).

        Args:
            seed: row i takes ``seed + i``, or the i-th of a list; None goes on with the
                generators as they are.
            options: ``reset_mask``, and what the single environment takes, for every row alike.
        """
        given = dict(options or {})
        which = _reset_mask(given.pop("reset_mask", None), self.num_envs)
        if not self._begun and not which.all():
            raise InvalidInput("options.reset_mask", which, "all rows at the first reset")
        self._seed_rows(seed, which)
        self._reset_rows(which, given)
        self._begun = True
        observation, results = self._episodes.begin(which)
        info: dict[str, Any] = {}
        _put(info, "elapsed", results[:, 1], which)
        return observation, info

    def _seed_rows(self, seed: int | Sequence[int | None] | None, which: Flags) -> None:
        if seed is None:
            return
        given: Any = seed
        if np.ndim(given) == 0:
            first = whole("seed", given, 0, 2**63)
            given = [first + i for i in range(self.num_envs)]
        seeds = list(given)
        if len(seeds) != self.num_envs:
            raise InvalidInput("seed", seeds, f"one number, or {self.num_envs}")
        for row in np.flatnonzero(which):
            if seeds[row] is not None:
                self._generators[row], self._seeds[row] = seeding.np_random(seeds[row])

    def _reset_rows(self, which: Flags, options: dict[str, Any]) -> None:
        for row in np.flatnonzero(which).tolist():
            self._episodes.rows.begin(row, self._generator(row), options)
        self._steps[which] = 0
        self._terminated[which] = False
        self._truncated[which] = False

    def step(
        self, actions: Any
    ) -> tuple[Observation, NDArray[np.float64], Flags, Flags, dict[str, Any]]:
        """Carry out one decision in every live row; see the class for finished ones.

        Raises:
            InvalidInput: before the first reset, for actions of a wrong shape or outside the
                action space, and for an illegal one under ``invalid_action="raise"``.
        """
        if not self._begun:
            raise InvalidInput("step", "no reset yet", "a step after reset")
        checked = self._checked_actions(actions)
        # Rows that ended are reset instead of stepped (NextStep), or stand still (Disabled).
        over = self._terminated | self._truncated
        moves = np.where(over, STAND, ACT).astype(np.int8)
        if self._episodes.strict:
            self._episodes.check_actions(checked, moves)
        live = ~over
        if self._mode == AutoresetMode.NEXT_STEP and over.any():
            moves[over] = BEGIN
            self._reset_rows(over, {})
        observation, results = self._episodes.step(checked, moves)
        return self._conclude(observation, results, live)

    def _conclude(
        self, observation: Observation, results: NDArray[np.float64], live: Flags
    ) -> tuple[Observation, NDArray[np.float64], Flags, Flags, dict[str, Any]]:
        self._steps += live
        # A row that was just reset may be over without a decision; its next step says so.
        terminated = self._terminated | (ended(results[:, 2]) & live)
        truncated = self._truncated.copy()
        if self._max_steps is not None:
            truncated |= live & (self._steps >= self._max_steps)
        over = terminated | truncated
        info: dict[str, Any] = {}
        if self._mode == AutoresetMode.SAME_STEP and over.any():
            observation, results = self._reset_at_once(observation, results, over, terminated, info)
        else:
            self._put_metrics(info, terminated & live)
            self._terminated, self._truncated = terminated.copy(), truncated.copy()
        _put(info, "elapsed", results[:, 1], np.ones(self.num_envs, np.bool_))
        return observation, results[:, 0].copy(), terminated, truncated, info

    def _reset_at_once(
        self,
        observation: Observation,
        results: NDArray[np.float64],
        over: Flags,
        terminated: Flags,
        info: dict[str, Any],
    ) -> tuple[Observation, NDArray[np.float64]]:
        final: dict[str, Any] = {}
        _put(final, "elapsed", results[:, 1], over)
        self._put_metrics(final, terminated)
        final_obs = np.full(self.num_envs, None, dtype=object)
        for row in np.flatnonzero(over):
            final_obs[row] = {name: field[row].copy() for name, field in observation.items()}
        info["final_obs"], info["_final_obs"] = final_obs, over.copy()
        info["final_info"], info["_final_info"] = final, over.copy()
        rewards = results[:, 0].copy()
        self._reset_rows(over, {})
        fresh, after = self._episodes.begin(over)
        after[:, 0] = rewards
        return fresh, after

    def _put_metrics(self, info: dict[str, Any], which: Flags) -> None:
        if not which.any():
            return
        rows = np.flatnonzero(which).tolist()
        figures = [self._episodes.metrics(row) for row in rows]
        values = np.zeros((len(figures[0]), self.num_envs))
        values[:, rows] = np.array([list(each.values()) for each in figures]).T
        masks = np.tile(which, (len(values), 1))
        table: dict[str, Any] = {}
        for name, figure, mask in zip(figures[0], values, masks, strict=True):
            table[name], table[f"_{name}"] = figure, mask
        info["metrics"], info["_metrics"] = table, which.copy()

    def _checked_actions(self, actions: Any) -> NDArray[np.int64]:
        given = np.asarray(actions)
        if given.shape != (self.num_envs,) or given.dtype.kind not in "iu":
            what = f"{given.dtype}{list(given.shape)}"
            raise InvalidInput("actions", what, f"whole numbers of shape ({self.num_envs},)")
        wrong = (given < 0) | (given >= self._episodes.actions)
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            most = self._episodes.actions - 1
            raise InvalidInput(f"action of row {row}", int(given[row]), f"0 to {most}")
        return given.astype(np.int64, copy=False)

    def task_log(self) -> list[TaskLog]:
        """What has happened to each task of every row's current episode."""
        return [self._episodes.rows.log(row) for row in range(self.num_envs)]

    def snapshot(self) -> list[Snapshot]:
        """A copy of every row's episode; it holds the true future (privileged)."""
        return [self._episodes.rows.snapshot(row) for row in range(self.num_envs)]

    def restore(
        self,
        snapshots: Sequence[Snapshot],
        future: Sequence[np.random.Generator] | None = None,
    ) -> Observation:
        """Put one snapshot into each row; with ``future``, each under a future drawn anew.

        Returns:
            The observations at those moments.
        """
        if len(snapshots) != self.num_envs:
            raise InvalidInput("snapshots", len(snapshots), f"{self.num_envs}, one a row")
        if future is not None and len(future) != self.num_envs:
            raise InvalidInput("future", len(future), f"{self.num_envs} generators, one a row")
        for row, snapshot in enumerate(snapshots):
            generator = None if future is None else future[row]
            self._episodes.rows.restore(row, snapshot, generator)
        self._begun = True
        self._steps[:] = 0
        observation, results = self._episodes.begin(np.zeros(self.num_envs, np.bool_))
        self._truncated[:] = False
        self._terminated = ended(results[:, 2])
        return observation

    def render(self) -> tuple[str, ...] | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The present state of each row as text under ``render_mode="ansi"``."""
        if self.render_mode is None:
            return None
        observation = self._episodes.observe()
        return tuple(
            self._episodes.as_text({name: field[row] for name, field in observation.items()}, row)
            for row in range(self.num_envs)
        )


def _autoreset_mode(given: str | AutoresetMode) -> AutoresetMode:
    try:
        return AutoresetMode(given)
    except ValueError as error:
        names = ", ".join(mode.value for mode in AutoresetMode)
        raise InvalidInput("autoreset_mode", given, names) from error


def _reset_mask(given: Any, rows: int) -> Flags:
    if given is None:
        return np.ones(rows, np.bool_)
    mask = np.asarray(given)
    if mask.shape != (rows,) or mask.dtype != np.bool_ or not mask.any():
        raise InvalidInput("options.reset_mask", given, f"bool[{rows}] with at least one True")
    return mask


def _put(info: dict[str, Any], name: str, values: NDArray[np.float64], which: Flags) -> None:
    """Add one figure to a vector info as Gymnasium lays it out: zeros where it is absent."""
    info[name] = np.where(which, values, 0.0)
    info[f"_{name}"] = which.copy()
