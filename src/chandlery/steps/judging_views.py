"""Views for the judges, put together from what the warehouse holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

import polars as pl

from chandlery.market.actions import ActionKind
from chandlery.market.symbols import Instrument
from chandlery.market.timeframes import Timeframe
from chandlery.quality.series.view import REACH, REVISION_SCHEMA, SESSION_BARS_SCHEMA, SeriesView
from chandlery.quality.sisters import medians_of_others
from chandlery.quality.witness_basis import on_basis_of
from chandlery.steps.judging_keys import SeriesInputs
from chandlery.steps.judging_plan import Island, SeriesPlan
from chandlery.steps.judging_run import NO_CHANGES
from chandlery.store.series_views import (
    SeriesSpan,
    day_sessions,
    minute_sessions,
    revisions,
    roll_up_sessions,
    series_bars,
)
from chandlery.store.warehouse import Reader
from chandlery.store.witnesses import witness_sessions

_SPLIT_ADJUSTED = frozenset({"yahoo"})
"""Publishers whose unadjusted bars are divided by the splits up to the day they were asked."""
_NONE = pl.DataFrame(schema=SESSION_BARS_SCHEMA)


@dataclass
class RolledSessions:
    """Minutes of one instrument by session, as its minute views had them; its day views need not read them again."""

    regular: list[pl.DataFrame] = field(default_factory=lambda: [_NONE])
    extended: list[pl.DataFrame] = field(default_factory=lambda: [_NONE])

    def add(self, both: tuple[pl.DataFrame, pl.DataFrame]) -> pl.DataFrame:
        """Keep sessions, one that is there stays; return the regular ones as they were given."""
        for kept, frame in zip((self.regular, self.extended), both, strict=True):
            new = frame.join(pl.concat(kept), on="session", how="anti", maintain_order="left")
            kept.append(new.cast(dict(SESSION_BARS_SCHEMA)))  # type: ignore[arg-type]
        return both[0]

    def between(self, first: date, last: date) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the kept sessions from `first` to `last`, ascending."""
        inside = (pl.col("session") >= first) & (pl.col("session") <= last)
        regular, extended = (pl.concat(kept).filter(inside).sort("session") for kept in (self.regular, self.extended))
        return regular, extended


def series_view(
    connection: Reader,
    plan: SeriesPlan,
    island: Island,
    *,
    rolled: RolledSessions,
    overrides: Mapping[str, float],
    changes: pl.DataFrame = NO_CHANGES,
) -> SeriesView:
    """Return what the rules may look at for one island of a series.

    Args:
        connection: the snapshot everything is read from.
        plan: of the series.
        island: which sessions.
        rolled: of the instrument; minute views add to it.
        overrides: thresholds that are not at their default.
        changes: moves of the tracked instruments of the calendar, in `CHANGES_SCHEMA`.
    """
    series, mine = plan.inputs, plan.instrument
    span = SeriesSpan(mine, plan.timeframe, island.first_seen, island.last_seen)
    hours = _between(series.hours, island.first_seen, island.last_seen)
    bars = series_bars(connection, span)
    days, is_minute = day_sessions(connection, span), plan.timeframe is Timeframe.M1
    own = rolled.add(roll_up_sessions(bars, hours, mine)) if is_minute else days
    other, extended = (days, _NONE) if is_minute else _minutes(connection, plan, island, rolled)
    listing = series.ledger.listings[mine.instrument_id]
    return SeriesView(
        instrument=mine,
        timeframe=plan.timeframe,
        start=island.start,
        end=island.end,
        bars=bars,
        sessions=hours,
        asked=plan.asked(island),
        actions=tuple(series.actions),
        other=_typed(other),
        other_extended=_typed(extended),
        witnesses=_witnesses(connection, plan, span, own),
        sisters=_sisters(changes, mine, island),
        revisions=_revisions(connection, span),
        held=_held(series, span),
        exceptions=series.exceptions,
        renames=listing.renames,
        listed_on=listing.listed_on,
        delisted_on=listing.delisted_on,
        is_split_adjusted=_is_split_adjusted(plan),
        overrides=overrides,
    )


def _sisters(changes: pl.DataFrame, mine: Instrument, island: Island) -> pl.DataFrame:
    """Return what the others did by session, where there are enough of them."""
    return medians_of_others(_between(changes, island.first_seen, island.last_seen), mine.instrument_id)


def _is_split_adjusted(plan: SeriesPlan) -> bool:
    names = plan.inputs.ledger.publishers.get((plan.instrument.instrument_id, plan.timeframe.value), frozenset())
    return bool(names) and names <= _SPLIT_ADJUSTED


def _held(series: SeriesInputs, span: SeriesSpan) -> tuple[datetime, ...]:
    if series.ledger.held.is_empty():
        return ()
    held = series.mine(series.ledger.held).filter(pl.col("ts") >= span.since, pl.col("ts") < span.until)
    return tuple(held["ts"].sort().to_list())


def _revisions(connection: Reader, span: SeriesSpan) -> pl.DataFrame:
    found = revisions(connection, span)
    return found.select(pl.col(name).cast(dtype) for name, dtype in REVISION_SCHEMA.items())


def _minutes(
    connection: Reader, plan: SeriesPlan, island: Island, rolled: RolledSessions
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the minutes by session, regular and extended, of the judged sessions and a few before."""
    series = plan.inputs
    earlier: list[date] = plan.sessions.filter(pl.col("session") < island.start)["session"].tail(REACH).to_list()
    first = max(min(earlier, default=island.start), island.first_seen)
    known = series.mine(series.ledger.sessions, Timeframe.M1).filter(pl.col("bars") > 0)
    wanted = _between(known, first, island.last_seen)["session"]
    have, _ = rolled.between(first, island.last_seen)
    missing = wanted.filter(~wanted.is_in(have["session"].implode())).sort()
    if not missing.is_empty():
        span = SeriesSpan(plan.instrument, Timeframe.M1, missing[0], missing[-1])
        rolled.add(minute_sessions(connection, span, _between(series.hours, missing[0], missing[-1])))
    return rolled.between(first, island.last_seen)


def _witnesses(connection: Reader, plan: SeriesPlan, span: SeriesSpan, own: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return other sources' sessions; where either side divides by splits, on the share basis of this series."""
    splits = [action.ex_date for action in plan.inputs.actions if action.kind is ActionKind.SPLIT]
    found = {}
    for source, frame in witness_sessions(connection, plan.instrument, span.first, span.last).items():
        sessions = _typed(frame.drop("basis_on"))
        differs = _is_split_adjusted(plan) or frame["basis_on"].is_not_null().any()
        found[source] = on_basis_of(sessions, own, splits) if differs else sessions
    return {source: frame for source, frame in found.items() if frame.height}


def _between(frame: pl.DataFrame, first: date, last: date) -> pl.DataFrame:
    return frame.filter((pl.col("session") >= first) & (pl.col("session") <= last))


def _typed(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(pl.col(name).cast(dtype) for name, dtype in SESSION_BARS_SCHEMA.items())
