"""Studies in Dagster: requests become runs of their partitions, by priority; lost ones run again; runs are checked."""

import warnings
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest

from chandlery.market.calendar import sessions
from chandlery.market.symbols import AssetClass
from chandlery.settings import Settings
from chandlery.steps.study_jobs import cancel_study, submit_study
from chandlery.steps.study_request import StudyRequest
from chandlery.store.jobs import Job, JobState, find_job, list_jobs
from chandlery.store.universe import register_instrument
from chandlery.strategies import all_strategies

REQUEST = StudyRequest(strategy="sma_cross", symbol="AAA", trials=20, fee_bps=5.0)


@pytest.fixture(scope="module")
def priced(warehouse: Any) -> Any:
    """A database with two years of day prices of one stock."""
    with warehouse.write() as connection:
        register_instrument(
            connection, symbol="AAA", asset_class=AssetClass.STOCKS, calendar="NYSE", name=None, source="made"
        )
        connection.exec_driver_sql(
            "create table marts.prices_daily (symbol text, session date, ts timestamptz, open float8, high float8, "
            "low float8, close float8, volume float8, source text)"
        )
        days = sessions("NYSE", date(2022, 1, 3), date(2024, 1, 1))
        closes = 50.0 * np.exp(np.cumsum(np.random.default_rng(5).normal(0.0005, 0.012, days.height)))
        rows = [
            ("AAA", day, ts, close, close * 1.01, close * 0.99, close, 1000.0, "made")
            for day, ts, close in zip(days["session"], days["day_ts"], closes.tolist(), strict=True)
        ]
        connection.exec_driver_sql("insert into marts.prices_daily values (%s, %s, %s, %s, %s, %s, %s, %s, %s)", rows)
    return warehouse


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.model_validate({"home": str(tmp_path), "optimize": {"trials": 20, "symbols": ["AAA", "BBB"]}})


@pytest.fixture
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("dagster"))) as made:
        yield made


def submit(warehouse: Any, request: StudyRequest = REQUEST, priority: int = 5) -> Job:
    return submit_study(warehouse, request, created_by="tester", priority=priority)


def tick(location: dg.Definitions, instance: dg.DagsterInstance, settings: Settings, warehouse: Any) -> Any:
    sensor = location.get_repository_def().get_sensor_def("study_requests")
    with dg.build_sensor_context(instance=instance) as context:
        return sensor(context, settings=settings, warehouse=warehouse)


def run(instance: dg.DagsterInstance, settings: Settings, warehouse: Any, key: Any, **tags: str) -> Any:
    from orchestration.assets.research import studies

    instance.add_dynamic_partitions("universe", ["AAA"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dg.materialize(
            [studies],
            partition_key=key,
            instance=instance,
            tags=tags,
            resources={"settings": settings, "warehouse": warehouse},
            raise_on_error=False,
        )


def test_requests_become_runs_by_priority_as_far_as_the_pool_goes(
    location: dg.Definitions, instance: dg.DagsterInstance, settings: Settings, fresh: Any
) -> None:
    jobs = [submit(fresh, replace(REQUEST, seed=seed), priority=5) for seed in range(3)]
    hourly = submit(fresh, replace(REQUEST, timeframe="1h"), priority=9)
    asked = tick(location, instance, settings, fresh)
    assert [request.tags["chandlery/job_id"] for request in asked.run_requests] == [
        hourly.job_id,
        jobs[0].job_id,
        jobs[1].job_id,
    ]
    assert [request.partition_key for request in asked.run_requests] == [
        "sma_cross|AAA@1h",
        "sma_cross|AAA",
        "sma_cross|AAA",
    ]
    assert [request.tags["dagster/priority"] for request in asked.run_requests] == ["9", "5", "5"]
    assert asked.dynamic_partitions_requests[0].partition_keys == ["AAA", "AAA@1h"]
    # The pool is full: the last one waits.
    assert isinstance(tick(location, instance, settings, fresh), dg.SkipReason)
    assert find_job(fresh, jobs[2].job_id).state is JobState.QUEUED


def test_lost_run_is_asked_for_again_under_another_key(
    location: dg.Definitions, instance: dg.DagsterInstance, settings: Settings, fresh: Any, tell: Any
) -> None:
    job = submit(fresh)
    (first,) = tick(location, instance, settings, fresh).run_requests
    tell(fresh, "update ops.jobs set state = 'running', run_id = 'r', heartbeat_at = now() - interval '61 s'")
    (second,) = tick(location, instance, settings, fresh).run_requests
    assert (second.tags["chandlery/job_id"], second.tags["chandlery/attempt"]) == (job.job_id, "2")
    assert first.run_key != second.run_key


def test_pool_has_as_many_places_as_the_settings_say(
    location: dg.Definitions, instance: dg.DagsterInstance, settings: Settings, fresh: Any
) -> None:
    tick(location, instance, settings, fresh)
    limits = {pool.name: pool.limit for pool in instance.event_log_storage.get_pool_limits()}
    assert limits["optimization"] == 3


def test_run_of_a_request_takes_its_choices_from_the_job_and_shows_checks(
    instance: dg.DagsterInstance, settings: Settings, priced: Any, location: dg.Definitions
) -> None:
    assert location is not None
    job = submit(priced, replace(REQUEST, trials=7))
    result = run(instance, settings, priced, "sma_cross|AAA", **{"chandlery/job_id": job.job_id})
    assert result.success
    ended = find_job(priced, job.job_id)
    assert (ended.state, ended.done, ended.run_id) == (JobState.SUCCEEDED, 7, result.run_id)
    (event,) = result.asset_materializations_for_node("research__studies")
    assert event.metadata["study_id"].value == ended.study_id
    assert event.metadata["dagster/row_count"].value == 7
    assert "plot" in event.metadata["equity"].value
    checks = {item.check_name: item for item in result.get_asset_check_evaluations()}
    assert set(checks) == {
        "overfitting_is_improbable",
        "sharpe_survives_deflation",
        "best_closed_thirty_trades",
        "machine_equals_reference",
    }
    assert checks["machine_equals_reference"].passed
    assert checks["machine_equals_reference"].severity is dg.AssetCheckSeverity.ERROR
    assert checks["machine_equals_reference"].metadata["sampled"].value == 1


def test_wrong_figure_in_the_table_turns_the_check_red(
    instance: dg.DagsterInstance, settings: Settings, priced: Any, location: dg.Definitions, tell: Any
) -> None:
    assert location is not None
    job = submit(priced, replace(REQUEST, trials=3, seed=11))
    assert run(instance, settings, priced, "sma_cross|AAA", **{"chandlery/job_id": job.job_id}).success
    study = find_job(priced, job.job_id).study_id
    tell(priced, f"update research.evaluations set equity = equity + 1e-12 where study_id = '{study}'")
    again = submit(priced, replace(REQUEST, trials=3, seed=11))
    result = run(instance, settings, priced, "sma_cross|AAA", **{"chandlery/job_id": again.job_id})
    (check,) = [c for c in result.get_asset_check_evaluations() if c.check_name == "machine_equals_reference"]
    assert not check.passed


def test_run_by_hand_takes_the_settings_and_leaves_a_job_behind(
    instance: dg.DagsterInstance, settings: Settings, priced: Any, location: dg.Definitions
) -> None:
    assert location is not None
    assert run(instance, settings, priced, "rsi_revert|AAA").success
    (job,) = [job for job in list_jobs(priced) if job.params["strategy"] == "rsi_revert"]
    assert (job.state, job.params["trials"], job.created_by) == (JobState.SUCCEEDED, 20, "dagster")


def test_run_for_another_partition_than_its_job_asks_for_fails(
    instance: dg.DagsterInstance, settings: Settings, priced: Any, location: dg.Definitions
) -> None:
    assert location is not None
    job = submit(priced, replace(REQUEST, seed=3))
    result = run(instance, settings, priced, "rsi_revert|AAA", **{"chandlery/job_id": job.job_id})
    assert not result.success
    assert find_job(priced, job.job_id).state is JobState.QUEUED


def test_run_of_a_cancelled_job_does_nothing(
    instance: dg.DagsterInstance, settings: Settings, priced: Any, location: dg.Definitions, ask: Any
) -> None:
    assert location is not None
    job = submit(priced, replace(REQUEST, seed=4))
    cancel_study(priced, job.job_id)
    result = run(instance, settings, priced, "sma_cross|AAA", **{"chandlery/job_id": job.job_id})
    assert not result.success
    assert find_job(priced, job.job_id).state is JobState.CANCELLED
    assert ask(priced, "select count(*) from research.studies where seed = 4") == [(0,)]


def test_nightly_studies_are_every_strategy_on_every_symbol_of_the_settings(
    location: dg.Definitions, instance: dg.DagsterInstance, settings: Settings
) -> None:
    from orchestration.automation import schedules

    assert location is not None
    (nightly,) = [item for item in schedules(settings) if item.name == "run_studies_daily"]
    at = datetime(2024, 1, 9, 3, 0, tzinfo=UTC)
    with dg.build_schedule_context(instance=instance, scheduled_execution_time=at) as context:
        requests: Any = nightly(context)
    asked = {str(request.partition_key) for request in requests}
    assert asked == {f"{name}|{symbol}" for name in all_strategies() for symbol in ("AAA", "BBB")}
    assert instance.get_dynamic_partitions("universe") == ["AAA", "BBB"]
