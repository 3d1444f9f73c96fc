"""Candle checks: the published candles of a window are rolled up anew from the minutes as they are, and compared.

A candle that was not rebuilt since its minutes changed is not wrong but late, and is passed over: the next build
brings it. Builds are read before and after, so that one that runs meanwhile is not compared half.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import polars as pl

from chandlery.log import get_logger
from chandlery.market.bars import check_range
from chandlery.market.calendar import ZONES
from chandlery.market.rollup import roll_up
from chandlery.market.symbols import AssetClass
from chandlery.market.timeframes import Timeframe
from chandlery.quality.candles import CANDLE_FINDING_SCHEMA, COMPARED, compare_candles
from chandlery.store.candle_checks import (
    TRACKED_TIMEFRAMES,
    CandleWindow,
    read_builds,
    read_minutes,
    read_stored,
)
from chandlery.store.recorded_findings import Scope
from chandlery.store.sessions import sessions_between
from chandlery.store.warehouse import Warehouse

log = get_logger(__name__)
_PAIRS = 1000
"""Sessions of instruments read at once: 390,000 stock minutes, 40 MB."""
_WITH_VOLUME = [AssetClass.STOCKS.value, AssetClass.CRYPTO.value]
_LATER = datetime(2200, 1, 1, tzinfo=UTC)
_A_DAY = timedelta(days=1)
_WHOSE = ["instrument_id", "session"]

Record = Callable[[Scope, pl.DataFrame], object]
"""Takes what was compared and its findings in `CANDLE_FINDING_SCHEMA`; what it does not repeat of an earlier check of
the same scope is repaired."""


@dataclass(frozen=True, slots=True)
class CandleChecks:
    """What was compared.

    Attributes:
        candles: stored candles that were compared.
        sessions: sessions of instruments, counted once for each timeframe.
        passed_over: likewise, those whose candles were not rebuilt yet.
        findings: candles that differ.
    """

    candles: int = 0
    sessions: int = 0
    passed_over: int = 0
    findings: int = 0

    def __add__(self, other: "CandleChecks") -> "CandleChecks":
        """Return both together."""
        return CandleChecks(
            self.candles + other.candles,
            self.sessions + other.sessions,
            self.passed_over + other.passed_over,
            self.findings + other.findings,
        )


def check_candles(
    warehouse: Warehouse,
    *,
    start: date,
    end: date,
    record: Record,
    instrument_ids: tuple[int, ...] = (),
) -> CandleChecks:
    """Compare the candles of 5m to 1d of the sessions `[start, end)` with a roll-up of their minutes.

    Args:
        warehouse: where the candles are.
        start: first session.
        end: the session after the last one.
        record: what becomes of the findings; called for every scope compared, also without any.
        instrument_ids: only these; all without.

    Raises:
        InvalidInput: reversed range.
        NotMigrated: no candle was ever built.
    """
    check_range(start, end)
    total = CandleChecks()
    whole = CandleWindow(start, end, instrument_ids)
    builds = read_builds(warehouse, whole)
    for window in _windows(whole, builds):
        total += _check_window(warehouse, window, builds, record)
    log.info("candles_checked", candles=total.candles, findings=total.findings)
    return total


def _windows(window: CandleWindow, builds: pl.DataFrame) -> Iterator[CandleWindow]:
    """Cut a long window, so that memory does not grow with it."""
    first, held = window.start, 0
    for session, count in builds.group_by("session").len().sort("session").iter_rows():
        if held and held + count > _PAIRS:
            yield CandleWindow(first, session, window.instrument_ids)
            first, held = session, 0
        held += count
    if held:
        yield CandleWindow(first, window.end, window.instrument_ids)


def _check_window(warehouse: Warehouse, window: CandleWindow, builds: pl.DataFrame, record: Record) -> CandleChecks:
    before = builds.filter(pl.col("session").is_between(window.start, window.end, closed="left"))
    minutes = read_minutes(warehouse, window)
    stored = read_stored(warehouse, window)
    after = read_builds(warehouse, window)
    rolled = _rolled(warehouse, window, before, minutes)
    done = CandleChecks()
    for timeframe, candles in stored.items():
        pairs = before.select(*_WHOSE, "calendar", f"build_{timeframe}", f"is_current_{timeframe}")
        same = pairs.join(after, on=pairs.columns, how="semi", nulls_equal=True)
        compared = same.filter(f"is_current_{timeframe}").select(*_WHOSE, "calendar")
        ours = candles.join(compared, on=_WHOSE, how="semi")
        found = compare_candles(ours, rolled[timeframe].join(compared, on=_WHOSE, how="semi"), timeframe)
        _record(window, timeframe, pairs, compared, found, record)
        done += CandleChecks(ours.height, compared.height, pairs.height - compared.height, found.height)
    return done


def _rolled(
    warehouse: Warehouse, window: CandleWindow, builds: pl.DataFrame, minutes: pl.DataFrame
) -> dict[Timeframe, pl.DataFrame]:
    """Return the candles of each timeframe from minutes, with instrument_id."""
    kinds = builds.select("instrument_id", "calendar", fillers=~pl.col("asset_class").is_in(_WITH_VOLUME)).unique()
    parts: dict[Timeframe, list[pl.DataFrame]] = {timeframe: [] for timeframe in TRACKED_TIMEFRAMES}
    for (calendar, fillers), members in kinds.group_by("calendar", "fillers", maintain_order=True):
        bars = minutes.join(members.select("instrument_id"), on="instrument_id", how="semi", maintain_order="left")
        days = sessions_between(warehouse, str(calendar), window.start, window.end)
        for timeframe, made in parts.items():
            candles = roll_up(
                bars,
                days,
                timeframe,
                zone=ZONES[str(calendar)],
                as_of=_LATER,
                counts_fillers=bool(fillers),
                by=("instrument_id",),
            )
            made.append(candles.select(*_WHOSE, "ts", *COMPARED))
    empty = pl.DataFrame(schema=dict.fromkeys([*_WHOSE, "ts", *COMPARED]))
    return {timeframe: pl.concat(made) if made else empty for timeframe, made in parts.items()}


def _record(  # noqa: PLR0917 - what was to be compared, what was, and what came of it
    window: CandleWindow,
    timeframe: Timeframe,
    pairs: pl.DataFrame,
    compared: pl.DataFrame,
    found: pl.DataFrame,
    record: Record,
) -> None:
    """Hand over the findings of each calendar at once, or where something was passed over, by instrument and run.

    A scope says "nothing else is wrong here", so it never spans a session that was not compared.
    """
    for (calendar,), theirs in pairs.group_by("calendar", maintain_order=True):
        ours = compared.filter(pl.col("calendar") == calendar)
        mine = found.join(ours, on=_WHOSE, how="semi").select(*CANDLE_FINDING_SCHEMA)
        scope = Scope(calendar=str(calendar), timeframe=timeframe.value, start=window.start, end=window.end)
        if ours.height == theirs.height and not window.instrument_ids:
            record(scope, mine)
            continue
        for instrument_id, start, end in _runs(theirs, ours):
            inside = pl.col("session").is_between(start, end, closed="left")
            part = mine.filter(inside & (pl.col("instrument_id") == instrument_id))
            record(replace(scope, start=start, end=end, instrument_id=instrument_id), part)


def _runs(pairs: pl.DataFrame, compared: pl.DataFrame) -> Iterator[tuple[int, date, date]]:
    """Return instrument, first session and the day after the last of each run of sessions that were compared."""
    marked = pairs.select(*_WHOSE).join(
        compared.select(*_WHOSE, is_compared=True), on=_WHOSE, how="left", maintain_order="left"
    )
    runs = marked.with_columns(run=pl.col("is_compared").is_null().cum_sum().over("instrument_id"))
    spans = (
        runs.filter("is_compared")
        .group_by("instrument_id", "run", maintain_order=True)
        .agg(first=pl.col("session").min(), last=pl.col("session").max())
    )
    for instrument_id, first, last in spans.select("instrument_id", "first", "last").iter_rows():
        yield instrument_id, first, last + _A_DAY
