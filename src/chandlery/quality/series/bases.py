"""Two share bases inside one series: bars that missed a recorded split, or took it twice (check 23)."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from chandlery.market.actions import Action, Status
from chandlery.market.symbols import AssetClass
from chandlery.quality.findings import Severity
from chandlery.quality.series._arrays import Bars, first_ts, session_bars
from chandlery.quality.series._records import REACH_SESSIONS, paid_out, place_of, splits
from chandlery.quality.series._steps import Steps, steps_of
from chandlery.quality.series._witnesses import Witnesses
from chandlery.quality.series.jumps import JUMP_SIGMAS, RATIO_TOLERANCE, TOLERANCE_SIGMAS
from chandlery.quality.series.rule import Hit, SeriesRule, hits_frame, no_hits
from chandlery.quality.series.view import REACH, SeriesView
from chandlery.quality.verdicts import Says, Vote

_MOST_RUNS = 5
"""More runs of wrong bars around one split are chaos, not a basis."""


@dataclass(frozen=True, slots=True)
class _Span:
    """Sessions `[start, end)` whose prices are the right ones times `ratio ** power`."""

    start: int
    end: int
    power: int
    is_run: bool
    cash: float = 0.0
    """Cash without which the way back of the run does not fit."""


@dataclass(frozen=True, slots=True, eq=False)
class _Around:
    """A recorded split with the sessions around its ex-date, which is at place `ex`."""

    view: SeriesView
    bars: Bars
    action: Action
    ex: int

    @property
    def size(self) -> float:
        """The ratio as a logarithm."""
        return math.log(self.action.ratio)

    @property
    def places(self) -> range:
        """The sessions a defect of this split may begin or end at."""
        first, last = self.ex - REACH_SESSIONS, self.ex + REACH_SESSIONS
        return range(max(1, first), min(len(self.bars) - 1, last) + 1)

    def cash(self, place: int) -> list[float]:
        """Return what went ex into a place, or just before: a week shows the cash of its first days in the next."""
        paid = [paid_out(self.view, self.bars, beside) for beside in (place, place - 1) if beside > 0]
        return [cash for cash in paid if cash > 0]

    def fits(self, steps: Steps, place: int, wanted: float) -> float | None:
        """Return the tolerance within which the step into a place is `wanted`; None if it is not.

        A ratio that does not stand out of the usual returns fits nothing.
        """
        off = abs(steps.nearest(place, wanted) - wanted)
        if off >= abs(wanted) / 2:
            return None
        least, times = self.view.value(RATIO_TOLERANCE), self.view.value(TOLERANCE_SIGMAS)
        wide = steps.tolerance(place, least=least, times=times)
        is_rare = abs(wanted) > max(self.view.value(JUMP_SIGMAS) * steps.sigma(place), 2 * wide)
        return wide if is_rare and off <= wide else None


def _judge(view: SeriesView) -> pl.DataFrame:
    records = [action for action in splits(view) if action.status is not Status.REJECTED]
    if not records:
        return no_hits()
    bars = session_bars(view)
    witnesses = Witnesses(view)
    hits: dict[datetime, Hit] = {}
    for action in records:
        ex = place_of(bars, action.ex_date)
        if ex is not None:
            around = _Around(view, bars, action, ex)
            for span in _spans(around):
                hit = _hit(around, span, witnesses)
                hits.setdefault(hit.ts, hit)
    return hits_frame(hits.values())


def _spans(around: _Around) -> Iterator[_Span]:
    steps = steps_of(around.view, around.bars, also=(around.action,))
    for _ in range(_MOST_RUNS):
        run = _run(around, steps)
        if run is None:
            break
        yield run
        steps = steps.with_moved(run.start, run.end, -run.power * around.size)
    if around.view.is_split_adjusted:
        yield from _before(around, steps)


def _run(around: _Around, steps: Steps) -> _Span | None:
    """Return the first run of up to 10 sessions near the ex-date that steps by the ratio and back."""
    for start in around.places[:-1]:
        for power in (1, -1):
            moved = power * around.size
            wide = around.fits(steps, start, moved)
            if wide is None:
                continue
            for end in range(start + 1, around.places[-1] + 1):
                off = (steps.close[end - 1] - steps.close[start - 1]) * math.copysign(1.0, moved)
                if off <= abs(moved) / 2:
                    break
                cash = _way_back(around, steps, end, moved=moved, wide=wide)
                if cash is not None:
                    return _Span(start, end, power, is_run=True, cash=cash)
    return None


def _way_back(around: _Around, steps: Steps, end: int, *, moved: float, wide: float) -> float | None:
    """Return the cash with which the step into `end` undoes `moved` (0 for none); None if it does not."""
    if abs(steps.nearest(end, -moved) + moved) <= wide:
        return 0.0
    right = math.exp(float(steps.close[end - 1]) - moved)
    for cash in around.cash(end):
        wanted = math.log1p(-cash / right) - moved if cash < right else math.inf
        if abs(steps.nearest(end, wanted) - wanted) <= wide:
            return cash
    return None


def _before(around: _Around, steps: Steps) -> Iterator[_Span]:
    """Yield the sessions before a lasting step by the ratio: they missed the split, or took it twice."""
    for power in (1, -1):
        wanted = -power * around.size
        fits = {}
        for place in around.places:
            wide = around.fits(steps, place, wanted)
            lasts = wide is not None and steps.persists(place, wanted)
            if wide is not None and lasts and not _is_cash(around, steps, place, wide):
                fits[place] = abs(steps.nearest(place, wanted) - wanted)
        if fits:
            end = min(fits, key=lambda place: (fits[place], abs(place - around.ex)))
            yield _Span(_since(steps, end, -wanted), end, power, is_run=False)
            return


def _is_cash(around: _Around, steps: Steps, place: int, wide: float) -> bool:
    """Tell whether the cash that went ex makes the step into `place`."""
    price = math.exp(float(steps.close[place - 1]))
    wanted = [math.log1p(-cash / price) for cash in around.cash(place) if cash < price]
    return any(abs(steps.nearest(place, step) - step) <= wide for step in wanted)


def _since(steps: Steps, end: int, wanted: float) -> int:
    """Return the place of the last opposite step before `end`: what lies before is on the right basis; 0 if none."""
    near = np.flatnonzero(np.abs(np.diff(steps.close[:end]) - wanted) < abs(wanted) / 4)
    return int(near[-1]) + 1 if len(near) else 0


def _hit(around: _Around, span: _Span, witnesses: Witnesses) -> Hit:
    view, bars, action = around.view, around.bars, around.action
    is_first = span.start == 0
    return Hit(
        ts=view.bars["ts"][0] if is_first else first_ts(view, bars.session_at(span.start)),
        ts_end=first_ts(view, bars.session_at(span.end)),
        session=bars.session_at(span.start),
        last_session=bars.session_at(span.end - 1),
        values={
            "split_from": action.split_from,
            "split_to": action.split_to,
            "ex_date": action.ex_date,
            "power": span.power,
            "sessions": span.end - span.start,
            "close": float(bars.close[span.start]),
            "close_before": None if is_first else float(bars.close[span.start - 1]),
            "close_after": float(bars.close[span.end]),
            "open_start": is_first,
        },
        votes=[*_of_steps(around, span), *_of_cash(around, span), *_of_witnesses(around, span, witnesses)],
    )


def _of_steps(around: _Around, span: _Span) -> list[Vote]:
    view, bars, ratio = around.view, around.bars, float(around.action.ratio)
    if span.is_run:
        # As traded, a run up to the ex-date is a jump on another session: the date may be wrong, not the bars.
        is_proven = view.is_split_adjusted or around.ex not in {span.start, span.end}
        return [Vote("arithmetic", Says.DEFECT, {"returns_by": ratio})] if is_proven else []
    # The publisher divides by its splits, this one is on record, and its step is there, and stays.
    moved = float(bars.close[span.end] / bars.close[span.end - 1])
    votes = [Vote("action", Says.DEFECT, {"moved": moved})]
    scale = ratio**span.power
    if not view.has_volume or 0.5 < scale < 2:
        return votes
    before = float(np.median(bars.volume[max(0, span.end - REACH) : span.end]))
    after = float(np.median(bars.volume[span.end : span.end + REACH]))
    level = math.log(after / before) if before > 0 and after > 0 else 0.0
    if abs(level - math.log(scale)) < abs(level):
        votes.append(Vote("volume", Says.DEFECT, {"level": after / before}))
    return votes


def _of_cash(around: _Around, span: _Span) -> list[Vote]:
    """Return a vote for a step that the cash of its session makes as well as the ratio does."""
    bars, place = around.bars, span.start if span.is_run else span.end
    cash, before = paid_out(around.view, bars, place), float(bars.close[place - 1])
    if not 0 < cash < before:
        return []
    left = math.log(float(bars.close[place]) / (before - cash))
    if not span.cash and abs(left) >= abs(around.size) / 4:
        return []
    return [Vote("action", Says.TRUE, {"cash": cash, "return_with_cash": math.expm1(left)})]


def _of_witnesses(around: _Around, span: _Span, witnesses: Witnesses) -> list[Vote]:
    if span.start == 0:
        return []
    before, seen = (float(around.bars.close[place]) for place in (span.start - 1, span.start))
    return witnesses.on_close(around.bars.session_at(span.start), before=before, seen=seen)


RULES = (
    SeriesRule(
        "series_has_one_share_basis",
        23,
        Severity.MAJOR,
        "Around a recorded split (10 sessions) no bar lies off the others by the split's ratio. Of prices as traded "
        "the split is undone first, so that a jump on another session than the ex-date leaves the sessions between "
        "off; of prices their publisher divides by the splits, a lasting step by the ratio says that the sessions "
        "before missed the split, or took it twice. A step is a ratio's within 3 % or 2 deviations, and above 5. "
        "Sessions that step by the ratio and back, also net of recorded cash, are arithmetic; a jump on another "
        "session than the ex-date stays suspected without a witness, since the date may be wrong.",
        _judge,
        asset_classes=frozenset({AssetClass.STOCKS}),
        thresholds=(RATIO_TOLERANCE, TOLERANCE_SIGMAS, JUMP_SIGMAS),
    ),
)
