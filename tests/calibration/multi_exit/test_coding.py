"""Coded features: real bytes, and what the answers after them are worth."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tiergym.calibration.multi_exit.coding import (
    accuracy_costs,
    coded,
    coded_table,
    decode,
    encode,
)
from tiergym.calibration.multi_exit.families import MultiExitNetwork, build_network
from tiergym.calibration.multi_exit.images import Images
from tiergym.calibration.multi_exit.options import parse_options
from tiergym.calibration.multi_exit.tables import exit_table
from tiergym.networks import FEATURE_BYTES, load_network, payload_bytes

FEATURES = arrays(
    np.float32, (4, 3, 2), elements=st.floats(-1e4, 1e4, width=32, allow_subnormal=False)
)


@pytest.fixture(scope="module")
def chain() -> MultiExitNetwork:
    network = build_network(parse_options({"width": 2}), 3, 10)
    assert isinstance(network, MultiExitNetwork)
    return network.eval()


@pytest.fixture(scope="module")
def images() -> Images:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (40, 3, 32, 32)).astype(np.uint8)
    return Images(pixels, rng.integers(0, 10, 40))


@pytest.mark.parametrize("kind", FEATURE_BYTES)
def test_payloads_have_the_size_of_the_bytes_that_are_really_sent(kind: str):
    blocks = [{"out_elements": 24}, {"out_elements": 10}]
    network = load_network({"input_bytes": 900, "blocks": blocks}, name="n")
    data = encode(np.ones((4, 3, 2), np.float32), kind)
    assert len(data) == payload_bytes(network, 1, kind)


@pytest.mark.parametrize("kind", FEATURE_BYTES)
@given(features=FEATURES)
def test_a_batch_is_coded_as_each_task_alone(kind: str, features: np.ndarray):
    batch = torch.from_numpy(np.stack([features, features[::-1]]))
    found = coded(batch, kind).numpy()
    for one, row in zip(batch.numpy(), found, strict=True):
        again = decode(encode(one, kind), kind, one.shape)
        np.testing.assert_array_equal(row, again)


@given(features=FEATURES)
def test_int8_is_off_by_half_a_level_at_most(features: np.ndarray):
    again = decode(encode(features, "int8"), "int8", features.shape)
    level = float(np.abs(features).max()) / 127
    assert np.abs(again - features).max() <= 0.5001 * level


def test_without_coding_the_table_is_the_plain_one(chain: MultiExitNetwork, images: Images):
    plain, same = exit_table(chain, images, 8), coded_table(chain, images, "float32")
    np.testing.assert_array_equal(plain.confidence, same.confidence)
    np.testing.assert_array_equal(plain.correct, same.correct)


def test_coding_reaches_the_heads_after_it_and_no_head_before(
    chain: MultiExitNetwork, images: Images
):
    plain = exit_table(chain, images, 8)
    found = coded_table(chain, images, "int8", lambda block: block == 3)
    np.testing.assert_array_equal(found.confidence[:, :4], plain.confidence[:, :4])
    assert (found.confidence[:, 4:] != plain.confidence[:, 4:]).any()


def test_costs_are_told_by_exit(chain: MultiExitNetwork, images: Images):
    plain, everywhere = exit_table(chain, images, 8), coded_table(chain, images, "int8")
    costs = accuracy_costs(chain, images, plain, everywhere, "int8")
    lost = plain.correct[:, 8].mean() - everywhere.correct[:, 8].mean()
    assert costs["accuracy_lost"][8] == pytest.approx(lost, abs=1e-4)  # pyright: ignore
    assert len(costs["accuracy_lost_at_L_by_one_cut_on_40_images"]) == 7  # pyright: ignore
