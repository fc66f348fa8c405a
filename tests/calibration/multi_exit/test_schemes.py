"""Each training scheme trains what it says and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("PIL")

from tests.calibration.multi_exit.small import (  # noqa: E402
    few,
    options,
    same,
    silent,
    state,
    stop_after,
    trained,
)
from tiergym.calibration.multi_exit.families import (  # noqa: E402
    IndependentPaths,
    MultiExitNetwork,
    build_network,
)
from tiergym.calibration.multi_exit.schemes import loss_weights, phases  # noqa: E402
from tiergym.calibration.multi_exit.training import begin, train, weighted_loss  # noqa: E402


def chain_of(network: object) -> MultiExitNetwork:
    assert isinstance(network, MultiExitNetwork)
    return network


def weights_after(epochs: int, tmp_path, **changes) -> MultiExitNetwork:
    """The network as it was after so many epochs of a run."""
    path = tmp_path / "checkpoint.pt"
    with pytest.raises(KeyboardInterrupt):
        train(options(**changes), few(), path, stop_after(epochs))
    network = build_network(options(**changes), 1, 10)
    network.load_state_dict(torch.load(path, weights_only=True)["network"])
    path.unlink()
    return chain_of(network)


def test_loss_weights():
    assert loss_weights("equal", (1, 4, 8)) == {1: 1.0, 4: 1.0, 8: 1.0}
    assert loss_weights("early-heavy", (1, 4, 8)) == {1: 1.5, 4: 1.0, 8: 0.5}
    assert loss_weights("late-heavy", (1, 4, 8)) == {1: 0.5, 4: 1.0, 8: 1.5}


def test_phases():
    found = {
        scheme: [(p.epochs, tuple(p.weights), p.frozen, p.last) for p in phases(each)]
        for scheme in ("joint", "separate", "progressive", "independent", "mixed")
        for each in [options(scheme=scheme, exits=(3, 6), epochs=7, head_epochs=5, stage_epochs=4)]
    }
    both, stages = (7, (3, 6, 8), 0, 8), [(4, (3,), 0, 3), (4, (6,), 3, 6), (4, (8,), 6, 8)]
    assert found["joint"] == [both]
    assert found["separate"] == [(7, (8,), 0, 8), (5, (3, 6), 6, 6)]
    assert found["progressive"] == stages
    assert found["independent"] == [(7, (3,), 0, 3), (7, (6,), 0, 6), (7, (8,), 0, 8)]
    assert found["mixed"] == [(7, (8,), 0, 8), both]


def gradient(kind: str) -> dict[str, np.ndarray]:
    """Gradients of the joint loss of the first images at the first weights."""
    each = options(scheme="joint", weights=kind, exits=(2, 5))
    network = chain_of(begin(each, few()).network).eval()
    images = torch.from_numpy(few().train.pixels[:32])
    labels = torch.from_numpy(few().train.labels[:32])
    weighted_loss(network, phases(each)[0], images, labels).backward()
    return {n: p.grad.double().numpy() for n, p in network.named_parameters() if p.grad is not None}


def test_joint_weights_scale_the_gradients():
    found = {kind: gradient(kind) for kind in ("equal", "early-heavy", "late-heavy")}
    head = "heads.2.layers.2.weight"
    np.testing.assert_allclose(
        found["early-heavy"][head], 1.5 * found["equal"][head], rtol=1e-4, atol=1e-7
    )
    np.testing.assert_allclose(
        found["late-heavy"][head], 0.5 * found["equal"][head], rtol=1e-4, atol=1e-7
    )
    stem = "blocks.0.0.0.weight"
    early, late = found["early-heavy"][stem], found["late-heavy"][stem]
    np.testing.assert_allclose(early + late, 2.0 * found["equal"][stem], rtol=1e-3, atol=1e-6)
    assert np.abs(early - late).max() > 1e-3


def test_joint_weightings_give_different_networks():
    one, other = (trained(weights=kind, epochs=1) for kind in ("early-heavy", "late-heavy"))
    assert not same(state(one.network), state(other.network))


def test_separate_leaves_the_backbone_bit_equal(tmp_path):
    before = weights_after(2, tmp_path, scheme="separate")
    after = chain_of(trained(scheme="separate").network)
    assert same(state(before.blocks), state(after.blocks))
    assert same(state(before.heads["8"]), state(after.heads["8"]))
    for block in range(1, 8):
        assert not same(state(before.heads[str(block)]), state(after.heads[str(block)]))


def test_separate_heads_train_as_if_each_were_alone():
    together = chain_of(trained(scheme="separate", exits=(2, 5)).network)
    first = {n: v for n, v in state(together).items() if n.startswith("heads.2")}
    run = begin(options(scheme="separate", exits=(2, 5)), few())
    chain = chain_of(run.network)
    del chain.heads["5"]
    chain.exits = (2, 8)
    alone = train_on(run, exits=(2,))
    assert same(first, {n: v for n, v in state(alone).items() if n.startswith("heads.2")})


def train_on(run, exits: tuple[int, ...]) -> MultiExitNetwork:
    """The separate scheme on a given network, heads after ``exits`` only."""
    from dataclasses import replace

    from tiergym.calibration.multi_exit import training

    plan = phases(options(scheme="separate", exits=(2, 5)))
    early = dict.fromkeys(exits, 1.0)
    plan = [plan[0], replace(plan[1], weights=early, frozen=max(exits), last=max(exits))]
    while run.phase < len(plan):
        training._epoch(run, plan, few(), silent)
    return chain_of(run.network)


def test_progressive_keeps_earlier_stages(tmp_path):
    changes = {"scheme": "progressive", "exits": (3, 6)}
    first = weights_after(1, tmp_path, **changes)
    second = weights_after(2, tmp_path, **changes)
    last = chain_of(trained(**changes).network)
    assert same(state(first.blocks[:3]), state(last.blocks[:3]))
    assert same(state(first.heads["3"]), state(last.heads["3"]))
    assert same(state(second.blocks[:6]), state(last.blocks[:6]))
    assert not same(state(first.blocks[3:6]), state(second.blocks[3:6]))
    assert not same(state(second.blocks[6:]), state(last.blocks[6:]))


def test_independent_paths_share_nothing():
    run = trained(scheme="independent", exits=(2, 5), epochs=1)
    assert isinstance(run.network, IndependentPaths)
    memory = [{p.data_ptr() for p in path.parameters()} for path in run.network.paths]
    assert not memory[0] & memory[1]
    assert not memory[1] & memory[2]
    assert [len(chain_of(path).blocks) for path in run.network.paths] == [2, 5, 8]
    assert run.network.exits == (2, 5, 8)


def test_mixed_trains_the_backbone_twice(tmp_path):
    before = weights_after(2, tmp_path, scheme="mixed")
    backbone = weights_after(2, tmp_path, scheme="separate")
    after = chain_of(trained(scheme="mixed").network)
    assert same(state(before.blocks), state(backbone.blocks))
    assert not same(state(before.blocks), state(after.blocks))
    assert not same(state(before.heads["2"]), state(after.heads["2"]))
