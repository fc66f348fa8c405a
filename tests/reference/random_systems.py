"""Random small systems and instances: any tree of tiers, any law, many ties.

Nothing here is realistic. Cases are drawn to reach every branch of the physics: refusals, empty
stages, thresholds equal to a confidence, bandwidth of zero and of infinity, equal times.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tests.reference.random_numbers import Numbers, grid_or_continuous
from tiergym.scenarios.instance import Instance, check_instance
from tiergym.scenarios.system import (
    CLOUD,
    EDGE,
    EMPTY_STAGE,
    ENTRIES,
    NO_STAGE,
    TERMINAL,
    Cost,
    System,
)

ANY, ONE_DEVICE = "any", "one-device"


@dataclass(frozen=True)
class Case:
    """A system, an instance of it, the node that is claimed (None: no node), the batch sizes."""

    system: System
    instance: Instance
    claimed: int | None
    sizes: tuple[int, ...]


def random_case(
    rng: np.random.Generator,
    shape: str = ANY,
    grid: bool = False,
    small: bool = False,
    tasks_max: int = 60,
) -> Case:
    """Draw a case.

    Args:
        rng: the only source of randomness.
        shape: ANY, or ONE_DEVICE: a claimed device where all charged tasks arrive, with at most
            two nodes above it.
        grid: times are multiples of 1/64 s and all sums are exact, so ties are frequent and no
            result depends on the order of a sum.
        small: at most three nodes, two networks and eight tasks, to look at by hand.
        tasks_max: most tasks of a case that is not small.
    """
    numbers = grid_or_continuous(rng, grid)
    tree = _one_device(numbers) if shape == ONE_DEVICE else _any_tree(numbers, small)
    system = random_system(numbers, tree, random_models(numbers, tree, small))
    tasks = numbers.integer(1, 8 if small else tasks_max)
    instance = random_instance(numbers, system, tree, tasks)
    check_instance(system, instance)
    claimed = tree.device if shape == ONE_DEVICE or numbers.chance(0.75) else None
    sizes = ((1, 2, 4, 8, 16), (1, 2, 4, 8, 16), (1, 3, 5), (1,))[numbers.integer(0, 3)]
    return Case(system, instance, claimed, sizes)


@dataclass
class Tree:
    """Tier and parent (-1: none) of every node.

    ``device`` is the node to claim; charged tasks arrive at ``origins``, background at ``others``.
    """

    tier: list[int]
    parent: list[int]
    device: int = 0
    origins: list[int] = field(default_factory=list)
    others: list[int] = field(default_factory=list)

    def shuffled(self, numbers: Numbers) -> Tree:
        """Renumber the nodes at random: an index says nothing about the tier."""
        order = numbers.rng.permutation(len(self.tier)).tolist()
        place = {old: new for new, old in enumerate(order)}
        return Tree(
            [self.tier[old] for old in order],
            [place.get(self.parent[old], -1) for old in order],
            place[self.device],
            [place[old] for old in self.origins],
            [place[old] for old in self.others],
        )


def _any_tree(numbers: Numbers, small: bool) -> Tree:
    tree = Tree([], [])
    clouds = [_add(tree, CLOUD, -1)] if numbers.chance(0.75) else []
    edges = [
        _add(tree, EDGE, _parent(numbers, clouds, 0.9))
        for _ in range(numbers.integer(0, 1 if small else 2))
    ]
    for _ in range(numbers.integer(0 if tree.tier else 1, 1 if small else 3)):
        _add(
            tree,
            TERMINAL,
            _parent(numbers, (numbers.chance(0.8) and edges) or clouds or edges, 0.95),
        )
    devices = [n for n, tier in enumerate(tree.tier) if tier != CLOUD] or [0]
    tree.device = devices[numbers.integer(0, len(devices) - 1)]
    tree.origins, tree.others = (_some_nodes(numbers, tree) for _ in range(2))
    return tree.shuffled(numbers)


def _one_device(numbers: Numbers) -> Tree:
    tree = Tree([], [])
    above = _add(tree, CLOUD, -1) if numbers.chance(0.7) else -1
    device_tier = numbers.integer(TERMINAL, EDGE)
    if device_tier == TERMINAL and numbers.chance(0.6):
        above = _add(tree, EDGE, above)
    tree.device = _add(tree, device_tier, above)
    tree.origins, tree.others = [tree.device], _some_nodes(numbers, tree)
    return tree.shuffled(numbers)


def _some_nodes(numbers: Numbers, tree: Tree) -> list[int]:
    nodes = len(tree.tier)
    return numbers.rng.permutation(nodes)[: numbers.integer(1, nodes)].tolist()


def _add(tree: Tree, tier: int, parent: int) -> int:
    tree.tier.append(tier)
    tree.parent.append(parent)
    return len(tree.tier) - 1


def _parent(numbers: Numbers, candidates: list[int], share: float) -> int:
    if not candidates or not numbers.chance(share):
        return -1
    return candidates[numbers.integer(0, len(candidates) - 1)]


@dataclass
class Model:
    """A network under its placement. ``payload``: bytes by block. ``offset``: -1 for no table."""

    blocks: int
    ends: tuple[int, int, int]
    payload: list[float]
    samples: int
    threshold: list[float]
    offset: int = -1

    def entry(self, kind: int) -> int:
        """Block where entry kind ``kind`` starts."""
        return (0, *self.ends[:2])[kind]

    def canonical(self, kind: int) -> int:
        """Lowest entry kind that starts at the same block."""
        return next(k for k in range(ENTRIES) if self.entry(k) == self.entry(kind))


@dataclass
class Models:
    """The networks in order of their routes, ``route[m]`` of network m, and all exit tables."""

    by_route: list[Model]
    route: list[int]
    confidence: list[float] = field(default_factory=list)
    correct: list[int] = field(default_factory=list)


def random_models(numbers: Numbers, tree: Tree, small: bool) -> Models:
    count = numbers.integer(1, 2 if small else 4)
    models = Models([], numbers.rng.permutation(count).tolist())
    for _ in range(count):
        model = random_model(numbers, tree)
        if model.samples > 1 or any(0 < end < model.blocks for end in model.ends):
            add_table(numbers, models, model)
        models.by_route.append(model)
    return models


def random_model(numbers: Numbers, tree: Tree) -> Model:
    blocks = numbers.integer(1, 5)
    p1, p2 = sorted(numbers.integer(0, blocks) for _ in range(2))
    topless = [tier for tier, above in zip(tree.tier, tree.parent, strict=True) if above < 0]
    if TERMINAL in topless:
        p1 = blocks
    if TERMINAL in topless or EDGE in topless:
        p2 = blocks
    payload = [numbers.size() for _ in range(blocks + 1)]
    samples = numbers.integer(1, 6)
    return Model(blocks, (p1, p2, blocks), payload, samples, [0.0, 0.0])


def add_table(numbers: Numbers, models: Models, model: Model) -> None:
    gap = numbers.integer(0, 3)
    entries = model.samples * (model.blocks + 1)
    confidence = numbers.rng.random(gap + entries).astype(np.float32).tolist()
    model.offset = len(models.confidence) + gap
    model.threshold = thresholds(numbers, confidence[:entries])
    models.confidence += confidence
    models.correct += numbers.rng.integers(0, 2, gap + entries).tolist()


def thresholds(numbers: Numbers, confidence: list[float]) -> list[float]:
    """Return those of the heads at p1 and p2, often equal to one of ``confidence``."""
    return [
        confidence[numbers.integer(0, len(confidence) - 1)]
        if numbers.chance(0.6)
        else float(numbers.rng.uniform(0.0, 1.1))
        for _ in range(2)
    ]


@dataclass
class _Stages:
    """The stage tables of all nodes."""

    row: np.ndarray
    end: np.ndarray
    seconds: list[list[float]] = field(default_factory=list)
    workspace: list[list[float]] = field(default_factory=list)


def _stages(numbers: Numbers, tree: Tree, models: Models, batch_max: list[int]) -> _Stages:
    shape = (len(tree.tier), ENTRIES * len(models.by_route))
    stages = _Stages(np.full(shape, NO_STAGE), np.zeros(shape, dtype=np.int64))
    columns = max(batch_max) + numbers.integer(0, 2)
    for node, group in np.ndindex(shape):
        model, kind = models.by_route[group // ENTRIES], group % ENTRIES
        end = model.ends[tree.tier[node]]
        stages.end[node, group] = end
        if model.canonical(kind) == kind:
            runs = model.entry(kind) < end
            stages.row[node, group] = len(stages.seconds) if runs else EMPTY_STAGE
            if runs:
                _add_row(numbers, stages, batch_max[node], columns)
    return stages


def _add_row(numbers: Numbers, stages: _Stages, known: int, columns: int) -> None:
    stages.seconds.append(numbers.law(known, columns))
    used = numbers.chance(0.5)
    stages.workspace.append([numbers.size() if used else 0.0 for _ in range(columns)])


def _after(tree: Tree, models: Models, stages: _Stages, node: int, group: int) -> int:
    """Group that a task of ``group`` is in when it leaves ``node`` upward, -1 if it never does."""
    if stages.row[node, group] == EMPTY_STAGE:
        return group
    model = models.by_route[group // ENTRIES]
    if stages.end[node, group] == model.blocks:
        return -1
    kind = 1 if tree.tier[node] == TERMINAL else 2
    return group - group % ENTRIES + model.canonical(kind)


def _drop_some(numbers: Numbers, tree: Tree, models: Models, stages: _Stages) -> None:
    """Take from some nodes stages that no task is forced to enter: uploads there are masked."""
    shape = stages.row.shape
    for _ in range(numbers.integer(0, 4)):
        arrive = {*tree.origins, *tree.others}
        forced = {(node, group) for node in arrive for group in range(0, shape[1], ENTRIES)}
        for node, group in zip(*np.nonzero(stages.row != NO_STAGE), strict=True):
            onward = _after(tree, models, stages, int(node), int(group))
            forced.add((tree.parent[node], onward))
        node, group = numbers.integer(0, shape[0] - 1), numbers.integer(0, shape[1] - 1)
        if (node, group) not in forced:
            stages.row[node, group] = NO_STAGE


def _reserve(tree: Tree, models: Models, stages: _Stages, node: int) -> float:
    """Largest need of a batch of one beside its payload."""
    need = 0.0
    for group in np.flatnonzero(stages.row[node] >= 0).tolist():
        onward = _after(tree, models, stages, node, group)
        growth = 0.0 if onward < 0 else _payload(models, onward) - _payload(models, group)
        workspace = stages.workspace[stages.row[node, group]][0]
        need = max(need, workspace + max(0.0, growth))
    return need


def _payload(models: Models, group: int) -> float:
    model = models.by_route[group // ENTRIES]
    return model.payload[model.entry(group % ENTRIES)]


def random_system(numbers: Numbers, tree: Tree, models: Models, plain: bool = False) -> System:
    """Draw a system; ``plain``: all stages are there, and links are in order of their sources."""
    nodes, networks = len(tree.tier), len(models.by_route)
    batch_max = [numbers.integer(1, 16) for _ in range(nodes)]
    stages = _stages(numbers, tree, models, batch_max)
    if not plain:
        _drop_some(numbers, tree, models, stages)
    reserve = np.array([_reserve(tree, models, stages, node) for node in range(nodes)])
    room = [numbers.size() * numbers.integer(1, 6) for _ in range(nodes)]
    finite = numbers.rng.random(nodes) < (0.5 if numbers.chance(0.7) else 0.0)
    executors = numbers.integers(1, 3, nodes) if numbers.chance(0.6) else np.ones(nodes, int)
    idle_watts, more_watts = numbers.watts(nodes), numbers.watts(nodes)
    source, target, uplink = _channels(numbers, tree, plain)
    links = len(source)
    of_network = [models.by_route[route] for route in models.route]
    groups = range(ENTRIES * networks)
    return System(
        node_names=tuple(f"node-{n}" for n in range(nodes)),
        link_names=tuple(f"link-{e}" for e in range(links)),
        network_names=tuple(f"network-{m}" for m in range(networks)),
        node_tier=np.array(tree.tier, dtype=np.int64),
        node_executors=executors.astype(np.int64),
        node_batch_max=np.array(batch_max, dtype=np.int64),
        node_memory=np.where(finite, reserve + np.array(room), np.inf),
        node_reserve=reserve,
        node_discipline=numbers.integers(0, 3, nodes),
        node_rank=numbers.integers(0, networks, (nodes, networks)),
        node_idle_watts=idle_watts,
        node_busy_watts=idle_watts + more_watts,
        node_uplink=np.array(uplink, dtype=np.int64),
        link_source=np.array(source, dtype=np.int64),
        link_target=np.array(target, dtype=np.int64),
        link_packing=numbers.integers(0, 1, links),
        link_package_max=np.array([numbers.package_max() for _ in range(links)]),
        link_per_package=numbers.often_zero(links, 0.02),
        link_half_rtt=numbers.often_zero(links, 0.05),
        link_base_watts=numbers.watts(links),
        link_joules_per_megabit=numbers.watts(links),
        network_blocks=np.array([model.blocks for model in of_network], dtype=np.int64),
        network_route=np.array(models.route, dtype=np.int64),
        network_table=np.array([model.offset for model in of_network], dtype=np.int64),
        network_samples=np.array(
            [model.samples if model.offset >= 0 else 1 for model in of_network], dtype=np.int64
        ),
        route_network=np.argsort(models.route).astype(np.int64),
        route_p1=np.array([model.ends[0] for model in models.by_route], dtype=np.int64),
        route_p2=np.array([model.ends[1] for model in models.by_route], dtype=np.int64),
        route_threshold=np.array([model.threshold for model in models.by_route]),
        group_entry_block=np.array(
            [models.by_route[g // ENTRIES].entry(g % ENTRIES) for g in groups], dtype=np.int64
        ),
        group_payload=np.array([_payload(models, g) for g in groups]),
        stage_row=stages.row,
        stage_end=stages.end,
        stage_seconds=np.array(stages.seconds),
        stage_workspace=np.array(stages.workspace),
        exit_confidence=np.array(models.confidence, dtype=np.float32),
        exit_correct=np.array(models.correct, dtype=np.int8),
        cost=Cost(1.0, 0.5, 2.0, 0.25, 8.0),
    )


def _channels(numbers: Numbers, tree: Tree, plain: bool) -> tuple[list[int], list[int], list[int]]:
    """Sources, targets and uplinks; links in random order, sometimes one that nobody uses."""
    sources = [node for node, parent in enumerate(tree.parent) if parent >= 0]
    if not plain:
        sources = [sources[at] for at in numbers.rng.permutation(len(sources))]
    uplink = [sources.index(n) if n in sources else -1 for n in range(len(tree.parent))]
    if sources and not plain and numbers.chance(0.2):
        sources.append(sources[0])
    return sources, [tree.parent[source] for source in sources], uplink


def random_instance(numbers: Numbers, system: System, tree: Tree, tasks: int) -> Instance:
    window = numbers.window(tasks)
    arrival = numbers.arrivals(tasks, window)
    charged = numbers.rng.random(tasks) < (0.7 if numbers.chance(0.6) else 1.0)
    charged[numbers.integer(0, tasks - 1)] = True
    own, others = (numbers.rng.choice(nodes, tasks) for nodes in (tree.origins, tree.others))
    network = numbers.integers(0, system.networks - 1, tasks)
    offset, start, bandwidth = numbers.pieces(system.links, window)
    return Instance(
        window=window,
        arrival=arrival,
        origin=np.where(charged, own, others).astype(np.int64),
        network=network,
        sample=numbers.rng.integers(0, system.network_samples[network]),
        deadline=arrival + numbers.patience(tasks),
        charged=charged,
        jitter=numbers.jitter(system.nodes),
        piece_offset=offset,
        piece_start=start,
        piece_bandwidth=bandwidth,
    )
