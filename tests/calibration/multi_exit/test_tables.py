"""Exit tables: the confidence, the two parts, what is stored, and logits that are not finite."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import entropy

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("PIL")

from tests.calibration.multi_exit.small import few, options, spoil, trained  # noqa: E402
from tiergym.calibration.multi_exit.families import build_chain  # noqa: E402
from tiergym.calibration.multi_exit.tables import (  # noqa: E402
    accuracy,
    confidence_of,
    divide,
    exit_table,
    load_table,
    save_table,
)
from tiergym.calibration.multi_exit.weights import load_weights, save_weights  # noqa: E402
from tiergym.errors import InvalidInput  # noqa: E402
from tiergym.networks import ExitTable, load_network  # noqa: E402


def test_confidence_is_one_minus_the_normalised_entropy():
    logits = np.random.default_rng(0).normal(0, 3, size=(50, 10)).astype(np.float32)
    shares = np.exp(logits.astype(np.float64))
    shares /= shares.sum(axis=1, keepdims=True)
    expected = 1.0 - entropy(shares, axis=1) / np.log(10)
    found = confidence_of(torch.from_numpy(logits))
    np.testing.assert_array_equal(found, expected.astype(np.float16).astype(np.float32))
    ends = confidence_of(torch.tensor([[0.0] * 10, [1000.0] + [0.0] * 9]))
    assert ends.tolist() == [0.0, 1.0]


def test_a_table_holds_what_each_head_says():
    network = trained(exits=(3, 6)).network
    images = few().test
    table = exit_table(network, images, 8)
    assert table.confidence.shape == table.correct.shape == (64, 9)
    with torch.inference_mode():
        for row in (0, 17, 63):
            for block, logits in network(torch.from_numpy(images.pixels[row : row + 1])).items():
                right = int(logits.argmax()) == images.labels[row]
                assert table.correct[row, block] == right
                assert table.confidence[row, block] == pytest.approx(
                    confidence_of(logits)[0], abs=1e-3
                )
    without = [0, 1, 2, 4, 5, 7]
    assert not table.confidence[:, without].any()
    assert not table.correct[:, without].any()
    assert accuracy(table, (3,))[3] == table.correct[:, 3].mean()


def test_logits_that_are_not_finite_are_named():
    network = trained(epochs=1).network
    spoil(network, "5", float("nan"))
    with pytest.raises(InvalidInput, match=r"logits at exit 5.*nan.*allowed: finite numbers"):
        exit_table(network, few().test, 8)


def test_networks_without_exits_are_refused():
    with pytest.raises(InvalidInput, match="at least one block with a head"):
        build_chain(options(), 1, 10, ())
    shorter = build_chain(options(), 1, 10, (2, 4))
    with pytest.raises(InvalidInput, match="the last after block 8"):
        exit_table(shorter, few().test, 8)


def test_both_parts_hold_each_row_once():
    rng = np.random.default_rng(0)
    table = ExitTable(rng.random((101, 9), np.float32), rng.integers(0, 2, (101, 9), np.int8))
    parts = divide(table)
    rows = np.concatenate([parts.validation_row, parts.test_row])
    assert sorted(rows.tolist()) == list(range(101))
    assert len(parts.validation_row) == 50
    np.testing.assert_array_equal(parts.test.confidence, table.confidence[parts.test_row])
    np.testing.assert_array_equal(parts.validation.correct, table.correct[parts.validation_row])
    np.testing.assert_array_equal(divide(table).test_row, parts.test_row)
    with pytest.raises(InvalidInput, match="rows in both parts"):
        divide(table, 1.0)


def test_a_stored_table_is_read_back_and_the_simulator_gets_the_test_rows(tmp_path: Path):
    parts = divide(exit_table(trained(epochs=1).network, few().test, 8))
    save_table(tmp_path / "table.npz", parts)
    again = load_table(tmp_path / "table.npz")
    for one, other in (
        (parts.test.confidence, again.test.confidence),
        (parts.test.correct, again.test.correct),
        (parts.validation.confidence, again.validation.confidence),
        (parts.validation.correct, again.validation.correct),
        (parts.test_row, again.test_row),
        (parts.validation_row, again.validation_row),
    ):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype
    mapping = {"input_bytes": 1, "blocks": [{}] * 8, "exits": str(tmp_path / "table.npz")}
    exits = load_network(mapping).exits
    assert exits is not None
    np.testing.assert_array_equal(exits.confidence, parts.test.confidence)
    np.testing.assert_array_equal(exits.correct, parts.test.correct)
    np.savez(tmp_path / "half.npz", confidence=np.zeros((2, 9)), correct=np.zeros((2, 9)))
    for name in ("half.npz", "absent.npz"):
        with pytest.raises(InvalidInput, match=name):
            load_table(tmp_path / name)


def test_stored_weights_give_the_same_table(tmp_path: Path):
    run = trained(epochs=1)
    save_weights(tmp_path / "weights.npz", run.network)
    again = load_weights(tmp_path / "weights.npz", run.options, 1, 10)
    one, other = (exit_table(network, few().test, 8) for network in (run.network, again))
    np.testing.assert_array_equal(one.confidence, other.confidence)
    with pytest.raises(InvalidInput, match=r"weights\.npz"):
        load_weights(tmp_path / "weights.npz", options(width=4), 1, 10)
