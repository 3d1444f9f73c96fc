"""A run of the judges: what was asked, what all series share, and the plan of each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import polars as pl

from chandlery.errors import Conflict, QualityError
from chandlery.log import get_logger
from chandlery.market.symbols import Instrument
from chandlery.market.timeframes import BASE_TIMEFRAMES, Timeframe
from chandlery.quality.judge import Judgement, judge_series, judge_venue
from chandlery.quality.series.view import SeriesView
from chandlery.quality.sisters import CHANGES_SCHEMA, changes_of
from chandlery.quality.venue.view import VenueView
from chandlery.steps.judge_receipt import SeriesFailure
from chandlery.steps.judging_keys import SeriesInputs, rules_version
from chandlery.steps.judging_plan import SeriesPlan, plan_series
from chandlery.steps.recorded_actions import chosen_instruments
from chandlery.store.actions import present_actions
from chandlery.store.judging import STORE_FAULTS, Ledger, read_ledger
from chandlery.store.universe import tracked_instruments
from chandlery.store.venue_views import calendar_sessions, venue_closes
from chandlery.store.warehouse import Warehouse

log = get_logger(__name__)

FAULTS = (
    *(pl.exceptions.PolarsError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RuntimeError),
    *(QualityError, Conflict),
)
"""What one series may fail with alone; a database that is away or a full memory ends the run."""
ALONE = (*FAULTS, *STORE_FAULTS)
"""The same with what the store refuses, outside of its connection: inside, it may be a connection that was lost."""


NO_CHANGES = pl.DataFrame(schema=CHANGES_SCHEMA)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeRequest:
    """The sessions `[start, end)` to judge at an instant, of some symbols or all; thresholds not at their default.

    `judge` judges one series, `judge_venue` a venue.
    """

    start: date
    end: date
    now: datetime
    thresholds: Mapping[str, float]
    symbols: Sequence[str] = ()
    rejudge: bool = False
    judge: Callable[[SeriesView], Judgement] = judge_series
    judge_venue: Callable[[VenueView], Judgement] = judge_venue


@dataclass(frozen=True, slots=True, eq=False)
class JudgeRun:
    """What all series of a run share.

    Attributes:
        warehouse: where.
        request: what was asked.
        ledger: what is known of all series.
        hours: the whole calendar by name, in `SESSION_SCHEMA`.
        changes: moves from the close before of all tracked instruments, in `CHANGES_SCHEMA`; by calendar.
        plans: one a series with something to judge.
        failures: series that could not be planned.
        owed: by calendar and timeframe the sessions whose series were judged and whose venue was not.
    """

    warehouse: Warehouse
    request: JudgeRequest
    ledger: Ledger
    hours: Mapping[str, pl.DataFrame]
    changes: Mapping[str, pl.DataFrame]
    plans: tuple[SeriesPlan, ...]
    failures: tuple[SeriesFailure, ...] = ()
    owed: Mapping[tuple[str, str], frozenset[date]] = field(default_factory=dict)


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
    plans: list[SeriesPlan] = []
    failures = []
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
            try:
                plan = plan_series(inputs, rejudge=request.rejudge)
            except FAULTS as error:
                failures.append(failed_series(instrument.symbol, timeframe.value, error))
            else:
                plans += [] if plan is None else [plan]
    changes = {name: _changes(warehouse, name, plans) for name in calendars}
    owed = _owed(ledger, instruments)
    return JudgeRun(warehouse, request, ledger, hours, changes, tuple(plans), tuple(failures), owed)


def failed_series(name: str, timeframe: str, error: Exception) -> SeriesFailure:
    """Return the failure of a series or venue for the receipt, and log it."""
    # SQLAlchemy goes on with the statement and a link.
    reason = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
    log.warning("not_judged", name=name, timeframe=timeframe, reason=reason)
    return SeriesFailure(name, timeframe, reason)


def _owed(ledger: Ledger, instruments: Sequence[Instrument]) -> dict[tuple[str, str], frozenset[date]]:
    calendars = {item.instrument_id: item.calendar for item in instruments}
    found: dict[tuple[str, str], set[date]] = {}
    rows = ledger.judged.filter("is_owed").select("instrument_id", "is_minute", "session")
    for instrument_id, is_minute, session in rows.iter_rows():
        timeframe = Timeframe.M1 if is_minute else Timeframe.D1
        found.setdefault((calendars[instrument_id], timeframe.value), set()).add(session)
    return {key: frozenset(days) for key, days in found.items()}


def _changes(warehouse: Warehouse, calendar: str, plans: Sequence[SeriesPlan]) -> pl.DataFrame:
    """Return the moves of all tracked instruments of a calendar over what the plans look at; done once for all."""
    islands = [island for plan in plans if plan.instrument.calendar == calendar for island in plan.islands]
    if not islands:
        return NO_CHANGES
    first, last = min(island.first_seen for island in islands), max(island.last_seen for island in islands)
    with warehouse.read() as connection:
        tracked = tracked_instruments(connection, including_delisted=True)
        ids = [item.instrument_id for item in tracked if item.calendar == calendar]
        return changes_of(venue_closes(connection, ids, calendar, first, last))
