"""Opens, highs and lows far from the prices around them (check 9)."""

import math
from collections.abc import Iterator

import numpy as np
import polars as pl

from chandlery.quality.findings import Severity
from chandlery.quality.series._arrays import Bars, Floats, Places, traded_bars
from chandlery.quality.series._crash_volume import crash_votes
from chandlery.quality.series._history import LEAST, median_before
from chandlery.quality.series._ratios import unit_of
from chandlery.quality.series.rule import Hit, SeriesRule, hits_frame, no_hits
from chandlery.quality.series.spikes import DAY_FLOOR, MINUTE_FLOOR, Doubts, others_reach, price_floor
from chandlery.quality.series.units import UNIT_TOLERANCE
from chandlery.quality.series.view import SeriesView
from chandlery.quality.thresholds import Threshold
from chandlery.quality.verdicts import Says, Vote

RANGES = Threshold(
    "wick_median_ranges",
    10.0,
    3.0,
    50.0,
    "A wick longer than so many median ranges (high less low of the 60 bars before) may be a bad print: three a month "
    "of minutes of a large stock, all true, were longer.",
)


def _judge(view: SeriesView) -> pl.DataFrame:
    bars = traded_bars(view)
    if len(bars) <= LEAST:
        return no_hits()
    top, bottom = np.maximum(bars.open, bars.close), np.minimum(bars.open, bars.close)
    excess = np.maximum(np.maximum(bars.high - top, bottom - bars.low), _of_open(bars))
    places = np.flatnonzero(excess > price_floor(view) * bars.close)
    places = places[places >= LEAST]
    if not len(places):
        return no_hits()
    spread = (bars.high - bars.low) / bars.close  # relative: a split inside the window does not scale it
    usual = median_before(np.where(spread > 0, spread, np.nan), places)
    rare = excess[places] > view.value(RANGES) * usual * bars.close[places]
    return hits_frame(_hits(view, bars, places[rare], usual[rare]))


def _of_open(bars: Bars) -> Floats:
    """Return how far each open lies beyond both the close before and its own."""
    before = np.concatenate([bars.open[:1], bars.close[:-1]])
    above = bars.open - np.maximum(before, bars.close)
    below = np.minimum(before, bars.close) - bars.open
    beyond: Floats = np.maximum(above, below)
    return beyond


def _hits(view: SeriesView, bars: Bars, places: Places, usual: Floats) -> Iterator[Hit]:
    doubts = Doubts.of(view, bars)
    tolerance = view.value(UNIT_TOLERANCE)
    for place, reach in zip(places.tolist(), usual.tolist(), strict=True):
        field, seen, body = _worst(bars, place)
        if unit_of(math.log(seen / body), tolerance):
            continue
        yield Hit(
            ts=bars.ts_at(place),
            session=bars.session_at(place),
            values={
                "field": field,
                field: seen,
                "body": body,
                "beyond": seen / body - 1,
                "median_ranges": abs(seen - body) / (reach * float(bars.close[place])),
            },
            votes=_votes(doubts, place, seen=seen, body=body),
        )


def _worst(bars: Bars, place: int) -> tuple[str, float, float]:
    """Return the price of a bar that lies farthest out: its name, its value, and the price it should be near."""
    opened, closed = float(bars.open[place]), float(bars.close[place])
    before = float(bars.close[place - 1])
    high, low = float(bars.high[place]), float(bars.low[place])
    sides = [
        (high - max(opened, closed), "high", high, max(opened, closed)),
        (min(opened, closed) - low, "low", low, min(opened, closed)),
        (opened - max(before, closed), "open", opened, max(before, closed)),
        (min(before, closed) - opened, "open", opened, min(before, closed)),
    ]
    return max(sides)[1:]


def _votes(doubts: Doubts, place: int, *, seen: float, body: float) -> list[Vote]:
    bars, is_up = doubts.bars, seen > body
    votes = crash_votes(bars, doubts.volume, place)
    others = others_reach(bars, place, is_up=is_up) if doubts.is_minute else None
    votes += doubts.witnesses.on_reach(bars.session_at(place), seen=seen, usual=body, is_up=is_up, others=others)
    votes += doubts.witnesses.on_excursion(bars.session_at(place), seen=seen, usual=body)
    return votes + (_neighbours(bars, place, seen=seen, body=body) if doubts.is_minute else [])


def _neighbours(bars: Bars, place: int, *, seen: float, body: float) -> list[Vote]:
    """Return a vote for a price that the minute before or after reached too, more than half of the way."""
    side, sign = (bars.high, 1.0) if seen > body else (bars.low, -1.0)
    half = body + (seen - body) / 2
    for beside in (place - 1, place + 1):
        inside = 0 <= beside < len(bars) and bars.session[beside] == bars.session[place]
        if inside and sign * (float(side[beside]) - half) > 0:
            return [Vote("persistence", Says.TRUE, {"reached_beside": float(side[beside])})]
    return []


RULES = (
    SeriesRule(
        "wicks_stay_near_the_body",
        9,
        Severity.MAJOR,
        "A high or low beyond the body, or an open beyond both the close before and its own, by more than 10 median "
        "ranges of the 60 bars before (and 0.5 % of a minute, 5 % of a day) is a bad print, unless volume, the "
        "minutes beside it, another timeframe or another source reached it too: the day bar a minute's, whole minutes "
        "a day's. A day's is true as well when the sisters went a third as far, beyond 3 %, and came back.",
        _judge,
        thresholds=(RANGES, MINUTE_FLOOR, DAY_FLOOR),
    ),
)
