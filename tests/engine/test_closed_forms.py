"""The engine against queueing theory: 10^6 tasks each, fixed seeds, four standard errors."""

from __future__ import annotations

from math import factorial

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.engine.queues import IDEAL_LINK, assert_near, mixed, one_node, poisson
from tiergym import load_scenario
from tiergym.engine import simulate

TASKS = 1_000_000


def test_m_m_1() -> None:
    scenario, rng = one_node({"a": 1.0}), np.random.default_rng(1)
    jitter = rng.exponential(1.0, (1, TASKS))
    instance = scenario.instance(poisson(rng, 0.8, TASKS), jitter=jitter)
    assert_near(simulate(scenario.system, instance).delay, 1 / (1 - 0.8))


def test_m_m_c_by_erlang() -> None:
    scenario, rng = one_node({"a": 1.0}, executors=3), np.random.default_rng(2)
    jitter = rng.exponential(1.0, (1, TASKS))
    rate, servers = 2.4, 3
    instance = scenario.instance(poisson(rng, rate, TASKS), jitter=jitter)
    rho = rate / servers
    full = rate**servers / factorial(servers) / (1 - rho)
    wait = full / (sum(rate**k / factorial(k) for k in range(servers)) + full)
    assert_near(simulate(scenario.system, instance).delay, 1 + wait / (servers - rate))


def test_m_d_1() -> None:
    scenario, rng = one_node({"a": 1.0}), np.random.default_rng(3)
    instance = scenario.instance(poisson(rng, 0.8, TASKS))
    assert_near(simulate(scenario.system, instance).delay, 1 + 0.8 / (2 * (1 - 0.8)))


@pytest.mark.parametrize("discipline", ["fcfs", "fcfs-batched"])
def test_m_g_1_of_several_networks_by_pollaczek_khinchine(discipline: str) -> None:
    seconds, shares, rate = np.array([0.5, 1.0, 3.0]), [0.5, 0.3, 0.2], 0.6
    names = {f"n{k}": float(s) for k, s in enumerate(seconds)}
    scenario, rng = one_node(names, discipline), np.random.default_rng(4)
    network = mixed(rng, shares, TASKS)
    log = simulate(scenario.system, scenario.instance(poisson(rng, rate, TASKS), network=network))
    wait = rate * (shares @ seconds**2) / (2 * (1 - rate * (shares @ seconds)))
    for k, service in enumerate(seconds):
        assert_near(log.delay[network == k], wait + service)


def test_static_priority_by_cobham() -> None:
    seconds, shares, rate = np.array([0.5, 1.0, 2.0]), np.array([0.4, 0.4, 0.2]), 0.8
    names = {f"n{k}": float(s) for k, s in enumerate(seconds)}
    scenario = one_node(names, "static-priority", rank=["n0", "n1", "n2"])
    rng = np.random.default_rng(5)
    network = mixed(rng, list(shares), TASKS)
    jitter = rng.exponential(1.0, (1, TASKS))
    log = simulate(
        scenario.system,
        scenario.instance(poisson(rng, rate, TASKS), network=network, jitter=jitter),
    )
    residual = rate * (shares @ (2 * seconds**2)) / 2
    sigma = np.concatenate([[0.0], np.cumsum(rate * shares * seconds)])
    for k, service in enumerate(seconds):
        wait = residual / ((1 - sigma[k]) * (1 - sigma[k + 1]))
        assert_near(log.delay[network == k], wait + service)


def bulk_delay(rate: float, service: float, largest: int, states: int = 400) -> float:
    """Mean delay where a server takes ``min(queue, largest)`` at once for ``service`` seconds.

    The number left behind at the ends of batches is a Markov chain, solved by its matrix; the mean
    number in the system then follows by renewal reward over the times between ends.
    """
    mean = rate * service
    arrivals = np.exp(-mean) * np.cumprod([1.0, *(mean / k for k in range(1, states))])
    step = np.zeros((states, states))
    for left in range(states):
        rest = max(left - largest, 0)
        step[left, rest:] = arrivals[: states - rest]
    step /= step.sum(axis=1, keepdims=True)
    a = np.vstack([step.T - np.eye(states), np.ones(states)])
    stationary: NDArray[np.float64] = np.linalg.lstsq(a, np.eye(states + 1)[-1], rcond=None)[0]
    present = np.maximum(np.arange(states), 1)
    area = stationary @ (present * service) + rate * service**2 / 2
    cycle = service + stationary[0] / rate
    return float(area / cycle / rate)


@pytest.mark.parametrize(("rate", "largest"), [(0.8, 1), (2.4, 4), (6.0, 8)])
def test_deterministic_bulk_service(rate: float, largest: int) -> None:
    law = {"a": {"points": [[1, 1.0], [largest + 1, 1.0]]}}
    scenario, rng = one_node(law, "fcfs-batched", batch_max=largest), np.random.default_rng(6)
    log = simulate(scenario.system, scenario.instance(poisson(rng, rate, TASKS)))
    assert_near(log.delay, bulk_delay(rate, 1.0, largest))


def test_bulk_formula_of_one_is_m_d_1() -> None:
    assert bulk_delay(0.5, 1.0, 1) == pytest.approx(1 + 0.5 / (2 * 0.5), rel=1e-9)


def tandem(leave_1: float, leave_2: float, rates: tuple[float, float, float]) -> dict[str, object]:
    """Terminal, edge and cloud in a row over ideal links; samples leave with these shares."""
    confidence = [[0, 1.0, 0, 0], [0, 0, 1.0, 0], [0, 0, 0, 1.0]]
    table = {"confidence": confidence, "correct": [[0, 1, 1, 1]] * 3}
    law = [{"networks": {"n": {"blocks": [1 / r] * 3, "heads": {1: 0.0, 2: 0.0}}}} for r in rates]
    tiers = ("terminal", "edge", "cloud")
    return {
        "name": "tandem",
        "nodes": {
            t: {"tier": t, "profile": p, "batch_max": 1} for t, p in zip(tiers, law, strict=True)
        },
        "links": {
            "up": {"source": "terminal", "target": "edge", **IDEAL_LINK},
            "far": {"source": "edge", "target": "cloud", **IDEAL_LINK},
        },
        "networks": {
            "n": {
                "network": {
                    "name": "n",
                    "input_bytes": 1000,
                    "blocks": [{"out_elements": 100}] * 3,
                    "exits": table,
                },
                "placement": [1, 2],
                "thresholds": [0.5, 0.5],
            }
        },
        "arrivals": {"process": "poisson", "rate": 0.5, "origin": "terminal"},
        "window": 1000.0,
    }


def test_tandem_with_exits_by_jackson() -> None:
    leave_1, leave_2, rates, rate = 0.3, 0.5, (1.0, 0.8, 0.5), 0.6
    scenario, rng = load_scenario(tandem(leave_1, leave_2, rates)), np.random.default_rng(7)
    shares = [leave_1, (1 - leave_1) * leave_2, (1 - leave_1) * (1 - leave_2)]
    sample = rng.choice(3, size=TASKS, p=shares)
    jitter = rng.exponential(1.0, (3, TASKS))
    instance = scenario.instance(poisson(rng, rate, TASKS), sample=sample, jitter=jitter)
    log = simulate(scenario.system, instance)
    flows = rate * np.array([1.0, 1 - leave_1, (1 - leave_1) * (1 - leave_2)])
    sojourn = np.cumsum(1 / (np.array(rates) - flows))
    for tier in range(3):
        assert np.array_equal(log.tier == tier, sample == tier)
        assert_near(log.delay[sample == tier], float(sojourn[tier]))


def test_a_link_is_an_m_d_1_queue() -> None:
    """Payloads of 1000 bytes at 16 kbit/s take half a second, and half a second a package."""
    description = tandem(0, 0, (1e9, 1e9, 1e9))
    link = {"bandwidth": {"constant": 0.016}, "rtt": 0.0, "per_package": 0.5, "packing": False}
    description["links"]["up"] |= link  # type: ignore[index]
    description["networks"]["n"]["placement"] = [0, 3]  # type: ignore[index]
    description["schedule"] = "edge"
    scenario, rng = load_scenario(description), np.random.default_rng(8)
    log = simulate(scenario.system, scenario.instance(poisson(rng, 0.7, TASKS), sample=2))
    assert_near(log.delay, 1 + 0.7 / (2 * (1 - 0.7)) + 3e-9)


def test_unloaded_pipeline_exactly() -> None:
    description = tandem(0, 0, (10.0, 20.0, 40.0))
    link = {"bandwidth": {"constant": 8.0}, "rtt": 0.25, "per_package": 0.5, "packing": True}
    for name in ("up", "far"):
        description["links"][name] |= link  # type: ignore[index]
    scenario = load_scenario({**description, "features": "float32"})
    wire = 0.5 + 400 * 8 / 8e6 + 0.125
    for sample, expected in enumerate(
        (0.1, 0.1 + wire + 0.05 + 0.125, 0.1 + wire + 0.05 + wire + 0.025 + 0.25)
    ):
        arrival = np.arange(5) * 100.0
        log = simulate(scenario.system, scenario.instance(arrival, sample=sample))
        assert log.delay == pytest.approx(expected, rel=1e-12)
        assert (log.tier == sample).all()
        assert (log.exit_block == sample + 1).all()
