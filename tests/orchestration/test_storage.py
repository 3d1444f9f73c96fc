"""Bulk storage of planned events: the same rows as dagster-postgres writes one by one."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from chandlery.store.warehouse import Warehouse

ROOT = Path(__file__).resolve().parents[2]
DAILY = dg.DailyPartitionsDefinition(start_date="2013-01-01", end_date="2013-02-10")
RANGE = {"dagster/asset_partition_range_start": "2013-01-03", "dagster/asset_partition_range_end": "2013-02-01"}
KEYS = [dg.AssetKey(["raw", "first"]), dg.AssetKey(["raw", "second"])]
EVENTS = "select dagster_event_type, asset_key, partition from dagster.event_logs where asset_key is not null"
CHECKS = "select partition, execution_status from dagster.asset_check_executions"

Ask = Callable[..., list[tuple[Any, ...]]]


@dg.multi_asset(
    specs=[dg.AssetSpec(key, partitions_def=DAILY) for key in KEYS],
    check_specs=[dg.AssetCheckSpec("rows_are_there", asset=KEYS[0])],
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def both() -> Any:
    for key in KEYS:
        checks = [dg.AssetCheckResult(passed=True, check_name="rows_are_there", asset_key=key)] * (key == KEYS[0])
        yield dg.MaterializeResult(asset_key=key, metadata={"rows": 1}, check_results=checks)


def _run(warehouse: Warehouse, home: Path, monkeypatch: pytest.MonkeyPatch, *, bulk: bool) -> dict[str, Any]:
    config = yaml.safe_load((ROOT / "deploy" / "dagster.yaml").read_text())
    if not bulk:
        config["event_log_storage"]["module"] = "dagster_postgres.event_log"
        config["event_log_storage"]["class"] = "PostgresEventLogStorage"
    config["python_logs"] = {}
    home.mkdir()
    (home / "dagster.yaml").write_text(yaml.safe_dump(config))
    monkeypatch.setenv("CHANDLERY_DAGSTER_URL", warehouse.url("pipeline", driver="psycopg2", schema="dagster"))
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "1000")
    with warnings.catch_warnings():
        # What dagster-postgres imports warns about itself (2026-11).
        warnings.simplefilter("ignore")
        with dg.DagsterInstance.from_config(str(home)) as instance:
            assert dg.materialize([both], instance=instance, tags=RANGE).success
            return {
                "partitions": {str(key): instance.get_materialized_partitions(key) for key in KEYS},
                "kind": type(instance.event_log_storage).__name__,
            }


def test_bulk_storage_writes_what_the_parent_writes(
    postgres: Any, ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs = postgres.create("bulk"), postgres.create("one_by_one")
    bulk = _run(mine, tmp_path / "bulk", monkeypatch, bulk=True)
    plain = _run(theirs, tmp_path / "plain", monkeypatch, bulk=False)
    assert (bulk["kind"], plain["kind"]) == ("BulkEventLogStorage", "PostgresEventLogStorage")
    assert bulk["partitions"] == plain["partitions"]
    assert {len(days) for days in bulk["partitions"].values()} == {30}
    assert sorted(ask(mine, EVENTS)) == sorted(ask(theirs, EVENTS))
    # The parent leaves a planned row for each of the 30 days beside the one that was evaluated.
    assert (len(ask(mine, CHECKS)), len(ask(theirs, CHECKS))) == (1, 31)
    assert ask(mine, CHECKS) == [(None, "SUCCEEDED")]
    assert ask(mine, CHECKS)[0] in ask(theirs, CHECKS)
    for name in ("asset_key", "last_run_id is not null", "last_materialization is not null"):
        query = f"select {name} from dagster.asset_keys order by asset_key"
        assert ask(mine, query) == ask(theirs, query)
    postgres.drop(mine)
    postgres.drop(theirs)
