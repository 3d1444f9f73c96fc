"""Assets of corporate actions, run over a source of one split: counts, tables, and the warning."""

import warnings
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import dagster as dg
import pytest

from chandlery.settings import Settings
from chandlery.sources.protocol import Dividend, Split, TickerChange

_UNIVERSE = """
insert into ops.instruments (instrument_id, asset_class, calendar) overriding system value values (1, 'stocks', 'NYSE');
insert into ops.instrument_tickers values ('SHOP', '1900-01-01', null, 1, 'tape');
"""


class Records:
    """A source that records SHOP's split on two dates and no more."""

    def fetch_splits(self, symbol: str) -> tuple[Split, ...]:
        return (Split(symbol, date(2022, 6, 22), 1, 10), Split(symbol, date(2022, 6, 29), 1, 10))

    def fetch_dividends(self, symbol: str) -> tuple[Dividend, ...]:
        assert symbol == "SHOP"
        return ()

    def fetch_ticker_changes(self, symbol: str) -> tuple[TickerChange, ...]:
        return (TickerChange(date(2015, 5, 21), symbol),)


@pytest.fixture(scope="module")
def result(location: dg.Definitions, warehouse: Any, tell: Callable[..., None]) -> Iterator[Any]:
    """The result of one run of the four assets and their check."""
    assert location is not None
    from orchestration.assets import actions
    from orchestration.checks.actions import no_action_is_suspected

    tell(warehouse, _UNIVERSE)
    mine = [
        actions.massive__splits,
        actions.massive__dividends,
        actions.massive__ticker_events,
        actions.corporate_actions,
    ]
    resources = {"warehouse": warehouse, "bar_source": Records(), "settings": Settings(_env_file=None)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield dg.materialize([*mine, no_action_is_suspected], resources=resources)


def metadata(result: Any, *key: str) -> dict[str, Any]:
    (event,) = result.asset_materializations_for_node("__".join(key))
    return {name: value.value for name, value in event.metadata.items()}


def test_recorded_lists_tell_their_counts_and_rows(result: Any) -> None:
    told = metadata(result, "raw", "massive__splits")
    assert (told["dagster/row_count"], told["instruments"], told["new"], told["gone"]) == (2, 1, 2, 0)
    assert "2022-06-29" in told["preview"]
    assert "10:1" in told["preview"]
    assert metadata(result, "raw", "massive__dividends")["dagster/row_count"] == 0
    assert "SHOP" in metadata(result, "raw", "massive__ticker_events")["preview"]


def test_judged_list_tells_what_is_doubted_and_why(result: Any) -> None:
    told = metadata(result, "ops", "corporate_actions")
    counts = ("dagster/row_count", "accepted", "suspected", "rejected", "new", "gone")
    assert [told[name] for name in counts] == [3, 1, 2, 0, 3, 0]
    assert "collides_without_a_jump" in told["doubted"]


def test_check_warns_of_suspected_actions_and_lists_them(result: Any) -> None:
    (check,) = result.get_asset_check_evaluations()
    assert (check.check_name, check.passed) == ("no_action_is_suspected", False)
    assert check.severity is dg.AssetCheckSeverity.WARN
    assert check.metadata["suspected"].value == 2
    assert "SHOP" in check.metadata["actions"].value


def test_rows_are_in_the_warehouse_under_the_source_of_the_settings(
    result: Any, warehouse: Any, ask: Callable[..., list[tuple[Any, ...]]]
) -> None:
    assert result.success
    query = "select count(*), min(source), max(source) from ops.corporate_actions"
    assert ask(warehouse, query) == [(3, "replay", "replay")]
