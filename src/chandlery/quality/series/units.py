"""Prices in another unit: pounds among pence (check 12)."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chandlery.market.actions import ActionKind, Status
from chandlery.quality.findings import Severity
from chandlery.quality.series._arrays import Bars, Flags, Floats, every_bar, instant
from chandlery.quality.series._ratios import unit_of
from chandlery.quality.series._witnesses import Witnesses
from chandlery.quality.series.rule import Hit, SeriesRule, hits_frame, no_hits
from chandlery.quality.series.view import SeriesView
from chandlery.quality.thresholds import Threshold
from chandlery.quality.verdicts import Says, Vote

UNIT_TOLERANCE = Threshold(
    "unit_tolerance_share",
    0.1,
    0.01,
    0.3,
    "How far a price may lie from 100 or 1000 times its neighbours: an ordinary day's move, and far from any other "
    "factor.",
)
MINOR_UNITS = frozenset({"GBp", "GBX", "GBx", "ZAc", "ZAX", "ILA", "KWF"})
"""Currencies quoted in a hundredth or thousandth: of two levels the larger is theirs."""
_LEAST_STEP = 50.0
"""Necessary for any unit at any tolerance: nothing dearer is computed below it."""
_WITNESS_REACH = 0.3
"""A level belongs to a witness whose closes lie within a factor of 2 (log10 0.3)."""


@dataclass(frozen=True, slots=True, eq=False)
class _Levels:
    """The power of ten of each bar against the first one, and which power is right."""

    powers: NDArray[np.int64]
    right: int
    decided_by: str
    returns: bool
    """Whether the series changes its unit more than once: no split and no market does that."""


def _judge(view: SeriesView) -> pl.DataFrame:
    bars = every_bar(view)
    if len(bars) < 2:
        return no_hits()
    ratio = bars.close[1:] / bars.close[:-1]
    steps = (ratio > _LEAST_STEP) | (ratio < 1 / _LEAST_STEP)
    tall = bars.high > _LEAST_STEP * bars.low
    if not (steps.any() or tall.any()):
        return no_hits()
    levels = _levels(view, bars)
    hits = {hit.ts: hit for hit in _cells(view, bars, tall)}
    hits |= {hit.ts: hit for hit in _runs(bars, levels)} if levels else {}
    return hits_frame(hits.values())


def _row_levels(bars: Bars) -> Floats:
    """Return the log10 of the middle of each bar's four prices: one price off does not move it."""
    prices = np.sort(np.log10([bars.open, bars.high, bars.low, bars.close]), axis=0)
    middle: Floats = (prices[1] + prices[2]) / 2
    return middle


def _levels(view: SeriesView, bars: Bars) -> _Levels | None:
    level = _row_levels(bars)
    step = np.diff(level)
    powers = np.zeros(len(bars), dtype=np.int64)
    tolerance = view.value(UNIT_TOLERANCE)
    splits = _large_splits(view)
    now, changes = 0, 0
    for place in (np.flatnonzero(np.abs(step) > math.log10(_LEAST_STEP)) + 1).tolist():
        unit = unit_of(float(step[place - 1]) * math.log(10), tolerance)
        moved = round(math.log10(abs(unit))) * (1 if unit > 0 else -1) if unit else 0
        if not moved and now and abs(float(step[place - 1]) + now) < _WITNESS_REACH:
            moved = -now  # the way back may be longer than a day's move
        if moved and bars.session_at(place) not in splits:
            now += moved
            changes += 1
            powers[place:] = now
    if not changes:
        return None
    right, decided_by = _right_power(view, bars, level, powers)
    return _Levels(powers, right, decided_by, changes > 1)


def _large_splits(view: SeriesView) -> frozenset[date]:
    return frozenset(
        action.ex_date
        for action in view.actions
        if action.kind is ActionKind.SPLIT
        and action.status is Status.ACCEPTED
        and not 1 / _LEAST_STEP < action.ratio < _LEAST_STEP
    )


def _right_power(view: SeriesView, bars: Bars, level: Floats, powers: NDArray[np.int64]) -> tuple[int, str]:
    """Return the power whose prices are right, and by what: a witness, the currency, the bars with trades, all."""
    kinds = sorted(set(powers.tolist()))
    sessions = [bars.session_at(place) for place in range(len(bars))]
    for witness in Witnesses(view).sessions:
        known = [(place, witness.rows[day]["close"]) for place, day in enumerate(sessions) if day in witness.rows]
        near = [int(powers[p]) for p, close in known if abs(level[p] - math.log10(close)) < _WITNESS_REACH]
        if near:
            return max(kinds, key=near.count), witness.by
    if view.instrument.currency in MINOR_UNITS and len(kinds) == 2:
        return max(kinds), "currency"
    traded = powers[bars.volume > 0] if view.has_volume else powers[:0]
    for some, by in ((traded, "trades"), (powers, "majority")):
        counts = {kind: int((some == kind).sum()) for kind in kinds}
        best = max(kinds, key=lambda kind: counts[kind])
        if counts[best] * 2 > sum(counts.values()):
            return best, by
    return int(powers[0]), "history"


def _runs(bars: Bars, levels: _Levels) -> Iterator[Hit]:
    """Yield one hit a run of bars in a wrong unit."""
    bounds = [0, *(np.flatnonzero(np.diff(levels.powers)) + 1).tolist(), len(bars)]
    for start, end in pairwise(bounds):
        power = int(levels.powers[start]) - levels.right
        if not power:
            continue
        detail: Mapping[str, str | int | float | None] = {"decided_by": levels.decided_by}
        votes = [Vote("arithmetic", Says.DEFECT, detail)] if levels.returns else []
        if levels.decided_by in {"timeframe", "source"}:
            votes.append(Vote(levels.decided_by, Says.DEFECT))
        yield Hit(
            ts=bars.ts_at(start),
            ts_end=instant(int(bars.ts[end - 1]) + 1) if end - start > 1 else None,
            session=bars.session_at(start),
            last_session=bars.session_at(end - 1),
            values={
                "factor": 10.0**power,
                "fields": "open,high,low,close",
                "bars": end - start,
                "close": float(bars.close[start]),
                "decided_by": levels.decided_by,
                "right_share": float((levels.powers == levels.right).mean()),
            },
            votes=votes,
        )


def _cells(view: SeriesView, bars: Bars, tall: Flags) -> Iterator[Hit]:
    """Yield one hit a bar of which only some prices are in another unit than its middle."""
    tolerance = view.value(UNIT_TOLERANCE)
    for place in np.flatnonzero(tall).tolist():
        prices = {name: float(getattr(bars, name)[place]) for name in ("open", "high", "low", "close")}
        ordered = sorted(prices.values())
        middle = math.sqrt(ordered[1] * ordered[2])
        units = {name: unit_of(math.log(price / middle), tolerance) for name, price in prices.items()}
        wrong = {name: unit for name, unit in units.items() if unit}
        factors = {unit if unit > 0 else -1 / unit for unit in wrong.values()}
        if len(factors) == 1:
            yield Hit(
                ts=bars.ts_at(place),
                session=bars.session_at(place),
                values={"factor": float(factors.pop()), "fields": ",".join(wrong), "bars": 1, **prices},
                votes=[Vote("arithmetic", Says.DEFECT, {"decided_by": "bar"})],
            )


RULES = (
    SeriesRule(
        "prices_keep_their_unit",
        12,
        Severity.MAJOR,
        "Prices that are 100 or 1000 times their neighbours, or that part of them, within 10 %, are in another unit "
        "(pounds among pence). A change and its way back are arithmetic; one change without a way back stays suspected "
        "unless another timeframe or source has one of the levels. Which level is right: theirs, else the larger of "
        "a currency quoted in its minor unit, else that of most bars with trades.",
        _judge,
        thresholds=(UNIT_TOLERANCE,),
    ),
)
