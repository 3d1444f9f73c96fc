"""Trials as Optuna's tables hold them, and the way through Optuna itself where the tables are another version's."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.distributions import distribution_to_json
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from chandlery.optimize.batches import STATES, State
from chandlery.optimize.record import open_storage, quiet_optuna
from chandlery.optimize.space import Space

NUMBER_KEY = "number"
"""User attribute of a trial: the number of its lattice point."""

_TRIAL_STATES = {
    State.COMPLETE: TrialState.COMPLETE,
    State.PRUNED: TrialState.PRUNED,
    State.FAILED: TrialState.FAIL,
}


def distribution_texts(space: Space) -> dict[str, str]:
    """Return Optuna's JSON of every parameter's distribution, in the order of the parameters."""
    return {name: distribution_to_json(distribution) for name, distribution in space.distributions().items()}


def state_names(states: NDArray[np.uint8]) -> NDArray[np.str_]:
    """Return codes of `STATES` as the names Optuna stores."""
    names = np.array([_TRIAL_STATES[state].name for state in STATES])
    found: NDArray[np.str_] = names[states]
    return found


def make_tables(url: str) -> None:
    """Have Optuna create its tables at a database URL, or complain that they are another version's."""
    with quiet_optuna(), open_storage(url):
        return


def add_trials_slowly(
    url: str,
    name: str,
    *,
    attributes: Mapping[str, Any],
    space: Space,
    numbers: NDArray[np.int64],
    scores: NDArray[np.float64],
) -> int:
    """Add completed trials through Optuna's own storage, 25 to 50 a second; return how many it did not have yet.

    `scores` `[n, objectives]`, without NaN. Every objective is maximised.
    """
    with quiet_optuna(), open_storage(url) as storage:
        directions = [StudyDirection.MAXIMIZE] * scores.shape[1]
        study = optuna.create_study(storage=storage, study_name=name, directions=directions, load_if_exists=True)
        for key, value in attributes.items():
            study.set_user_attr(key, value)
        known = {trial.user_attrs.get(NUMBER_KEY) for trial in study.get_trials(deepcopy=False)}
        pairs = zip(numbers.tolist(), scores.tolist(), strict=True)
        missing = [_trial(space, number, values) for number, values in pairs if number not in known]
        study.add_trials(missing)
    return len(missing)


def _trial(space: Space, number: int, values: list[float]) -> FrozenTrial:
    return create_trial(
        params=space.values_at(number),
        distributions=space.distributions(),
        values=values,
        user_attrs={NUMBER_KEY: number},
    )
