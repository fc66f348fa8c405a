"""The shipped multi-exit networks: their tables, and the same tables from the shipped weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tiergym.calibration.multi_exit.options import Options, parse_options
from tiergym.calibration.networks import shipped_runs
from tiergym.networks import load_network
from tiergym.shipped import data_folder

DATA = Path(__file__).parents[3].parent / "shared" / "data" / "cifar10-jpeg.npz"
SHIPPED = {each.name: each for each in map(parse_options, shipped_runs())}
CLASSES = 10


@pytest.mark.parametrize("name", SHIPPED)
def test_they_are_what_the_list_says(name: str):
    network = load_network(name)
    options, source = SHIPPED[name], network.source
    assert network.blocks == options.blocks
    assert source["options"] == options.plain()
    assert network.exits is not None
    assert network.exits.samples == 5000
    right = network.exits.correct.mean(axis=0)
    for block, share in source["accuracy_test"].items():
        assert right[block] == pytest.approx(share, abs=1e-4)
    assert right[options.blocks] > 0.6
    assert right[options.blocks] > right[1] + 0.08
    assert "changed since" not in source["commit"]
    assert "CIFAR-10" in source["from"]


@pytest.mark.parametrize("name", SHIPPED)
def test_their_counts_are_those_of_their_definition(name: str):
    pytest.importorskip("torch")
    from tiergym.calibration.multi_exit.counting import count_blocks
    from tiergym.calibration.multi_exit.families import MultiExitNetwork, build_network

    network, chain = load_network(name), build_network(SHIPPED[name], 3, CLASSES)
    assert isinstance(chain, MultiExitNetwork)
    counts = count_blocks(chain, (3, 32, 32))
    assert network.macs.tolist() == [c.macs for c in counts]
    assert network.param_bytes.tolist() == [c.param_bytes for c in counts]
    assert network.out_elements.tolist() == [c.out_elements for c in counts]
    assert network.head_macs.tolist() == [c.head_macs for c in counts]


def sample_of_images(rows: np.ndarray):
    """CIFAR-10's test images of these rows."""
    from tiergym.calibration.multi_exit.images import Images, decode

    with np.load(DATA, allow_pickle=False) as stored:
        stream, offset, label = (stored[f"test_{key}"] for key in ("jpeg", "offset", "label"))
    encoded = [stream[offset[row] : offset[row + 1]].tobytes() for row in rows]
    pixels = np.stack([decode("image", each) for each in encoded])
    return Images(pixels, label[rows].astype(np.int64))


@pytest.mark.skipif(not DATA.is_file(), reason="the images are not here")
@pytest.mark.parametrize("name", SHIPPED)
def test_their_tables_follow_from_their_weights(name: str):
    pytest.importorskip("torch")
    pytest.importorskip("PIL")
    from tiergym.calibration.multi_exit.tables import exit_table, load_table
    from tiergym.calibration.multi_exit.weights import load_weights

    options: Options = SHIPPED[name]
    folder = data_folder("networks")
    table = load_table(folder / f"{name}.npz")
    chain = load_weights(folder / f"{name}.weights.npz", options, 3, CLASSES)
    for part, rows in ((table.test, table.test_row), (table.validation, table.validation_row)):
        found = exit_table(chain, sample_of_images(rows[:200]), options.blocks)
        # Kernels of another processor or version round otherwise; float16 steps are up to 5e-4.
        np.testing.assert_allclose(found.confidence, part.confidence[:200], atol=2e-3)
        assert (found.correct != part.correct[:200]).mean() < 0.002
