"""The built wheel works where there is no checkout, with its configuration and its data.

The new environment has nothing installed but the wheel. Its dependencies are borrowed: a `.pth`
file adds the site-packages of the environment that runs the tests, which costs no download. Python
reads `.pth` files only in its own site-packages, not in borrowed ones, so an editable install of
the checkout that lies there stays unseen; a test asserts that.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.warm import SMALL

pytestmark = pytest.mark.xdist_group("wheel")

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel in it, and an empty folder to work in."""

    python: Path
    work: Path

    def run(self, *arguments: str) -> str:
        """Standard output of ``python arguments``, which must succeed."""
        return _run([str(self.python), *arguments], self.work)


def _run(command: Sequence[str], folder: Path) -> str:
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _build(kind: str, source: Path, target: Path) -> Path:
    build = [sys.executable, "-m", "build", "--no-isolation", f"--{kind}", "--outdir", str(target)]
    _run([*build, str(source)], target)
    (made,) = target.iterdir()
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    _run([*pip, "--no-deps", "--no-index", str(wheel)], folder)
    site = _run([str(python), "-c", "import site; print(site.getsitepackages()[0])"], folder)
    borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    Path(site.strip(), "borrowed.pth").write_text("\n".join(sorted(borrowed)) + "\n")
    return Installed(python, tmp_path_factory.mktemp("work"))


def _names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def _expected() -> set[str]:
    """Every file of the packages and of conf/ that git knows, as the wheel names it."""
    command = ["git", "ls-files", "-z", "tiergym", "baselines", "conf"]
    files = _run(command, ROOT).strip("\0").split("\0")
    return {f"baselines/{name}" if name.startswith("conf/") else name for name in files}


def test_wheel_holds_the_packages_their_data_and_the_configuration(wheel: Path) -> None:
    names = _names(wheel)
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"tiergym", "baselines"}
    assert {"tiergym/py.typed", "tiergym/NOTICE.md", "baselines/conf/config.yaml"} <= names
    for kind in (".yaml", ".npz"):
        assert any(name.startswith("tiergym/") and name.endswith(kind) for name in names)
    if (ROOT / ".git").exists():
        assert _expected() <= names


def test_sdist_makes_the_same_wheel(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    sdist = _build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))
    unpacked = tmp_path_factory.mktemp("unpacked")
    _run(["tar", "-xf", str(sdist)], unpacked)
    (source,) = unpacked.iterdir()
    tops = {path.name for path in source.iterdir()}
    assert {"tests", "conf", "Makefile", "README.md", "LICENSE", ".ci"} <= tops
    assert not {".venv", ".git", "results"} & tops
    assert not (source / ".ci" / "venv").exists()
    again = _build("wheel", source, tmp_path_factory.mktemp("again"))
    assert _names(again) == _names(wheel)


def test_everything_is_imported_from_the_new_environment(installed: Installed) -> None:
    show = "import tiergym, baselines; print(tiergym.__file__); print(baselines.__file__)"
    for line in installed.run("-c", show).splitlines():
        path = Path(line)
        assert path.is_relative_to(installed.python.parents[1])
        assert not path.is_relative_to(ROOT)


def test_an_evaluation_runs_in_another_folder(installed: Installed) -> None:
    scenario = Path("mine.yaml")
    (installed.work / scenario).write_text(yaml.safe_dump(SMALL), encoding="utf-8")
    command = ["-m", "baselines.evaluate", f"scenario={scenario}", "policy=fcfs"]
    played = installed.run(*command, "seeds=2", "block=2", "workers=1")
    assert "fcfs" in played
    assert "score" in played
    records = (installed.work / "results" / "evaluate").rglob("*.jsonl")
    assert sum(len(path.read_text().splitlines()) for path in records) == 4


def test_a_leaderboard_makes_its_page_in_another_folder(installed: Installed) -> None:
    policies = "suite.policies=[fcfs, 'fcfs-batched+upload']"
    small = ["suite.seeds=2", "suite.block=2", "suite.ablations=[]", policies]
    scenario = "suite.scenarios=[pi-5-conv-0.80]"
    shown = installed.run("-m", "baselines.leaderboard", *small, scenario, "workers=1")
    assert "fcfs" in shown
    (page,) = (installed.work / "results").rglob("index.html")
    assert "pi-5-conv-0.80" in page.read_text(encoding="utf-8")
