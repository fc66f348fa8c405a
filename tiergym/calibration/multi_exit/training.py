"""Training a multi-exit network phase by phase, from where an interrupted run left off."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from tiergym.calibration.multi_exit.batches import batches, steps_of
from tiergym.calibration.multi_exit.checkpoints import load_checkpoint, save_checkpoint
from tiergym.calibration.multi_exit.families import (
    AnyNetwork,
    IndependentPaths,
    MultiExitNetwork,
    build_network,
    set_scale,
)
from tiergym.calibration.multi_exit.images import ImageData
from tiergym.calibration.multi_exit.options import Options
from tiergym.calibration.multi_exit.schemes import Phase, phases
from tiergym.calibration.multi_exit.tensors import backward, tensor_of
from tiergym.errors import InvalidInput

WARM_UP = 0.1
"""Share of a phase's steps over which the rate rises; then it falls along a half cosine."""

Report = Callable[[str], None]


@dataclass
class Run:
    """A training run between two epochs.

    Attributes:
        phase, epoch: what comes next.
        seconds: wall seconds spent in each phase so far.
        commits: of the code that trained it, in order.
    """

    options: Options
    network: AnyNetwork
    rng: np.random.Generator
    phase: int = 0
    epoch: int = 0
    seconds: list[float] = field(default_factory=list[float])
    commits: list[str] = field(default_factory=list[str])
    optimiser: torch.optim.Optimizer | None = None


def train(
    options: Options,
    data: ImageData,
    checkpoint: Path | None = None,
    report: Report = print,
    commit: str = "",
) -> Run:
    """Train as ``options`` say.

    Args:
        checkpoint: written after every epoch, and taken up if it is there.
        report: called with a line after every epoch.
        commit: of this code, for the record.

    Raises:
        InvalidInput: if the checkpoint is of another run, or the loss is not finite.
    """
    run = begin(options, data)
    if checkpoint is not None:
        _restore(run, load_checkpoint(checkpoint), data)
    plan = phases(options)
    while run.phase < len(plan):
        _epoch(run, plan, data, report)
        run.commits += [commit] if commit not in run.commits else []
        if checkpoint is not None:
            save_checkpoint(checkpoint, _state(run, data))
    run.network.eval()
    return run


def begin(options: Options, data: ImageData) -> Run:
    """A run before its first epoch."""
    channels = data.train.pixels.shape[1]
    network = build_network(options, channels, len(data.classes))
    mean, deviation = data.scale()
    set_scale(network, tensor_of(mean), tensor_of(deviation))
    return Run(options, network, np.random.default_rng(options.seed))


def _epoch(run: Run, plan: list[Phase], data: ImageData, report: Report) -> None:
    phase = plan[run.phase]
    chain = _prepared(run.network, phase)
    if run.optimiser is None:
        run.optimiser = _optimiser(run.options, chain, phase)
    started = time.perf_counter()
    loss = _pass(run, phase, chain, run.optimiser, data)
    taken = time.perf_counter() - started
    run.seconds = [*run.seconds, *[0.0] * (run.phase + 1 - len(run.seconds))]
    run.seconds[run.phase] += taken
    run.epoch += 1
    left = phase.epochs - run.epoch
    report(
        f"phase {run.phase + 1}/{len(plan)} ({phase.name})  epoch {run.epoch}/{phase.epochs}  "
        f"mean loss {loss:.4f}  {taken:.1f} s, phase ends in {left * taken:.0f} s"
    )
    if left == 0:
        run.phase, run.epoch, run.optimiser = run.phase + 1, 0, None


def _pass(
    run: Run,
    phase: Phase,
    chain: MultiExitNetwork,
    optimiser: torch.optim.Optimizer,
    data: ImageData,
) -> float:
    """One pass over the images; the mean loss of a head."""
    steps = steps_of(data.train, run.options.batch)
    highest = run.options.head_learning_rate if phase.heads_only else run.options.learning_rate
    augment = run.options.head_augment if phase.heads_only else run.options.augment
    total = 0.0
    drawn = batches(data.train, run.options.batch, augment, run.rng)
    for step, (images, labels) in enumerate(drawn):
        done = (run.epoch * steps + step) / (phase.epochs * steps)
        _set_rate(optimiser, highest * rate_share(done))
        loss = weighted_loss(chain, phase, images, labels)
        if not math.isfinite(loss.item()):
            given = f"{loss.item()} in {phase.name}, epoch {run.epoch + 1}, step {step + 1}"
            raise InvalidInput("loss", given, "a finite number; try a lower learning_rate")
        optimiser.zero_grad(set_to_none=True)
        backward(loss)
        optimiser.step()
        total += loss.item()
    return total / (steps * sum(phase.weights.values()))


def weighted_loss(chain: MultiExitNetwork, phase: Phase, images: Tensor, labels: Tensor) -> Tensor:
    """Sum over the phase's heads of weight times cross-entropy."""
    logits = chain(images, tuple(phase.weights))
    losses = [
        weight * functional.cross_entropy(logits[block], labels)
        for block, weight in phase.weights.items()
    ]
    return torch.stack(losses).sum()


def rate_share(done: float) -> float:
    """Share of the largest rate when this share of a phase is done."""
    if done < WARM_UP:
        return (done + 0.01) / (WARM_UP + 0.01)
    return 0.5 * (1.0 + math.cos(math.pi * (done - WARM_UP) / (1.0 - WARM_UP)))


def _prepared(network: AnyNetwork, phase: Phase) -> MultiExitNetwork:
    """The chain that a phase trains: what it trains in training mode, the rest as it is served."""
    if isinstance(network, IndependentPaths):
        chain = cast(MultiExitNetwork, network.paths[phase.path or 0])
    else:
        chain = network
    chain.eval()
    chain.requires_grad_(False)
    for module in _trained(chain, phase):
        module.train()
        module.requires_grad_(True)
    return chain


def _trained(chain: MultiExitNetwork, phase: Phase) -> list[nn.Module]:
    blocks: Iterable[nn.Module] = chain.blocks[phase.frozen : phase.last]
    return [*blocks, *(chain.heads[str(block)] for block in phase.weights)]


def _optimiser(options: Options, chain: MultiExitNetwork, phase: Phase) -> torch.optim.Optimizer:
    weights = [p for module in _trained(chain, phase) for p in module.parameters()]
    return torch.optim.AdamW(weights, lr=1.0, weight_decay=options.weight_decay)


def _set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = rate


def _identity(run: Run, data: ImageData) -> str:
    return json.dumps({**run.options.plain(), "data": data.digest()}, sort_keys=True)


def _state(run: Run, data: ImageData) -> dict[str, Any]:
    return {
        "identity": _identity(run, data),
        "network": run.network.state_dict(),
        "optimiser": run.optimiser.state_dict() if run.optimiser is not None else None,
        "generator": json.dumps(run.rng.bit_generator.state),
        "phase": run.phase,
        "epoch": run.epoch,
        "seconds": run.seconds,
        "commits": run.commits,
    }


def _restore(run: Run, state: dict[str, Any] | None, data: ImageData) -> None:
    if state is None:
        return
    if state.get("identity") != _identity(run, data):
        allowed = "the options and data that it began with; another folder, or remove it"
        raise InvalidInput("checkpoint", state.get("identity"), allowed)
    run.network.load_state_dict(state["network"])
    run.rng.bit_generator.state = json.loads(state["generator"])
    run.phase, run.epoch = int(state["phase"]), int(state["epoch"])
    run.seconds = [float(value) for value in state["seconds"]]
    run.commits = [str(commit) for commit in state["commits"]]
    if state["optimiser"] is not None:
        phase = phases(run.options)[run.phase]
        run.optimiser = _optimiser(run.options, _prepared(run.network, phase), phase)
        run.optimiser.load_state_dict(state["optimiser"])
