"""The calendar table is built whatever its voters do; what they object to is on record."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from chandlery.errors import Conflict, InvalidInput, NotFound, Unavailable
from chandlery.market.session_exceptions import ExceptionKind, SessionException
from chandlery.sources.protocol import Holiday
from chandlery.steps.calendar import build_calendar, findings_as_rows, standing_disagreements
from chandlery.steps.session_exceptions import tell_exception, withdraw_exception
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]
Tell = Callable[..., None]

TAPES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tapes" / "us_daily"
NEW_YORK = ZoneInfo("America/New_York")


def found(warehouse: Warehouse, state: str | None = "open") -> list[tuple[Any, ...]]:
    rows = findings_as_rows(warehouse, state=state)
    return sorted((row["session"], row["rule"], row["severity"]) for row in rows)  # type: ignore[type-var]


def holiday(day: date, *, closed: bool = True, exchange: str = "NYSE", close: datetime | None = None) -> Holiday:
    return Holiday(exchange, day, "Day", closed, None, close)


def told(kind: ExceptionKind, starts: datetime, ends: datetime, **more: Any) -> SessionException:
    return SessionException("NYSE", kind, starts, ends, "storm", **more)


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=NEW_YORK)  # type: ignore[misc, arg-type]


def test_calendar_holds_the_sessions_of_every_market(fresh: Warehouse, ask: Ask) -> None:
    # New York in December 2012: 20 sessions, closed on Christmas Day, open until 13:00 on the 24th.
    span = {"start": date(2012, 12, 1), "end": date(2013, 1, 1)}
    receipt = build_calendar(fresh, **span)
    assert receipt.sessions == {"NYSE": 20, "24/7": 31}
    assert (receipt.first, receipt.last, receipt.changed) == (date(2012, 12, 1), date(2013, 1, 1), 51)
    assert ask(fresh, "select session::text from ops.sessions where is_early") == [("2012-12-24",)]
    assert build_calendar(fresh, **span).changed == 0
    assert ask(fresh, "select count(*) from ops.sessions") == [(51,)]
    assert receipt.disagreements == ()


def test_calendar_of_a_weekend_has_no_stock_sessions(fresh: Warehouse) -> None:
    assert build_calendar(fresh, start=date(2013, 1, 5), end=date(2013, 1, 7)).sessions == {"24/7": 2}
    assert found(fresh) == []


def test_calendar_refuses_a_reversed_range(fresh: Warehouse) -> None:
    with pytest.raises(InvalidInput, match="exclusive"):
        build_calendar(fresh, start=date(2013, 1, 5), end=date(2013, 1, 5))


@pytest.fixture(scope="module")
def whole(warehouse: Warehouse) -> Warehouse:
    build_calendar(warehouse, end=date(2027, 1, 1))
    return warehouse


def test_whole_table_begins_where_each_calendar_does(whole: Warehouse, ask: Ask) -> None:
    rows = ask(whole, "select calendar, min(session)::text, max(session)::text from ops.sessions group by 1 order by 1")
    assert rows == [("24/7", "2009-01-01", "2026-12-31"), ("NYSE", "1960-01-04", "2026-12-31")]


def test_whole_table_equals_fifty_two_years_of_real_trading(whole: Warehouse, ask: Ask) -> None:
    if not TAPES.is_dir():
        pytest.skip("recorded data lie beside the checkout in shared/data and are absent here")
    traded = pl.read_parquet(TAPES / "BA.parquet")["session"].to_list()
    query = "select session from ops.sessions where calendar = 'NYSE' and session between '1962-01-02' and '2013-12-31'"
    assert [row[0] for row in ask(whole, f"{query} order by 1")] == traded
    assert len(traded) == 13_090


def test_disputes_of_the_libraries_are_findings_and_none_is_worth_an_alarm(whole: Warehouse, ask: Ask) -> None:
    early = "select session::text from ops.calendar_findings where rule = 'early_close_is_disputed' and state = 'open'"
    assert [row[0] for row in ask(whole, f"{early} and session >= '1990-01-01' order by 1")] == [
        *("1994-02-11", "1996-01-08", "1997-10-27", "1999-12-31", "2005-06-01"),
    ]
    phantoms = "select count(*) from ops.calendar_findings where rule = 'session_is_disputed'"
    assert ask(whole, f"{phantoms} and session between '1962-01-02' and '1969-12-31'") == [(68,)]
    standing = standing_disagreements(whole)
    assert standing.worries == 0
    assert {row["severity"] for row in standing.rows} == {"info"}
    assert found(whole, "explained") == [(date(2002, 9, 11), "late_open_is_disputed", "minor")]


def test_votes_are_kept_beside_the_session(whole: Warehouse, ask: Ask) -> None:
    query = "select votes from ops.sessions where calendar = 'NYSE' and session = '2005-06-01'"
    assert ask(whole, query) == [({"pandas_market_calendars": "09:30-15:56", "exchange_calendars": "09:30-16:00"},)]
    assert ask(whole, "select distinct votes from ops.sessions where calendar = '24/7'") == [({},)]


WEEK = {"start": date(2012, 11, 19), "end": date(2012, 12, 1)}


def test_holidays_the_source_announces_as_they_are_agree(fresh: Warehouse, source_of: Any, ask: Ask) -> None:
    half = holiday(date(2012, 11, 23), closed=False, close=datetime(2012, 11, 23, 18, tzinfo=UTC))
    source = source_of(holidays=(holiday(date(2012, 11, 22)), half, holiday(date(2012, 11, 20), exchange="OTC")))
    build_calendar(fresh, source=source, **WEEK)
    assert found(fresh, None) == []
    (row,) = ask(fresh, "select votes from ops.sessions where session = '2012-11-23' and calendar = 'NYSE'")
    assert row[0]["announcements"] == "09:30-13:00"


def test_closure_the_source_announces_is_a_finding_until_the_table_follows(fresh: Warehouse, source_of: Any) -> None:
    source = source_of(holidays=(holiday(date(2012, 11, 20)), holiday(date(2012, 11, 22))))
    receipt = build_calendar(fresh, source=source, **WEEK)
    assert found(fresh) == [(date(2012, 11, 20), "holiday_is_announced", "major")]
    assert [row["rule"] for row in receipt.disagreements] == ["holiday_is_announced"]
    # Not asked is not heard; asked again without that day it no longer holds.
    build_calendar(fresh, **WEEK)
    assert len(found(fresh)) == 1
    build_calendar(fresh, source=source_of(holidays=(holiday(date(2012, 11, 22)),)), **WEEK)
    assert found(fresh) == []


def test_feed_that_is_down_is_a_finding_and_the_table_stands(fresh: Warehouse, source_of: Any) -> None:
    source = source_of(failures={"holidays": Unavailable("down")})
    assert build_calendar(fresh, source=source, **WEEK).sessions["NYSE"] == 9
    assert found(fresh) == [(date(2012, 11, 19), "provider_gives_no_vote", "minor")]
    build_calendar(fresh, source=source_of(holidays=(holiday(date(2012, 11, 22)),)), **WEEK)
    assert found(fresh) == []


def broken(_start: date, _end: date) -> pl.DataFrame:
    raise AttributeError("'Series' object has no attribute 'weekday'")


def test_library_that_breaks_is_a_finding_and_the_table_stands(fresh: Warehouse) -> None:
    receipt = build_calendar(fresh, voters={"exchange_calendars": broken}, **WEEK)
    assert receipt.sessions["NYSE"] == 9
    (row,) = findings_as_rows(fresh)
    assert (row["rule"], row["severity"]) == ("provider_gives_no_vote", "minor")
    assert "weekday" in row["evidence"]["exchange_calendars"]  # type: ignore[index]


def test_decider_that_breaks_leaves_the_sessions_that_stand(fresh: Warehouse, ask: Ask) -> None:
    build_calendar(fresh, **WEEK)
    receipt = build_calendar(fresh, decide=broken, **WEEK)
    assert (receipt.sessions["NYSE"], receipt.changed) == (9, 0)
    assert found(fresh) == [(date(2012, 11, 19), "provider_gives_no_vote", "major")]
    assert ask(fresh, "select count(*) from ops.sessions where calendar = 'NYSE'") == [(9,)]
    build_calendar(fresh, **WEEK)
    assert found(fresh) == []


def test_decider_that_breaks_before_anything_stands_is_an_error(fresh: Warehouse) -> None:
    with pytest.raises(NotFound, match="weekday"):
        build_calendar(fresh, decide=broken, **WEEK)


def traded(tell: Tell, warehouse: Warehouse, days: list[date], *, instruments: int) -> None:
    statements = []
    for number in range(1, instruments + 1):
        statements.append(
            "insert into ops.instruments (instrument_id, asset_class, calendar) overriding system value "
            f"values ({number}, 'stocks', 'NYSE')"
        )
        statements += [
            f"insert into ops.bar_sessions values ({number}, '1d', '{day}', 1, null, null, 1, 1)" for day in days
        ]
    tell(warehouse, *statements)


def test_session_in_which_nobody_trades_and_holiday_on_which_everybody_does_are_findings(
    fresh: Warehouse, tell: Tell, ask: Ask
) -> None:
    days = [date(2012, 11, day) for day in (19, 20, 22, 23, 26)]
    traded(tell, fresh, days, instruments=3)
    build_calendar(fresh, **WEEK)
    assert found(fresh) == [
        (date(2012, 11, 21), "nobody_trades_in_session", "major"),
        (date(2012, 11, 22), "everybody_trades_outside_sessions", "major"),
    ]
    (row,) = ask(fresh, "select votes from ops.sessions where session = '2012-11-21' and calendar = 'NYSE'")
    assert row[0]["data"] == "0/3"
    tell(
        fresh, *(f"insert into ops.bar_sessions values ({n}, '1d', '2012-11-21', 1, null, null, 1, 1)" for n in (1, 2))
    )
    build_calendar(fresh, **WEEK)
    assert [row[1] for row in found(fresh)] == ["everybody_trades_outside_sessions"]


def test_real_holes_of_one_series_are_not_taken_for_holidays(fresh: Warehouse, tell: Tell) -> None:
    if not TAPES.is_dir():
        pytest.skip("recorded data lie beside the checkout in shared/data and are absent here")
    # AAPL lacks 1981-08-10 and 1983-09-23 and has a bar on 1985-09-27, when the exchange was closed.
    for number, symbol in enumerate(("AAPL", "BA", "GE"), start=1):
        days = pl.read_parquet(TAPES / f"{symbol}.parquet")["session"]
        chosen = days.filter((days >= date(1981, 1, 1)) & (days < date(1986, 1, 1)))
        values = ", ".join(f"({number}, '1d', '{day}', 1, null, null, 1, 1)" for day in chosen)
        tell(
            fresh,
            "insert into ops.instruments (instrument_id, asset_class, calendar) overriding system value "
            f"values ({number}, 'stocks', 'NYSE')",
            f"insert into ops.bar_sessions values {values}",
        )
    build_calendar(fresh, start=date(1981, 1, 1), end=date(1986, 1, 1))
    assert [row for row in found(fresh) if "trades" in row[1]] == []


def test_closure_of_the_venue_takes_its_session_away_and_back(fresh: Warehouse, ask: Ask) -> None:
    build_calendar(fresh, **WEEK)
    closure = told(ExceptionKind.CLOSURE, local(2012, 11, 27), local(2012, 11, 28))
    stored = tell_exception(fresh, closure, source="person", evidence={"link": "notice"})
    day = "select count(*) from ops.sessions where calendar = 'NYSE' and session = '2012-11-27'"
    assert ask(fresh, day) == [(0,)]
    explained = [row for row in findings_as_rows(fresh, state="explained") if row["session"] == date(2012, 11, 27)]
    assert explained[0]["evidence"]["explanation"] == "closure: storm"  # type: ignore[index]
    # A rebuild keeps it.
    build_calendar(fresh, **WEEK)
    assert ask(fresh, day) == [(0,)]
    assert withdraw_exception(fresh, stored.exception_id) == closure
    assert ask(fresh, day) == [(1,)]


def test_early_close_moves_the_close_and_explains_the_dispute(fresh: Warehouse, ask: Ask) -> None:
    build_calendar(fresh, start=date(1999, 12, 20), end=date(2000, 1, 8))
    assert (date(1999, 12, 31), "early_close_is_disputed", "info") in found(fresh)
    early = told(ExceptionKind.EARLY_CLOSE, local(1999, 12, 31, 13), local(2000, 1, 1))
    tell_exception(fresh, early, source="person", evidence={})
    query = "select close, is_early, votes ->> 'exception' from ops.sessions where session = '1999-12-31'"
    assert ask(fresh, f"{query} and calendar = 'NYSE'") == [
        (datetime(1999, 12, 31, 18, tzinfo=UTC), True, "early_close: storm")
    ]
    assert (date(1999, 12, 31), "early_close_is_disputed", "info") in found(fresh, "explained")


def test_halt_and_exception_of_one_symbol_are_kept_and_change_nothing(fresh: Warehouse, ask: Ask, tell: Tell) -> None:
    build_calendar(fresh, **WEEK)
    before = ask(fresh, "select *, xmin from ops.sessions order by 1, 2")
    tell(fresh, "insert into ops.instruments (asset_class, calendar) values ('stocks', 'NYSE')")
    halt = told(ExceptionKind.HALT, local(2012, 11, 27, 10), local(2012, 11, 27, 11))
    closure = told(ExceptionKind.CLOSURE, local(2012, 11, 27), local(2012, 11, 28), instrument_id=1)
    for exception in (halt, closure):
        tell_exception(fresh, exception, source="person", evidence={})
    assert ask(fresh, "select *, xmin from ops.sessions order by 1, 2") == before
    assert ask(fresh, "select count(*) from ops.session_exceptions") == [(2,)]
    with pytest.raises(Conflict, match="already there"):
        tell_exception(fresh, halt, source="person", evidence={})


def test_exception_that_would_change_nothing_is_refused(fresh: Warehouse, ask: Ask) -> None:
    build_calendar(fresh, **WEEK)
    saturday = told(ExceptionKind.CLOSURE, local(2012, 11, 24), local(2012, 11, 25))
    with pytest.raises(InvalidInput, match="none of them would change"):
        tell_exception(fresh, saturday, source="person", evidence={})
    unknown = SessionException("XLON", ExceptionKind.HALT, local(2012, 11, 27), local(2012, 11, 28), "storm")
    with pytest.raises(InvalidInput, match="XLON"):
        tell_exception(fresh, unknown, source="person", evidence={})
    with pytest.raises(NotFound, match="Exception 7"):
        withdraw_exception(fresh, 7)
    assert ask(fresh, "select count(*) from ops.session_exceptions") == [(0,)]


def test_crypto_venue_can_close_as_well(fresh: Warehouse, ask: Ask) -> None:
    build_calendar(fresh, **WEEK)
    day = datetime(2012, 11, 27, tzinfo=UTC)
    closure = SessionException("24/7", ExceptionKind.CLOSURE, day, day + timedelta(days=1), "venue was down")
    tell_exception(fresh, closure, source="person", evidence={})
    assert ask(fresh, "select count(*) from ops.sessions where calendar = '24/7' and session = '2012-11-27'") == [(0,)]
