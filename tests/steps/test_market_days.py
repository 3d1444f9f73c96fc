"""Whole market days: what is tracked becomes windows, whatever the answer or the file holds besides."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import polars as pl
import pytest
from pydantic import SecretStr

from chandlery import clock
from chandlery.errors import BadPayload, InvalidInput, Unavailable
from chandlery.market.timeframes import Timeframe
from chandlery.sources import FlatFiles, MassiveSource, OpenGate
from chandlery.sources.flatfiles import flat_path
from chandlery.sources.standin import ask as ask_app
from chandlery.sources.standin import create_app
from chandlery.sources.standin.faults import FAULTS, FaultScript, Planned
from chandlery.sources.tapes import Tape
from chandlery.steps.bars import ingest_bars
from chandlery.steps.calendar import build_calendar
from chandlery.steps.market_days import MarketReceipt, ingest_flat_files, ingest_market_days
from chandlery.steps.universe import sync_universe
from chandlery.store.history import Series, bars_as_of
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]

WEDNESDAY, THURSDAY, FRIDAY = date(2022, 6, 8), date(2022, 6, 9), date(2022, 6, 10)
"""On the Thursday FB became META."""
NEW_YORK = ZoneInfo("America/New_York")
TRACKED = ("AAPL", "META")
MINUTES = 30

Line = tuple[str, int, float, float, float]
"""Ticker, minute after 09:30, close, volume, vwap."""


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=NEW_YORK)


def _row(ticker: str, day: date, close: float, volume: float) -> dict[str, Any]:
    prices = {"open": close - 0.25, "high": close + 0.5, "low": close - 0.5, "close": close}
    return {"symbol": ticker, "session": day, **prices, "volume": volume, "vwap": close - 0.125, "trade_count": 9}


DAYS = [
    _row("AAPL", WEDNESDAY, 147.75, 53_950_200.0),
    _row("AAPL", THURSDAY, 142.5, 69_473_000.0),
    _row("FB", WEDNESDAY, 196.5, 20_450_900.0),
    _row("META", THURSDAY, 184.0, 23_501_500.0),
    _row("ZZZT", WEDNESDAY, 10.0, 100.0),
    _row("ZZZT", THURSDAY, 11.0, 100.0),
]
RENAMED = """{"instruments": [{"ticker": "META", "listed_on": "2012-05-18", "changes": [
    {"day": "2012-05-18", "ticker": "FB"}, {"day": "2022-06-09", "ticker": "META"}]}]}"""


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Tape:
    """Two days of two tracked stocks and a stranger, and half an hour of minutes of each day."""
    folder = tmp_path_factory.mktemp("tape")
    for name in ("us_daily", "us_minute"):
        (folder / name).mkdir()
    (folder / "tickers.json").write_text(RENAMED, encoding="utf-8")
    days = pl.DataFrame(DAYS)
    days.write_parquet(folder / "us_daily/days.parquet")
    minutes = [
        {**{key: value for key, value in row.items() if key != "session"}, "t": opening + place * 60_000}
        for row in DAYS
        for opening in [round((_midnight(row["session"]) + timedelta(hours=9, minutes=30)).timestamp() * 1000)]
        for place in range(MINUTES)
    ]
    pl.DataFrame(minutes).write_parquet(folder / "us_minute/minutes.parquet")
    return Tape.open(folder)


@dataclass(frozen=True)
class Market:
    """A database that tracks two stocks, a provider in process, and a folder for flat files."""

    db: Warehouse
    query: Ask
    tape: Tape
    folder: Path

    def source(self, script: FaultScript | None = None, asked: list[str] | None = None) -> MassiveSource:
        app = create_app(self.tape, faults=script)

        def answer(request: httpx.Request) -> httpx.Response:
            if asked is not None:
                asked.append(request.url.path)
            answered = ask_app(app, request.url.raw_path.decode("ascii"), headers=dict(request.headers))
            return httpx.Response(answered.status, headers=dict(answered.headers), content=answered.content)

        return MassiveSource(
            base_url="https://api.massive.com",
            api_key=SecretStr("any"),
            gate=OpenGate(),
            retries=1,
            timeout_s=5.0,
            transport=httpx.MockTransport(answer),
            sleep=lambda _: None,
            random=Random(1),
        )

    def ask(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        return self.query(self.db, query, *parameters)

    def windows(self, timeframe: str = "1d", columns: str = "status, rows_seen") -> list[tuple[Any, ...]]:
        """Return symbol (the present one), session and more of every window."""
        tables = "ops.ingest_windows join ops.instrument_tickers using (instrument_id)"
        query = f"select ticker, start_session, {columns} from {tables} where valid_to is null and timeframe = %s"
        return self.ask(query + " order by 1, 2", timeframe)

    def series(self, symbol: str) -> Series:
        ((number,),) = self.ask("select instrument_id from ops.instrument_tickers where ticker = %s", symbol)
        return Series(number, Timeframe.D1, _midnight(WEDNESDAY), _midnight(FRIDAY))

    def days(self, symbol: str, *columns: str, as_of: datetime | None = None) -> list[tuple[Any, ...]]:
        return bars_as_of(self.db, self.series(symbol), as_of).select(*columns).rows()

    def grouped(self, script: FaultScript | None = None, *, end: date = FRIDAY) -> MarketReceipt:
        return ingest_market_days(self.source(script), self.db, start=WEDNESDAY, end=end)

    def keep(
        self, day: date, *rows: dict[str, Any], timeframe: Timeframe = Timeframe.D1, cut: int | None = None
    ) -> None:
        """Put a file in its place as the vendor writes it; nothing here is the code under test's own."""
        names = ("symbol", "volume", "open", "close", "high", "low")
        start = round(_midnight(day).timestamp()) * 1_000_000_000
        lines = [",".join([*(str(row[name]) for name in names), str(row.get("at", start)), "9"]) for row in rows]
        text = "\n".join(["ticker,volume,open,close,high,low,window_start,transactions", *lines, ""])
        path = self.folder / flat_path(timeframe, day)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(text.encode(), mtime=0)[:cut])

    def keep_both(self) -> None:
        for day in (WEDNESDAY, THURSDAY):
            self.keep(day, *(row for row in DAYS if row["session"] == day))

    def flat(self, timeframe: Timeframe = Timeframe.D1) -> MarketReceipt:
        files = FlatFiles(str(self.folder), gate=OpenGate())
        return ingest_flat_files(files, self.db, timeframe=timeframe, start=WEDNESDAY, end=FRIDAY)


@pytest.fixture
def market(fresh: Warehouse, ask: Ask, tape: Tape, tmp_path: Path) -> Market:
    made = Market(fresh, ask, tape, tmp_path)
    sync_universe(made.source(), fresh, symbols=TRACKED, source_name="massive")
    build_calendar(fresh, start=date(2022, 6, 1), end=date(2022, 7, 1))
    return made


def _expected(day: date, *tickers: str) -> list[tuple[float, float]]:
    return [(row["close"], row["volume"]) for row in DAYS if row["session"] == day and row["symbol"] in tickers]


def _check_both_days(market: Market) -> None:
    for symbol, tickers in (("AAPL", ("AAPL",)), ("META", ("FB", "META"))):
        expected = _expected(WEDNESDAY, *tickers) + _expected(THURSDAY, *tickers)
        assert market.days(symbol, "close", "volume") == expected
    assert market.windows() == [
        ("AAPL", WEDNESDAY, "published", 1),
        ("AAPL", THURSDAY, "published", 1),
        ("META", WEDNESDAY, "published", 1),
        ("META", THURSDAY, "published", 1),
    ]


def test_grouped_days_become_windows_of_the_tracked_stocks_in_one_call_a_session(market: Market) -> None:
    receipt = market.grouped()
    _check_both_days(market)
    assert (receipt.sessions, receipt.bars.requests, receipt.bars.total("rows_new")) == (2, 2, 4)
    assert market.ask("select count(*) from raw.massive__bars_1d") == [(4,)], "nothing of ZZZT"
    assert market.days("AAPL", "ts") == [(_midnight(WEDNESDAY),), (_midnight(THURSDAY),)]


def test_flat_files_become_windows_of_the_tracked_stocks(market: Market) -> None:
    market.keep_both()
    receipt = market.flat()
    _check_both_days(market)
    assert (receipt.unchanged, receipt.absent) == ((), ())
    assert market.days("META", "vwap", "trade_count") == [(None, 9), (None, 9)]


def test_ticker_of_the_day_leads_to_one_series(market: Market) -> None:
    # The vendor's file of the Thursday may still hold the old ticker; by then it is somebody else's.
    market.keep(WEDNESDAY, _row("FB", WEDNESDAY, 196.5, 5.0), _row("META", WEDNESDAY, 9.0, 1.0))
    market.keep(THURSDAY, _row("FB", THURSDAY, 8.0, 1.0), _row("META", THURSDAY, 184.0, 6.0))
    market.flat()
    assert market.days("META", "close", "volume") == [(196.5, 5.0), (184.0, 6.0)]
    assert market.ask("select count(distinct instrument_id) from raw.massive__bars_1d") == [(1,)]


def test_unchanged_file_is_not_read_again(market: Market) -> None:
    market.keep_both()
    market.flat()
    before = market.ask("select path, etag, rows, ingests from ops.flat_files order by 1")
    assert [(path, rows, ingests) for path, _, rows, ingests in before] == [
        (flat_path(Timeframe.D1, WEDNESDAY), 3, 1),
        (flat_path(Timeframe.D1, THURSDAY), 3, 1),
    ]
    again = market.flat()
    assert (again.unchanged, again.bars.symbols) == ((WEDNESDAY, THURSDAY), ())
    assert market.ask("select path, etag, rows, ingests from ops.flat_files order by 1") == before
    assert market.windows(columns="attempts")[0] == ("AAPL", WEDNESDAY, 1)


def test_replaced_file_brings_versions_and_keeps_the_state_before(market: Market) -> None:
    market.keep_both()
    market.flat()
    instant = clock.now()
    market.keep(THURSDAY, _row("AAPL", THURSDAY, 142.625, 69_473_000.0), _row("META", THURSDAY, 184.0, 23_501_500.0))
    receipt = market.flat()
    assert (receipt.unchanged, receipt.bars.reasons) == ((WEDNESDAY,), (("vendor_correction", 1),))
    assert market.days("AAPL", "close") == [(147.75,), (142.625,)]
    assert market.days("AAPL", "close", as_of=instant) == [(147.75,), (142.5,)]
    assert market.ask("select close, reason from raw.massive__bars_1d_history") == [(142.5, "first")]
    assert market.ask("select ingests, rows from ops.flat_files order by path") == [(1, 3), (2, 2)]


def test_doubled_rows_collapse_and_contradicting_ones_are_held(market: Market) -> None:
    # As 2019-08-13, which the vendor published with every row doubled.
    rows = [row for row in DAYS if row["session"] == WEDNESDAY]
    market.keep(WEDNESDAY, *rows, *rows)
    other = _row("META", THURSDAY, 185.0, 23_501_500.0)
    market.keep(THURSDAY, *(row for row in DAYS if row["session"] == THURSDAY), other)
    receipt = market.flat()
    assert market.days("AAPL", "close", "volume") == _expected(WEDNESDAY, "AAPL") + _expected(THURSDAY, "AAPL")
    assert market.days("META", "close", "volume") == _expected(WEDNESDAY, "FB")
    held = market.ask("select close, rules from raw.massive__quarantine order by ts, close")
    assert held == [
        (147.75, ["bar_is_not_repeated"]),
        (196.5, ["bar_is_not_repeated"]),
        (184.0, ["key_is_unique"]),
        (185.0, ["key_is_unique"]),
    ]
    assert receipt.bars.total("rows_held") == 4
    market.keep(THURSDAY, *(row for row in DAYS if row["session"] == THURSDAY))
    market.flat()
    assert market.days("META", "close") == [(196.5,), (184.0,)]


def test_file_cut_short_is_refused_and_earlier_sessions_stay(market: Market) -> None:
    market.keep_both()
    market.keep(THURSDAY, *(row for row in DAYS if row["session"] == THURSDAY), cut=60)
    with pytest.raises(BadPayload, match=r"2022-06-09\.csv\.gz .*cannot be unpacked"):
        market.flat()
    assert market.windows(columns="status, error_code") == [
        ("AAPL", WEDNESDAY, "published", None),
        ("AAPL", THURSDAY, "failed", "bad_payload"),
        ("META", WEDNESDAY, "published", None),
        ("META", THURSDAY, "failed", "bad_payload"),
    ]
    assert market.ask("select count(*) from raw.massive__bars_1d") == [(2,)]
    assert market.ask("select path from ops.flat_files") == [(flat_path(Timeframe.D1, WEDNESDAY),)]
    market.keep_both()
    assert market.flat().unchanged == (WEDNESDAY,)
    _check_both_days(market)


def test_session_without_a_file_is_absent_and_has_no_window(market: Market) -> None:
    market.keep(THURSDAY, *(row for row in DAYS if row["session"] == THURSDAY))
    receipt = market.flat()
    assert receipt.absent == (WEDNESDAY,)
    assert {session for _, session, *_ in market.windows()} == {THURSDAY}


def test_tracked_stock_the_file_does_not_hold_has_an_empty_day(market: Market) -> None:
    market.keep(WEDNESDAY, _row("AAPL", WEDNESDAY, 147.75, 5.0))
    receipt = market.flat()
    assert receipt.bars.suspected_empty == ()
    assert market.windows(columns="status") == [
        ("AAPL", WEDNESDAY, "published"),
        ("META", WEDNESDAY, "empty"),
    ]


def test_stock_has_no_window_on_days_it_was_not_listed(market: Market, tell: Callable[..., None]) -> None:
    tell(market.db, "update ops.instruments set listed_on = '2022-06-09' where name like 'AAPL%'")
    market.grouped()
    assert [(symbol, session) for symbol, session, *_ in market.windows()] == [
        ("AAPL", THURSDAY),
        ("META", WEDNESDAY),
        ("META", THURSDAY),
    ]


def test_vwap_known_from_rest_survives_a_file_that_says_the_same(market: Market) -> None:
    market.grouped()
    market.keep_both()
    receipt = market.flat()
    assert receipt.bars.sessions == 0
    assert market.days("AAPL", "vwap") == [(147.625,), (142.375,)]
    market.keep(THURSDAY, _row("AAPL", THURSDAY, 142.625, 7.0), _row("META", THURSDAY, 184.0, 23_501_500.0))
    market.flat()
    assert market.days("AAPL", "close", "vwap") == [(147.75, 147.625), (142.625, None)], "of other prices it was"


def test_vwap_that_rest_knows_is_added_to_what_a_file_brought(market: Market) -> None:
    market.keep_both()
    market.flat()
    receipt = market.grouped()
    assert receipt.bars.total("rows_revised") == 4
    assert market.days("META", "close", "vwap") == [(196.5, 196.375), (184.0, 183.875)]
    market.keep(WEDNESDAY, *reversed([row for row in DAYS if row["session"] == WEDNESDAY]))
    assert market.flat().bars.sessions == 0
    assert market.days("META", "vwap") == [(196.375,), (183.875,)]


def test_outage_ends_the_run_and_earlier_sessions_stay(market: Market) -> None:
    down = Planned(FAULTS["server_error_502"].make(), path="/v2/aggs/grouped/*", nth=2, times=0)
    with pytest.raises(Unavailable):
        market.grouped(FaultScript(planned=(down,)))
    assert market.windows(columns="status, error_code") == [
        ("AAPL", WEDNESDAY, "published", None),
        ("AAPL", THURSDAY, "failed", "source_unavailable"),
        ("META", WEDNESDAY, "published", None),
        ("META", THURSDAY, "failed", "source_unavailable"),
    ]
    market.grouped()
    _check_both_days(market)


def test_empty_market_day_is_suspected_until_a_second_run_agrees(market: Market) -> None:
    empty = Planned(FAULTS["results_null"].make(), path="/v2/aggs/grouped/*", times=0)
    for status in ("empty_suspected", "empty"):
        market.grouped(FaultScript(planned=(empty,)), end=THURSDAY)
        assert [row[2] for row in market.windows()] == [status, status]
    market.grouped()
    _check_both_days(market)


def test_minute_files_hold_every_minute_of_the_session(market: Market) -> None:
    opening = round((_midnight(WEDNESDAY) + timedelta(hours=9, minutes=30)).timestamp())
    stamps = [(opening + place * 60) * 1_000_000_000 for place in range(390)]
    rows = [{**_row("FB", WEDNESDAY, 196.5, 500.0 + place), "at": at} for place, at in enumerate(stamps)]
    market.keep(WEDNESDAY, *rows, timeframe=Timeframe.M1)
    receipt = market.flat(Timeframe.M1)
    assert receipt.absent == (THURSDAY,)
    stored = market.ask("select (extract(epoch from ts) * 1000000000)::bigint, volume from raw.massive__bars_1m")
    assert sorted(stored) == [(at, 500.0 + place) for place, at in enumerate(stamps)]
    assert market.ask("select rule from ops.findings") == []


def test_files_of_other_timeframes_do_not_exist(market: Market) -> None:
    with pytest.raises(InvalidInput, match="1m and 1d"):
        market.flat(Timeframe.H1)


@pytest.mark.parametrize("timeframe", [Timeframe.D1, Timeframe.M1])
def test_windows_of_a_renamed_stock_are_asked_for_under_the_ticker_of_their_days(
    market: Market, timeframe: Timeframe
) -> None:
    asked: list[str] = []
    source = market.source(asked=asked)
    span = (WEDNESDAY, FRIDAY)
    receipt = ingest_bars(source, market.db, timeframe=timeframe, start=span[0], end=span[1], spans={"META": span})
    assert [path.split("/")[4:5] + path.split("/")[-2:] for path in asked] == [
        ["FB", "2022-06-08", "2022-06-08"],
        ["META", "2022-06-09", "2022-06-09"],
    ]
    count = 1 if timeframe is Timeframe.D1 else MINUTES
    assert market.windows(timeframe.value) == [
        ("META", WEDNESDAY, "published", count),
        ("META", THURSDAY, "published", count),
    ]
    assert [item.symbol for item in receipt.symbols] == ["META"]
    query = f"select distinct instrument_id, close from raw.massive__bars_{timeframe.value} order by close desc"
    (number,) = {row[0] for row in market.ask(query)}
    assert [row[1] for row in market.ask(query)] == [196.5, 184.0]
    assert market.series("META").instrument_id == number
