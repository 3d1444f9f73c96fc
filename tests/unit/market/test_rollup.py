"""Extended hours and the vendor's clock against a roll-up by hand: wall clocks, dictionaries, one minute at a time."""

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chandlery.errors import InvalidInput
from chandlery.market.bars import BAR_SCHEMA, empty_bars
from chandlery.market.calendar import sessions
from chandlery.market.rollup import CANDLE_SCHEMA, roll_up
from chandlery.market.timeframes import CANDLE_TIMEFRAMES, Timeframe

TAPES = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "tapes"
NEW_YORK = "America/New_York"
LATER = datetime(2030, 1, 1, tzinfo=UTC)
HALF_DAYS = {date(2012, 12, 24)}
MINUTE = timedelta(minutes=1)
SIZES = {"5m": 5, "15m": 15, "30m": 30, "1h": 60, "4h": 240}
WAYS = [("regular", "session"), ("regular", "clock"), ("extended", "session"), ("extended", "clock")]


def hours_by_hand(day: date, hours: str, zone: str) -> tuple[datetime, datetime]:
    """The hours of a day on the wall clock, no calendar asked."""
    midnight = datetime.combine(day, time())
    if zone == "UTC":
        return midnight, midnight + timedelta(days=1)
    half = day in HALF_DAYS
    start, end = (240, 1020 if half else 1200) if hours == "extended" else (570, 780 if half else 960)
    return midnight + timedelta(minutes=start), midnight + timedelta(minutes=end)


def label_by_hand(local: datetime, start: datetime, timeframe: str, alignment: str) -> datetime:
    if timeframe == "1d":
        return local.replace(hour=0, minute=0)
    if timeframe == "1w":
        return local.replace(hour=0, minute=0) - timedelta(days=local.weekday())
    if alignment == "clock" and timeframe in {"1h", "4h"}:
        return local.replace(hour=local.hour if timeframe == "1h" else local.hour // 4 * 4, minute=0)
    passed = (local - start) // MINUTE
    return start + timedelta(minutes=passed - passed % SIZES[timeframe])


def by_hand(
    minutes: pl.DataFrame, timeframe: str, *, hours: str, alignment: str, zone: str, days: set[date], fillers: bool
) -> list[dict[str, Any]]:
    """Every expected minute of every day is put into its bucket, then every bar into the bucket of its minute."""
    to_utc = lambda local: local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)  # noqa: E731
    expected: dict[datetime, list[datetime]] = defaultdict(list)
    bucket_of: dict[datetime, datetime] = {}
    for day in days:
        start, end = hours_by_hand(day, hours, zone)
        local = start
        while local < end:
            bucket_of[to_utc(local)] = label_by_hand(local, start, timeframe, alignment)
            expected[bucket_of[to_utc(local)]].append(local)
            local += MINUTE
    found: dict[datetime, list[dict[str, Any]]] = defaultdict(list)
    for bar in minutes.to_dicts():
        filler = bar["volume"] == 0 and bar["open"] == bar["high"] == bar["low"] == bar["close"]
        if bar["ts"] in bucket_of and (fillers or not filler):
            found[bucket_of[bar["ts"]]].append(bar)
    candles = []
    for label, bars in sorted(found.items()):
        traded = [bar for bar in bars if bar["volume"]]
        counts = [bar["trade_count"] for bar in bars if bar["trade_count"] is not None]
        volume, turnover = 0.0, 0.0
        for bar in bars:
            volume += bar["volume"]
            turnover += (bar["vwap"] or 0.0) * bar["volume"]
        known = all(bar["vwap"] is not None for bar in traded)
        candles.append(
            {
                "ts": to_utc(label),
                "session": label.date(),
                "open": bars[0]["open"],
                "high": max(bar["high"] for bar in bars),
                "low": min(bar["low"] for bar in bars),
                "close": bars[-1]["close"],
                "volume": volume,
                "vwap": turnover / volume if known and volume else None,
                "trade_count": sum(counts) if counts and all(b["trade_count"] is not None for b in traded) else None,
                "turnover": turnover if known else None,
                "bar_count": len(bars),
                "expected_count": len(expected[label]),
            }
        )
    return candles


def constructed() -> pl.DataFrame:
    """A half day and both changes of the clock, 03:50 to 20:10 New York; fractions, fillers, holes, unknown vwaps."""
    rows = []
    for day in (
        date(2012, 11, 2),
        date(2012, 11, 5),
        date(2012, 12, 24),
        date(2013, 3, 8),
        date(2013, 3, 11),
        date(2013, 3, 12),
    ):
        first = datetime(day.year, day.month, day.day, 3, 50, tzinfo=ZoneInfo(NEW_YORK)).astimezone(UTC)
        for k in range(980):
            n = len(rows) + k
            if n % 31:
                price = 50 + n * 7919 % 1000 / 300
                bar = (price, price + n % 11 / 70, price - n % 13 / 90, price - n % 13 / 180, n * 104729 % 9973 / 7)
                values = bar if n % 50 else (price, price, price, price, 0.0)
                rows.append((first + k * MINUTE, *values, *((price, n % 40 + 1) if n % 97 else (None, None))))
    return pl.DataFrame(rows, schema=dict(BAR_SCHEMA), orient="row")


def tape(name: str) -> pl.DataFrame:
    path = TAPES / f"{name}.parquet"
    if not path.exists():
        pytest.skip("the shared tapes are not on this machine")
    stamps = pl.from_epoch("t", time_unit="ms").dt.replace_time_zone("UTC").alias("ts")
    frame = pl.read_parquet(path).select(stamps, "open", "high", "low", "close", "volume", vwap=None, trade_count=None)
    return frame.cast(dict(BAR_SCHEMA)).sort("ts")


SERIES: dict[str, tuple[Callable[[], pl.DataFrame], str, bool]] = {
    "constructed": (constructed, "NYSE", False),
    "SPY": (lambda: tape("us_minute/SPY_2011-01").head(7 * 700), "NYSE", False),
    "I:SPX": (lambda: tape("us_minute/I_SPX_2019-11"), "NYSE", True),
    "X:BTCUSD": (lambda: tape("crypto_minute/X_BTCUSD_bitfinex_2016").head(6 * 1440), "24/7", False),
}


@pytest.fixture(scope="module", params=list(SERIES))
def series(request: pytest.FixtureRequest) -> tuple[pl.DataFrame, pl.DataFrame, str, bool]:
    make, calendar, fillers = SERIES[request.param]
    minutes = make()
    first, last = minutes["ts"][0].date(), minutes["ts"][-1].date()
    opened = sessions(calendar, first - timedelta(days=first.weekday()), last + timedelta(days=8 - last.weekday()))
    weeks = minutes["ts"].dt.date().dt.truncate("1w").unique().implode()
    opened = opened.filter(pl.col("session").dt.truncate("1w").is_in(weeks))
    return minutes, opened, "UTC" if calendar == "24/7" else NEW_YORK, fillers


@pytest.mark.parametrize(("hours", "alignment"), WAYS, ids=["-".join(way) for way in WAYS])
@pytest.mark.parametrize("timeframe", CANDLE_TIMEFRAMES)
def test_candles_equal_the_roll_up_by_hand(series: Any, timeframe: Timeframe, hours: Any, alignment: Any) -> None:
    minutes, opened, zone, fillers = series
    days = set(opened["session"])
    expected = by_hand(
        minutes, timeframe.value, hours=hours, alignment=alignment, zone=zone, days=days, fillers=fillers
    )
    candles = roll_up(
        minutes,
        opened,
        timeframe,
        hours=hours,
        alignment=alignment,
        zone=zone,
        as_of=LATER,
        counts_fillers=fillers,
    )
    assert dict(candles.schema) == CANDLE_SCHEMA
    assert expected
    sums = ("volume", "vwap", "turnover")
    assert candles.drop(*sums, "is_final").to_dicts() == [
        {name: value for name, value in row.items() if name not in sums} for row in expected
    ]
    for name in sums:
        by_one = [row[name] for row in expected]
        assert candles[name].to_list() == [
            None if value is None else pytest.approx(value, rel=1e-12, abs=0) for value in by_one
        ]
    assert candles["is_final"].all()


def test_whole_shares_add_up_exactly() -> None:
    minutes = tape("us_minute/SPY_2011-01")
    opened = sessions("NYSE", date(2011, 1, 3), date(2011, 2, 5))
    total = {
        timeframe: roll_up(minutes, opened, timeframe, hours="extended", zone=NEW_YORK, as_of=LATER)["volume"].sum()
        for timeframe in CANDLE_TIMEFRAMES
    }
    assert set(total.values()) == {minutes["volume"].sum()}


def one_day(timeframe: Timeframe, as_of: datetime, **how: Any) -> list[tuple[datetime, int, bool]]:
    opened = sessions("NYSE", date(2012, 12, 24), date(2012, 12, 29))
    candles = roll_up(
        constructed().filter(pl.col("ts").dt.date() == date(2012, 12, 24)),
        opened,
        timeframe,
        zone=NEW_YORK,
        as_of=as_of,
        **how,
    )
    return candles.select("ts", "expected_count", "is_final").rows()


def at(hour: int, minute: int = 0, day: int = 24) -> datetime:
    return datetime(2012, 12, day, hour, minute, tzinfo=UTC)


def test_half_day_on_the_vendors_clock_expects_the_minutes_inside_the_session() -> None:
    # 09:30 to 13:00 New York is 14:30 to 18:00 UTC: 4h from midnight are 08:00 and 12:00, 1h begins at 09:00.
    regular = one_day(Timeframe.H4, LATER, alignment="clock")
    assert [row[:2] for row in regular] == [(at(13), 150), (at(17), 60)]
    hourly = one_day(Timeframe.H1, LATER, alignment="clock")
    assert [row[:2] for row in hourly] == [(at(14), 30), (at(15), 60), (at(16), 60), (at(17), 60)]
    # 04:00 to 17:00: the last four hours end an hour after they began.
    extended = one_day(Timeframe.H4, LATER, hours="extended", alignment="clock")
    assert [row[:2] for row in extended] == [(at(9), 240), (at(13), 240), (at(17), 240), (at(21), 60)]


def test_bucket_is_final_a_quarter_of_an_hour_after_its_last_minute() -> None:
    for as_of, final in ((at(18, 14), False), (at(18, 15), True)):
        assert one_day(Timeframe.H4, as_of)[-1] == (at(14, 30), 210, final)
        assert one_day(Timeframe.H4, as_of, alignment="clock")[-1] == (at(17), 60, final)
    for as_of, final in ((at(22, 14), False), (at(22, 15), True)):
        assert one_day(Timeframe.H1, as_of, hours="extended")[-1] == (at(21), 60, final)


def test_day_is_final_at_eleven_the_next_morning_and_its_week_with_its_last_day() -> None:
    for hours in ("regular", "extended"):
        for as_of, final in ((at(15, 59, day=25), False), (at(16, day=25), True)):
            assert one_day(Timeframe.D1, as_of, hours=hours)[-1][2] is final
        for as_of, final in ((at(15, 59, day=29), False), (at(16, day=29), True)):
            assert one_day(Timeframe.W1, as_of, hours=hours)[-1][2] is final
    # Monday's half day, a holiday, three whole days.
    assert one_day(Timeframe.W1, LATER) == [(at(5), 210 + 3 * 390, True)]
    assert one_day(Timeframe.W1, LATER, hours="extended") == [(at(5), 780 + 3 * 960, True)]


def test_nothing_comes_of_nothing() -> None:
    opened = sessions("NYSE", date(2012, 12, 24), date(2012, 12, 29))
    for minutes, table in ((empty_bars(), opened), (constructed(), opened.clear()), (empty_bars(), opened.clear())):
        candles = roll_up(minutes, table, Timeframe.W1, zone=NEW_YORK, as_of=LATER)
        assert candles.is_empty()
        assert dict(candles.schema) == CANDLE_SCHEMA


def test_minutes_are_no_candles_and_an_instant_needs_a_zone() -> None:
    opened = sessions("NYSE", date(2012, 12, 24), date(2012, 12, 29))
    with pytest.raises(InvalidInput, match="Timeframe was 1m"):
        roll_up(constructed(), opened, Timeframe.M1, zone=NEW_YORK, as_of=LATER)
    with pytest.raises(InvalidInput, match="without a zone"):
        roll_up(constructed(), opened, Timeframe.H1, zone=NEW_YORK, as_of=LATER.replace(tzinfo=None))


@settings(max_examples=30, deadline=None)
@given(
    kept=st.sets(st.integers(0, 979), min_size=1, max_size=60),
    whole=st.booleans(),
    way=st.sampled_from(WAYS),
    data=st.data(),
)
def test_coarser_candles_hold_what_the_finer_ones_hold(kept: set[int], whole: bool, way: Any, data: Any) -> None:
    day = constructed().head(980)
    minutes = day[sorted(place for place in kept if place < day.height)]
    if whole:
        minutes = minutes.with_columns(pl.col("volume").round())
    opened = sessions_of_2012()
    hours, alignment = way
    frames = {
        timeframe: roll_up(minutes, opened, timeframe, hours=hours, alignment=alignment, zone=NEW_YORK, as_of=LATER)
        for timeframe in CANDLE_TIMEFRAMES
    }
    finer, coarser = data.draw(st.sampled_from(list(pairwise(CANDLE_TIMEFRAMES))))
    for name in ("bar_count", "volume"):
        assert frames[finer][name].sum() == pytest.approx(frames[coarser][name].sum(), rel=1e-12, abs=0)
    assert frames[finer]["high"].max() == frames[coarser]["high"].max()
    assert frames[finer]["low"].min() == frames[coarser]["low"].min()
    assert all(row["bar_count"] <= row["expected_count"] for row in frames[finer].to_dicts())


def sessions_of_2012(known: list[pl.DataFrame] = []) -> pl.DataFrame:  # noqa: B006 - built once, it takes a second
    if not known:
        known.append(sessions("NYSE", date(2012, 10, 29), date(2013, 3, 16)))
    return known[0]
