"""Rules on bars that are not there: whole sessions, too many minutes of one, a hole where there never is one."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from chandlery.market.timeframes import Timeframe
from chandlery.quality.findings import Severity
from chandlery.quality.series._absence import Absence, Span
from chandlery.quality.series._habits import TRADES_EVERY_MINUTE, expected_sessions, habits, traded
from chandlery.quality.series.gaps import holes, minutes_without, missing_minutes, missing_spans, spans
from chandlery.quality.series.rule import Hit, SeriesRule, hits_frame, no_hits
from chandlery.quality.series.view import SeriesView
from chandlery.quality.thresholds import Threshold
from chandlery.quality.verdicts import Says, Vote

__all__ = ["RULES", "missing_minutes", "missing_spans"]

COMPLETE_SHARE = Threshold(
    "session_complete_share",
    0.95,
    0.5,
    1.0,
    "Share of the expected minutes a session must have; a twentieth missing moves its range and volume visibly.",
)
COMPLETE_SIGMAS = Threshold(
    "session_complete_sigmas",
    4.0,
    2.0,
    20.0,
    "Robust deviations under its habit at which a symbol that does not trade every minute is short of minutes; its "
    "days differ by themselves, at 4 fewer than one session in 10,000 would fall out if they were normal.",
)
QUIETEST_SHARE = Threshold(
    "quietest_minute_share",
    0.05,
    0.0,
    1.0,
    "If even the quietest minute of the median session trades this share of the usual volume, no minute is without "
    "trade: one that is missing was lost.",
)
HOLE_CHANCE = Threshold(
    "hole_chance_share",
    0.01,
    0.0001,
    0.5,
    "A hole is found if chance would make one so long in at most this share of the sessions, at four times the rate "
    "at which the instrument left out minutes in the 20 sessions before; quiet minutes come together.",
)
HOLE_CLUSTERING = 4.0


def _session_has_its_bar(view: SeriesView) -> pl.DataFrame:
    places = view.sessions.select("session").sort("session").with_row_index("place")
    expected = expected_sessions(view).select("session", "open", "close", "day_ts").join(places, on="session")
    present = view.marked.filter("is_regular").select("session").unique()
    missing = (
        expected.sort("session")
        .join(present, on="session", how="anti", maintain_order="left")
        .with_columns(run=pl.int_range(pl.len()).cast(pl.Int64) - pl.col("place").cast(pl.Int64))
    )
    if missing.is_empty():
        return no_hits()
    absence = Absence(view)
    runs = missing.partition_by("run", maintain_order=True)
    return hits_frame(_sessions_hit(view, absence, run) for run in runs if run["session"][-1] >= view.start)


def _sessions_hit(view: SeriesView, absence: Absence, run: pl.DataFrame) -> Hit:
    days, hours = run["session"].to_list(), list(zip(run["open"].to_list(), run["close"].to_list(), strict=True))
    is_day = view.timeframe is Timeframe.D1
    return Hit(
        ts=run["day_ts"][0] if is_day else hours[0][0],
        ts_end=None if is_day and len(days) == 1 else hours[-1][1],
        session=days[0],
        last_session=days[-1],
        values={"sessions": len(days), "held": _held_between(view, run["day_ts"][0], hours[-1][1])},
        votes=absence.on_sessions(days, hours),
    )


def _session_is_complete(view: SeriesView) -> pl.DataFrame:
    short = _short_sessions(view)
    if short.is_empty():
        return no_hits()
    by_bars = pl.col("counts_bars")
    lost = [
        minutes_without(short.filter(by_bars), view.marked.filter("is_regular")),
        minutes_without(short.filter(~by_bars), traded(view)),
    ]
    gaps = {key[0]: spans(part.sort("ts")) for key, part in pl.concat(lost).group_by("session")}
    absence = Absence(view)
    rows = short.iter_rows(named=True)
    return hits_frame(_minutes_hit(view, absence, row, gaps[row["session"]]) for row in rows)


def _short_sessions(view: SeriesView) -> pl.DataFrame:
    """Sessions with bars and too few of them; `counts_bars` where a filler is the source's word for no trade."""
    share, sigmas = view.value(COMPLETE_SHARE), view.value(COMPLETE_SIGMAS)
    usual, minutes = pl.col("usual_traded"), pl.col("minutes")
    always, publishes = usual >= TRADES_EVERY_MINUTE, pl.col("usual_present") >= TRADES_EVERY_MINUTE
    # By chance alone the share of n minutes varies by sqrt(p (1 - p) / n).
    chance = (usual * (1 - usual) / minutes).clip(0).sqrt()
    is_unlike = pl.col("traded") / minutes < usual - sigmas * pl.max_horizontal("spread", chance)
    lost_bars = publishes & (pl.col("present") < share * minutes)
    return (
        habits(view)
        .join(view.asked_sessions.select("session"), on="session", how="semi", maintain_order="left")
        .with_columns(expected=pl.when(always).then(1.0).otherwise(usual) * minutes, counts_bars=~always & publishes)
        .filter(pl.col("present") > 0, pl.col("traded") < share * pl.col("expected"), always | lost_bars | is_unlike)
    )


def _minutes_hit(view: SeriesView, absence: Absence, row: Mapping[str, Any], gaps: pl.DataFrame) -> Hit:
    lost = list(zip(gaps["ts"].to_list(), gaps["ts_end"].to_list(), strict=True))
    first, last = lost[0][0], lost[-1][1]
    count = row["present"] if row["counts_bars"] else row["traded"]
    wanted = row["minutes"] if row["counts_bars"] else row["expected"]
    needed = view.value(COMPLETE_SHARE) * wanted - count
    votes = [
        *absence.halts(lost, needed=needed),
        *_listing(view, row, lost, needed),
        *absence.not_asked(row["session"], lost, needed=needed),
        *absence.held(lost, needed=needed),
        *absence.reach(row["session"]),
    ]
    values = {
        "count": row["traded"],
        "expected": row["expected"],
        "minutes": row["minutes"],
        "gaps": gaps.height,
        "longest": gaps["minutes"].max(),
        "held": _held_between(view, first, last),
    }
    return Hit(ts=first, ts_end=last, session=row["session"], values=values, votes=votes)


def _listing(view: SeriesView, row: Mapping[str, Any], lost: Sequence[Span], needed: float) -> list[Vote]:
    """An instrument may begin or end inside its first or last session."""
    first = view.listed_on or view.marked["session"].min()
    day, edges = row["session"], []
    if day == first and lost[0][0] == row["open"]:
        edges.append(lost[0])
    if view.delisted_on is not None and day == view.delisted_on - timedelta(days=1) and lost[-1][1] == row["close"]:
        edges.append(lost[-1])
    minutes = sum((end - start) / timedelta(minutes=1) for start, end in edges)
    return [Vote("listing", Says.EXPLAINED, {"minutes": minutes})] if edges and minutes >= needed else []


def _session_has_no_hole(view: SeriesView) -> pl.DataFrame:
    found = holes(view).filter(pl.col("last_session") >= view.start)
    if found.is_empty():
        return no_hits()
    hours = view.sessions.select("session", "open", "close")
    placed = (
        found.join(habits(view).select("session", _shortest(view).alias("shortest")), on="session", how="left")
        .join(hours.select("session", "open"), on="session", how="left")
        .join(hours.select(last_session="session", ends="close"), on="last_session", how="left")
        # Whole sessions are the question of `session_has_its_bar`.
        .filter(
            pl.col("minutes") >= pl.col("shortest"),
            (pl.col("ts") > pl.col("open")) | (pl.col("ts_end") < pl.col("ends")),
        )
        .sort("ts")
    )
    absence = Absence(view)
    return hits_frame(_hole_hit(view, absence, row) for row in placed.iter_rows(named=True))


def _shortest(view: SeriesView) -> pl.Expr:
    """Minutes of the shortest hole that is a finding, over the columns of `habits`."""
    rate = (HOLE_CLUSTERING * (pl.col("holes") + 1) / pl.col("length").clip(1)).clip(0, 0.99)
    by_chance = ((view.value(HOLE_CHANCE) / pl.col("minutes").clip(1)).log() / rate.log()).ceil().clip(1)
    # What happens every day is a habit, whatever the volumes say.
    is_rare = pl.col("holes") * pl.col("minutes") <= pl.col("length")
    # An index is computed, not traded.
    never_quiet = pl.col("quietest") >= view.value(QUIETEST_SHARE) if view.has_volume else pl.lit(value=True)
    fills = pl.col("fillers") > pl.col("holes")
    return pl.when((never_quiet & is_rare) | fills).then(1.0).otherwise(by_chance)


def _hole_hit(view: SeriesView, absence: Absence, row: Mapping[str, Any]) -> Hit:
    span = [(row["ts"], row["ts_end"])]
    days: list[date] = []
    if row["last_session"] > row["session"]:
        inside = (pl.col("open") >= row["ts"]) & (pl.col("close") <= row["ts_end"])
        days = view.sessions.filter(inside)["session"].to_list()
    votes = [
        *absence.halts(span, needed=row["minutes"]),
        *_listing(view, {"session": row["session"], "open": row["open"], "close": row["ends"]}, span, row["minutes"]),
        *absence.not_asked(row["session"], span, needed=row["minutes"]),
        *absence.held(span, needed=row["minutes"]),
        *(absence.others(days) if days else absence.reach(row["session"])),
        *absence.sisters(days),
    ]
    values = {
        "minutes": row["minutes"],
        "shortest": row["shortest"],
        "held": _held_between(view, row["ts"], row["ts_end"]),
    }
    return Hit(
        ts=row["ts"],
        ts_end=row["ts_end"],
        session=row["session"],
        last_session=row["last_session"],
        values=values,
        votes=votes,
    )


def _held_between(view: SeriesView, start: datetime, end: datetime) -> int:
    return sum(start <= ts < end for ts in view.held)


RULES = (
    SeriesRule(
        "session_has_its_bar",
        8,
        Severity.MAJOR,
        "Every session that was asked for, from listing to delisting, has a bar of its regular hours; sessions missing "
        "one after the other are one finding. Halts explain it; other timeframes, other sources, sister symbols or "
        "bars in quarantine confirm it, and without them it stays suspected.",
        _session_has_its_bar,
    ),
    SeriesRule(
        "session_is_complete",
        17,
        Severity.MAJOR,
        "A regular session has at least 95 % of its minutes traded, fillers not counted. Where the median of the 20 "
        "sessions before has less, 95 % of that; and then the session must also lack bars its source always publishes, "
        "or lie 4 robust deviations under the habit. The end of the last session that was asked for is explained until "
        "the next one is, unless a day bar, another source or sister symbols have that session.",
        _session_is_complete,
        timeframes=frozenset({Timeframe.M1}),
        thresholds=(COMPLETE_SHARE, COMPLETE_SIGMAS),
    ),
    SeriesRule(
        "session_has_no_hole",
        17,
        Severity.MINOR,
        "An instrument with a bar for every minute leaves none out. One minute is a hole where the source publishes "
        "minutes without trades too, and where even quiet minutes trade (or in an index) and at most one hole a "
        "session is usual; elsewhere as many as chance does not leave out together. A hole around the clock is one "
        "finding, however many days it lasts.",
        _session_has_no_hole,
        timeframes=frozenset({Timeframe.M1}),
        thresholds=(QUIETEST_SHARE, HOLE_CHANCE),
    ),
)
