"""Two stocks with nine months of day bars, published and judged at will."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

import polars as pl

from chandlery import quality
from chandlery.market.calendar import sessions
from chandlery.market.timeframes import Timeframe
from chandlery.quality.judge import Judgement, judge_series
from chandlery.quality.series.view import SeriesView
from chandlery.steps.bars import ingest_bars
from chandlery.steps.judge_receipt import JudgeReceipt
from chandlery.steps.judging import judge_quality
from chandlery.store.universe import find_instrument
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]

START, END = date(2022, 1, 3), date(2022, 10, 1)
NOW = datetime(2022, 12, 1, tzinfo=UTC)
DAYS = sessions("NYSE", START, END)["session"].to_list()
D1, M1 = Timeframe.D1, Timeframe.M1
QUALITY = Path(quality.__file__).parent


@dataclass
class Spy:
    """Judges as the registry does and keeps the views; may fail for a symbol."""

    fails: dict[str, BaseException] = field(default_factory=dict)
    views: list[SeriesView] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def __call__(self, view: SeriesView) -> Judgement:
        with self._lock:
            self.views.append(view)
        if view.instrument.symbol in self.fails:
            raise self.fails[view.instrument.symbol]
        return judge_series(view)

    def spans(self) -> list[tuple[str, str, date, date]]:
        """Symbol, timeframe, first and last judged session of every view."""
        return sorted(
            (view.instrument.symbol, view.timeframe.value, view.start, view.end - timedelta(days=1))
            for view in self.views
        )


@dataclass
class Market:
    """Two stocks with nine months of day bars."""

    warehouse: Warehouse
    source: Any
    ask: Ask

    def ingest(self, timeframe: Timeframe = D1, start: date = START, end: date = END) -> None:
        ingest_bars(self.source, self.warehouse, timeframe=timeframe, start=start, end=end)

    def judge(self, spy: Callable[[SeriesView], Judgement] | None = None, **choices: Any) -> JudgeReceipt:
        asked = {"start": START, "end": END, "now": NOW, "thresholds": {}, **choices}
        return judge_quality(self.warehouse, judge=spy or Spy(), **asked)

    def change(self, symbol: str, day: date, **values: float) -> None:
        """Publish a day bar with other values."""
        frame = self.source.frames[symbol, D1]
        place = pl.col("ts").dt.convert_time_zone("America/New_York").dt.date() == day
        changes = [pl.when(place).then(value).otherwise(pl.col(name)).alias(name) for name, value in values.items()]
        self.source.frames[symbol, D1] = frame.with_columns(changes)
        self.ingest()

    def number(self, symbol: str) -> int:
        with self.warehouse.read() as connection:
            return find_instrument(connection, symbol).instrument_id

    def written(self) -> list[tuple[Any, ...]]:
        tables = ("ops.findings", "ops.finding_events", "ops.judged_sessions")
        return [row for table in tables for row in self.ask(self.warehouse, f"select ctid, xmin from {table}")]
