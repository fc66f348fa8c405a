"""What is compared: schemes, weightings and seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tiergym.calibration.multi_exit.options import Options, parse_options

SEEDS = (0, 1, 2, 3, 4)
COMMON: Mapping[str, object] = {"family": "vgg", "width": 8, "epochs": 10, "stage_epochs": 3}
"""Every run; the epochs of a phase that trains the whole path are the same for all schemes."""
PATHS = (2, 5, 8)
"""Exits that the ``independent`` scheme trains a path of its own to."""


@dataclass(frozen=True)
class Variant:
    """A scheme, with its weighting where losses are summed."""

    name: str
    options: Mapping[str, object]

    def run(self, seed: int) -> Options:
        """Options of one run."""
        return parse_options({**COMMON, **self.options, "seed": seed})

    @property
    def exits(self) -> tuple[int, ...]:
        """Blocks with a head."""
        return self.run(0).all_exits


REFERENCE = "joint equal"
THESIS = "separate"
VARIANTS = (
    Variant(REFERENCE, {"scheme": "joint", "weights": "equal"}),
    Variant("joint early-heavy", {"scheme": "joint", "weights": "early-heavy"}),
    Variant("joint late-heavy", {"scheme": "joint", "weights": "late-heavy"}),
    Variant(THESIS, {"scheme": "separate"}),
    Variant("mixed equal", {"scheme": "mixed", "weights": "equal"}),
    Variant("progressive", {"scheme": "progressive"}),
    Variant("independent", {"scheme": "independent", "exits": list(PATHS)}),
)
