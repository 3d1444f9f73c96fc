"""Trials stored in bulk are trials of Optuna: whatever it offers works on them, and it goes on from them."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import numpy as np
import optuna
import pytest
from kept_study import NAMES, space
from numpy.testing import assert_array_equal
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import TrialState, create_trial

from chandlery.optimize.record import open_storage, quiet_optuna
from chandlery.optimize.trial_rows import distribution_texts, make_tables
from chandlery.store.optuna_tables import (
    MISSING,
    TrialRows,
    foreign_tables,
    forget_trials,
    has_trials,
    write_trials,
)
from chandlery.store.warehouse import Warehouse, Writer

Ask = Callable[..., list[tuple[Any, ...]]]

NOW = datetime(2026, 11, 21, 12, 30, 15, 250_000, tzinfo=UTC)
SPACE = space()


def url_of(warehouse: Warehouse) -> str:
    return warehouse.url("pipeline", driver="psycopg", schema="optuna")


def rows(name: str, values: Any, *, states: list[str] | None = None, first: int = 0, step: int = 101) -> TrialRows:
    """Return trials at every `step`th lattice point."""
    columns = np.asarray(values, dtype=np.float64)
    columns = columns.reshape(len(columns), -1)
    numbers = np.arange(first, first + len(columns), dtype=np.int64) * step
    return TrialRows(
        study_name=name,
        attributes={"chandlery": {"seed": 7}},
        distributions=distribution_texts(SPACE),
        internal=SPACE.rows(numbers),
        values=columns,
        states=np.array(states or ["COMPLETE"] * len(columns)),
        numbers=numbers,
        finished_at=NOW,
    )


def write(warehouse: Warehouse, *given: TrialRows) -> None:
    for one in given:
        with warehouse.write() as connection:
            assert write_trials(connection, one) == one.numbers.size


@contextmanager
def loaded(warehouse: Warehouse, name: str, **changes: Any) -> Iterator[optuna.Study]:
    with quiet_optuna(), open_storage(url_of(warehouse)) as storage:
        yield optuna.load_study(study_name=name, storage=storage, **changes)


class Undone(Exception):
    """Ends a transaction that is to leave nothing."""


@contextmanager
def undone(warehouse: Warehouse) -> Iterator[Writer]:
    with suppress(Undone), warehouse.write("owner") as connection:
        yield connection
        raise Undone


@pytest.fixture(scope="module")
def tables(warehouse: Warehouse) -> Warehouse:
    """The module's database with Optuna's tables, made by Optuna."""
    with warehouse.read() as connection:
        assert foreign_tables(connection) == MISSING
    make_tables(url_of(warehouse))
    return warehouse


def test_installed_optuna_makes_the_tables_we_know(tables: Warehouse) -> None:
    with tables.read() as connection:
        assert foreign_tables(connection) is None


def test_bulk_and_optuna_store_the_same_trials(tables: Warehouse) -> None:
    values = [0.5, float("inf"), float("-inf"), 0.1 + 0.2, -1e-300]
    bulk = rows("bulk", values)
    write(tables, bulk)
    with quiet_optuna(), open_storage(url_of(tables)) as storage:
        own = optuna.create_study(study_name="own", storage=storage, direction="maximize")
        own.add_trials(
            [
                create_trial(
                    params=SPACE.values_at(int(number)),
                    distributions=SPACE.distributions(),
                    value=value,
                    user_attrs={"number": int(number)},
                )
                for number, value in zip(bulk.numbers, values, strict=True)
            ]
        )
        expected, found = own.trials, optuna.load_study(study_name="bulk", storage=storage).trials
    for name in ("number", "state", "values", "params", "distributions", "user_attrs", "system_attrs"):
        assert [getattr(one, name) for one in found] == [getattr(one, name) for one in expected], name
    assert {(one.datetime_start, one.datetime_complete) for one in found} == {(NOW.replace(tzinfo=None),) * 2}


def test_study_carries_direction_and_attributes(tables: Warehouse) -> None:
    write(tables, rows("attributes", [1.0]))
    with loaded(tables, "attributes") as study:
        assert study.direction == optuna.study.StudyDirection.MAXIMIZE
        assert study.user_attrs == {"chandlery": {"seed": 7}}


def test_batches_number_on_and_the_best_is_found_among_all(tables: Warehouse) -> None:
    write(tables, rows("on", [1.0, 3.0]), rows("between", [9.0]), rows("on", [4.0, 2.0], first=2))
    with loaded(tables, "on") as study:
        assert [(trial.number, trial.value) for trial in study.trials] == [(0, 1.0), (1, 3.0), (2, 4.0), (3, 2.0)]
        assert (study.best_trial.number, study.best_value) == (2, 4.0)
        assert study.best_params == SPACE.values_at(202)


def test_failed_and_pruned_trials_keep_their_state_and_are_never_best(tables: Warehouse) -> None:
    nan = float("nan")
    states = ["FAIL", "PRUNED", "COMPLETE", "COMPLETE", "PRUNED"]
    write(tables, rows("states", [nan, 9.0, nan, 1.0, nan], states=states))
    with loaded(tables, "states") as study:
        kinds = [trial.state for trial in study.trials]
        assert kinds == [TrialState.FAIL, TrialState.PRUNED, TrialState.FAIL, TrialState.COMPLETE, TrialState.PRUNED]
        assert [trial.values for trial in study.trials] == [None, [9.0], None, [1.0], None]
        assert study.best_trial.number == 3


def test_front_of_several_objectives_is_found(tables: Warehouse) -> None:
    write(tables, rows("front", [[1.0, 5.0], [2.0, 4.0], [1.5, 3.0], [3.0, 1.0]]))
    with loaded(tables, "front") as study:
        assert len(study.directions) == 2
        assert sorted(trial.number for trial in study.best_trials) == [0, 1, 3]


def test_importances_find_the_parameter_that_matters(tables: Warehouse) -> None:
    draw = np.random.default_rng(1)
    numbers = draw.choice(SPACE.size, 400, replace=False)
    internal = SPACE.rows(numbers)
    given = rows("importances", internal[:, 1] + 1e-3 * draw.normal(size=400))
    write(
        tables,
        TrialRows(
            study_name=given.study_name,
            attributes={},
            distributions=given.distributions,
            internal=internal,
            values=given.values,
            states=given.states,
            numbers=numbers,
            finished_at=NOW,
        ),
    )
    with loaded(tables, "importances") as study:
        found = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())
    assert next(iter(found)) == NAMES[1]
    assert found[NAMES[1]] > 0.9


def test_frame_of_trials_has_a_row_and_a_column_for_each(tables: Warehouse) -> None:
    pytest.importorskip("pandas")
    given = rows("frame", [1.0, 2.0, 3.0])
    write(tables, given)
    with loaded(tables, "frame") as study:
        frame = study.trials_dataframe()
    assert_array_equal(frame[[f"params_{name}" for name in NAMES]].to_numpy(dtype=float), given.internal)
    assert frame["user_attrs_number"].tolist() == given.numbers.tolist()
    assert frame["value"].tolist() == [1.0, 2.0, 3.0]


def test_optuna_goes_on_where_the_bulk_ended(tables: Warehouse) -> None:
    write(tables, rows("goes on", np.linspace(0.0, 1.0, 20)))
    with loaded(tables, "goes on", sampler=optuna.samplers.TPESampler(seed=1)) as study:
        trial = study.ask(SPACE.distributions())
        study.tell(trial, 5.0)
        assert (trial.number, study.best_trial.number) == (20, 20)
        study.add_trial(create_trial(value=6.0))
    write(tables, rows("goes on", [7.0], first=30))
    with loaded(tables, "goes on") as study:
        assert [trial.number for trial in study.trials[-3:]] == [20, 21, 22]
        assert study.best_value == 7.0


def test_nothing_is_written_if_the_transaction_fails(tables: Warehouse) -> None:
    with undone(tables) as connection:
        write_trials(connection, rows("nothing", [1.0]))
    with tables.read() as connection:
        assert not has_trials(connection, "nothing")
    with pytest.raises(KeyError), loaded(tables, "nothing"):
        pass


def test_forgotten_study_leaves_no_row_behind(tables: Warehouse, ask: Ask) -> None:
    def sizes() -> dict[str, int]:
        names = [name for (name,) in ask(tables, "select tablename from pg_tables where schemaname = 'optuna'")]
        return {name: ask(tables, f"select count(*) from optuna.{name}")[0][0] for name in names}

    before = sizes()
    write(tables, rows("gone", [1.0, 2.0]))
    with loaded(tables, "gone") as study:
        study.set_user_attr("x", 1)
        study.tell(study.ask(), 1.0)
    assert sizes() != before
    for _ in range(2):
        with tables.write() as connection:
            forget_trials(connection, "gone")
    assert sizes() == before


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("alter table optuna.trials add column cost float", "trials has columns cost, datetime_complete"),
        ("alter table optuna.trial_values rename to trial_figures", "trial_values has columns "),
        ("update optuna.version_info set schema_version = 13", "schema version 13 at revision v3.2.0.a"),
        ("update optuna.alembic_version set version_num = 'v6.0.0.a'", "schema version 12 at revision v6.0.0.a"),
    ],
)
def test_tables_of_another_version_are_recognised(tables: Warehouse, change: str, found: str) -> None:
    with undone(tables) as connection:
        connection.exec_driver_sql(change)
        assert str(foreign_tables(connection)).startswith(found)


def test_distributions_are_read_back_by_optuna() -> None:
    texts = distribution_texts(SPACE)
    assert list(texts) == NAMES
    assert {name: optuna.distributions.json_to_distribution(text) for name, text in texts.items()} == (
        SPACE.distributions()
    )
    assert json.loads(texts["length"])["name"] == "IntDistribution"
