"""Closes that leap and come back (check 9)."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from chandlery.market.timeframes import Timeframe
from chandlery.quality.findings import Severity
from chandlery.quality.series._arrays import Bars, Floats, Places, traded_bars
from chandlery.quality.series._crash_volume import crash_votes
from chandlery.quality.series._history import LEAST, mad_sigma_before
from chandlery.quality.series._ratios import unit_of
from chandlery.quality.series._records import comparable_volume
from chandlery.quality.series._witnesses import Witnesses
from chandlery.quality.series.rule import Hit, SeriesRule, hits_frame, no_hits
from chandlery.quality.series.units import UNIT_TOLERANCE
from chandlery.quality.series.view import SeriesView
from chandlery.quality.thresholds import Threshold
from chandlery.quality.verdicts import Says, Vote

SIGMAS = Threshold(
    "spike_sigmas",
    8.0,
    4.0,
    30.0,
    "A close that leaps by more robust deviations (median absolute, of 60 returns) may be a bad print; returns have "
    "fat tails, five deviations are passed every day.",
)
MINUTE_FLOOR = Threshold(
    "price_floor_minute_share",
    0.005,
    0.001,
    0.05,
    "No minute is doubted for less than this share of its price, however calm the hour before: half a percent is a "
    "few ticks of a cheap stock.",
)
DAY_FLOOR = Threshold(
    "price_floor_day_share",
    0.05,
    0.01,
    0.5,
    "No day is doubted for less than this share of its price: news moves calm stocks by 5 %.",
)
REVERTED = Threshold(
    "spike_reverted_share",
    0.6,
    0.3,
    1.0,
    "Share of a leap that must be taken back within 3 bars: a bad print is taken back whole, the rest is its noise.",
)
_WITHIN = 3


@dataclass(frozen=True, slots=True, eq=False)
class Doubts:
    """What the votes on a doubted price are taken from; built only when there is one."""

    bars: Bars
    volume: Floats
    witnesses: Witnesses
    is_minute: bool

    @classmethod
    def of(cls, view: SeriesView, bars: Bars) -> "Doubts":
        """Return them; without volume where it does not mean trades."""
        volume = comparable_volume(view, bars) if view.has_volume else np.zeros(len(bars))
        return cls(bars, volume, Witnesses(view), view.timeframe is Timeframe.M1)


def price_floor(view: SeriesView) -> float:
    """Return the share of a price below which no bar of this timeframe is doubted."""
    return view.value(MINUTE_FLOOR if view.timeframe is Timeframe.M1 else DAY_FLOOR)


def _judge(view: SeriesView) -> pl.DataFrame:
    bars = traded_bars(view)
    places, backs = _leaps(view, bars)
    if not len(places):
        return no_hits()
    jumps = np.log(bars.close[places] / bars.close[places - 1])
    sigmas = mad_sigma_before(bars.close, places)
    rare = np.abs(jumps) > view.value(SIGMAS) * sigmas
    return hits_frame(_hits(view, bars, places[rare], backs[rare], sigmas[rare]))


def _leaps(view: SeriesView, bars: Bars) -> tuple[Places, Places]:
    """Return the bars whose close leaps beyond the floor and comes back, each with the bars that takes."""
    none = np.empty(0, dtype=np.intp)
    if len(bars) <= LEAST:
        return none, none
    ratio = bars.close[1:] / bars.close[:-1]
    floor = price_floor(view)
    places = np.flatnonzero((ratio > 1 + floor) | (ratio < 1 / (1 + floor))) + 1
    places = places[places >= LEAST]
    base, leap = np.log(bars.close[places - 1]), np.log(ratio[places - 1])
    backs = np.zeros(len(places), dtype=np.intp)
    for after in range(_WITHIN, 0, -1):
        later = np.minimum(places + after, len(bars) - 1)
        left = (np.log(bars.close[later]) - base) / leap
        # A leap of the last minute cannot be told from the news of the night by the next morning.
        same = (view.timeframe is Timeframe.D1) | (bars.session[later] == bars.session[places])
        backs[(left <= 1 - view.value(REVERTED)) & same & (places + after < len(bars))] = after
    return places[backs > 0], backs[backs > 0]


def _hits(view: SeriesView, bars: Bars, places: Places, backs: Places, sigmas: Floats) -> Iterator[Hit]:
    doubts = Doubts.of(view, bars)
    taken = -1
    for place, back, sigma in zip(places.tolist(), backs.tolist(), sigmas.tolist(), strict=True):
        before, seen = float(bars.close[place - 1]), float(bars.close[place])
        jump = math.log(seen / before)
        # The way back of a spike is none; a change of unit is named by its own rule.
        if place - 1 <= taken or unit_of(jump, view.value(UNIT_TOLERANCE)):
            continue
        taken = place + back - 1
        yield Hit(
            ts=bars.ts_at(place),
            ts_end=bars.ts_at(place + back) if back > 1 else None,
            session=bars.session_at(place),
            last_session=bars.session_at(taken),
            values={
                "close": seen,
                "close_before": before,
                "close_after": float(bars.close[place + back]),
                "jump": math.expm1(jump),
                "sigmas": abs(jump) / sigma if sigma > 0 else None,
            },
            votes=_votes(doubts, place) + _traded_through(bars, place),
        )


def _votes(doubts: Doubts, place: int) -> list[Vote]:
    bars, witnesses = doubts.bars, doubts.witnesses
    before, seen = float(bars.close[place - 1]), float(bars.close[place])
    session = bars.session_at(place)
    votes = crash_votes(bars, doubts.volume, place)
    if not doubts.is_minute:
        votes += witnesses.on_close(session, before=before, seen=seen)
        return votes + witnesses.on_move(session, math.log(seen / before))
    others = others_reach(bars, place, is_up=seen > before)
    return votes + witnesses.on_reach(session, seen=seen, usual=before, is_up=seen > before, others=others)


def _traded_through(bars: Bars, place: int) -> list[Vote]:
    """Return a vote for a leap inside the bar's own range, with a next bar that trades where it ended.

    Of a bad close the next bar knows nothing; a bad bar is entered by a gap, however many follow.
    """
    before, seen = float(bars.close[place - 1]), float(bars.close[place])
    near = abs(seen - before) / 4
    if seen > before:
        entered, left = float(bars.low[place]) - before, seen - float(bars.high[place + 1])
    else:
        entered, left = before - float(bars.high[place]), float(bars.low[place + 1]) - seen
    if max(entered, left) > near:
        return []
    return [Vote("persistence", Says.TRUE, {"gap_into": max(entered, 0.0), "gap_after": max(left, 0.0)})]


def others_reach(bars: Bars, place: int, *, is_up: bool) -> float | None:
    """Return the extreme of the session's other bars; None of a day bar, which is alone."""
    start, end = np.searchsorted(bars.session, [bars.session[place], bars.session[place] + 1])
    side = np.delete((bars.high if is_up else bars.low)[start:end], place - start)
    if not len(side):
        return None
    return float(side.max() if is_up else side.min())


RULES = (
    SeriesRule(
        "close_does_not_leap_and_return",
        9,
        Severity.MAJOR,
        "A close that leaps by more than 8 robust deviations of the 60 returns before (and 0.5 % of a minute, 5 % of "
        "a day) and gives 60 % of it back within 3 bars is a bad print, unless volume (5 times the usual), another "
        "timeframe, another source or the sister symbols saw it too. Minutes outside the regular session are not "
        "judged: a spread of 1 % between two trades is usual there.",
        _judge,
        thresholds=(SIGMAS, MINUTE_FLOOR, DAY_FLOOR, REVERTED),
    ),
)
