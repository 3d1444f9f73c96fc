"""Recorded splits that prices do not show, twice recorded ones, and those applied before their day (check 11)."""

import math
from datetime import timedelta

import polars as pl

from chandlery.market.actions import Action, Status
from chandlery.market.symbols import AssetClass
from chandlery.quality.findings import Severity
from chandlery.quality.series._arrays import Bars, first_ts, session_bars
from chandlery.quality.series._records import REACH_SESSIONS, place_of, splits
from chandlery.quality.series._steps import Steps, steps_of
from chandlery.quality.series.rule import Hit, SeriesRule, hits_frame, no_hits
from chandlery.quality.series.view import SeriesView
from chandlery.quality.thresholds import Threshold
from chandlery.quality.verdicts import Says, Vote

RECORD_SIGMAS = Threshold(
    "recorded_split_sigmas",
    3.0,
    2.0,
    8.0,
    "How far the jump of a split on record may lie from its ratio, in deviations of the share's returns: wider than "
    "without a record, which is evidence itself. Within 5 deviations up to 10 % passes as well.",
)
TOGETHER_DAYS = Threshold(
    "splits_together_days",
    10.0,
    1.0,
    30.0,
    "Two records of one ratio within so many days are one split: the provider has 216 such rows, a week apart.",
)
_LEAST = 0.03
_MOST_BY_SIGMAS = 0.10
_NEAR = timedelta(days=10)
"""A bar farther from the ex-date, after a halt, says nothing of the split."""


def _judge(view: SeriesView) -> pl.DataFrame:
    records = list(splits(view))
    if not records:
        return no_hits()
    bars = session_bars(view)
    hits: dict[object, Hit] = {}
    for action in records:
        hit = _of_record(view, bars, action, records)
        if hit is not None:
            hits.setdefault(hit.ts, hit)
    return hits_frame(hits.values())


def _of_record(view: SeriesView, bars: Bars, action: Action, records: list[Action]) -> Hit | None:
    if not len(bars):
        return None
    if action.ex_date > bars.session_at(len(bars) - 1):
        return _applied_early(view, bars, action)
    place = place_of(bars, action.ex_date)
    if place is None or bars.session_at(place) - action.ex_date > _NEAR:
        return None
    twin = _twin(view, bars, action, records)
    if twin is not None:
        votes = [Vote("action", Says.DEFECT, {"recorded_on": str(twin.ex_date)})]
        is_open = action.status is not Status.REJECTED and not _shows(view, bars, twin)
        return _hit(view, bars, action, place, votes=[] if is_open else votes, reason="recorded_twice")
    if view.is_split_adjusted or action.status is Status.REJECTED:
        return None
    return _without_jump(view, bars, action, place)


def _twin(view: SeriesView, bars: Bars, action: Action, records: list[Action]) -> Action | None:
    """Return the record that stands for the same split, if `action` is the one too many."""
    for other in records:
        same = other.ratio == action.ratio and other.ex_date != action.ex_date
        if not same or not _is_near(view, other, action) or other.status is Status.REJECTED:
            continue
        if action.status is Status.REJECTED or (_shows(view, bars, other), action.ex_date) > (
            _shows(view, bars, action),
            other.ex_date,
        ):
            return other
    return None


def _tolerance(steps: Steps, view: SeriesView, place: int) -> float:
    usual = steps.tolerance(place, least=_LEAST, times=view.value(RECORD_SIGMAS))
    return max(usual, min(5 * steps.sigma(place), _MOST_BY_SIGMAS))


def _raw_steps(view: SeriesView, bars: Bars, action: Action) -> tuple[Steps, float]:
    """Return the log prices with every other split undone, and the step this one should make in them.

    Its twins are not undone: one jump is theirs together. Prices divided by splits step the other way if one was
    applied that had not come.
    """
    size = math.log(action.ratio)
    same = [other for other in splits(view) if other.ratio == action.ratio and _is_near(view, other, action)]
    return steps_of(view, bars, but=same), size if view.is_split_adjusted else -size


def _is_near(view: SeriesView, one: Action, other: Action) -> bool:
    return abs(one.ex_date - other.ex_date) <= timedelta(days=view.value(TOGETHER_DAYS))


def _shows(view: SeriesView, bars: Bars, action: Action) -> bool:
    place = place_of(bars, action.ex_date)
    if place is None:
        return False
    steps, size = _raw_steps(view, bars, action)
    return _fits(view, steps, place, size) and steps.persists(place, size)


def _fits(view: SeriesView, steps: Steps, place: int, size: float) -> bool:
    return abs(steps.nearest(place, size) - size) <= _tolerance(steps, view, place)


def _without_jump(view: SeriesView, bars: Bars, action: Action, place: int) -> Hit | None:
    steps, size = _raw_steps(view, bars, action)
    if abs(size) <= 2 * _tolerance(steps, view, place):
        return None  # a 21:20 is lost in the returns of any share
    if _fits(view, steps, place, size):
        return None
    around = range(max(1, place - REACH_SESSIONS), min(len(bars), place + REACH_SESSIONS + 1))
    if any(_fits(view, steps, beside, size) and steps.persists(beside, size) for beside in around):
        return None  # the jump is there on another session: which bars are off is the matter of their basis
    moved = steps.nearest(place, size)
    votes = [Vote("persistence", Says.DEFECT, {"moved": math.exp(moved)})] if abs(moved) < abs(size) / 2 else []
    return _hit(view, bars, action, place, votes=votes, reason="prices_do_not_jump")


def _applied_early(view: SeriesView, bars: Bars, action: Action) -> Hit | None:
    """Return a hit where the bars step by a split that is still to come."""
    if action.status is Status.REJECTED or action.ex_date - bars.session_at(len(bars) - 1) > _NEAR:
        return None
    steps, size = _raw_steps(view, bars, action)
    for place in range(max(1, len(bars) - REACH_SESSIONS), len(bars)):
        if abs(size) <= 2 * _tolerance(steps, view, place):
            continue
        if _fits(view, steps, place, size) and steps.persists(place, size):
            stays = len(bars) - place > 2
            votes = [Vote("persistence", Says.DEFECT, {"sessions": len(bars) - place})] if stays else []
            return _hit(view, bars, action, place, votes=votes, reason="applied_before_its_day")
    return None


def _hit(view: SeriesView, bars: Bars, action: Action, place: int, *, reason: str, votes: list[Vote]) -> Hit:
    session = bars.session_at(place)
    return Hit(
        ts=first_ts(view, session),
        session=session,
        values={
            "reason": reason,
            "ex_date": action.ex_date,
            "split_from": action.split_from,
            "split_to": action.split_to,
            "status": action.status.value,
            "close_before": float(bars.close[place - 1]),
            "close": float(bars.close[place]),
        },
        votes=votes,
        # A rejected record adjusts nothing: the bars and candles are as good as without it.
        severity=Severity.INFO if action.status is Status.REJECTED else None,
    )


RULES = (
    SeriesRule(
        "recorded_split_shows_in_prices",
        11,
        Severity.MAJOR,
        "On the ex-date of a recorded split prices as traded jump by its ratio, within 3 %, 3 deviations, or 5 up to "
        "10 %; no ratio is recorded twice within 10 days; no split shows before its day. A record whose jump lies "
        "within 10 sessions is left to the rule about the share basis, one whose ratio is lost in the usual returns "
        "is not judged. A rejected record costs nothing: it adjusts nothing.",
        _judge,
        asset_classes=frozenset({AssetClass.STOCKS}),
        thresholds=(RECORD_SIGMAS, TOGETHER_DAYS),
    ),
)
