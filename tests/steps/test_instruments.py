"""Adding, removing, renaming and delisting by hand; what is shown of one."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from chandlery.errors import Conflict, InvalidInput, NotFound, Unavailable
from chandlery.market.symbols import AssetClass
from chandlery.sources.protocol import Listing
from chandlery.steps.instruments import (
    Wanted,
    add_instruments,
    default_wanted,
    delist,
    remove_instrument,
    rename,
    show_instrument,
)
from chandlery.store.universe import InstrumentFacts
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]
Tell = Callable[..., None]

TWITTER = Listing(
    "TWTR",
    "Twitter, Inc.",
    AssetClass.STOCKS,
    date(2013, 11, 7),
    date(2022, 10, 27),
    composite_figi="BBG000H6HNW3",
    is_active=False,
)


def add(warehouse: Warehouse, *symbols: str, source: Any = None) -> Any:
    wanted = [Wanted(symbol) for symbol in symbols]
    return add_instruments(warehouse, wanted, source=source, source_name="massive")


def test_default_universe_of_sixty_three_is_added_whole_and_once(fresh: Warehouse, ask: Ask) -> None:
    added = add_instruments(fresh, default_wanted(), source=None, source_name="replay")
    assert len(added) == 63
    assert [item.note for item in added if item.note] == []
    rows = ask(fresh, "select * from ops.instrument_tickers order by 1, 2")
    # FB, SQ, GOOG of class A, QQQ and QQQQ before QQQ.
    assert len(rows) == 63 + 5
    add_instruments(fresh, default_wanted(), source=None, source_name="replay")
    assert ask(fresh, "select * from ops.instrument_tickers order by 1, 2") == rows
    assert show_instrument(fresh, "SQ", date(2020, 1, 2)).record.instrument.symbol == "XYZ"


def test_class_and_calendar_follow_the_prefix(fresh: Warehouse) -> None:
    added = add(fresh, "x:btcusd", "I:SPX", "brk.b")
    kinds = [(item.record.instrument.symbol, item.record.instrument.calendar) for item in added]
    assert kinds == [("X:BTCUSD", "24/7"), ("I:SPX", "NYSE"), ("BRK.B", "NYSE")]
    assert added[1].record.instrument.asset_class is AssetClass.INDICES


@pytest.mark.parametrize("symbol", ["", "A APL", "../AAPL", "C:EURUSD", "A" * 33])
def test_garbage_and_forex_are_refused_and_nothing_of_the_list_is_added(
    fresh: Warehouse, ask: Ask, symbol: str
) -> None:
    with pytest.raises(InvalidInput, match="Symbol was"):
        add(fresh, "AAPL", symbol)
    assert ask(fresh, "select count(*) from ops.instruments") == [(0,)]


def test_source_tells_name_listing_and_delisting(source_of: Any, fresh: Warehouse) -> None:
    (added,) = add(fresh, "TWTR", source=source_of(listings={"TWTR": TWITTER}))
    # The last session was 2022-10-27, so it is listed no more from the day after.
    assert added.record.facts.name == "Twitter, Inc."
    assert added.record.facts.delisted_on == date(2022, 10, 28)
    (span,) = added.record.tickers
    assert (span.start, span.end) == (date(2013, 11, 7), date(2022, 10, 28))


def test_facts_given_win_over_those_of_the_source(source_of: Any, fresh: Warehouse) -> None:
    facts = InstrumentFacts(name="Bird", listed_on=date(2013, 11, 8))
    source = source_of(listings={"TWTR": TWITTER})
    (added,) = add_instruments(fresh, [Wanted("TWTR", facts)], source=source, source_name="massive")
    assert (added.record.facts.name, added.record.facts.listed_on) == ("Bird", date(2013, 11, 8))
    assert added.record.facts.composite_figi == "BBG000H6HNW3"


def test_symbol_unknown_to_the_source_needs_a_fact_of_the_caller(source_of: Any, fresh: Warehouse) -> None:
    with pytest.raises(NotFound, match=r"asked for ZZZZ.*--offline"):
        add(fresh, "ZZZZ", source=source_of())
    facts = InstrumentFacts(name="Unlisted")
    (added,) = add_instruments(fresh, [Wanted("ZZZZ", facts)], source=source_of(), source_name="massive")
    assert added.record.facts.name == "Unlisted"


def test_source_that_is_down_is_a_note(source_of: Any, fresh: Warehouse) -> None:
    (added,) = add(fresh, "GE", source=source_of(failures={"GE": Unavailable("down")}))
    assert "source_unavailable" in (added.note or "")
    assert added.record.is_tracked


def test_delisting_before_the_listing_is_refused(fresh: Warehouse) -> None:
    facts = InstrumentFacts(listed_on=date(2022, 1, 3), delisted_on=date(2022, 1, 3))
    with pytest.raises(InvalidInput, match="the end comes after"):
        add_instruments(fresh, [Wanted("GE", facts)], source=None, source_name="massive")


def test_dead_holder_of_a_ticker_on_days_of_the_living_one_is_a_conflict(fresh: Warehouse, ask: Ask) -> None:
    add(fresh, "AAPL")
    facts = InstrumentFacts(listed_on=date(1970, 1, 2), delisted_on=date(1980, 12, 20))
    with pytest.raises(Conflict, match="instrument 1"):
        add_instruments(fresh, [Wanted("GE"), Wanted("AAPL", facts)], source=None, source_name="massive")
    assert ask(fresh, "select count(*) from ops.instruments") == [(1,)]


def test_meta_added_where_fb_is_tracked_is_fb_renamed(fresh: Warehouse, tell: Tell, ask: Ask) -> None:
    (before,) = add(fresh, "FB")
    number = before.record.instrument.instrument_id
    tell(fresh, f"insert into ops.bar_sessions values ({number}, '1d', '2013-01-02', 1, null, null, 1, 1)")
    (after,) = add(fresh, "META")
    assert after.record.instrument.instrument_id == number
    assert ask(fresh, "select distinct instrument_id from ops.bar_sessions") == [(number,)]


def test_removed_symbol_keeps_its_rows_and_can_be_added_again(fresh: Warehouse, ask: Ask) -> None:
    (added,) = add(fresh, "GE")
    assert remove_instrument(fresh, "ge").is_tracked is False
    assert ask(
        fresh, "select ticker, is_tracked from ops.instruments join ops.instrument_tickers using (instrument_id)"
    ) == [("GE", False)]
    with pytest.raises(NotFound, match="not tracked"):
        remove_instrument(fresh, "GE")
    (again,) = add(fresh, "GE")
    assert again.record.instrument == added.record.instrument


def test_rename_and_delist_by_hand(fresh: Warehouse) -> None:
    add(fresh, "SQ", "AAA")
    renamed = rename(fresh, "SQ", "XYZ", on=date(2025, 1, 21), source_name="massive")
    assert [span.ticker for span in renamed.tickers] == ["SQ", "XYZ"]
    with pytest.raises(InvalidInput, match="another asset class"):
        rename(fresh, "AAA", "X:AAAUSD", on=date(2025, 1, 21), source_name="massive")
    gone = delist(fresh, "AAA", on=date(2024, 5, 1))
    assert (gone.facts.delisted_on, gone.tickers[-1].end) == (date(2024, 5, 1), date(2024, 5, 1))
    assert show_instrument(fresh, "AAA").record == gone


def test_sheet_counts_from_windows_and_sessions_alone(fresh: Warehouse, tell: Tell) -> None:
    (added,) = add(fresh, "GE")
    number = added.record.instrument.instrument_id
    window = "insert into ops.ingest_windows (window_id, instrument_id, timeframe, start_session, end_session, status, "
    tell(
        fresh,
        f"{window}error_code, rows_seen) overriding system value values "
        f"(11, {number}, '1m', '2024-01-02', '2024-01-04', 'published', null, 780), "
        f"(12, {number}, '1m', '2024-01-04', '2024-01-06', 'failed', 'source_unavailable', 0), "
        f"(13, {number}, '1m', '2024-01-08', '2024-01-09', 'quarantined', null, 390), "
        f"(14, {number}, '1m', '2024-01-09', '2024-01-10', 'empty_suspected', null, 0), "
        f"(15, {number}, '1m', '2024-01-10', '2024-01-11', 'empty', null, 0), "
        f"(16, {number}, '1m', '2024-01-11', '2024-01-12', 'planned', null, 0), "
        f"(17, {number}, '1m', '2024-01-12', '2024-01-13', 'running', null, 0)",
        "insert into ops.ingests (window_id, attempt, source, request_ids, payload_sha256, known_from) values "
        "(11, 1, 'tape', '{}', '', '2024-02-01T10:00Z'), (11, 2, 'tape', '{}', '', '2024-02-02T10:00Z')",
        "insert into ops.bar_sessions values "
        f"({number}, '1m', '2024-01-02', 390, '2024-01-02T14:30Z', '2024-01-02T20:59Z', 2, 2), "
        f"({number}, '1m', '2024-01-03', 389, '2024-01-03T14:30Z', '2024-01-03T20:59Z', 2, 2), "
        f"({number}, '1m', '2024-01-04', 0, null, null, 2, 2)",
        "insert into raw.massive__bars_1m_history (ts, open, high, low, close, volume, instrument_id, ingest_id, "
        f"reason, superseded_by) values ('2024-01-02T14:30Z', 1, 1, 1, 1, 1, {number}, 1, 'first', 2)",
        'insert into ops.findings (instrument_id, calendar, timeframe, ts, session, last_session, rule, "check", '
        "severity, verdict, term, evidence, state, window_id) "
        f"select {number}, 'NYSE', '1m', ('2024-01-02T14:3' || n || 'Z')::timestamptz, '2024-01-02', '2024-01-02', "
        "'a', 7, 'minor', 'suspected', 'plausibility', '{}', state, 11 "
        "from (values (0, 'open'), (1, 'dismissed')) as f (n, state)",
    )
    sheet = show_instrument(fresh, "GE")
    assert [(window.start.day, window.state, window.code) for window in sheet.windows] == [
        (2, "completed", None),
        (4, "failed", "source_unavailable"),
        (8, "failed", "quarantined"),
        (9, "empty-suspected", None),
        (10, "empty-confirmed", None),
        (11, "pending", None),
        (12, "in progress", None),
    ]
    minutes, days = sheet.statistics
    assert (minutes.bars, minutes.sessions, minutes.revisions, minutes.findings) == (779, 2, 1, 1)
    assert (minutes.first_session, minutes.last_session) == (date(2024, 1, 2), date(2024, 1, 3))
    assert minutes.last_ts == datetime(2024, 1, 3, 20, 59, tzinfo=UTC)
    assert minutes.last_ingest == datetime(2024, 2, 2, 10, tzinfo=UTC)
    assert (days.bars, days.sessions, days.first_ts, days.last_ingest) == (0, 0, None, None)
