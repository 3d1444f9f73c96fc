"""Bars from files: what is read, and the line and remedy of what is not."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from chandlery.errors import InvalidInput
from chandlery.steps.bar_files import read_bar_file
from chandlery.steps.bar_spacing import periods_per_year, timeframe_of

TAPES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tapes"
HEADER = "time,open,high,low,close,volume"
FIRST = int(datetime(2020, 1, 1, 14, 30, tzinfo=UTC).timestamp())


def write(folder: Path, *lines: str, header: str = HEADER, name: str = "bars.csv") -> Path:
    path = folder / name
    path.write_text("\n".join((header, *lines)) + "\n")
    return path


def bars(*times: str) -> list[str]:
    return [f"{time},10,12,9,11,100" for time in times]


@pytest.mark.parametrize(
    "times",
    [
        ("2020-01-01T14:30:00Z", "2020-01-01T14:31:00Z"),
        ("2020-01-01 14:30", "2020-01-01 14:31"),
        ("2020-01-01T09:30:00-05:00", "2020-01-01T09:31:00.000-05:00"),
        (f"{FIRST}", f"{FIRST + 60}"),
        (f"{FIRST}.0", f"{FIRST + 60}.0"),
        (f"{FIRST}000", f"{FIRST + 60}000"),
        (f"{FIRST}000000", f"{FIRST + 60}000000"),
        (f"{FIRST}000000000", f"{FIRST + 60}000000000"),
    ],
)
def test_every_way_to_write_a_time_is_the_same_instant(tmp_path: Path, times: tuple[str, str]) -> None:
    panel = read_bar_file(write(tmp_path, *bars(*times))).panel
    assert panel.ts.tolist() == [FIRST * 1_000_000, (FIRST + 60) * 1_000_000]
    assert (panel.symbol, panel.timeframe, panel.bars) == ("bars", "1m", 2)


@pytest.mark.parametrize("times", [("1969-12-31", "1970-01-01"), ("19691231", "19700101"), ("-86400", "0")])
def test_days_are_midnight_utc(tmp_path: Path, times: tuple[str, str]) -> None:
    assert read_bar_file(write(tmp_path, *bars(*times))).panel.ts.tolist() == [-86_400_000_000, 0]


def test_columns_may_come_in_any_order_and_case_beside_others(tmp_path: Path) -> None:
    path = write(
        tmp_path, "7,x,100, 11 ,9,12,10,2020-01-01", "", "7,x,100,11,9,12,10,2020-01-02",
        header="id,note,Volume,Close,LOW,high,Open,Date",
    )  # fmt: skip
    assert read_bar_file(path, symbol="ABC").panel.ohlcv[:, 0].tolist() == [10.0, 12.0, 9.0, 11.0, 100.0]


def test_compressed_and_parquet_files_hold_the_same_bars(tmp_path: Path) -> None:
    plain = write(tmp_path, *bars("2020-01-01T00:00:01.5", "2020-01-01T00:00:02.5"))
    packed = tmp_path / "packed.csv.gz"
    packed.write_bytes(gzip.compress(b"\xef\xbb\xbf" + plain.read_bytes()))
    frame = pl.read_csv(plain).with_columns(pl.col("time").str.to_datetime().dt.replace_time_zone("Asia/Tokyo"))
    frame.with_columns(pl.col("time").dt.offset_by("9h")).write_parquet(tmp_path / "bars.parquet")
    ids = {read_bar_file(path, symbol="X").panel.panel_id for path in (plain, packed, tmp_path / "bars.parquet")}
    assert len(ids) == 1
    assert read_bar_file(packed).panel.symbol == "packed"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (bars("2020-01-02", "2020-01-03", "2020-01-01"), "line 4: the time 2020-01-01 comes after 2020-01-03"),
        (bars("2020-01-03", "2020-01-02", "2020-01-01"), "newest first: turn it round"),
        (bars("2020-01-01", "2020-01-02", "2020-01-02"), "line 4: the time 2020-01-02 was there before"),
        ([*bars("2020-01-01"), "", "2020-01-02,10,12,9,nan,1"], "line 4: close was 'nan'; a price is a number above 0"),
        ([*bars("2020-01-01"), "2020-01-02,10,12,,11,1"], "line 3: low was ''"),
        ([*bars("2020-01-01"), "2020-01-02,0,12,9,11,1"], "line 3: open was '0'"),
        (["2020-01-01,10,-12,9,11,1", *bars("2020-01-02")], "line 2: high was '-12'"),
        (["2020-01-01,10,inf,9,11,1", *bars("2020-01-02")], "line 2: high was 'inf'"),
        (["2020-01-01,10,12,9,11,-1", *bars("2020-01-02")], "line 2: volume was '-1'; a volume is a number, at least"),
        (["2020-01-01,10,12,9,11", *bars("2020-01-02")], "line 2 has 5 fields and the header 6"),
        (bars("2020-01-01", "soon"), "line 3: the time was 'soon'; it is no ISO 8601 time"),
        (bars("2020-02-30", "2020-03-01"), "line 2: the time was '2020-02-30'; it is no time. Write ISO 8601"),
        (bars("1577889000", "2020-01-01"), "line 3: the time was '2020-01-01'; it is no number"),
        (bars("2020-01-01", ""), "line 3: the time was ''; it is empty"),
        (bars("1", "1" + "0" * 25), "it is too large for a time"),
        (bars("2020-01-01"), "holds 1 bars; at least 2"),
        ([], "holds 0 bars"),
    ],
)
def test_a_wrong_line_is_named_with_what_it_held(tmp_path: Path, lines: list[str], said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_bar_file(write(tmp_path, *lines))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty; it needs a header"),
        (b"\n \n", "is empty"),
        (b"time,open,high,low,close\n", "lacks the columns volume"),
        (b"a;b\n1;2\n", "lacks the columns time, open, high, low, close, volume; its header has a;b"),
        (b"time,Time,open,high,low,close,volume\n", "two columns time"),
        (b"\xff\xfe", "Save it as CSV in UTF-8"),
        (b"\x1f\x8b\x08\x00nonsense-", "could not be read"),
        (HEADER.encode() + b'\n2020-01-01,"1,1,1,1,1\n', "was read as CSV and is none"),
    ],
)
def test_a_file_that_holds_no_bars_is_refused_with_a_remedy(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "bars.csv"
    path.write_bytes(content)
    with pytest.raises(InvalidInput) as caught:
        read_bar_file(path)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["absent.csv", "absent.parquet", "."])
def test_a_file_that_is_not_there_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="could not be read"):
        read_bar_file(tmp_path / name)


def test_an_unknown_time_zone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="America/New_York"):
        read_bar_file(write(tmp_path, *bars("2020-01-01", "2020-01-02")), timezone="Mars/Olympus")


def test_days_stay_days_whatever_the_time_zone(tmp_path: Path) -> None:
    # 2020-01-01 was a Wednesday, day 4 of a week that begins on Sunday; in New York midnight UTC is still Tuesday.
    found = read_bar_file(write(tmp_path, *bars("2020-01-01", "2020-01-02")), timezone="America/New_York")
    assert found.panel.source("dayofweek").tolist() == [4.0, 5.0]
    assert "days without a time" in found.notes[0]


def test_bars_that_contradict_themselves_are_noted_not_refused(tmp_path: Path) -> None:
    found = read_bar_file(write(tmp_path, *bars("2020-01-01"), "2020-01-02,10,12,10.5,11,1", *bars("2020-01-03")))
    assert found.notes == (
        "1 bars have an open or close outside low and high (first: line 3); fills at a level are doubtful there",
    )


@pytest.mark.parametrize(
    ("step", "named"),
    [(10, "10s"), (60, "1m"), (300, "5m"), (3_600, "1h"), (14_400, "4h"), (86_400, "1d"), (604_800, "1w"),
     (30 * 86_400, "1M")],
)  # fmt: skip
def test_the_timeframe_is_the_commonest_spacing(step: int, named: str) -> None:
    times = np.arange(9, dtype=np.int64) * step * 1_000_000
    assert timeframe_of(times) == named


@pytest.mark.parametrize(
    ("file", "zone", "per_year"),
    [
        # Regular hours are 390 minutes on 252 days; shared/data/README.md.
        ("us_minute/AAPL", "America/New_York", 390 * 252),
        ("us_daily/BA", "UTC", 252),
        ("us_daily/yahoo_SPY", "UTC", 252),
    ],
)
def test_bars_a_year_are_read_off_real_bars(file: str, zone: str, per_year: float) -> None:
    path = TAPES / f"{file}.parquet"
    if not path.exists():
        pytest.skip(f"the real tapes are not in {TAPES}")
    assert periods_per_year(read_bar_file(path, timezone=zone).panel).per_year == per_year


@pytest.mark.parametrize(("minutes", "per_year"), [(60, 24 * 365), (1_440, 365), (7 * 1_440, 52), (30 * 1_440, 12)])
def test_bars_around_the_clock_count_every_day(tmp_path: Path, minutes: int, per_year: float) -> None:
    path = write(tmp_path, *bars(*(str(number * minutes * 60) for number in range(400))))
    assert periods_per_year(read_bar_file(path).panel).per_year == per_year
