"""`DeviceProfile`: one device under one runtime, and the seconds of stages on it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiergym.devices.batch_law import BatchLaw
from tiergym.errors import InvalidInput
from tiergym.fields import (
    closest,
    integer,
    is_mapping,
    mapping,
    number,
    sequence,
    source_record,
    text,
)
from tiergym.shipped import open_record, shipped_names

_KEYS = (
    "name",
    "device",
    "runtime",
    "description",
    "load_rate",
    "idle_watts",
    "busy_watts",
    "jitter_cv",
    "memory_bytes",
    "networks",
    "source",
)
_SECONDS_KEYS = ("whole", "base", "blocks", "heads", "workspace", "notes")


@dataclass(frozen=True, eq=False)
class NetworkSeconds:
    """Batch laws of one network on one device, either of the whole network or block by block.

    Attributes:
        whole: seconds of the whole network with its last head; None where `blocks` is known.
        base: seconds paid once by every stage that is run (launch, copy), or None.
        blocks: L laws, or none where only the whole network was measured.
        heads: laws of the exit heads, by the block that they sit after.
        workspace: bytes that a running batch takes beside its payloads, or None: unknown.
    """

    whole: BatchLaw | None
    base: BatchLaw | None
    blocks: tuple[BatchLaw, ...]
    heads: dict[int, BatchLaw]
    workspace: BatchLaw | None

    @property
    def assumed(self) -> bool:
        """Whether batches above one were never measured in some part."""
        laws = (self.whole, self.base, *self.blocks, *self.heads.values())
        return any(law.assumed for law in laws if law is not None)


@dataclass(frozen=True, eq=False)
class DeviceProfile:
    """A device under a runtime: the same board differs by 7x between runtimes.

    Attributes:
        name: the name it goes by, usually that of its file.
        device, runtime: what was measured.
        networks: batch laws of the networks it can run, by their names.
        load_rate: bytes/s at which parameters load from local storage, None unknown.
        idle_watts, busy_watts: None where no source exists.
        jitter_cv: coefficient of variation of the time of one batch.
        memory_bytes: of the device, None unknown. A scenario's node takes it where it says
            ``memory_bytes: profile``, and has no limit where it says nothing.
        source: where the figures come from.
    """

    name: str
    device: str
    runtime: str
    networks: dict[str, NetworkSeconds]
    load_rate: float | None
    idle_watts: float | None
    busy_watts: float | None
    jitter_cv: float
    memory_bytes: float | None
    source: dict[str, Any]

    def name_for(self, network_name: str, architecture: str) -> str:
        """The name that this profile knows a network by: its own, else its architecture's."""
        known = architecture if architecture in self.networks else network_name
        return network_name if network_name in self.networks else known

    def seconds_of(self, network_name: str) -> NetworkSeconds:
        """The batch laws of a network.

        Raises:
            InvalidInput: if the device was not measured with it.
        """
        if network_name not in self.networks:
            known = ", ".join(self.networks)
            allowed = f"one of {known}{closest(network_name, self.networks)}"
            raise InvalidInput(f"devices.{self.name}.networks", network_name, allowed)
        return self.networks[network_name]


def device_names() -> list[str]:
    """Names of the shipped device profiles, sorted."""
    return shipped_names("devices")


def load_device(
    given: object, *, name: str | None = None, field: str = "device", folder: Path | None = None
) -> DeviceProfile:
    """The device profile that ``given`` stands for.

    Args:
        given: a shipped profile's name, the path of a YAML file, a mapping of the same shape, or
            a `DeviceProfile`, which is returned as it is. A mapping needs ``networks`` only, and
            ``{networks: {small: 0.004}}`` is enough.
        name: the name of a mapping that gives none.
        field: where it was given, for messages.
        folder: where relative paths start.

    Raises:
        InvalidInput: for a name that is not known, or a field that is missing, unknown or wrong.
    """
    if isinstance(given, DeviceProfile):
        return given
    record, stem, _ = open_record("devices", given, field, folder)
    record = mapping(field, record, _KEYS)
    own = text(f"{field}.name", record.get("name", name or stem or "device"))
    return DeviceProfile(
        name=own,
        device=text(f"{field}.device", record.get("device", own)),
        runtime=text(f"{field}.runtime", record.get("runtime", "not stated")),
        networks=_parse_networks(f"{field}.networks", record.get("networks")),
        load_rate=_optional(field, record, "load_rate", "bytes/s", above=0.0),
        jitter_cv=number(f"{field}.jitter_cv", record.get("jitter_cv", 0.0), "ratio", low=0.0),
        memory_bytes=_optional(field, record, "memory_bytes", "bytes", above=0.0),
        source=source_record(f"{field}.source", record.get("source")),
        **_watts(field, record),
    )


def stage_seconds(
    profile: DeviceProfile,
    network_name: str,
    first_block: int,
    last_block: int,
    head: bool,
    batch_max: int,
    *,
    blocks: int,
) -> NDArray[np.float64]:
    """Seconds of a stage on batches of 1 .. batch_max: base, its blocks and the head at its end.

    Args:
        first_block, last_block: the stage runs these and all between, counted from 1.
        head: whether the stage ends in a head. The head at L needs no law of its own: without one
            its seconds are part of the last block's.
        blocks: L of the network.

    Returns:
        float64[batch_max], all above zero.

    Raises:
        InvalidInput: if the stage does not exist, or a law is missing or not known that far.
    """
    if not 1 <= first_block <= last_block <= blocks:
        raise InvalidInput("stage", (first_block, last_block), f"blocks within 1 to {blocks}")
    laws = profile.seconds_of(network_name)
    where = f"devices.{profile.name}.networks.{network_name}"
    if laws.whole is not None:
        table = _whole_seconds(laws.whole, where, (first_block, last_block), blocks, batch_max)
    else:
        table = _block_seconds(laws, where, (first_block, last_block), head, blocks, batch_max)
    if not (table > 0.0).all():
        at = int(np.argmin(table > 0.0))
        raise InvalidInput(f"{where} at batch {at + 1}", float(table[at]), "a stage of seconds > 0")
    return table


def stage_workspace(
    profile: DeviceProfile, network_name: str, batch_max: int
) -> NDArray[np.float64]:
    """float64[batch_max]: bytes a running batch takes beside its payloads; zeros if unknown.

    Raises:
        InvalidInput: if the device does not know the network, or the bytes not that far.
    """
    law = profile.seconds_of(network_name).workspace
    return np.zeros(batch_max) if law is None else law.table(batch_max)


def _whole_seconds(
    law: BatchLaw, where: str, stage: tuple[int, int], blocks: int, batch_max: int
) -> NDArray[np.float64]:
    if stage != (1, blocks):
        allowed = f"blocks 1 to {blocks}: only the whole network was measured"
        raise InvalidInput(where, f"blocks {stage[0]} to {stage[1]}", allowed)
    return law.table(batch_max)


def _block_seconds(
    laws: NetworkSeconds,
    where: str,
    stage: tuple[int, int],
    head: bool,
    blocks: int,
    batch_max: int,
) -> NDArray[np.float64]:
    if len(laws.blocks) != blocks:
        raise InvalidInput(f"{where}.blocks", len(laws.blocks), f"{blocks} laws, one per block")
    parts = list(laws.blocks[stage[0] - 1 : stage[1]])
    if laws.base is not None:
        parts.insert(0, laws.base)
    if head and stage[1] in laws.heads:
        parts.append(laws.heads[stage[1]])
    elif head and stage[1] != blocks:
        allowed = f"a law for the exit head after block {stage[1]}"
        raise InvalidInput(f"{where}.heads", sorted(laws.heads), allowed)
    total = np.zeros(batch_max)
    for part in parts:
        total += part.table(batch_max)
    return total


def _optional(
    field: str,
    record: dict[str, object],
    key: str,
    unit: str,
    low: float = 0.0,
    above: float = -1.0,
) -> float | None:
    value = record.get(key)
    return None if value is None else number(f"{field}.{key}", value, unit, low, above)


def _watts(field: str, record: dict[str, object]) -> dict[str, float | None]:
    idle = _optional(field, record, "idle_watts", "watts")
    busy = _optional(field, record, "busy_watts", "watts")
    if idle is not None and busy is not None and busy < idle:
        raise InvalidInput(f"{field}.busy_watts", busy, f"watts >= idle_watts, {idle:g}")
    return {"idle_watts": idle, "busy_watts": busy}


def _parse_networks(field: str, value: object) -> dict[str, NetworkSeconds]:
    if value is None:
        raise InvalidInput(field, None, "a mapping of network names to batch laws")
    given = mapping(field, value)
    if not given:
        raise InvalidInput(field, given, "at least one network")
    return {name: _parse_seconds(f"{field}.{name}", law) for name, law in given.items()}


def _parse_seconds(field: str, value: object) -> NetworkSeconds:
    if not is_mapping(value) or not set(_SECONDS_KEYS) & set(mapping(field, value)):
        return NetworkSeconds(BatchLaw.parse(field, value), None, (), {}, None)
    record = mapping(field, value, _SECONDS_KEYS)
    _check_shape(field, record)
    return NetworkSeconds(
        whole=_law(field, record, "whole", "seconds"),
        base=_law(field, record, "base", "seconds"),
        blocks=_block_laws(f"{field}.blocks", record.get("blocks")),
        heads=_head_laws(f"{field}.heads", record.get("heads")),
        workspace=_law(field, record, "workspace", "bytes"),
    )


def _check_shape(field: str, record: dict[str, object]) -> None:
    if ("whole" in record) == ("blocks" in record):
        raise InvalidInput(field, sorted(record), "one of whole and blocks")
    extra = [key for key in ("base", "heads") if key in record]
    if "whole" in record and extra:
        raise InvalidInput(f"{field}.{extra[0]}", record[extra[0]], "nothing beside whole")


def _law(field: str, record: dict[str, object], key: str, unit: str) -> BatchLaw | None:
    value = record.get(key)
    return None if value is None else BatchLaw.parse(f"{field}.{key}", value, unit)


def _block_laws(field: str, value: object) -> tuple[BatchLaw, ...]:
    if value is None:
        return ()
    rows = sequence(field, value, "a list of batch laws, one per block")
    return tuple(BatchLaw.parse(f"{field}[{k}]", row) for k, row in enumerate(rows))


def _head_laws(field: str, value: object) -> dict[int, BatchLaw]:
    if value is None:
        return {}
    laws: dict[int, BatchLaw] = {}
    for key, law in mapping(field, value).items():
        if not key.isdigit() or int(key) < 1:
            raise InvalidInput(f"{field}.{key}", key, "the number of a block, from 1")
        laws[integer(f"{field}.{key}", int(key))] = BatchLaw.parse(f"{field}.{key}", law)
    return laws
