"""Device profiles: stages from base, blocks and heads; what is refused; what is shipped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tiergym.calibration.published.architectures import ARCHITECTURES
from tiergym.calibration.published.nasbench import GPUS
from tiergym.devices import (
    DeviceProfile,
    device_names,
    load_device,
    stage_seconds,
    stage_workspace,
)
from tiergym.errors import InvalidInput
from tiergym.networks import network_names

BLOCKS = {
    "base": {"points": [[1, 0.01], [4, 0.01]]},
    "blocks": [0.001, {"line": {"a": 0.0, "k": 0.002}}, 0.004],
    "heads": {2: 0.0005},
}


@pytest.fixture
def device() -> DeviceProfile:
    return load_device({"name": "d", "networks": {"three": BLOCKS, "whole": 0.01}})


def seconds(
    device: DeviceProfile, first: int, last: int, head: bool = True, name: str = "three"
) -> list[float]:
    return stage_seconds(device, name, first, last, head, 2, blocks=3).tolist()


def test_a_stage_is_base_blocks_and_head(device: DeviceProfile):
    assert seconds(device, 1, 2) == pytest.approx([0.0135, 0.017])
    assert seconds(device, 1, 2, head=False) == pytest.approx([0.013, 0.016])
    assert seconds(device, 3, 3) == pytest.approx([0.014, 0.018])
    assert seconds(device, 1, 3) == pytest.approx([0.017, 0.024])


def test_every_cut_pays_the_base_again(device: DeviceProfile):
    cut = np.add(seconds(device, 1, 2, head=False), seconds(device, 3, 3))
    np.testing.assert_allclose(cut - seconds(device, 1, 3), 0.01)


def test_a_head_before_the_end_needs_a_law(device: DeviceProfile):
    with pytest.raises(InvalidInput, match="exit head after block 1") as caught:
        seconds(device, 1, 1)
    assert caught.value.field == "devices.d.networks.three.heads"
    assert seconds(device, 1, 1, head=False) == pytest.approx([0.011, 0.012])


def test_networks_are_known_by_name_first_and_by_architecture_else(device: DeviceProfile):
    assert device.name_for("three", "whole") == "three"
    assert device.name_for("three-joint-s0", "three") == "three"
    assert device.name_for("absent", "absent-too") == "absent"


def test_a_whole_law_is_for_whole_networks_only(device: DeviceProfile):
    assert seconds(device, 1, 3, name="whole") == [0.01, 0.02]
    for first, last in ((1, 2), (2, 3)):
        with pytest.raises(InvalidInput, match="only the whole network"):
            seconds(device, first, last, name="whole")


def test_stages_that_do_not_exist_are_refused(device: DeviceProfile):
    for first, last in ((0, 1), (2, 1), (1, 4)):
        with pytest.raises(InvalidInput, match="within 1 to 3"):
            seconds(device, first, last)
    with pytest.raises(InvalidInput, match="did you mean 'three'"):
        seconds(device, 1, 1, name="tree")
    with pytest.raises(InvalidInput, match="2 laws, one per block"):
        stage_seconds(device, "three", 1, 1, False, 1, blocks=2)
    with pytest.raises(InvalidInput, match=r"three\.base"):
        stage_seconds(device, "three", 1, 1, False, 5, blocks=3)


def test_a_stage_without_seconds_is_refused():
    device = load_device({"networks": {"a": 0.0}})
    with pytest.raises(InvalidInput, match="seconds > 0"):
        stage_seconds(device, "a", 1, 1, True, 2, blocks=1)


def test_workspace_is_bytes_or_zero(device: DeviceProfile):
    assert stage_workspace(device, "three", 3).tolist() == [0.0, 0.0, 0.0]
    law = {"whole": 0.1, "workspace": {"points": [[1, 100], [3, 300]]}}
    other = load_device({"networks": {"a": law}})
    assert stage_workspace(other, "a", 3).tolist() == [100.0, 200.0, 300.0]
    with pytest.raises(InvalidInput, match=r"a\.workspace"):
        stage_workspace(other, "a", 4)


def test_assumed_tells_what_was_not_measured(device: DeviceProfile):
    assert device.networks["whole"].assumed
    measured = load_device({"networks": {"a": {"points": [[1, 1.0], [2, 1.0]]}}})
    assert not measured.networks["a"].assumed


def test_a_users_file_is_one_yaml_file(tmp_path: Path):
    path = tmp_path / "my-board.yaml"
    path.write_text(
        "device: My Board\nruntime: mine 1.0\njitter_cv: 0.05\nload_rate: 1e8\n"
        "idle_watts: 2\nbusy_watts: 5\nmemory_bytes: 4e9\n"
        "networks:\n  small: {points: [[1, 4e-3], [8, 1e-2]]}\nsource: measured by me\n"
    )
    device = load_device(str(path))
    assert (device.name, device.device, device.runtime) == ("my-board", "My Board", "mine 1.0")
    assert (device.load_rate, device.memory_bytes) == (1e8, 4e9)
    assert (device.idle_watts, device.busy_watts, device.jitter_cv) == (2.0, 5.0, 0.05)
    assert device.source == {"from": "measured by me"}
    assert load_device(path.name, folder=tmp_path).name == "my-board"
    assert load_device(device) is device


@pytest.mark.parametrize(
    ("change", "field", "allowed"),
    [
        ({"networks": None}, "device.networks", "a mapping"),
        ({"networks": {}}, "device.networks", "at least one"),
        ({"networks": {"a": "x"}}, "device.networks.a", "points"),
        ({"networks": {"a": {"whole": 1, "blocks": [1]}}}, "device.networks.a", "one of whole"),
        ({"networks": {"a": {"base": 1}}}, "device.networks.a", "one of whole and blocks"),
        ({"networks": {"a": {"whole": 1, "heads": {}}}}, "device.networks.a.heads", "nothing"),
        ({"networks": {"a": {"whole": 1, "seconds": 2}}}, "device.networks.a.seconds", "whole"),
        ({"networks": {"a": {"blocks": [1], "heads": {"x": 1}}}}, "device.networks.a.heads.x", "1"),
        ({"networks": {"a": {"blocks": [[1]]}}}, "device.networks.a.blocks[0]", "points"),
        ({"jitter_cv": -0.1}, "device.jitter_cv", ">= 0"),
        ({"load_rate": 0}, "device.load_rate", "> 0"),
        ({"memory_bytes": "8 GB"}, "device.memory_bytes", "bytes"),
        ({"idle_watts": 5, "busy_watts": 2}, "device.busy_watts", "idle_watts, 5"),
        ({"idle_watts": -1}, "device.idle_watts", ">= 0"),
        ({"jitter": 0.1}, "device.jitter", "did you mean 'jitter_cv'"),
    ],
)
def test_wrong_fields_are_named(change: dict[str, object], field: str, allowed: str):
    with pytest.raises(InvalidInput) as caught:
        load_device({"networks": {"a": 1.0}, **change})
    assert caught.value.field == field
    assert allowed in caught.value.allowed


def test_unknown_names_and_missing_files_are_named(tmp_path: Path):
    with pytest.raises(InvalidInput, match="did you mean 'titan-rtx-help'"):
        load_device("titan-rtx-hepl")
    with pytest.raises(InvalidInput, match=r"absent\.yaml"):
        load_device(str(tmp_path / "absent.yaml"), field="nodes.device.profile")


@pytest.mark.parametrize("name", device_names())
def test_shipped_devices_are_complete(name: str):
    device = load_device(name)
    assert device.name == name
    own = device.source["kind"] == "measured"
    told = {"command", "machine", "versions", "date"} if own else {"url", "licence", "derived_by"}
    assert {"kind", "from", *told} <= set(device.source)
    assert set(device.networks) <= {*network_names(), *ARCHITECTURES}
    measured = ("titan-x-pascal-nexus", *GPUS)
    for network, laws in device.networks.items():
        assert laws.assumed == (name not in measured and not own)
        blocks = len(laws.blocks) or 1
        table = stage_seconds(device, network, 1, blocks, True, 16, blocks=blocks)
        assert ((table > 1e-4) & (table < 10.0)).all()
