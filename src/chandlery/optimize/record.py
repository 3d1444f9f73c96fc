"""Optuna as the record: its storages, and finished trials written the ordinary way."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import optuna
from optuna.storages import BaseStorage, InMemoryStorage, RDBStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from chandlery.optimize.batches import STATES, Batch, State
from chandlery.optimize.space import Space

FACTS_KEY = "chandlery"
"""User attribute of an Optuna study that holds the facts of its question."""

_TRIAL_STATES = {
    State.COMPLETE: TrialState.COMPLETE,
    State.PRUNED: TrialState.PRUNED,
    State.FAILED: TrialState.FAIL,
}


@contextmanager
def open_storage(url: str | None) -> Iterator[BaseStorage]:
    """Yield the storage at a database URL, or one in memory; its connections are closed afterwards."""
    if url is None:
        yield InMemoryStorage()
        return
    storage = RDBStorage(url)
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """Silence Optuna's line per study and trial; failures still speak."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def store_trials(
    storage: BaseStorage, study_name: str, space: Space, batches: Sequence[Batch], *, facts: Mapping[str, Any]
) -> int:
    """Write the candidates of batches as finished trials of an Optuna study, made if it is new.

    Trials that are there already (as many as the study has, in the order of evaluation) are left out. Returns how
    many were written; at 20 to 40 ms a trial on PostgreSQL.
    """
    objectives = batches[0].scores.shape[1] if batches else 1
    with quiet_optuna():
        study = optuna.create_study(
            storage=storage, study_name=study_name, directions=["maximize"] * objectives, load_if_exists=True
        )
        if FACTS_KEY not in study.user_attrs:
            study.set_user_attr(FACTS_KEY, dict(facts))
        trials = [trial for batch in batches for trial in finished_trials(space, batch)]
        missing = trials[len(study.get_trials(deepcopy=False)) :]
        study.add_trials(missing)
    return len(missing)


def finished_trials(space: Space, batch: Batch) -> list[FrozenTrial]:
    """Return the candidates of a batch as finished trials; a failed or pruned one carries its reason."""
    distributions = space.distributions()
    trials = []
    for at, (number, code) in enumerate(zip(batch.numbers.tolist(), batch.states.tolist(), strict=True)):
        state = STATES[code]
        trials.append(
            create_trial(
                state=_TRIAL_STATES[state],
                params=space.values_at(number),
                distributions=distributions,
                values=batch.scores[at].tolist() if state is State.COMPLETE else None,
                user_attrs={"reason": batch.reasons[at]} if at in batch.reasons else {},
            )
        )
    return trials
