"""The hypothetical history of a book: what its present weights would have earned on past days.

Gaps are never filled with an old price, for that makes a false zero return and a false jump after it:

* an asset that lacks more than 5 % of the recent sessions is excluded;
* a day on which more than 5 % of the remaining gross exposure has no return is dropped;
* what still lacks a return, or is excluded, earns what the rest earned that day (`proxied`);
* when less than half of the gross exposure would be covered there is no history at all.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chandlery.errors import InvalidInput
from chandlery.measures import Returns
from chandlery.risk.book import Book

Sessions = NDArray[np.datetime64]
Panel = NDArray[np.float64]

MISSING_SHARE = 0.05
FEWEST_COVERAGE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Returns of the present book on past sessions, oldest first.

    Attributes:
        sessions: the days [n], `datetime64[D]`.
        returns: P&L / present NAV of those days [n].
        contributions: the same by asset [n, assets], proxied days scaled; rows sum to `returns`.
        excluded: symbols left out for lack of prices.
        coverage: share of gross exposure in assets not excluded.
        dropped_days: days after the first kept one that were dropped for lack of returns.
        proxied_days: kept days on which some included asset had no return.
    """

    sessions: Sessions
    returns: Returns
    contributions: Panel
    excluded: tuple[str, ...]
    coverage: float
    dropped_days: int
    proxied_days: int

    @property
    def is_proxied(self) -> bool:
        """Whether any part of the history rests on what the rest of the book earned."""
        return bool(self.excluded) or self.proxied_days > 0


def hypothetical_history(book: Book, *, prices: Panel, sessions: Sessions, recent: int) -> History:
    """Apply the present weights of `book` to past returns: r_t = sum_i w_i (P_it / P_i,t-1 - 1).

    `prices` [sessions, assets] are adjusted for splits, NaN where missing; the first session yields no return.
    `recent` is the number of latest sessions over which missing prices are counted. The book is rebalanced to
    its present weights every day; cash earns nothing. Empty when NAV is unknown or not positive, when nothing is
    held, or when coverage is under one half.

    Raises:
        InvalidInput: when the shapes do not fit.
    """
    if prices.shape != (sessions.size, len(book.symbols)):
        raise InvalidInput(f"Prices were {prices.shape} for {sessions.size} sessions and {len(book.symbols)} symbols.")
    days = sessions.astype("datetime64[D]")
    weights = np.nan_to_num(book.weights)
    held = weights != 0.0
    scant = held & (np.isnan(prices[-recent:]).mean(axis=0) > MISSING_SHARE) if sessions.size else held
    included = held & ~scant
    gross = float(np.abs(weights).sum())
    coverage = float(np.abs(weights[included]).sum()) / gross if gross > 0.0 else 0.0
    excluded = tuple(symbol for symbol, out in zip(book.symbols, scant, strict=True) if out)
    if coverage < FEWEST_COVERAGE or sessions.size < 2:
        nothing = np.empty((0, weights.size))
        return History(days[:0], nothing.sum(axis=1), nothing, excluded, coverage, 0, 0)
    moves = prices[1:] / prices[:-1] - 1.0
    earned = included & np.isfinite(moves)
    exposure = earned @ np.abs(weights)
    kept = exposure >= (1.0 - MISSING_SHARE) * coverage * gross - 1e-12 * gross
    contributions = np.where(earned, moves, 0.0)[kept] * weights * (gross / exposure[kept])[:, None]
    partial = kept & (earned.sum(axis=1) < included.sum())
    first = int(np.argmax(kept)) if kept.any() else kept.size
    return History(
        sessions=days[1:][kept],
        returns=contributions.sum(axis=1),
        contributions=contributions,
        excluded=excluded,
        coverage=coverage,
        dropped_days=int((~kept[first:]).sum()),
        proxied_days=int(partial.sum()),
    )
