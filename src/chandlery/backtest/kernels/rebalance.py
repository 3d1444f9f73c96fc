"""The compiled simulators of several symbols: the side of a pair, and an account that trades to target weights."""

import math

import numpy as np
from numpy.typing import NDArray

from chandlery.backtest.jit import Row, Rows, kernel
from chandlery.backtest.kernels.simulator import sharpe
from chandlery.backtest.metrics import BLOCKS

CASH, CLOSED, WINS, PROFIT, LOSS, TURNOVER, FILLS = 0, 1, 2, 3, 4, 5, 6
"""Places of the account."""

QUANTITY, TARGET, FLOW, VALUE = 0, 1, 2, 3
"""Rows of the holdings: quantity, weight that waits (NaN if none), money in and out since flat, value at the open."""

DUST = 1e-12
"""Differences below this fraction of equity are not traded, and less cash than that is none."""


Market = tuple[Rows, Rows]
"""Opens and marks `[bars, symbols]`: an open is NaN where there is no bar, a mark is the last close."""

Costs = tuple[float, float]
"""Fee and slippage, fractions of the price."""

Curves = tuple[Rows, Rows]
"""What a full run keeps, of size 0 in a search: equity, gross exposure and turnover `[3, bars]`; fills `[n, 5]`:
bar, symbol, quantity, price, money."""


@kernel
def choose_sides(signals: NDArray[np.bool_], sides: NDArray[np.int8]) -> None:
    """Write the wanted side at every close from long entry, long exit, short entry, short exit."""
    side = 0
    for i in range(sides.size):
        long_entry, short_entry = signals[0, i], signals[2, i]
        if long_entry and not short_entry:
            side = 1
        elif short_entry and not long_entry:
            side = -1
        elif (side == 1 and signals[1, i]) or (side == -1 and signals[3, i]):
            side = 0
        sides[i] = side


@kernel
def _book(at: tuple[int, int], quantity: float, price: float, money: float, books: tuple[Row, Rows, Rows]) -> None:
    account, holdings, fills = books
    i, s = at
    account[CASH] += money
    holdings[QUANTITY, s] += quantity
    holdings[FLOW, s] += money
    if fills.shape[0] > 0:
        k = int(account[FILLS])
        fills[k, 0], fills[k, 1], fills[k, 2], fills[k, 3], fills[k, 4] = i, s, quantity, price, money
    account[FILLS] += 1.0


@kernel
def _close(s: int, i: int, opening: float, costs: Costs, books: tuple[Row, Rows, Rows]) -> None:
    account, holdings, _ = books
    quantity = holdings[QUANTITY, s]
    if quantity > 0.0:
        price = opening * (1.0 - costs[1])
        money = quantity * price * (1.0 - costs[0])
    else:
        price = opening * (1.0 + costs[1])
        money = quantity * price * (1.0 + costs[0])
    _book((i, s), -quantity, price, money, books)
    gained = holdings[FLOW, s]
    account[CLOSED] += 1.0
    if gained > 0.0:
        account[WINS] += 1.0
        account[PROFIT] += gained
    else:
        account[LOSS] -= gained
    holdings[QUANTITY, s], holdings[FLOW, s], holdings[VALUE, s] = 0.0, 0.0, 0.0


@kernel
def _appraise(opens: Row, marks: Row, account: Row, holdings: Rows) -> float:
    """Write what every holding is worth at the open, at its last close without one; return equity."""
    worth: float = account[CASH]
    for s in range(opens.size):
        holdings[VALUE, s] = 0.0
        if holdings[QUANTITY, s] != 0.0:
            holdings[VALUE, s] = holdings[QUANTITY, s] * (marks[s] if math.isnan(opens[s]) else opens[s])
            worth += holdings[VALUE, s]
    return worth


@kernel
def _sell(i: int, opens: Row, worth: float, costs: Costs, books: tuple[Row, Rows, Rows]) -> float:
    """Close what is to be flat or reversed, then sell what is above its target; return what the rest costs."""
    account, holdings, _ = books
    for s in range(opens.size):
        target, held = holdings[TARGET, s], holdings[QUANTITY, s]
        if not math.isnan(opens[s]) and held != 0.0 and target * held <= 0.0:
            account[TURNOVER] += abs(holdings[VALUE, s]) / worth
            _close(s, i, opens[s], costs, books)
    wanted = 0.0
    for s in range(opens.size):
        # A target that is NaN makes every comparison false, and so does an open that is.
        more = holdings[TARGET, s] * worth - holdings[VALUE, s] + 0.0 * opens[s]
        if more < -DUST * worth:
            quantity, price = more / opens[s], opens[s] * (1.0 - costs[1])
            account[TURNOVER] -= more / worth
            _book((i, s), quantity, price, -quantity * price * (1.0 - costs[0]), books)
        elif more > DUST * worth:
            wanted += more
    return wanted


@kernel
def _fill(i: int, opens: Row, marks: Row, costs: Costs, books: tuple[Row, Rows, Rows]) -> float:
    """Trade what waits and has a bar; purchases share the cash there is. Return how many targets still wait."""
    account, holdings, _ = books
    worth = _appraise(opens, marks, account, holdings)
    if worth <= 0.0:
        return 1.0
    wanted = _sell(i, opens, worth, costs, books)
    share = 1.0 if wanted <= account[CASH] else account[CASH] / wanted
    if account[CASH] <= DUST * worth:
        share = 0.0
    waiting = 0.0
    for s in range(opens.size):
        more = holdings[TARGET, s] * worth - holdings[VALUE, s] + 0.0 * opens[s]
        if more > DUST * worth and share > 0.0:
            price, spent = opens[s] * (1.0 + costs[1]), share * more
            account[TURNOVER] += spent / worth
            _book((i, s), spent / (price * (1.0 + costs[0])), price, -spent, books)
        if not math.isnan(opens[s]):
            holdings[TARGET, s] = math.nan
        elif not math.isnan(holdings[TARGET, s]):
            waiting += 1.0
    return waiting


@kernel
def _mark(marks: Row, account: Row, holdings: Rows) -> tuple[float, float]:
    """Return equity and the gross value held at the close; an account worth nothing is closed for good."""
    equity, gross = account[CASH], 0.0
    for s in range(marks.size):
        if holdings[QUANTITY, s] != 0.0:
            value = holdings[QUANTITY, s] * marks[s]
            equity += value
            gross += abs(value)
    if equity <= 0.0:
        account[CASH] = 0.0
        holdings[QUANTITY, :] = 0.0
        return 0.0, 0.0
    return equity, gross


@kernel
def _decide(weights: Row, holdings: Rows) -> float:
    """Put the weights on the waiting list; return how many there are."""
    waiting = 0.0
    for s in range(weights.size):
        holdings[TARGET, s] = math.nan
        if weights[s] != 0.0 or holdings[QUANTITY, s] != 0.0:
            holdings[TARGET, s] = weights[s]
            waiting += 1.0
    return waiting


@kernel
def rebalance(
    market: Market,
    plan: tuple[NDArray[np.int64], Rows],
    costs: Costs,
    memory: tuple[Row, Rows],
    outputs: tuple[Row, Rows, Curves],
) -> None:
    """Write the metrics row, the moments of 64 blocks and, in a full run, the curves of one plan.

    `plan`: bars and weights `[decisions, symbols]`. `memory`: account and holdings, overwritten.
    """
    decided, weights = plan
    account, holdings = memory
    metrics, moments, (curve, fills) = outputs
    opens, marks = market
    bars = opens.shape[0]
    account[:], holdings[:], holdings[TARGET, :] = 0.0, 0.0, math.nan
    account[CASH] = 1.0
    books = (account, holdings, fills)
    waiting, position, previous, peak, drawdown, exposure = 0.0, 0, 1.0, 1.0, 0.0, 0.0
    for block in range(BLOCKS):
        moments[block, :] = 0.0
        for i in range((block * bars + BLOCKS - 1) // BLOCKS, ((block + 1) * bars + BLOCKS - 1) // BLOCKS):
            account[TURNOVER] = 0.0
            if waiting > 0.0:
                waiting = _fill(i, opens[i], marks[i - 1], costs, books)
            equity, gross = _mark(marks[i], account, holdings)
            exposure += 1.0 if gross > 0.0 else 0.0
            change = equity / previous - 1.0 if previous > 0.0 else 0.0
            previous = equity
            _add(moments[block], change)
            peak = max(peak, equity)
            drawdown = max(drawdown, 1.0 - equity / peak)
            if position < decided.size and decided[position] == i:
                waiting = _decide(weights[position], holdings)
                position += 1
            if curve.shape[1] > 0:
                curve[0, i], curve[1, i] = equity, gross / equity if equity > 0.0 else 0.0
                curve[2, i] = account[TURNOVER]
    metrics[0], metrics[1], metrics[2], metrics[3] = previous, account[CLOSED], account[WINS], account[PROFIT]
    metrics[4], metrics[5], metrics[6] = account[LOSS], drawdown, sharpe(moments, bars - 1)
    metrics[7] = exposure


@kernel
def _add(moments: Row, change: float) -> None:
    square = change * change
    moments[0] += change
    moments[1] += square
    moments[2] += square * change
    moments[3] += square * square
