"""Adjustment at read time: raw bars, accepted actions, and a basis on which shares and cash are counted.

Bars are stored raw. A split in proportion `split_from` old to `split_to` new shares multiplies every earlier price by
`split_from / split_to` and every earlier volume by the inverse. A cash dividend D multiplies every earlier price by

- `prev_close`: `1 - D / C[prev]`, the close before the ex-date (the convention of most vendors; Yahoo's `adj_close`);
- `ex_close`: `C[ex] / (C[ex] + D)`, the close of the ex-date (the convention of Quandl's WIKI).

The two differ by up to 2.3e-3 on AAPL, BA and GE. Volumes follow splits only.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from math import prod

import numpy as np
import polars as pl

from chandlery.errors import InvalidInput
from chandlery.market._ratios import times
from chandlery.market.actions import Action, ActionKind, Status

PRICE_COLUMNS = ("open", "high", "low", "close", "vwap")
_BITS = 128


class Adjustment(StrEnum):
    """What is adjusted for."""

    NONE = "none"
    SPLIT = "split"
    ALL = "all"


class DividendMethod(StrEnum):
    """How a cash dividend becomes a factor."""

    PREV_CLOSE = "prev_close"
    EX_CLOSE = "ex_close"


@dataclass(frozen=True, slots=True)
class AdjustmentSpan:
    """Sessions with `valid_from <= session < valid_to` and what their prices and volumes are multiplied by."""

    valid_from: date | None
    """None: from the first session on."""
    valid_to: date
    price: Fraction
    volume: Fraction


def method_of(source: str) -> DividendMethod:
    """Return the convention of the publisher of the dividends: WIKI tapes have their own, all others the usual one."""
    return DividendMethod.EX_CLOSE if "wiki" in source.split("+") else DividendMethod.PREV_CLOSE


def adjustment_table(
    actions: Iterable[Action],
    closes: pl.DataFrame,
    *,
    kind: Adjustment | str,
    method: DividendMethod | str | None = None,
    basis: date | None = None,
) -> tuple[AdjustmentSpan, ...]:
    """Return the spans of one instrument, ascending and adjoining; sessions after the last are not adjusted.

    Only accepted splits and dividends act, and only once a session on or after their ex-date is known. Split factors
    are exact; a dividend's is exact too, and their running product is kept to 128 bits.

    Args:
        actions: of one instrument, any order.
        closes: `session` and raw `close`, one row per session, any order; it says which sessions are known.
        kind: `none`, `split` or `all`.
        method: for dividends; None means each dividend's source decides (`method_of`).
        basis: sessions on or after it are left as they are; None, or one later than the newest: the newest known.

    Raises:
        InvalidInput: an unknown kind or method, or an accepted dividend that is not below the close it is set against.
    """
    if kind not in set(Adjustment):
        raise _refused("Adjustment", kind, Adjustment)
    if method not in {None, *DividendMethod}:
        raise _refused("Dividend method", str(method), DividendMethod)
    known = _Closes(closes)
    if kind == Adjustment.NONE or known.newest is None:
        return ()
    reference = known.newest if basis is None else min(basis, known.newest)
    acting = [action for action in actions if action.status is Status.ACCEPTED and action.ex_date <= reference]
    splits = [action for action in acting if action.kind is ActionKind.SPLIT]
    steps = {day: [Fraction(1), Fraction(1)] for day in (action.ex_date for action in splits)}
    for split in splits:
        steps[split.ex_date][0] *= split.ratio
    if kind == Adjustment.ALL:
        dividends = [action for action in acting if action.kind is ActionKind.CASH_DIVIDEND]
        for day, factor in _dividend_factors(dividends, splits, known, method):
            steps.setdefault(day, [Fraction(1), Fraction(1)])[1] *= factor
    return _spans(sorted((day, shares, cash) for day, (shares, cash) in steps.items()))


def adjust_bars(bars: pl.DataFrame, spans: Sequence[AdjustmentSpan], *, session: str = "session") -> pl.DataFrame:
    """Return the bars with open, high, low, close, vwap and volume on the basis of the spans, other columns untouched.

    Every value is the float nearest to raw times the exact ratio; a volume within two bits of a whole number of
    shares is that number. Nulls stay null, order and rows stay; turnover is cash and stays too. Without spans the
    very frame is returned.

    Args:
        bars: one instrument's, any timeframe; the column `session` says to which session a row belongs, so that the
            pre-market of an ex-date is on the new basis.
        spans: of that instrument, as `adjustment_table` gives them.
        session: the name of that column.

    Raises:
        InvalidInput: the column is absent or no date.
    """
    if bars.schema.get(session) != pl.Date:
        raise InvalidInput(f"Bars have no date column {session!r}; columns were {', '.join(bars.columns)}.")
    if not spans or bars.is_empty():
        return bars
    starts = [span.valid_from or date.min for span in spans]
    ends = np.array([span.valid_to for span in spans], dtype="datetime64[D]")
    days = bars[session].to_numpy().astype("datetime64[D]")
    which = np.searchsorted(ends, days, side="right").astype(np.intp)
    inside = days >= np.array([*starts, date.max], dtype="datetime64[D]")[which]
    which = np.where(inside, which, len(spans)).astype(np.intp)
    factors = {name: [span.price for span in spans] for name in PRICE_COLUMNS}
    factors["volume"] = [span.volume for span in spans]
    changed = [
        _times(bars[name], [*ratios, Fraction(1)], which) for name, ratios in factors.items() if name in bars.columns
    ]
    return bars.with_columns(changed)


def _times(
    column: pl.Series, ratios: Sequence[Fraction], which: np.ndarray[tuple[int], np.dtype[np.intp]]
) -> pl.Series:
    values = column.cast(pl.Float64).fill_null(0.0).to_numpy().astype(np.float64)
    changed = times(values, ratios, which)
    if column.name == "volume":
        # Publishers store raw volumes as quotients: 320 of BA's 13,090 come back one bit beside a whole number.
        whole = np.round(changed)
        changed = np.where(np.abs(changed - whole) <= 2 * np.spacing(np.abs(changed)), whole, changed)
    product = pl.Series(column.name, changed, dtype=pl.Float64)
    return product.set(column.is_null(), None)


class _Closes:
    """Raw closes by session."""

    def __init__(self, frame: pl.DataFrame) -> None:
        kept = frame.filter(pl.col("close").is_finite() & (pl.col("close") > 0)).sort("session")
        self.sessions = kept["session"].to_numpy().astype("datetime64[D]")
        self.closes = kept["close"].to_list()
        self.newest: date | None = kept["session"].max() if kept.height else None  # type: ignore[assignment]

    def around(self, day: date) -> tuple[Fraction, date, Fraction, date] | None:
        """Return close and session before `day` and on or after it; None if one of them is not known."""
        place = int(np.searchsorted(self.sessions, np.datetime64(day, "D")))
        if not 0 < place < len(self.closes):
            return None
        before, on = self.sessions[place - 1].item(), self.sessions[place].item()
        return Fraction(self.closes[place - 1]), before, Fraction(self.closes[place]), on


def _dividend_factors(
    dividends: Sequence[Action], splits: Sequence[Action], known: _Closes, method: DividendMethod | str | None
) -> Iterable[tuple[date, Fraction]]:
    """Yield (ex-date, factor); several dividends of a day count as one, so that their order does not matter."""
    for day in sorted({action.ex_date for action in dividends}):
        around = known.around(day)
        if around is None:
            continue  # nothing lies before it
        before, before_day, on, on_day = around
        # The cash is on the basis of the ex-date: a split of the same day has already cut the price it is set against.
        before /= prod((split.ratio for split in splits if before_day < split.ex_date <= on_day), start=Fraction(1))
        of_day = [action for action in dividends if action.ex_date == day]
        cash = sum((Fraction(action.cash or 0) for action in of_day), start=Fraction(0))
        chosen = method or method_of("+".join(action.source for action in of_day))
        if chosen == DividendMethod.PREV_CLOSE and cash >= before:
            raise InvalidInput(
                f"The dividends of {day} sum to {float(cash):g}, not below the close before, {float(before):g}. "
                "Judge the actions again (asset ops/corporate_actions), or ask for adjusted=split."
            )
        yield day, 1 - cash / before if chosen == DividendMethod.PREV_CLOSE else on / (on + cash)


def _spans(steps: Sequence[tuple[date, Fraction, Fraction]]) -> tuple[AdjustmentSpan, ...]:
    spans: list[AdjustmentSpan] = []
    shares, cash = Fraction(1), Fraction(1)
    for place in range(len(steps) - 1, -1, -1):
        day, ratio, factor = steps[place]
        shares, cash = shares * ratio, _shortened(cash * factor)
        start = steps[place - 1][0] if place else None
        spans.append(AdjustmentSpan(start, day, cash / shares, shares))
    return tuple(reversed(spans))


def _shortened(factor: Fraction) -> Fraction:
    """Return the factor to 128 bits: 208 exact dividends would make integers of 20,000 bits."""
    shift = factor.denominator.bit_length() - factor.numerator.bit_length() + _BITS
    if factor == 1 or factor.denominator.bit_length() <= _BITS:
        return factor
    return Fraction(round(factor * 2**shift), 2**shift)


def _refused(name: str, text: str, words: Iterable[str]) -> InvalidInput:
    return InvalidInput(f"{name} was {text!r}; known are {' '.join(words)}.")
