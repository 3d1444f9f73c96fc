"""Bars beside those of another source (check 20), and which sources may speak at all."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import polars as pl

from chandlery.market.timeframes import Timeframe
from chandlery.quality.findings import Severity
from chandlery.quality.series._session_bars import (
    Row,
    bps,
    bps_of,
    by_session,
    judged_only,
    own_sessions,
    sound,
    with_share,
    worst,
)
from chandlery.quality.series.rule import Hit, SeriesRule, hits_frame, no_hits
from chandlery.quality.series.view import SeriesView
from chandlery.quality.thresholds import Threshold
from chandlery.quality.verdicts import Says, Vote, verdict_of

CLOSE = Threshold(
    "other_source_close_bps",
    default=50.0,
    low=1.0,
    high=1000.0,
    doc="Difference of closes between sources; of two independent vendors over 4,025 days the median was 0.3, 95 % lay "
    "within 28 and 99 % within 48.",
)
VOLUME = Threshold(
    "other_source_volume_share",
    default=0.35,
    low=0.01,
    high=10.0,
    doc="How much the larger volume may exceed the smaller: vendors differ in the trades they count.",
)
WHOLE = 0.99
"""Share of a session's minutes from which their roll-up stands for the session: 4 of 390 minutes without a trade."""

_ONE_SOURCE_BPS = 0.01
_LEAST_COMMON = 20


def is_one_source(one: pl.DataFrame, other: pl.DataFrame) -> bool:
    """Return whether two feeds are one source under two names, so that neither corroborates the other.

    They are when their closes differ by at most 0.01 bps at the median over 20 or more common sessions: WIKI and Yahoo
    AAPL differ by 0.003 bps, two independent vendors by 0.3.

    Args:
        one: columns session, close; unique by session.
        other: likewise.
    """
    both = one.select("session", "close").join(other.select("session", theirs="close"), on="session", how="inner")
    if both.height < _LEAST_COMMON:
        return False
    median = both.select(bps("theirs", "close").abs().median()).item()
    return median is not None and median <= _ONE_SOURCE_BPS


@dataclass(frozen=True, slots=True)
class WitnessWord:
    """Whether a source is a feed of its own beside a series, and on how many common sessions that rests."""

    source: str
    is_independent: bool
    sessions: int


def witness_words(view: SeriesView) -> tuple[WitnessWord, ...]:
    """Return what is known of the view's witnesses, by source.

    A source that is one with the series, or with the other timeframe of it, is not independent. Of fewer than 20
    common sessions (of minutes complete ones) nothing can be told, and nothing is said.
    """
    own = own_sessions(view)
    if view.timeframe is Timeframe.M1 and own.height:
        own = with_share(view, own).filter(pl.col("share") >= WHOLE)
    words = []
    for source, frame in sorted(view.witnesses.items()):
        usable = sound(frame)
        common = usable.join(own, on="session", how="semi").height
        if common >= _LEAST_COMMON:
            is_copy = is_one_source(usable, own) or is_one_source(usable, sound(view.other))
            words.append(WitnessWord(source, not is_copy, common))
    return tuple(words)


def independent_witnesses(view: SeriesView, *others: pl.DataFrame) -> Mapping[str, pl.DataFrame]:
    """Return the witnesses that are not one source with the view, with one of `others`, or with one another."""
    known = [own_sessions(view), *(frame for frame in others if frame.height)]
    chosen: dict[str, pl.DataFrame] = {}
    for name, frame in sorted(view.witnesses.items()):
        usable = sound(frame)
        if usable.height and not any(is_one_source(usable, seen) for seen in known):
            chosen[name] = usable
            known.append(usable)
    return chosen


def _agrees(view: SeriesView) -> pl.DataFrame:
    if not view.witnesses:
        return no_hits()
    own = judged_only(view, own_sessions(view))
    if view.timeframe is Timeframe.M1:
        own = with_share(view, own).filter(pl.col("share") >= WHOLE)
    witnesses = independent_witnesses(view) if own.height else {}
    if not witnesses:
        return no_hits()
    laid = own
    for name, frame in witnesses.items():
        theirs = frame.select(
            "session", pl.col("close").alias(f"close {name}"), pl.col("volume").alias(f"volume {name}")
        )
        laid = laid.join(theirs, on="session", how="left", maintain_order="left")
    objections = [pl.lit(value=False)]
    for name in witnesses:
        objections.append((bps(f"close {name}", "close").abs() > view.value(CLOSE)).fill_null(value=False))
        if _compares_volume(view):
            objections.append(_off("volume", f"volume {name}", view.value(VOLUME)))
    accused = laid.filter(pl.any_horizontal(objections))
    other = by_session(_whole_other(view)) if accused.height else {}
    return hits_frame(
        _hit(view, row, tuple(witnesses), other.get(row["session"])) for row in accused.iter_rows(named=True)
    )


def _compares_volume(view: SeriesView) -> bool:
    """Whether volumes count the same: another source's day has all hours, regular minutes have not."""
    return view.has_volume and view.timeframe is Timeframe.D1


def _off(one: str, other: str, share: float) -> pl.Expr:
    larger, smaller = pl.max_horizontal(one, other), pl.min_horizontal(one, other)
    return ((smaller > 0) & (larger > (1 + share) * smaller)).fill_null(value=False)


def _whole_other(view: SeriesView) -> pl.DataFrame:
    """Return the other timeframe's sessions, of minutes the complete ones."""
    if view.timeframe is Timeframe.M1:
        return view.other
    return with_share(view, view.other).filter(pl.col("share") >= WHOLE)


def _hit(view: SeriesView, row: Mapping[str, Any], names: tuple[str, ...], other: Row | None) -> Hit:
    values: dict[str, object] = {}
    votes: list[Vote] = []
    verdicts = []
    for field in ("close", "volume"):
        said = {name: row[f"{field} {name}"] for name in names}
        theirs = {name: float(value) for name, value in said.items() if isinstance(value, int | float) and value > 0}
        own = float(row[field])
        accusers = [name for name, value in theirs.items() if not _is_near(view, field, own, value)]
        if not accusers or (field == "volume" and not _compares_volume(view)) or own <= 0:
            continue
        values[field] = own
        for name in accusers:
            values[f"{field}_of_{name}"] = theirs[name]
        values[f"{field}_bps" if field == "close" else "volume_ratio"] = (
            bps_of(own, theirs[accusers[0]]) if field == "close" else own / theirs[accusers[0]]
        )
        spoken = _votes(view, field, own, theirs, accusers, other)
        votes += spoken
        verdicts.append(verdict_of(spoken))
    return Hit(
        ts=row["ts"],
        ts_end=row["ts_end"],
        session=row["session"],
        values=values,
        votes=votes,
        verdict=worst(verdicts),
    )


def _votes(  # noqa: PLR0917 - all that is known of one figure
    view: SeriesView, field: str, own: float, theirs: Mapping[str, float], accusers: list[str], other: Row | None
) -> list[Vote]:
    """Return who takes sides: sources that agree with us, accusers that agree with each other, our other timeframe."""
    votes = [
        Vote("source", Says.TRUE, {"of": name, field: value}) for name, value in theirs.items() if name not in accusers
    ]
    for one, two in combinations(accusers, 2):
        if _is_near(view, field, theirs[one], theirs[two]):
            votes.append(Vote("source", Says.DEFECT, {"of": f"{one}+{two}", field: theirs[one]}))
    if field == "close" and other is not None:
        detail = {"of": "1d" if view.timeframe is Timeframe.M1 else "1m", field: other[field]}
        if _is_near(view, field, own, other[field]):
            votes.append(Vote("timeframe", Says.TRUE, detail))
        elif any(_is_near(view, field, theirs[name], other[field]) for name in accusers):
            votes.append(Vote("timeframe", Says.DEFECT, detail))
    return votes


def _is_near(view: SeriesView, field: str, one: float, other: float) -> bool:
    if field == "close":
        return abs(bps_of(other, one)) <= view.value(CLOSE)
    return max(one, other) <= (1 + view.value(VOLUME)) * min(one, other)


RULES = (
    SeriesRule(
        "other_source_agrees",
        20,
        Severity.MINOR,
        "The close lies within 50 bps of every other source's, the volume of a day within 35 %. A feed that agrees to "
        "0.01 bps at the median of 20 sessions is this one under another name and is not asked. Sources that agree "
        "with each other against us confirm, one that agrees with us, or our other timeframe, clears.",
        _agrees,
        thresholds=(CLOSE, VOLUME),
    ),
)
