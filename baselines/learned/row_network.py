"""A network whose weights are shared by the rows of a table, and logits that belong to rows.

Each row is embedded beside what is no table (the context); mean and maximum over the rows that
there are make, with the context, a summary of all; each row is looked at once more beside that
summary and gives the logits of its own actions. So the order of the rows changes nothing but the
order of the logits, and what was learned of one row holds for all.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor, nn

from baselines.learned.pair_columns import PairColumns
from baselines.learned.scaling import scaled, units_of
from baselines.learned.tables import Tables


class Split(nn.Module):
    """Cuts a flat observation into scaled rows [n, R, w], context [n, c] and rows that there are.

    Args:
        fields: name -> width, in the order of the observation.
        tables: see `Tables`.
    """

    units: Tensor

    def __init__(self, fields: Mapping[str, int], tables: Tables) -> None:
        super().__init__()
        self.register_buffer("units", torch.tensor(units_of(fields)), persistent=False)
        ends = torch.tensor(list(fields.values())).cumsum(0).tolist()
        places = {n: slice(e - fields[n], e) for n, e in zip(fields, ends, strict=True)}
        self._rows = tables.rows
        self._fields = [(places[name], shape) for name, shape in tables.row_fields.items()]
        self._present = list(tables.row_fields).index(tables.present)
        self._context = [places[name] for name in tables.context_fields]
        self.pairs = PairColumns(places, tables) if tables.paired else None
        self.row_width = sum(outer * inner for outer, inner in tables.row_fields.values())
        self.row_width += 0 if self.pairs is None else self.pairs.width
        self.context_width = sum(fields[name] for name in tables.context_fields)

    def forward(self, flat: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Rows, context, and bool[n, R]."""
        values = scaled(flat, self.units)
        parts = [self._table(values[:, place], *shape) for place, shape in self._fields]
        present = parts[self._present].ne(0.0).any(-1)
        context = torch.cat([values[:, place] for place in self._context], 1)
        if self.pairs is not None:
            parts.append(self.pairs(flat))
        return torch.cat(parts, 2), context, present

    def _table(self, values: Tensor, outer: int, inner: int) -> Tensor:
        table = values.reshape(len(values), outer, self._rows, inner)
        return table.transpose(1, 2).reshape(len(values), self._rows, outer * inner)


class RowNetwork(nn.Module):
    """Row embeddings [n, r, hidden] and a summary [n, hidden] of a flat observation.

    Rows behind the last that any observation has are left out, so r may be less than R.
    """

    def __init__(self, fields: Mapping[str, int], tables: Tables, hidden: int) -> None:
        super().__init__()
        self.split = Split(fields, tables)
        self.row = nn.Linear(self.split.row_width, hidden)
        self.beside = nn.Linear(self.split.context_width, hidden, bias=False)
        self.pooled = nn.Linear(2 * hidden, hidden)
        self.context = nn.Linear(self.split.context_width, hidden, bias=False)
        self.again = nn.Linear(hidden, hidden)
        self.told = nn.Linear(hidden, hidden, bias=False)

    def forward(self, flat: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        rows, context, present = self.split(flat)
        there = present.any(0).nonzero()
        last = int(there[-1]) + 1 if len(there) else 1
        rows, present = rows[:, :last], present[:, :last]
        here = present[..., None].to(rows.dtype)
        first = torch.relu(self.row(rows) + self.beside(context)[:, None]) * here
        count = here.sum(1).clamp(min=1.0)
        pooled = torch.cat([first.sum(1) / count, first.amax(1)], 1)
        summary = torch.relu(self.pooled(pooled) + self.context(context))
        second = torch.relu(self.again(first) + self.told(summary)[:, None]) * here
        return second, summary


class RowHeads(nn.Module):
    """Stands in for Stable-Baselines3's ``mlp_extractor``: its policy latent is all logits.

    Args:
        fields, tables: see `Split`.
        hidden: width of the layers.
        critic: whether the value has a network of its own instead of the policy's summary.
    """

    def __init__(
        self, fields: Mapping[str, int], tables: Tables, hidden: int, critic: bool
    ) -> None:
        super().__init__()
        self._tables = tables
        self.latent_dim_pi = tables.actions
        self.latent_dim_vf = hidden
        self.actor = RowNetwork(fields, tables, hidden)
        self.critic = RowNetwork(fields, tables, hidden) if critic else None
        self.scores = nn.Linear(hidden, tables.blocks * tables.columns)
        self.first = nn.Linear(hidden, tables.first) if tables.first else None
        self.value = nn.Linear(hidden, hidden)

    def forward(self, flat: Tensor) -> tuple[Tensor, Tensor]:
        """Logits [n, A] and what the value is made of [n, hidden]."""
        rows, summary = self.actor(flat)
        valued = summary if self.critic is None else self.critic(flat)[1]
        return self._logits(rows, summary), torch.relu(self.value(valued))

    def forward_actor(self, flat: Tensor) -> Tensor:
        """Logits alone."""
        return self._logits(*self.actor(flat))

    def forward_critic(self, flat: Tensor) -> Tensor:
        """What the value is made of, alone."""
        network = self.actor if self.critic is None else self.critic
        return torch.relu(self.value(network(flat)[1]))

    def _logits(self, rows: Tensor, summary: Tensor) -> Tensor:
        t = self._tables
        whole = _with_all(rows, t.rows)
        scores = self.scores(whole).reshape(len(rows), t.rows, t.blocks, t.columns)
        of_rows = scores.transpose(1, 2).reshape(len(rows), -1)
        return of_rows if self.first is None else torch.cat([self.first(summary), of_rows], 1)


class RowFeatures(BaseFeaturesExtractor):
    """A features extractor for any algorithm: the summary, then a few numbers of each row.

    A plain network behind it can tell rows apart, and so is not free of their order; `RowHeads` is.

    Args:
        observation_space: of a `Flat`.
        fields, tables: see `Split`.
        hidden: width of the layers. each: numbers kept of a row.
    """

    def __init__(
        self,
        observation_space: spaces.Box,
        fields: Mapping[str, int],
        tables: Tables,
        hidden: int = 64,
        each: int = 8,
    ) -> None:
        super().__init__(observation_space, hidden + tables.rows * each)
        self.network = RowNetwork(fields, tables, hidden)
        self.narrow = nn.Linear(hidden, each)
        self._rows = tables.rows

    def forward(self, observations: Tensor) -> Tensor:
        """float32[n, hidden + R each]."""
        rows, summary = self.network(observations)
        kept = torch.relu(self.narrow(_with_all(rows, self._rows)))
        return torch.cat([summary, kept.flatten(1)], 1)


def _with_all(rows: Tensor, count: int) -> Tensor:
    """The embeddings with those of rows that are not there, which are zero."""
    return nn.functional.pad(rows, (0, 0, 0, count - rows.shape[1]))
