"""Checks and score: throughput beside a bare polars pass, and what one more day of 63 symbols costs.

`python benchmarks/quality.py [SYMBOLS]` (default 20 symbols x one year of minutes for the first part).
First part, in memory on two threads: the gate's rules and Great Expectations, and the series rules, over the same rows
as a bare pass that reads every value once (a rolling median, then open, high, low, close, volume by session). Second
part, in a temporary warehouse: 63 symbols with 30 sessions of history, then one more session is ingested, judged,
rolled up and scored; dbt's start is shown apart. Beside the wall time stands what this process spent of the
processors: the server and dbt have processes of their own, and on a machine with other work only that is comparable.
"""

import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import cast

import polars as pl
from _walks import Walks
from _warehouse import temporary_warehouse

from chandlery.market.calendar import sessions
from chandlery.market.symbols import AssetClass, Instrument
from chandlery.market.timeframes import Timeframe
from chandlery.quality.audit import audit
from chandlery.quality.context import AuditContext
from chandlery.quality.gx import Asked, BatchContract
from chandlery.quality.judge import judge_series
from chandlery.quality.series.registry import SERIES_RULES
from chandlery.quality.series.view import SeriesView
from chandlery.sources.protocol import BarSource
from chandlery.steps.bars import ingest_bars
from chandlery.steps.calendar import build_calendar
from chandlery.steps.judging import judge_quality
from chandlery.steps.models import build_market_models
from chandlery.store.universe import register_instrument

START, END = date(2022, 1, 1), date(2023, 1, 1)
BATCH, POOL = 50_000, 250_000
HISTORY, NEXT, AFTER = date(2022, 1, 3), date(2022, 2, 16), date(2022, 2, 17)
INCREMENT = 63


def main() -> None:
    """Measure both parts."""
    _throughput(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
    _increment()


def _throughput(count: int) -> None:
    walks, calendar = Walks(START, END), sessions("NYSE", START, END)
    frames = [walks.walk(f"S{number}") for number in range(count)]
    rows = sum(frame.height for frame in frames)
    BatchContract().validate(frames[0].head(10), _context(0, calendar))
    views = [_view(number, frame, calendar) for number, frame in enumerate(frames)]
    judge_series(views[0])
    bare = _timed(lambda: [_bare(frame) for frame in frames])
    gate = _timed(lambda: _each(_gate, [(pool,) for pool in _pools(frames, calendar)]))
    views = [_view(number, frame, calendar) for number, frame in enumerate(frames)]
    series = _timed(lambda: _each(judge_series, [(view,) for view in views]))
    print(f"{rows:,} minute bars of {count} symbols in memory, two threads")
    for label, cost in (
        ("bare polars pass", bare),
        ("gate", gate),
        ("series rules", series),
        ("both", gate + series),
    ):
        print(f"{label:24} {cost} {rows / cost.wall:>12,.0f} bars/s {cost.wall / bare.wall:7.2f} x bare pass")
    for rule in SERIES_RULES.values():
        if rule.applies_to(views[0]):
            cost = _timed(lambda rule=rule: rule.judge(_view(0, frames[0], calendar)))
            print(f"    {rule.name:44} {frames[0].height / cost.wall / 1e6:8.2f} M bars/s")


@dataclass(frozen=True)
class Cost:
    """Seconds on the wall, and of processors in this process."""

    wall: float
    cpu: float

    def __add__(self, other: "Cost") -> "Cost":
        """Return both one after the other."""
        return Cost(self.wall + other.wall, self.cpu + other.cpu)

    def __sub__(self, other: "Cost") -> "Cost":
        """Return what is more than the other."""
        return Cost(self.wall - other.wall, self.cpu - other.cpu)

    def __str__(self) -> str:
        """Both, for a line of the report."""
        return f"{self.wall:6.2f} s, {self.cpu:6.2f} s of processors"


def _timed(work: Callable[[], object]) -> Cost:
    began, spent = time.perf_counter(), time.process_time()
    work()
    return Cost(time.perf_counter() - began, time.process_time() - spent)


def _each(work: Callable[..., object], arguments: list[tuple[object, ...]]) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda values: work(*values), arguments))


def _bare(frame: pl.DataFrame) -> pl.DataFrame:
    return (
        frame.with_columns(
            session=pl.col("ts").dt.convert_time_zone("America/New_York").dt.date(),
            usual=pl.col("close").rolling_median(60),
        )
        .group_by("session", maintain_order=True)
        .agg(
            pl.col("open").first(),
            pl.col("high").max(),
            pl.col("low").min(),
            pl.col("close").last(),
            pl.col("volume").sum(),
            pl.col("usual").max(),
        )
    )


def _context(number: int, calendar: pl.DataFrame) -> AuditContext:
    return AuditContext(_instrument(number), Timeframe.M1, START, END, calendar)


def _instrument(number: int) -> Instrument:
    return Instrument(number, f"S{number}", AssetClass.STOCKS, "NYSE")


def _pools(frames: list[pl.DataFrame], calendar: pl.DataFrame) -> list[list[Asked]]:
    """Return answers of up to 50,000 minutes, put together as an ingest does before they pass the gate."""
    contexts = [_context(number, calendar) for number in range(len(frames))]
    answers = [(part, mine) for frame, mine in zip(frames, contexts, strict=True) for part in frame.iter_slices(BATCH)]
    size = POOL // BATCH
    return [answers[first : first + size] for first in range(0, len(answers), size)]


def _gate(pool: Sequence[Asked]) -> None:
    for batch, context in pool:
        audit(batch, context)
    BatchContract().validate_all(pool)


def _view(number: int, frame: pl.DataFrame, calendar: pl.DataFrame) -> SeriesView:
    return SeriesView(
        instrument=_instrument(number),
        timeframe=Timeframe.M1,
        start=START,
        end=END,
        bars=frame,
        sessions=calendar,
        asked=calendar["session"],
        listed_on=START,
    )


def _increment() -> None:
    source = cast("BarSource", Walks(HISTORY, AFTER))
    with temporary_warehouse() as (warehouse, home):
        build_calendar(warehouse, start=HISTORY, end=date(2022, 3, 1))
        with warehouse.write() as connection:
            for number in range(INCREMENT):
                register_instrument(
                    connection,
                    symbol=f"S{number}",
                    asset_class=AssetClass.STOCKS,
                    calendar="NYSE",
                    name=None,
                    source="synthetic",
                )

        def ingest(start: date, end: date) -> None:
            ingest_bars(source, warehouse, timeframe=Timeframe.M1, start=start, end=end)

        def judge(start: date, end: date) -> None:
            now = datetime(end.year, end.month, end.day, 2, tzinfo=UTC)
            judge_quality(warehouse, start=start, end=end, now=now, thresholds={})

        def build(start: date, end: date) -> None:
            build_market_models(warehouse, start=start, end=end, target=home / "dbt")

        steps = {
            "ingest: gate and publish": ingest,
            "judge": judge,
            "candles, coverage, scores, served (dbt, with its start)": build,
        }
        for step in steps.values():
            step(HISTORY, NEXT)
        print(f"\none more session of {INCREMENT} symbols, 390 minutes each")
        total = Cost(0.0, 0.0)
        for label, step in steps.items():
            cost = _timed(lambda step=step: step(NEXT, AFTER))
            total += cost
            print(f"{label:58} {cost}")
        idle = _timed(lambda: build(NEXT, AFTER))
        print(f"{'the same dbt call again, with nothing to do':58} {idle}")
        print(f"{'work: all of it less the idle dbt call':58} {total - idle} (goal 10 on the wall)")


if __name__ == "__main__":
    main()
