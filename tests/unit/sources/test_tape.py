from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from chandlery.errors import BadTape
from chandlery.market.bars import BAR_SCHEMA
from chandlery.market.symbols import AssetClass
from chandlery.market.timeframes import Timeframe
from chandlery.sources import Split
from chandlery.sources.tapes import Tape

OHLC = {"open": [1.0], "high": [1.0], "low": [1.0], "close": [1.0], "volume": [1.0]}
MINUTE = {"symbol": ["AAPL"], "t": [1_460_727_000_000], **OHLC}
DAY = {"symbol": ["AAPL"], "session": [date(2016, 4, 15)], **OHLC}


def _write(folder: Path, place: str, columns: dict[str, list[object]]) -> None:
    (folder / place).parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(columns).write_parquet(folder / place)


@pytest.mark.parametrize(
    ("symbol", "rows"), [("AAPL", 8190), ("MSFT", 8190), ("SPY", 14180), ("X:BTCUSD", 50669), ("I:SPX", 1563)]
)
def test_recorded_minutes_are_complete_sorted_and_unique(recorded: Tape, symbol: str, rows: int) -> None:
    bars = recorded.bars(symbol, Timeframe.M1)
    assert bars.schema == pl.Schema(BAR_SCHEMA)
    assert bars.height == rows
    assert bars["ts"].is_sorted()
    assert bars["ts"].n_unique() == rows


@pytest.mark.parametrize(("symbol", "rows"), [("AAPL", 8336), ("BA", 13090), ("GE", 13090), ("EBAY", 3842)])
def test_recorded_wiki_days_win_over_yahoo_days(recorded: Tape, symbol: str, rows: int) -> None:
    assert recorded.bars(symbol, Timeframe.D1).height == rows
    assert recorded.source(symbol, Timeframe.D1) == "wiki"


def test_yahoo_days_are_served_where_nothing_else_exists(recorded: Tape) -> None:
    assert recorded.bars("SPY", Timeframe.D1).height == 2519
    assert recorded.source("SPY", Timeframe.D1) == "yahoo"
    assert recorded.day_range("SPY") == (date(2007, 12, 31), date(2017, 12, 29))


def test_day_bars_lie_at_midnight_in_new_york(recorded: Tape) -> None:
    stamps = recorded.bars("BA", Timeframe.D1)["ts"].tail(1).to_list()
    assert stamps == [datetime(2013, 12, 31, 5, tzinfo=UTC)]


def test_listings_give_class_span_and_timeframes(recorded: Tape) -> None:
    listings = {listing.symbol: listing for listing in recorded.symbols()}
    assert sorted(listings) == ["AAPL", "BA", "EBAY", "GE", "I:SPX", "MSFT", "SPY", "X:BTCUSD"]
    assert listings["X:BTCUSD"].asset_class is AssetClass.CRYPTO
    assert listings["I:SPX"].asset_class is AssetClass.INDICES
    assert (listings["AAPL"].first_session, listings["AAPL"].last_session) == (date(1980, 12, 12), date(2016, 5, 13))
    assert listings["AAPL"].timeframes == (Timeframe.M1, Timeframe.D1)
    assert recorded.minute_range("AAPL") == (date(2016, 4, 15), date(2016, 5, 13))
    assert recorded.minute_range("BA") is None


def test_splits_come_from_the_day_file_as_whole_numbers(recorded: Tape) -> None:
    assert recorded.splits("AAPL") == (
        Split("AAPL", date(1987, 6, 16), split_from=1, split_to=2),
        Split("AAPL", date(2000, 6, 21), split_from=1, split_to=2),
        Split("AAPL", date(2005, 2, 28), split_from=1, split_to=2),
    )
    assert [(split.split_from, split.split_to) for split in recorded.splits("BA")].count((2, 3)) == 5
    assert recorded.splits("SPY") == ()


def test_unknown_symbol_is_empty_everywhere(recorded: Tape) -> None:
    assert recorded.bars("ZZZ", Timeframe.M1).is_empty()
    assert recorded.day_range("ZZZ") is None
    assert recorded.source("ZZZ", Timeframe.M1) == "tape"


def test_symbol_spread_over_files_is_joined_and_its_publishers_named(tmp_path: Path) -> None:
    _write(tmp_path, "us_minute/b.parquet", MINUTE | {"t": [1_460_727_060_000], "source": ["google"]})
    _write(tmp_path, "us_minute/a.parquet", MINUTE | {"trade_count": [3], "vwap": [1.5]})
    tape = Tape.open(tmp_path)
    bars = tape.bars("AAPL", Timeframe.M1)
    assert bars["trade_count"].to_list() == [3, None]
    assert bars["ts"].is_sorted()
    assert tape.source("AAPL", Timeframe.M1) == "google+tape"


def test_missing_folder_is_a_bad_tape(tmp_path: Path) -> None:
    with pytest.raises(BadTape, match="no folder"):
        Tape.open(tmp_path / "absent")


def test_folder_without_bars_is_a_bad_tape_and_says_what_it_found(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(BadTape, match=r"notes\.txt.*us_minute"):
        Tape.open(tmp_path)


@pytest.mark.parametrize(
    ("place", "columns", "found"),
    [
        ("us_minute/a.parquet", {key: value for key, value in MINUTE.items() if key != "t"}, "columns t are missing"),
        ("us_daily/a.parquet", {key: value for key, value in DAY.items() if key != "low"}, "columns low are missing"),
        ("us_minute/a.parquet", MINUTE | {"t": ["noon"]}, "whole milliseconds"),
        ("us_daily/a.parquet", DAY | {"session": [datetime(2016, 4, 15, tzinfo=UTC)]}, "as a Date"),
        ("us_daily/a.parquet", DAY | {"close": ["1.0"]}, "close are no numbers"),
        ("us_minute/a.parquet", MINUTE | {"symbol": ["aapl us"]}, "aapl us"),
        ("us_minute/a.parquet", MINUTE | {"symbol": ["X:BTCUSD"]}, "belong in crypto_"),
        ("crypto_minute/a.parquet", MINUTE | {"symbol": ["BTCUSD"]}, "belong in crypto_"),
    ],
)
def test_file_laid_out_otherwise_is_a_bad_tape(
    tmp_path: Path, place: str, columns: dict[str, list[object]], found: str
) -> None:
    _write(tmp_path, place, columns)
    with pytest.raises(BadTape, match=found):
        Tape.open(tmp_path)


def test_rows_without_time_are_a_bad_tape(tmp_path: Path) -> None:
    _write(tmp_path, "us_minute/a.parquet", {key: value * 2 for key, value in MINUTE.items()} | {"t": [1, None]})
    with pytest.raises(BadTape, match="1 rows of AAPL without t"):
        Tape.open(tmp_path)


def test_file_that_is_no_parquet_is_a_bad_tape(tmp_path: Path) -> None:
    (tmp_path / "us_daily").mkdir()
    (tmp_path / "us_daily" / "a.parquet").write_text("hello", encoding="utf-8")
    with pytest.raises(BadTape, match="Write the file again"):
        Tape.open(tmp_path)
