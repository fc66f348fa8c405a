"""Checkpoints of a training run: written whole or not at all, read without unpickling code."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any, cast

import torch

from tiergym.errors import InvalidInput

Checkpoint = dict[str, Any]
"""Tensors, numbers, texts, and lists and mappings of them."""


def save_checkpoint(path: Path, state: Checkpoint) -> None:
    """Write ``state`` beside ``path``, then put it in its place in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    with partial.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def load_checkpoint(path: Path) -> Checkpoint | None:
    """The state in ``path``, None if there is none.

    Raises:
        InvalidInput: if the file is damaged or holds anything but plain values and tensors.
    """
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, LookupError, ValueError, pickle.UnpicklingError):
        allowed = "a checkpoint of this command; remove the file to train anew"
        raise InvalidInput("checkpoint", str(path), allowed) from None
    return cast(Checkpoint, state)
