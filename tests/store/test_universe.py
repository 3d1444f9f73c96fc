"""Instruments keep their ids; sessions and splits are upserted."""

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from chandlery.errors import NotFound
from chandlery.market.calendar import SESSION_SCHEMA, sessions
from chandlery.market.symbols import AssetClass, Instrument
from chandlery.store.splits import upsert_splits
from chandlery.store.universe import (
    find_instrument,
    register_instrument,
    replace_sessions,
    sessions_between,
    tracked_instruments,
    untrack_others,
)
from chandlery.store.warehouse import Warehouse, Writer

Ask = Callable[..., list[tuple[Any, ...]]]


def register(connection: Writer, symbol: str, *, name: str | None = None) -> Instrument:
    asset_class, calendar = (AssetClass.CRYPTO, "24/7") if symbol.startswith("X:") else (AssetClass.STOCKS, "NYSE")
    return register_instrument(
        connection, symbol=symbol, asset_class=asset_class, calendar=calendar, name=name, source="tape"
    )


def test_symbol_keeps_its_id_and_takes_its_latest_name(warehouse: Warehouse, ask: Ask) -> None:
    with warehouse.write() as connection:
        first = register(connection, "IBM", name="International Business Machines")
    with warehouse.write() as connection:
        assert register(connection, "IBM", name="IBM") == first
    query = "select name, is_tracked from ops.instruments where instrument_id = %s"
    assert ask(warehouse, query, first.instrument_id) == [("IBM", True)]
    assert ask(warehouse, "select count(*) from ops.instrument_tickers where ticker = 'IBM'") == [(1,)]


def test_registration_at_once_makes_one_instrument(warehouse: Warehouse, ask: Ask) -> None:
    begin = threading.Barrier(4, timeout=20)
    found: list[int] = []

    def run() -> None:
        begin.wait()
        with warehouse.write() as connection:
            found.append(register(connection, "GE").instrument_id)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert ask(warehouse, "select count(*) from ops.instrument_tickers where ticker = 'GE'") == [(1,)]


def test_ticker_that_changed_hands_leads_to_its_present_holder(fresh: Warehouse) -> None:
    with fresh.write() as connection:
        former = register(connection, "FB")
        connection.exec_driver_sql("update ops.instrument_tickers set valid_to = '2022-06-09' where ticker = 'FB'")
        connection.exec_driver_sql("update ops.instrument_tickers set valid_from = '2012-05-18' where ticker = 'FB'")
        present = register(connection, "FB")
        assert present.instrument_id != former.instrument_id
        assert find_instrument(connection, "FB") == present
        assert tracked_instruments(connection) == (present,)


def test_untracked_instruments_disappear_until_registered_again(fresh: Warehouse) -> None:
    with fresh.write() as connection:
        kept, other, pair = (register(connection, symbol) for symbol in ("MSFT", "AAPL", "X:BTCUSD"))
        assert tracked_instruments(connection) == (other, kept, pair)
        assert untrack_others(connection, [kept.instrument_id]) == 2
        assert untrack_others(connection, [kept.instrument_id]) == 0
        assert tracked_instruments(connection) == (kept,)
        assert register(connection, "AAPL") == other
        assert tracked_instruments(connection) == (other, kept)
        assert untrack_others(connection, []) == 2


def test_unknown_symbol_is_answered_with_the_known_ones(fresh: Warehouse) -> None:
    with fresh.read() as connection, pytest.raises(NotFound, match=r"AAPL is not tracked.*chandlery demo"):
        find_instrument(connection, "AAPL")
    with fresh.write() as connection:
        register(connection, "MSFT")
        register(connection, "BA")
    with fresh.read() as connection, pytest.raises(NotFound, match=r"Tracked symbols: BA, MSFT\."):
        find_instrument(connection, "AAPL")


def test_crypto_pair_carries_class_calendar_and_currency(fresh: Warehouse) -> None:
    with fresh.write() as connection:
        number = register(connection, "X:ETHUSD").instrument_id
    with fresh.read() as connection:
        assert find_instrument(connection, "X:ETHUSD") == Instrument(
            number, "X:ETHUSD", AssetClass.CRYPTO, "24/7", "USD"
        )


def test_sessions_come_back_as_they_were_built(warehouse: Warehouse) -> None:
    week = sessions("NYSE", date(2012, 12, 20), date(2013, 1, 3))
    days = sessions("24/7", date(2012, 12, 20), date(2013, 1, 3))
    with warehouse.write() as connection:
        assert replace_sessions(connection, pl.concat([week, days])) == week.height + days.height
    assert sessions_between(warehouse, "NYSE", date(2012, 12, 20), date(2013, 1, 3)).equals(week)
    part = sessions_between(warehouse, "24/7", date(2012, 12, 24), date(2012, 12, 26))
    assert part["session"].to_list() == [date(2012, 12, 24), date(2012, 12, 25)]
    assert part.schema == pl.Schema(SESSION_SCHEMA)


def test_session_written_again_takes_its_new_hours(warehouse: Warehouse) -> None:
    day = sessions("NYSE", date(2001, 6, 8), date(2001, 6, 9))
    late = day.with_columns(open=pl.lit(datetime(2001, 6, 8, 15, 1, tzinfo=UTC)).cast(day.schema["open"]))
    for frame in (day, late):
        with warehouse.write() as connection:
            replace_sessions(connection, frame)
    assert sessions_between(warehouse, "NYSE", date(2001, 6, 8), date(2001, 6, 9)).equals(late)


def test_span_without_sessions_is_an_empty_frame(warehouse: Warehouse) -> None:
    none = sessions_between(warehouse, "NYSE", date(1950, 1, 1), date(1950, 2, 1))
    assert none.is_empty()
    assert none.schema == pl.Schema(SESSION_SCHEMA)


def test_only_new_and_changed_splits_count(warehouse: Warehouse, ask: Ask) -> None:
    with warehouse.write() as connection:
        number = register(connection, "AAPL").instrument_id

    def upsert(*rows: tuple[date, int, int]) -> int:
        with warehouse.write() as connection:
            return upsert_splits(connection, instrument_id=number, rows=rows, source="wiki")

    first, second = (date(2000, 6, 21), 1, 2), (date(2005, 2, 28), 1, 2)
    assert upsert(first, second) == 2
    known = ask(warehouse, "select known_from from raw.massive__splits order by execution_date")
    assert upsert(first, second) == 0
    assert upsert(first, (date(2005, 2, 28), 2, 3)) == 1
    assert upsert() == 0
    stored = ask(warehouse, "select execution_date, split_from, split_to from raw.massive__splits order by 1")
    assert stored == [first, (date(2005, 2, 28), 2, 3)]
    later = ask(warehouse, "select known_from from raw.massive__splits order by execution_date")
    assert [after > before for after, before in zip(later, known, strict=True)] == [False, True]
