"""Scenarios from files and mappings of every kind, and the command that prints them."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import tiergym.scenarios
from tests.scenarios.examples import PLAIN, THREE_TIERS, example
from tiergym.errors import InvalidInput
from tiergym.scenarios import load_scenario
from tiergym.scenarios.__main__ import main
from tiergym.scenarios.plain import plain_mapping
from tiergym.scenarios.read import KEYS as READ_KEYS


def test_a_scenario_is_returned_as_it_is() -> None:
    scenario = load_scenario(PLAIN)
    assert load_scenario(scenario) is scenario


def test_a_shipped_scenario_is_read_once() -> None:
    assert load_scenario("titan-x-code-0.80") is load_scenario("titan-x-code-0.80")


def test_the_mapping_given_is_not_changed() -> None:
    given = example(THREE_TIERS)
    load_scenario(given)
    assert given == THREE_TIERS


def test_config_is_json_and_gives_the_same_scenario() -> None:
    scenario = load_scenario(THREE_TIERS)
    text = json.dumps(scenario.config)
    assert load_scenario(json.loads(text)).digest() == scenario.digest()


def test_arrays_tuples_and_numpy_numbers() -> None:
    points = np.array([[1.0, 0.01], [8.0, 0.04]])
    given = example(
        nodes__device__profile__networks__large={"points": points},
        nodes__device__batch_max=np.int64(8),
        window=np.float64(20.0),
        nodes__device__rank=("large",),
    )
    plain = example(nodes__device__rank=["large"], window=20.0)
    assert load_scenario(given).digest() == load_scenario(plain).digest()


def test_omegaconf_nodes() -> None:
    omegaconf = pytest.importorskip("omegaconf")
    node: Any = omegaconf.OmegaConf.create({**example(), "rtt": 0.02})
    node.links.uplink.rtt = "${rtt}"
    del node["rtt"]
    with pytest.raises(InvalidInput, match=r"links\.uplink\.rtt"):
        load_scenario(node)
    node.links.uplink.rtt = "${window}"
    assert load_scenario(node).config["links"]["uplink"]["rtt"] == 20
    node.links.uplink.rtt = 0.02
    assert load_scenario(node).digest() == load_scenario(PLAIN).digest()


def test_keys_that_collide_as_text() -> None:
    with pytest.raises(InvalidInput, match="each key once"):
        plain_mapping("", {1: 0, "1": 0})


def test_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "inner"
    folder.mkdir()
    device = {"networks": {"small": 0.004, "large": 0.01}}
    (folder / "device.yaml").write_text(yaml.safe_dump(device))
    (folder / "trace.csv").write_text("\n".join(str(t) for t in range(40)))
    given = example(
        nodes__device__profile="./device.yaml",
        arrivals={"process": "trace", "trace": "trace.csv"},
        window=...,
        name=...,
    )
    (folder / "mine.yaml").write_text(yaml.safe_dump(given, sort_keys=False))
    scenario = load_scenario(folder / "mine.yaml")
    assert scenario.name == "mine"
    assert scenario.window == 40.0
    assert scenario.draw(np.random.default_rng(0)).tasks == 40
    monkeypatch.chdir(tmp_path)
    assert load_scenario("inner/mine.yaml").digest() == scenario.digest()
    assert load_scenario(scenario.config).config == scenario.config
    monkeypatch.chdir(folder)
    assert load_scenario({**given, "name": "mine"}).digest() == scenario.digest()
    (folder / "trace.csv").write_text("\n".join(str(t * 2) for t in range(40)))
    assert load_scenario("./mine.yaml").digest() != scenario.digest()


def test_yaml_numbers_with_an_exponent(tmp_path: Path) -> None:
    text = yaml.safe_dump(example(links__uplink__package_max="X")).replace("X", "1e6")
    (tmp_path / "mine.yaml").write_text(text)
    assert load_scenario(tmp_path / "mine.yaml").system.link_package_max[0] == 1e6


def test_a_few_arrival_times_played_exactly() -> None:
    scenario = load_scenario(example(arrivals={"trace": [0.1, 0.2, 0.25]}, window=...))
    for seed in range(3):
        instance = scenario.draw(np.random.default_rng(seed))
        assert instance.arrival.tolist() == [0.1, 0.2, 0.25]
    assert scenario.window == pytest.approx(0.25 + 0.075)


def test_link_overrides() -> None:
    link = {"source": "device", "target": "upper", "profile": "lte", "per_package": 0.5}
    scenario = load_scenario(example(links__uplink=link))
    assert scenario.system.link_half_rtt[0] == 0.011
    assert scenario.system.link_per_package[0] == 0.5


def test_input_bytes_override_a_named_network() -> None:
    entry = {"network": "vgg16", "input_bytes": 12345}
    device = {"networks": {"vgg16": 0.01, "large": 0.01}}
    changes: dict[str, Any] = {"nodes__device__profile": device, "nodes__upper__profile": device}
    changes["nodes__device__batch_max"] = 1
    scenario = load_scenario(example(networks__small=entry, **changes))
    assert scenario.system.group_payload[0] == 12345.0
    assert scenario.system.network_names[0] == "small"


def test_summary_and_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    listing = capsys.readouterr().out
    assert "task_scheduling, train:" in listing
    assert "pi-4b-conv-0.80" in listing
    assert main(["titan-x-code-0.80"]) == 0
    summary = capsys.readouterr().out
    assert "unbatched" in summary
    assert "uplink" in summary
    assert main(["titan"]) == 2
    assert "allowed" in capsys.readouterr().err


def test_loading_imports_neither_torch_nor_omegaconf() -> None:
    code = (
        "import sys; from tiergym.scenarios import load_scenario; "
        "load_scenario('titan-x-code-0.80'); "
        "print([m for m in ('torch', 'omegaconf', 'hydra', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_example_in_the_documentation_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = tiergym.scenarios.__doc__ or ""
    shown = text.split("code-block:: yaml")[1].splitlines()[2:]
    body = "\n".join(line[4:] for line in itertools.takewhile(lambda k: k[:1] in ("", " "), shown))
    tables = [[0.0, 0.9, 0.9, 0.9, 0.9]]
    exits = {"confidence": tables, "correct": [[0, 1, 1, 1, 1]]}
    blocks = [{"out_elements": 10}] * 4
    network = {"name": "cut", "input_bytes": 900, "blocks": blocks, "exits": exits}
    laws = {"blocks": [0.001] * 4, "heads": {1: 0.001, 3: 0.001}}
    device = {"networks": {"vgg16": 0.006, "small": 0.002, "cut": laws}}
    given = yaml.safe_load(body)
    given["nodes"]["upper"]["profile"] = device
    for name, value in (("device", device), ("network", network), ("mine", given)):
        file = tmp_path / (f"my-{name}.yaml" if name != "mine" else "mine.yaml")
        file.write_text(yaml.safe_dump(value, sort_keys=False))
    scenario = load_scenario(tmp_path / "mine.yaml")
    assert scenario.system.networks == 3
    assert set(given) | {"window", "interval_seconds"} == set(READ_KEYS)
    assert scenario.draw(np.random.default_rng(0)).tasks > 600
    defaults = {"name": "mine", "nodes": given["nodes"], "networks": given["networks"]}
    for node in ("device", "upper"):
        for key in ("executors", "discipline", "rank", "memory_bytes"):
            given["nodes"][node].pop(key, None)
    given["nodes"]["upper"]["executors"] = 2
    for key in ("packing", "package_max"):
        del given["links"]["uplink"][key]
    given["networks"]["vgg16"] = {}
    shorter = {**defaults, "links": given["links"], "arrivals": given["arrivals"], "tasks": 800}
    monkeypatch.chdir(tmp_path)
    left = load_scenario(shorter).system.arrays()
    for name, array in scenario.system.arrays().items():
        assert np.array_equal(left[name], array, equal_nan=array.dtype.kind == "f"), name
