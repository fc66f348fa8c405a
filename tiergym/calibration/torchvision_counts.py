"""Macs and parameters of torchvision's networks, counted by PyTorch on shapes alone.

``python -m tiergym.calibration.torchvision_counts`` writes the record that
`tiergym.calibration.published` reads. Needs torch and a torchvision that fits it.
"""

from __future__ import annotations

import datetime
import importlib
from typing import Any

from tiergym.calibration.records import RECORDS, versions, write_yaml

RECORD = "torchvision_counts.yaml"
SIDES = {
    "squeezenet1_1": 227,
    "mobilenet_v2": 224,
    "shufflenet_v2_x1_0": 224,
    "resnet18": 224,
    "mobilenet_v3_large": 224,
    "efficientnet_b0": 224,
    "regnet_y_400mf": 224,
    "resnet50": 224,
    "vgg16": 224,
    "alexnet": 224,
    "googlenet": 224,
    "mnasnet1_0": 224,
}
"""Pixels along one side of the input of each network counted."""


def count_network(name: str, side: int) -> dict[str, int]:
    """Macs of convolutions and linear layers for one input, by kind, and parameters."""
    torch: Any = importlib.import_module("torch")
    models: Any = importlib.import_module("torchvision.models")
    operations: Any = importlib.import_module("tiergym.calibration.operations")
    options = {"init_weights": False} if name == "googlenet" else {}
    network = getattr(models, name)(weights=None, **options).eval().to("meta")
    ran, _ = operations.operations_of(network, torch.empty(1, 3, side, side, device="meta"))
    return {
        "side": side,
        "macs": ran.dense_macs + ran.depthwise_macs,
        "parameters": sum(int(p.numel()) for p in network.parameters()),
        "dense": ran.dense,
        "depthwise": ran.depthwise,
        "depthwise_macs": ran.depthwise_macs,
    }


def main() -> None:
    """Count all networks and write the record."""
    record: dict[str, object] = {
        "source": {
            "kind": "computed",
            "from": "torch.utils.flop_counter on torchvision's definitions (two FLOPs are one MAC)",
            "command": "python -m tiergym.calibration.torchvision_counts",
            "versions": versions(["torch", "torchvision"]),
            "date": datetime.date.today().isoformat(),
        },
        "networks": {name: count_network(name, side) for name, side in SIDES.items()},
    }
    write_yaml(RECORDS / RECORD, record, "Macs and parameters of networks in torchvision.")


if __name__ == "__main__":
    main()
