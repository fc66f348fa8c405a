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


@pytest.mark.skipif(not DATA.is_file(), reason="the images are not here")
@pytest.mark.parametrize("name", ["vgg8-w16-separate-s0", "depthwise12-w16-joint-early-heavy-s0"])
def test_run_for_real_in_three_tiers_they_leave_and_answer_as_the_simulator_says(name: str):
    pytest.importorskip("torch")
    pytest.importorskip("PIL")
    from dataclasses import replace

    from tiergym import load_scenario
    from tiergym.calibration.multi_exit.families import MultiExitNetwork
    from tiergym.calibration.multi_exit.running import run_tiers
    from tiergym.calibration.multi_exit.tables import load_table
    from tiergym.calibration.multi_exit.weights import load_weights
    from tiergym.engine import simulate

    folder, placement, thresholds, count = data_folder("networks"), (3, 6), (0.6, 0.7), 300
    chain = load_weights(folder / f"{name}.weights.npz", SHIPPED[name], 3, CLASSES)
    assert isinstance(chain, MultiExitNetwork)
    images = sample_of_images(load_table(folder / f"{name}.npz").test_row[:count])
    answers = run_tiers(chain, images.pixels, placement, thresholds)
    blocks = SHIPPED[name].blocks
    laws = {"networks": {name: {"blocks": [0.01] * blocks, "heads": {3: 0.001, 6: 0.001}}}}
    scenario = load_scenario(
        {
            "nodes": {k: {"tier": k, "profile": laws} for k in ("terminal", "edge", "cloud")},
            "links": {
                "up": {"source": "terminal", "target": "edge", "profile": "lte"},
                "on": {"source": "edge", "target": "cloud", "bandwidth": 1000},
            },
            "networks": {name: {"placement": list(placement), "thresholds": list(thresholds)}},
            "arrivals": {"process": "deterministic", "rate": 50},
            "window": 10,
        }
    )
    instance = scenario.instance(0.02 * np.arange(count))
    log = simulate(scenario.system, replace(instance, sample=np.arange(count)))
    # Kernels of another processor or version may tip a task that lies on a threshold.
    assert (log.exit_block != answers.exit_block).mean() < 0.01
    right = answers.label == images.labels
    assert (log.correct != right).mean() < 0.01
    assert len(set(log.exit_block.tolist())) == 3
