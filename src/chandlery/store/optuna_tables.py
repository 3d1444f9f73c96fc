"""Optuna's own tables, filled in bulk: what Optuna writes trial by trial (25 to 50 a second), by COPY.

Written for one version of its tables; `foreign_tables` says what differs from it. Nothing here imports Optuna.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sqlalchemy import column, delete, select, table, text

from chandlery.store.copying import copy_texts
from chandlery.store.warehouse import Reader, Writer

SCHEMA_VERSION = 12
"""`version_info.schema_version` of Optuna 5.0, the version these statements were written for."""

ALEMBIC_VERSION = "v3.2.0.a"
"""Its last migration: Optuna changes tables by migrations and leaves `schema_version` as it is."""

_COLUMNS = {
    "studies": {"study_id", "study_name"},
    "study_directions": {"study_direction_id", "direction", "study_id", "objective"},
    "study_user_attributes": {"study_user_attribute_id", "study_id", "key", "value_json"},
    "trials": {"trial_id", "number", "study_id", "state", "datetime_start", "datetime_complete"},
    "trial_params": {"param_id", "trial_id", "param_name", "param_value", "distribution_json"},
    "trial_values": {"trial_value_id", "trial_id", "objective", "value", "value_type"},
    "trial_user_attributes": {"trial_user_attribute_id", "trial_id", "key", "value_json"},
}
_OF_TRIALS = (
    "trial_params",
    "trial_values",
    "trial_intermediate_values",
    "trial_user_attributes",
    "trial_system_attributes",
    "trial_heartbeats",
)
_OF_STUDIES = ("trials", "study_directions", "study_user_attributes", "study_system_attributes", "studies")
_NUMBER_KEY = "number"
MISSING = "has no tables yet"
"""What `foreign_tables` answers before Optuna made its tables."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TrialRows:
    """Finished trials of one Optuna study as its tables hold them; every objective is maximised.

    `attributes`: user attributes of the study, written when the first trials make it. `distributions`: JSON text by
    parameter, in the order of the columns of `internal` float64 `[n, parameters]` (Optuna's internal
    representation). `values` float64 `[n, objectives]`; NaN makes a trial fail. `states`: `COMPLETE`, `PRUNED`,
    `FAIL`. `numbers`: lattice numbers, kept as user attribute `number`.
    """

    study_name: str
    attributes: Mapping[str, Any]
    distributions: Mapping[str, str]
    internal: NDArray[np.float64]
    values: NDArray[np.float64]
    states: NDArray[np.str_]
    numbers: NDArray[np.int64]
    finished_at: datetime


def foreign_tables(connection: Reader | Writer) -> str | None:
    """Return None if Optuna's tables are those this code knows, else what it found instead."""
    query = text("select table_name, column_name from information_schema.columns where table_schema = 'optuna'")
    found: dict[str, set[str]] = {}
    for row in connection.execute(query):
        found.setdefault(row.table_name, set()).add(row.column_name)
    if not {"version_info", "alembic_version"} <= found.keys():
        return MISSING
    for name, columns in _COLUMNS.items():
        if found.get(name) != columns:
            return f"{name} has columns {', '.join(sorted(found.get(name, ())))}"
    version = connection.execute(text("select schema_version from optuna.version_info")).scalar()
    revision = connection.execute(text("select version_num from optuna.alembic_version")).scalar()
    if (version, revision) != (SCHEMA_VERSION, ALEMBIC_VERSION):
        return f"schema version {version} at revision {revision}"
    return None


def has_trials(connection: Reader | Writer, study_name: str) -> bool:
    """Return whether Optuna has a trial of a study."""
    query = text(
        "select exists (select from optuna.trials inner join optuna.studies using (study_id) where study_name = :name)"
    )
    return bool(connection.execute(query, {"name": study_name}).scalar_one())


def forget_trials(connection: Writer, study_name: str) -> None:
    """Remove a study from Optuna's tables inside the connection's transaction."""
    found = text("select study_id from optuna.studies where study_name = :name for update")
    study = connection.execute(found, {"name": study_name}).scalar()
    if study is None:
        return
    trials = table("trials", column("trial_id"), column("study_id"), schema="optuna")
    own = select(trials.c.trial_id).where(trials.c.study_id == study)
    for name in _OF_TRIALS:
        of_trial = table(name, column("trial_id"), schema="optuna")
        connection.execute(delete(of_trial).where(of_trial.c.trial_id.in_(own)))
    for name in _OF_STUDIES:
        of_study = table(name, column("study_id"), schema="optuna")
        connection.execute(delete(of_study).where(of_study.c.study_id == study))


def write_trials(connection: Writer, rows: TrialRows) -> int:
    """Append trials to a study, made if it is new, inside the connection's transaction; return their number.

    The study stays locked until the transaction ends, so numbers follow the order of commits.
    """
    study, first = _locked_study(connection, rows)
    count = rows.numbers.size
    if not count:
        return 0
    reserve = text("select nextval('optuna.trials_trial_id_seq') from generate_series(1, :count)")
    trials = np.array(connection.execute(reserve, {"count": count}).scalars().all(), dtype=np.int64)
    trials.sort()
    states = np.where((rows.states == "COMPLETE") & np.isnan(rows.values).any(axis=1), "FAIL", rows.states)
    _write_states(connection, rows, trials, states, study=study, first=first)
    _write_params(connection, rows, trials)
    _write_values(connection, rows, trials[states != "FAIL"], rows.values[states != "FAIL"])
    attributes = {"trial_id": trials, "key": [_NUMBER_KEY] * count, "value_json": rows.numbers.astype(np.str_).tolist()}
    copy_texts(connection, "optuna.trial_user_attributes", pl.DataFrame(attributes))
    return count


def _locked_study(connection: Writer, rows: TrialRows) -> tuple[int, int]:
    """Return the id of the study and the number of its next trial."""
    name = {"name": rows.study_name}
    insert = "insert into optuna.studies (study_name) values (:name) on conflict (study_name) do nothing"
    created = connection.execute(text(f"{insert} returning study_id"), name).scalar()
    if created is not None:
        return _described(connection, rows, int(created)), 0
    locked = text("select study_id from optuna.studies where study_name = :name for update")
    study: int = connection.execute(locked, name).scalar_one()
    highest = text("select coalesce(max(number) + 1, 0) from optuna.trials where study_id = :study")
    return study, int(connection.execute(highest, {"study": study}).scalar_one())


def _described(connection: Writer, rows: TrialRows, study: int) -> int:
    directions = text(
        "insert into optuna.study_directions (direction, study_id, objective) values ('MAXIMIZE', :study, :objective)"
    )
    connection.execute(directions, [{"study": study, "objective": place} for place in range(rows.values.shape[1])])
    attributes = text(
        "insert into optuna.study_user_attributes (study_id, key, value_json) values (:study, :key, :value)"
    )
    described = [{"study": study, "key": key, "value": json.dumps(value)} for key, value in rows.attributes.items()]
    if described:
        connection.execute(attributes, described)
    return study


def _write_states(
    connection: Writer,
    rows: TrialRows,
    trials: NDArray[np.int64],
    states: NDArray[np.str_],
    *,
    study: int,
    first: int,
) -> None:
    # Optuna keeps instants in UTC without saying so.
    instant = rows.finished_at.replace(tzinfo=None).isoformat(sep=" ")
    columns = {
        "trial_id": trials,
        "number": np.arange(first, first + trials.size),
        "study_id": np.full(trials.size, study),
        "state": states.tolist(),
        "datetime_start": [instant] * trials.size,
        "datetime_complete": [instant] * trials.size,
    }
    copy_texts(connection, "optuna.trials", pl.DataFrame(columns))


def _write_params(connection: Writer, rows: TrialRows, trials: NDArray[np.int64]) -> None:
    names = list(rows.distributions)
    if not names:
        return
    columns = {
        # Trial by trial: the index on (trial_id, param_name) then grows at its end.
        "trial_id": np.repeat(trials, len(names)),
        "param_name": names * trials.size,
        "param_value": rows.internal.ravel(),
        "distribution_json": list(rows.distributions.values()) * trials.size,
    }
    copy_texts(connection, "optuna.trial_params", pl.DataFrame(columns))


def _write_values(connection: Writer, rows: TrialRows, trials: NDArray[np.int64], values: NDArray[np.float64]) -> None:
    objectives = rows.values.shape[1]
    flat = values.ravel()
    kinds = np.select([flat == np.inf, flat == -np.inf], ["INF_POS", "INF_NEG"], "FINITE")
    columns = {
        "trial_id": np.repeat(trials, objectives),
        "objective": np.tile(np.arange(objectives), trials.size),
        "value": pl.Series(np.where(np.isfinite(flat), flat, np.nan)).fill_nan(None),
        "value_type": kinds.tolist(),
    }
    # A pruned trial may have no figure; Optuna has no value of kind NaN.
    frame = pl.DataFrame(columns).filter(~pl.Series(np.isnan(flat)))
    copy_texts(connection, "optuna.trial_values", frame)
