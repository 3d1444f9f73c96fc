"""Instruments and the calendar as assets: what their metadata tell, and when the check warns."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest

from chandlery.clock import now
from chandlery.errors import NotEntitled
from chandlery.market.symbols import AssetClass
from chandlery.settings import Settings
from chandlery.sources.protocol import Holiday, Listing, TickerChange


@dataclass
class Source:
    """Lists one stock, refuses to tell its earlier tickers, announces what it is given."""

    holidays: tuple[Holiday, ...] = field(default=())

    def list_instruments(self) -> tuple[Listing, ...]:
        return (Listing("GE", "GE Aerospace", AssetClass.STOCKS, None, None),)

    def fetch_ticker_changes(self, symbol: str) -> tuple[TickerChange, ...]:
        raise NotEntitled(f"ticker events of {symbol} are not in this plan")

    def fetch_holidays(self) -> tuple[Holiday, ...]:
        return self.holidays


@pytest.fixture
def run(location: dg.Definitions, warehouse: Any) -> Callable[[Source], Any]:
    """Return a function that materializes both assets and the check from a source."""
    assert location is not None
    from orchestration.assets import universe
    from orchestration.checks.universe import calendar_sources_agree

    def materialize(source: Source) -> Any:
        resources = {"warehouse": warehouse, "bar_source": source, "settings": Settings(_env_file=None)}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            chosen = [universe.instruments, universe.sessions, calendar_sources_agree]
            return dg.materialize(chosen, resources=resources)

    return materialize


def metadata(result: Any, node: str) -> dict[str, Any]:
    (event,) = result.asset_materializations_for_node(node)
    return {name: value.value for name, value in event.metadata.items()}


def test_both_assets_tell_their_rows_and_what_is_disputed(run: Callable[[Source], Any]) -> None:
    result = run(Source())
    assert result.success
    told = metadata(result, "ops__instruments")
    assert told["dagster/row_count"] == 1
    assert "ticker events of GE are not in this plan" in told["notes"]
    told = metadata(result, "ops__sessions")
    # 252 or so sessions a year since 1960, and every day since 2009.
    assert told["dagster/row_count"] > 16_000 + 6_000
    assert "early_close_is_disputed" in told["disagreements"]
    assert "24/7" in told["preview"]
    (check,) = result.get_asset_check_evaluations()
    assert (check.check_name, check.passed) == ("calendar_sources_agree", True)


def test_check_warns_of_a_closure_the_table_does_not_have(run: Callable[[Source], Any]) -> None:
    # Five days in a row hold three weekdays or more, and no week has three holidays.
    days = [now().date() + timedelta(days=offset) for offset in range(7, 12)]
    result = run(Source(tuple(Holiday("NYSE", day, "Day", True, None, None) for day in days)))
    assert result.success
    (check,) = result.get_asset_check_evaluations()
    assert not check.passed
    assert check.severity is dg.AssetCheckSeverity.WARN
    assert "holiday_is_announced" in check.metadata["disagreements"].value
