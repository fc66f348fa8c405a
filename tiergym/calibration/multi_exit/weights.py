"""Weights of a trained network as arrays in an ``.npz``: read without unpickling anything."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from tiergym.calibration.multi_exit.families import AnyNetwork, build_network
from tiergym.calibration.multi_exit.options import Options
from tiergym.calibration.multi_exit.tensors import tensor_of
from tiergym.errors import InvalidInput


def save_weights(path: Path, network: AnyNetwork) -> None:
    """Store every parameter and buffer under its name, compressed."""
    arrays: Any = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    with partial.open("wb") as file:
        np.savez_compressed(file, **arrays)
    partial.replace(path)


def load_weights(path: Path, options: Options, channels: int, classes: int) -> AnyNetwork:
    """The network of ``options`` with stored weights, ready to be run.

    Raises:
        InvalidInput: if the file is no such file, or of another network.
    """
    network = build_network(options, channels, classes)
    try:
        with np.load(path, allow_pickle=False) as stored:
            state = {name: tensor_of(stored[name]) for name in stored.files}
        network.load_state_dict(state)
    except (OSError, ValueError, EOFError, RuntimeError) as error:
        allowed = f"weights of {options.name} ({str(error).splitlines()[0]})"
        raise InvalidInput("weights", str(path), allowed) from None
    return network.eval()
