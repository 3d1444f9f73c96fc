"""`chandlery backfill` against the stand-in: what it fetches, what it leaves alone, what it refuses."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import polars as pl
import pytest

from chandlery.market.symbols import AssetClass
from chandlery.sources.standin.serve import running
from chandlery.sources.tapes import Tape
from chandlery.steps.calendar import build_calendar
from chandlery.store.universe import register_instrument

Variables = dict[str, object]

MONDAY = datetime(2024, 1, 8, 14, 30, tzinfo=UTC)
WEEK = ("--from", "2024-01-08", "--to", "2024-01-12")
QUIET = ("--no-candles", "--json")


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Tape:
    """A week of minutes and days of AAPL, and of MSFT its first session."""
    folder = tmp_path_factory.mktemp("tape")
    for kind in ("us_minute", "us_daily"):
        (folder / kind).mkdir()
    starts = [MONDAY + timedelta(days=day, minutes=place) for day in range(5) for place in range(390)]
    minutes = pl.DataFrame(
        {
            "symbol": "AAPL",
            "t": [int(ts.timestamp() * 1000) for ts in starts],
            "open": 100.0,
            "high": 101.0,
            "low": 99.0,
            "close": 100.5,
            "volume": [1000.0 + place for place in range(len(starts))],
        }
    )
    other = minutes.head(390).with_columns(symbol=pl.lit("MSFT"))
    pl.concat([minutes, other]).write_parquet(folder / "us_minute" / "two.parquet")
    days = {
        "symbol": "AAPL",
        "session": [date(2024, 1, 8) + timedelta(days=place) for place in range(5)],
        "open": 100.0,
        "high": 101.0,
        "low": 99.0,
        "close": 100.5,
        "volume": 1e6,
    }
    pl.DataFrame(days).write_parquet(folder / "us_daily" / "AAPL.parquet")
    return Tape.open(folder)


@pytest.fixture(scope="module")
def url(tape: Tape) -> Iterator[str]:
    with running(tape) as place:
        yield place


def track(warehouse: Any, *symbols: str) -> None:
    with warehouse.write() as connection:
        for symbol in symbols:
            register_instrument(
                connection, symbol=symbol, asset_class=AssetClass.STOCKS, calendar="NYSE", name=None, source="tape"
            )


@pytest.fixture
def here(url: str, fresh: Any, server_of: Callable[[Any], Variables], tmp_path: Path) -> Variables:
    track(fresh, "AAPL", "MSFT")
    build_calendar(fresh, start=date(2023, 12, 1), end=date(2024, 3, 1))
    port = urlsplit(url).port or 0
    return {**server_of(fresh), "CHANDLERY_PROVIDER__PORT": port, "CHANDLERY_HOME": tmp_path / "home"}


def facts(run: Any, here: Variables, *arguments: str) -> dict[str, Any]:
    outcome = run("backfill", *arguments, *QUIET, **here)
    assert (outcome.code, outcome.out[0]) == (0, "{"), outcome.err
    found: dict[str, Any] = json.loads(outcome.out)
    return found


def figures(found: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(found[name] for name in names)


def test_minutes_of_a_symbol_are_brought_in_and_counted(run: Any, here: Variables, fresh: Any, ask: Any) -> None:
    found = facts(run, here, "AAPL", *WEEK, "--timeframe", "1m")
    assert list(found) == ["1m"]
    names = ("rows_seen", "rows_new", "rows_revised", "rows_held", "windows", "requests", "reasons")
    assert figures(found["1m"], *names) == (1950, 1950, 0, 0, 1, 1, {"first": 1950})
    assert [(item["symbol"], item["rows_new"]) for item in found["1m"]["symbols"]] == [("AAPL", 1950)]
    assert ask(fresh, "select count(*), sum(volume) from raw.massive__bars_1m") == [
        (1950, sum(1000.0 + place for place in range(1950)))
    ]


def test_progress_is_told_on_standard_error_alone(run: Any, here: Variables) -> None:
    outcome = run("backfill", "AAPL", *WEEK, "--timeframe", "1m", *QUIET, **here)
    json.loads(outcome.out)
    assert "1m bars" in outcome.err
    assert "1m bars" not in outcome.out


def test_repeating_asks_for_nothing_unless_told_to(run: Any, here: Variables, fresh: Any, ask: Any) -> None:
    asked = ("AAPL", *WEEK, "--timeframe", "1m")
    facts(run, here, *asked)
    again = facts(run, here, *asked)["1m"]
    assert figures(again, "requests", "windows", "rows_seen", "symbols") == (0, 0, 0, [])
    refetched = facts(run, here, *asked, "--refetch")["1m"]
    assert figures(refetched, "requests", "windows", "rows_seen", "rows_new", "rows_revised") == (1, 1, 1950, 0, 0)
    assert ask(fresh, "select count(*) from raw.massive__bars_1m_history") == [(0,)]


def test_longer_range_asks_for_what_is_missing_only(run: Any, here: Variables, fresh: Any, ask: Any) -> None:
    facts(run, here, "AAPL", "--from", "2024-01-08", "--to", "2024-01-09", "--timeframe", "1m")
    found = facts(run, here, "AAPL", *WEEK, "--timeframe", "1m")["1m"]
    assert figures(found, "rows_seen", "rows_new", "windows") == (3 * 390, 3 * 390, 1)
    assert ask(fresh, "select start_session, end_session from ops.ingest_windows order by 1") == [
        (date(2024, 1, 8), date(2024, 1, 10)),
        (date(2024, 1, 10), date(2024, 1, 13)),
    ]


def test_without_choices_every_symbol_and_both_timeframes_come(run: Any, here: Variables) -> None:
    found = facts(run, here, *WEEK)
    assert {name: figures(item, "rows_new", "windows") for name, item in found.items()} == {
        "1m": (1950 + 390, 2),
        "1d": (5, 2),
    }
    assert found["1d"]["suspected_empty"] == ["MSFT 1d 2024-01-08 to 2024-01-13"]


def test_people_get_one_line_a_timeframe(run: Any, here: Variables) -> None:
    outcome = run("backfill", "aapl", *WEEK, "--timeframe", "1d", "--no-candles", **here)
    assert outcome.code == 0
    assert outcome.out.startswith("1d: 5 new, 0 revised, 0 withdrawn, 0 held of 5 bars; 1 windows, 1 requests")
    assert outcome.out.count("\n") == 1


def test_calendar_that_ends_too_early_is_built_first(
    run: Any, here: Variables, fresh: Any, tell: Any, ask: Any
) -> None:
    tell(fresh, "delete from ops.sessions")
    assert facts(run, here, "AAPL", *WEEK, "--timeframe", "1m")["1m"]["rows_new"] == 1950
    assert ask(fresh, "select count(*) > 10000 from ops.sessions where calendar = 'NYSE'") == [(True,)]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["AAPL", "--from", "yesterday"], 2, "--from was 'yesterday'"),
        (["AAPL", "--from", "2024-01-08", "--to", "2024-13-01"], 2, "--to was '2024-13-01'"),
        (["AAPL", "--from", "2024-01-09", "--to", "2024-01-08"], 2, "--from was 2024-01-09"),
        (["AAPL", "--from", "2200-01-01"], 2, "yesterday"),
        (["AAPL", *WEEK, "--timeframe", "5m"], 2, "sources deliver bars of 1m and 1d"),
        (["A APL", *WEEK], 2, "Symbol was"),
        (["TSLA", *WEEK], 3, "TSLA is not tracked"),
        (["AAPL", *WEEK, "--via", "pigeon"], 2, "via"),
        (["AAPL", *WEEK, "--via", "grouped"], 2, "whole market days"),
        ([*WEEK, "--via", "flat_files"], 2, "CHANDLERY_MASSIVE__FLAT_FILES"),
        (["AAPL"], 2, "--from"),
    ],
)
def test_what_cannot_be_done_says_why(run: Any, here: Variables, arguments: list[str], code: int, words: str) -> None:
    outcome = run("backfill", *arguments, *QUIET, **here)
    assert (outcome.code, outcome.out) == (code, "")
    assert words in outcome.err
    assert "Traceback" not in outcome.err


def test_source_that_is_down_is_exit_4_and_a_later_try_goes_on(run: Any, here: Variables) -> None:
    asked = ("backfill", "AAPL", *WEEK, "--timeframe", "1m", *QUIET)
    down = run(*asked, **{**here, "CHANDLERY_PROVIDER__PORT": 1, "CHANDLERY_MASSIVE__RETRIES": 0})
    assert (down.code, down.out) == (4, "")
    assert "AAPL could not be ingested" in down.err
    assert facts(run, here, *asked[1:-2])["1m"]["rows_new"] == 1950


def test_last_day_beyond_today_means_today(run: Any, here: Variables, fresh: Any, ask: Any) -> None:
    facts(run, here, "AAPL", "--from", "2024-01-08", "--to", "9999-12-31", "--timeframe", "1d")
    assert ask(fresh, "select max(end_session) <= current_date + 1 from ops.ingest_windows") == [(True,)]
