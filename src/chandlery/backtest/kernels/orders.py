"""The order simulator: both modes, both sides, every rule about the position; one candidate, one pass.

Per bar: what waits for the open, the path of the bar, the mark at the close, the decisions. Operations are in the
order of `chandlery.backtest.reference_orders`, so that both agree bit by bit.
"""

import math

from chandlery.backtest.jit import Row, Rows, lean
from chandlery.backtest.kernels import fields as f
from chandlery.backtest.kernels.fills import equity_at, has_exits, write_open_trades
from chandlery.backtest.kernels.path import at_open, walk_leg
from chandlery.backtest.kernels.placing import place
from chandlery.backtest.kernels.roots import Roots
from chandlery.backtest.kernels.simulator import sharpe
from chandlery.backtest.kernels.trail import trail_open, trail_segment
from chandlery.backtest.metrics import BLOCKS


@lean
def _reset(plan: Row, book: Rows) -> None:
    book[: f.UNIT, :] = 0.0
    book[f.STATE, f.MONEY] = plan[f.CAPITAL]
    book[f.STATE, f.CEILING], book[f.STATE, f.FLOOR] = math.inf, -math.inf


@lean
def _bound(book: Rows) -> None:
    """Note the nearest levels above and below: a bar that reaches neither need not be walked."""
    ceiling, floor = math.inf, -math.inf
    for side in range(2):
        line = f.ORDERS + side
        if book[line, f.IS_RESTING] != 0.0:
            if (book[line, f.IS_STOP] != 0.0) == (side == 0):
                ceiling = min(ceiling, book[line, f.ORDER_LEVEL])
            else:
                floor = max(floor, book[line, f.ORDER_LEVEL])
    side_ = book[f.STATE, f.EXIT_SIDE]
    if side_ != 0.0:
        stop, limit = book[f.STATE, f.EXIT_STOP], book[f.STATE, f.EXIT_LIMIT]
        above, below = (limit, stop) if side_ > 0.0 else (stop, limit)
        ceiling = min(ceiling, above)
        floor = max(floor, below)
        # A trail follows every bar.
        ceiling = ceiling if math.isnan(book[f.STATE, f.TRAIL_PRICE]) else -math.inf
    book[f.STATE, f.CEILING], book[f.STATE, f.FLOOR] = ceiling, floor


@lean
def _rests(book: Rows) -> bool:
    """Whether something can fill within a bar."""
    return (
        book[f.ORDERS, f.IS_RESTING] != 0.0
        or book[f.ORDERS + 1, f.IS_RESTING] != 0.0
        or book[f.STATE, f.EXIT_SIDE] != 0.0
    )


@lean
def _waits(book: Rows) -> bool:
    """Whether something waits for the open."""
    at_market = book[f.ORDERS, f.IS_MARKET] != 0.0 or book[f.ORDERS + 1, f.IS_MARKET] != 0.0
    return at_market or book[f.ORDERS, f.CLOSE_SIZE] != 0.0 or book[f.ORDERS + 1, f.CLOSE_SIZE] != 0.0


@lean
def _walk(i: int, bars: Rows, plan: Row, book: Rows, trades: Rows) -> None:
    """Follow the path of the bar."""
    opening, high, low = bars[0, i], bars[1, i], bars[2, i]
    rising = high - opening < opening - low
    near, far = (high, low) if rising else (low, high)
    trails = book[f.STATE, f.EXIT_SIDE] != 0.0 and not math.isnan(book[f.STATE, f.TRAIL_PRICE]) and has_exits(book)
    if trails:
        trails = not trail_open(i, opening, plan, book, trades)
        trails = trails and not trail_segment(i, opening, near, 1, plan, book, trades)
        trails = trails and not trail_segment(i, near, far, 2, plan, book, trades)
    walk_leg(i, opening, near, rising, 1, plan, book, trades)
    walk_leg(i, opening, far, not rising, 2, plan, book, trades)
    if trails and book[f.STATE, f.EXIT_SIDE] != 0.0 and has_exits(book):
        trail_segment(i, far, bars[3, i], 3, plan, book, trades)


@lean
def _run_bar(i: int, bars: Rows, roots: Roots, plan: Row, book: Rows, trades: Rows) -> float:
    """Fill, mark and decide; return the equity at the close."""
    reaches = bars[1, i] >= book[f.STATE, f.CEILING] or bars[2, i] <= book[f.STATE, f.FLOOR]
    if reaches or _waits(book):
        at_open(i, bars[0, i], plan, book, trades)
        if reaches:
            _walk(i, bars, plan, book, trades)
    place(i, bars[3, i], bars[4, i], roots, plan, book)
    _bound(book)
    return equity_at(bars[3, i], plan, book)


@lean
def _tell(equity: float, capital: float, book: Rows, metrics: Row) -> None:
    """Write what the closed trades came to."""
    metrics[0], metrics[1], metrics[2] = equity, book[f.STATE, f.CLOSED], book[f.STATE, f.WINS]
    metrics[3], metrics[4] = book[f.STATE, f.PROFIT] / capital, book[f.STATE, f.LOST] / capital


@lean
def simulate_orders(
    bars: Rows, entries: tuple[Row, Row], roots: Roots, account: tuple[Row, Rows], outputs: tuple[Row, Rows, Rows, Rows]
) -> None:
    """Write the metrics row and the return moments of 64 blocks; curve and trades if there is room for them.

    `bars` are open, high, low, close on the tick and the close as it is; `entries` the go rows of both sides, which
    are among the roots too; `account` is plan and book. `outputs`: metrics, moments, curve (equity, exposure; no
    columns: none kept), trades (no lines: none kept).
    """
    metrics, moments, curve, trades = outputs
    (plan, book), (go_long, go_short) = account, entries
    size, keeps = bars.shape[1], curve.shape[1] > 0
    _reset(plan, book)
    capital = plan[f.CAPITAL]
    previous, peak, trough, drawdown, exposure = capital, capital, capital, 0.0, 0.0
    idle = True
    for block in range(BLOCKS):
        first, second, third, fourth = 0.0, 0.0, 0.0, 0.0
        for i in range((block * size + BLOCKS - 1) // BLOCKS, ((block + 1) * size + BLOCKS - 1) // BLOCKS):
            if idle and go_long[i] == 0.0 and go_short[i] == 0.0:
                if keeps:
                    curve[0, i], curve[1, i] = previous, 0.0
                continue
            equity = _run_bar(i, bars, roots, plan, book, trades)
            held = book[f.STATE, f.SIZE]
            exposure += 1.0 if held != 0.0 else 0.0
            idle = held == 0.0 and not (_rests(book) or _waits(book))
            if keeps:
                curve[0, i], curve[1, i] = equity, held * bars[3, i] * plan[f.POINT] / equity
            change = equity / previous - 1.0 if previous > 0.0 else 0.0
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
    if trades.shape[0] > 0:
        write_open_trades(bars[3, size - 1], plan, book, trades)
    _tell(previous / capital, capital, book, metrics)
    metrics[5] = max(drawdown, 1.0 - trough / peak)
    metrics[6], metrics[7] = sharpe(moments, size - 1), exposure
