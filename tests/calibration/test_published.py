"""Shipped figures against the raw tables that they were derived from, and against closed forms."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tiergym.calibration.chains import count, nasbench201_parameters, vgg16, vgg_s, yolo9000
from tiergym.calibration.encoded_sizes import RECORD, measure_cifar
from tiergym.calibration.multi_exit.options import parse_options
from tiergym.calibration.networks import shipped_runs
from tiergym.calibration.published import nasbench, ncnn, nexus, radios
from tiergym.calibration.published.__main__ import derive
from tiergym.calibration.published.common import torchvision_count
from tiergym.calibration.records import entry, read_record, write_yaml
from tiergym.devices import device_names, load_device, stage_seconds, stage_workspace
from tiergym.links import link_names
from tiergym.networks import load_network, network_names
from tiergym.shipped import data_folder

DATA = Path(__file__).parents[2].parent / "shared" / "data"
TRAINED = {parse_options(each).name for each in shipped_runs()}
MEASURED = {name for name in device_names() if load_device(name).source["kind"] == "measured"}
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the raw tables are not here")


def test_counts_agree_with_published_ones():
    assert count(vgg16(1000), 224).parameters == 138_357_544
    assert count(vgg16(1000), 224).macs == torchvision_count("vgg16")[0]
    assert count(vgg_s(), 224).parameters == 102_908_520
    assert count(yolo9000(), 480).out_elements == 15 * 15 * 3 * (9418 + 5)
    assert nasbench201_parameters(conv3x3=6, conv1x1=0) == 1_531_546


def test_cells_that_lead_nowhere_are_found():
    assert nasbench.is_connected("|nor_conv_1x1~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|")
    assert not nasbench.is_connected(
        "|nor_conv_1x1~0|+|none~0|none~1|+|none~0|none~1|nor_conv_3x3~2|"
    )


def test_a_fit_has_the_spread_between_its_percentiles():
    fit = radios.fit((10.0, 20.0, 40.0))
    assert fit["median"] == 20.0
    assert np.exp(2.563 * fit["sigma"]) == pytest.approx(4.0, rel=1e-3)


def test_train_and_test_share_no_network_and_no_device():
    assert not set(ncnn.TRAIN) & set(ncnn.TEST)
    trained = [set(board.networks) for board in ncnn.BOARDS.values()]
    assert trained == [set(ncnn.TRAIN)] * 2 + [set(ncnn.TEST)] * 2


def nexus_rows() -> Iterator[dict[str, str]]:
    with (DATA / "nexus-batch-latency.csv").open(newline="") as file:
        yield from csv.DictReader(file)


@needs_data
def test_all_files_are_what_the_command_derives(tmp_path: Path):
    derived = derive(DATA)
    header = "Written by `python -m tiergym.calibration.published`; change that, not this file."
    for package, names in (
        ("networks", network_names()),
        ("devices", device_names()),
        ("links", link_names()),
    ):
        others = {*TRAINED, *MEASURED}
        assert sorted(derived[package]) == [name for name in names if name not in others]
        for name, record in derived[package].items():
            write_yaml(tmp_path / "one.yaml", record, header)
            shipped = (data_folder(package) / f"{name}.yaml").read_text(encoding="utf-8")
            assert (tmp_path / "one.yaml").read_text(encoding="utf-8") == shipped


@needs_data
@pytest.mark.parametrize("name", list(nexus.RAW_NAMES))
def test_titan_x_tables_are_the_measured_ones(name: str):
    device = load_device("titan-x-pascal-nexus")
    raw = [row for row in nexus_rows() if row["network"] == nexus.RAW_NAMES[name]]
    known = min(len(raw), nexus.DENSE_TO)
    found = stage_seconds(device, name, 1, 1, True, known, blocks=1)
    expected = [float(row["seconds"]) for row in raw[:known]]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)
    memory = stage_workspace(device, name, known) + load_network(name).param_bytes[0]
    assert memory.tolist() == [float(row["memory_bytes"]) for row in raw[:known]]
    law = device.networks[name].whole
    assert law is not None
    assert law.known == len(raw)


@needs_data
def test_titan_x_tables_joined_beyond_are_near_the_measured_ones():
    device = load_device("titan-x-pascal-nexus")
    raw = [float(r["seconds"]) for r in nexus_rows() if r["network"] == "caffe:vgg16:1"]
    found = stage_seconds(device, "vgg16", 1, 1, True, len(raw), blocks=1)
    assert np.max(np.abs(found / raw - 1.0)) < 0.12
    assert np.mean(np.abs(found / raw - 1.0)) < 0.02


@needs_data
def test_gpu_points_are_the_measured_ones():
    with np.load(DATA / "nasbench201-latency.npz", allow_pickle=False) as stored:
        columns = [str(name) for name in stored["device"]]
        milliseconds, macs = stored["latency_ms"], stored["macs"]
    for name, (gpu, _) in nasbench.GPUS.items():
        device = load_device(name)
        assert sum(not laws.blocks for laws in device.networks.values()) == nasbench.CHOSEN
        for network in [each for each in device.networks if each.startswith("nb201-")]:
            row = int(network.removeprefix("nb201-"))
            found = stage_seconds(device, network, 1, 1, True, 256, blocks=1)
            for batch in nasbench.BATCHES:
                expected = milliseconds[row, columns.index(f"{gpu}_{batch}")] / 1e3
                assert found[batch - 1] == pytest.approx(expected, rel=1e-6)
            assert load_network(network).macs[0] == macs[row]


@needs_data
def test_boards_have_the_mean_of_the_run_they_name():
    with (DATA / "ncnn-latency.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for name, board in ncnn.BOARDS.items():
        device = load_device(name)
        for network, (model, _, _) in board.networks.items():
            key = (board.run.device, board.run.args, model)
            found = [
                float(r["avg_ms"]) for r in rows if (r["device"], r["args"], r["model"]) == key
            ]
            seconds = stage_seconds(device, network, 1, 1, True, 2, blocks=1)
            assert seconds[0] == pytest.approx(found[board.run.repeat] / 1e3, rel=1e-9)
            assert seconds[1] == 2 * seconds[0]


@needs_data
def test_cifar_sizes_are_the_measured_ones():
    found = measure_cifar(DATA / "cifar10-jpeg.npz")
    assert found["mean"] == entry(read_record(RECORD), "cifar10", "mean")
    assert round(float(str(found["mean"]))) == load_network("nb201-02451").input_bytes
