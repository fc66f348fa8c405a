"""Prices of the trained architectures on published devices, and the errors of those prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tiergym.calibration.least_squares import non_negative_fit
from tiergym.calibration.published import nasbench, ncnn
from tiergym.calibration.published.architectures import ARCHITECTURES, priced
from tiergym.calibration.published.laws import (
    Floats,
    OperationLaw,
    held_out_errors,
    relative_errors,
)
from tiergym.calibration.records import entry, read_record
from tiergym.calibration.torchvision_counts import RECORD

CELLS = 15
"""Cells of a NAS-Bench-201 network: five at each of three widths (arXiv 2001.00326)."""
CONV3_MEGAMACS, CONV1_MEGAMACS = 2.359296, 0.262144
"""Of a convolution in a cell; at all three widths alike, as channels double and sides halve."""
OUTSIDE_OPERATIONS, OUTSIDE_MEGAMACS = 8, 7.79
"""Of the stem, two residual blocks that halve the side, and the classifier."""
FOLDS = 5
NCNN_NAMES = {
    "squeezenet": "squeezenet1_1",
    "mobilenet_v2": "mobilenet_v2",
    "shufflenet_v2": "shufflenet_v2_x1_0",
    "resnet18": "resnet18",
    "mobilenet_v3": "mobilenet_v3_large",
    "efficientnet_b0": "efficientnet_b0",
    "regnety_400m": "regnet_y_400mf",
    "resnet50": "resnet50",
    "vgg16": "vgg16",
    "alexnet": "alexnet",
    "googlenet": "googlenet",
    "mnasnet": "mnasnet1_0",
}
"""ncnn's name: torchvision's, of networks that both have."""


@dataclass(frozen=True)
class Fitted:
    """A law and its mean absolute relative errors over whole networks.

    Attributes:
        fit: on the networks it was fitted to; ``held_out``: on networks it had not seen;
            ``worst``: 90th percentile of the held-out errors.
        macs_alone: of the best law in macs alone, held out in the same way.
    """

    law: OperationLaw
    fit: float
    held_out: float
    worst: float
    macs_alone: float

    def text(self) -> str:
        """The errors in words."""
        return (
            f"mean error {self.fit:.1%} on the networks fitted, {self.held_out:.1%} on networks "
            f"held out (90 % of them within {self.worst:.1%}); a law in macs alone "
            f"{self.macs_alone:.1%}"
        )


def fit_cells(table: nasbench.LatencyTable, column: str) -> Fitted:
    """The law of one column of HELP's table; held out: every fold of five by number of operations.

    The cells with most convolutions are predicted from those with fewer, and the other way round,
    so that the error is one of extrapolation.
    """
    y = table.milliseconds[:, table.columns.index(column)]
    count = table.conv3x3 + table.conv1x1
    macs = CELLS * (table.conv3x3 * CONV3_MEGAMACS + table.conv1x1 * CONV1_MEGAMACS)
    features = np.stack(
        [np.ones(len(y)), CELLS * count.astype(np.float64), macs, CELLS * table.pools], axis=1
    ).astype(np.float64)
    groups = np.minimum(count, FOLDS)
    folds = [groups == k for k in np.unique(groups)]
    found = non_negative_fit(features, y)
    held_out = held_out_errors(features, y, folds)
    alone = held_out_errors(features[:, [0, 2]], y, folds)
    base = found[0] - OUTSIDE_OPERATIONS * found[1] - OUTSIDE_MEGAMACS * found[2]
    law = OperationLaw(max(float(base), 0.0), float(found[1]), float(found[2]), float(found[3]))
    return _fitted(law, relative_errors(features, y, found), held_out, alone)


def fit_networks(times: Mapping[str, ncnn.Times]) -> Fitted:
    """The law of one ncnn device over the networks in `NCNN_NAMES`, each held out in turn."""
    names = [name for name in NCNN_NAMES if name in times]
    y = np.array([times[name][1] for name in names])
    features = np.array([_counts(NCNN_NAMES[name]) for name in names])
    folds = [np.arange(len(names)) == k for k in range(len(names))]
    found = non_negative_fit(features, y)
    law = OperationLaw(0.0, float(found[0]), float(found[1]))
    alone = held_out_errors(features[:, [1]], y, folds)
    return _fitted(
        law, relative_errors(features, y, found), held_out_errors(features, y, folds), alone
    )


def _counts(name: str) -> list[float]:
    record = read_record(RECORD)
    dense, depthwise, macs = (
        float(str(entry(record, "networks", name, key))) for key in ("dense", "depthwise", "macs")
    )
    return [dense + depthwise, macs / 1e6]


def _fitted(law: OperationLaw, fit: Floats, held_out: Floats, alone: Floats) -> Fitted:
    return Fitted(
        law=law,
        fit=float(np.mean(fit)),
        held_out=float(np.mean(held_out)),
        worst=float(np.quantile(held_out, 0.9)),
        macs_alone=float(np.mean(alone)),
    )


def entries(laws: Mapping[int, OperationLaw], names: Sequence[str]) -> dict[str, object]:
    """Entries of a profile's ``networks`` for these architectures."""
    return {name: priced(name, laws) for name in names}


DENSE = [name for name in ARCHITECTURES if not name.startswith("depthwise")]
"""Architectures of ordinary convolutions: NAS-Bench-201 has no depthwise one to price others by."""


def cell_laws(table: nasbench.LatencyTable, device: str) -> dict[int, Fitted]:
    """Laws of a device of HELP's table by batch size; one image where it says no size."""
    columns = {name: 1 for name in table.columns if name == device}
    columns |= {f"{device}_{b}": b for b in nasbench.BATCHES if f"{device}_{b}" in table.columns}
    return {b: fit_cells(table, name) for name, b in columns.items()}


def board_law(path: Path, board: ncnn.Board) -> Fitted:
    """Law of one ncnn board."""
    return fit_networks(ncnn.read_run(path, board.run))
