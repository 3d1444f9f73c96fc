import importlib
import json
import warnings
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from chandlery.errors import BadTape
from chandlery.market.timeframes import Timeframe
from chandlery.sources import Split
from chandlery.sources.tapes import Tape, ensure_bundled_tape
from chandlery.sources.tapes._wiki_stocks import derive_actions

STOCKS = ("AAPL", "FB", "GOOG", "IBM", "MSFT")
NEW_YORK = "America/New_York"


def _rolled_up(tape: Tape, symbol: str, zone: str) -> pl.DataFrame:
    session = pl.col("ts").dt.convert_time_zone(zone).dt.date().alias("session")
    return (
        tape.bars(symbol, Timeframe.M1)
        .group_by(session)
        .agg(
            pl.col("open").sort_by("ts").first(),
            pl.col("high").max(),
            pl.col("low").min(),
            pl.col("close").sort_by("ts").last(),
            pl.col("volume").sum(),
            pl.len().alias("minutes"),
        )
        .sort("session")
    )


def _published(symbol: str) -> pl.DataFrame:
    """The package's own reader: the standard library's csv module."""
    stocks = getattr(importlib.import_module("bokeh_sampledata.stocks"), symbol)
    columns = {name: stocks[name] for name in ("open", "high", "low", "close", "volume")}
    days = [date.fromisoformat(day) for day in stocks["date"]]
    return pl.DataFrame({"session": days, **columns}).with_columns(pl.col("volume").cast(pl.Float64))


@pytest.mark.parametrize("symbol", STOCKS)
def test_day_bars_equal_the_published_ones(bundled: Tape, symbol: str) -> None:
    days = bundled.bars(symbol, Timeframe.D1)
    session = pl.col("ts").dt.convert_time_zone(NEW_YORK).dt.date().alias("session")
    assert days.select(session, "open", "high", "low", "close", "volume").equals(_published(symbol))
    assert bundled.source(symbol, Timeframe.D1) == "wiki"


@pytest.mark.parametrize("symbol", STOCKS)
def test_minutes_of_every_session_roll_up_to_the_published_day_exactly(bundled: Tape, symbol: str) -> None:
    rolled = _rolled_up(bundled, symbol, NEW_YORK)
    assert rolled.height == 60
    assert rolled.drop("minutes").equals(_published(symbol).tail(60))
    assert bundled.source(symbol, Timeframe.M1) == "simulated"


@pytest.mark.parametrize("symbol", STOCKS)
def test_half_day_has_210_minutes_and_every_other_session_390(bundled: Tape, symbol: str) -> None:
    minutes = dict(_rolled_up(bundled, symbol, NEW_YORK).select("session", "minutes").iter_rows())
    assert minutes.pop(date(2012, 12, 24)) == 210
    assert set(minutes.values()) == {390}
    first = bundled.bars(symbol, Timeframe.M1).filter(pl.col("ts").dt.date() == date(2012, 12, 24))["ts"]
    assert (first.min(), first.max()) == (
        datetime(2012, 12, 24, 14, 30, tzinfo=UTC),
        datetime(2012, 12, 24, 17, 59, tzinfo=UTC),
    )


@pytest.mark.parametrize("symbol", [*STOCKS, "X:SIMUSD"])
def test_simulated_minutes_are_possible_bars_near_each_other(bundled: Tape, symbol: str) -> None:
    bars = bundled.bars(symbol, Timeframe.M1)
    body = pl.concat_list("open", "close")
    impossible = (pl.col("high") < body.list.max()) | (pl.col("low") > body.list.min()) | (pl.col("volume") <= 0.0)
    assert bars.filter(impossible).is_empty()
    gap = (pl.col("open") - pl.col("close").shift(1)).abs()
    # A cent of slip, and half a cent of rounding where the day's own high or low is between cents.
    within = bars.filter(pl.col("ts") - pl.col("ts").shift(1) == timedelta(minutes=1), gap > 0.0151)
    assert within.is_empty()
    assert bars.select((pl.col("high") / pl.col("low")).max()).item() < 1.03


@pytest.mark.parametrize("symbol", STOCKS)
def test_simulated_volume_is_whole_and_heavier_at_the_edges_than_at_noon(bundled: Tape, symbol: str) -> None:
    bars = bundled.bars(symbol, Timeframe.M1).filter(pl.col("ts").dt.date() != date(2012, 12, 24))
    assert bars["volume"].equals(bars["volume"].round(0))
    minute = bars.with_columns(place=pl.int_range(pl.len()).over(pl.col("ts").dt.date()))
    means = {
        name: minute.filter(pl.col("place").is_between(low, high))["volume"].mean()
        for name, low, high in (("open", 0, 29), ("noon", 180, 209), ("close", 360, 389))
    }
    assert min(means["open"], means["close"]) > 1.5 * means["noon"]


def test_simulated_pair_trades_every_minute_and_its_days_are_its_minutes(bundled: Tape) -> None:
    rolled = _rolled_up(bundled, "X:SIMUSD", "UTC")
    assert rolled["minutes"].to_list() == [1440] * 60
    assert rolled["session"][-1] == date(2013, 3, 1)
    days = bundled.bars("X:SIMUSD", Timeframe.D1)
    assert rolled.select("open", "high", "low", "close", "volume").equals(
        days.select("open", "high", "low", "close", "volume")
    )
    assert days["ts"].dt.date().equals(rolled["session"].alias("ts"))


def test_splits_are_the_ones_history_knows(bundled: Tape) -> None:
    assert bundled.splits("AAPL") == (
        Split("AAPL", date(2000, 6, 21), split_from=1, split_to=2),
        Split("AAPL", date(2005, 2, 28), split_from=1, split_to=2),
    )
    assert bundled.splits("MSFT") == (Split("MSFT", date(2003, 2, 18), split_from=1, split_to=2),)
    assert [bundled.splits(symbol) for symbol in ("FB", "GOOG", "IBM")] == [(), (), ()]


def test_derived_dividends_equal_the_recorded_ones_where_both_tapes_know_them(bundled: Tape, data: Path) -> None:
    ours = pl.read_parquet(bundled.folder / "us_daily" / "AAPL.parquet").select("session", "ex_dividend", "split_ratio")
    theirs = pl.read_parquet(data / "tapes/us_daily/AAPL.parquet").select("session", "ex_dividend", "split_ratio")
    both = ours.join(theirs, on="session", how="left", suffix="_recorded")
    assert both.filter((pl.col("ex_dividend") - pl.col("ex_dividend_recorded")).abs() > 5e-4).is_empty()
    assert both["split_ratio"].equals(both["split_ratio_recorded"].alias("split_ratio"))
    assert both.filter(pl.col("ex_dividend") > 0)["session"].to_list() == [
        date(2012, 8, 9),
        date(2012, 11, 7),
        date(2013, 2, 7),
    ]


def test_special_dividend_of_eleven_percent_is_no_split(bundled: Tape) -> None:
    msft = pl.read_parquet(bundled.folder / "us_daily" / "MSFT.parquet").filter(pl.col("session") == date(2004, 11, 15))
    assert msft.select("split_ratio", "ex_dividend").row(0) == (1.0, pytest.approx(3.08, abs=1e-3))


def test_split_ratios_of_three_to_two_and_one_to_ten_are_recognised() -> None:
    days = pl.DataFrame(
        {
            "symbol": ["A"] * 3,
            "session": [date(2001, 1, 2), date(2001, 1, 3), date(2001, 1, 4)],
            "open": [30.0, 20.1, 200.0],
            "high": [31.0, 20.5, 205.0],
            "low": [29.0, 19.5, 199.0],
            "close": [30.0, 20.0, 201.0],
            "volume": [1.0, 1.0, 1.0],
            "adj_close": [200.0, 200.0, 201.0],
        }
    )
    assert derive_actions(days)["split_ratio"].to_list() == [1.0, 1.5, 0.1]


def test_raw_day_equals_the_vendors_recording_times_its_later_splits(bundled: Tape, data: Path) -> None:
    path = data / "polygon/client_python/v2/aggs/ticker/AAPL/range/1/day/2005-04-01/2005-04-04.json"
    rows = json.loads(path.read_text(encoding="utf-8"))["results"]
    days = bundled.bars("AAPL", Timeframe.D1).filter(pl.col("ts").dt.epoch("ms").is_in([row["t"] for row in rows]))
    assert days["close"].to_list() == pytest.approx([row["c"] * 28 for row in rows], abs=0.005)


def test_tape_of_this_version_is_not_touched(bundled: Tape) -> None:
    before = {path: path.stat().st_mtime_ns for path in bundled.folder.rglob("*")}
    ensure_bundled_tape(bundled.folder)
    assert {path: path.stat().st_mtime_ns for path in bundled.folder.rglob("*")} == before


def test_folder_with_something_else_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(BadTape, match="CHANDLERY_PROVIDER__TAPE"):
        ensure_bundled_tape(tmp_path)
    assert (tmp_path / "thesis.txt").read_text(encoding="utf-8") == "mine"


@pytest.fixture(scope="module")
def raced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tape of another version, after two builders set upon it at once."""
    folder = tmp_path_factory.mktemp("race") / "tape"
    folder.mkdir()
    (folder / "FORMAT").write_text("0", encoding="utf-8")
    (folder / "stale.txt").touch()
    with warnings.catch_warnings(), ThreadPoolExecutor(2) as pool:
        warnings.filterwarnings("ignore", message="Series.dt.weekday is deprecated")
        built = list(pool.map(ensure_bundled_tape, [folder, folder]))
    assert built == [folder, folder]
    return folder


def test_two_builders_at_once_replace_an_old_tape_and_leave_nothing_beside_it(raced: Path) -> None:
    assert not (raced / "stale.txt").exists()
    assert list(raced.parent.iterdir()) == [raced]


def test_tape_built_again_is_the_same_tape(bundled: Tape, raced: Path) -> None:
    again = Tape.open(raced)
    assert again.symbols() == bundled.symbols()
    for listing in bundled.symbols():
        for timeframe in listing.timeframes:
            assert again.bars(listing.symbol, timeframe).equals(bundled.bars(listing.symbol, timeframe))
