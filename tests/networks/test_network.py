"""Networks: what is read from names, files and mappings, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tiergym.errors import InvalidInput
from tiergym.networks import load_network, network_names, payload_bytes

TABLE = {"confidence": [[0, 0.2, 0.9], [0, 0.7, 1.0]], "correct": [[0, 0, 1], [0, 1, 1]]}
TWO_BLOCKS = {
    "name": "tiny",
    "input_bytes": 3000,
    "blocks": [
        {"macs": 1e6, "param_bytes": 400, "out_elements": 100, "head_macs": 10},
        {"macs": 2e6, "out_elements": 10},
    ],
}


def test_a_mapping_needs_input_bytes_only():
    network = load_network({"input_bytes": 3072}, name="small")
    assert (network.name, network.blocks, network.input_bytes) == ("small", 1, 3072.0)
    assert np.isnan(network.macs).all()
    assert network.param_bytes.tolist() == [0.0]
    assert network.exits is None


def test_blocks_are_read_with_what_is_unknown():
    network = load_network(TWO_BLOCKS)
    assert network.macs.tolist() == [1e6, 2e6]
    assert network.param_bytes.tolist() == [400.0, 0.0]
    assert network.head_macs[0] == 10.0
    assert np.isnan(network.head_macs[1])
    assert load_network(network) is network


@pytest.mark.parametrize(
    ("block", "features", "expected"),
    [(0, "float32", 3000), (1, "float32", 400), (1, "float16", 200), (2, "int8", 14)],
)
def test_payload_bytes(block: int, features: str, expected: float):
    assert payload_bytes(load_network(TWO_BLOCKS), block, features) == expected


def test_payload_bytes_refuses_what_does_not_exist():
    network = load_network(TWO_BLOCKS)
    with pytest.raises(InvalidInput, match="did you mean 'float16'"):
        payload_bytes(network, 1, "floot16")
    with pytest.raises(InvalidInput, match="0 to 2"):
        payload_bytes(network, 3, "int8")
    with pytest.raises(InvalidInput, match=r"networks\.x\.blocks\[0\]\.out_elements"):
        payload_bytes(load_network({"input_bytes": 1}, name="x"), 1, "int8")


@pytest.mark.parametrize(
    ("change", "field", "given", "allowed"),
    [
        ({"input_bytes": None}, "network.input_bytes", None, "bytes"),
        ({"input_bytes": -1}, "network.input_bytes", -1, ">= 0"),
        ({"input_bytes": "3 KiB"}, "network.input_bytes", "3 KiB", "bytes"),
        ({"input_bytes": float("nan")}, "network.input_bytes", None, ">= 0"),
        ({"input_bytes": True}, "network.input_bytes", True, "bytes"),
        ({"blocks": []}, "network.blocks", [], "at least one"),
        ({"blocks": 3}, "network.blocks", 3, "a list"),
        ({"blocks": [{"flops": 1}]}, "network.blocks[0].flops", "flops", "macs"),
        ({"blocks": [{"macs": -1}]}, "network.blocks[0].macs", -1, ">= 0"),
        ({"input_byte": 1}, "network.input_byte", "input_byte", "did you mean 'input_bytes'"),
        ({"name": ""}, "network.name", "", "text"),
        ({"exits": {"confidence": [[0, 1, 1]]}}, "network.exits", ["confidence"], "both"),
        ({"exits": "absent.npz"}, "network.exits", "absent.npz", ".npz"),
    ],
)
def test_wrong_fields_are_named(change: dict[str, object], field: str, given: object, allowed: str):
    with pytest.raises(InvalidInput) as caught:
        load_network({**TWO_BLOCKS, **change})
    assert caught.value.field == field
    assert allowed in caught.value.allowed
    if given is not None:
        assert caught.value.given == given


def test_a_missing_input_size_is_named():
    with pytest.raises(InvalidInput, match="input_bytes") as caught:
        load_network({"blocks": [{}]}, field="networks.a")
    assert caught.value.field == "networks.a.input_bytes"


def test_an_unknown_name_suggests_the_closest():
    with pytest.raises(InvalidInput, match="did you mean 'vgg16'"):
        load_network("vgg61")
    with pytest.raises(InvalidInput, match="a name, the path"):
        load_network(3)


def test_exit_tables_inline_and_from_a_file(tmp_path: Path):
    inline = load_network({**TWO_BLOCKS, "exits": TABLE}).exits
    np.savez(
        tmp_path / "table.npz",
        confidence=np.array(TABLE["confidence"]),
        correct=np.array(TABLE["correct"]),
    )
    (tmp_path / "tiny.yaml").write_text("input_bytes: 3e3\nblocks: [{}, {}]\nexits: table.npz\n")
    stored = load_network(tmp_path / "tiny.yaml")
    assert stored.name == "tiny"
    assert stored.exits is not None
    assert inline is not None
    for table in (inline, stored.exits):
        assert table.samples == 2
        assert table.confidence.dtype == np.float32
        assert table.correct.dtype == np.int8
        assert table.correct.tolist() == TABLE["correct"]
        np.testing.assert_allclose(table.confidence, TABLE["confidence"])


@pytest.mark.parametrize(
    ("change", "allowed"),
    [
        ({"confidence": [[0, 0.2], [0, 0.7]]}, r"\[samples, 3\]"),
        ({"confidence": [[0, 0.2, 1.5], [0, 0.7, 1.0]]}, "0 to 1"),
        ({"confidence": [[0, 0.2, float("nan")], [0, 0.7, 1.0]]}, "0 to 1"),
        ({"correct": [[0, 0, 1]]}, r"shape \(2, 3\)"),
        ({"correct": [[0, 0, 0.5], [0, 1, 1]]}, "0 or 1"),
        ({"correct": [["a", 0, 1], [0, 1, 1]]}, "numbers"),
        ({"correct": [[0, 0], [0, 1, 1]]}, "numbers"),
        ({"labels": []}, "confidence"),
    ],
)
def test_wrong_exit_tables_are_refused(change: dict[str, object], allowed: str):
    with pytest.raises(InvalidInput, match=allowed) as caught:
        load_network({**TWO_BLOCKS, "exits": {**TABLE, **change}})
    assert caught.value.field.startswith("network.exits")


def test_a_pickle_is_not_loaded(tmp_path: Path):
    np.savez(tmp_path / "t.npz", confidence=np.array([{}], dtype=object), correct=np.zeros(1))
    with pytest.raises(InvalidInput, match="npz"):
        load_network({**TWO_BLOCKS, "exits": str(tmp_path / "t.npz")})


def test_files_that_cannot_be_read_are_named(tmp_path: Path):
    with pytest.raises(InvalidInput, match=r"absent\.yaml"):
        load_network(tmp_path / "absent.yaml")
    (tmp_path / "torn.yaml").write_text("blocks: [")
    with pytest.raises(InvalidInput, match="a YAML file"):
        load_network(tmp_path / "torn.yaml")
    (tmp_path / "twice.yaml").write_text("input_bytes: 1\ninput_bytes: 2\n")
    with pytest.raises(InvalidInput, match="each key once"):
        load_network(tmp_path / "twice.yaml")
    (tmp_path / "list.yaml").write_text("- 1\n")
    with pytest.raises(InvalidInput, match="a mapping"):
        load_network(tmp_path / "list.yaml")


@pytest.mark.parametrize("name", network_names())
def test_shipped_networks_say_where_they_come_from(name: str):
    network = load_network(name)
    assert network.name == name
    assert (network.blocks == 1) == (network.exits is None)
    assert (network.macs > 0).all()
    assert (network.param_bytes > 0).all()
    assert 500 < network.input_bytes < 100_000
    assert "measured" in network.source["input_bytes"]
    assert "blocks" in network.source


def test_tables_by_feature_type_and_their_validation_rows():
    plain = {"confidence": [[0.0, 0.5, 0.5]], "correct": [[0, 1, 1]]}
    coded = {"confidence": [[0.0, 0.4, 0.4]], "correct": [[0, 0, 1]]}
    other = {f"validation_{key}": value * 3 for key, value in plain.items()}
    given = {"input_bytes": 9, "blocks": [{}, {}], "exits": {"float32": plain, "int8": coded}}
    network = load_network(given, name="n")
    assert network.under("int8").exits is network.coded_exits["int8"]
    assert network.under("float16").exits is network.exits
    exits = load_network({**given, "exits": {**plain, **other}}, name="n").exits
    assert exits is not None
    assert exits.validation is not None
    assert exits.validation.samples == 3
    with pytest.raises(InvalidInput, match="float32"):
        load_network({**given, "exits": {"int8": coded}}, name="n")
    with pytest.raises(InvalidInput, match="validation"):
        load_network({**given, "exits": {**plain, "validation_correct": [[0, 1]]}}, name="n")
