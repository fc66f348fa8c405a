"""Measuring one network on this machine: seconds of its parts, and how far they can be trusted."""

from __future__ import annotations

import itertools
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from tiergym.calibration.measuring.fitting import (
    Parts,
    errors_of,
    fit_parts,
    is_served,
)
from tiergym.calibration.measuring.machine import Noise, Watch
from tiergym.calibration.measuring.subjects import Stage, Subject, runner
from tiergym.calibration.measuring.timing import Clock, Timings, time_calls

NEAR = 3
"""Stages of up to so many blocks are timed wherever they begin."""
LOUD_ERROR = 0.10
"""Errors above this make a profile one to be warned of."""
LOAD_BYTES, MOST_COPIES = 16_000_000, 16
"""A load is timed on so many bytes of parameters, or so many copies of a small network's."""


@dataclass(frozen=True, eq=False)
class Errors:
    """Mean absolute relative errors of the fitted parts, as shares.

    Attributes:
        fitted: on the stages with a head that they were fitted to.
        whole: base plus blocks and head against the whole network.
        cut: against the stages of a cut that was left out of the fit; NaN for a single block.
        batches: against batch sizes that were left out, on the whole network and that cut.
    """

    fitted: float
    whole: float
    cut: float
    batches: float


@dataclass(frozen=True, eq=False)
class Measured:
    """Of one network.

    Attributes:
        parts: by batch size.
        cut: (p1, p2), the one that was left out.
        jitter_cv: coefficient of variation of one stage's time, outliers left out.
        jitter_cv_all: the same with them.
        load_rate: bytes/s of parameters from local storage.
    """

    subject: Subject
    parts: dict[int, Parts]
    errors: Errors
    cut: tuple[int, int]
    jitter_cv: float
    jitter_cv_all: float
    load_rate: float
    noise: Noise

    def complaints(self) -> list[str]:
        """Why this should not be trusted, in words; empty if all is well."""
        errors = {
            "the whole network": self.errors.whole,
            "the cut left out": self.errors.cut,
            "the batch sizes left out": self.errors.batches,
        }
        missed = [
            f"{what} missed by {error:.1%}" for what, error in errors.items() if error > LOUD_ERROR
        ]
        return [*self.noise.complaints(), *missed]


def fitted_stages(blocks: int, heads: Sequence[int], cut: tuple[int, int]) -> list[Stage]:
    """Stages that the parts are fitted to: all but those of the cut.

    Those with a head that begin at 0, end at L or have few blocks; each block, and each beginning
    of the network, without a head; and each head alone.
    """
    pairs = [(a, b) for b in range(1, blocks + 1) for a in range(b)]
    near = [(a, b) for a, b in pairs if a == 0 or b == blocks or b - a <= NEAR]
    left_out = set(cut_stages(blocks, cut)) if blocks > 1 else set[Stage]()
    ends = set(heads)
    found = [Stage(a, b, True) for a, b in near if b in ends]
    found += [Stage(a, b, False) for a, b in pairs if a == 0 or b - a == 1]
    found += [Stage(k, k, True) for k in heads]
    return [stage for stage in found if stage not in left_out]


def cut_stages(blocks: int, cut: tuple[int, int]) -> list[Stage]:
    """The stages of a placement, each with its head."""
    ends = (0, *cut, blocks)
    return [Stage(a, b, True) for a, b in itertools.pairwise(ends) if a < b]


def held_out_cut(blocks: int, heads: Sequence[int]) -> tuple[int, int]:
    """A placement at about thirds whose stages end in heads; without heads inside, all of it."""
    inner = [k for k in heads if k < blocks]
    if not inner:
        return blocks, blocks
    p1 = min(inner, key=lambda k: (abs(k - blocks / 3), k))
    p2 = min(inner, key=lambda k: (abs(k - 2 * blocks / 3), k))
    return min(p1, p2), max(p1, p2)


def measure(
    subject: Subject,
    batch_sizes: Sequence[int],
    held_out: Sequence[int],
    repeats: int,
    report: Callable[[str], None] = print,
    clock: Clock = time.perf_counter,
    watch: Watch | None = None,
) -> Measured:
    """Time a network's stages and fit its parts.

    Args:
        batch_sizes: rising, from 1; the profile's points.
        held_out: batch sizes between those, predicted and compared.
    """
    blocks, heads = len(subject.blocks), sorted(subject.heads)
    cut = held_out_cut(blocks, heads)
    fitted = fitted_stages(blocks, heads, cut)
    checked = [*cut_stages(blocks, cut), Stage(0, blocks, True)]
    wanted = {batch: list(dict.fromkeys([*fitted, *checked])) for batch in batch_sizes}
    wanted |= {batch: list(dict.fromkeys(checked)) for batch in held_out}
    keys = [(batch, stage) for batch, stages in wanted.items() for stage in stages]
    calls = [runner(subject, stage, batch) for batch, stage in keys]
    watch = watch or Watch()
    took = time_calls(
        calls,
        repeats,
        clock=clock,
        report=lambda k: report(f"{subject.name}: pass {k} of {repeats}, {len(calls)} stages"),
    )
    noise = noise_of(took, watch)
    timed: dict[int, dict[Stage, float]] = {batch: {} for batch in wanted}
    for (batch, stage), seconds in zip(keys, took.typical().tolist(), strict=True):
        timed[batch][stage] = seconds
    parts = {
        batch: fit_parts(fitted, np.array([timed[batch][s] for s in fitted]), blocks, heads)
        for batch in batch_sizes
    }
    errors = Errors(
        fitted=errors_of(
            parts, timed, batch_sizes, [stage for stage in fitted if is_served(stage)]
        ),
        whole=errors_of(parts, timed, batch_sizes, [Stage(0, blocks, True)]),
        cut=errors_of(parts, timed, batch_sizes, cut_stages(blocks, cut) if blocks > 1 else []),
        batches=errors_of(parts, timed, held_out, list(dict.fromkeys(checked))),
    )
    return Measured(
        subject=subject,
        parts=parts,
        errors=errors,
        cut=cut,
        jitter_cv=took.variation(),
        jitter_cv_all=took.variation(outliers=True),
        load_rate=load_rate(subject),
        noise=noise,
    )


def noise_of(took: Timings, watch: Watch) -> Noise:
    """How disturbed the timings were."""
    outliers = took.outliers()
    switched = float(took.switched[outliers].mean()) if outliers.any() else float("nan")
    return Noise(
        spread=float(np.median(took.spread())),
        drift=took.drift(),
        outliers=float(outliers.mean()),
        outliers_switched=switched,
        steal=watch.steal(),
        others=watch.others(),
        outlier_ratio=took.outlier_ratio(),
        outliers_in_bursts=took.bursts(),
        mean_ratio=took.mean_ratio(),
        load_average=watch.load_average,
    )


def load_rate(subject: Subject, repeats: int = 5) -> float:
    """Bytes of parameters a second that come from local storage into modules, median.

    Copies of a small network's parameters are loaded one after the other, so that opening the file
    weighs little; what a file holds beside parameters is not counted. The file is dropped from the
    page cache before every load where the system allows that.
    """
    modules = [*subject.blocks, *subject.heads.values()]
    own = [module.state_dict() for module in modules]
    size = sum(t.numel() * t.element_size() for state in own for t in state.values())
    if size == 0:
        return float("inf")
    copies = min(-(-LOAD_BYTES // size), MOST_COPIES)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "parameters.pt"
        torch.save([[_cloned(state) for state in own] for _ in range(copies)], path)
        seconds: list[float] = []
        for _ in range(repeats):
            _drop_from_cache(path)
            began = time.perf_counter()
            for states in torch.load(path, weights_only=True):
                for module, state in zip(modules, states, strict=True):
                    module.load_state_dict(state)
            seconds.append(time.perf_counter() - began)
    return copies * size / float(np.median(seconds))


def _cloned(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in state.items()}


def _drop_from_cache(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
