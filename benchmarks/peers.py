"""Speed beside other engines: the same rule, bars, costs and fills, in one run, after the results were compared.

Run: `python benchmarks/peers.py`. The moving-average crossing on 2,100 daily bars, filled at the next open with fee
and slippage: the machine, the loop fused by hand (`benchmarks/kernel.py`), vectorbt with all candidates as columns of
one call, and backtesting.py one by one (without slippage, which it does not know). vectorbt is timed with the final
money alone and with four of the eight figures the machine answers. A rate is that of the best of several rounds,
taken in turn, because other work on the machine only ever slows a round down.
"""

import contextlib
import io
import warnings
from collections.abc import Callable

import numpy as np
from kernel import FEE, SLIPPAGE, candidates, daily_panel, fused, seconds
from numpy.typing import NDArray

from chandlery.backtest import METRICS, Panel, evaluate_many
from chandlery.backtest.execution import Costs, Execution
from chandlery.backtest.jit import set_threads, thread_limit
from chandlery.strategies import get_strategy

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import backtesting
    import pandas as pd
    import vectorbt

TRIALS, BATCH, SINGLE = 4_000, 400, 4
ROUNDS = 5
GOALS = {"vectorbt, four figures": 50.0, "backtesting.py": 3_000.0}
Rows = NDArray[np.float64]


def by_machine(panel: Panel, rows: Rows, *, slippage: float = SLIPPAGE) -> Rows:
    execution = Execution(costs=Costs(fee=FEE, slippage=slippage))
    return evaluate_many(get_strategy("sma_cross"), rows, panel, execution, threads=thread_limit()).column("equity")


def by_hand(panel: Panel, rows: Rows) -> Rows:
    metrics = np.empty((len(rows), len(METRICS)))
    set_threads(thread_limit())
    opens, closes = (np.array(panel.field(name)) for name in ("open", "close"))
    fused((opens, closes), rows.astype(np.int64), (FEE, SLIPPAGE), metrics)
    return metrics[:, 0]


def by_vectorbt(panel: Panel, rows: Rows) -> vectorbt.Portfolio:
    """Return the portfolios, one column per candidate: a signal at a close is an order of the next bar."""
    close, opening = (pd.Series(panel.field(name)) for name in ("close", "open"))
    fast, slow = (vectorbt.MA.run(close, window=lengths.astype(int).tolist()).ma for lengths in rows.T)
    above, below = fast.to_numpy() > slow.to_numpy(), fast.to_numpy() < slow.to_numpy()
    known = np.isfinite(slow.to_numpy())
    entries, exits = (np.zeros_like(above) for _ in range(2))
    entries[2:] = (above[1:-1] & ~above[:-2] & known[:-2])[: len(above) - 2]
    exits[2:] = (below[1:-1] & ~below[:-2] & known[:-2])[: len(above) - 2]
    return vectorbt.Portfolio.from_signals(
        close, entries, exits, price=opening, size=np.inf, fees=FEE, slippage=SLIPPAGE, init_cash=1.0, freq="1D"
    )


def four_figures(portfolio: vectorbt.Portfolio) -> object:
    return portfolio.final_value(), portfolio.sharpe_ratio(), portfolio.max_drawdown(), portfolio.trades.count()


class Crossing(backtesting.Strategy):  # type: ignore[misc]
    """The crossing, as a user of backtesting.py writes it."""

    fast, slow = 50, 200

    def init(self) -> None:
        """Compute the averages once."""
        closes = pd.Series(self.data.Close)
        self.one, self.two = (
            self.I(lambda n=n: closes.rolling(n).mean().to_numpy(), plot=False) for n in (self.fast, self.slow)
        )

    def next(self) -> None:
        """Order at the close, filled at the next open."""
        if backtesting.lib.crossover(self.one, self.two):
            self.buy()
        elif backtesting.lib.crossover(self.two, self.one):
            self.position.close()


def by_backtesting(panel: Panel, rows: Rows) -> Rows:
    frame = pd.DataFrame({name.title(): panel.field(name) for name in ("open", "high", "low", "close", "volume")})
    frame.index = pd.DatetimeIndex(panel.ts.astype("datetime64[us]"))
    bench = backtesting.Backtest(frame, Crossing, cash=1e12, commission=FEE)
    # It draws a progress bar per run.
    with contextlib.redirect_stderr(io.StringIO()):
        found = [bench.run(fast=int(fast), slow=int(slow))["Equity Final [$]"] for fast, slow in rows]
    return np.array(found) / 1e12


def disagreeing(first: Rows, second: Rows) -> int:
    return int((np.abs(first / second - 1.0) > 1e-6).sum())


def main() -> None:
    """Compare the results, then print evaluations per second and how many times faster the machine is."""
    warnings.simplefilter("ignore")
    panel = daily_panel()
    rows = candidates(TRIALS)
    batch, single = rows[:BATCH], rows[:SINGLE]
    wrong = {
        "fused by hand": disagreeing(by_machine(panel, rows), by_hand(panel, rows)),
        "vectorbt": disagreeing(by_machine(panel, batch), by_vectorbt(panel, batch).final_value().to_numpy()),
        "backtesting.py": disagreeing(by_machine(panel, single, slippage=0.0), by_backtesting(panel, single)),
    }
    print(f"{panel.symbol}, {panel.bars:,} daily bars, {thread_limit()} threads; candidates that disagree: {wrong}")
    if any(wrong.values()):
        raise SystemExit("The engines do not do the same; no rate was measured.")
    runs: dict[str, tuple[int, Callable[[], object]]] = {
        "machine": (TRIALS, lambda: by_machine(panel, rows)),
        "fused by hand": (TRIALS, lambda: by_hand(panel, rows)),
        "vectorbt, money alone": (BATCH, lambda: by_vectorbt(panel, batch).final_value()),
        "vectorbt, four figures": (BATCH, lambda: four_figures(by_vectorbt(panel, batch))),
        "backtesting.py": (SINGLE, lambda: by_backtesting(panel, single)),
    }
    timings = [[seconds(run) for _, run in runs.values()] for _ in range(ROUNDS)]
    best = [min(column) for column in zip(*timings, strict=True)]
    rates = {name: count / spent for (name, (count, _)), spent in zip(runs.items(), best, strict=True)}
    for name, rate in rates.items():
        goal = f"  goal {GOALS[name]:,.0f} x" if name in GOALS else ""
        print(f"{name:<24} {rate:>12,.1f}/s   machine {rates['machine'] / rate:>9,.1f} x{goal}")


if __name__ == "__main__":
    main()
