"""Scenarios: everything that a problem fixes, and what instances are drawn from.

A scenario is a YAML file or a mapping of the same shape. Seconds, bytes, watts and Mbit/s
(10**6 bit/s) are plain numbers. Of the fields below only nodes, networks and arrivals are needed,
and tasks or window; what stands here is the default where there is one.

.. code-block:: yaml

    name: mine                    # default: the file's name
    version: 1
    description: one sentence
    problem: task_scheduling
    nodes:                        # any number; the first is where tasks arrive
      device:
        tier: edge                # terminal, edge or cloud
        profile: my-device.yaml   # or a shipped name, or {networks: {small: 0.004}} and the like
        executors: 1              # batches that run at once
        batch_max: 1
        memory_bytes: .inf        # parameters, payloads and workspace have to fit. Infinite unless
                                  # given, whatever the profile states; `profile` takes that
        discipline: fcfs-batched  # or fcfs, priority, static-priority: where no policy decides
        rank: []                  # for static-priority: networks, first runs first
      upper: {tier: cloud, profile: titan-x-pascal-nexus, executors: 2, batch_max: 16}
    links:                        # upward, at most one from each node
      uplink:
        source: device
        target: upper
        profile: lte              # a shipped name or a file; or bandwidth, rtt and per_package:
        bandwidth: {constant: 30} # or {ar1: {median, sigma, rho, step, low, high}}, {trace: csv}
        rtt: 0.022
        per_package: 0.004
        packing: true             # whether what waits shares a package
        package_max: .inf         # bytes
    networks:                     # a shipped name, `network: name or file`, or fields of its own
      vgg16: {popularity: 1, deadline: .inf, placement: whole}
      small: {input_bytes: 20000, popularity: 2, deadline: 0.1}
      cut: {network: my-network.yaml, placement: [1, 3], thresholds: [0.8, 0.8]}
    arrivals: {process: poisson, load: 0.8, origin: device}
    # or rate: tasks per second instead of load: share of total capacity
    # or {process: mmpp, rates: [1, 5], dwell: [2.0, 0.5], load: 0.8}: relative rates, mean seconds
    # or {process: trace, trace: azure-code-a, load: 0.8}: scaled by one factor, random start
    # or {process: modulated, series: nab-ec2-6-a, period: 120, load: 0.8}: a rate that follows a
    #    recorded load (name, CSV or rows), all of it squeezed into so many seconds, random start
    # or {process: trace, trace: my.csv or [0.1, 0.2, ...]}: those times exactly
    # or {process: deterministic, rate: 10}
    tasks: 800                    # expected number; or window: seconds
    features: float32             # or float16, int8: of what leaves a block
    background: []                # [{node: upper, network: vgg16, process: poisson, load: 0.3}],
                                  # load relative to that node's own capacity
    cost: {delay_weight: 1, error_weight: 0, late_weight: 0, energy_weight: 0}
                                  # refusal_seconds: default the time to drain a full queue
    schedule: device              # the node that TaskScheduling decides for; tasks queue there

A scenario of the problem `exit_placement` has a terminal, an edge and a cloud node in this order,
one network of popularity above 0 (the *placed* one; the others are for `background`), and:

.. code-block:: yaml

    problem: exit_placement
    interval_seconds: 2.0         # between placement decisions
    nodes:
      phone: {tier: terminal, profile: my-device.yaml, load_rate: 1.0e8}
                                  # bytes/s at which parameters load; the profile's, or .inf
    networks:
      cut: {network: my-network.yaml, placement: [1, 3], thresholds: [0.8, 0.8]}
                                  # placement: in force where nobody decides
                                  # thresholds: decided, or {decided: [[0.5, 0.5], [.inf, .inf]]}:
                                  # levels that are part of the decision
"""

from tiergym.scenarios.capacity import Capacity
from tiergym.scenarios.instance import Instance, check_instance
from tiergym.scenarios.load import load_scenario, scenario_names
from tiergym.scenarios.scenario import Scenario
from tiergym.scenarios.splits import load_split, split_names, split_scenarios
from tiergym.scenarios.system import Cost, System

__all__ = [
    "Capacity",
    "Cost",
    "Instance",
    "Scenario",
    "System",
    "check_instance",
    "load_scenario",
    "load_split",
    "scenario_names",
    "split_names",
    "split_scenarios",
]
