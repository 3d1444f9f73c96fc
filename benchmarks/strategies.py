"""Speed of every strategy of the library, of its Pine text, and of the first use in a fresh process.

Run: `python benchmarks/strategies.py`. Random valid candidates on 2,100 daily bars, simple mode, long only, fee and
slippage, all threads. A rate is that of the best of three rounds; every round is long enough to be timed.
"""

import statistics
import subprocess
import sys
import time

import numpy as np
from kernel import FEE, SLIPPAGE, daily_panel, seconds
from numpy.typing import NDArray

from chandlery.backtest import Panel, evaluate_many
from chandlery.backtest.execution import Costs, Execution, Mode
from chandlery.backtest.jit import thread_limit
from chandlery.reports.pine import to_pine
from chandlery.strategies import Strategy, all_strategies, allowed_rows

EXECUTION = Execution(costs=Costs(fee=FEE, slippage=SLIPPAGE))
ROUND_SECONDS = 0.05
GOAL, PINE_GOAL_MS, FIRST_GOAL = 20_000, 20.0, 1.0
FIRST_USE = """
import time
start = time.perf_counter()
import numpy as np
from chandlery.backtest import Panel, evaluate_many
from chandlery.backtest.execution import Execution
from chandlery.strategies import get_strategy
close = 100.0 + np.arange(300.0) % 7
bars = np.stack([close, close + 1, close - 1, close, close])
panel = Panel("X", "1d", np.arange(300, dtype=np.int64), bars)
evaluate_many(get_strategy("sma_cross"), np.array([[20.0, 100.0]]), panel, Execution())
print(time.perf_counter() - start)
"""


def random_rows(strategy: Strategy, count: int) -> NDArray[np.float64]:
    """Return `count` random candidates of the lattice that no constraint refuses."""
    rng = np.random.default_rng(7)
    kept = np.empty((0, len(strategy.params)))
    while len(kept) < count:
        drawn = [rng.integers(p.points, size=count) * float(p.step) + float(p.lo) for p in strategy.params.values()]
        rows = np.stack(drawn, axis=1).round(12)
        kept = np.concatenate([kept, rows[allowed_rows(strategy, rows)]])
    return kept[:count]


def rate_of(strategy: Strategy, panel: Panel) -> float:
    """Return evaluations per second."""
    rows = random_rows(strategy, 4_096)

    def spent(count: int) -> float:
        def run() -> object:
            return evaluate_many(strategy, rows[:count], panel, EXECUTION, threads=thread_limit())

        return min(seconds(run) for _ in range(3))

    count = 32
    while (best := spent(count)) < ROUND_SECONDS and count < len(rows):
        count = min(len(rows), int(count * max(2.0, 1.2 * ROUND_SECONDS / best)))
    return count / best


def pine_ms(strategy: Strategy) -> float:
    """Return the milliseconds one script takes, best of three."""
    execution = Execution(mode=Mode.PINE)
    return 1_000.0 * min(seconds(lambda: to_pine(strategy, {}, execution)) for _ in range(3))


def first_use() -> float:
    """Return the seconds from the first import to the first answer in a fresh process, best of three."""
    command = [sys.executable, "-c", FIRST_USE]
    return min(float(subprocess.run(command, check=True, capture_output=True, text=True).stdout) for _ in range(3))


def main() -> None:
    """Print a line per strategy, fastest first, and what to hold against the goals."""
    panel, start = daily_panel(), time.perf_counter()
    strategies = all_strategies()
    evaluate_many(strategies["sma_cross"], random_rows(strategies["sma_cross"], 1), panel, EXECUTION)
    print(f"machine ready after {time.perf_counter() - start:.1f} s; {panel.symbol}, {panel.bars:,} daily bars")
    rates = {name: rate_of(strategy, panel) for name, strategy in strategies.items()}
    scripts = {name: pine_ms(strategy) for name, strategy in strategies.items()}
    ordered = sorted(rates, key=lambda name: -rates[name])
    for name in ordered:
        print(f"{strategies[name].family:<16} {name:<22} {rates[name]:>10,.0f}/s   Pine {scripts[name]:>6.1f} ms")
    middle = statistics.median(rates.values())
    print(
        f"median of {len(rates)}: {middle:,.0f}/s (goal {GOAL:,}/s); above it: {sum(r >= GOAL for r in rates.values())}"
    )
    print("slowest five: " + ", ".join(f"{name} {rates[name]:,.0f}/s" for name in ordered[-5:]))
    slowest = max(scripts, key=lambda name: scripts[name])
    print(f"slowest Pine text: {slowest} {scripts[slowest]:.1f} ms (goal {PINE_GOAL_MS:.0f} ms)")
    print(f"first use in a fresh process, machine code kept: {first_use():.2f} s (goal {FIRST_GOAL:.0f} s)")


if __name__ == "__main__":
    main()
