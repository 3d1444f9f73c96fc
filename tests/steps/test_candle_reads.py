"""Candles the marts do not hold, on real minutes, against computations written another way."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from chandlery.clock import now
from chandlery.errors import InvalidInput, NotFound
from chandlery.market.actions import Action, ActionKind, Status
from chandlery.market.adjust import Adjustment, DividendMethod
from chandlery.market.bars import BAR_SCHEMA
from chandlery.market.timeframes import Timeframe
from chandlery.steps.bars import ingest_bars
from chandlery.steps.calendar import build_calendar
from chandlery.steps.candle_reads import Variant
from chandlery.steps.candles import CandleQuestion, find_candles
from chandlery.steps.universe import sync_universe
from chandlery.store.actions import replace_actions
from chandlery.store.universe import find_instrument
from chandlery.store.warehouse import Warehouse

TAPES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tapes" / "us_minute"
NEW_YORK = ZoneInfo("America/New_York")
PRICES = ("open", "high", "low", "close")
EX_DATE = date(2016, 5, 4)
"""A Wednesday: the week of its Monday crosses it."""
MONDAY = date(2016, 5, 2)
RATIO = 7
Bar = dict[str, Any]


def read_tape(name: str) -> pl.DataFrame:
    if not TAPES.is_dir():
        pytest.skip(f"the real tapes are not in {TAPES}")
    frame = pl.read_parquet(TAPES / f"{name}.parquet").sort("t")
    return frame.select(
        pl.from_epoch("t", time_unit="ms").dt.replace_time_zone("UTC").cast(BAR_SCHEMA["ts"]).alias("ts"),
        *PRICES,
        "volume",
        vwap=pl.lit(None, dtype=pl.Float64),
        trade_count=pl.lit(None, dtype=pl.Int64),
    )


def minute(day: date, hour: int, price: float) -> pl.DataFrame:
    """Return one minute outside regular hours; `hour` is New York's."""
    ts = datetime(day.year, day.month, day.day, hour, tzinfo=NEW_YORK).astimezone(UTC)
    row = (ts, price, price + 0.5, price - 0.5, price, 700.0, None, None)
    return pl.DataFrame([row], schema=dict(BAR_SCHEMA), orient="row")


def folded(bars: list[Bar], key: Callable[[datetime], Any]) -> dict[Any, tuple[float, ...]]:
    """Return open, high, low, close, volume, count by key of the New York time, bar by bar."""
    found: dict[Any, list[float]] = {}
    for bar in bars:
        place = key(bar["ts"].astimezone(NEW_YORK))
        if place not in found:
            found[place] = [bar["open"], bar["high"], bar["low"], bar["close"], bar["volume"], 1]
            continue
        candle = found[place]
        candle[1], candle[2] = max(candle[1], bar["high"]), min(candle[2], bar["low"])
        candle[3], candle[4], candle[5] = bar["close"], candle[4] + bar["volume"], candle[5] + 1
    return {place: tuple(candle) for place, candle in found.items()}


def is_regular(moment: datetime) -> bool:
    local = moment.astimezone(NEW_YORK)
    return (9, 30) <= (local.hour, local.minute) < (16, 0)


def shown(frame: pl.DataFrame) -> list[tuple[float, ...]]:
    return frame.select(*PRICES, "volume", "bar_count").rows()


@dataclass
class Desk:
    """A warehouse with AAPL of 2016, minutes and some days, and a split that is declared."""

    warehouse: Warehouse
    bars: list[Bar]
    days: list[Bar]

    def find(self, timeframe: str, *, symbol: str = "AAPL", basis: Any = "minutes", **asked: Any) -> pl.DataFrame:
        edges = {name: asked.pop(name, None) for name in ("start", "end")}
        return find_candles(self.warehouse, CandleQuestion(symbol, timeframe, basis, **edges, variant=Variant(**asked)))

    @property
    def regular(self) -> list[Bar]:
        return [bar for bar in self.bars if is_regular(bar["ts"])]


def declare(warehouse: Warehouse, *actions: Action) -> None:
    with warehouse.write() as connection:
        number = find_instrument(connection, "AAPL").instrument_id
        replace_actions(connection, instrument_id=number, actions=actions)


def split(day: date = EX_DATE, *, status: Status = Status.ACCEPTED) -> Action:
    return Action(
        kind=ActionKind.SPLIT, ex_date=day, status=status, evidence={}, source="me", split_from=1, split_to=RATIO
    )


def dividend(day: date, cash: str) -> Action:
    return Action(
        kind=ActionKind.CASH_DIVIDEND,
        ex_date=day,
        status=Status.ACCEPTED,
        evidence={},
        source="massive",
        cash=Decimal(cash),
        currency="USD",
    )


def day_bars(frame: pl.DataFrame) -> pl.DataFrame:
    """Return day bars as a vendor would publish them, volume of all hours included."""
    zoned = frame.with_columns(ts=pl.col("ts").dt.convert_time_zone(NEW_YORK.key).dt.truncate("1d"))
    grouped = zoned.group_by("ts", maintain_order=True).agg(
        open=pl.col("open").first(),
        high=pl.col("high").max(),
        low=pl.col("low").min(),
        close=pl.col("close").last(),
        volume=pl.col("volume").sum() + 1000,
    )
    return grouped.select(
        pl.col("ts").dt.convert_time_zone("UTC"),
        *PRICES,
        "volume",
        vwap=pl.lit(None, dtype=pl.Float64),
        trade_count=pl.lit(None, dtype=pl.Int64),
    )


def stocked(source_of: Any, warehouse: Warehouse, frames: dict[tuple[str, Timeframe], pl.DataFrame]) -> Any:
    symbols = tuple(dict.fromkeys(symbol for symbol, _ in frames))
    source = source_of(frames, symbols=symbols)
    sync_universe(source, warehouse, symbols=(), source_name="tape")
    build_calendar(warehouse, start=date(2010, 12, 1), end=date(2016, 7, 1))
    return source


def bring_in(source: Any, warehouse: Warehouse, timeframe: Timeframe, start: date, end: date) -> None:
    symbols = [symbol for symbol, length in source.frames if length is timeframe]
    ingest_bars(
        source, warehouse, timeframe=timeframe, start=start, end=end, spans=dict.fromkeys(symbols, (start, end))
    )


@pytest.fixture(scope="module")
def desk(source_of: Any, warehouse: Warehouse) -> Desk:
    tape = read_tape("AAPL")
    before, early = minute(EX_DATE - timedelta(days=1), 17, 95.0), minute(EX_DATE, 8, 94.0)
    minutes = pl.concat([tape, before, early]).sort("ts")
    # Days of four weeks; minutes of the first are missing.
    days, kept = day_bars(tape), minutes.filter(pl.col("ts") >= datetime(2016, 4, 25, tzinfo=UTC))
    frames = {
        ("AAPL", Timeframe.M1): kept,
        ("AAPL", Timeframe.D1): days,
        ("SPY", Timeframe.M1): read_tape("SPY_2011-01"),
    }
    source = stocked(source_of, warehouse, frames)
    for timeframe in (Timeframe.M1, Timeframe.D1):
        bring_in(source, warehouse, timeframe, date(2011, 1, 1), date(2016, 6, 1))
    declare(warehouse, split())
    return Desk(warehouse, kept.to_dicts(), days.to_dicts())


@pytest.mark.parametrize(("timeframe", "hours"), [("1h", 1), ("4h", 4)])
def test_by_clock_hours_begin_on_the_hour_and_four_hours_at_midnight(desk: Desk, timeframe: str, hours: int) -> None:
    found = desk.find(timeframe, alignment="clock")
    expected = folded(desk.regular, lambda local: (local.date(), local.hour // hours))
    assert shown(found) == list(expected.values())
    opens = {ts.astimezone(NEW_YORK).time().isoformat() for ts in found["ts"]}
    assert opens == ({"08:00:00", "12:00:00"} if hours == 4 else {f"{hour:02}:00:00" for hour in range(9, 16)})


def test_extended_hours_of_a_real_tape_are_a_series_of_their_own(desk: Desk) -> None:
    bars = read_tape("SPY_2011-01").to_dicts()
    extended = desk.find("1d", symbol="SPY", hours="extended")
    regular = desk.find("1d", symbol="SPY", alignment="clock")
    assert shown(extended) == list(folded(bars, datetime.date).values())
    assert shown(regular) == list(folded([bar for bar in bars if is_regular(bar["ts"])], datetime.date).values())
    # shared/data/README.md, trap 7: counting extended hours moves the high by up to 32, the low by up to 40 bps.
    moves = [(extended[name] / regular[name] - 1).abs().max() * 1e4 for name in ("high", "low")]  # type: ignore[operator]
    assert [round(move) for move in moves] == [32, 40]


@pytest.mark.parametrize("timeframe", ["5m", "30m", "4h", "1d"])
def test_adjusted_candles_are_the_candles_of_adjusted_minutes(desk: Desk, timeframe: str) -> None:
    raw = desk.find(timeframe, as_of=now())
    adjusted = desk.find(timeframe, adjusted=Adjustment.SPLIT)
    assert raw["ts"].to_list() == adjusted["ts"].to_list()
    for before, after, session in zip(shown(raw), shown(adjusted), raw["session"], strict=True):
        factor = RATIO if session < EX_DATE else 1
        # Division is correctly rounded, and so is the product with an exact ratio.
        assert after == (*(price / factor for price in before[:4]), before[4] * factor, before[5])


def test_week_across_an_ex_date_is_the_week_of_adjusted_days(desk: Desk) -> None:
    adjusted = [
        {**bar, **{name: bar[name] / RATIO for name in PRICES}, "volume": bar["volume"] * RATIO}
        if bar["ts"].astimezone(NEW_YORK).date() < EX_DATE
        else bar
        for bar in desk.regular
    ]
    expected = folded(adjusted, lambda local: local.date() - timedelta(days=local.weekday()))
    found = desk.find("1w", adjusted=Adjustment.SPLIT)
    assert dict(zip(found["session"], shown(found), strict=True)) == expected
    # On the raw basis the low of that week is a real price near 90, not a seventh of one near 93.
    assert (expected[MONDAY][2] < 14, desk.find("1w", as_of=now())["low"].min() > 85) == (True, True)  # type: ignore[operator]


def test_premarket_of_the_ex_date_is_on_the_new_basis(desk: Desk) -> None:
    found = desk.find("1h", hours="extended", alignment="clock", adjusted=Adjustment.SPLIT)
    by_open = {ts.astimezone(NEW_YORK): row for ts, row in zip(found["ts"], shown(found), strict=True)}
    evening = by_open[datetime(2016, 5, 3, 17, tzinfo=NEW_YORK)]
    morning = by_open[datetime(2016, 5, 4, 8, tzinfo=NEW_YORK)]
    assert evening == (95 / 7, 95.5 / 7, 94.5 / 7, 95 / 7, 4900, 1)
    assert morning == (94.0, 94.5, 93.5, 94.0, 700, 1)


def test_basis_date_leaves_its_day_unadjusted(desk: Desk) -> None:
    old = desk.find("1d", adjusted=Adjustment.SPLIT, adjusted_to=EX_DATE - timedelta(days=1))
    assert shown(old) == shown(desk.find("1d", as_of=now()))


def test_auto_takes_days_only_where_there_are_no_minutes(desk: Desk) -> None:
    found = desk.find("1d", basis="auto", adjusted=Adjustment.SPLIT)
    first = date(2016, 4, 25)
    assert [basis == "minutes" for basis in found["basis"]] == [session >= first for session in found["session"]]
    assert found["session"].is_sorted()
    assert found.height == len(desk.days) == 21
    early = found.filter(pl.col("basis") == "day")
    assert shown(early) == [
        (*(bar[name] / RATIO for name in PRICES), bar["volume"] * RATIO, 1)
        for bar in desk.days
        if bar["ts"].astimezone(NEW_YORK).date() < first
    ]


def test_auto_weeks_come_from_days_where_a_week_has_no_minutes(desk: Desk) -> None:
    found = desk.find("1w", basis="auto", adjusted=Adjustment.SPLIT)
    assert list(zip(found["session"], found["basis"], found["bar_count"], found["expected_count"], strict=True))[
        :3
    ] == [
        (date(2016, 4, 11), "day", 1, 5),
        (date(2016, 4, 18), "day", 5, 5),
        (date(2016, 4, 25), "minutes", 1950, 1950),
    ]


def test_extended_hours_have_no_days_to_fall_back_on(desk: Desk) -> None:
    found = desk.find("1d", basis="auto", hours="extended")
    assert (set(found["basis"]), found["session"][0]) == ({"minutes"}, date(2016, 4, 25))


def test_range_is_half_open_and_cuts_no_candle(desk: Desk) -> None:
    week = datetime(2016, 5, 2, 4, tzinfo=UTC)
    whole = desk.find("1w", adjusted=Adjustment.SPLIT)
    found = desk.find("1w", adjusted=Adjustment.SPLIT, start=week, end=week + timedelta(seconds=1))
    assert_frame_equal(found, whole.filter(pl.col("session") == MONDAY), check_exact=True)
    edges = {"start": datetime.min.replace(tzinfo=UTC), "end": datetime.max.replace(tzinfo=UTC)}
    assert_frame_equal(desk.find("1w", adjusted=Adjustment.SPLIT, **edges), whole, check_exact=True)


def test_score_of_what_is_not_stored_is_unknown(desk: Desk) -> None:
    found = desk.find("1d", hours="extended")
    assert (found["quality_score"].null_count(), set(found["source"])) == (found.height, {"tape"})


@pytest.fixture
def small(source_of: Any, minutes_of: Any, fresh: Warehouse) -> Any:
    """A week of made-up minutes of AAPL, not yet brought in."""
    week = pl.concat([minutes_of(MONDAY + timedelta(days=place), price=100.0 + place) for place in range(5)])
    return stocked(source_of, fresh, {("AAPL", Timeframe.M1): week})


def bring_week(source: Any, warehouse: Warehouse) -> None:
    bring_in(source, warehouse, Timeframe.M1, MONDAY, MONDAY + timedelta(days=5))


def test_dividend_lowers_what_came_before_by_its_share_of_the_close(small: Any, fresh: Warehouse) -> None:
    bring_week(small, fresh)
    declare(fresh, dividend(EX_DATE, "0.57"))
    close = 101.5  # Tuesday's
    expected = [(100.5 * (1 - 0.57 / close)), close - 0.57, 102.5, 103.5, 104.5]
    found = Desk(fresh, [], []).find("1d", adjusted=Adjustment.ALL)
    assert found["close"].to_list() == pytest.approx(expected, rel=1e-14)
    other = Desk(fresh, [], []).find("1d", adjusted=Adjustment.ALL, dividends=DividendMethod.EX_CLOSE)
    assert other["close"][1] == pytest.approx(close * 102.5 / (102.5 + 0.57), rel=1e-14)
    plain = Desk(fresh, [], []).find("1d", adjusted=Adjustment.SPLIT)
    assert plain["close"].to_list() == [100.5, 101.5, 102.5, 103.5, 104.5]


def test_suspected_split_adjusts_nothing(small: Any, fresh: Warehouse) -> None:
    bring_week(small, fresh)
    declare(fresh, split(status=Status.SUSPECTED))
    assert Desk(fresh, [], []).find("1d", adjusted=Adjustment.SPLIT)["close"][0] == 100.5


def test_as_of_knows_the_bars_the_actions_and_the_source_of_then(small: Any, fresh: Warehouse) -> None:
    desk = Desk(fresh, [], [])
    bring_week(small, fresh)
    moments, answers = [], []

    def keep() -> None:
        moments.append(now())
        question = CandleQuestion("AAPL", "1w", variant=Variant(adjusted=Adjustment.SPLIT))
        answers.append(find_candles(fresh, question, now=lambda: moments[-1]))

    keep()
    declare(fresh, split())
    keep()
    small.name = "vendor"
    late = pl.when(pl.col("ts") == pl.col("ts").max()).then(111.0).otherwise(pl.col("close"))
    changed = small.frames["AAPL", Timeframe.M1].with_columns(close=late, high=pl.max_horizontal("high", late))
    small.frames["AAPL", Timeframe.M1] = changed
    bring_week(small, fresh)
    keep()
    declare(fresh)
    assert [(answer["open"][0], answer["close"][0], answer["source"][0]) for answer in answers] == [
        (100.0, 104.5, "tape"),
        (100 / 7, 104.5, "tape"),
        (100 / 7, 111.0, "tape+vendor"),
    ]
    for moment, answer in zip(moments, answers, strict=True):
        assert_frame_equal(desk.find("1w", adjusted=Adjustment.SPLIT, as_of=moment), answer, check_exact=True)


def test_before_the_first_ingest_there_is_nothing(small: Any, fresh: Warehouse) -> None:
    moment = now()
    bring_week(small, fresh)
    with pytest.raises(NotFound, match=r"AAPL 1d \(basis minutes\) as known at 20.* has no bar .*`chandlery backfill`"):
        Desk(fresh, [], []).find("1d", as_of=moment)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"as_of": datetime(2200, 1, 1, tzinfo=UTC)}, "later than now"),
        ({"as_of": datetime(2020, 1, 1)}, "without a zone"),  # noqa: DTZ001 - that is the point
        ({"basis": "day", "hours": "extended"}, "have neither"),
        ({"basis": "day", "alignment": "clock"}, "basis minutes"),
        ({"dividends": DividendMethod.EX_CLOSE}, "adjusted all only"),
        ({"dividends": DividendMethod.EX_CLOSE, "adjusted": Adjustment.SPLIT}, "adjusted all only"),
        ({"adjusted_to": EX_DATE}, "adjusted none"),
    ],
)
def test_question_that_contradicts_itself_is_refused(desk: Desk, asked: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        desk.find("1d", **asked)


def test_day_bars_make_no_hours(desk: Desk) -> None:
    with pytest.raises(InvalidInput, match="1d and 1w only"):
        desk.find("1h", basis="day", adjusted=Adjustment.SPLIT)
