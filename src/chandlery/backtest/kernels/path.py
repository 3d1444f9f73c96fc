"""The assumed path of a bar, and the resting orders it reaches.

Open, nearer extreme, other extreme, close. Whatever a gap has passed fills at the open: first what waits for the
open, then entries by rising level, then exits. Within the bar everything that rests at one price fills in the
order in which it was placed.
"""

import math

from chandlery.backtest.jit import Row, Rows, lean
from chandlery.backtest.kernels import fields as f
from chandlery.backtest.kernels.fills import (
    close_units,
    fill_entry,
    fill_exit,
    has_exits,
    settle,
)
from chandlery.backtest.kernels.money import floored, snapped, summed, ten_digits, worse


@lean
def drop_order(side: int, book: Rows) -> None:
    """Forget the resting entry order of a side."""
    book[f.ORDERS + side, f.IS_RESTING] = 0.0


@lean
def _after_entry(side: int, plan: Row, book: Rows) -> None:
    is_add = book[f.ORDERS + side, f.IS_ADD] != 0.0 or book[f.ORDERS + 1 - side, f.IS_ADD] != 0.0
    if plan[f.CANCELS_OTHER] != 0 and not is_add:
        drop_order(1 - side, book)


@lean
def _drop_stale_adds(plan: Row, book: Rows) -> None:
    """In simple mode what was to be added to a position goes with it."""
    if plan[f.TICK] == 0.0:
        for side in range(2):
            if book[f.ORDERS + side, f.IS_ADD] != 0.0 and book[f.STATE, f.SIZE] * (1.0 - 2.0 * side) <= 0.0:
                drop_order(side, book)


@lean
def _resolved(side: int, price: float, plan: Row, book: Rows) -> float:
    """Signed quantity of a resting entry that fills at `price`; in simple mode its sign."""
    order = book[f.ORDERS + side]
    sign = 1.0 - 2.0 * side
    if plan[f.TICK] == 0.0:
        return sign
    if plan[f.SIZING] != f.DEFAULT_PERCENT:
        return order[f.ORDER_SIZE]
    unit = price * plan[f.POINT]
    if plan[f.FEE_KIND] == f.FEE_PERCENT:
        unit *= plan[f.MULTIPLE]
    elif plan[f.FEE_KIND] == f.FEE_PER_CONTRACT:
        unit += plan[f.FEE]
    quantity = ten_digits(order[f.BUDGET]) / unit
    if not (quantity > 0.0 and math.isfinite(quantity)):
        return 0.0
    return sign * floored(quantity + order[f.FLIP], plan)


@lean
def fill_resting(
    i: int, side: int, price: float, sizing: float, node: int, plan: Row, book: Rows, trades: Rows
) -> bool:
    """Fill the resting entry of a side at `price`, sized at `sizing`; false if nothing came of it."""
    total = _resolved(side, sizing, plan, book)
    grown = abs(total) - abs(book[f.ORDERS + side, f.ORDER_SIZE])
    if grown > 0.0 and book[f.ORDERS + side, f.IS_ADD] != 0.0 and plan[f.TICK] > 0.0:
        # As in PyneCore: what a unit came to beyond its estimate is added to the exits of the units before it.
        for k in range(int(book[f.STATE, f.BOUND_COUNT])):
            book[f.BINDING + k, f.EXIT_SIZE] = summed(book[f.BINDING + k, f.EXIT_SIZE], grown, plan)
    drop_order(side, book)
    if total == 0.0:
        return False
    fill_entry(i, side, total, price, node, plan, book, trades)
    _after_entry(side, plan, book)
    return True


@lean
def _fill_market(i: int, opening: float, plan: Row, book: Rows, trades: Rows) -> None:
    """Fill what waits for the open: closes, then entries, long before short."""
    for side in range(2):
        quantity = book[f.ORDERS + side, f.CLOSE_SIZE]
        book[f.ORDERS + side, f.CLOSE_SIZE] = 0.0
        sign = 1.0 - 2.0 * side
        if quantity > 0.0 and book[f.STATE, f.SIZE] * sign > 0.0:
            closing = min(quantity, abs(book[f.STATE, f.SIZE]))
            reason = int(book[f.ORDERS + side, f.CLOSE_REASON])
            price = snapped(worse(opening, -sign, plan), plan)
            close_units(i, closing, price, reason, 0, plan[f.FEE], plan, book, trades)
            settle(closing, 0.0, True, plan, book)
    for side in range(2):
        if book[f.ORDERS + side, f.IS_MARKET] == 0.0:
            continue
        book[f.ORDERS + side, f.IS_MARKET] = 0.0
        sign = 1.0 - 2.0 * side
        total = book[f.ORDERS + side, f.MARKET_SIZE]
        if book[f.STATE, f.SIZE] * sign > 0.0:
            if plan[f.UNITS] <= book[f.STATE, f.BOUND_COUNT]:
                continue
        elif plan[f.TICK] > 0.0:
            total -= book[f.STATE, f.SIZE]
        if total != 0.0:
            # As in PyneCore, an order too small for a lot only closes what it reverses, and is not slipped.
            is_empty = book[f.ORDERS + side, f.MARKET_SIZE] == 0.0
            price = opening if is_empty else worse(opening, sign, plan)
            fill_entry(i, side, total, price, 0, plan, book, trades)
    _drop_stale_adds(plan, book)


@lean
def _has_gapped(side: int, opening: float, book: Rows) -> bool:
    order = book[f.ORDERS + side]
    if order[f.IS_RESTING] == 0.0:
        return False
    is_above = opening >= order[f.ORDER_LEVEL]
    is_below = opening <= order[f.ORDER_LEVEL]
    return is_above if (order[f.IS_STOP] != 0.0) == (side == 0) else is_below


@lean
def _is_before(order: int, other: int, book: Rows) -> bool:
    """Whether one of two entries that the open has passed fills first: by level, then by age."""
    if book[order, f.ORDER_LEVEL] == book[other, f.ORDER_LEVEL]:
        return bool(book[order, f.ORDER_SEQUENCE] < book[other, f.ORDER_SEQUENCE])
    return bool(book[order, f.ORDER_LEVEL] < book[other, f.ORDER_LEVEL])


@lean
def _fill_gapped(i: int, side: int, opening: float, plan: Row, book: Rows, trades: Rows) -> None:
    order = book[f.ORDERS + side]
    if order[f.IS_RESTING] == 0.0:
        return
    sign = 1.0 - 2.0 * side
    if order[f.IS_STOP] != 0.0:
        sizing = worse(order[f.BUDGET_PRICE], sign, plan)
        fill_resting(i, side, worse(opening, sign, plan), sizing, 0, plan, book, trades)
    else:
        fill_resting(i, side, opening, opening, 0, plan, book, trades)


@lean
def _gap_of_exits(opening: float, book: Rows) -> int:
    """Return what the open has passed: the stop of the exits, else their limit, else nothing."""
    side = book[f.STATE, f.EXIT_SIDE]
    if side * opening <= side * book[f.STATE, f.EXIT_STOP]:
        return f.STOPPED
    return f.LIMITED if side * opening >= side * book[f.STATE, f.EXIT_LIMIT] else 0


@lean
def _gather(committed_after: float, book: Rows) -> int:
    """List the exits in force with what they may close; those placed after `committed_after` are committed."""
    count, side = 0, book[f.STATE, f.EXIT_SIDE]
    for k in range(int(book[f.STATE, f.BOUND_COUNT])):
        if book[f.BINDING + k, f.HAS_EXIT] != 0.0:
            late = book[f.BINDING + k, f.EXIT_SEQUENCE] > committed_after
            size = (
                min(book[f.BINDING + k, f.EXIT_SIZE], book[f.BINDING + k, f.BOUND])
                if late
                else book[f.BINDING + k, f.EXIT_SIZE]
            )
            book[f.LEG + count, f.LEG_NUMBER], book[f.LEG + count, f.LEG_SIZE] = (
                book[f.BINDING + k, f.NUMBER],
                -side * size,
            )
            book[f.LEG + count, f.LEG_SEQUENCE], book[f.LEG + count, f.LEG_COMMITTED] = (
                book[f.BINDING + k, f.EXIT_SEQUENCE],
                1.0 if late else 0.0,
            )
            count += 1
    return count


@lean
def _fill_leg(i: int, k: int, price: float, reason: int, node: int, plan: Row, book: Rows, trades: Rows) -> None:
    total, number = book[f.LEG + k, f.LEG_SIZE], book[f.LEG + k, f.LEG_NUMBER]
    if plan[f.TICK] == 0.0:
        # One exit protects the whole position.
        if book[f.STATE, f.SIZE] * total < 0.0:
            close_units(i, abs(book[f.STATE, f.SIZE]), price, reason, node, 0.0, plan, book, trades)
        return
    committed = book[f.LEG + k, f.LEG_COMMITTED] != 0.0
    alive = False
    for j in range(int(book[f.STATE, f.BOUND_COUNT])):
        alive = alive or (book[f.BINDING + j, f.NUMBER] == number and book[f.BINDING + j, f.HAS_EXIT] != 0.0)
    if alive or committed:
        fill_exit(i, total, number, committed, price, reason, node, plan, book, trades)


@lean
def at_open(i: int, opening: float, plan: Row, book: Rows, trades: Rows) -> None:
    """Fill everything that waits for the open or that the open has passed."""
    gapped_long, gapped_short = _has_gapped(0, opening, book), _has_gapped(1, opening, book)
    passed = _gap_of_exits(opening, book) if book[f.STATE, f.EXIT_SIDE] != 0.0 and has_exits(book) else 0
    side = book[f.STATE, f.EXIT_SIDE]
    limit = book[f.STATE, f.EXIT_LIMIT]
    _fill_market(i, opening, plan, book, trades)
    legs = 0
    if passed != 0 and book[f.STATE, f.EXIT_SIDE] == side and has_exits(book):
        legs = _gather(-1.0, book)
    if gapped_long or gapped_short:
        first = 1 if gapped_long and gapped_short and _is_before(f.ORDERS + 1, f.ORDERS, book) else 0
        for step in range(2):
            turn = first if step == 0 else 1 - first
            if gapped_long if turn == 0 else gapped_short:
                _fill_gapped(i, turn, opening, plan, book, trades)
    price = worse(opening, -side, plan)
    if passed == f.LIMITED:
        price = max(limit, opening) if side > 0.0 else min(limit, opening)
    for k in range(legs):
        _fill_leg(i, k, price, passed, 0, plan, book, trades)
    _drop_stale_adds(plan, book)
    if (gapped_long or gapped_short) and has_exits(book):
        _meet_exits(i, opening, 0, plan, book, trades)


@lean
def fill_all_exits(i: int, price: float, reason: int, node: int, plan: Row, book: Rows, trades: Rows) -> None:
    """Fill every exit in force at one price."""
    for k in range(_gather(math.inf, book)):
        _fill_leg(i, k, price, reason, node, plan, book, trades)
    _drop_stale_adds(plan, book)


@lean
def _meet_exits(i: int, price: float, node: int, plan: Row, book: Rows, trades: Rows) -> None:
    """Fill exits that a unit just added at `price` finds already passed."""
    side = book[f.STATE, f.EXIT_SIDE]
    legs = _gather(math.inf, book)
    if side * price >= side * book[f.STATE, f.EXIT_LIMIT]:
        for k in range(legs):
            _fill_leg(i, k, price, f.LIMITED, node, plan, book, trades)
    elif side * price <= side * book[f.STATE, f.EXIT_STOP]:
        for k in range(legs):
            _fill_leg(i, k, worse(price, -side, plan), f.STOPPED, node, plan, book, trades)
    _drop_stale_adds(plan, book)


@lean
def _entry_level(side: int, rising: bool, book: Rows) -> float:
    """Level at which the resting entry of a side can fill on a rising or falling leg; NaN if it cannot."""
    order = book[f.ORDERS + side]
    fits = (order[f.IS_STOP] != 0.0) == ((side == 0) == rising)
    return order[f.ORDER_LEVEL] if order[f.IS_RESTING] != 0.0 and fits else math.nan


@lean
def _exit_level(rising: bool, book: Rows) -> float:
    """Level at which the exits can fill on a rising or falling leg; NaN if they cannot."""
    if book[f.STATE, f.EXIT_SIDE] == 0.0:
        return math.nan
    return book[f.STATE, f.EXIT_LIMIT] if (book[f.STATE, f.EXIT_SIDE] > 0.0) == rising else book[f.STATE, f.EXIT_STOP]


@lean
def _nearest(reached: float, end: float, rising: bool, book: Rows) -> float:
    """Next level beyond `reached` at which something rests, up to `end`; NaN if nothing does."""
    found = math.nan
    for source in range(3):
        level = _exit_level(rising, book) if source == 2 else _entry_level(source, rising, book)
        if rising:
            ahead = reached < level <= end and not level >= found
        else:
            ahead = end <= level < reached and not level <= found
        if ahead:
            found = level
    return found


@lean
def walk_leg(i: int, opening: float, end: float, rising: bool, node: int, plan: Row, book: Rows, trades: Rows) -> None:
    """Fill what rests between the open and an extreme, nearest first."""
    reached = opening
    while True:
        level = _nearest(reached, end, rising, book)
        if math.isnan(level):
            return
        _fill_level(i, level, rising, node, plan, book, trades)
        reached = level


@lean
def _fill_level(i: int, level: float, rising: bool, node: int, plan: Row, book: Rows, trades: Rows) -> None:
    """Fill everything that rests at one price, in the order in which it was placed."""
    placed = (math.inf, math.inf)
    if _entry_level(0, rising, book) == level:
        placed = (book[f.ORDERS, f.ORDER_SEQUENCE], placed[1])
    if _entry_level(1, rising, book) == level:
        placed = (placed[0], book[f.ORDERS + 1, f.ORDER_SEQUENCE])
    is_pine = plan[f.TICK] > 0.0
    if not is_pine:
        # Without a name to stand on an exit cannot outlive its position: entries first.
        placed = (min(placed[0], 0.0 if placed[0] < math.inf else math.inf), placed[1])
    side = book[f.STATE, f.EXIT_SIDE]
    legs = _gather(min(placed[0], placed[1]), book) if _exit_level(rising, book) == level and has_exits(book) else 0
    is_limit = (side > 0.0) == rising
    price = level if is_limit else worse(level, -side, plan)
    reason = f.LIMITED if is_limit else f.STOPPED
    k = 0
    done_long, done_short = placed[0] == math.inf, placed[1] == math.inf
    while True:
        next_entry = math.inf if done_long else placed[0]
        entry = 0
        if not done_short and placed[1] < next_entry:
            next_entry, entry = placed[1], 1
        if k < legs and (next_entry == math.inf or (is_pine and book[f.LEG + k, f.LEG_SEQUENCE] < next_entry)):
            _fill_leg(i, k, price, reason, node, plan, book, trades)
            _drop_stale_adds(plan, book)
            k += 1
        elif next_entry < math.inf:
            done_long, done_short = done_long or entry == 0, done_short or entry == 1
            # Too late to cancel: in Pine mode what rests at one price is reached at one instant.
            if is_pine or book[f.ORDERS + entry, f.IS_RESTING] != 0.0:
                _fill_entry_at(i, entry, level, node, plan, book, trades)
        else:
            return


@lean
def _fill_entry_at(i: int, side: int, level: float, node: int, plan: Row, book: Rows, trades: Rows) -> None:
    sign = 1.0 - 2.0 * side
    price = worse(level, sign, plan) if book[f.ORDERS + side, f.IS_STOP] != 0.0 else level
    adds = book[f.STATE, f.SIZE] * sign > 0.0
    if fill_resting(i, side, price, price, node, plan, book, trades) and adds and has_exits(book):
        _meet_exits(i, snapped(price, plan), node, plan, book, trades)
