"""Speed of the virtual machine beside a loop fused by hand for one strategy, in the same process.

Run: `python benchmarks/kernel.py`. Both sides evaluate the same candidates of the moving-average crossing with
the same fills, fees and metrics, on the same number of threads; the answers are compared before anything is
timed. The fused loop keeps plain running sums, the cheapest way to write it. Figures are the best of several
rounds, taken in turn, because other work on the machine only ever slows a round down.
"""

import math
import time
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np
import polars as pl
from numpy.typing import NDArray

from chandlery.backtest import BLOCKS, METRICS, Costs, Execution, Panel, evaluate_many
from chandlery.backtest.jit import set_threads, thread_limit
from chandlery.strategies import get_strategy

TAPE = Path(__file__).resolve().parents[2] / "shared" / "data" / "tapes" / "us_daily" / "AAPL.parquet"
DAILY_BARS = 2_100
MINUTE_BARS = 100_000
FEE, SLIPPAGE = 0.001, 0.0005
EXECUTION = Execution(costs=Costs(fee=FEE, slippage=SLIPPAGE))


@numba.njit(error_model="numpy", parallel=True)
def fused(prices, lengths, costs, metrics):  # noqa: ANN001, ANN201 - numba infers the types
    """Evaluate all candidates with averages, crosses, fills and metrics in one loop over the bars."""
    slices, trials = numba.get_num_threads(), lengths.shape[0]
    for part in numba.prange(slices):
        for trial in range(part * trials // slices, (part + 1) * trials // slices):
            _fused_trial(prices, lengths[trial], costs, metrics[trial])


@numba.njit(error_model="numpy")
def _fused_trial(prices, lengths, costs, metrics):  # noqa: ANN001, ANN202, PLR0915 - one loop is the point
    opens, closes = prices
    fast, slow = lengths
    fee, slippage = costs
    size = opens.size
    cash, quantity, cost, previous, peak, trough = 1.0, 0.0, 0.0, 1.0, 1.0, 1.0
    closed, wins, profit, loss, drawdown, exposure = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    fast_sum, slow_sum, total, squares = 0.0, 0.0, 0.0, 0.0
    ordered, was_above, was_below = False, True, True
    for block in range(BLOCKS):
        first, second, third, fourth = 0.0, 0.0, 0.0, 0.0
        for i in range((block * size + BLOCKS - 1) // BLOCKS, ((block + 1) * size + BLOCKS - 1) // BLOCKS):
            fast_sum += closes[i] - (closes[i - fast] if i >= fast else 0.0)
            slow_sum += closes[i] - (closes[i - slow] if i >= slow else 0.0)
            entry, closing = False, False
            if i >= slow - 1:
                fast_ma, slow_ma = fast_sum / fast, slow_sum / slow
                entry, closing = fast_ma > slow_ma and not was_above, fast_ma < slow_ma and not was_below
                was_above, was_below = fast_ma > slow_ma, fast_ma < slow_ma
            if quantity == 0.0 and not ordered:
                ordered = entry
                continue
            if ordered and quantity == 0.0:
                cost = cash
                quantity = cash / (opens[i] * (1.0 + slippage) * (1.0 + fee))
                cash = 0.0
            elif ordered:
                cash = quantity * (opens[i] * (1.0 - slippage)) * (1.0 - fee)
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
                ordered = entry
            else:
                equity = quantity * closes[i]
                exposure += 1.0
                ordered = closing
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
        total += first
        squares += second
    mean = total / (size - 1)
    metrics[0], metrics[1], metrics[2], metrics[3] = previous, closed, wins, profit
    metrics[4], metrics[5] = loss, max(drawdown, 1.0 - trough / peak)
    metrics[6], metrics[7] = mean / math.sqrt(max(squares / (size - 1) - mean * mean, 1e-300)), exposure


def daily_panel() -> Panel:
    """Return 2,100 daily bars of AAPL (split-adjusted), or synthetic ones without the tape."""
    if not TAPE.exists():
        return synthetic_panel(DAILY_BARS, timeframe="1d")
    frame = pl.read_parquet(TAPE).tail(DAILY_BARS)
    columns = [frame[f"adj_{name}"].cast(pl.Float64).to_numpy() for name in ("open", "high", "low", "close", "volume")]
    stamps = frame["session"].cast(pl.Datetime("us")).to_physical().to_numpy()
    return Panel("AAPL", "1d", stamps, np.stack(columns))


def synthetic_panel(bars: int, *, timeframe: str) -> Panel:
    """Return a seeded random walk."""
    rng = np.random.default_rng(11)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.001, bars)))
    opening = np.concatenate(([close[0]], close[:-1])) * np.exp(rng.normal(0.0, 0.0002, bars))
    high, low = np.maximum(opening, close) * 1.0005, np.minimum(opening, close) * 0.9995
    stamps = np.arange(bars, dtype=np.int64) * 60_000_000
    return Panel("SYNTHETIC", timeframe, stamps, np.stack([opening, high, low, close, np.full(bars, 1e4)]))


def candidates(count: int) -> NDArray[np.float64]:
    """Return `count` pairs of lengths, fast below slow."""
    rng = np.random.default_rng(5)
    fast = rng.integers(10, 100, count)
    return np.stack([fast, fast + rng.integers(5, 300, count)], axis=1).clip([10, 50], [200, 800]).astype(np.float64)


def seconds(run: Callable[[], object]) -> float:
    """Return how long one call takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def compare(label: str, panel: Panel, *, trials: int, threads: int, rounds: int = 9) -> None:
    """Print evaluations per second of both sides and their ratio."""
    strategy, rows = get_strategy("sma_cross"), candidates(trials)
    lengths, metrics = rows.astype(np.int64), np.empty((trials, len(METRICS)))
    opens, closes = np.array(panel.field("open")), np.array(panel.field("close"))

    def run_machine() -> NDArray[np.float64]:
        return evaluate_many(strategy, rows, panel, EXECUTION, threads=threads).metrics

    def run_fused() -> None:
        set_threads(threads)
        fused((opens, closes), lengths, (FEE, SLIPPAGE), metrics)

    run_fused()
    agreeing = int((np.abs(run_machine()[:, 0] - metrics[:, 0]) < 1e-9).sum())
    timings = [(seconds(run_machine), seconds(run_fused)) for _ in range(rounds)]
    machine, by_hand = (trials / min(column) for column in zip(*timings, strict=True))
    print(
        f"{label:<22} {panel.bars:>7,} bars  {threads} thread(s)  machine {machine:>9,.0f}/s  "
        f"fused {by_hand:>9,.0f}/s  ratio {machine / by_hand:.2f}  equal results {agreeing}/{trials}"
    )


def main() -> None:
    """Print cold or cached start, then the comparison on daily and minute bars."""
    panel = daily_panel()
    start = seconds(lambda: evaluate_many(get_strategy("sma_cross"), candidates(1), panel, EXECUTION))
    print(f"first evaluation {start:.2f} s (loads numba; compiles if no machine code is kept)")
    minutes = synthetic_panel(MINUTE_BARS, timeframe="1m")
    for threads in sorted({1, thread_limit()}):
        compare(f"{panel.symbol} daily", panel, trials=4_000, threads=threads)
        compare("synthetic minutes", minutes, trials=100, threads=threads)


if __name__ == "__main__":
    main()
