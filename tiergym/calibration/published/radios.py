"""Links of measured radios: percentiles of bandwidth, round trips, power of a phone.

Two are measured in their round trip only: Wi-Fi, and the wire from an edge to a regional cloud.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tiergym.calibration.published.common import DERIVED_BY
from tiergym.links.round_trips import MEDIANS

DECILES_IN_SIGMAS = 2.563
"""Distance of a normal distribution's 10th and 90th percentile in standard deviations."""
STEP = 1.0
RHO = 0.9
"""Lag-1 autocorrelation at one second of 5G downlink traces (Lumos5G, 121 traces)."""
PER_PACKAGE = 0.004
REACH = 3.0
"""Bandwidth is clipped this many sigmas from the median."""

WIFI_HOP = 0.020
WIFI_MBPS = (50.0, 300.0)
"""A guess at 802.11ac: no published table of its throughput was found."""
BACKHAUL_MBPS = 1000.0

SIGCOMM = (
    "SIGCOMM'21 5G measurement artefact, Ookla tests of 2021 (11 024 tests): 10th, 50th and 90th "
    "percentile of uplink Mbit/s"
)
MAHIMAHI = "mahimahi LTE uplink traces in seconds: 10th, 50th and 90th percentile of Mbit/s"


@dataclass(frozen=True)
class Radio:
    """Figures of one uplink: Mbit/s at the percentiles, rtt in seconds, power of the phone."""

    description: str
    percentiles: tuple[float, float, float]
    rtt: float
    over_time: bool
    source: str
    rtt_source: str
    watts: tuple[float, float] | None = None


NEAR = "median round trip to servers within 50 km in the SIGCOMM'21 5G tests"

RADIOS = {
    "lte": Radio("4G LTE uplink.", (19, 31, 35), 0.022, False, SIGCOMM, NEAR, (2.93, 0.0767)),
    "5g-nsa-low": Radio(
        "5G non-standalone low-band uplink.",
        (40, 73, 92),
        0.016,
        False,
        SIGCOMM,
        NEAR,
        (3.20, 0.0322),
    ),
    "5g-nsa-mmwave": Radio(
        "5G non-standalone mmWave uplink.",
        (39, 77, 110),
        0.007,
        False,
        SIGCOMM,
        NEAR,
        (5.66, 0.0089),
    ),
    "5g-sa-low": Radio("5G standalone low-band uplink.", (34, 39, 44), 0.059, False, SIGCOMM, NEAR),
    "lte-verizon": Radio(
        "4G LTE uplink of Verizon, as recorded with mahimahi.",
        (2.3, 5.7, 10.6),
        0.022,
        True,
        MAHIMAHI,
        f"assumed to be that of `lte`: {NEAR}",
    ),
    "lte-tmobile": Radio(
        "4G LTE uplink of T-Mobile, as recorded with mahimahi.",
        (3.3, 11.0, 25.0),
        0.022,
        True,
        MAHIMAHI,
        f"assumed to be that of `lte`: {NEAR}",
    ),
}


def fit(percentiles: tuple[float, float, float]) -> dict[str, float]:
    """AR(1) in log space: the median as it is, sigma from the outer percentiles."""
    tenth, median, ninetieth = percentiles
    sigma = math.log(ninetieth / tenth) / DECILES_IN_SIGMAS
    return {
        "median": median,
        "sigma": round(sigma, 4),
        "rho": RHO,
        "step": STEP,
        "low": round(median * math.exp(-REACH * sigma), 2),
        "high": round(median * math.exp(REACH * sigma), 2),
    }


def links() -> dict[str, dict[str, object]]:
    """Records of all links."""
    records = [_link(name, radio) for name, radio in RADIOS.items()]
    return {str(each["name"]): each for each in (*records, _wifi(), _backhaul(), _ideal())}


def _link(name: str, radio: Radio) -> dict[str, object]:
    spread = (
        "sigma is the spread over time"
        if radio.over_time
        else "sigma is the spread over tests, assumed to be that over time"
    )
    watts: dict[str, object] = {}
    if radio.watts is not None:
        watts = {"base_watts": radio.watts[0], "watts_per_mbps": radio.watts[1]}
    return {
        "name": name,
        "description": radio.description,
        "rtt": radio.rtt,
        "per_package": PER_PACKAGE,
        "bandwidth": {"ar1": fit(radio.percentiles)},
        **watts,
        "source": {
            "kind": "published, fitted",
            "bandwidth": f"{radio.source}: {', '.join(f'{p:g}' for p in radio.percentiles)}; "
            f"ln(p90 / p10) / {DECILES_IN_SIGMAS} gives sigma; {spread}",
            "fit": _fit_quality(radio.percentiles),
            "rtt": radio.rtt_source,
            "watts": _watts_source(radio),
            "assumed": f"lag-1 autocorrelation {RHO} at {STEP:g} s (measured on 5G downlinks, "
            f"Lumos5G); clipping at {REACH:g} sigmas; per_package {PER_PACKAGE} s",
            "licence": "figures only, no data of these sets is shipped",
            "derived_by": DERIVED_BY,
        },
    }


def _fit_quality(percentiles: tuple[float, float, float]) -> str:
    """The outer percentiles of the fit itself, which is symmetric in the logarithm."""
    sigma = math.log(percentiles[2] / percentiles[0]) / DECILES_IN_SIGMAS
    factor = math.exp(sigma * DECILES_IN_SIGMAS / 2.0)
    tenth, ninetieth = percentiles[1] / factor, percentiles[1] * factor
    return (
        f"median exact; 10th and 90th percentile of the fit {tenth:.1f} and {ninetieth:.1f} Mbit/s"
    )


def _watts_source(radio: Radio) -> str:
    if radio.watts is None:
        return "unknown"
    return (
        "whole phone (Galaxy S20 Ultra) while sending, least squares on the SIGCOMM'21 5G "
        "artefact's power samples (5 049 over all radios, mean error 2 to 10 %)"
    )


def _wifi() -> dict[str, object]:
    low, high = WIFI_MBPS
    median = round(math.sqrt(low * high), 2)
    return {
        "name": "wifi-802.11ac",
        "description": "Wi-Fi on a campus: a measured hop latency, an assumed throughput.",
        "rtt": WIFI_HOP,
        "per_package": 0.0,
        "bandwidth": {"ar1": fit((low, median, high))},
        "source": {
            "kind": "published round trip, assumed bandwidth",
            "bandwidth": f"assumed, not measured: {low:g} to {high:g} Mbit/s are guessed as 10th "
            f"and 90th percentile of 802.11ac; their geometric mean {median:g} is the median, "
            f"ln(p90 / p10) / {DECILES_IN_SIGMAS} sigma",
            "rtt": "Pei et al., 'WiFi can be the weakest link of round trip network latency in the "
            "wild', INFOCOM 2016, abstract: of the TCP packets of 47 access points on a campus "
            f"more than 50 % had a Wi-Fi hop latency above {WIFI_HOP * 1e3:g} ms, more than 10 % "
            "above 100 ms. It is stated as a part of the round trip, so it is taken as seconds "
            "over the hop and back; the median is at least this. It contains waiting for the "
            "channel and in the access point, so an idle cell is faster: Sui et al., MobiSys 2016, "
            "found 20 ms at the 90th percentile of pings on a campus. The tail is not modelled",
            "watts": "unknown",
            "assumed": f"the bandwidth; its lag-1 autocorrelation {RHO} at {STEP:g} s (measured on "
            f"5G downlinks, Lumos5G); clipping at {REACH:g} sigmas; per_package 0, since waiting "
            "for the channel is in the hop latency",
            "licence": "figures only, no data of this study is shipped",
            "derived_by": DERIVED_BY,
        },
    }


def _backhaul() -> dict[str, object]:
    near, regional = (seconds * 1e3 for seconds in MEDIANS["lte"][:2])
    return {
        "name": "backhaul-metro",
        "description": "Wire from an edge in the city to a regional cloud 50 to 500 km away.",
        "rtt": round((regional - near) / 1e3, 6),
        "per_package": 0.0,
        "bandwidth": {"constant": BACKHAUL_MBPS},
        "source": {
            "kind": "published round trip, assumed bandwidth",
            "bandwidth": f"assumed, not measured: {BACKHAUL_MBPS:g} Mbit/s, constant",
            "rtt": f"difference of LTE medians by server distance, 50 to 500 km ({regional:g} ms) "
            f"and within 50 km ({near:g} ms), in the SIGCOMM'21 5G tests: what the way from the "
            "city to the region adds",
            "watts": "unknown",
            "assumed": "the bandwidth; per_package 0; that the radio's share is the same in both",
            "licence": "figures only, no data of these sets is shipped",
            "derived_by": DERIVED_BY,
        },
    }


def _ideal() -> dict[str, object]:
    return {
        "name": "ideal",
        "description": "No delay, no limit: for proofs, no measurement.",
        "rtt": 0.0,
        "per_package": 0.0,
        "bandwidth": {"constant": math.inf},
        "source": {"kind": "idealised", "from": "nothing: an idealised link"},
    }
