from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from sb3_contrib.common.maskable.distributions import MaskableCategoricalDistribution

from baselines.exit_placement._expected import expected_cost, present
from baselines.exit_placement._observation import Layout
from baselines.learned.flat import Flat
from baselines.learned.masked import MaskedCategorical
from baselines.learned.row_network import RowFeatures, RowHeads
from baselines.learned.scaling import SPREAD, Scaled, units_of
from baselines.learned.tables import Tables, tables_of
from tests.baselines.learned.tiny import EXIT_PLACEMENT, TASK_SCHEDULING
from tests.envs import small, small_placement
from tiergym.errors import InvalidInput

SCENARIOS: dict[str, Any] = {
    TASK_SCHEDULING: small.scenario(),
    EXIT_PLACEMENT: small_placement.scenario(),
}


def observed(env_id: str, rows: int = 5) -> tuple[Flat, Tables, np.ndarray[Any, Any]]:
    """Flat observations in the middle of episodes, and the tables they hold."""
    env: Any = gym.make_vec(env_id, rows, "vector_entry_point", scenario=SCENARIOS[env_id])
    observation, _ = env.reset(seed=0)
    for _ in range(6):
        observation = env.step(observation["action_mask"].argmax(1))[0]
    flat = Flat(env.single_observation_space, masked=False)
    actions = int(env.single_action_space.n)
    return flat, tables_of(env_id, flat.fields, actions), flat.of(observation)


def shuffled(flat: Flat, tables: Tables, values: torch.Tensor, order: list[int]) -> torch.Tensor:
    """The observations with the rows of their tables in another order."""
    parts: list[torch.Tensor] = []
    begin = 0
    for name, width in flat.fields.items():
        part = values[:, begin : begin + width]
        if name in tables.row_fields:
            outer, inner = tables.row_fields[name]
            part = part.reshape(-1, outer, tables.rows, inner)[:, :, order].reshape(-1, width)
        parts.append(part)
        begin += width
    return torch.cat(parts, 1)


def test_logits_follow_the_rows_and_the_value_does_not_see_their_order() -> None:
    flat, tables, values = observed(TASK_SCHEDULING)
    torch.manual_seed(0)
    heads = RowHeads(flat.fields, tables, 16, critic=True)
    order = np.random.default_rng(1).permutation(tables.rows).tolist()
    given = torch.from_numpy(values)
    logits, value = heads(given)
    moved, same = heads(shuffled(flat, tables, given, order))
    first, count = tables.first, len(values)
    shape = (count, tables.blocks, tables.rows, tables.columns)
    expected = logits[:, first:].reshape(shape)[:, :, order].reshape(count, -1)
    torch.testing.assert_close(moved[:, first:], expected)
    torch.testing.assert_close(moved[:, :first], logits[:, :first])
    torch.testing.assert_close(same, value)
    torch.testing.assert_close(heads.forward_actor(given), logits)
    torch.testing.assert_close(heads.forward_critic(given), value)
    assert logits.std() > 0


def test_a_table_with_more_empty_rows_gives_the_same_scores() -> None:
    flat, tables, values = observed(TASK_SCHEDULING)
    heads = RowHeads(flat.fields, tables, 16, critic=False)
    assert heads.actor.split(torch.from_numpy(values))[2].sum(1).tolist() == [2] * len(values)
    wider: Any = gym.make(TASK_SCHEDULING, scenario=SCENARIOS[TASK_SCHEDULING], max_networks=11)
    wide = Flat(wider.observation_space, masked=False)
    more = tables_of(TASK_SCHEDULING, wide.fields, int(wider.action_space.n))
    larger = RowHeads(wide.fields, more, 16, critic=False)
    larger.load_state_dict(heads.state_dict())
    padded = _padded(flat, tables, values, more.rows)
    logits, value = heads(torch.from_numpy(values))
    wide_logits, wide_value = larger(torch.from_numpy(padded))
    torch.testing.assert_close(wide_value, value)
    torch.testing.assert_close(wide_logits[:, 0], logits[:, 0])
    shape = (len(values), 2, -1, tables.columns)
    torch.testing.assert_close(
        wide_logits[:, 1:].reshape(shape)[:, :, : tables.rows], logits[:, 1:].reshape(shape)
    )


def _padded(flat: Flat, tables: Tables, values: Any, rows: int) -> Any:
    parts: list[Any] = []
    begin = 0
    for name, width in flat.fields.items():
        part = values[:, begin : begin + width]
        if name in tables.row_fields:
            inner = width // tables.rows
            part = np.pad(part, ((0, 0), (0, (rows - tables.rows) * inner)))
        parts.append(part)
        begin += width
    return np.concatenate(parts, 1)


def test_columns_of_pairs_hold_the_costs_that_the_rules_expect() -> None:
    flat, tables, values = observed(EXIT_PLACEMENT)
    env: Any = gym.make(EXIT_PLACEMENT, scenario=SCENARIOS[EXIT_PLACEMENT])
    layout, begin = Layout.of(env), 0
    fields: dict[str, Any] = {"action_mask": np.ones((len(values), tables.actions), np.int8)}
    for name, width in flat.fields.items():
        fields[name] = values[:, begin : begin + width]
        begin += width
    rows, _ = layout.rows(fields)
    cost = expected_cost(rows, layout, present(rows, layout), waiting=False)
    there = np.isfinite(cost)
    logs = np.where(there, np.log(cost / cost.min(1, keepdims=True)), 0.0)
    heads = RowHeads(flat.fields, tables, 8, critic=False)
    assert heads.actor.split.pairs is not None
    found = heads.actor.split.pairs(torch.from_numpy(values)).numpy()
    levels = tables.blocks
    unloaded = found[:, :, -2 * levels :: 2].transpose(0, 2, 1).reshape(logs.shape)
    np.testing.assert_allclose(unloaded, np.minimum(logs, 5.0), atol=1e-5)
    assert np.isfinite(found).all()
    assert there.any(axis=1).all()


def test_features_have_the_width_they_tell() -> None:
    flat, tables, values = observed(TASK_SCHEDULING)
    features = RowFeatures(flat.space, flat.fields, tables, hidden=16, each=3)
    assert features(torch.from_numpy(values)).shape == (len(values), features.features_dim)


def test_scaling_keeps_signs_and_brings_large_values_near_one() -> None:
    flat, _, values = observed(TASK_SCHEDULING)
    assert len(units_of(flat.fields)) == flat.width
    scaled = Scaled(flat.space, flat.fields)
    found = scaled(torch.from_numpy(values))
    assert found.abs().max() < 10
    assert torch.equal(found.sign(), torch.from_numpy(values).sign())
    seconds = torch.zeros(1, flat.width)
    place = list(flat.fields).index("oldest_slack")
    begin = sum(list(flat.fields.values())[:place])
    seconds[0, begin] = -0.05
    assert scaled(seconds)[0, begin].item() == pytest.approx(-np.log(6.0) / SPREAD, rel=1e-6)


def test_tables_of_other_environments_and_sizes_are_refused() -> None:
    flat, tables, _ = observed(TASK_SCHEDULING)
    with pytest.raises(InvalidInput, match="env_id"):
        tables_of("CartPole-v1", flat.fields, 2)
    with pytest.raises(InvalidInput, match=f"{tables.actions}, by the fields"):
        tables_of(TASK_SCHEDULING, flat.fields, 5)


def test_edge_selection_has_a_row_an_edge() -> None:
    fields = {"reports": 7 * 8 * 8, "edge": 56, "terminal": 8, "since": 3, "time": 2, "weights": 4}
    tables = tables_of("tiergym/EdgeSelection-v0", fields, 8)
    heads = RowHeads(fields, tables, 8, critic=False)
    logits, value = heads(torch.rand(3, sum(fields.values())))
    assert (logits.shape, value.shape) == ((3, 8), (3, 8))


def test_the_distribution_is_that_of_sb3_contrib() -> None:
    torch.manual_seed(0)
    logits = torch.randn(50, 9)
    masks = np.random.default_rng(0).random((50, 9)) < 0.4
    masks[:, 4] = True
    ours, theirs = MaskedCategorical(9), MaskableCategoricalDistribution(9)
    actions = torch.from_numpy(masks.argmax(1))
    for mask in (None, masks):
        for one in (ours, theirs):
            one.proba_distribution(logits).apply_masking(mask)
        torch.testing.assert_close(ours.log_prob(actions), theirs.log_prob(actions))
        torch.testing.assert_close(ours.entropy(), theirs.entropy())
        assert torch.equal(ours.mode(), theirs.mode())
    drawn = torch.stack([ours.sample() for _ in range(4000)])
    assert torch.from_numpy(masks).gather(1, drawn.T).all()
    shares = (drawn[:, :, None] == torch.arange(9)).float().mean(0)
    assert (shares - theirs.distribution.probs).abs().max() < 0.04
