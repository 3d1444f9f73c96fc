"""The compiled simulator: standard mode, one candidate, one pass."""

import math

from chandlery.backtest.jit import Row, Rows, kernel
from chandlery.backtest.metrics import BLOCKS


@kernel
def simulate(
    prices: tuple[Row, Row], signals: tuple[Row, Row], costs: tuple[float, float], metrics: Row, moments: Rows
) -> None:
    """Write the metrics row and the return moments of 64 blocks for one pair of signal rows.

    `prices` are opens and closes, `signals` entry and closing, `costs` fee and slippage.

    Per bar: fill the order of the bar before at the open, mark at the close, decide. Operations are in the order
    of `chandlery.backtest.reference`, so that both agree bit by bit. While flat the return is exactly 0 and only
    the entry is looked at; the trough since the last peak gives the same drawdown as every bar would.
    """
    opens, closes = prices
    entry, closing = signals
    fee, slippage = costs
    size = opens.size
    buy, keep = 1.0 + fee, 1.0 - fee
    cash, quantity, cost, previous, peak, trough = 1.0, 0.0, 0.0, 1.0, 1.0, 1.0
    closed, wins, profit, loss, drawdown, exposure = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    ordered = False
    for block in range(BLOCKS):
        first, second, third, fourth = 0.0, 0.0, 0.0, 0.0
        for i in range((block * size + BLOCKS - 1) // BLOCKS, ((block + 1) * size + BLOCKS - 1) // BLOCKS):
            if quantity == 0.0 and not ordered:
                ordered = entry[i] != 0.0
                continue
            if ordered and quantity == 0.0:
                cost = cash
                quantity = cash / (opens[i] * (1.0 + slippage) * buy)
                cash = 0.0
            elif ordered:
                cash = quantity * (opens[i] * (1.0 - slippage)) * keep
                quantity = 0.0
                closed += 1.0
                gained = cash - cost
                if gained > 0.0:
                    wins += 1.0
                    profit += gained
                else:
                    loss -= gained
            equity = cash
            if quantity == 0.0:
                ordered = entry[i] != 0.0
            else:
                equity = cash + quantity * closes[i]
                exposure += 1.0
                ordered = closing[i] != 0.0 and entry[i] == 0.0
            change = equity / previous - 1.0
            previous = equity
            square = change * change
            first += change
            second += square
            third += square * change
            fourth += square * square
            if equity > peak:
                drawdown = max(drawdown, 1.0 - trough / peak)
                peak, trough = equity, equity
            trough = min(trough, equity)
        moments[block, 0], moments[block, 1], moments[block, 2], moments[block, 3] = first, second, third, fourth
    metrics[0], metrics[1], metrics[2], metrics[3] = previous, closed, wins, profit
    metrics[4], metrics[5] = loss, max(drawdown, 1.0 - trough / peak)
    metrics[6], metrics[7] = sharpe(moments, size - 1), exposure


@kernel
def sharpe(moments: Rows, count: int) -> float:
    """Mean over standard deviation of the returns whose moments are given; NaN without variance."""
    total, squares = 0.0, 0.0
    for block in range(BLOCKS):
        total += moments[block, 0]
        squares += moments[block, 1]
    mean = total / count
    variance = squares / count - mean * mean
    # What is left of equal returns is rounding: no variance, no ratio.
    if variance <= 1e-12 * (squares / count):
        return math.nan
    return float(mean / math.sqrt(variance))
