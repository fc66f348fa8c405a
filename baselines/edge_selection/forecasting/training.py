"""Trains the LSTM with torch: Huber loss, early stopping on the last fifth of every series."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from baselines.edge_selection.forecasting.data import Series
from baselines.edge_selection.forecasting.lstm import Weights, scaled
from baselines.edge_selection.forecasting.windows import HORIZONS, Floats, cut, roughness

UNITS = 32
BATCH = 256
LEARNING_RATE = 3e-3
WEIGHT_DECAY = 1e-2
EPOCHS, PATIENCE = 200, 15
VALIDATION = 0.2
_LEAST_ROUGHNESS = 1e-3


class Sample(NamedTuple):
    """Windows of several series."""

    inputs: Floats  # [m, H, 2] see `scaled`
    moves: Floats  # [m, 4] the future less the last value
    scale: Floats  # [m, 1] of the window
    weight: Floats  # [m, 1] one over the roughness of its series


class Trained(NamedTuple):
    """What a run ends with."""

    seed: int
    weights: dict[str, NDArray[np.float32]]
    curve: list[tuple[float, float]]  # by epoch: loss on the training part, and on the rest
    best: float  # least loss on the rest


def sample(parts: Sequence[Floats]) -> Sample:
    """Windows of series, each weighing one over its roughness, so that smooth ones count too."""
    rows: list[Sample] = []
    for values in parts:
        windows, future = cut(values)
        inputs, scale = scaled(windows)
        weight = 1.0 / max(roughness(values), _LEAST_ROUGHNESS)
        moves = future - windows[:, -1:]
        rows.append(Sample(inputs, moves, scale, np.full_like(scale, weight)))
    return Sample(*(np.concatenate(field) for field in zip(*rows, strict=True)))


def halves(series: Series) -> tuple[Sample, Sample]:
    """The first four fifths of each series to train on, the rest to stop by."""
    cuts = {name: round((1.0 - VALIDATION) * len(values)) for name, values in series.items()}
    least = 2 * HORIZONS[-1] + 1
    rest = [values[cuts[name] :] for name, values in series.items()]
    first = [values[: cuts[name]] for name, values in series.items()]
    return sample(first), sample([values for values in rest if len(values) >= least])


def make_module(units: int = UNITS) -> Any:
    """An untrained torch module of inputs [m, H, 2] to outputs [m, 4]; it begins as `Last`."""
    import torch
    from torch import nn

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(2, units, batch_first=True)
            self.output = nn.Linear(units, len(HORIZONS))
            nn.init.zeros_(self.output.weight)
            nn.init.zeros_(self.output.bias)

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return self.output(self.lstm(inputs)[0][:, -1])

    return Network()


def weights_of(module: Any) -> dict[str, NDArray[np.float32]]:
    """The arrays of `Weights` from a module of `make_module`."""
    state = {name: value.detach().numpy().copy() for name, value in module.state_dict().items()}
    arrays = Weights(
        inputs=state["lstm.weight_ih_l0"].T,
        hidden=state["lstm.weight_hh_l0"].T,
        bias=state["lstm.bias_ih_l0"] + state["lstm.bias_hh_l0"],
        output=state["output.weight"].T,
        output_bias=state["output.bias"],
    )
    return {name: np.ascontiguousarray(value) for name, value in arrays._asdict().items()}


def train(
    series: Series, seed: int, told: Callable[[str], Any], epochs: int = EPOCHS, units: int = UNITS
) -> Trained:
    """Train from one seed until the held-back part has not improved for `PATIENCE` epochs."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    training, rest = ([torch.from_numpy(a).float() for a in s] for s in halves(series))
    module = make_module(units)
    optimiser = torch.optim.AdamW(module.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    curve: list[tuple[float, float]] = []
    best, kept, waited = np.inf, weights_of(module), 0
    while len(curve) < epochs and waited < PATIENCE:
        first = _epoch(module, optimiser, training)
        with torch.no_grad():
            second = float(_loss(module, rest))
        curve.append((first, second))
        waited += 1
        if second < best:
            best, kept, waited = second, weights_of(module), 0
        told(f"seed {seed} epoch {len(curve):>3}: loss {first:.4f}, held back {second:.4f}")
    return Trained(seed, kept, curve, best)


def _loss(module: Any, part: Sequence[Any]) -> Any:
    from torch.nn import functional

    inputs, moves, scale, weight = part
    return functional.huber_loss(module(inputs) * scale * weight, moves * weight)


def _epoch(module: Any, optimiser: Any, part: Sequence[Any]) -> float:
    """One pass over all windows in random order; the mean loss."""
    import torch

    losses: list[float] = []
    for batch in torch.randperm(len(part[0])).split(BATCH):
        optimiser.zero_grad()
        loss = _loss(module, [field[batch] for field in part])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimiser.step()
        losses.append(loss.item())
    return float(np.mean(losses))
