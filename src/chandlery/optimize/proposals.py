"""Proposals: which lattice points to evaluate next, by policy.

A lattice whose feasible points fit the budget is walked in full, in order: its optimum is certain. A larger one
is sampled with Optuna's TPE in memory. Every batch starts a sampler of its own, seeded by the seed of the study
and the number of the batch, over the trials before it: so a batch can be asked again after an interruption and
answers the same points.
"""

from dataclasses import dataclass

import numpy as np
import optuna
from numpy.typing import NDArray

from chandlery.optimize.record import finished_trials
from chandlery.optimize.space import Space

BATCH = 20
"""Points proposed and evaluated together."""

_STARTUP = 40
"""Points drawn at random before the sampler models anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a study walks its lattice: `method` is `exhaustive` or `tpe`, `points` all points in the first case."""

    space: Space
    method: str
    total: int
    seed: int
    points: NDArray[np.int64] | None


def make_plan(space: Space, *, trials: int, seed: int) -> Plan:
    """Return the plan for a budget of `trials` evaluations."""
    points = space.feasible(limit=trials)
    if points is not None:
        return Plan(space=space, method="exhaustive", total=int(points.size), seed=seed, points=points)
    return Plan(space=space, method="tpe", total=trials, seed=seed, points=None)


def propose(plan: Plan, numbers: list[int], score: NDArray[np.float64]) -> list[int]:
    """Return the lattice points of the batch that follows the evaluated ones, which are whole batches."""
    count = min(BATCH, plan.total - len(numbers))
    if plan.points is not None:
        return [int(number) for number in plan.points[len(numbers) : len(numbers) + count]]
    return _sample(plan, numbers, score, count)


def _sample(plan: Plan, numbers: list[int], score: NDArray[np.float64], count: int) -> list[int]:
    space, seed = plan.space, _batch_seed(plan.seed, len(numbers) // BATCH)
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=_STARTUP)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.add_trials(finished_trials(space, numbers, score))
    taken, batch = set(numbers), []
    for position in range(count):
        if not numbers and position == 0:
            wanted = space.number_of(space.strategy.defaults)
        else:
            wanted = space.number_of(study.ask(space.distributions()).params)
        chosen = space.nearby(wanted, taken=taken, seed=_batch_seed(seed, position))
        taken.add(chosen)
        batch.append(chosen)
    return batch


def _batch_seed(seed: int, number: int) -> int:
    return int(np.random.SeedSequence((seed, number)).generate_state(1)[0])
