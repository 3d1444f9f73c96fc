"""Steps of a series between sessions, against those its recorded splits should make."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from chandlery.market.actions import Action, Status
from chandlery.quality.series._arrays import Bars, Floats
from chandlery.quality.series._history import WINDOW, pruned_sigma_before
from chandlery.quality.series._records import place_of, splits
from chandlery.quality.series.view import REACH, SeriesView

UNKNOWN_SIGMA = 0.02
"""Where fewer than 20 returns are known: a usual stock's day."""
_HALF_CENT = 0.005


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """Log prices on one basis: what is left of recorded splits is a defect of the bars or of the record.

    Attributes:
        close: log closes; of bars as traded, with every split that stands on record undone.
        prices: log open, close and middle of the range, likewise: a step is measured to what fits best. Old opens are
            copied from the close or the high, a close carries a day of trading.
    """

    close: Floats
    prices: tuple[Floats, ...]

    def nearest(self, place: int, wanted: float) -> float:
        """Return the log step into a place that lies nearest to `wanted`."""
        steps = [float(price[place] - self.close[place - 1]) for price in self.prices]
        return min(steps, key=lambda step: abs(step - wanted))

    def sigma(self, place: int) -> float:
        """Return the deviation of the returns before a place, without their outliers."""
        closes = np.exp(self.close[max(0, place - WINDOW - 1) : place + 1])
        return float(pruned_sigma_before(closes, np.array([len(closes) - 1]), unknown=UNKNOWN_SIGMA)[0])

    def tolerance(self, place: int, *, least: float, times: float) -> float:
        """Return how far a step may lie from a ratio: the night's return, or half a cent of rounding."""
        lowest = math.exp(min(float(self.close[place - 1]), *(float(price[place]) for price in self.prices)))
        return max(least, times * self.sigma(place), _HALF_CENT / lowest)

    def persists(self, place: int, step: float, *, least: int = 1) -> bool:
        """Tell whether closes stay beyond half of a log step: the next 5 (at least `least`), not the 5 before."""
        before = float(np.median(self.close[max(0, place - REACH) : place]))
        after = (self.close[place : place + REACH + 1] - before) * math.copysign(1.0, step)
        return len(after) >= least and bool((after > abs(step) / 2).all())

    def with_moved(self, start: int, end: int, by: float) -> "Steps":
        """Return the steps after the logs of places `[start, end)` moved."""
        moved = [price.copy() for price in (self.close, *self.prices)]
        for price in moved:
            price[start:end] += by
        return Steps(moved[0], tuple(moved[1:]))


def steps_of(view: SeriesView, bars: Bars, *, also: Iterable[Action] = (), but: Iterable[Action] = ()) -> Steps:
    """Return the log prices of a series with its accepted splits, and those of `also`, undone, without those of `but`.

    A publisher that divides by its splits has undone them already.
    """
    logs = [np.log(price) for price in (bars.close, bars.open, bars.close)]
    logs.append((np.log(bars.high) + np.log(bars.low)) / 2)
    if not view.is_split_adjusted:
        kept = [action for action in splits(view) if action.status is Status.ACCEPTED]
        left_out = {(action.ex_date, action.ratio) for action in but}
        undone = {(action.ex_date, action.ratio) for action in (*kept, *also)} - left_out
        for ex_date, ratio in sorted(undone):
            place = place_of(bars, ex_date)
            if place is not None:
                for price in logs:
                    price[place:] += math.log(ratio)
    return Steps(logs[0], tuple(logs[1:]))
