"""Optuna and Dagster beside us: three owners of an `alembic_version`, each in its schema."""

import warnings
from collections.abc import Callable
from typing import Any

import optuna
import pytest
from optuna.storages import RDBStorage

from chandlery.optimize.record import open_storage, quiet_optuna
from chandlery.store.migrate import migrate
from chandlery.store.version import SCHEMA_REVISION
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]


def optuna_url(warehouse: Warehouse) -> str:
    return warehouse.url("pipeline", driver="psycopg", schema="optuna")


def run_a_study(warehouse: Warehouse) -> int:
    with quiet_optuna(), open_storage(optuna_url(warehouse)) as storage:
        assert isinstance(storage, RDBStorage)
        study = optuna.create_study(storage=storage, study_name="beside", load_if_exists=True)
        study.add_trial(optuna.trial.create_trial(value=1.0))
        return len(study.trials)


def open_dagster_storages(warehouse: Warehouse) -> tuple[int, list[Any]]:
    """Construct Dagster's three storages as `deploy/dagster.yaml` does; return (runs, tags of one instigator)."""
    with warnings.catch_warnings():
        # Seen 2026-11, dagster 1.13.27: what it imports warns about itself.
        warnings.simplefilter("ignore")
        from dagster_postgres import PostgresEventLogStorage, PostgresRunStorage, PostgresScheduleStorage

        url = warehouse.url("pipeline", driver="psycopg2", schema="dagster")
        runs = PostgresRunStorage(url)
        events = PostgresEventLogStorage(url)
        schedules = PostgresScheduleStorage(url)
        try:
            return runs.get_runs_count(), list(events.all_asset_keys()) + list(schedules.all_instigator_state())
        finally:
            schedules.dispose()
            events.dispose()
            runs.dispose()


def version_tables(ask: Ask, warehouse: Warehouse) -> set[str]:
    query = "select schemaname from pg_tables where tablename = 'alembic_version'"
    return {schema for (schema,) in ask(warehouse, query)}


@pytest.fixture(scope="module")
def shared(warehouse: Warehouse) -> Warehouse:
    """A database in which all three have made their tables."""
    run_a_study(warehouse)
    open_dagster_storages(warehouse)
    return warehouse


def test_each_owner_keeps_its_version_in_its_own_schema(shared: Warehouse, ask: Ask) -> None:
    assert version_tables(ask, shared) == {"ops", "optuna", "dagster"}
    versions = {
        ask(shared, f"select version_num from {schema}.alembic_version")[0][0]
        for schema in ("ops", "optuna", "dagster")
    }
    assert len(versions) == 3
    assert SCHEMA_REVISION in versions


def test_nobody_builds_in_public_or_in_our_schemas(shared: Warehouse, ask: Ask) -> None:
    query = (
        "select distinct schemaname from pg_tables where tableowner = 'chandlery_pipeline' "
        "union select 'public' from pg_tables where schemaname = 'public'"
    )
    assert {schema for (schema,) in ask(shared, query)} == {"optuna", "dagster"}


def test_all_three_go_on_after_a_migration(shared: Warehouse) -> None:
    before = run_a_study(shared)
    assert migrate(shared) == SCHEMA_REVISION
    assert run_a_study(shared) == before + 1
    assert open_dagster_storages(shared) == (0, [])
