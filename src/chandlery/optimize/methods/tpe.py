"""Optuna's tree-structured Parzen estimator, asked in batches: for evaluations that cost more than the asking."""

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState, create_trial

from chandlery.optimize.methods.plan import Floats, Method, Numbers, Plan, Search
from chandlery.optimize.methods.visited import Visited
from chandlery.optimize.record import quiet_optuna
from chandlery.optimize.space import Space

BATCH = 16
"""Points asked for together: four for each of four workers."""

_STARTUP = 40
"""Points drawn at random before the sampler models anything."""

_WORST = -1e9
"""Stands for minus infinity where Optuna measures volumes."""


def _start(plan: Plan) -> Search:
    visited, draw = Visited(plan), np.random.default_rng(plan.seed)
    with quiet_optuna():
        study = optuna.create_study(directions=["maximize"] * plan.objectives)
    batch = visited.default()
    number = 0
    while visited.remaining:
        wanted = min(BATCH, visited.remaining)
        batch = _fill(batch, _asked(plan, study, wanted - batch.size, number=number), wanted, visited, draw)
        if not batch.size:
            return
        scores = yield batch
        visited.keep(batch, scores)
        with quiet_optuna():
            study.add_trials(_finished(plan.space, batch, scores))
        batch, number = batch[:0], number + 1


def _asked(plan: Plan, study: optuna.Study, count: int, *, number: int) -> Numbers:
    """Return the points a sampler proposes that is seeded for this batch; what it asked leaves no trace."""
    seed = int(np.random.SeedSequence((plan.seed, number)).generate_state(1)[0])
    with quiet_optuna():
        # Several objectives: their sampler has no constant liar, and warns of it being experimental here.
        study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=_STARTUP, constant_liar=True)
        trials = [study.ask(plan.space.distributions()) for _ in range(count)]
        for trial in trials:
            study.tell(trial, state=TrialState.FAIL)
    return np.array([plan.space.number_of(trial.params) for trial in trials], dtype=np.int64)


def _fill(batch: Numbers, asked: Numbers, wanted: int, visited: Visited, draw: np.random.Generator) -> Numbers:
    """Return a batch of `wanted` points: the new ones of those asked, the rest drawn."""
    fresh = visited.fresh(asked)
    batch = np.concatenate([batch, fresh[~np.isin(fresh, batch)]])
    if batch.size < wanted:
        others = visited.others(wanted, draw)
        batch = np.concatenate([batch, others[~np.isin(others, batch)]])
    return batch[:wanted]


def _finished(space: Space, numbers: Numbers, scores: Floats) -> list[FrozenTrial]:
    distributions = space.distributions()
    values = scores if scores.shape[1] == 1 else np.maximum(scores, _WORST)
    return [
        create_trial(params=space.values_at(number), distributions=distributions, values=row)
        for number, row in zip(numbers.tolist(), values.tolist(), strict=True)
    ]


METHOD = Method(
    name="tpe",
    doc="Optuna's TPE from the defaults, asked in batches of 16 with the constant liar.",
    is_adaptive=True,
    start=_start,
)
