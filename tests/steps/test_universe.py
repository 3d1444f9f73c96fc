"""The universe follows the source; the calendar and the splits follow it."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from chandlery.errors import InvalidInput, NotFound, Unavailable
from chandlery.sources import Split
from chandlery.steps.universe import build_calendar, ingest_splits, sync_universe
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]


def sync(source: Any, warehouse: Warehouse, *symbols: str) -> Any:
    return sync_universe(source, warehouse, symbols=symbols, source_name="tape")


def tracked(ask: Ask, warehouse: Warehouse) -> list[tuple[Any, ...]]:
    tables = "ops.instruments join ops.instrument_tickers using (instrument_id)"
    query = f"select ticker, asset_class, calendar, name from {tables} where is_tracked order by ticker"
    return ask(warehouse, query)


def test_stocks_and_crypto_of_the_source_are_tracked_and_nothing_else(
    source_of: Any, fresh: Warehouse, ask: Ask
) -> None:
    receipt = sync(source_of(symbols=("AAPL", "C:EURUSD", "I:SPX", "X:BTCUSD")), fresh)
    assert receipt.symbols == ("AAPL", "X:BTCUSD")
    assert receipt.untracked == 0
    assert tracked(ask, fresh) == [
        ("AAPL", "stocks", "NYSE", "AAPL Inc."),
        ("X:BTCUSD", "crypto", "24/7", "X:BTCUSD Inc."),
    ]


def test_wanted_symbols_alone_are_tracked(source_of: Any, fresh: Warehouse, ask: Ask) -> None:
    source = source_of(symbols=("AAPL", "BA", "GE"))
    sync(source, fresh)
    receipt = sync(source, fresh, "GE", "AAPL")
    assert (receipt.symbols, receipt.untracked) == (("GE", "AAPL"), 1)
    assert [row["symbol"] for row in receipt.rows] == ["GE", "AAPL"]
    assert [row[0] for row in tracked(ask, fresh)] == ["AAPL", "GE"]


def test_symbol_the_source_does_not_list_stops_before_anything_changes(
    source_of: Any, fresh: Warehouse, ask: Ask
) -> None:
    source = source_of(symbols=("AAPL",))
    sync(source, fresh)
    with pytest.raises(NotFound, match=r"BA, GE\. Correct CHANDLERY_PIPELINE__SYMBOLS"):
        sync(source, fresh, "AAPL", "BA", "GE")
    assert [row[0] for row in tracked(ask, fresh)] == ["AAPL"]


def test_source_that_is_down_changes_nothing(source_of: Any, fresh: Warehouse, ask: Ask) -> None:
    sync(source_of(symbols=("AAPL",)), fresh)
    with pytest.raises(Unavailable):
        sync(source_of(failures={"*": Unavailable("down")}), fresh)
    assert [row[0] for row in tracked(ask, fresh)] == ["AAPL"]


def test_calendar_holds_the_sessions_of_every_market(fresh: Warehouse, ask: Ask) -> None:
    # New York in December 2012: 20 sessions, closed on Christmas Day, open until 13:00 on the 24th.
    receipt = build_calendar(fresh, start=date(2012, 12, 1), end=date(2013, 1, 1))
    assert receipt.sessions == {"NYSE": 20, "24/7": 31}
    assert ask(fresh, "select session::text from ops.sessions where is_early") == [("2012-12-24",)]
    assert build_calendar(fresh, start=date(2012, 12, 1), end=date(2013, 1, 1)) == receipt
    assert ask(fresh, "select count(*) from ops.sessions") == [(51,)]


def test_calendar_of_a_weekend_has_no_stock_sessions(fresh: Warehouse) -> None:
    assert build_calendar(fresh, start=date(2013, 1, 5), end=date(2013, 1, 7)).sessions == {"24/7": 2}


def test_calendar_refuses_a_reversed_range(fresh: Warehouse) -> None:
    with pytest.raises(InvalidInput, match="exclusive"):
        build_calendar(fresh, start=date(2013, 1, 5), end=date(2013, 1, 5))


def test_splits_of_tracked_stocks_are_stored_once(source_of: Any, fresh: Warehouse, ask: Ask) -> None:
    splits = {
        "AAPL": (Split("AAPL", date(2000, 6, 21), 1, 2), Split("AAPL", date(2014, 6, 9), 1, 7)),
        "BA": (Split("BA", date(1997, 6, 9), 1, 2),),
        "GE": (Split("GE", date(2021, 8, 2), 8, 1),),
    }
    source = source_of(symbols=("AAPL", "BA", "GE", "X:BTCUSD"), splits=splits)
    sync(source, fresh, "AAPL", "GE", "X:BTCUSD")
    receipt = ingest_splits(source, fresh, source_name="tape")
    assert (receipt.splits, receipt.changed) == (3, 3)
    assert receipt.rows[-1] == {"symbol": "GE", "date": "2021-08-02", "ratio": "1:8"}
    again = ingest_splits(source, fresh, source_name="tape")
    assert (again.splits, again.changed) == (3, 0)
    query = (
        "select ticker, execution_date::text, split_from, split_to from raw.massive__splits "
        "join ops.instrument_tickers using (instrument_id) order by 1, 2"
    )
    assert ask(fresh, query) == [
        ("AAPL", "2000-06-21", 1, 2),
        ("AAPL", "2014-06-09", 1, 7),
        ("GE", "2021-08-02", 8, 1),
    ]


def test_splits_of_a_source_that_is_down_are_an_error(source_of: Any, fresh: Warehouse) -> None:
    sync(source_of(symbols=("AAPL",)), fresh)
    with pytest.raises(Unavailable):
        ingest_splits(source_of(failures={"AAPL": Unavailable("down")}), fresh, source_name="tape")
