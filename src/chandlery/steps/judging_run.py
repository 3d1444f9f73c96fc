"""A run of the judges: what was asked, what all series share, and the plan of each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from chandlery.errors import Conflict, QualityError
from chandlery.market.timeframes import BASE_TIMEFRAMES
from chandlery.quality.judge import Judgement, judge_series
from chandlery.quality.series.view import SeriesView
from chandlery.steps.judging_keys import SeriesInputs, rules_version
from chandlery.steps.judging_plan import SeriesPlan, plan_series
from chandlery.steps.recorded_actions import chosen_instruments
from chandlery.store.actions import present_actions
from chandlery.store.judging import Ledger, read_ledger
from chandlery.store.universe import tracked_instruments
from chandlery.store.venue_views import calendar_sessions, venue_closes
from chandlery.store.warehouse import Warehouse

FAULTS = (
    *(pl.exceptions.PolarsError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RuntimeError),
    *(QualityError, Conflict),
)
"""What one series may fail with alone; a database that is away or a full memory ends the run."""


NO_CHANGES = pl.DataFrame(schema={"instrument_id": pl.Int64, "session": pl.Date, "change": pl.Float64})


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeRequest:
    """The sessions `[start, end)` to judge at an instant, of some symbols or all; thresholds not at their default.

    `judge` judges one series.
    """

    start: date
    end: date
    now: datetime
    thresholds: Mapping[str, float]
    symbols: Sequence[str] = ()
    rejudge: bool = False
    judge: Callable[[SeriesView], Judgement] = judge_series


@dataclass(frozen=True, slots=True, eq=False)
class JudgeRun:
    """What all series of a run share.

    Attributes:
        warehouse: where.
        request: what was asked.
        ledger: what is known of all series.
        hours: the whole calendar by name, in `SESSION_SCHEMA`.
        changes: returns from close to close of all tracked instruments: instrument_id, session, change; by calendar.
        plans: one a series with something to judge.
    """

    warehouse: Warehouse
    request: JudgeRequest
    ledger: Ledger
    hours: Mapping[str, pl.DataFrame]
    changes: Mapping[str, pl.DataFrame]
    plans: tuple[SeriesPlan, ...]


def prepare_run(warehouse: Warehouse, request: JudgeRequest) -> JudgeRun:
    """Read what is known but for bars, and plan every series with something to judge.

    Raises:
        InvalidInput: an impossible symbol.
        NotFound: a symbol is not tracked.
    """
    instruments = chosen_instruments(warehouse, request.symbols, including_delisted=True)
    calendars = sorted({item.calendar for item in instruments})
    with warehouse.read() as connection:
        ledger = read_ledger(connection, [item.instrument_id for item in instruments], request.start, request.end)
        hours = {name: calendar_sessions(connection, name) for name in calendars}
        actions = present_actions(connection, [item.instrument_id for item in instruments])
    version = rules_version(request.thresholds)
    plans = []
    for instrument in instruments:
        for timeframe in BASE_TIMEFRAMES:
            inputs = SeriesInputs(
                instrument=instrument,
                timeframe=timeframe,
                start=request.start,
                end=request.end,
                ledger=ledger,
                hours=hours[instrument.calendar],
                actions=actions[instrument.instrument_id],
                version=version,
            )
            plan = plan_series(inputs, rejudge=request.rejudge)
            plans += [] if plan is None else [plan]
    changes = {name: _changes(warehouse, name, plans) for name in calendars}
    return JudgeRun(warehouse, request, ledger, hours, changes, tuple(plans))


def _changes(warehouse: Warehouse, calendar: str, plans: Sequence[SeriesPlan]) -> pl.DataFrame:
    """Return the returns of all tracked instruments of a calendar over what the plans look at; done once for all."""
    islands = [island for plan in plans if plan.instrument.calendar == calendar for island in plan.islands]
    if not islands:
        return NO_CHANGES
    first, last = min(island.first_seen for island in islands), max(island.last_seen for island in islands)
    with warehouse.read() as connection:
        tracked = tracked_instruments(connection, including_delisted=True)
        ids = [item.instrument_id for item in tracked if item.calendar == calendar]
        closes = venue_closes(connection, ids, calendar, first, last)
    close = pl.col("close")
    change = (close / close.shift(1).over("instrument_id") - 1.0).alias("change")
    return closes.select("instrument_id", "session", change).filter(pl.col("change").is_finite())
