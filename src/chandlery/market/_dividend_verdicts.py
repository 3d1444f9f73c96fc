"""Which recorded cash dividends can be believed.

A wrong dividend does less harm than a wrong split, and prices seldom prove a right one: 0.5 % drowns in a day's
trading. So a dividend is believed on its record unless something speaks against it. The thresholds come from the 11
`bad-div` and 4 `no-bad-divs` cases of the shared tapes, where EWG and CALM truly pay 1/84 to 1/380 of their others.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from statistics import median

from chandlery.market._jumps import DayPrices
from chandlery.market.actions import Action, ActionKind, RecordedDividend, Status

_LARGE_YIELD = 0.10
_SIGMAS = 5.0
_SHOWN = 0.25
"""Share of the dividend by which the price must fall for it to be shown; true large ones fell by 0.29 to 1.02."""
_OUT_OF_LINE = 50.0
_HUNDRED = math.log(100.0)
_DIGITS_AGREE = 0.10
_NEIGHBOURS = 3
_LEAST_NEIGHBOURS = 2
_SAME_PAYMENT = timedelta(days=4)
"""A weekly payer's ex-dates are 7 days apart, 5 around holidays; two equal payments closer than that are one."""


@dataclass(frozen=True, slots=True)
class _Paid:
    record: RecordedDividend
    times: int
    previous: Fraction | None
    """The close before the ex-date, on the share basis of the ex-date."""
    sigma: float
    fall: float | None
    """How far the price fell into the ex-date, at its open or close, in dividends."""
    aside: Fraction
    """Divides the cash: puts it on the newest share basis, so that neighbours compare."""

    @property
    def share(self) -> float | None:
        """The dividend over the close before it."""
        return None if self.previous is None else float(Fraction(self.record.cash) / self.previous)


def judge_dividends(
    records: Iterable[RecordedDividend], prices: DayPrices, *, splits: Sequence[Action], currency: str
) -> list[Action]:
    """Return one action per distinct (day, cash, currency, distribution), ascending by ex-date.

    Args:
        records: any order.
        prices: raw day prices.
        splits: accepted splits of the instrument.
        currency: of the instrument; cash in another one cannot be set against its prices.
    """
    found: list[Action] = []
    open_: list[_Paid] = []
    for record, times in _distinct(records):
        reason = _refusal(record)
        if reason:
            found.append(_action(record, Status.REJECTED, {"reason": reason}))
        elif record.currency.upper() != currency.upper():
            found.append(_action(record, Status.SUSPECTED, {"reason": "paid_in_another_currency"}))
        else:
            open_.append(_seen(record, times, prices, splits))
    for step in (_against_prices, _against_twins, _against_neighbours):
        doubted = step(open_)
        found += [_action(item.record, *doubted[id(item)]) for item in open_ if id(item) in doubted]
        open_ = [item for item in open_ if id(item) not in doubted]
    found += [_believed(item, prices) for item in open_]
    return sorted(found, key=lambda action: (action.ex_date, action.cash or 0, action.status))


_Facts = dict[str, str | int | float]
_Doubts = dict[int, tuple[Status, _Facts]]


def _distinct(records: Iterable[RecordedDividend]) -> list[tuple[RecordedDividend, int]]:
    same: dict[tuple[date, Decimal, str, str], list[RecordedDividend]] = {}
    for record in sorted(records, key=lambda item: (item.day, item.distribution, item.source)):
        # A NaN equals nothing, not even itself: it is refused below, each by itself.
        same.setdefault((record.day, record.cash, record.currency, record.distribution), []).append(record)
    return [(group[0], len(group)) for group in same.values()]


def _refusal(record: RecordedDividend) -> str | None:
    if not record.cash.is_finite():
        return "cash_is_no_number"
    return "cash_is_not_positive" if record.cash <= 0 else None


def _seen(record: RecordedDividend, times: int, prices: DayPrices, splits: Sequence[Action]) -> _Paid:
    later = math.prod((split.ratio for split in splits if split.ex_date > record.day), start=Fraction(1))
    place = prices.place_of(record.day)
    if place is None:
        return _Paid(record, times, None, 0.0, None, later)
    before, session = prices.sessions[place - 1], prices.sessions[place]
    between = math.prod((split.ratio for split in splits if before < split.ex_date <= session), start=Fraction(1))
    previous = Fraction(prices.closes[place - 1]) / between
    lowest = min(prices.opens[place], prices.closes[place])
    fall = (float(previous) - lowest) / float(record.cash)
    return _Paid(record, times, previous, prices.sigma(place), fall, later)


def _against_prices(paid: Sequence[_Paid]) -> _Doubts:
    """A dividend of 10 % or more, beyond five sigma, must show in the price; none can exceed the price."""
    doubts: _Doubts = {}
    for item in paid:
        if item.share is None or item.fall is None:
            continue
        facts: _Facts = {"share_of_previous_close": round(item.share, 6), "fall_in_dividends": round(item.fall, 4)}
        if item.share >= 1:
            doubts[id(item)] = (Status.SUSPECTED, {"reason": "not_below_the_previous_close", **facts})
        elif item.share >= max(_LARGE_YIELD, _SIGMAS * item.sigma) and item.fall < _SHOWN:
            doubts[id(item)] = (Status.SUSPECTED, {"reason": "large_and_prices_do_not_fall", **facts})
    return doubts


def _against_twins(paid: Sequence[_Paid]) -> _Doubts:
    """The same payment on two days: the one day on which the price falls is believed, else neither."""
    doubts: _Doubts = {}
    for first, second in combinations(paid, 2):
        one, other = first.record, second.record
        alike = (one.cash, one.distribution) == (other.cash, other.distribution)
        if not alike or not timedelta() < other.day - one.day <= _SAME_PAYMENT:
            continue
        shown = [item for item in (first, second) if item.fall is not None and item.fall >= _SHOWN]
        for item, twin in ((first, other), (second, one)):
            if len(shown) != 1:
                facts: _Facts = {"reason": "recorded_on_two_days", "collides_with": str(twin.day)}
                doubts[id(item)] = (Status.SUSPECTED, facts)
            elif item is not shown[0]:
                doubts[id(item)] = (Status.REJECTED, {"reason": "duplicate", "duplicate_of": str(twin.day)})
    return doubts


def _against_neighbours(paid: Sequence[_Paid]) -> _Doubts:
    """A hundred times the neighbours, or a hundredth: the unit was mistaken, unless the price falls by a large one."""
    doubts: _Doubts = {}
    amounts = [float(Fraction(item.record.cash) / item.aside) for item in paid]
    for place, item in enumerate(paid):
        beside = [*amounts[max(0, place - _NEIGHBOURS) : place], *amounts[place + 1 : place + 1 + _NEIGHBOURS]]
        if len(beside) < _LEAST_NEIGHBOURS:
            continue
        step = math.log(amounts[place] / median(beside))
        shown = item.fall is not None and item.fall >= _SHOWN
        is_large = step >= math.log(_OUT_OF_LINE) and not shown
        # Small ones cannot be seen in prices: only digits that agree with the neighbours' tell a slip of the unit.
        is_small = abs(step + _HUNDRED) <= _DIGITS_AGREE
        if is_large or is_small:
            times = round(math.exp(step), 6)
            doubts[id(item)] = (Status.SUSPECTED, {"reason": "out_of_line", "times_its_neighbours": times})
    return doubts


def _believed(item: _Paid, prices: DayPrices) -> Action:
    facts: _Facts = {"recorded_times": item.times} if item.times > 1 else {}
    if item.share is not None:
        facts |= {"reason": "nothing_against_it", "share_of_previous_close": round(item.share, 6)}
    else:
        facts["reason"] = "not_yet_due" if prices.is_ahead(item.record.day) else "on_record_alone"
    return _action(item.record, Status.ACCEPTED, facts)


def _action(record: RecordedDividend, status: Status, facts: _Facts) -> Action:
    return Action(
        kind=ActionKind.CASH_DIVIDEND,
        ex_date=record.day,
        status=status,
        evidence={**facts, "distribution": record.distribution},
        source=record.source,
        cash=record.cash,
        currency=record.currency,
    )
