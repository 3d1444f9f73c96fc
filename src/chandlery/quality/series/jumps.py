"""Jumps by a split's ratio that no record explains (check 10)."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import polars as pl

from chandlery.market.symbols import AssetClass
from chandlery.quality.findings import Severity
from chandlery.quality.series._arrays import Bars, Floats, Places, first_ts, session_bars
from chandlery.quality.series._history import median_before, pruned_sigma_before
from chandlery.quality.series._ratios import LEAST_SPLIT, SPLIT_RATIOS, nearest_splits
from chandlery.quality.series._records import comparable_volume, near_split, paid_out
from chandlery.quality.series._witnesses import Witnesses
from chandlery.quality.series.rule import Hit, SeriesRule, hits_frame, no_hits
from chandlery.quality.series.view import REACH, SeriesView
from chandlery.quality.thresholds import Threshold
from chandlery.quality.verdicts import Says, Vote

RATIO_TOLERANCE = Threshold(
    "split_ratio_tolerance_share",
    0.03,
    0.005,
    0.1,
    "How far a jump may lie from a ratio at least: the return of the night on which a share was split.",
)
TOLERANCE_SIGMAS = Threshold(
    "split_tolerance_sigmas",
    2.0,
    1.0,
    5.0,
    "The same for a lively share, in deviations of its daily returns.",
)
JUMP_SIGMAS = Threshold(
    "split_jump_sigmas",
    5.0,
    3.0,
    20.0,
    "A jump below so many deviations (of 60 returns without their outliers) needs no split to explain it.",
)
CRASH_VOLUMES = Threshold(
    "split_crash_volumes",
    4.0,
    2.0,
    20.0,
    "Volume of the day over the usual one times the ratio: a split trades as before, a crash far more.",
)
NEWS_VOLUMES = Threshold(
    "split_news_volumes",
    2.0,
    1.2,
    10.0,
    "The same for ratios below 3:2: prices move by a quarter for news every year, while such splits are rare and "
    "trade as before.",
)
UNKNOWN_SIGMA = 0.02
"""Where fewer than 20 returns are known: a usual stock's day."""
_HALF_CENT = 0.005
_HABIT = 20
_CALM_RANGES = 2.0
_WILD_RANGES = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class Jump:
    """One jump: the places of its session and ratio, and how well it fits."""

    place: int
    ratio: Fraction
    fell: float
    distance: float
    tolerance: float
    sigma: float


def tolerances(bars: Bars, places: Places, sigmas: Floats, *, least: float, times: float) -> Floats:
    """Return how far, as a logarithm, a jump may lie from a ratio: the night's return, and half a cent of rounding."""
    lowest = np.minimum(bars.close[places - 1], np.minimum(bars.open[places], bars.close[places]))
    return np.maximum(np.maximum(least, times * sigmas), _HALF_CENT / lowest)


def _judge(view: SeriesView) -> pl.DataFrame:
    bars = session_bars(view)
    if len(bars) < 2:
        return no_hits()
    witnesses = Witnesses(view)
    return hits_frame(hit for jump in _jumps(view, bars) if (hit := _hit(view, bars, witnesses, jump)))


def _jumps(view: SeriesView, bars: Bars) -> Iterator[Jump]:
    """Yield jumps that fit a ratio, are rare for the share, and whose level persists.

    A jump is measured to the open, the close or the middle of the range, whichever fits best: old opens are copied
    from the close or the high, a close carries a day of trading.
    """
    before = bars.close[:-1]
    by_close = np.log(before / bars.close[1:])
    places = np.flatnonzero(np.abs(by_close) > LEAST_SPLIT / 2) + 1
    if not len(places):
        return
    sigmas = pruned_sigma_before(bars.close, places, unknown=UNKNOWN_SIGMA)
    least_off, times = view.value(RATIO_TOLERANCE), view.value(TOLERANCE_SIGMAS)
    wide = tolerances(bars, places, sigmas, least=least_off, times=times)
    prices = (bars.open, bars.close, np.sqrt(bars.high * bars.low))
    falls = np.stack([np.log(bars.close[places - 1] / price[places]) for price in prices])
    near, off = nearest_splits(falls)
    best = np.argmin(off, axis=0)
    for row, place in enumerate(places.tolist()):
        fell, distance = float(falls[best[row], row]), float(off[best[row], row])
        ratio = SPLIT_RATIOS[int(near[best[row], row])]
        # A tolerance of half the jump and more would call any move a ratio.
        is_rare = abs(fell) > max(view.value(JUMP_SIGMAS) * sigmas[row], 2 * wide[row])
        if distance <= wide[row] and is_rare and persists(bars, place, -math.log(ratio)):
            yield Jump(place, ratio, fell, distance, float(wide[row]), float(sigmas[row]))


def persists(bars: Bars, place: int, step: float) -> bool:
    """Tell whether prices stay beyond half of a log step into `place`: the next 5 closes, and not the 5 before."""
    before = float(np.median(bars.close[max(0, place - REACH) : place]))
    after = bars.close[place : place + REACH + 1]
    moved = np.log(after / before) * math.copysign(1.0, step)
    return bool((moved > abs(step) / 2).all())


def _hit(view: SeriesView, bars: Bars, witnesses: Witnesses, jump: Jump) -> Hit | None:
    session = bars.session_at(jump.place)
    if near_split(view, bars, jump.place, -jump.fell, jump.tolerance):
        return None
    before, opened = float(bars.close[jump.place - 1]), float(bars.open[jump.place])
    return Hit(
        ts=first_ts(view, session),
        session=session,
        values={
            "split_from": jump.ratio.denominator,
            "split_to": jump.ratio.numerator,
            "close_before": before,
            "open": opened,
            "close": float(bars.close[jump.place]),
            "moved": math.exp(-jump.fell),
            "tolerance": jump.tolerance,
            "sigmas": abs(jump.fell) / jump.sigma if jump.sigma > 0 else None,
        },
        votes=_votes(view, bars, witnesses, jump),
    )


def _votes(view: SeriesView, bars: Bars, witnesses: Witnesses, jump: Jump) -> list[Vote]:
    session = bars.session_at(jump.place)
    before = float(bars.close[jump.place - 1])
    paid = paid_out(view, bars, jump.place)
    if paid and abs(-jump.fell - math.log1p(-paid / before)) <= jump.tolerance:
        return [Vote("action", Says.EXPLAINED, {"cash": paid})]
    votes = _of_volume_and_range(view, bars, jump) + witnesses.on_move(session, -jump.fell)
    for vote in witnesses.on_close(session, before=before, seen=float(bars.close[jump.place])):
        # The other timeframe of this source has the same raw basis: that it jumps too says nothing.
        if vote.says is Says.DEFECT or vote.by == "source":
            votes.append(vote)
    return votes


def _of_volume_and_range(view: SeriesView, bars: Bars, jump: Jump) -> list[Vote]:
    """Return what the trading of the day says: a split is quiet and scales the volume, a crash is neither."""
    place = jump.place
    spread = np.log(bars.high / bars.low)
    usual_spread = float(median_before(spread, np.array([place]))[0])
    ranges = float(spread[place]) / usual_spread if usual_spread > 0 else math.nan
    votes = [Vote("persistence", Says.TRUE, {"ranges": ranges})] if ranges >= _WILD_RANGES else []
    volume = comparable_volume(view, bars)
    usual = float(np.median(volume[max(0, place - _HABIT) : place])) if view.has_volume else 0.0
    if usual <= 0:
        return votes
    adjusted = float(volume[place]) / (usual * float(jump.ratio))
    is_small = abs(math.log(jump.ratio)) < math.log(Fraction(3, 2))
    if adjusted >= view.value(NEWS_VOLUMES if is_small else CRASH_VOLUMES):
        return [*votes, Vote("volume", Says.TRUE, {"times_usual_by_ratio": adjusted})]
    level = float(np.median(volume[place : place + REACH + 1])) / usual
    # Of a fall volume proves nothing: a share worth a third after true news trades three times as many for the same
    # money, as after a split. A rise by twice and more, quiet and with volume down by the ratio, has no such cause.
    follows = level > 0 and abs(math.log(level) - math.log(jump.ratio)) < abs(math.log(level))
    is_merger = jump.ratio <= Fraction(1, 2) and level < 1
    if is_merger and follows and ranges <= _CALM_RANGES and place + REACH < len(bars):
        votes.append(Vote("volume", Says.DEFECT, {"level": level}))
        votes.append(Vote("persistence", Says.DEFECT, {"ranges": ranges}))
    return votes


RULES = (
    SeriesRule(
        "jump_by_a_split_ratio_has_a_record",
        10,
        Severity.MAJOR,
        "A step between sessions that lies within 3 % or 2 deviations of a usual split ratio (5:4 to 50:1 and their "
        "inverse), exceeds 5 deviations and stays for 5 sessions may be a split nobody recorded. Suspected until "
        "another timeframe or source did not jump, or, of a rise, volume fell by the ratio on a calm day; of a fall "
        "volume proves nothing, since cheaper shares trade more of them anyway. True is a day that "
        "traded 4 times as much as the ratio explains (twice below 3:2), or ranged 4 times as far as usual, or on "
        "which the sisters moved too. Splits on record are judged by their own rules.",
        _judge,
        asset_classes=frozenset({AssetClass.STOCKS}),
        thresholds=(RATIO_TOLERANCE, TOLERANCE_SIGMAS, JUMP_SIGMAS, CRASH_VOLUMES, NEWS_VOLUMES),
    ),
)
