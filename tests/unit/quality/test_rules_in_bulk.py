"""Rules that look only where an offence can be, beside the same sentences told bar by bar."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from chandlery.market.bars import BAR_SCHEMA
from chandlery.market.calendar import ZONES, sessions
from chandlery.market.symbols import AssetClass, Instrument, calendar_of
from chandlery.market.timeframes import Timeframe
from chandlery.quality.context import AuditContext
from chandlery.quality.rules.registry import RULES

SYMBOLS = {AssetClass.STOCKS: "AAA", AssetClass.CRYPTO: "X:AAAUSD"}
SPANS = (
    (date(2012, 11, 1), date(2012, 11, 8)),  # the clock goes back on 4 November
    (date(2013, 3, 7), date(2013, 3, 13)),  # and forward on 10 March
    (date(2012, 11, 21), date(2012, 11, 27)),  # Thanksgiving and a half day
    (date(2012, 11, 23), date(2012, 11, 24)),  # the half day alone
)
CONTEXTS = [
    (asset_class, timeframe, span)
    for asset_class in SYMBOLS
    for timeframe in (Timeframe.M1, Timeframe.D1)
    for span in SPANS
]


def context_of(asset_class: AssetClass, timeframe: Timeframe, span: tuple[date, date]) -> AuditContext:
    calendar = calendar_of(asset_class)
    instrument = Instrument(1, SYMBOLS[asset_class], asset_class, calendar)
    return AuditContext(instrument, timeframe, *span, sessions(calendar, *span))


def bars_at(stamps: Sequence[datetime | None], closes: Sequence[float]) -> pl.DataFrame:
    values = dict.fromkeys(("open", "high", "low", "close", "volume"), closes)
    frame = pl.DataFrame({"ts": stamps, **values, "vwap": closes, "trade_count": 1}, schema=BAR_SCHEMA)
    return frame.with_row_index("row")


def around(context: AuditContext) -> list[datetime | None]:
    """Every edge of the window and of each day in it to the minute, random minutes, and a missing ts, in any order."""
    zone, chance = ZoneInfo(context.zone), random.Random(7)
    stamps: list[datetime | None] = [None]
    days = [context.start + timedelta(days=k) for k in range(-2, (context.end - context.start).days + 2)]
    for day in days:
        for hour in (0, 1, 2, 3, 4, 13, 16, 17, 20, 23):
            local = datetime.combine(day, time(hour), zone).astimezone(UTC)
            stamps += [local + timedelta(seconds=seconds) for seconds in (-60, -1, 0, 60)]
        stamps += [datetime.combine(day, time(), UTC) + timedelta(minutes=chance.randrange(1440)) for _ in range(40)]
    chance.shuffle(stamps)
    return stamps


@pytest.mark.parametrize(("asset_class", "timeframe", "span"), CONTEXTS)
def test_places_in_time_are_judged_as_bar_by_bar(
    asset_class: AssetClass, timeframe: Timeframe, span: tuple[date, date]
) -> None:
    context = context_of(asset_class, timeframe, span)
    stamps, zone = around(context), ZoneInfo(ZONES[context.instrument.calendar])
    early = dict(context.sessions.select("session", "is_early").iter_rows())
    outside, off = [], []
    for row, ts in enumerate(stamps):
        local = None if ts is None else ts.astimezone(zone)
        if local is None:
            continue
        if not context.start <= local.date() < context.end:
            outside.append(row)
        elif local.date() not in early:
            off.append(row)
        elif timeframe is Timeframe.M1 and asset_class is AssetClass.STOCKS:
            ends = time(17) if early[local.date()] else time(20)
            off += [] if time(4) <= local.time() < ends else [row]
    bars = bars_at(stamps, [1.0] * len(stamps))
    assert RULES["bar_lies_in_its_window"].check(bars, context)["row"].to_list() == outside
    assert RULES["bar_lies_in_a_session"].check(bars, context)["row"].to_list() == off
    assert outside


@pytest.mark.parametrize("shuffled", [False, True])
def test_a_missing_ts_is_a_key_as_any_other(shuffled: bool) -> None:
    context = context_of(AssetClass.STOCKS, Timeframe.M1, SPANS[0])
    first = datetime(2012, 11, 1, 14, tzinfo=UTC)
    other = first + timedelta(minutes=1)
    rows = [(first, 1.0), (first, 1.0), (other, 2.0), (other, 3.0), (None, 4.0), (None, 4.0), (None, 4.0)]
    if shuffled:
        random.Random(5).shuffle(rows)
    bars = bars_at([ts for ts, _ in rows], [close for _, close in rows])
    differing = [row for row, (ts, _) in enumerate(rows) if ts == other]
    copies = [row for row, bar in enumerate(rows) if bar in rows[:row] and bar[0] != other]
    assert RULES["key_is_unique"].check(bars, context)["row"].to_list() == differing
    assert RULES["bar_is_not_repeated"].check(bars, context)["row"].to_list() == copies


def test_one_missing_ts_among_ascending_ones_is_no_repetition() -> None:
    context = context_of(AssetClass.STOCKS, Timeframe.M1, SPANS[0])
    first = datetime(2012, 11, 1, 14, tzinfo=UTC)
    bars = bars_at([None, first, first + timedelta(minutes=1)], [1.0, 1.0, 1.0])
    for name in ("key_is_unique", "bar_is_not_repeated"):
        assert RULES[name].check(bars, context).is_empty()
