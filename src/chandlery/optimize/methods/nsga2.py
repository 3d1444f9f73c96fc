"""NSGA-II on the lattice (Deb, Pratap, Agarwal, Meyarivan 2002): a population spread along the Pareto front."""

import numpy as np

from chandlery.optimize.methods.plan import Floats, Method, Numbers, Plan, Search
from chandlery.optimize.methods.sobol import SobolPoints
from chandlery.optimize.methods.visited import Visited
from chandlery.optimize.pareto import crowding, front_ranks

_WORST = -1e30
"""Stands for minus infinity, with which distances cannot be computed."""


def _start(plan: Plan) -> Search:
    visited, draw = Visited(plan), np.random.default_rng(plan.seed)
    points, size = SobolPoints(plan, draw), _population_size(plan)
    first = visited.default()
    more = points.take(2 * size, visited)
    numbers = np.concatenate([first, more[~np.isin(more, first)]])[: visited.remaining]
    if not numbers.size:
        return
    scores = yield numbers
    visited.keep(numbers, scores)
    while visited.remaining:
        numbers, scores = _survivors(numbers, scores, size)
        children = visited.fresh(_children(plan, numbers, draw))[:size]
        # Few children are new when the population has converged: half of the rest is drawn anew.
        missing = size - children.size
        drawn = points.take((missing + 1) // 2, visited)
        children = np.concatenate([children, drawn[~np.isin(drawn, children)]])[: visited.remaining]
        if not children.size:
            return
        found = yield children
        visited.keep(children, found)
        numbers, scores = np.concatenate([numbers, children]), np.concatenate([scores, found])


def _population_size(plan: Plan) -> int:
    return int(np.clip(plan.budget // 20, 8, 100))


def _survivors(numbers: Numbers, scores: Floats, size: int) -> tuple[Numbers, Floats]:
    """Return the best `size` members, the best first: by front, then by crowding distance."""
    finite = np.maximum(scores, _WORST)
    ranks = front_ranks(finite)
    order = np.lexsort((numbers, -crowding(finite, ranks), ranks))[:size]
    return numbers[order], scores[order]


def _children(plan: Plan, numbers: Numbers, draw: np.random.Generator) -> Numbers:
    """Return twice as many children as members: binary tournaments, uniform crossover, steps of all lengths."""
    at, shape = plan.space.coordinates(numbers), np.array(plan.space.shape)
    count, dimensions = 2 * numbers.size, plan.space.dimensions
    # Members stand in their order: the lower position wins a tournament.
    mothers, fathers = (draw.integers(0, numbers.size, (2, count)).min(axis=0) for _ in range(2))
    genes = np.where(draw.random((count, dimensions)) < 0.5, at[mothers], at[fathers])
    if not dimensions:
        return plan.space.numbers(genes)
    is_mutated = draw.random((count, dimensions)) < 1.0 / dimensions
    reach = np.maximum(1.0, shape * 0.5 ** draw.uniform(1.0, 8.0, (count, dimensions)))
    steps = np.rint(draw.uniform(-1.0, 1.0, (count, dimensions)) * reach).astype(np.int64)
    return plan.space.numbers(np.where(is_mutated, genes + steps, genes))


METHOD = Method(
    name="nsga2",
    doc="NSGA-II from the defaults and a Sobol start: spreads over the Pareto front of several objectives.",
    is_adaptive=True,
    start=_start,
)
