"""`chandlery universe` against a real database: arguments in, rows and messages out."""

import csv
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

Variables = dict[str, object]


@pytest.fixture
def here(fresh: Any, server_of: Callable[[Any], Variables]) -> Variables:
    return server_of(fresh)


@pytest.fixture
def universe(run: Any, here: Variables) -> Callable[..., Any]:
    """Return a function that runs `chandlery universe ARGUMENTS`."""
    return lambda *arguments, **more: run("universe", *arguments, **here, **more)


def test_symbols_are_added_listed_and_removed(universe: Callable[..., Any]) -> None:
    added = universe("add", "aapl", "X:BTCUSD", "I:SPX")
    assert (added.code, [line.split()[1] for line in added.out.splitlines()]) == (0, ["AAPL", "X:BTCUSD", "I:SPX"])
    rows = json.loads(universe("list", "--format", "json").out)
    assert [(row["symbol"], row["asset_class"], row["calendar"]) for row in rows] == [
        ("AAPL", "stocks", "NYSE"),
        ("I:SPX", "indices", "NYSE"),
        ("X:BTCUSD", "crypto", "24/7"),
    ]
    assert [row["symbol"] for row in json.loads(universe("list", "--class", "crypto", "--format", "json").out)] == [
        "X:BTCUSD"
    ]
    assert universe("remove", "AAPL").code == 0
    assert "AAPL" not in universe("list").out
    everything = list(csv.DictReader(StringIO(universe("list", "--all", "--format", "csv").out)))
    assert [(row["symbol"], row["is_tracked"]) for row in everything] == [
        ("AAPL", "no"),
        ("I:SPX", "yes"),
        ("X:BTCUSD", "yes"),
    ]
    assert everything[0]["listed_on"] == "1980-12-12"


def test_default_universe_has_sixty_three_members_and_their_former_tickers(universe: Callable[..., Any]) -> None:
    assert len(universe("add", "--default").out.splitlines()) == 63
    rows = json.loads(universe("list", "--format", "json").out)
    assert {row["symbol"]: row["former_tickers"] for row in rows if row["former_tickers"]} == {
        "GOOGL": "GOOG",
        "META": "FB",
        "QQQ": "QQQ QQQQ",
        "XYZ": "SQ",
    }


def test_instrument_is_shown_under_the_ticker_of_a_day(universe: Callable[..., Any]) -> None:
    universe("add", "META")
    sheet = json.loads(universe("show", "FB", "--on", "2015-01-05", "--format", "json").out)
    assert sheet["symbol"] == "META"
    assert [(span["ticker"], span["start"], span["end"]) for span in sheet["tickers"]] == [
        ("FB", "2012-05-18", "2022-06-09"),
        ("META", "2022-06-09", None),
    ]
    assert sheet["windows_by_state"]["completed"] == 0
    assert [item["bars"] for item in sheet["statistics"]] == [0, 0]
    refused = universe("show", "FB", "--on", "2023-01-03")
    assert (refused.code, refused.out) == (3, "")
    assert "from 2012-05-18 to 2022-06-09" in refused.err
    assert "META" in universe("show", "META").out


def test_rename_and_delisting_by_hand(universe: Callable[..., Any]) -> None:
    universe("add", "OLD")
    assert "OLD from 1900-01-01 to 2022-06-09, NEW from" in universe("rename", "OLD", "NEW", "--on", "2022-06-09").out
    assert universe("delist", "NEW", "--on", "2024-05-01").code == 0
    (row,) = json.loads(universe("list", "--format", "json").out)
    assert (row["symbol"], row["delisted_on"]) == ("NEW", "2024-05-01")
    universe("add", "NEW")
    ids = [row["instrument_id"] for row in json.loads(universe("list", "--format", "json").out)]
    assert len(set(ids)) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["add", "A/B"], 2, "'A/B'"),
        (["add", "C:EURUSD"], 2, "forex"),
        (["add"], 2, "--default"),
        (["add", "AAPL", "MSFT", "--name", "Both"], 2, "exactly one"),
        (["add", "AAPL", "--listed-on", "soon"], 2, "--listed-on was 'soon'"),
        (["add", "--file", "absent.txt"], 2, "absent.txt"),
        (["remove", "AAPL"], 3, "AAPL"),
        (["rename", "AAA", "BBB", "--on", "2022-06-09"], 3, "AAA"),
        (["rename", "AAA", "BBB", "--on", "never"], 2, "--on was 'never'"),
        (["delist", "AAPL", "--on", "2022-06-09"], 3, "AAPL"),
        (["show", "$$$"], 2, "Symbol was"),
        (["status", "AAPL"], 3, "AAPL"),
    ],
)
def test_command_that_cannot_work_says_why(
    universe: Callable[..., Any], arguments: list[str], code: int, words: str
) -> None:
    outcome = universe(*arguments)
    assert (outcome.code, outcome.out) == (code, "")
    assert words in outcome.err


def test_ticker_somebody_holds_is_a_conflict(universe: Callable[..., Any]) -> None:
    universe("add", "OLD", "NEW")
    outcome = universe("rename", "OLD", "NEW", "--on", "2022-06-09")
    assert outcome.code == 5
    assert "instrument 2" in outcome.err


def test_symbols_are_read_from_a_file(universe: Callable[..., Any], tmp_path: Path) -> None:
    text = "# mine\nAAPL\n\nTWTR, 2013-11-07, 2022-10-28  # gone\nX:ETHUSD,,\n"
    (tmp_path / "mine.txt").write_text(text, encoding="utf-8")
    assert universe("add", "--file", "mine.txt").code == 0
    rows = {row["symbol"]: row for row in json.loads(universe("list", "--format", "json").out)}
    assert (rows["TWTR"]["listed_on"], rows["TWTR"]["delisted_on"]) == ("2013-11-07", "2022-10-28")
    assert set(rows) == {"AAPL", "TWTR", "X:ETHUSD"}
    (tmp_path / "bad.txt").write_text("AAPL\nMSFT,2013-01-02,2014-01-02,2015-01-02\n", encoding="utf-8")
    outcome = universe("add", "--file", "bad.txt")
    assert (outcome.code, "bad.txt, line 2" in outcome.err) == (2, True)


def test_backfill_is_shown_by_symbol_and_by_window(universe: Callable[..., Any], fresh: Any, tell: Any) -> None:
    universe("add", "GE")
    tell(
        fresh,
        "insert into ops.ingest_windows (instrument_id, timeframe, start_session, end_session, status, error_code) "
        "values (1, '1m', '2024-01-02', '2024-01-04', 'published', null), "
        "(1, '1m', '2024-01-04', '2024-01-06', 'failed', 'rate_limited'), "
        "(1, '1d', '2024-01-02', '2024-01-06', 'planned', null)",
    )
    days, minutes = json.loads(universe("status", "--format", "json").out)
    assert (days["timeframe"], days["pending"], days["last"]) == ("1d", 1, "2024-01-05")
    assert (minutes["completed"], minutes["failed"], minutes["codes"]) == (1, 1, "rate_limited")
    assert (minutes["first"], minutes["last"]) == ("2024-01-02", "2024-01-05")
    windows = list(csv.DictReader(StringIO(universe("status", "GE", "--format", "csv").out)))
    assert [(row["timeframe"], row["state"], row["code"]) for row in windows] == [
        ("1d", "pending", ""),
        ("1m", "completed", ""),
        ("1m", "failed", "rate_limited"),
    ]
    assert "rate_limited" in universe("status").out


def test_reminder_tells_what_the_next_sync_will_do(universe: Callable[..., Any]) -> None:
    assert "what the tape lists" in universe("add", "GE").err
    assert "CHANDLERY_PIPELINE__SYMBOLS" in universe("remove", "GE", CHANDLERY_PIPELINE__SYMBOLS='["AAPL"]').err


def test_vendor_is_asked_for_name_and_listing(universe: Callable[..., Any]) -> None:
    vendor = {
        "CHANDLERY_SOURCE": "massive",
        "POLYGON_API_KEY": "key",
        "CHANDLERY_MASSIVE__BASE_URL": "http://127.0.0.1:9",
        "CHANDLERY_MASSIVE__RETRIES": 0,
    }
    # Nobody listens there, so the symbol is added with a note; offline nobody is asked.
    assert "the source was not heard (source_unavailable)" in universe("add", "GE", **vendor).out
    assert universe("add", "GE", "--offline", **vendor).out == "tracked GE as instrument 1\n"
