"""Dividends and instruments of a tape."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from chandlery.errors import BadTape
from chandlery.sources import Split
from chandlery.sources.protocol import TickerChange
from chandlery.sources.tapes import Tape

BAR = {"open": 1.0, "high": 1.0, "low": 1.0, "close": 1.0, "volume": 1.0}


def _tape(folder: Path, *days: dict[str, Any], tickers: object = None) -> Path:
    (folder / "us_daily").mkdir()
    pl.DataFrame([{"symbol": "S", **BAR, **day} for day in days]).write_parquet(folder / "us_daily/s.parquet")
    if tickers is not None:
        (folder / "tickers.json").write_text(json.dumps(tickers), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("symbol", "count"), [("AAPL", 41), ("BA", 203), ("GE", 208), ("EBAY", 0), ("SPY", 0), ("Z", 0)]
)
def test_recorded_dividends_are_as_many_as_the_data_guide_counts(recorded: Tape, symbol: str, count: int) -> None:
    dividends = recorded.dividends(symbol)
    assert len(dividends) == count
    assert [dividend.ex_dividend_date for dividend in dividends] == sorted(
        dividend.ex_dividend_date for dividend in dividends
    )


def test_dividends_are_printed_decimals_in_dollars(recorded: Tape) -> None:
    paid = {dividend.ex_dividend_date: dividend for dividend in recorded.dividends("AAPL")}
    # Apple announced 2.65 dollars for the quarter of its ex-date 2012-08-09.
    first = paid[date(2012, 8, 9)]
    assert (first.cash_amount, first.currency, first.kind) == (Decimal("2.65"), "USD", "CD")
    assert sum(dividend.cash_amount for day, dividend in paid.items() if day.year == 2013) == Decimal("11.80")


def test_dividend_of_nothing_or_no_number_is_none(tmp_path: Path) -> None:
    amounts = [0.0, None, float("nan"), float("inf"), -1.0, 0.1]
    days = [{"session": date(2016, 4, 11 + place), "ex_dividend": amount} for place, amount in enumerate(amounts)]
    dividends = Tape.open(_tape(tmp_path, *days)).dividends("S")
    assert [(dividend.ex_dividend_date.day, dividend.cash_amount) for dividend in dividends] == [(16, Decimal("0.1"))]


def test_split_ratio_that_is_no_number_is_no_split(tmp_path: Path) -> None:
    ratios = [1.0, float("nan"), None, 0.0, float("inf"), 1.5]
    days = [{"session": date(2016, 4, 11 + place), "split_ratio": ratio} for place, ratio in enumerate(ratios)]
    assert Tape.open(_tape(tmp_path, *days)).splits("S") == (Split("S", date(2016, 4, 16), split_from=2, split_to=3),)


@pytest.mark.parametrize("column", ["ex_dividend", "split_ratio"])
def test_actions_in_words_are_a_bad_tape(tmp_path: Path, column: str) -> None:
    with pytest.raises(BadTape, match=f"{column} are no numbers"):
        Tape.open(_tape(tmp_path, {"session": date(2016, 4, 11), column: "much"}))


def test_instruments_without_a_file_are_the_symbols_from_their_first_session_on(recorded: Tape) -> None:
    profiles = {profile.symbol: profile for profile in recorded.profiles()}
    assert len(profiles) == 8
    assert (profiles["BA"].listed_on, profiles["BA"].delisted_on) == (date(1962, 1, 2), None)
    assert profiles["BA"].ticker_on(date(1962, 1, 1)) is None
    assert profiles["BA"].ticker_on(date(2026, 1, 1)) == "BA"


def test_instruments_of_the_file_come_first_with_their_former_tickers(tmp_path: Path) -> None:
    changes = [{"day": "2022-06-09", "ticker": "S"}, {"day": "2012-05-18", "ticker": "OLD"}]
    rows = [{"ticker": "S", "name": "A name", "changes": changes}, {"ticker": "GONE", "delisted_on": "2010-05-03"}]
    tape = Tape.open(_tape(tmp_path, {"session": date(2016, 4, 11)}, tickers={"instruments": rows}))
    first, second = tape.profiles()
    assert first.changes == (TickerChange(date(2012, 5, 18), "OLD"), TickerChange(date(2022, 6, 9), "S"))
    days = [date(2012, 5, 17), date(2012, 5, 18), date(2022, 6, 8), date(2022, 6, 9)]
    assert [first.ticker_on(day) for day in days] == [None, "OLD", "OLD", "S"]
    assert [second.ticker_on(date(2010, 5, day)) for day in (2, 3)] == ["GONE", None]


def test_reused_ticker_names_one_instrument_after_another(tmp_path: Path) -> None:
    rows = [{"ticker": "S", "delisted_on": "2015-01-02"}, {"ticker": "S", "listed_on": "2015-01-02"}]
    tape = Tape.open(_tape(tmp_path, {"session": date(2016, 4, 11)}, tickers={"instruments": rows}))
    assert [profile.ticker_on(date(2015, 1, 2)) for profile in tape.profiles()] == [None, "S"]


@pytest.mark.parametrize(
    ("tickers", "found"),
    [
        ([], "tickers of a tape"),
        ({"instruments": [{"name": "nobody"}]}, "ticker"),
        ({"instruments": [{"ticker": "S", "colour": "red"}]}, "colour"),
        ({"instruments": [{"ticker": "s s"}]}, "'s s'"),
        ({"instruments": [{"ticker": "S", "listed_on": "some day"}]}, "listed_on"),
        ({"instruments": [{"ticker": "S", "changes": [{"day": "2016-01-04", "ticker": "T"}]}]}, "became T"),
        ({"instruments": [{"ticker": "S"}, {"ticker": "S"}]}, "to two instruments"),
        (
            {"instruments": [{"ticker": "S", "delisted_on": "2016-01-05"}, {"ticker": "S", "listed_on": "2016-01-04"}]},
            "S to two instruments on",
        ),
    ],
)
def test_tickers_that_contradict_themselves_are_a_bad_tape(tmp_path: Path, tickers: object, found: str) -> None:
    with pytest.raises(BadTape, match=rf"(?s)tickers\.json.*{found}"):
        Tape.open(_tape(tmp_path, {"session": date(2016, 4, 11)}, tickers=tickers))
