"""``python -m baselines.train env=NAME algo=NAME seed=0``: train an agent, or go on training it.

What can be set is in ``conf/train.yaml``. The best metric on validation is returned to Hydra's
sweepers, the lower the better for ``ratio``.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from baselines.configuration import as_overrides, command_line, conf_dir, register_groups, versions
from baselines.leaderboard import make_console
from baselines.learned.folder import Folder, Point
from baselines.learned.settings import Settings, read_settings
from baselines.learned.training import Told, Training
from baselines.learned.validation import problem_of
from tiergym.errors import InvalidInput
from tiergym.evaluation.records import write_text


def run(config: Any) -> float:
    """Train as configured."""
    from omegaconf import OmegaConf

    plain: Any = OmegaConf.to_container(config, resolve=True)
    settings = read_settings(plain)
    path = Path(plain["results"], "train", plain["name"] or name_of(settings))
    folder = Folder(path, settings.facts())
    write_text(path / "config.yaml", yaml.safe_dump(plain, sort_keys=False))
    console = make_console()
    writers = _tensorboard(path) if plain["tensorboard"] else []
    with _shown(console, settings) as told:
        training = Training(settings, folder, told, _about(), writers)
        if training.stand.frames:
            console.print(f"Going on from {training.stand.frames:,} frames in {path}")
        else:
            console.print(f"Training in {path}", soft_wrap=True)
        try:
            found = training.run()
        except KeyboardInterrupt:
            console.print("Stopped. The same command goes on from the last validation.")
            sys.exit(130)
    console.print(
        f"best {settings.metric} on validation: {found:.4f}; agents in {path}", soft_wrap=True
    )
    return found


def name_of(settings: Settings) -> str:
    """A folder's name by what is trained: other settings give another, so sweeps never meet."""
    text = json.dumps(settings.facts(), sort_keys=True, default=str)
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{problem_of(settings.env_id)}-{settings.algo}-s{settings.seed}-{digest}"


def _about() -> dict[str, Any]:
    packages = ("torch", "stable-baselines3", "sb3-contrib", "gymnasium")
    return {
        "command": command_line("baselines.train"),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "versions": {**versions(), **{name: version(name) for name in packages}},
    }


def _tensorboard(path: Path) -> list[Any]:
    from stable_baselines3.common.logger import TensorBoardOutputFormat

    try:
        return [TensorBoardOutputFormat(str(path / "tensorboard"))]
    except (AssertionError, ImportError):
        allowed = "false, or true once tensorboard is installed (pip install tensorboard)"
        raise InvalidInput("tensorboard", True, allowed) from None


@contextmanager
def _shown(console: Console, settings: Settings) -> Generator[Told]:
    """A bar on a terminal, and a line for each validation."""
    began = time.perf_counter()

    def line(point: Point) -> None:
        console.print(
            f"{point['frames']:>12,} frames {time.perf_counter() - began:7.0f} s  "
            f"cost over {settings.reference}'s {point['ratio']:.4f}  return {point['return']:.2f}",
            highlight=False,
        )

    bar = Progress(
        BarColumn(32),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f} frames,"),
        TimeRemainingColumn(),
        TextColumn("left"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task("", total=settings.frames)

        def told(frames: int, point: Point | None) -> None:
            bar.update(task, completed=frames)
            if point is not None:
                line(point)

        yield told


def register() -> None:
    """Make the split ``train`` an option of the group ``scenario``, beside every scenario."""
    from hydra.core.config_store import ConfigStore

    register_groups()
    ConfigStore.instance().store(group="scenario", name="train", node={"given": "train"})


def main() -> None:
    """Run under Hydra."""
    import hydra

    register()
    sys.argv[1:] = as_overrides(sys.argv[1:])

    def told(config: Any) -> float:
        try:
            return run(config)
        except InvalidInput as error:
            sys.exit(str(error))

    hydra.main(config_path=str(conf_dir()), config_name="train", version_base="1.3")(told)()


if __name__ == "__main__":
    main()
