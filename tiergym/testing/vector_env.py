"""`check_vector_env`: is a vector environment what `SyncVectorEnv` makes of the single one?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from numpy.typing import NDArray

AnyVectorEnv = VectorEnv[Any, Any, Any]


def check_vector_env(
    env_id: str,
    num_envs: int = 3,
    steps: int = 500,
    seed: int = 0,
    max_episode_steps: int | None = None,
    **kwargs: Any,
) -> None:
    """Compare an environment's vector entry point with `SyncVectorEnv`, bit for bit.

    In each of the three autoreset modes both are reset with the same seed and stepped with the same
    random legal actions; observations, rewards, ends and infos (their ``_key`` masks, ``final_obs``
    and ``final_info`` included) must be equal in every bit, dtype and shape. Also: no array that
    was returned is written again, row i does not depend on the number of rows, and ``metadata`` is
    the instance's own.

    Args:
        env_id: a registered id with a vector entry point that takes ``autoreset_mode``; its
            observation is a ``Dict`` with an ``action_mask``, or any action is legal.
        num_envs: rows.
        steps: decisions a mode; so many that some episode ends.
        seed: of the environments and of the actions.
        max_episode_steps: truncate after so many decisions.
        **kwargs: passed on to ``gym.make`` and ``gym.make_vec``.

    Raises:
        AssertionError: naming the mode, the step, and the first thing that differs; also if no
            episode ended, since resets were not compared then.
    """
    given = {**kwargs}
    if max_episode_steps is not None:
        given["max_episode_steps"] = max_episode_steps
    for mode in AutoresetMode:
        _compare_mode(env_id, num_envs, steps, seed, mode, given)
    _compare_row_counts(env_id, num_envs, min(steps, 100), seed, kwargs)
    _check_metadata(env_id, kwargs)


def legal_actions(observation: Any, np_random: np.random.Generator) -> NDArray[np.int64] | None:
    """One random legal action a row, int64[n]; None where the observation has no mask."""
    if not isinstance(observation, Mapping) or "action_mask" not in observation:
        return None
    mask: NDArray[Any] = np.asarray(cast(Any, observation)["action_mask"])
    rows: int = mask.shape[0]
    draws = np_random.random(rows)
    rank = (draws * mask.sum(axis=1)).astype(np.int64)
    return (np.cumsum(mask, axis=1) > rank[:, None]).argmax(axis=1)


def _vector(env_id: str, rows: int, mode: AutoresetMode, given: dict[str, Any]) -> AnyVectorEnv:
    return gym.make_vec(
        env_id,
        num_envs=rows,
        vectorization_mode="vector_entry_point",
        autoreset_mode=mode.value,
        **given,
    )


def _compare_mode(
    env_id: str, rows: int, steps: int, seed: int, mode: AutoresetMode, given: dict[str, Any]
) -> None:
    vector = _vector(env_id, rows, mode, given)
    makers = [lambda: gym.make(env_id, **given) for _ in range(rows)]
    single = SyncVectorEnv(makers, autoreset_mode=mode)
    action_space = cast(Any, single).single_action_space
    action_space.seed(seed)
    where = f"{mode.value} reset"
    _same_spaces(vector, single)
    got, expected = vector.reset(seed=seed), single.reset(seed=seed)
    _equal(got, expected, where)
    np_random = np.random.default_rng(seed)
    kept: list[tuple[Any, Any]] = []
    ends = 0
    for step in range(steps):
        kept = [*kept[-3:], (got, _copied(got))]
        actions = legal_actions(got[0], np_random)
        if actions is None:
            actions = np.array([action_space.sample() for _ in range(rows)])
        got, expected = vector.step(actions), single.step(actions)
        where = f"{mode.value} step {step}"
        _equal(got, expected, where)
        for before, copy in kept:
            _equal(before, copy, f"{where}, an array that was returned before")
        ends += int(np.logical_or(got[2], got[3]).sum())
        if mode == AutoresetMode.DISABLED:
            got, expected = _reset_ended(vector, single, got, where)
    assert ends > 0, f"{mode.value}: no episode ended in {steps} steps; give more"
    vector.close()
    single.close()


def _reset_ended(vector: AnyVectorEnv, single: AnyVectorEnv, got: Any, where: str) -> Any:
    over = np.logical_or(got[2], got[3])
    if not over.any():
        return got, got
    after = vector.reset(options={"reset_mask": over.copy()})
    expected = single.reset(options={"reset_mask": over.copy()})
    _equal(after, expected, f"{where}, reset of {np.flatnonzero(over).tolist()}")
    return after, expected


def _compare_row_counts(
    env_id: str, rows: int, steps: int, seed: int, given: dict[str, Any]
) -> None:
    """Rows with the same seeds and actions must not notice how many others there are."""
    many = _vector(env_id, rows, AutoresetMode.NEXT_STEP, given)
    alone = _vector(env_id, 1, AutoresetMode.NEXT_STEP, given)
    observation, _ = many.reset(seed=seed)
    own, _ = alone.reset(seed=seed)
    np_random = np.random.default_rng(seed)
    for step in range(steps):
        _equal(own, _first_row(observation), f"row 0 of {rows} and of 1, step {step}")
        actions = legal_actions(observation, np_random)
        if actions is None:
            return
        observation = many.step(actions)[0]
        own = alone.step(actions[:1])[0]


def _first_row(observation: Any) -> Any:
    if isinstance(observation, Mapping):
        fields = cast(Mapping[str, Any], observation)
        return {name: value[:1] for name, value in fields.items()}
    return observation[:1]


def _check_metadata(env_id: str, given: dict[str, Any]) -> None:
    first = _vector(env_id, 1, AutoresetMode.NEXT_STEP, given)
    second = _vector(env_id, 1, AutoresetMode.SAME_STEP, given)
    modes = [env.metadata.get("autoreset_mode") for env in (first, second)]
    expected = [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP]
    assert modes == expected, f"metadata['autoreset_mode'] of two instances: {modes}"


def _same_spaces(vector: AnyVectorEnv, single: AnyVectorEnv) -> None:
    for name in (
        "single_observation_space",
        "observation_space",
        "single_action_space",
        "action_space",
    ):
        got, expected = getattr(vector, name), getattr(single, name)
        assert got == expected, f"{name}: {got} is not SyncVectorEnv's {expected}"


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        fields = cast(Mapping[str, Any], value)
        return {name: _copied(part) for name, part in fields.items()}
    if isinstance(value, tuple):
        return tuple(_copied(part) for part in cast(tuple[Any, ...], value))
    if isinstance(value, np.ndarray):
        array = cast(NDArray[Any], value)
        if array.dtype == object:
            return np.array([_copied(part) for part in array] + [None], dtype=object)[:-1]
        return array.copy()
    return value


def _equal(got: Any, expected: Any, where: str) -> None:
    """Raise AssertionError at the first thing that differs in value, dtype, shape or keys."""
    if isinstance(expected, Mapping):
        fields = cast(Mapping[str, Any], expected)
        assert isinstance(got, Mapping), f"{where}: {type(got)} is no mapping"
        ours = cast(Mapping[str, Any], got)
        assert set(ours) == set(fields), f"{where}: keys {sorted(ours)} are not {sorted(fields)}"
        for name, part in fields.items():
            _equal(ours[name], part, f"{where}, {name}")
    elif isinstance(expected, tuple):
        parts, ours = cast(tuple[Any, ...], expected), cast(tuple[Any, ...], got)
        assert len(ours) == len(parts), f"{where}: {len(ours)} parts, not {len(parts)}"
        for k, part in enumerate(parts):
            _equal(ours[k], part, f"{where}, part {k}")
    elif isinstance(expected, np.ndarray):
        _equal_arrays(got, cast(NDArray[Any], expected), where)
    else:
        same = got == expected or (got != got and expected != expected)
        assert same, f"{where}: {got!r} is not {expected!r}"


def _equal_arrays(got: Any, expected: NDArray[Any], where: str) -> None:
    assert isinstance(got, np.ndarray), f"{where}: {type(got)} is no array"
    array = cast(NDArray[Any], got)
    assert array.dtype == expected.dtype, f"{where}: {array.dtype} is not {expected.dtype}"
    assert array.shape == expected.shape, f"{where}: {array.shape} is not {expected.shape}"
    if expected.dtype == object:
        for k in np.ndindex(expected.shape):
            _equal(array[k], expected[k], f"{where}[{k}]")
        return
    if array.tobytes() != expected.tobytes():
        at = tuple(int(i) for i in np.argwhere(~(array == expected))[0])
        raise AssertionError(f"{where}{list(at)}: {array[at]!r} is not {expected[at]!r}")
