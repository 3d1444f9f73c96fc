"""From a source's records to a judged list: what is fetched, kept, believed and shown."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import psycopg
import pytest

from chandlery.errors import InvalidInput, NotFound, SourceError, Unavailable
from chandlery.market.actions import ActionKind, Status
from chandlery.market.calendar import sessions
from chandlery.sources.protocol import Dividend, Split, TickerChange
from chandlery.steps.actions import find_actions, ingest_actions, judge_actions, suspected_actions
from chandlery.steps.recorded_actions import ingest_dividends, ingest_splits, ingest_ticker_events
from chandlery.store.recorded_actions import Changes
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]
Tell = Callable[..., None]
EARLY, LATE = date(2022, 6, 22), date(2022, 6, 29)
SHOP = (Split("SHOP", EARLY, 1, 10), Split("SHOP", LATE, 1, 10))


@dataclass
class Records:
    """A source of corporate actions alone; the first `hiccups` answers are empty, as the vendor's are under load."""

    splits: dict[str, tuple[Split, ...]] = field(default_factory=dict)
    dividends: dict[str, tuple[Dividend, ...]] = field(default_factory=dict)
    changes: dict[str, tuple[TickerChange, ...]] = field(default_factory=dict)
    failures: dict[str, SourceError] = field(default_factory=dict)
    hiccups: int = 0
    asked: list[str] = field(default_factory=list)

    def _answer(self, symbol: str, rows: tuple[Any, ...]) -> tuple[Any, ...]:
        self.asked.append(symbol)
        if symbol in self.failures:
            raise self.failures[symbol]
        if self.hiccups:
            self.hiccups -= 1
            return ()
        return rows

    def fetch_splits(self, symbol: str) -> tuple[Split, ...]:
        return self._answer(symbol, self.splits.get(symbol, ()))

    def fetch_dividends(self, symbol: str) -> tuple[Dividend, ...]:
        return self._answer(symbol, self.dividends.get(symbol, ()))

    def fetch_ticker_changes(self, symbol: str) -> tuple[TickerChange, ...]:
        return self._answer(symbol, self.changes.get(symbol, ()))


def source(**facts: Any) -> Any:
    return Records(**facts)


def listed(tell: Tell, warehouse: Warehouse, *symbols: str) -> None:
    """Track stocks (and crypto, by prefix) as instruments 1, 2, ..."""
    for number, symbol in enumerate(symbols, start=1):
        kind, calendar = ("crypto", "24/7") if symbol.startswith("X:") else ("stocks", "NYSE")
        tell(
            warehouse,
            "insert into ops.instruments (instrument_id, asset_class, calendar) overriding system value "
            f"values ({number}, '{kind}', '{calendar}')",
            f"insert into ops.instrument_tickers values ('{symbol}', '1900-01-01', null, {number}, 'tape')",
        )


def days(jumps: dict[date, float], start: date = date(2022, 1, 3), end: date = date(2022, 9, 1)) -> pl.DataFrame:
    """Return `ts`, `session`, `open`, `close` of a 1 %-a-day walk on NYSE sessions, multiplied by `jumps`."""
    dice, price, rows = random.Random(11), 700.0, []
    for row in sessions("NYSE", start, end).iter_rows(named=True):
        price *= jumps.get(row["session"], 1.0)
        opening = price * (1 + dice.gauss(0, 0.004))
        price = opening * (1 + dice.gauss(0, 0.009))
        rows.append(
            {"ts": row["day_ts"], "at": row["open"], "session": row["session"], "open": opening, "close": price}
        )
    return pl.DataFrame(rows)


def land(warehouse: Warehouse, table: str, rows: list[tuple[object, ...]]) -> None:
    """Put (ts, open, close) of instrument 1 into a table of bars."""
    with psycopg.connect(warehouse.url("owner")) as connection, connection.cursor() as cursor:
        cursor.executemany(
            f"insert into raw.{table} (ts, open, high, low, close, volume, instrument_id, ingest_id, reason) "
            "values (%s, %s, 9e9, 0.01, %s, 100, 1, 1, 'first')",
            rows,
        )


def land_days(warehouse: Warehouse, frame: pl.DataFrame) -> None:
    land(warehouse, "massive__bars_1d", frame.select("ts", "open", "close").rows())


def dividend(symbol: str, day: date, cash: str, kind: str = "CD") -> Dividend:
    return Dividend(symbol, day, Decimal(cash), "USD", kind, pay_date=day + timedelta(days=14), frequency=4)


def verdicts(warehouse: Warehouse, symbol: str, **choices: Any) -> list[tuple[date, str, str]]:
    found = find_actions(warehouse, symbol, **choices)
    return [(item.ex_date, item.status.value, str(item.evidence["reason"])) for item in found]


def test_splits_of_tracked_stocks_are_stored_once(fresh: Warehouse, ask: Ask, tell: Tell) -> None:
    listed(tell, fresh, "AAPL", "GE", "X:BTCUSD")
    records = source(
        splits={
            "AAPL": (Split("AAPL", date(2000, 6, 21), 1, 2), Split("AAPL", date(2014, 6, 9), 1, 7)),
            "BA": (Split("BA", date(1997, 6, 9), 1, 2),),
            "GE": (Split("GE", date(2021, 8, 2), 8, 1),),
        }
    )
    receipt = ingest_splits(records, fresh, source_name="tape")
    assert (receipt.instruments, receipt.recorded, receipt.changes) == (2, 3, Changes(3, 0))
    assert receipt.rows[-1] == {"symbol": "GE", "date": "2021-08-02", "ratio": "1:8"}
    again = ingest_splits(records, fresh, source_name="tape")
    assert (again.recorded, again.changes) == (3, Changes())
    query = (
        "select ticker, execution_date::text, split_from, split_to, raw.massive__splits.source "
        "from raw.massive__splits join ops.instrument_tickers using (instrument_id) order by 1, 2"
    )
    assert ask(fresh, query) == [
        ("AAPL", "2000-06-21", 1, 2, "tape"),
        ("AAPL", "2014-06-09", 1, 7, "tape"),
        ("GE", "2021-08-02", 8, 1, "tape"),
    ]
    assert "X:BTCUSD" not in records.asked


def test_dividends_and_tickers_are_stored_as_recorded(fresh: Warehouse, ask: Ask, tell: Tell) -> None:
    listed(tell, fresh, "META")
    records = source(
        dividends={"META": (dividend("META", date(2024, 2, 21), "0.5"),)},
        changes={"META": (TickerChange(date(2012, 5, 18), "FB"), TickerChange(date(2022, 6, 9), "META"))},
    )
    assert ingest_dividends(records, fresh, source_name="massive").changes == Changes(1, 0)
    assert ingest_ticker_events(records, fresh, source_name="massive").changes == Changes(2, 0)
    columns = "ex_dividend_date::text, cash_amount::text, currency, kind, pay_date::text, frequency"
    query = f"select {columns} from raw.massive__dividends"
    assert ask(fresh, query) == [("2024-02-21", "0.5", "USD", "CD", "2024-03-06", 4)]
    query = "select event_date::text, kind, ticker from raw.massive__ticker_events order by 1"
    assert ask(fresh, query) == [("2012-05-18", "ticker_change", "FB"), ("2022-06-09", "ticker_change", "META")]


def test_renamed_instrument_has_what_its_tickers_had_while_it_held_them(fresh: Warehouse, ask: Ask, tell: Tell) -> None:
    listed(tell, fresh, "META")
    tell(
        fresh,
        "update ops.instrument_tickers set valid_from = '2022-06-09'",
        "insert into ops.instrument_tickers values ('FB', '2012-05-18', '2022-06-09', 1, 'tape')",
    )
    # The fund that was called META before, and a company that is called FB after, are others.
    records = source(
        dividends={
            "META": (dividend("META", date(2021, 12, 29), "0.07"), dividend("META", date(2024, 2, 21), "0.5")),
            "FB": (dividend("FB", date(2020, 3, 2), "0.1"), dividend("FB", date(2023, 3, 2), "9.9")),
        }
    )
    ingest_dividends(records, fresh, source_name="massive")
    query = "select ex_dividend_date::text from raw.massive__dividends order by 1"
    assert ask(fresh, query) == [("2020-03-02",), ("2024-02-21",)]


def test_vanished_record_ends_and_an_empty_answer_is_asked_for_twice(fresh: Warehouse, ask: Ask, tell: Tell) -> None:
    listed(tell, fresh, "SHOP")
    ingest_splits(source(splits={"SHOP": SHOP}), fresh, source_name="massive")
    for_a_moment = source(splits={"SHOP": SHOP}, hiccups=1)
    assert ingest_splits(for_a_moment, fresh, source_name="massive").changes == Changes()
    assert ingest_splits(source(splits={"SHOP": SHOP[1:]}), fresh, source_name="massive").changes == Changes(0, 1)
    assert ingest_splits(source(), fresh, source_name="massive").changes == Changes(0, 1)
    assert ask(fresh, "select count(*), count(known_to) from raw.massive__splits") == [(2, 2)]


def test_source_that_is_down_is_an_error_and_earlier_symbols_are_kept(fresh: Warehouse, ask: Ask, tell: Tell) -> None:
    listed(tell, fresh, "AAPL", "SHOP")
    records = source(splits={"AAPL": (Split("AAPL", date(2000, 6, 21), 1, 2),)}, failures={"SHOP": Unavailable("down")})
    with pytest.raises(Unavailable):
        ingest_splits(records, fresh, source_name="massive")
    assert ask(fresh, "select count(*) from raw.massive__splits") == [(1,)]


def test_chosen_symbols_alone_are_fetched(fresh: Warehouse, tell: Tell) -> None:
    listed(tell, fresh, "AAPL", "SHOP")
    records = source(splits={"SHOP": SHOP})
    assert ingest_splits(records, fresh, source_name="massive", symbols=("shop",)).recorded == 2
    assert records.asked == ["SHOP"]
    with pytest.raises(NotFound, match="TSLA is not tracked"):
        ingest_splits(records, fresh, source_name="massive", symbols=("TSLA",))


def test_shop_is_split_once_as_soon_as_its_price_shows_when(fresh: Warehouse, tell: Tell) -> None:
    listed(tell, fresh, "SHOP")
    prices = days({LATE: 0.1})
    before = prices.filter(pl.col("session") < LATE)
    land_days(fresh, before)
    first = ingest_actions(source(splits={"SHOP": SHOP}), fresh, source_name="massive")
    assert (first.accepted, first.suspected, first.rejected) == (0, 2, 0)
    assert [(row["symbol"], row["action"], row["reason"]) for row in suspected_actions(fresh).rows] == [
        ("SHOP", "split 10:1", "collides_without_a_jump")
    ] * 2
    land_days(fresh, prices.filter(pl.col("session") == LATE))
    assert judge_actions(fresh).changes == Changes(2, 2)
    assert verdicts(fresh, "SHOP") == [(EARLY, "rejected", "duplicate"), (LATE, "accepted", "prices_jump")]
    assert suspected_actions(fresh).suspected == 0
    land_days(fresh, prices.filter(pl.col("session") > LATE))
    assert judge_actions(fresh).changes == Changes()


def test_verdict_of_a_past_instant_stays_what_it_was(fresh: Warehouse, tell: Tell) -> None:
    listed(tell, fresh, "SHOP")
    ingest_actions(source(splits={"SHOP": SHOP}), fresh, source_name="massive")
    then = find_actions(fresh, "SHOP")[0].known_from
    land_days(fresh, days({LATE: 0.1}))
    judge_actions(fresh)
    assert {status for _, status, _ in verdicts(fresh, "SHOP", as_of=then)} == {"suspected"}
    assert {status for _, status, _ in verdicts(fresh, "SHOP")} == {"rejected", "accepted"}


def test_minutes_are_evidence_where_there_are_no_day_bars(fresh: Warehouse, tell: Tell) -> None:
    listed(tell, fresh, "SHOP")
    calendar = sessions("NYSE", date(2022, 1, 3), date(2022, 9, 1))
    with psycopg.connect(fresh.url("owner")) as connection, connection.cursor() as cursor:
        names = ", ".join(calendar.columns)
        places = ", ".join(["%s"] * calendar.width)
        cursor.executemany(f"insert into ops.sessions ({names}) values ({places})", calendar.rows())
    minutes = []
    for row in days({LATE: 0.1}).iter_rows(named=True):
        # The last minute before the session and the first after it would tell of a jump a day early.
        minutes += [
            (row["at"] - timedelta(minutes=1), row["open"] / 10, row["open"] / 10),
            (row["at"], row["open"], row["open"] * 1.001),
            (row["at"] + timedelta(minutes=389), row["close"], row["close"]),
            (row["at"] + timedelta(minutes=390), row["close"] / 10, row["close"] / 10),
        ]
    land(fresh, "massive__bars_1m", minutes)
    ingest_actions(source(splits={"SHOP": SHOP}), fresh, source_name="massive")
    assert verdicts(fresh, "SHOP") == [(EARLY, "rejected", "duplicate"), (LATE, "accepted", "prices_jump")]
    moved = find_actions(fresh, "SHOP")[1].evidence["moved"]
    expected = days({LATE: 0.1}).with_columns(before=pl.col("close").shift(1)).filter(pl.col("session") == LATE)
    candidates = [expected["open"][0] / expected["before"][0], expected["close"][0] / expected["before"][0]]
    assert any(moved == pytest.approx(value, abs=1e-6) for value in candidates)


def test_dividend_is_set_against_the_close_of_the_session_before(fresh: Warehouse, tell: Tell) -> None:
    listed(tell, fresh, "AAPL")
    prices = days({})
    land_days(fresh, prices)
    ex_date = prices["session"][60]
    ingest_actions(source(dividends={"AAPL": (dividend("AAPL", ex_date, "2.65"),)}), fresh, source_name="massive")
    (action,) = find_actions(fresh, "AAPL", kind=ActionKind.CASH_DIVIDEND)
    assert (action.status, action.cash) == (Status.ACCEPTED, Decimal("2.65"))
    assert action.evidence["share_of_previous_close"] == pytest.approx(2.65 / prices["close"][59], abs=1e-6)


def test_symbol_without_actions_has_none_and_an_unknown_one_is_an_error(fresh: Warehouse, tell: Tell) -> None:
    listed(tell, fresh, "AAPL")
    assert find_actions(fresh, "aapl") == ()
    with pytest.raises(NotFound, match="TSLA is not tracked"):
        find_actions(fresh, "TSLA")
    with pytest.raises(InvalidInput):
        find_actions(fresh, "A APL")


def test_session_of_a_day_bar_is_its_day_in_new_york(fresh: Warehouse, tell: Tell) -> None:
    # 04:00Z in summer, 05:00Z in winter: a UTC date would put neither wrong, a zone of Tokyo both.
    listed(tell, fresh, "AAPL")
    winter = days({}, date(2022, 2, 1), date(2022, 2, 20))
    assert {
        row["ts"].astimezone(ZoneInfo("America/New_York")).date() == row["session"]
        for row in winter.iter_rows(named=True)
    } == {True}
    land_days(fresh, winter)
    record = Split("AAPL", winter["session"][5], 1, 2)
    ingest_actions(source(splits={"AAPL": (record,)}), fresh, source_name="massive")
    (action,) = find_actions(fresh, "AAPL")
    assert action.evidence["session"] == str(winter["session"][5])
