"""Prices of our blocks on published devices, against SciPy, torch's counter and the raw tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tiergym.calibration.least_squares import non_negative_fit
from tiergym.calibration.multi_exit.counting import count_blocks
from tiergym.calibration.multi_exit.families import MultiExitNetwork, build_network
from tiergym.calibration.operations import Operations, operations_of
from tiergym.calibration.published import nasbench
from tiergym.calibration.published.architectures import ARCHITECTURES, options_of, parts_of
from tiergym.calibration.published.laws import held_out_errors
from tiergym.calibration.published.operation_prices import fit_cells
from tiergym.calibration.published.priced_devices import BOARDS, HELP_DEVICES
from tiergym.devices import load_device, stage_seconds

DATA = Path(__file__).parents[2].parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the raw tables are not here")


def test_the_fit_recovers_a_law_and_lets_no_part_fall_below_zero():
    rng = np.random.default_rng(0)
    features = rng.random((30, 3)) + 0.01
    assert non_negative_fit(features, features @ [0.5, 0.0, 2.0]) == pytest.approx([0.5, 0, 2])
    assert non_negative_fit(features, features @ [1.0, -0.1, 1.0])[1] == 0.0


def test_held_out_errors_are_of_rows_that_were_not_fitted():
    features = np.ones((4, 1))
    y = np.array([1.0, 1.0, 1.0, 2.0])
    folds = [np.arange(4) == k for k in range(4)]
    assert held_out_errors(features, y, folds)[3] == pytest.approx(0.5)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_operations_have_the_macs_that_the_blocks_are_counted_with(name: str):
    chain = build_network(options_of(name), 3, 10)
    assert isinstance(chain, MultiExitNetwork)
    counts, parts = count_blocks(chain, (3, 32, 32)), parts_of(name)
    for count, block, head in zip(counts, parts.blocks, parts.heads, strict=True):
        assert block.dense_macs + block.depthwise_macs == count.macs
        assert head.dense_macs == count.head_macs
        assert head.dense == 1
        assert (block.depthwise > 0) == (
            name.startswith("depthwise")
            and block.dense_macs > 0
            and (block.dense + block.depthwise > 1)
        )


def test_a_depthwise_convolution_is_told_from_a_grouped_one():
    features = torch.zeros(1, 8, 4, 4)
    depthwise = torch.nn.Conv2d(8, 8, 3, padding=1, groups=8)
    grouped = torch.nn.Conv2d(8, 8, 3, padding=1, groups=2)
    assert operations_of(depthwise, features)[0] == Operations(0, 1, 0, 8 * 9 * 16)
    assert operations_of(grouped, features)[0] == Operations(1, 0, 8 * 4 * 9 * 16, 0)


@pytest.mark.parametrize("device", ["rtx-2080-ti-help", *HELP_DEVICES, *BOARDS])
def test_every_stage_has_a_price_and_longer_ones_cost_more(device: str):
    profile = load_device(device)
    for name in ARCHITECTURES:
        if name not in profile.networks:
            assert name.startswith("depthwise")
            assert device.endswith("-help")
            continue
        blocks = len(parts_of(name).blocks)
        whole = [
            stage_seconds(profile, name, 1, k, False, 16, blocks=blocks)
            for k in range(1, blocks + 1)
        ]
        assert (np.diff(np.array(whole), axis=0) > 0).all()
        cut = stage_seconds(profile, name, 1, 3, False, 1, blocks=blocks)
        rest = stage_seconds(profile, name, 4, blocks, False, 1, blocks=blocks)
        base = profile.networks[name].base
        assert base is not None
        assert cut + rest == pytest.approx(whole[-1][:1] + base.table(1), rel=1e-9)


@needs_data
def test_a_price_has_the_error_that_its_profile_states():
    table = nasbench.read(DATA / "nasbench201-latency.npz")
    found = fit_cells(table, "samsung_a50")
    stated = load_device("samsung-a50-help").source["architectures"]["errors"]
    assert found.text() == stated
    assert found.held_out < 0.06 < found.macs_alone
