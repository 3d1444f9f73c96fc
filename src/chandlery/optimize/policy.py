"""The policy: which method suits a question."""

import math
import time
from collections.abc import Callable

import numpy as np

from chandlery.optimize.methods.plan import Numbers, Plan
from chandlery.optimize.methods.visited import Visited
from chandlery.optimize.space import Space

WALKED_UP_TO = 200_000
"""Points within the constraints that are walked in full if the budget allows."""

DEAR_SECONDS = 5e-3
"""From here on an evaluation costs as much as asking a model for it: TPE takes 5 to 20 ms a candidate (2026-11).

Below it evolution sees several candidates for each that TPE asks for, and is ahead at equal wall time."""

_PILOT = 64
_PILOT_SECONDS = 0.25


def choose_method(space: Space, *, budget: int, objectives: int, seconds_per_evaluation: Callable[[], float]) -> str:
    """Return the name of the method for a question; `seconds_per_evaluation` is asked only where it matters.

    A space that fits the budget is walked. Of larger ones, several objectives are searched by NSGA-II; dear
    evaluations by Optuna's TPE, cheap ones by differential evolution.
    """
    if space.feasible(limit=min(WALKED_UP_TO, budget)) is not None:
        return "exhaustive"
    if objectives > 1:
        return "nsga2"
    return "tpe" if seconds_per_evaluation() >= DEAR_SECONDS else "de"


def measured_cost(space: Space, evaluate: Callable[[Numbers], object], *, seed: int) -> float:
    """Return seconds per evaluation in a pilot of up to 64 candidates, fewer where they turn out to be slow.

    The first may load the engine and is not counted. Of rounds of growing size the cheapest counts: other work on
    the machine only ever slows a round down.
    """
    plan = Plan(space=space, budget=_PILOT, seed=seed)
    numbers = Visited(plan).others(_PILOT, np.random.default_rng(seed))
    evaluate(numbers[:1])
    tried, spent, count, cheapest = 0, 0.0, 1, math.inf
    while tried < numbers.size and spent < _PILOT_SECONDS:
        started, batch = time.perf_counter(), numbers[tried : tried + count]
        evaluate(batch)
        took = time.perf_counter() - started
        cheapest, spent = min(cheapest, took / batch.size), spent + took
        tried, count = tried + batch.size, 4 * count
    return cheapest
