"""What is on record around a session: splits and cash."""

import math
from collections.abc import Iterator
from datetime import date

import numpy as np

from chandlery.market.actions import Action, ActionKind, Status
from chandlery.quality.series._arrays import Bars, Floats
from chandlery.quality.series.view import SeriesView

REACH_SESSIONS = 10
"""How far a split's jump may lie from its recorded day: the provider records some a week off (SHOP 2022)."""
_FIRST_DAY = date(1970, 1, 1)


def splits(view: SeriesView) -> Iterator[Action]:
    """Yield the recorded splits of any status, ascending; records whose ratio is none are left out."""
    kept = [action for action in view.actions if action.kind is ActionKind.SPLIT and action.ratio not in {0, 1}]
    yield from sorted((a for a in kept if a.ratio > 0), key=lambda action: (action.ex_date, action.ratio))


def place_of(bars: Bars, day: date) -> int | None:
    """Return the place of the first session on or after `day`; None before the second and after the last bar."""
    place = int(np.searchsorted(bars.session, (day - _FIRST_DAY).days))
    return place if 0 < place < len(bars) else None


def near_split(view: SeriesView, bars: Bars, place: int, step: float, tolerance: float) -> bool:
    """Tell whether a split on record explains a log step: on its ex-date, or within 10 sessions by its ratio.

    Records in doubt count too, and the inverse ratio: what their prices show is the matter of the rules about
    recorded splits.
    """
    for action in splits(view):
        away = abs(int(np.searchsorted(bars.session, (action.ex_date - _FIRST_DAY).days)) - place)
        owns = away == 0 and action.status is Status.ACCEPTED
        if owns or (away <= REACH_SESSIONS and abs(abs(step) - abs(math.log(action.ratio))) <= tolerance):
            return True
    return False


def paid_out(view: SeriesView, bars: Bars, place: int) -> float:
    """Return the cash per share that went ex between the session before `place` and `place`."""
    after, until = bars.session_at(place - 1), bars.session_at(place)
    return float(
        sum(
            action.cash or 0
            for action in view.actions
            if action.kind is ActionKind.CASH_DIVIDEND
            and action.status is not Status.REJECTED
            and after < action.ex_date <= until
        )
    )


def comparable_volume(view: SeriesView, bars: Bars) -> Floats:
    """Return volume on the share basis of the last bar: what was usual before a split is comparable after it."""
    volume = bars.volume
    if view.is_split_adjusted:
        return volume
    for action in splits(view):
        place = int(np.searchsorted(bars.session, (action.ex_date - _FIRST_DAY).days))
        if action.status is Status.ACCEPTED and 0 < place < len(bars):
            volume = np.concatenate([volume[:place] * float(action.ratio), volume[place:]])
    return volume
