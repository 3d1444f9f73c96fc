"""Uniform draws without repeats."""

import numpy as np

from chandlery.optimize.methods.plan import Method, Plan, Search
from chandlery.optimize.methods.visited import Visited


def _start(plan: Plan) -> Search:
    visited, draw = Visited(plan), np.random.default_rng(plan.seed)
    batch = visited.default()
    while visited.remaining:
        batch = np.concatenate([batch, np.setdiff1d(visited.others(plan.batch, draw), batch)])
        batch = batch[: min(plan.batch, visited.remaining)]
        if not batch.size:
            return
        visited.keep(batch, (yield batch))
        batch = batch[:0]


METHOD = Method(name="random", doc="The defaults, then uniform draws without repeats.", is_adaptive=False, start=_start)
