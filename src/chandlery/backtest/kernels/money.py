"""Prices on the tick, quantities on the lot, money as the broker emulator rounds it.

With a tick of 0 (simple mode) nothing is rounded. The rules are those of PyneCore 6.11, measured there against
TradingView: bars and fills are rounded half up, levels to the side on which they are reached later with 1e-4 of a
tick to spare, budgets and fees to ten significant digits, quantities down.
"""

import math

import numpy as np

from chandlery.backtest.jit import Row, lean
from chandlery.backtest.kernels import fields as f

_UNIT = 1e-8
_FINEST = 1e8


@lean
def snapped(price: float, plan: Row) -> float:
    """Price of a fill: whole ticks."""
    tick = plan[f.TICK]
    return price if tick == 0.0 else math.floor(price / tick + 0.5) * tick


@lean
def on_grid(price: float, plan: Row) -> float:
    """Nearest price of the grid on which bars and levels lie."""
    tick = plan[f.TICK]
    if tick == 0.0:
        return price
    return math.floor(price * plan[f.PRICE_SCALE] / plan[f.MIN_MOVE] + 0.5) * plan[f.MIN_MOVE] / plan[f.PRICE_SCALE]


@lean
def level(price: float, upward: bool, plan: Row) -> float:
    """Level of an order on the grid: above (`upward`) or below, unless it is within 1e-4 of a tick."""
    if plan[f.TICK] == 0.0:
        return price
    count = price * plan[f.PRICE_SCALE] / plan[f.MIN_MOVE]
    whole = math.ceil(count - 1e-4) if upward else math.floor(count + 1e-4)
    return whole * plan[f.MIN_MOVE] / plan[f.PRICE_SCALE]


@lean
def worse(price: float, sign: float, plan: Row) -> float:
    """Price that a market or stop order gets: slipped against it."""
    if plan[f.TICK] == 0.0:
        return price * (1.0 + sign * plan[f.LOSS])
    return price + sign * plan[f.SLIP]


@lean
def ten_digits(money: float) -> float:
    """Money rounded half up to ten significant digits."""
    if not (money > 0.0 and math.isfinite(money)):
        return money
    scale = 1.0
    while money * scale < 1e9:
        scale *= 10.0
    if scale > 1.0 or money < 1e10:
        return math.floor(money * scale + 0.5) / scale
    while money / scale >= 1e10:
        scale *= 10.0
    return math.floor(money / scale + 0.5) * scale


@lean
def in_units(quantity: float, plan: Row) -> float:
    """Quantity as the emulator stores it, a multiple of 1e-8 where lots are no finer."""
    if plan[f.LOTS] > _FINEST:
        return quantity
    return np.rint(quantity / _UNIT) * _UNIT


@lean
def summed(first: float, second: float, plan: Row) -> float:
    """Sum of two signed quantities in whole lots."""
    lots = plan[f.LOTS]
    if lots == 0.0:
        return first + second
    return in_units((np.rint(first * lots) + np.rint(second * lots)) * (1.0 / lots), plan)


@lean
def rounded(quantity: float, plan: Row) -> float:
    """Signed quantity cut to whole lots, unless it is a few last digits below one."""
    lots = plan[f.LOTS]
    if lots == 0.0:
        return quantity
    count = abs(quantity) * lots
    nearest = np.rint(count)
    near = abs(count - nearest) <= 8.0 * (np.nextafter(count, math.inf) - count) + 1e-9
    count = nearest if near else math.floor(count)
    return in_units(math.copysign(count, quantity) * (1.0 / lots), plan)


@lean
def floored(quantity: float, plan: Row) -> float:
    """Quantity bought for a budget: whole lots, the rest is cut off."""
    lots = plan[f.LOTS]
    return in_units(math.floor(quantity * lots) * (1.0 / lots), plan)


@lean
def floored_as_written(quantity: float, plan: Row) -> float:
    """Quantity a script asks for: whole lots of its shortest decimal."""
    lots = plan[f.LOTS]
    count = math.floor(quantity * lots)
    if (count + 1.0) / lots <= quantity:
        count += 1.0
    elif count / lots > quantity:
        count -= 1.0
    return in_units(count * (1.0 / lots), plan)


@lean
def fee_of(quantity: float, price: float, plan: Row) -> float:
    """Fee of a fill that is not charged by the order."""
    if plan[f.TICK] == 0.0:
        return quantity * price * plan[f.FEE]
    if plan[f.FEE_KIND] == f.FEE_PERCENT:
        return ten_digits(price * plan[f.FEE] * plan[f.POINT] * quantity)
    return ten_digits(plan[f.FEE] * quantity)
