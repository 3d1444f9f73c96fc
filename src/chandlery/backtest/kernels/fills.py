"""Fills: what one does to the position, its units, the money and the trades.

The position is kept twice, as the broker emulator keeps it. `units` are the entries first in, first out: a close
takes the oldest, whatever it was meant for, and makes one trade of each. `bound` are the entries as exits count
them: an exit belongs to one of them and is gone with it.
"""

import math

from chandlery.backtest.jit import Row, Rows, lean
from chandlery.backtest.kernels import fields as f
from chandlery.backtest.kernels.money import fee_of, floored, rounded, snapped, summed, ten_digits


@lean
def sign_of(value: float) -> float:
    """Return 1, -1 or 0."""
    if value > 0.0:
        return 1.0
    return -1.0 if value < 0.0 else 0.0


@lean
def average_price(book: Rows) -> float:
    """Average entry price of the open units."""
    total = 0.0
    for k in range(int(book[f.STATE, f.UNIT_COUNT])):
        total += book[f.UNIT + k, f.ENTRY_PRICE] * abs(book[f.UNIT + k, f.QUANTITY])
    return total / abs(book[f.STATE, f.SIZE])


@lean
def equity_at(price: float, plan: Row, book: Rows) -> float:
    """Money of the account with the position marked at `price`."""
    if plan[f.TICK] == 0.0:
        return book[f.STATE, f.MONEY] + book[f.STATE, f.SIZE] * price
    floating = 0.0
    if book[f.STATE, f.SIZE] != 0.0:
        floating = book[f.STATE, f.SIZE] * (snapped(price, plan) - average_price(book)) * plan[f.POINT]
    return plan[f.CAPITAL] + (book[f.STATE, f.PROFIT] - (book[f.STATE, f.LOST] + book[f.STATE, f.OPEN_FEES])) + floating


@lean
def _tally(profit: float, book: Rows) -> None:
    book[f.STATE, f.CLOSED] += 1.0
    if profit > 0.0:
        book[f.STATE, f.WINS] += 1.0
        book[f.STATE, f.PROFIT] += profit
    else:
        book[f.STATE, f.LOST] -= profit


@lean
def write_trade(i: int, quantity: float, price: float, plan: Row, book: Rows, trades: Rows) -> int:
    """Write the entry of the oldest unit and where it is left; return the line, -1 where none are kept."""
    line = int(book[f.STATE, f.TRADE_COUNT])
    if line >= trades.shape[0]:
        return -1
    book[f.STATE, f.TRADE_COUNT] += 1.0
    trades[line, f.TRADE_SIDE] = sign_of(book[f.UNIT, f.QUANTITY])
    trades[line, f.TRADE_ENTRY_BAR] = book[f.UNIT, f.ENTRY_BAR]
    trades[line, f.TRADE_ENTRY_PRICE] = book[f.UNIT, f.ENTRY_PRICE]
    trades[line, f.TRADE_EXIT_BAR] = i
    trades[line, f.TRADE_EXIT_PRICE] = price
    trades[line, f.TRADE_QUANTITY] = quantity
    # The money spent of a simple long entry is kept as it was, not computed back from the quantity.
    cost = book[f.UNIT, f.BASIS]
    if plan[f.TICK] > 0.0:
        share = quantity / abs(book[f.UNIT, f.QUANTITY])
        cost = quantity * book[f.UNIT, f.ENTRY_PRICE] * plan[f.POINT] + book[f.UNIT, f.ENTRY_FEE] * share
    elif book[f.UNIT, f.QUANTITY] < 0.0:
        cost = quantity * book[f.UNIT, f.ENTRY_PRICE] * (1.0 + plan[f.FEE])
    trades[line, f.TRADE_COST] = cost
    return line


@lean
def _drop_line(book: Rows, line: int, end: int) -> None:
    """Take a line of a unit or binding out; those after it move up."""
    for k in range(line, end - 1):
        for column in range(7):
            book[k, column] = book[k + 1, column]


@lean
def clear_position(book: Rows) -> None:
    """Forget what belonged to a position that is gone."""
    book[f.STATE, f.SIZE], book[f.STATE, f.OPEN_FEES], book[f.STATE, f.UNIT_COUNT], book[f.STATE, f.BOUND_COUNT] = (
        0.0,
        0.0,
        0.0,
        0.0,
    )
    book[f.STATE, f.EXIT_SIDE] = 0.0
    book[f.STATE, f.IS_ARMED] = 0.0


@lean
def _profit_of(quantity: float, price: float, flat_fee: float, plan: Row, book: Rows) -> tuple[float, float]:
    """Take `quantity` of the oldest unit off the account; return profit and fees of both sides."""
    side, unit = sign_of(book[f.UNIT, f.QUANTITY]), abs(book[f.UNIT, f.QUANTITY])
    entry_fee = book[f.UNIT, f.ENTRY_FEE]
    if quantity < unit:
        entry_fee *= quantity / unit
        book[f.UNIT, f.ENTRY_FEE] -= entry_fee
    if plan[f.TICK] == 0.0:
        fee = fee_of(quantity, price, plan)
        basis = book[f.UNIT, f.BASIS]
        if side > 0.0:
            proceeds = quantity * price * (1.0 - plan[f.FEE])
            book[f.STATE, f.MONEY] += proceeds
            return proceeds - basis, entry_fee + fee
        paid = quantity * price * (1.0 + plan[f.FEE])
        book[f.STATE, f.MONEY] -= paid
        return basis - paid, entry_fee + fee
    fee = flat_fee if plan[f.FEE_KIND] == f.FEE_PER_ORDER else fee_of(quantity, price, plan)
    book[f.STATE, f.OPEN_FEES] -= entry_fee
    gross = side * quantity * (price - book[f.UNIT, f.ENTRY_PRICE]) * plan[f.POINT]
    return gross - entry_fee - fee, entry_fee + fee


@lean
def close_units(
    i: int,
    quantity: float,
    price: float,
    reason: int,
    node: int,
    flat_fee: float,
    plan: Row,
    book: Rows,
    trades: Rows,
) -> None:
    """Close `quantity` of the position, oldest units first, at a price on the tick."""
    left, whole, is_pine = quantity, quantity, plan[f.TICK] > 0.0
    while (left > 0.0 or not is_pine) and book[f.STATE, f.UNIT_COUNT] > 0.0:
        count = int(book[f.STATE, f.UNIT_COUNT])
        side, unit = sign_of(book[f.UNIT, f.QUANTITY]), abs(book[f.UNIT, f.QUANTITY])
        # Simple mode knows whole positions only; their parts need not add up to the last digit.
        part = min(left, unit) if is_pine else unit
        line = write_trade(i, part, price, plan, book, trades)
        mirrored = (
            book[f.UNIT, f.NODE] == node and book[f.UNIT, f.ENTRY_BAR] == i and book[f.UNIT, f.ENTRY_PRICE] == price
        )
        share = ten_digits(flat_fee * part / whole) if plan[f.FEE_KIND] == f.FEE_PER_ORDER else 0.0
        profit, fees = _profit_of(part, price, share, plan, book)
        _tally(profit, book)
        if line >= 0:
            trades[line, f.TRADE_FEES], trades[line, f.TRADE_PROFIT] = fees, profit
            trades[line, f.TRADE_REASON] = reason
            # Opposite entries filled at one instant make a trade that is told from its long side.
            if mirrored and side < 0.0 and reason == f.REVERSED and plan[f.TICK] > 0.0:
                trades[line, f.TRADE_SIDE] = 1.0
        book[f.STATE, f.SIZE] = summed(book[f.STATE, f.SIZE], -side * part, plan)
        left = summed(left, -part, plan)
        rest = summed(book[f.UNIT, f.QUANTITY], -side * part, plan) if is_pine else 0.0
        if rest == 0.0:
            _drop_line(book, f.UNIT, f.UNIT + count)
            book[f.STATE, f.UNIT_COUNT] -= 1.0
        else:
            book[f.UNIT, f.QUANTITY] = rest
    if book[f.STATE, f.UNIT_COUNT] == 0.0:
        clear_position(book)


@lean
def write_open_trades(close: float, plan: Row, book: Rows, trades: Rows) -> None:
    """Write the units that are left at the end, marked at the last close; the account is used up by it."""
    count = int(book[f.STATE, f.UNIT_COUNT])
    for k in range(count):
        side, quantity = sign_of(book[f.UNIT, f.QUANTITY]), abs(book[f.UNIT, f.QUANTITY])
        line = write_trade(-1, quantity, close, plan, book, trades)
        profit = side * (quantity * close - book[f.UNIT, f.BASIS])
        if plan[f.TICK] > 0.0:
            profit = side * quantity * (close - book[f.UNIT, f.ENTRY_PRICE]) * plan[f.POINT] - book[f.UNIT, f.ENTRY_FEE]
        if line >= 0:
            trades[line, f.TRADE_FEES], trades[line, f.TRADE_PROFIT] = book[f.UNIT, f.ENTRY_FEE], profit
            trades[line, f.TRADE_REASON] = 0.0
        _drop_line(book, f.UNIT, f.UNIT + count - k)


@lean
def settle(quantity: float, number: float, only_own: bool, plan: Row, book: Rows) -> None:
    """Take a closed quantity off the entry it was bound to (`number`), or off the oldest ones."""
    if number > 0.0:
        for k in range(int(book[f.STATE, f.BOUND_COUNT])):
            if book[f.BINDING + k, f.NUMBER] == number:
                book[f.BINDING + k, f.BOUND] -= min(book[f.BINDING + k, f.BOUND], quantity)
                quantity = 0.0
    k = 0
    while k < int(book[f.STATE, f.BOUND_COUNT]):
        if quantity > 0.0 and (not only_own or book[f.BINDING + k, f.IS_OWN] != 0.0):
            taken = min(book[f.BINDING + k, f.BOUND], quantity)
            book[f.BINDING + k, f.BOUND] -= taken
            quantity -= taken
        if rounded(book[f.BINDING + k, f.BOUND], plan) <= 0.0:
            _drop_line(book, f.BINDING + k, f.BINDING + int(book[f.STATE, f.BOUND_COUNT]))
            book[f.STATE, f.BOUND_COUNT] -= 1.0
        else:
            k += 1


@lean
def has_exits(book: Rows) -> bool:
    """Whether an exit rests for an entry of the position."""
    for k in range(int(book[f.STATE, f.BOUND_COUNT])):  # noqa: SIM110 - numba knows no generator
        if book[f.BINDING + k, f.HAS_EXIT] != 0.0:
            return True
    return False


@lean
def open_units(
    i: int, quantity: float, price: float, node: int, own: bool, fee: float, basis: float, plan: Row, book: Rows
) -> None:
    """Add a unit of a signed quantity; an exit that is in force covers it at once."""
    at, of = int(book[f.STATE, f.UNIT_COUNT]), int(book[f.STATE, f.BOUND_COUNT])
    if at >= f.MOST_UNITS or of >= f.MOST_UNITS:
        return
    covered = own and has_exits(book)
    book[f.UNIT + at, f.QUANTITY], book[f.UNIT + at, f.ENTRY_PRICE], book[f.UNIT + at, f.ENTRY_BAR] = quantity, price, i
    book[f.UNIT + at, f.ENTRY_FEE], book[f.UNIT + at, f.BASIS], book[f.UNIT + at, f.NODE] = fee, basis, node
    book[f.STATE, f.UNIT_COUNT] += 1.0
    book[f.STATE, f.SEQUENCE] += 1.0
    book[f.BINDING + of, f.NUMBER], book[f.BINDING + of, f.IS_OWN] = book[f.STATE, f.SEQUENCE], 1.0 if own else 0.0
    book[f.BINDING + of, f.INITIAL], book[f.BINDING + of, f.BOUND] = abs(quantity), abs(quantity)
    book[f.BINDING + of, f.EXIT_SIZE] = abs(quantity)
    book[f.BINDING + of, f.HAS_EXIT], book[f.BINDING + of, f.EXIT_SEQUENCE] = (
        1.0 if covered else 0.0,
        book[f.STATE, f.SEQUENCE],
    )
    book[f.STATE, f.BOUND_COUNT] += 1.0
    book[f.STATE, f.SIZE] = summed(book[f.STATE, f.SIZE], quantity, plan)
    book[f.STATE, f.OPEN_FEES] += fee


@lean
def _open_paid(
    i: int, quantity: float, price: float, node: int, own: bool, flat_fee: float, plan: Row, book: Rows
) -> None:
    """Open a signed quantity in Pine mode, at a price on the tick."""
    fee = flat_fee if plan[f.FEE_KIND] == f.FEE_PER_ORDER else fee_of(abs(quantity), price, plan)
    open_units(i, quantity, price, node, own, fee, 0.0, plan, book)


@lean
def _open_share(i: int, side: float, share: float, price: float, node: int, plan: Row, book: Rows) -> None:
    """Open a share of equity in simple mode, fee included, as far as the money reaches."""
    free = book[f.STATE, f.MONEY] if side > 0.0 else book[f.STATE, f.MONEY] + 2.0 * book[f.STATE, f.SIZE] * price
    money = min(equity_at(price, plan, book) * share, free)
    if not money > 0.0:
        return
    quantity = money / (price * (1.0 + plan[f.FEE]))
    basis = money
    if side > 0.0:
        book[f.STATE, f.MONEY] -= money
    else:
        basis = quantity * price * (1.0 - plan[f.FEE])
        book[f.STATE, f.MONEY] += basis
    fee = quantity * price * plan[f.FEE]
    open_units(i, side * quantity, price, node, True, fee, basis, plan, book)


@lean
def fill_entry(i: int, side: int, total: float, price: float, node: int, plan: Row, book: Rows, trades: Rows) -> None:
    """Fill an entry order of a signed quantity, in simple mode a share of equity; it reverses what is opposite."""
    sign = 1.0 - 2.0 * side
    if plan[f.TICK] == 0.0:
        if book[f.STATE, f.SIZE] * sign < 0.0:
            close_units(i, abs(book[f.STATE, f.SIZE]), price, f.REVERSED, node, 0.0, plan, book, trades)
        _open_share(i, sign, book[f.ORDERS + side, f.SHARE], price, node, plan, book)
        return
    price = snapped(price, plan)
    held = book[f.STATE, f.SIZE]
    left = rounded(held + total, plan)
    if held == 0.0 or held * total > 0.0:
        _open_paid(i, total, price, node, True, plan[f.FEE], plan, book)
    elif left * total <= 0.0:
        close_units(i, abs(total), price, f.OPPOSED, node, plan[f.FEE], plan, book, trades)
        settle(abs(total), 0.0, False, plan, book)
    else:
        closing = ten_digits(plan[f.FEE] * abs(held) / abs(total))
        close_units(i, abs(held), price, f.REVERSED, node, closing, plan, book, trades)
        _open_paid(i, left, price, node, True, plan[f.FEE] - closing, plan, book)


@lean
def fill_exit(
    i: int,
    total: float,
    number: float,
    committed: bool,
    price: float,
    reason: int,
    node: int,
    plan: Row,
    book: Rows,
    trades: Rows,
) -> None:
    """Fill an exit of a signed quantity that belongs to the entry `number`.

    It closes at most what is open. One committed to a batch in which a reversal came first runs its whole quantity
    out, as TradingView does, and opens what it cannot close under its own name.
    """
    price = snapped(price, plan)
    closing = min(abs(total), abs(book[f.STATE, f.SIZE])) if book[f.STATE, f.SIZE] * total < 0.0 else 0.0
    rest = abs(rounded(book[f.STATE, f.SIZE] + total, plan)) if closing > 0.0 else abs(total)
    rest = rest if abs(total) > closing else 0.0
    if closing > 0.0:
        flat = plan[f.FEE] if not (committed and rest > 0.0) else ten_digits(plan[f.FEE] * closing / abs(total))
        close_units(i, closing, price, reason, node, flat, plan, book, trades)
        settle(closing, number, True, plan, book)
    if committed and rest > 0.0 and floored(rest * (1.0 + 1e-12), plan) > 0.0:
        flat = plan[f.FEE] if closing == 0.0 else plan[f.FEE] - ten_digits(plan[f.FEE] * closing / abs(total))
        _open_paid(i, sign_of(total) * rest, price, node, False, flat, plan, book)


@lean
def is_defined(value: float) -> bool:
    """Whether a level exists."""
    return not math.isnan(value)
