"""The asset that judges: every rule is a check of it, and shows what stands against the sessions of the run."""

import warnings
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import dagster as dg
import polars as pl
import pytest

from chandlery.market.bars import BAR_SCHEMA
from chandlery.market.calendar import sessions
from chandlery.market.symbols import AssetClass
from chandlery.market.timeframes import Timeframe
from chandlery.settings import Settings
from chandlery.sources.protocol import BarBatch
from chandlery.steps.bars import ingest_bars
from chandlery.steps.calendar import build_calendar
from chandlery.store.universe import register_instrument

START, END = date(2024, 1, 2), date(2024, 2, 1)
MISSING = date(2024, 1, 10)


class Days:
    """A source of calm day bars that lacks one session, and holds one bar whose high is below its close."""

    def fetch_bars(self, symbol: str, timeframe: Timeframe, start: date, end: date) -> BarBatch:
        days = sessions("NYSE", start, end).filter(pl.col("session") != MISSING)
        k = pl.int_range(pl.len())
        bars = days.select(
            ts="day_ts",
            open=100.0 + k % 3,
            high=pl.when(pl.col("session") == date(2024, 1, 23)).then(90.0).otherwise(105.0),
            low=pl.lit(95.0),
            close=101.0 + k % 2,
            volume=1e6 + k,
            vwap=pl.lit(None),
            trade_count=pl.lit(None),
        )
        frame = bars.select(pl.col(name).cast(dtype) for name, dtype in BAR_SCHEMA.items())
        return BarBatch(symbol, timeframe, start, end, frame, "made", 1, 1, 0, ())


@pytest.fixture(scope="module")
def result(location: dg.Definitions, warehouse: Any) -> Iterator[Any]:
    assert location is not None
    from orchestration.assets.quality import findings

    build_calendar(warehouse, start=START, end=END)
    with warehouse.write() as connection:
        register_instrument(
            connection, symbol="AAA", asset_class=AssetClass.STOCKS, calendar="NYSE", name=None, source="made"
        )
    ingest_bars(Days(), warehouse, timeframe=Timeframe.D1, start=START, end=END)  # type: ignore[arg-type]
    tags = {
        "dagster/asset_partition_range_start": START.isoformat(),
        "dagster/asset_partition_range_end": (END - timedelta(days=1)).isoformat(),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield dg.materialize(
            [findings], resources={"warehouse": warehouse, "settings": Settings(_env_file=None)}, tags=tags
        )


def checks(result: Any) -> dict[str, Any]:
    return {evaluation.check_name: evaluation for evaluation in result.get_asset_check_evaluations()}


def test_every_rule_is_a_check(result: Any) -> None:
    from chandlery.steps.quality_board import rule_sentences

    assert set(checks(result)) == {"every_series_is_judged", *(rule.name for rule in rule_sentences())}


def test_missing_session_and_held_bar_fail_their_checks_and_no_other(result: Any) -> None:
    failed = {name for name, evaluation in checks(result).items() if not evaluation.passed}
    # The held bar leaves its session without one, and the whole market is this one instrument.
    assert failed == {"session_has_its_bar", "high_covers_body"}


def test_check_shows_the_sessions_it_stands_against(result: Any) -> None:
    told = checks(result)["session_has_its_bar"].metadata
    assert told["findings"].value == 2
    table = told["latest"].value
    assert "2024-01-10" in table
    assert "2024-01-23" in table


def test_critical_rules_are_errors_and_others_warnings(result: Any) -> None:
    found = checks(result)
    assert found["high_covers_body"].severity is dg.AssetCheckSeverity.ERROR
    assert found["session_has_its_bar"].severity is dg.AssetCheckSeverity.WARN


def test_materialization_tells_what_was_judged(result: Any) -> None:
    event = result.asset_materializations_for_node("ops__findings")[0]
    told = {name: value.value for name, value in event.metadata.items()}
    assert told["series"] == 1
    assert checks(result)["every_series_is_judged"].metadata["not_judged"].value == "_no rows_"
