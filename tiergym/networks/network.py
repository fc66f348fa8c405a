"""`Network`: the blocks of a network and what they cost, whatever device runs them.

Seconds are not here: they belong to a (device, runtime), see `tiergym.devices`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiergym.errors import InvalidInput
from tiergym.fields import closest, is_mapping, mapping, number, sequence, source_record, text
from tiergym.networks.exits import ExitTable, parse_exits
from tiergym.shipped import open_record, shipped_names

FEATURE_BYTES = {"float32": 4, "float16": 2, "int8": 1}
"""Bytes of one element that leaves a block, by the feature type that a scenario names."""
SCALE_BYTES = {"int8": 4}
"""Bytes that a task's features take beside their elements: an int8 feature's scale."""

_KEYS = ("name", "description", "architecture", "blocks", "input_bytes", "exits", "source")
_ONE_BLOCK: list[dict[str, object]] = [{}]
_BLOCK_KEYS = ("macs", "param_bytes", "out_elements", "head_macs")


@dataclass(frozen=True, eq=False)
class Network:
    """A chain of L blocks; block k (1 to L) is entry k - 1 of the arrays.

    Attributes:
        name: the name it goes by.
        macs: float64[L], multiply-accumulates of each block for one input; NaN unknown.
        param_bytes: float64[L], bytes of each block's parameters.
        out_elements: float64[L], numbers that leave each block for one input; NaN unknown.
        head_macs: float64[L], multiply-accumulates of the exit head after each block; NaN unknown.
        input_bytes: bytes of an input as it is sent, encoded.
        exits: what its exit heads said on held-out inputs; None: it is served whole.
        coded_exits: the same where features were coded to a type other than float32 on their way,
            by feature type; empty where that was not measured.
        source: where the figures come from.
        architecture: what device profiles may price it by, where they do not know its name;
            networks that differ in weights alone share it.
    """

    name: str
    macs: NDArray[np.float64]
    param_bytes: NDArray[np.float64]
    out_elements: NDArray[np.float64]
    head_macs: NDArray[np.float64]
    input_bytes: float
    exits: ExitTable | None
    source: dict[str, Any]
    architecture: str = ""
    coded_exits: dict[str, ExitTable] = field(default_factory=dict[str, ExitTable])

    def under(self, feature_type: str) -> Network:
        """This network as it answers under a feature type.

        Where the type was not measured, the float32 table stands for it.
        """
        return replace(self, exits=self.coded_exits.get(feature_type, self.exits))

    @property
    def blocks(self) -> int:
        """Number of blocks, L."""
        return len(self.macs)


def network_names() -> list[str]:
    """Names of the shipped networks, sorted."""
    return shipped_names("networks")


def load_network(
    given: object, *, name: str | None = None, field: str = "network", folder: Path | None = None
) -> Network:
    """The network that ``given`` stands for.

    Args:
        given: a shipped network's name, the path of a YAML file, a mapping of the same shape, or
            a `Network`, which is returned as it is. A mapping needs ``input_bytes`` only: without
            ``blocks`` it is one block of unknown macs and no parameters.
        name: the name of a mapping that gives none.
        field: where it was given, for messages.
        folder: where relative paths start.

    Raises:
        InvalidInput: for a name that is not known, or a field that is missing, unknown or wrong.
    """
    if isinstance(given, Network):
        return given
    record, stem, folder = open_record("networks", given, field, folder)
    record = mapping(field, record, _KEYS)
    if "input_bytes" not in record:
        raise InvalidInput(f"{field}.input_bytes", None, "bytes of an encoded input")
    blocks = _parse_blocks(f"{field}.blocks", record.get("blocks", _ONE_BLOCK))
    exits = _exits(f"{field}.exits", record.get("exits"), len(blocks["macs"]), folder)
    parts: dict[str, Any] = {**exits, **blocks}
    own = text(f"{field}.name", record.get("name", name or stem or "network"))
    return Network(
        name=own,
        input_bytes=number(f"{field}.input_bytes", record["input_bytes"], "bytes", low=0.0),
        source=source_record(f"{field}.source", record.get("source")),
        architecture=text(f"{field}.architecture", record.get("architecture", own)),
        **parts,
    )


def payload_bytes(network: Network, block: int, feature_type: str) -> float:
    """Bytes of a task that goes on after ``block``; block 0 is the encoded input.

    Raises:
        InvalidInput: if the block or the feature type does not exist, or the elements that leave
            the block are not known.
    """
    if feature_type not in FEATURE_BYTES:
        allowed = f"one of {', '.join(FEATURE_BYTES)}{closest(feature_type, FEATURE_BYTES)}"
        raise InvalidInput("features", feature_type, allowed)
    if not 0 <= block <= network.blocks:
        raise InvalidInput("block", block, f"0 to {network.blocks} for network {network.name}")
    if block == 0:
        return network.input_bytes
    elements = float(network.out_elements[block - 1])
    if math.isnan(elements):
        field = f"networks.{network.name}.blocks[{block - 1}].out_elements"
        raise InvalidInput(field, None, "a number of elements, since a task goes on after it")
    return elements * FEATURE_BYTES[feature_type] + SCALE_BYTES.get(feature_type, 0)


def _exits(field: str, value: object, blocks: int, folder: Path | None) -> dict[str, Any]:
    """One table, or one by feature type with float32 among them."""
    if value is None:
        return {"exits": None}
    if not (is_mapping(value) and set(mapping(field, value)) & set(FEATURE_BYTES)):
        return {"exits": parse_exits(field, value, blocks, folder)}
    record = mapping(field, value, FEATURE_BYTES)
    if "float32" not in record:
        raise InvalidInput(field, sorted(record), "float32, and others beside it")
    tables = {k: parse_exits(f"{field}.{k}", v, blocks, folder) for k, v in record.items()}
    return {"exits": tables.pop("float32"), "coded_exits": tables}


def _parse_blocks(field: str, value: object) -> dict[str, NDArray[np.float64]]:
    rows = sequence(field, value, "a list of blocks")
    if not rows:
        raise InvalidInput(field, value, "at least one block")
    columns: dict[str, list[float]] = {key: [] for key in _BLOCK_KEYS}
    for index, row in enumerate(rows):
        where = f"{field}[{index}]"
        block = mapping(where, row, _BLOCK_KEYS)
        for key in _BLOCK_KEYS:
            columns[key].append(_amount(f"{where}.{key}", block.get(key), key))
    return {key: np.array(column, dtype=np.float64) for key, column in columns.items()}


def _amount(field: str, value: object, key: str) -> float:
    """A count that may be unknown; parameters that are not given take no bytes."""
    if value is None:
        return 0.0 if key == "param_bytes" else math.nan
    unit = {"param_bytes": "bytes", "out_elements": "elements"}.get(key, "multiply-accumulates")
    return number(field, value, unit, low=0.0)
