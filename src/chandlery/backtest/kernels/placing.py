"""What is sent to the broker at a close: cancels, closes, entries, exits, further units, in this order.

The order is part of the meaning: an entry placed on the bar of a close reads the position that close leaves.
"""

import math

from chandlery.backtest.jit import Row, Rows, lean
from chandlery.backtest.kernels import fields as f
from chandlery.backtest.kernels.fills import average_price, equity_at
from chandlery.backtest.kernels.money import floored, floored_as_written, level, rounded, ten_digits
from chandlery.backtest.kernels.path import drop_order
from chandlery.backtest.kernels.roots import Roots, at


@lean
def place(i: int, close: float, written: float, roots: Roots, plan: Row, book: Rows) -> None:
    """Decide at the close of bar `i`; `written` is the close as the strategy sees it, not on the tick."""
    held = book[f.STATE, f.SIZE]
    after = held
    for side in range(2):
        is_open = held * (1.0 - 2.0 * side) > 0.0
        adds = plan[f.UNITS] > 1 and (is_open or book[f.ORDERS + side, f.WAS_OPEN] != 0.0)
        if adds or at(roots, side * f.PER_SIDE + f.CANCEL, i) != 0.0:
            drop_order(side, book)
        book[f.ORDERS + side, f.WAS_OPEN] = 1.0 if is_open else 0.0
        book[f.ORDERS + side, f.CLOSE_REASON] = 0.0
        if is_open:
            closing = _close(i, side, roots, plan, book)
            after = held - closing if abs(closing) < abs(held) else 0.0
    for side in range(2):
        sign = 1.0 - 2.0 * side
        if at(roots, side * f.PER_SIDE + f.GO, i) != 0.0 and held * sign <= 0.0 and at(roots, f.WEIGHT, i) > 0.0:
            after = _enter(i, side, close, written, after, roots, plan, book)
    if held != 0.0:
        side = 0 if held > 0.0 else 1
        _protect(i, side, close, roots, plan, book)
        reverses = (
            plan[f.RULES_OF_SIDE + (1 - side) * f.RULES_PER_SIDE + f.ORDER_KIND] == 0.0
            and at(roots, (1 - side) * f.PER_SIDE + f.GO, i) != 0.0
        )
        stays = book[f.ORDERS + side, f.CLOSE_REASON] == 0.0 and not reverses
        if plan[f.UNITS] > 1:
            step = _value(i, f.STEP, plan[f.STEP_FROZEN], f.KEPT + 8 + side, roots, book)
            if stays and plan[f.UNITS] > book[f.STATE, f.UNIT_COUNT]:
                _add(i, side, close, after, step, roots, plan, book)


@lean
def _close(i: int, side: int, roots: Roots, plan: Row, book: Rows) -> float:
    """Close an open side at the next open if it is decided; return the signed quantity."""
    reason = 0
    of_side = f.RULES_OF_SIDE + side * f.RULES_PER_SIDE
    other = 1 - side
    if at(roots, side * f.PER_SIDE + f.LEAVE, i) != 0.0:
        reason = f.SIGNAL
    elif plan[of_side + f.COUNTS_BARS] != 0:
        is_late = i - book[f.UNIT, f.ENTRY_BAR] + 1.0 >= at(roots, side * f.PER_SIDE + f.MAX_BARS, i)
        at_market = plan[f.RULES_OF_SIDE + other * f.RULES_PER_SIDE + f.ORDER_KIND] == 0
        # A reversal closes the position itself.
        if is_late and not (at_market and at(roots, other * f.PER_SIDE + f.GO, i) != 0.0):
            reason = f.TIMED
    if reason == 0:
        return 0.0
    quantity = 0.0
    if plan[f.TICK] == 0.0:
        quantity = abs(book[f.STATE, f.SIZE])
    else:
        for k in range(int(book[f.STATE, f.BOUND_COUNT])):
            quantity += book[f.BINDING + k, f.BOUND] * book[f.BINDING + k, f.IS_OWN]
        quantity = rounded(quantity, plan)
    book[f.ORDERS + side, f.CLOSE_SIZE], book[f.ORDERS + side, f.CLOSE_REASON] = quantity, reason
    return (1.0 - 2.0 * side) * quantity


@lean
def _quantity(weight: float, expected: float, written: float, close: float, plan: Row, book: Rows) -> float:
    """Units of a Pine entry: left to the emulator (at the `expected` price) or asked for (at the `written` one)."""
    sizing, kind = plan[f.SIZING], plan[f.FEE_KIND]
    if sizing == f.FIXED:
        return floored_as_written(weight, plan) if math.isfinite(weight) else 0.0
    price = expected if sizing == f.DEFAULT_PERCENT else written
    unit = price * plan[f.POINT]
    money = weight
    if sizing == f.DEFAULT_PERCENT:
        money = budget(weight, close, plan, book)
        unit *= plan[f.MULTIPLE] if kind == f.FEE_PERCENT else 1.0
    elif sizing == f.PERCENT_OF_EQUITY:
        money = equity_at(close, plan, book) * weight / 100.0
        unit *= 1.0 + plan[f.FEE] if kind == f.FEE_PERCENT else 1.0
        if kind == f.FEE_PER_ORDER:
            money = max(0.0, money - plan[f.FEE])
    if sizing != f.CASH and kind == f.FEE_PER_CONTRACT:
        unit += plan[f.FEE]
    quantity = (ten_digits(money) if sizing == f.DEFAULT_PERCENT else money) / unit
    if not (quantity > 0.0 and math.isfinite(quantity)):
        return math.nan
    return floored(quantity, plan) if sizing == f.DEFAULT_PERCENT else floored_as_written(quantity, plan)


@lean
def budget(weight: float, close: float, plan: Row, book: Rows) -> float:
    """Money of an entry whose size is left to the emulator."""
    money = equity_at(close, plan, book) * weight * 0.01
    return max(0.0, money - plan[f.FEE]) if plan[f.FEE_KIND] == f.FEE_PER_ORDER else money


@lean
def _share(weight: float, plan: Row) -> float:
    """Share of equity of an entry in simple mode, which has no money unit."""
    is_percent = plan[f.SIZING] == f.DEFAULT_PERCENT or plan[f.SIZING] == f.PERCENT_OF_EQUITY
    return weight / 100.0 if is_percent else 1.0


@lean
def _enter(i: int, side: int, close: float, written: float, after: float, roots: Roots, plan: Row, book: Rows) -> float:
    """Send the entry of a side; return the position after what is queued for the open."""
    sign, weight = 1.0 - 2.0 * side, at(roots, f.WEIGHT, i)
    kind = plan[f.RULES_OF_SIDE + side * f.RULES_PER_SIDE + f.ORDER_KIND]
    if kind != 0:
        price = at(roots, side * f.PER_SIDE + f.LEVEL, i)
        if not math.isnan(price):
            rest(side, kind == f.STOP_ORDER, price, close, after, weight, False, plan, book)
        return after
    book[f.ORDERS + side, f.SHARE] = _share(weight, plan)
    quantity = 1.0
    if plan[f.TICK] > 0.0:
        quantity = _quantity(weight, close + sign * plan[f.SLIP], written, close, plan, book)
        if math.isnan(quantity):
            return after
        if quantity == 0.0 and not book[f.STATE, f.SIZE] * sign < 0.0:
            drop_order(side, book)
            return after
    drop_order(side, book)
    book[f.ORDERS + side, f.IS_MARKET], book[f.ORDERS + side, f.MARKET_SIZE] = 1.0, sign * quantity
    return after + sign * quantity if after * sign >= 0.0 else sign * quantity


@lean
def rest(
    side: int,
    is_stop: bool,
    price: float,
    close: float,
    after: float,
    weight: float,
    is_add: bool,
    plan: Row,
    book: Rows,
) -> None:
    """Place or move the resting entry of a side."""
    order = book[f.ORDERS + side]
    sign = 1.0 - 2.0 * side
    limit = level(price, is_stop == (side == 0), plan)
    flip, total = 0.0, sign
    expected = sign * (max(sign * limit, sign * close) if is_stop else min(sign * limit, sign * close))
    if plan[f.TICK] > 0.0:
        quantity = _quantity(weight, expected, price, close, plan, book)
        if math.isnan(quantity):
            return
        is_full = after * sign > 0.0 and plan[f.UNITS] <= book[f.STATE, f.BOUND_COUNT]
        if is_full or (quantity == 0.0 and not book[f.STATE, f.SIZE] * sign < 0.0):
            drop_order(side, book)
            return
        total = sign * quantity
        if not after * sign > 0.0 and book[f.STATE, f.SIZE] != 0.0:
            flip = abs(after)
            total -= after
    is_same = order[f.IS_RESTING] != 0.0 and order[f.ORDER_SIZE] == total and order[f.ORDER_LEVEL] == limit
    if not is_same:
        book[f.STATE, f.SEQUENCE] += 1.0
        order[f.ORDER_SEQUENCE] = book[f.STATE, f.SEQUENCE]
    order[f.IS_RESTING], order[f.IS_STOP], order[f.IS_ADD] = 1.0, 1.0 if is_stop else 0.0, 1.0 if is_add else 0.0
    order[f.ORDER_LEVEL], order[f.ORDER_SIZE], order[f.FLIP] = limit, total, flip
    order[f.BUDGET_PRICE], order[f.SHARE] = expected, _share(weight, plan)
    order[f.BUDGET] = budget(weight, close, plan, book)


@lean
def _shifted(price: float, value: float, basis: int, sign: float, plan: Row) -> float:
    """Price that lies a distance from `price`."""
    if basis == f.DISTANCE:
        return price + sign * value
    if basis == f.PERCENT:
        return price * (1.0 + sign * value / 100.0)
    return price + sign * (value * (plan[f.TICK] if plan[f.TICK] > 0.0 else 1.0))


@lean
def _add(i: int, side: int, close: float, after: float, step: float, roots: Roots, plan: Row, book: Rows) -> None:
    """Send the stop order for one more unit."""
    last = book[f.UNIT + int(book[f.STATE, f.UNIT_COUNT]) - 1, f.ENTRY_PRICE]
    price = _shifted(last, step, plan[f.STEP_BASIS], 1.0 - 2.0 * side, plan)
    if not math.isnan(price) and at(roots, f.WEIGHT, i) > 0.0:
        rest(side, True, price, close, after, at(roots, f.WEIGHT, i), True, plan, book)


@lean
def _value(i: int, root: int, is_frozen: float, kept: int, roots: Roots, book: Rows) -> float:
    """Value of a distance: of this close, or kept from the bar before the position opened."""
    if is_frozen == 0.0:
        return at(roots, root, i)
    if book[f.UNIT, f.ENTRY_BAR] == i:
        book[f.STATE, kept] = at(roots, root, i - 1) if i > 0 else math.nan
    return book[f.STATE, kept]


@lean
def _distance(i: int, side: int, place_: int, roots: Roots, plan: Row, book: Rows) -> float:
    """Value of a distance of the exits of a side."""
    is_frozen = plan[f.RULES_OF_SIDE + side * f.RULES_PER_SIDE + f.STOP_FROZEN + place_]
    return _value(i, side * f.PER_SIDE + f.STOP + place_, is_frozen, f.KEPT + 4 * side + place_, roots, book)


@lean
def _protect(i: int, side: int, close: float, roots: Roots, plan: Row, book: Rows) -> None:
    """Send the exits of the open side."""
    sign, of_side = 1.0 - 2.0 * side, f.RULES_OF_SIDE + side * f.RULES_PER_SIDE
    stop_basis, limit_basis = plan[of_side + f.STOP_BASIS], plan[of_side + f.LIMIT_BASIS]
    if stop_basis == 0 and limit_basis == 0 and plan[of_side + f.OFFSET_BASIS] == 0:
        return
    stop, limit, average = math.nan, math.nan, average_price(book)
    if stop_basis != 0:
        value = _distance(i, side, 0, roots, plan, book)
        price = value if stop_basis == f.PRICE else _shifted(average, value, stop_basis, -sign, plan)
        stop = price if math.isnan(price) else level(price, side == 1, plan)
    if limit_basis != 0:
        value = _distance(i, side, 1, roots, plan, book)
        price = value if limit_basis == f.PRICE else _shifted(average, value, limit_basis, sign, plan)
        limit = price if math.isnan(price) else level(price, side == 0, plan)
    is_moved = not (
        book[f.STATE, f.EXIT_SIDE] == sign
        and _equal(stop, book[f.STATE, f.EXIT_STOP])
        and _equal(limit, book[f.STATE, f.EXIT_LIMIT])
    )
    is_new = book[f.STATE, f.EXIT_SIDE] != sign
    book[f.STATE, f.EXIT_SIDE], book[f.STATE, f.EXIT_STOP], book[f.STATE, f.EXIT_LIMIT] = sign, stop, limit
    book[f.STATE, f.TRAIL_PRICE] = math.nan
    if plan[of_side + f.OFFSET_BASIS] != 0:
        _follow(i, side, close, average, is_new, roots, plan, book)
        is_moved = True
    for k in range(int(book[f.STATE, f.BOUND_COUNT])):
        if book[f.BINDING + k, f.IS_OWN] != 0.0 and (is_moved or book[f.BINDING + k, f.HAS_EXIT] == 0.0):
            book[f.STATE, f.SEQUENCE] += 1.0
            book[f.BINDING + k, f.HAS_EXIT], book[f.BINDING + k, f.EXIT_SEQUENCE] = 1.0, book[f.STATE, f.SEQUENCE]
        book[f.BINDING + k, f.EXIT_SIZE] = book[f.BINDING + k, f.INITIAL]


@lean
def _equal(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


@lean
def _reach(value: float, basis: int, average: float, plan: Row) -> float:
    """Distance of a trail: whole or broken ticks in Pine mode, price units in simple mode."""
    tick = plan[f.TICK] if plan[f.TICK] > 0.0 else 1.0
    if basis == f.TICKS:
        return value
    return average * value / 100.0 / tick if basis == f.PERCENT else value / tick


@lean
def _follow(i: int, side: int, close: float, average: float, is_new: bool, roots: Roots, plan: Row, book: Rows) -> None:
    """Send the trailing stop; one that is new or, in Pine mode, changed begins again at the close."""
    sign, of_side = 1.0 - 2.0 * side, f.RULES_OF_SIDE + side * f.RULES_PER_SIDE
    is_pine = plan[f.TICK] > 0.0
    offset = _reach(_distance(i, side, 2, roots, plan, book), plan[of_side + f.OFFSET_BASIS], average, plan)
    offset = math.floor(offset) * plan[f.TICK] if is_pine else offset
    points, activation = 0.0, 0.0 if side == 0 else 1e9
    if plan[of_side + f.ACTIVATION_BASIS] != 0:
        points = _reach(_distance(i, side, 3, roots, plan, book), plan[of_side + f.ACTIVATION_BASIS], average, plan)
        step = plan[f.TICK] * points if is_pine else points
        activation = (book[f.UNIT, f.ENTRY_PRICE] if is_pine else average) + sign * step
        activation = activation if math.isnan(activation) else level(activation, side == 0, plan)
    activation = math.nan if math.isnan(offset) else activation
    is_changed = offset != book[f.STATE, f.TRAIL_OFFSET] or points != book[f.STATE, f.TRAIL_POINTS]
    if is_new or (is_pine and is_changed):
        book[f.STATE, f.IS_ARMED] = 0.0
    book[f.STATE, f.TRAIL_OFFSET], book[f.STATE, f.TRAIL_POINTS], book[f.STATE, f.TRAIL_PRICE] = (
        offset,
        points,
        activation,
    )
    if book[f.STATE, f.IS_ARMED] == 0.0 and sign * close > sign * activation:
        book[f.STATE, f.IS_ARMED], book[f.STATE, f.BEST] = 1.0, close
