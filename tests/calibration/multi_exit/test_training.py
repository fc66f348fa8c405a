"""Training is repeatable, goes on where it was interrupted, and stops when it diverges."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("PIL")

from tests.calibration.multi_exit.small import (  # noqa: E402
    digits,
    few,
    options,
    same,
    silent,
    state,
    stop_after,
    trained,
)
from tiergym.calibration.multi_exit.images import first_images  # noqa: E402
from tiergym.calibration.multi_exit.options import FAMILIES, SCHEMES  # noqa: E402
from tiergym.calibration.multi_exit.training import begin, rate_share, train  # noqa: E402
from tiergym.errors import InvalidInput  # noqa: E402


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("epochs", [1, 3])
def test_an_interrupted_run_ends_with_the_same_weights(tmp_path: Path, scheme: str, epochs: int):
    path = tmp_path / "checkpoint.pt"
    changes = {"scheme": scheme, "exits": (3, 6), "epochs": 4, "stage_epochs": 2}
    with pytest.raises(KeyboardInterrupt):
        train(options(**changes), few(), path, stop_after(epochs))
    torch.rand(7)
    lines: list[str] = []
    resumed = train(options(**changes), few(), path, lines.append)
    whole = trained(**changes)
    assert same(state(resumed.network), state(whole.network))
    assert resumed.rng.bit_generator.state == whole.rng.bit_generator.state
    assert list(tmp_path.iterdir()) == [path]
    assert f"epoch {epochs % 2 if scheme == 'progressive' else epochs}/" not in lines[0]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_seed_gives_the_same_weights_and_another_seed_others(family: str):
    before = torch.random.get_rng_state()
    one, again, other = (trained(family=family, epochs=1, seed=s) for s in (5, 5, 6))
    assert same(state(one.network), state(again.network))
    assert not same(state(one.network), state(other.network))
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_finished_run_is_not_trained_again(tmp_path: Path):
    path = tmp_path / "checkpoint.pt"
    one = train(options(epochs=1), few(), path, silent)
    lines: list[str] = []
    two = train(options(epochs=1), few(), path, lines.append)
    assert not lines
    assert two.seconds == one.seconds
    assert same(state(one.network), state(two.network))


def test_the_commits_that_trained_it_are_kept(tmp_path: Path):
    path = tmp_path / "checkpoint.pt"
    with pytest.raises(KeyboardInterrupt):
        train(options(epochs=3), few(), path, stop_after(1), commit="a")
    assert train(options(epochs=3), few(), path, silent, commit="b").commits == ["a", "b"]
    assert train(options(epochs=3), few(), path, silent, commit="c").commits == ["a", "b"]


def test_progress_is_reported_every_epoch():
    lines: list[str] = []
    train(options(scheme="separate", epochs=2, head_epochs=1), few(), report=lines.append)
    assert len(lines) == 3
    assert lines[1].startswith("phase 1/2 (backbone)  epoch 2/2  mean loss ")
    assert lines[2].startswith("phase 2/2 (heads alone)  epoch 1/1")


@pytest.mark.parametrize("change", [{"seed": 1}, {"epochs": 2}, {"scheme": "mixed"}])
def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path, change: dict[str, object]):
    path = tmp_path / "checkpoint.pt"
    train(options(epochs=1), few(), path, silent)
    with pytest.raises(InvalidInput, match="the options and data that it began with"):
        train(options(**{"epochs": 1, **change}), few(), path, silent)
    with pytest.raises(InvalidInput, match="the options and data that it began with"):
        train(options(epochs=1), first_images(digits(), 100, 64), path, silent)


def test_a_damaged_checkpoint_is_named(tmp_path: Path):
    path = tmp_path / "checkpoint.pt"
    train(options(epochs=1), few(), path, silent)
    whole = path.read_bytes()
    for damaged in (b"", b"text", whole[: len(whole) // 2]):
        path.write_bytes(damaged)
        with pytest.raises(InvalidInput, match=r"checkpoint\.pt.*remove the file"):
            train(options(epochs=1), few(), path, silent)


def test_weights_that_are_not_finite_stop_the_training():
    run = begin(options(), few())
    with pytest.raises(InvalidInput, match=r"loss: got 'nan in all together, epoch 1, step \d"):
        trained(learning_rate=1e30, epochs=1)
    assert run.phase == 0


def test_the_rate_rises_and_falls():
    shares = [rate_share(k / 100) for k in range(100)]
    assert max(shares) == pytest.approx(1.0)
    top = shares.index(max(shares))
    assert shares[:top] == sorted(shares[:top])
    assert shares[top:] == sorted(shares[top:], reverse=True)
    assert 0.0 < shares[0] < 0.1
    assert shares[-1] < 0.001
