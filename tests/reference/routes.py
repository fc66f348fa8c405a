"""Makes routes of one network out of networks that were drawn or written one by one."""

from __future__ import annotations

from dataclasses import replace

from tiergym.scenarios.system import System


def as_routes(system: System, networks: int, placed: int) -> System:
    """``system`` with its networks from number ``networks`` on as further routes of ``placed``."""
    route_network = system.route_network.copy()
    route_network[networks:] = placed
    return replace(
        system,
        network_names=system.network_names[:networks],
        node_rank=system.node_rank[:, :networks],
        network_blocks=system.network_blocks[:networks],
        network_route=system.network_route[:networks],
        network_table=system.network_table[:networks],
        network_samples=system.network_samples[:networks],
        route_network=route_network,
    )
