"""A scrambled Sobol sequence, snapped to the lattice: covers a space more evenly than random draws."""

import numpy as np
from scipy.stats import qmc

from chandlery.optimize.methods.plan import Method, Numbers, Plan, Search
from chandlery.optimize.methods.visited import Visited

_BARREN = 8


class SobolPoints:
    """Lattice points along one scrambled Sobol sequence (Owen 1998)."""

    def __init__(self, plan: Plan, draw: np.random.Generator) -> None:
        """Begin a sequence; `draw` scrambles it."""
        self._space, self._draw = plan.space, draw
        self._engine = qmc.Sobol(d=max(1, plan.space.dimensions), scramble=True, rng=draw)

    def take(self, count: int, visited: Visited) -> Numbers:
        """Return `count` new points; where the sequence brings nothing new any more, the rest is drawn at random."""
        count = min(count, visited.remaining)
        found, barren = np.empty(0, dtype=np.int64), 0
        while found.size < count and barren < _BARREN:
            power = max(6, (count - found.size - 1).bit_length())
            # A power of two each time keeps the sequence balanced in the long run.
            units = self._engine.random(2**power)
            drawn = visited.fresh(self._space.snap(units[:, : self._space.dimensions]))
            drawn = drawn[~np.isin(drawn, found)]
            barren = 0 if drawn.size else barren + 1
            found = np.concatenate([found, drawn])
        if found.size < count:
            more = visited.others(visited.remaining, self._draw)
            found = np.concatenate([found, more[~np.isin(more, found)]])
        return found[:count]


def _start(plan: Plan) -> Search:
    visited = Visited(plan)
    points = SobolPoints(plan, np.random.default_rng(plan.seed))
    batch = visited.default()
    while visited.remaining:
        more = points.take(plan.batch, visited)
        batch = np.concatenate([batch, more[~np.isin(more, batch)]])[: min(plan.batch, visited.remaining)]
        if not batch.size:
            return
        visited.keep(batch, (yield batch))
        batch = batch[:0]


METHOD = Method(
    name="sobol",
    doc="The defaults, then a scrambled Sobol sequence snapped to the lattice, without repeats.",
    is_adaptive=False,
    start=_start,
)
