"""What is measured: the blocks and heads of a network, and the stages that a tier runs of it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from tiergym.calibration.multi_exit.families import MultiExitNetwork, build_network
from tiergym.calibration.multi_exit.options import parse_options
from tiergym.calibration.multi_exit.tables import confidence_of
from tiergym.calibration.multi_exit.weights import load_weights
from tiergym.calibration.published.architectures import ARCHITECTURES, CLASSES, SHAPE, options_of
from tiergym.errors import InvalidInput
from tiergym.fields import closest, mapping, read_yaml
from tiergym.networks import network_names
from tiergym.shipped import data_folder


@dataclass(frozen=True, eq=False)
class Subject:
    """A network whose stages are timed.

    Attributes:
        name: what profiles will know it by.
        blocks: L modules, called one after the other.
        heads: modules that give logits, by the block that they sit after; one at L at least.
        first: an input of one task, as the first block takes it, with a leading axis of one.
        about: weights and where they come from, for the record.
    """

    name: str
    blocks: Sequence[nn.Module]
    heads: Mapping[int, nn.Module]
    first: Tensor
    about: str


@dataclass(frozen=True)
class Stage:
    """Blocks ``start + 1`` to ``end``; with the head after ``end`` and its confidence, or without.

    Without blocks (``start == end``) it is the head alone.
    """

    start: int
    end: int
    head: bool


def shipped_subject(name: str) -> Subject:
    """A shipped network with its weights, or an architecture with random ones.

    Raises:
        InvalidInput: for a name that is neither, or a network that has no weights here.
    """
    if name in ARCHITECTURES:
        options, about = options_of(name), "random weights"
        chain = build_network(options, SHAPE[0], CLASSES)
    else:
        known = [*ARCHITECTURES, *(each for each in network_names() if _weights(each).is_file())]
        if name not in known:
            allowed = f"one of {', '.join(known)}{closest(name, known)}"
            raise InvalidInput("network", name, allowed)
        record = mapping(name, read_yaml(data_folder("networks") / f"{name}.yaml", name))
        source = mapping("source", record["source"])
        options = parse_options(mapping("options", source["options"]))
        chain = load_weights(_weights(name), options, SHAPE[0], CLASSES)
        about = f"weights of {name}"
    assert isinstance(chain, MultiExitNetwork)
    chain.eval()
    heads = {block: chain.heads[str(block)] for block in chain.exits}
    first = chain.scaled(torch.randint(0, 256, (1, *SHAPE), dtype=torch.uint8))
    return check(Subject(options.architecture, list(chain.blocks), heads, first, about))


def own_subject(where: str) -> Subject:
    """A network of the user's own: ``module:function``, whose result has the attributes below.

    ``blocks`` (modules in order), ``heads`` (a mapping from a block's number, counted from 1, to a
    module that gives logits; one at the last block at least) and ``example`` (a float tensor: one
    input with a leading axis of one); ``name`` if it is to be called otherwise.

    Raises:
        InvalidInput: if it cannot be imported, or lacks one of these.
    """
    module, colon, function = where.partition(":")
    if not colon:
        raise InvalidInput("module", where, "module:function")
    sys.path.insert(0, str(Path.cwd()))
    try:
        build = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, SyntaxError) as error:
        allowed = f"a module that can be imported, with that function ({error})"
        raise InvalidInput("module", where, allowed) from None
    else:
        made: Any = build()
    finally:
        sys.path.pop(0)
    for attribute in ("blocks", "heads", "example"):
        if not hasattr(made, attribute):
            allowed = f"a network with {attribute}; see the help"
            raise InvalidInput("module", where, allowed)
    return check(_read(made, function, f"made by {where}"))


def _read(made: Any, name: str, about: str) -> Subject:
    blocks = cast("list[nn.Module]", list(made.blocks))
    if not hasattr(made.heads, "items") or not all(str(key).isdigit() for key in made.heads):
        allowed = "a mapping from blocks, counted from 1, to modules"
        raise InvalidInput(f"{about}: heads", type(made.heads).__name__, allowed)
    heads: dict[int, nn.Module] = {int(block): head for block, head in made.heads.items()}
    shape = tuple(getattr(made.example, "shape", ()))
    if not isinstance(made.example, Tensor) or shape[:1] != (1,):
        raise InvalidInput(f"{about}: example", shape, "a tensor with a leading axis of one")
    for module in (*blocks, *heads.values()):
        module.eval()
    return Subject(str(getattr(made, "name", name)), blocks, heads, made.example, about)


def check(subject: Subject) -> Subject:
    """The subject itself, if one input passes through it.

    Raises:
        InvalidInput: if there is no exit, none at the last block, a shape that does not fit, or a
            logit that is not a number.
    """
    last = len(subject.blocks)
    if not subject.heads:
        raise InvalidInput(f"{subject.name}.heads", [], "at least one exit head")
    if last not in subject.heads or not all(1 <= block <= last for block in subject.heads):
        allowed = f"blocks within 1 to {last}, and a head at {last}"
        raise InvalidInput(f"{subject.name}.heads", sorted(subject.heads), allowed)
    with torch.inference_mode():
        features = subject.first
        for number, block in enumerate(subject.blocks, start=1):
            features = _called(subject, block, features, f"block {number}")
            if number in subject.heads:
                logits = _called(subject, subject.heads[number], features, f"head {number}")
                if not bool(torch.isfinite(logits).all()):
                    allowed = "finite numbers"
                    raise InvalidInput(f"{subject.name}: logits of head {number}", "NaN", allowed)
    return subject


def _called(subject: Subject, module: nn.Module, features: Tensor, what: str) -> Tensor:
    try:
        return module(features)
    except (RuntimeError, TypeError, ValueError) as error:
        text = str(error).splitlines()[0]
        allowed = f"features that it takes ({text})"
        raise InvalidInput(f"{subject.name}: {what}", tuple(features.shape), allowed) from None


def runner(subject: Subject, stage: Stage, batch: int) -> Callable[[], object]:
    """A call that runs a stage once on a batch, as a tier does.

    The tasks' tensors are spliced into one, the blocks run, and the head gives every task its
    answer and its confidence.
    """
    with torch.inference_mode():
        features = subject.first
        for block in subject.blocks[: stage.start]:
            features = block(features)
        tasks = [features.clone() for _ in range(batch)]
    blocks = subject.blocks[stage.start : stage.end]
    head = subject.heads[stage.end] if stage.head else None

    def run() -> object:
        with torch.inference_mode():
            out = torch.cat(tasks)
            for block in blocks:
                out = block(out)
            if head is None:
                return out
            logits = head(out)
            return confidence_of(logits), logits.argmax(dim=1).numpy()

    return run


def _weights(name: str) -> Path:
    return data_folder("networks") / f"{name}.weights.npz"
