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

A scenario of the problem `edge_selection` says terminals, edges, cloud, backhaul, sites, selection
and failures in place of nodes, links, schedule and interval_seconds. Needed are terminals, edges,
sites, networks and arrivals, and tasks or window:

.. code-block:: yaml

    name: mine
    problem: edge_selection
    terminals:                    # all alike but for their radios
      count: 12
      radios: {lte: 2, 5g-nsa-low: 1}
                                  # link profiles of the uplinks and their shares, given to the
                                  # terminals in turn and never drawn; a share, or a mapping with
                                  # share: 1 and a link's fields (profile, bandwidth, ...)
      profile: my-device.yaml     # left out where no network has a stage on terminals
      packing: true
      package_max: 64000          # default .inf
                                  # executors, batch_max, memory_bytes, discipline, rank: as above
    edges:                        # groups, numbered through in this order; fields of nodes, and:
      - count: 4                  # default 1
        profile: my-device.yaml
        batch_max: 8
        extra_rtt: 0.0            # seconds that the way to them takes on top
        deployed: all             # networks whose parameters are there at first: all, none or a
                                  # list. Room for the others is kept; they are fetched when asked
      - {profile: my-device.yaml, batch_max: 8, extra_rtt: 0.018}
    cloud: {profile: my-device.yaml, executors: 2, batch_max: 16}
                                  # one node, or left out
    backhaul: {bandwidth: 1000, rtt: 0.01}
                                  # a link from every edge to the cloud, needed with it. A fetch
                                  # takes its rtt, and parameter bytes over its mean bandwidth
    sites:
      places: eua-melbourne-west  # a shipped name, or site_km and user_km: lists of [east, north]
      range_km: .inf              # edges farther away are out of range; the nearest never is
      speed_kmh: 0                # of terminals that walk
      moving: 0.5                 # share of the terminals that do
      step: 1.0                   # seconds that a position holds
                                  # or {rtt: seconds} for all, or {rtt: [[...]]}, a row of edges for
                                  # each terminal, .inf where out of range: round trips as given
    selection:
      attach_every: episode       # or task (at every upload), or seconds
      moves: true                 # whether a terminal may leave an edge that is overloaded
      overload_mark: 0.8          # utilisation in its newest report from which on it is
      hold_seconds: 2.0           # least time between two such decisions
      reconnect_seconds: 0.1      # before the first package to another edge
      timeout_seconds: 1.0        # from the loss of a task to its re-upload
      report_interval: 1.0        # of load reports; 0: always fresh, where no edge fails
    failures: {mean_up: 40, mean_down: 5, edges: all}
                                  # exponential, each edge for itself, up at first; all or a list.
                                  # Left out: none. All edges may be down at one time
    networks:
      vgg16: {}                   # placement: whole is at an edge, [0, L]. Otherwise p1 < p2, and
                                  # every edge can run blocks p1 + 1 to p2
    arrivals: {process: poisson, load: 0.3}
                                  # of all terminals together: each task draws its terminal
                                  # uniformly, so a burst comes to all of them
    background:                   # a stream of its own at each edge named, load relative to that
                                  # edge's own capacity: one value, or a list, one an edge
      - {edges: all, network: vgg16, process: poisson, load: 0.6}
    tasks: 800

Positions are drawn with each instance. A random user is the centre; the edges stand at the sites
nearest to it, in random order, and the terminals at positions of random users among the nearest
(twice as many as there are terminals, and 50 at least), different ones as far as they go. Who walks
goes straight from one such position to the next, on and on. A round trip is that measured by radio
and distance (`tiergym.links.round_trip`), else the link profile's rtt (also where ``radios`` gives
an rtt of its own), and the edge's extra_rtt on top. Total capacity is the smallest of what the
uplinks, the edges (less other users' load) and the cloud take; see `Capacity`.
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
