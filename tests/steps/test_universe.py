"""The universe follows settings, source and what people said before."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from chandlery.errors import NotEntitled, NotFound, Unavailable
from chandlery.market.symbols import AssetClass, asset_class_of
from chandlery.market.universe import DEFAULT_UNIVERSE
from chandlery.sources.protocol import Listing, TickerChange
from chandlery.steps.universe import sync_universe
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]

DEFAULTS = tuple(member.symbol for member in DEFAULT_UNIVERSE)
FIGI = "BBG000MM2P62"


def sync(source: Any, warehouse: Warehouse, *symbols: str, source_name: str = "tape") -> Any:
    return sync_universe(source, warehouse, symbols=symbols, source_name=source_name)


def sync_vendor(source: Any, warehouse: Warehouse, *symbols: str) -> Any:
    return sync(source, warehouse, *symbols, source_name="massive")


def tracked(ask: Ask, warehouse: Warehouse) -> list[tuple[Any, ...]]:
    tables = "ops.instruments join ops.instrument_tickers using (instrument_id)"
    query = f"select ticker, asset_class, calendar, name from {tables} where is_tracked and valid_to is null order by 1"
    return ask(warehouse, query)


def tickers(ask: Ask, warehouse: Warehouse, instrument: int) -> list[tuple[Any, ...]]:
    query = "select ticker, valid_from::text, valid_to::text from ops.instrument_tickers where instrument_id = %s"
    return ask(warehouse, f"{query} order by valid_from", instrument)


def listing(symbol: str, figi: str | None = None) -> Listing:
    return Listing(symbol, f"{symbol} Inc.", asset_class_of(symbol), None, None, composite_figi=figi)


def test_stocks_and_crypto_of_a_tape_are_tracked_and_nothing_else(source_of: Any, fresh: Warehouse, ask: Ask) -> None:
    receipt = sync(source_of(symbols=("AAPL", "C:EURUSD", "I:SPX", "X:BTCUSD")), fresh)
    assert receipt.symbols == ("AAPL", "X:BTCUSD")
    assert (receipt.untracked, receipt.notes) == (0, ())
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


def test_first_sync_with_the_vendor_tracks_the_default_universe(source_of: Any, fresh: Warehouse, ask: Ask) -> None:
    crowd = tuple(f"Z{number}" for number in range(500))
    receipt = sync_vendor(source_of(symbols=(*DEFAULTS, *crowd)), fresh)
    assert set(receipt.symbols) == set(DEFAULTS)
    assert len(tracked(ask, fresh)) == 63
    (meta,) = ask(fresh, "select instrument_id from ops.instrument_tickers where ticker = 'META'")
    assert tickers(ask, fresh, *meta) == [("FB", "2012-05-18", "2022-06-09"), ("META", "2022-06-09", None)]
    assert ask(fresh, "select listed_on::text from ops.instruments where instrument_id = %s", *meta) == [
        ("2012-05-18",)
    ]
    holders = "select valid_from::text, valid_to::text from ops.instrument_tickers where ticker = 'GOOG' order by 1"
    assert ask(fresh, holders) == [("2004-08-19", "2014-04-03"), ("2014-04-03", None)]


def test_later_syncs_with_the_vendor_keep_to_what_is_tracked(source_of: Any, fresh: Warehouse, ask: Ask) -> None:
    source = source_of(symbols=(*DEFAULTS, "ZM"))
    sync_vendor(source, fresh)
    with fresh.write() as connection:
        connection.exec_driver_sql(
            "update ops.instruments set is_tracked = false where instrument_id in "
            "(select instrument_id from ops.instrument_tickers where ticker = 'ROKU')"
        )
    before = ask(fresh, "select * from ops.instrument_tickers order by ticker, valid_from")
    receipt = sync_vendor(source, fresh)
    assert (len(receipt.symbols), receipt.untracked, receipt.notes) == (62, 0, ())
    assert ask(fresh, "select * from ops.instrument_tickers order by ticker, valid_from") == before


def test_default_member_the_vendor_does_not_list_is_a_note(source_of: Any, fresh: Warehouse) -> None:
    receipt = sync_vendor(source_of(symbols=tuple(symbol for symbol in DEFAULTS if symbol != "XYZ")), fresh)
    assert len(receipt.symbols) == 62
    assert [note["symbol"] for note in receipt.notes] == ["XYZ"]


def test_tracked_symbol_the_vendor_lists_no_more_stays_with_a_note(source_of: Any, fresh: Warehouse, ask: Ask) -> None:
    sync_vendor(source_of(symbols=("AAPL", "TWTR")), fresh, "AAPL", "TWTR")
    receipt = sync_vendor(source_of(symbols=("AAPL",)), fresh)
    assert receipt.symbols == ("AAPL",)
    assert [note["symbol"] for note in receipt.notes] == ["TWTR"]
    assert [row[0] for row in tracked(ask, fresh)] == ["AAPL", "TWTR"]


def test_change_of_ticker_is_followed_by_figi_and_dated_by_the_source(
    source_of: Any, fresh: Warehouse, ask: Ask
) -> None:
    sync_vendor(source_of(symbols=("OLD",), listings={"OLD": listing("OLD", FIGI)}), fresh, "OLD")
    changes = {"NEW": (TickerChange(date(2012, 5, 18), "OLD"), TickerChange(date(2024, 6, 10), "NEW"))}
    source = source_of(symbols=("NEW",), listings={"NEW": listing("NEW", FIGI)}, changes=changes)
    receipt = sync_vendor(source, fresh)
    assert (receipt.symbols, receipt.notes) == (("NEW",), ())
    assert ask(fresh, "select count(*) from ops.instruments") == [(1,)]
    assert tickers(ask, fresh, 1) == [("OLD", "1900-01-01", "2024-06-10"), ("NEW", "2024-06-10", None)]
    assert sync_vendor(source, fresh).symbols == ("NEW",)


def test_two_changes_of_ticker_between_two_syncs_are_both_followed(source_of: Any, fresh: Warehouse, ask: Ask) -> None:
    sync_vendor(source_of(symbols=("OLD",), listings={"OLD": listing("OLD", FIGI)}), fresh, "OLD")
    days = (date(2012, 5, 18), date(2023, 6, 12), date(2024, 6, 10))
    changes = tuple(TickerChange(day, ticker) for day, ticker in zip(days, ("OLD", "MID", "NEW"), strict=True))
    source = source_of(symbols=("NEW",), listings={"NEW": listing("NEW", FIGI)}, changes={"NEW": changes})
    assert sync_vendor(source, fresh).symbols == ("NEW",)
    assert tickers(ask, fresh, 1) == [
        ("OLD", "1900-01-01", "2023-06-12"),
        ("MID", "2023-06-12", "2024-06-10"),
        ("NEW", "2024-06-10", None),
    ]
    assert ask(fresh, "select count(*) from ops.instruments") == [(1,)]


def test_change_of_ticker_that_nobody_dates_splits_no_series(source_of: Any, fresh: Warehouse, ask: Ask) -> None:
    sync_vendor(source_of(symbols=("OLD",), listings={"OLD": listing("OLD", FIGI)}), fresh, "OLD")
    receipt = sync_vendor(source_of(symbols=("NEW",), listings={"NEW": listing("NEW", FIGI)}), fresh)
    assert receipt.symbols == ()
    (note,) = receipt.notes
    assert "universe rename OLD NEW" in note["note"]
    assert [row[0] for row in tracked(ask, fresh)] == ["OLD"]
    assert ask(fresh, "select count(*) from ops.instruments") == [(1,)]


def test_ticker_taken_over_by_a_stranger_is_not_taken_for_a_rename(source_of: Any, fresh: Warehouse, ask: Ask) -> None:
    sync_vendor(source_of(symbols=("OLD",), listings={"OLD": listing("OLD", FIGI)}), fresh, "OLD")
    changes = {"NEW": (TickerChange(date(2012, 5, 18), "OLD"), TickerChange(date(2024, 6, 10), "NEW"))}
    stranger = source_of(symbols=("NEW",), listings={"NEW": listing("NEW", "BBG00000OTHER")}, changes=changes)
    receipt = sync_vendor(stranger, fresh, "NEW")
    assert ask(fresh, "select count(*) from ops.instruments") == [(2,)]
    assert tickers(ask, fresh, 1) == [("OLD", "1900-01-01", None)]
    assert tickers(ask, fresh, 2) == [("NEW", "2024-06-10", None)]
    (note,) = receipt.notes
    assert "OLD" in note["note"]


def test_earlier_tickers_of_a_new_stock_come_from_the_source(source_of: Any, fresh: Warehouse, ask: Ask) -> None:
    changes = {"LUMN": (TickerChange(date(2000, 1, 3), "CTL"), TickerChange(date(2020, 9, 18), "LUMN"))}
    sync(source_of(symbols=("LUMN", "X:BTCUSD"), changes=changes), fresh)
    (number,) = ask(fresh, "select instrument_id from ops.instrument_tickers where ticker = 'LUMN'")
    assert tickers(ask, fresh, *number) == [("CTL", "2000-01-03", "2020-09-18"), ("LUMN", "2020-09-18", None)]


def test_facts_known_for_certain_win_over_the_source(source_of: Any, fresh: Warehouse, ask: Ask) -> None:
    # The vendor's recorded answer dates the change to 2022-06-11, a Saturday; it was on Thursday, June 9.
    changes = {"META": (TickerChange(date(2012, 5, 18), "FB"), TickerChange(date(2022, 6, 11), "META"))}
    sync_vendor(source_of(symbols=("META",), changes=changes), fresh, "META")
    assert tickers(ask, fresh, 1)[1] == ("META", "2022-06-09", None)


def test_instrument_still_called_by_its_former_ticker_is_renamed(source_of: Any, fresh: Warehouse, ask: Ask) -> None:
    sync(source_of(symbols=("FB", "GOOG")), fresh, source_name="replay")
    numbers = dict(ask(fresh, "select ticker, instrument_id from ops.instrument_tickers"))
    sync_vendor(source_of(symbols=("GOOG", "GOOGL", "META")), fresh, "GOOG", "GOOGL", "META")
    held = "select ticker, instrument_id from ops.instrument_tickers where valid_to is null"
    present = dict(ask(fresh, held))
    # What a tape of 2004 to 2013 called GOOG was class A, which is GOOGL now.
    assert (present["META"], present["GOOGL"]) == (numbers["FB"], numbers["GOOG"])
    assert present["GOOG"] not in numbers.values()


def test_endpoint_of_changes_that_refuses_is_a_note_not_a_failure(source_of: Any, fresh: Warehouse, ask: Ask) -> None:
    receipt = sync(source_of(symbols=("BA", "GE"), failures={"GE": NotEntitled("your plan")}), fresh)
    assert receipt.symbols == ("BA", "GE")
    assert [(note["symbol"], "not_entitled" in note["note"]) for note in receipt.notes] == [("GE", True)]
    assert [row[0] for row in tracked(ask, fresh)] == ["BA", "GE"]


@pytest.mark.parametrize(
    "changes",
    [
        (TickerChange(date(2020, 1, 2), "OTHER"), TickerChange(date(2021, 1, 4), "THIRD")),
        (TickerChange(date(2020, 1, 2), "OTHER"), TickerChange(date(2020, 1, 2), "GE")),
    ],
    ids=["ends with another ticker", "two on one day"],
)
def test_history_that_makes_no_sense_is_a_note(
    source_of: Any, fresh: Warehouse, ask: Ask, changes: tuple[TickerChange, ...]
) -> None:
    receipt = sync(source_of(symbols=("GE",), changes={"GE": changes}), fresh)
    assert [note["symbol"] for note in receipt.notes] == ["GE"]
    assert tickers(ask, fresh, 1) == [("GE", "1900-01-01", None)]


def test_history_that_another_instrument_disputes_is_a_note(source_of: Any, fresh: Warehouse, ask: Ask) -> None:
    changes = {
        "NEW": (TickerChange(date(2012, 5, 18), "MID"), TickerChange(date(2024, 6, 10), "NEW")),
        "MID": (TickerChange(date(2011, 5, 18), "TOP"), TickerChange(date(2012, 6, 10), "MID")),
    }
    sync(source_of(symbols=("MID",), changes=changes), fresh)
    with fresh.write() as connection:
        connection.exec_driver_sql("update ops.instrument_tickers set valid_to = '2023-01-03' where ticker = 'MID'")
    receipt = sync(source_of(symbols=("NEW",), changes=changes), fresh)
    assert [note["symbol"] for note in receipt.notes] == ["NEW"]
    assert "instrument 1" in receipt.notes[0]["note"]
    assert tickers(ask, fresh, 2) == [("NEW", "2024-06-10", None)]


def test_facts_of_the_listing_are_kept(source_of: Any, fresh: Warehouse, ask: Ask) -> None:
    apple = Listing(
        "AAPL",
        "Apple Inc.",
        AssetClass.STOCKS,
        date(2016, 4, 15),
        date(2016, 5, 13),
        composite_figi="BBG000B9XRY4",
        share_class_figi="BBG001S5N8V8",
        cik="0000320193",
    )
    sync(source_of(symbols=("AAPL",), listings={"AAPL": apple}), fresh, source_name="replay")
    columns = "composite_figi, share_class_figi, cik, listed_on"
    # The first session of a tape is not a listing.
    assert ask(fresh, f"select {columns} from ops.instruments") == [
        ("BBG000B9XRY4", "BBG001S5N8V8", "0000320193", None)
    ]
