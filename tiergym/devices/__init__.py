"""Devices under a runtime: seconds of every block at every batch size."""

from tiergym.devices.batch_law import BatchLaw
from tiergym.devices.profile import (
    DeviceProfile,
    NetworkSeconds,
    device_names,
    load_device,
    stage_seconds,
    stage_workspace,
)

__all__ = [
    "BatchLaw",
    "DeviceProfile",
    "NetworkSeconds",
    "device_names",
    "load_device",
    "stage_seconds",
    "stage_workspace",
]
