"""`python -m tiergym.calibration.networks`: trains, goes on, writes, and says what is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("PIL")

from tests.calibration.multi_exit.small import few
from tiergym.calibration.multi_exit.options import parse_options
from tiergym.calibration.networks import main, shipped_runs
from tiergym.networks import load_network

TINY = ["width=4", "stem_stride=1", "epochs=1", "head_epochs=1", "batch=64", "augment=none"]


@pytest.fixture
def data(tmp_path: Path) -> str:
    path = tmp_path / "digits.npz"
    train, test = few().train, few().test
    np.savez(
        path,
        train_images=train.pixels[:, 0],
        train_labels=train.labels,
        test_images=test.pixels[:, 0],
        test_labels=test.labels,
    )
    return str(path)


def command(data: str, folder: Path, *words: str) -> int:
    places = [f"data={data}", f"out={folder}", f"checkpoints={folder}/checkpoints"]
    return main([*TINY, *places, *words])


def test_it_trains_several_networks_and_goes_on(
    data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "out"
    words = ("about=digits", "family=residual", "scheme=joint,separate", "seed=0,1", "exits=[2,4]")
    assert command(data, out, *words) == 0
    shown = capsys.readouterr().out
    assert "mean loss" in shown
    names = [f"residual8-w4-t1-{kind}-s{s}" for kind in ("joint-equal", "separate") for s in (0, 1)]
    files = {path.name for path in out.iterdir() if path.is_file()}
    assert files == {f"{name}{end}" for name in names for end in (".yaml", ".npz", ".weights.npz")}
    tables = {name: (out / f"{name}.npz").read_bytes() for name in names}
    for name in names:
        network = load_network(out / f"{name}.yaml")
        assert network.name == name
        assert network.exits is not None
        assert network.exits.samples == 32
    assert command(data, out, *words) == 0
    assert "mean loss" not in capsys.readouterr().out
    assert {name: (out / f"{name}.npz").read_bytes() for name in names} == tables
    source = load_network(out / f"{names[1]}.yaml").source
    assert source["command"].startswith("python -m tiergym.calibration.networks family=residual")
    assert "seed=1" in source["command"]
    assert source["from"] == "digits"
    assert "exits=[2,4,8]" in source["command"]


def test_independent_paths_are_a_table_and_no_network(data: str, tmp_path: Path):
    assert command(data, tmp_path / "out", "scheme=independent", "exits=[4]", "family=vgg") == 0
    files = sorted(path.name for path in (tmp_path / "out").iterdir() if path.is_file())
    name = "vgg8-w4-t1-independent-s0"
    assert files == [f"{name}.npz", f"{name}.source.yaml", f"{name}.weights.npz"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sede=1"], "did you mean 'seed'"),
        (["scheme=all"], "scheme: got 'all'"),
        (["data=absent.npz"], "absent.npz"),
        (["exits=[]"], "at least one block before the last"),
        (["train_images=0"], "train_images"),
        (["seed"], "key=value"),
    ],
)
def test_wrong_words_end_it_with_one_line(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
):
    assert main(words) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert len(error.strip().splitlines()) == 1


def test_an_empty_folder_ends_it_with_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main([f"data={tmp_path}"]) == 2
    assert "at least two folders of images" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_ends_it_with_one_line(
    data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "out").write_text("a file")
    assert command(data, tmp_path / "out") == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_without_torch_it_says_what_to_install(
    data: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert command(data, tmp_path / "out") == 2
    assert "torch is missing: pip install 'tiergym[calibration]'" in capsys.readouterr().err


def test_help_names_every_option(capsys: pytest.CaptureFixture[str]):
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    for word in ("family", "head_learning_rate", "shipped", "test_share"):
        assert word in shown


def test_what_is_shipped_can_be_trained():
    names = [parse_options(each).name for each in shipped_runs()]
    assert names
    assert len(set(names)) == len(names)


def test_importing_the_command_imports_no_torch():
    code = "import sys, tiergym.calibration.networks; print('torch' in sys.modules)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "False"
