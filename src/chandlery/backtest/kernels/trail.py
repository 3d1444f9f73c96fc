"""Trailing stops: a stop that follows the best price of the path since it armed."""

import math

from chandlery.backtest.jit import Row, Rows, lean
from chandlery.backtest.kernels import fields as f
from chandlery.backtest.kernels.money import on_grid, worse
from chandlery.backtest.kernels.path import fill_all_exits


@lean
def _stop(plan: Row, book: Rows) -> float:
    return on_grid(book[f.STATE, f.BEST] - book[f.STATE, f.EXIT_SIDE] * book[f.STATE, f.TRAIL_OFFSET], plan)


@lean
def _fill(i: int, price: float, node: int, plan: Row, book: Rows, trades: Rows) -> None:
    fill_all_exits(i, worse(price, -book[f.STATE, f.EXIT_SIDE], plan), f.TRAILED, node, plan, book, trades)


@lean
def trail_open(i: int, opening: float, plan: Row, book: Rows, trades: Rows) -> bool:
    """Let the open pass, raise or arm the stop; true if it is over for this bar."""
    side = book[f.STATE, f.EXIT_SIDE]
    if book[f.STATE, f.IS_ARMED] != 0.0:
        if side * opening <= side * _stop(plan, book):
            _fill(i, opening, 0, plan, book, trades)
            return True
        if side * opening <= side * book[f.STATE, f.BEST]:
            return False
    elif not side * opening >= side * book[f.STATE, f.TRAIL_PRICE]:
        return False
    book[f.STATE, f.IS_ARMED], book[f.STATE, f.BEST] = 1.0, opening
    if side * opening <= side * _stop(plan, book):
        _fill(i, _stop(plan, book), 0, plan, book, trades)
        return True
    return False


@lean
def trail_segment(i: int, start: float, end: float, node: int, plan: Row, book: Rows, trades: Rows) -> bool:
    """Follow one straight piece of the path; true if the trail is over for this bar.

    It is over when it fills, and when the limit or the fixed stop of the same exit is reached first.
    """
    side, activation = book[f.STATE, f.EXIT_SIDE], book[f.STATE, f.TRAIL_PRICE]
    limit, fixed = book[f.STATE, f.EXIT_LIMIT], book[f.STATE, f.EXIT_STOP]
    if side * end > side * start:
        arms = side * end >= side * activation
        at_once = (
            book[f.STATE, f.IS_ARMED] == 0.0
            and book[f.STATE, f.TRAIL_OFFSET] <= 0.0
            and arms
            and side * activation <= side * limit
        )
        if side * end >= side * limit and not at_once:
            return True
        if book[f.STATE, f.IS_ARMED] == 0.0 and arms:
            book[f.STATE, f.IS_ARMED], book[f.STATE, f.BEST] = 1.0, activation
            if side * activation <= side * _stop(plan, book):
                _fill(i, _stop(plan, book), node, plan, book, trades)
                return True
        if book[f.STATE, f.IS_ARMED] != 0.0 and side * end > side * book[f.STATE, f.BEST]:
            book[f.STATE, f.BEST] = end
        return False
    if side * start >= side * limit:
        return True
    stop = _stop(plan, book) if book[f.STATE, f.IS_ARMED] != 0.0 else math.nan
    if side * end <= side * fixed and not side * fixed < side * stop:
        return True
    if side * end <= side * stop:
        _fill(i, stop, node, plan, book, trades)
        return True
    return False
