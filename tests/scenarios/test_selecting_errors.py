"""Every wrong field of a scenario of edge selection gives one error that names it."""

from __future__ import annotations

import re

import pytest

from tests.envs import small_selection
from tests.scenarios.examples import example
from tiergym.errors import InvalidInput
from tiergym.scenarios import load_scenario

NAN, INF = float("nan"), float("inf")
SMALL = small_selection.small()
FETCHING = small_selection.fetching()
MOBILE = small_selection.mobile()
WRONG = [
    # (changes to SMALL, field, part of the message)
    ({"nodes": {}}, "nodes", "one of name, version"),
    ({"terminal": {}}, "terminal", "did you mean 'terminals'"),
    ({"terminals": ...}, "terminals", "count and radios"),
    ({"terminals": 4}, "terminals", "a mapping"),
    ({"terminals__count": ...}, "terminals.count", "None"),
    ({"terminals__count": 0}, "terminals.count", ">= 1"),
    ({"terminals__count": 9999}, "terminals.count", "4096"),
    ({"terminals__cuont": 4}, "terminals.cuont", "did you mean 'count'"),
    ({"terminals__tier": "edge"}, "terminals.tier", "one of count"),
    ({"terminals__radios": ...}, "terminals.radios", "a mapping"),
    ({"terminals__radios": {}}, "terminals.radios", "at least one"),
    ({"terminals__radios": {"lt": 1}}, "terminals.radios.lt.profile", "did you mean 'lte'"),
    ({"terminals__radios": {"lte": 0}}, "terminals.radios.lte.share", "> 0"),
    ({"terminals__radios": {"lte": "1"}}, "terminals.radios.lte.share", "'1'"),
    ({"terminals__radios": {"lte": {"shar": 1}}}, "terminals.radios.lte.shar", "'share'"),
    ({"terminals__radios": {"x": {"bandwidth": 0}}}, "terminals.radios.x.bandwidth", "> 0"),
    ({"terminals__package_max": 0}, "terminals.package_max", "> 0"),
    ({"terminals__packing": 1}, "terminals.packing", "true or false"),
    ({"terminals__memory_bytes": 10}, "terminals.memory_bytes", "at least"),
    ({"terminals__rank": ["nett"]}, "terminals.rank[0]", "did you mean 'net'"),
    ({"terminals__discipline": "lifo"}, "terminals.discipline", "fcfs"),
    ({"edges": ...}, "edges", "a list of groups"),
    ({"edges": []}, "edges", "at least one group"),
    ({"edges": {"count": 3}}, "edges", "a list of groups"),
    ({"edges__1__profile": ...}, "edges[1].profile", "device profile"),
    ({"edges__1__profile": "xeon"}, "edges[1].profile", "one of"),
    ({"edges__0__count": 0}, "edges[0].count", ">= 1"),
    ({"edges__1__count": 63}, "edges[1].count", "at most 64"),
    ({"edges__0__extra_rtt": -1}, "edges[0].extra_rtt", ">= 0"),
    ({"edges__0__tier": "edge"}, "edges[0].tier", "one of count"),
    ({"edges__0__batch_max": 5}, "edges[0].profile", "1 to 4"),
    ({"edges__1__memory_bytes": 10}, "edges[1].memory_bytes", "at least"),
    ({"edges__0__deployed": "some"}, "edges[0].deployed", "all, none"),
    ({"edges__0__deployed": ["nett"]}, "edges[0].deployed[0]", "did you mean 'net'"),
    ({"edges__0__deployed": 3}, "edges[0].deployed", "list"),
    ({"edges__1__deployed": "none"}, "edges[1].deployed", "without a cloud"),
    ({"backhaul": {"bandwidth": 3}}, "backhaul", "without a cloud"),
    ({"cloud": {}}, "cloud.profile", "device profile"),
    ({"cloud": {"profile": small_selection.server(1.0)}}, "backhaul", "to the cloud"),
    ({"sites": ...}, "sites", "places"),
    ({"sites": {}}, "sites.places", "None"),
    ({"sites": {"place": 1}}, "sites.place", "did you mean 'places'"),
    ({"sites": {"places": "eua-melbourn-west"}}, "sites.places", "did you mean"),
    ({"sites": {"places": {"site_km": [[0, 0]], "user_km": [[0, 0]]}}}, "sites.places", "3 sites"),
    ({"sites__step": 1}, "sites.step", "nothing beside rtt"),
    ({"sites__rtt": -1}, "sites.rtt", ">= 0"),
    ({"sites__rtt": INF}, "sites.rtt", "finite"),
    ({"sites__rtt": "near"}, "sites.rtt", "4 rows"),
    ({"sites__rtt": [[0.1] * 3]}, "sites.rtt", "4 rows"),
    ({"sites__rtt": [[0.1] * 3] * 3 + [[0.1]]}, "sites.rtt[3]", "3 values"),
    ({"sites__rtt": [[INF] * 3] * 4}, "sites.rtt[0]", "some edge in range"),
    ({"sites__rtt": [[0.1, NAN, 0.1]] * 4}, "sites.rtt[0][1]", "nan"),
    ({"selection": 3}, "selection", "a mapping"),
    ({"selection__attach": 3}, "selection.attach", "did you mean 'attach_every'"),
    ({"selection__attach_every": "never"}, "selection.attach_every", "episode, task"),
    ({"selection__attach_every": 0}, "selection.attach_every", "> 0"),
    ({"selection__moves": 1}, "selection.moves", "true or false"),
    ({"selection__overload_mark": -0.1}, "selection.overload_mark", ">= 0"),
    ({"selection__hold_seconds": -1}, "selection.hold_seconds", ">= 0"),
    ({"selection__reconnect_seconds": NAN}, "selection.reconnect_seconds", "nan"),
    ({"selection__timeout_seconds": 0}, "selection.timeout_seconds", "> 0"),
    ({"selection__report_interval": -1}, "selection.report_interval", ">= 0"),
    ({"selection__report_interval": 1e-7}, "selection.report_interval", "at most"),
    ({"failures": {"mean_up": 1}}, "failures.mean_down", "None"),
    ({"failures": {"mean_up": 0, "mean_down": 1}}, "failures.mean_up", "> 0"),
    ({"failures": {"mean_up": 1e-9, "mean_down": 1e-9}}, "failures.mean_up", "at most"),
    ({"failures": {"mean_up": 1, "mean_down": 1, "edges": [3]}}, "failures.edges[0]", "0 to 2"),
    ({"failures": {"mean_up": 1, "mean_down": 1, "edges": [1, 1]}}, "failures.edges[1]", "once"),
    ({"failures": {"mean_up": 1, "mean_down": 1, "edges": []}}, "failures.edges", "a list"),
    ({"networks__net__placement": [1, 1]}, "networks.net.placement", "p1 < p2"),
    ({"networks__net__placement": [0, 0]}, "networks.net.placement", "p1 < p2"),
    ({"networks": ...}, "networks", "None"),
    ({"arrivals": ...}, "arrivals", "process"),
    ({"arrivals__origin": "terminal-0"}, "arrivals.origin", "one of"),
    ({"background__0__edges": [3]}, "background[0].edges[0]", "0 to 2"),
    ({"background__0__edges": "some"}, "background[0].edges", "all, or a list"),
    ({"background__0__node": "edge-0"}, "background[0].node", "one of"),
    ({"background__0__network": "nett"}, "background[0].network", "did you mean 'net'"),
    ({"background__0__load": [0.1]}, "background[0].load", "a list of 3"),
    ({"background__0__load": [0.1, 0.0, 0.1]}, "background[0].load[1]", "> 0"),
    ({"background__0__load": "half"}, "background[0].load", "a list of 3"),
    ({"schedule": "edge-0"}, "schedule", "one of"),
    ({"cost": {"energy_weight": 1}}, "cost.energy_weight", "terminals.profile.idle_watts"),
]


@pytest.mark.parametrize(("changes", "field", "inside"), WRONG, ids=lambda value: str(value)[:50])
def test_wrong_fields(changes: dict[str, object], field: str, inside: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(inside)) as caught:
        load_scenario(example(SMALL, **changes))
    assert caught.value.field == field or caught.value.field.startswith(f"{field} (")


@pytest.mark.parametrize(
    ("changes", "field", "inside"),
    [
        ({"sites__range_km": -1}, "sites.range_km", ">= 0"),
        ({"sites__speed_kmh": 2000}, "sites.speed_kmh", "<= 1000"),
        ({"sites__moving": 1.5}, "sites.moving", "<= 1"),
        ({"sites__step": 0}, "sites.step", "> 0"),
        ({"sites__step": 1e-6}, "sites.step", "a longer step"),
        ({"sites__places__user_km": [[0, 0]] * 60}, "sites.speed_kmh", "or 0"),
        (
            {"sites__places__site_km": [[0, 9e9]] * 3, "terminals__radios": {"lte": 1}},
            *("sites.places", "3000 km across"),
        ),
    ],
)
def test_wrong_sites(changes: dict[str, object], field: str, inside: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(inside)) as caught:
        load_scenario(example(MOBILE, **changes))
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("changes", "field", "inside"),
    [
        ({"cloud": ..., "backhaul": ...}, "edges[0].deployed", "'cut' cannot be fetched"),
        (
            {"networks__cut__placement": [0, 1], "cloud__profile": {"networks": {"net": 1}}},
            *("cloud.profile", "cut"),
        ),
        ({"backhaul__delay": 1}, "backhaul.delay", "one of"),
        ({"backhaul__bandwidth": "fast"}, "backhaul.bandwidth", "'fast'"),
        (
            {"background": [{"network": "net", "process": "poisson", "load": 0.1}]},
            *("edges[1].deployed", "which other users use there"),
        ),
    ],
)
def test_wrong_clouds(changes: dict[str, object], field: str, inside: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(inside)) as caught:
        load_scenario(example(FETCHING, **changes))
    assert caught.value.field.startswith(field)


def test_failures_need_reports() -> None:
    given = example(small_selection.failing(), selection__report_interval=0)
    with pytest.raises(InvalidInput, match="where edges fail") as caught:
        load_scenario(given)
    assert caught.value.field == "selection.report_interval"
