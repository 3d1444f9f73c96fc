"""Minutes that several instruments miss together: one incident of the source or the venue (check 28)."""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta

import polars as pl

from chandlery.market.session_exceptions import ExceptionKind
from chandlery.market.timeframes import Timeframe
from chandlery.quality.findings import Severity
from chandlery.quality.series.rule import Hit
from chandlery.quality.thresholds import Threshold
from chandlery.quality.venue.rule import VenueRule, venue_hits
from chandlery.quality.venue.view import VenueView
from chandlery.quality.verdicts import Says, Vote

SISTERS = Threshold(
    "sister_instruments",
    default=3.0,
    low=2.0,
    high=1000.0,
    doc="Instruments that miss one minute, from which it is no longer each one's own; MMM and HON missed theirs as two "
    "of many.",
)
_SIGMAS = 5.0
_HALF = 0.5
_WHOLE = 0.95
_NAMED = 20
_A_MINUTE = timedelta(minutes=1)


def _missed_together(view: VenueView) -> pl.DataFrame:
    places = view.sessions.filter((pl.col("session") >= view.start) & (pl.col("session") < view.end)).sort("open")
    missing = view.missing.sort("ts").join_asof(
        places.select("session", "open", "close"), left_on="ts", right_on="open", coalesce=False
    )
    missing = missing.filter(pl.col("ts") < pl.col("close"))
    missing = _unless_halted(view, missing).sort("ts", "instrument_id")
    if missing.is_empty():
        return venue_hits(())
    minutes = missing.group_by("ts", maintain_order=True).agg(
        pl.col("session", "is_halted").first(), count=pl.col("instrument_id").n_unique()
    )
    judged = int(places.select((pl.col("close") - pl.col("open")).dt.total_minutes().sum()).item())
    together = _together(view, minutes, judged)
    apart = (pl.col("ts").diff() > _A_MINUTE) | (pl.col("is_halted") != pl.col("is_halted").shift(1))
    runs = together.with_columns(run=apart.fill_null(value=True).cum_sum())
    members = missing.join(runs.select("ts", "run"), on="ts", how="inner")
    incidents = members.group_by("run", maintain_order=True).agg(
        pl.col("is_halted").first(),
        first=pl.col("ts").min(),
        last=pl.col("ts").max(),
        session=pl.col("session").min(),
        last_session=pl.col("session").max(),
        instruments=pl.col("instrument_id").unique().sort(),
    )
    return venue_hits((None, _hit(view, row)) for row in incidents.iter_rows(named=True))


def _unless_halted(view: VenueView, missing: pl.DataFrame) -> pl.DataFrame:
    """Return the minutes without those in a halt of their instrument, with `is_halted`: in a halt of the venue."""
    halts = [item for item in view.exceptions if item.kind is ExceptionKind.HALT and item.calendar == view.calendar]
    venue, own = pl.lit(value=False), pl.lit(value=False)
    for item in halts:
        inside = (pl.col("ts") >= item.starts_at) & (pl.col("ts") < item.ends_at)
        if item.instrument_id is None:
            venue |= inside
        else:
            own |= inside & (pl.col("instrument_id") == item.instrument_id)
    return missing.filter(~own).with_columns(is_halted=venue)


def _together(view: VenueView, minutes: pl.DataFrame, judged: int) -> pl.DataFrame:
    """Return the minutes that more instruments miss than chance has it.

    Among 500 instruments that each miss 1 % of their minutes, 5 miss any one. So beyond the threshold, a minute counts
    when half of the venue misses it, or five sigma (of a count: its root) more than in three quarters of all minutes.
    """
    absent_in_none = max(0, judged - minutes.height)
    counts = sorted([0] * absent_in_none + minutes["count"].to_list())
    usual = counts[math.ceil(0.75 * len(counts)) - 1]
    beyond_chance = pl.col("count") > usual + _SIGMAS * math.sqrt(usual)
    half = pl.col("count") >= _HALF * pl.col("instruments")
    venue = (
        view.counts.filter(pl.col("bars") > 0).group_by("session").agg(instruments=pl.col("instrument_id").n_unique())
    )
    counted = minutes.join(venue, on="session", how="left", maintain_order="left").with_columns(
        pl.col("instruments").fill_null(0)
    )
    return counted.filter((pl.col("count") >= view.value(SISTERS)) & (beyond_chance | half))


def _hit(view: VenueView, row: Mapping[str, object]) -> Hit:
    instruments: list[int] = row["instruments"]  # type: ignore[assignment]
    first: datetime = row["first"]  # type: ignore[assignment]
    end: datetime = row["last"] + _A_MINUTE  # type: ignore[operator, assignment]
    names = dict(view.members.select("instrument_id", "symbol").iter_rows())
    symbols = sorted(names.get(instrument, str(instrument)) for instrument in instruments)
    votes = []
    if row["is_halted"]:
        votes.append(Vote("halt", Says.EXPLAINED))
    elif traded := _traded_meanwhile(view, row, instruments):
        votes.append(Vote("sisters", Says.DEFECT, {"instruments_that_traded": traded}))
    values = {
        "instruments": len(symbols),
        "symbols": ", ".join(symbols[:_NAMED]),
        "minutes": (end - first) // _A_MINUTE,
    }
    return Hit(
        ts=first,
        ts_end=end,
        session=row["session"],  # type: ignore[arg-type]
        last_session=row["last_session"],  # type: ignore[arg-type]
        values=values,
        votes=votes,
    )


def _traded_meanwhile(view: VenueView, row: Mapping[str, object], instruments: list[int]) -> int:
    """Return how many instruments that trade every minute had all of these: the venue was open."""
    minutes = (pl.col("close") - pl.col("open")).dt.total_minutes()
    complete = (
        view.counts.filter(pl.col("session") == row["session"])
        .join(view.sessions.select("session", minutes=minutes), on="session")
        .filter(pl.col("bars") >= _WHOLE * pl.col("minutes"))
    )
    return complete.filter(~pl.col("instrument_id").is_in(instruments))["instrument_id"].n_unique()


RULES = (
    VenueRule(
        "no_minutes_are_missed_together",
        28,
        Severity.INFO,
        "No regular minute is missed by three or more instruments that trade every minute. Neighbouring minutes are "
        "one incident with its members; it must be half of the venue, or five sigma above what is usual. Halts "
        "explain; instruments that traded meanwhile confirm that the venue was open.",
        _missed_together,
        timeframes=frozenset({Timeframe.M1}),
        thresholds=(SISTERS,),
    ),
)
