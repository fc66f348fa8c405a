"""Networks that are served: their blocks, exit heads, encoded input and exit table."""

from tiergym.networks.exits import ExitTable
from tiergym.networks.network import (
    FEATURE_BYTES,
    Network,
    load_network,
    network_names,
    payload_bytes,
)

__all__ = [
    "FEATURE_BYTES",
    "ExitTable",
    "Network",
    "load_network",
    "network_names",
    "payload_bytes",
]
