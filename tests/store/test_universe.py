"""Instruments keep their ids, their facts and their rows."""

import threading
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from chandlery.errors import NotFound
from chandlery.market.symbols import AssetClass, Instrument
from chandlery.store.coverage import TickerSpan
from chandlery.store.tickers import delist_instrument, rename_instrument
from chandlery.store.universe import (
    InstrumentFacts,
    find_instrument,
    find_record,
    has_instruments_of,
    known_instruments,
    register_instrument,
    track,
    tracked_instruments,
    untrack_others,
)
from chandlery.store.warehouse import Warehouse, Writer

Ask = Callable[..., list[tuple[Any, ...]]]


def register(
    connection: Writer, symbol: str, *, name: str | None = None, facts: InstrumentFacts | None = None
) -> Instrument:
    asset_class, calendar = (AssetClass.CRYPTO, "24/7") if symbol.startswith("X:") else (AssetClass.STOCKS, "NYSE")
    return register_instrument(
        connection, symbol=symbol, asset_class=asset_class, calendar=calendar, name=name, source="tape", facts=facts
    )


def test_symbol_keeps_its_id_and_takes_its_latest_name(warehouse: Warehouse, ask: Ask) -> None:
    with warehouse.write() as connection:
        first = register(connection, "IBM", name="International Business Machines")
    with warehouse.write() as connection:
        assert register(connection, "IBM", name="IBM") == first
    query = "select name, is_tracked from ops.instruments where instrument_id = %s"
    assert ask(warehouse, query, first.instrument_id) == [("IBM", True)]
    assert ask(warehouse, "select count(*) from ops.instrument_tickers where ticker = 'IBM'") == [(1,)]


def test_facts_not_given_again_stay(fresh: Warehouse) -> None:
    facts = InstrumentFacts("Apple", "USD", date(1980, 12, 12), None, "BBG000B9XRY4", "BBG001S5N8V8", "0000320193")
    with fresh.write() as connection:
        register(connection, "AAPL", facts=facts)
        register(connection, "AAPL", facts=InstrumentFacts(cik="0000320194"))
        record = find_record(connection, "AAPL")
    assert record.facts == InstrumentFacts(
        "Apple", "USD", date(1980, 12, 12), None, "BBG000B9XRY4", "BBG001S5N8V8", "0000320194"
    )
    assert record.tickers == (TickerSpan("AAPL", date(1980, 12, 12), None),)


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
        delist_instrument(connection, "FB", on=date(2022, 6, 9))
        present = register(connection, "FB")
        assert present.instrument_id != former.instrument_id
        assert find_instrument(connection, "FB") == present
        assert tracked_instruments(connection) == (present,)
        assert tracked_instruments(connection, including_delisted=True) == (former, present)
        assert find_record(connection, "FB").instrument == present
        assert find_record(connection, "FB", date(2020, 1, 2)).instrument == former


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
        assert track(connection, kept.instrument_id, is_tracked=True)
        assert not track(connection, kept.instrument_id, is_tracked=True)


def test_unknown_symbol_is_answered_with_the_known_ones(fresh: Warehouse) -> None:
    with fresh.read() as connection, pytest.raises(NotFound, match=r"AAPL is not tracked.*chandlery demo"):
        find_instrument(connection, "AAPL")
    with fresh.write() as connection:
        register(connection, "MSFT")
        register(connection, "BA")
    with fresh.read() as connection, pytest.raises(NotFound, match=r"Tracked symbols: BA, MSFT\."):
        find_instrument(connection, "AAPL")


def test_ticker_asked_for_on_a_day_nobody_held_it_is_answered_with_its_days(fresh: Warehouse) -> None:
    with fresh.write() as connection:
        register(connection, "FB", facts=InstrumentFacts(listed_on=date(2012, 5, 18)))
        rename_instrument(connection, "FB", "META", on=date(2022, 6, 9), source="tape")
        with pytest.raises(NotFound, match=r"under FB on 2022-06-09\..*instrument 1 from 2012-05-18 to 2022-06-09"):
            find_record(connection, "FB", date(2022, 6, 9))
        with pytest.raises(NotFound, match="chandlery universe add"):
            find_record(connection, "NVDA")
        record = find_record(connection, "FB")
    assert record.instrument.symbol == "META"
    assert [span.ticker for span in record.tickers] == ["FB", "META"]


def test_known_instruments_are_all_by_symbol(fresh: Warehouse) -> None:
    with fresh.write() as connection:
        for symbol in ("X:ETHUSD", "MSFT", "AAPL"):
            register(connection, symbol)
        untrack_others(connection, [])
        found = known_instruments(connection)
    assert [(record.instrument.symbol, record.is_tracked) for record in found] == [
        ("AAPL", False),
        ("MSFT", False),
        ("X:ETHUSD", False),
    ]


def test_sources_are_told_apart(fresh: Warehouse) -> None:
    with fresh.write() as connection:
        register(connection, "AAPL")
        assert has_instruments_of(connection, "tape")
        assert not has_instruments_of(connection, "massive")


def test_crypto_pair_carries_class_calendar_and_currency(fresh: Warehouse) -> None:
    with fresh.write() as connection:
        number = register(connection, "X:ETHUSD").instrument_id
    with fresh.read() as connection:
        assert find_instrument(connection, "X:ETHUSD") == Instrument(
            number, "X:ETHUSD", AssetClass.CRYPTO, "24/7", "USD"
        )
