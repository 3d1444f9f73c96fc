"""CMA-ES on the unit cube, snapped to the lattice, with restarts of growing populations (Auger, Hansen 2005)."""

import numpy as np
from cmaes import CMA

from chandlery.optimize.methods.plan import Floats, Method, Plan, Search
from chandlery.optimize.methods.visited import Visited

_PATIENCE = 5
_LARGEST_POPULATION = 512
_WORST = 1e30
"""Stands for a candidate that is not ranked: the library minimises and computes with finite numbers."""


def _start(plan: Plan) -> Search:
    visited, draw = Visited(plan), np.random.default_rng(plan.seed)
    first = visited.default()
    if not first.size:
        first = visited.others(1, draw)
    if not first.size:
        return
    visited.keep(first, (yield first))
    centre, size = plan.space.units(first)[0], 4 + int(3 * np.log(max(1, plan.space.dimensions)))
    while visited.remaining:
        if plan.space.dimensions > 1:
            yield from _descend(plan, visited, centre, size=size, seed=int(draw.integers(2**31)))
        # New points even where a whole descent met only known ones: the search must end.
        start = visited.others(size, draw)
        if not start.size:
            return
        scores = yield start
        visited.keep(start, scores)
        centre, size = plan.space.units(start[[np.argmax(scores[:, 0])]])[0], min(2 * size, _LARGEST_POPULATION)


def _descend(plan: Plan, visited: Visited, centre: Floats, *, size: int, seed: int) -> Search:
    bounds = np.tile([0.0, 1.0], (plan.space.dimensions, 1))
    optimizer = CMA(mean=centre, sigma=0.3, bounds=bounds, seed=seed, population_size=size)
    stale = 0
    while visited.remaining and stale < _PATIENCE and not optimizer.should_stop():
        asked = np.stack([optimizer.ask() for _ in range(size)])
        numbers = plan.space.snap(asked)
        if (fresh := visited.fresh(numbers)).size:
            visited.keep(fresh, (yield fresh))
        stale = 0 if fresh.size > 0.1 * size else stale + 1
        score = visited.scores_of(numbers)[:, 0]
        costs = np.where(np.isfinite(score), -score, _WORST)
        optimizer.tell([(place, float(cost)) for place, cost in zip(asked, costs, strict=True)])


METHOD = Method(
    name="cmaes",
    doc="CMA-ES from the defaults, with restarts of growing populations; first objective only.",
    is_adaptive=True,
    start=_start,
)
