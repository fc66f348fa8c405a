"""The figures that a problem adds to its suites' pages, computed once and kept by the records.

And what computing them takes, whatever the problem: instances of a suite, episodes replayed.
"""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym

from baselines.configuration import versions
from baselines.registry import make_policy
from tiergym.errors import InvalidInput
from tiergym.evaluation.records import code_digest, key_of, write_text
from tiergym.evaluation.report.figures import Gallery, Group, from_plain, to_plain
from tiergym.evaluation.results import Results
from tiergym.evaluation.rollout import Episode, play
from tiergym.evaluation.scenes import Scene
from tiergym.evaluation.suites import Entry, Suite
from tiergym.scenarios import Instance

MODULES = {
    "tiergym/ExitPlacement-v0": "baselines.exit_placement.gallery",
    "tiergym/EdgeSelection-v0": "baselines.edge_selection.gallery",
}
"""Environment id -> module with ``TITLE``, ``LEAD`` and ``figures(results)``, which yields groups.

A problem without one adds no section.
"""
FILE = "figures.json"

Told = Callable[[str], Any]


def gallery_of(results: Results, folder: Path, told: Told) -> Gallery | None:
    """The figures of a suite, computed unless `FILE` holds those of the same results.

    Args:
        results: what was played; policies without records are left out.
        folder: where the records lie.
        told: called with a line of progress now and then.
    """
    name = MODULES.get(results.suite.environment)
    if name is None or not results.records:
        return None
    path, key = folder / FILE, figures_key(results)
    kept = _kept(path, key)
    if kept is not None:
        return kept
    module = importlib.import_module(name)
    groups: list[Group] = []
    began, total = time.perf_counter(), len(results.scored)
    for group in module.figures(results):
        groups.append(group)
        seconds = time.perf_counter() - began
        told(f"{len(groups)}/{total} scenarios drawn after {seconds:.0f} s, last: {group.title}")
    gallery = Gallery(module.TITLE, module.LEAD, tuple(groups))
    write_text(path, json.dumps({"key": key, "gallery": to_plain(gallery)}) + "\n")
    return gallery


def figures_key(results: Results) -> str:
    """Digest of what figures depend on: suite, scenes, code, and who has played the first seed."""
    first = results.suite.first_seed
    facts = {
        "suite": results.suite.digest(),
        "scenes": {scene.label: scene.digest for scene in results.scenes},
        "first": sorted(pair for pair, by in results.records.items() if first in by),
        "shared": code_digest([Path(__file__)]),
        **versions(),
    }
    return key_of(facts)


def _kept(path: Path, key: str) -> Gallery | None:
    """What a file holds, if it is of that key; nothing where it cannot be read as such."""
    try:
        plain: Any = json.loads(path.read_text(encoding="utf-8"))
        return from_plain(Gallery, plain["gallery"]) if plain["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError, InvalidInput):
        return None


class Recorder(gym.Wrapper[Any, Any, Any, Any]):
    """Keeps what was observed and taken since the last reset."""

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self.observations: list[Any] = []
        self.actions: list[int] = []

    def reset(self, **given: Any) -> Any:
        """Begin anew."""
        observation, info = self.env.reset(**given)
        self.observations, self.actions = [observation], []
        return observation, info

    def step(self, action: Any) -> Any:
        """Carry out a decision and keep it."""
        told = self.env.step(action)
        self.actions.append(int(action))
        self.observations.append(told[0])
        return told


class Played(NamedTuple):
    """An episode of a policy: its actions, and the observations, one more, around them."""

    entry: Entry
    episode: Episode
    observations: list[Any]
    actions: list[int]


def recorder(suite: Suite, scene: Scene) -> Recorder:
    """The environment that a scene is played in, a single one."""
    given = {"invalid_action": "raise", **suite.arguments}
    return Recorder(gym.make(suite.environment, scenario=scene.given, **given))


def instances(env: Any, suite: Suite, most: int) -> list[Instance]:
    """The first instances of a suite in an environment, by seed; at most ``most``."""
    found: list[Instance] = []
    for seed in range(suite.first_seed, suite.first_seed + min(most, suite.seeds)):
        env.reset(seed=seed)
        found.append(env.unwrapped.snapshot().instance)
    return found


def replay(env: Recorder, suite: Suite, entry: Entry) -> Played:
    """Play a policy's first episode of a suite once more; it takes the same actions."""
    policy = make_policy(entry.name, env, **entry.options)
    (episode,) = play(env, policy, suite.first_seed)
    return Played(entry, episode, env.observations, env.actions)
