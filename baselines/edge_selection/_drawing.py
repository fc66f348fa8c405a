"""Numbers drawn from a generator a row, for choices and ties."""

from __future__ import annotations

import numpy as np

from baselines.drawing import RowDraws
from baselines.edge_selection._observation import Floats
from tiergym.errors import InvalidInput

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class Draws(RowDraws):
    """The generators of `RowDraws`, from which several numbers are drawn at once."""

    def uniforms(self, rows: int, count: int) -> Floats:
        """float64[rows, count] in [0, 1), the next ``count`` of each row's generator (SplitMix64).

        Raises:
            InvalidInput: if another number of rows was seeded.
        """
        if len(self._generators) == 0:
            self.seed(np.random.SeedSequence().generate_state(rows).tolist())
        if len(self._generators) != rows:
            given = len(self._generators)
            raise InvalidInput("seeds", f"{given} seeds", f"one a row, {rows} as observed")
        z = self._generators[:, None] + _GOLDEN * np.arange(1, count + 1, dtype=np.uint64)
        self._generators = z[:, -1].copy()
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
        return (z >> np.uint64(11)).astype(np.float64) * 2.0**-53
