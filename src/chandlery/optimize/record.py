"""The record: studies as Optuna stores them, and what identifies one."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.storages import BaseStorage, InMemoryStorage, RDBStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from chandlery.errors import ResearchError
from chandlery.optimize.space import Space

_IDENTITY = "chandlery"


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


def open_study(storage: BaseStorage, name: str, identity: dict[str, Any]) -> optuna.Study:
    """Return the stored study called `name`, created if it is new.

    Raises:
        ResearchError: if a study of that name exists and answers another question.
    """
    study = optuna.create_study(storage=storage, study_name=name, direction="maximize", load_if_exists=True)
    known = study.user_attrs.get(_IDENTITY)
    if known is None and not study.get_trials(deepcopy=False):
        study.set_user_attr(_IDENTITY, identity)
    elif known != identity:
        differing = [key for key in identity if known is None or known.get(key) != identity[key]]
        raise ResearchError(
            f"Study {name!r} exists and was run with another {', '.join(differing)}; choose another study name, "
            "or delete the study."
        )
    return study


def stored_numbers(study: optuna.Study, space: Space) -> list[int]:
    """Return the lattice points of the finished trials of a study, in the order of the trials."""
    trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return [space.number_of(trial.params) for trial in trials]


def finished_trials(space: Space, numbers: Sequence[int], score: NDArray[np.float64]) -> list[FrozenTrial]:
    """Return lattice points and their scores as finished trials."""
    distributions = space.distributions()
    return [
        create_trial(params=space.values_at(number), distributions=distributions, value=float(value))
        for number, value in zip(numbers, score.tolist(), strict=True)
    ]
