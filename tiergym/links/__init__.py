"""Links: round trips, radio power and the processes that bandwidth is drawn from."""

from tiergym.links.autoregressive import AutoregressiveBandwidth
from tiergym.links.bandwidth import BandwidthProcess, ConstantBandwidth
from tiergym.links.profile import LinkProfile, link_names, load_link, parse_bandwidth
from tiergym.links.round_trips import radio_names, round_trip
from tiergym.links.sites import Sites, load_sites, site_names
from tiergym.links.trace import TraceBandwidth

__all__ = [
    "AutoregressiveBandwidth",
    "BandwidthProcess",
    "ConstantBandwidth",
    "LinkProfile",
    "Sites",
    "TraceBandwidth",
    "link_names",
    "load_link",
    "load_sites",
    "parse_bandwidth",
    "radio_names",
    "round_trip",
    "site_names",
]
