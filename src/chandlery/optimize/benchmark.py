"""The benchmark of a search: what its user would hold instead."""

import numpy as np

from chandlery.backtest import BacktestResult
from chandlery.optimize.blocks import BlockReturns, Row


def excess_at_equal_risk(candidates: BlockReturns, benchmark: Row) -> BlockReturns:
    """Return the candidates' returns in excess of the better of holding and cash, risk for risk.

    `benchmark` float64 `[n]`: bar returns of buy and hold over the whole panel, the first of which no candidate
    has. From each candidate the benchmark is taken at the candidate's own volatility, `d = r - (sd_r / sd_b) b`:
    the mean of d is above 0 exactly if the candidate's Sharpe ratio is above the benchmark's. Without that, a
    strategy invested half of the time would be asked to beat twice its risk, and one that only leans on a rising
    market would pass a test against zero. Where holding lost money, cash is the alternative and d = r. Squares are
    zero: nothing looks at them.
    """
    blocks, bars = candidates.blocks, float(candidates.bars.sum())
    mean = float(benchmark[1:].mean()) if benchmark.size > 1 else 0.0
    sd = float(benchmark[1:].std()) if benchmark.size > 1 else 0.0
    if mean <= 0.0 or sd <= 0.0 or bars < 1.0:
        return BlockReturns(candidates.sums, np.zeros((blocks, 1)), candidates.bars)
    block_of = np.arange(benchmark.size) * blocks // benchmark.size
    held = np.bincount(block_of, weights=benchmark, minlength=blocks)
    own = candidates.squares.sum(axis=0) / bars - (candidates.sums.sum(axis=0) / bars) ** 2
    scale = np.sqrt(np.maximum(own, 0.0)) / sd
    return BlockReturns(candidates.sums - held[:, None] * scale, np.zeros((blocks, 1)), candidates.bars)


def benchmark_figures(benchmark: BacktestResult) -> dict[str, float | None]:
    """Return the figures of buy and hold that stand beside a candidate's."""
    metrics = benchmark.metrics
    figures = {"equity": metrics.equity, "bar_sharpe": metrics.bar_sharpe, "max_dd": metrics.max_dd}
    return {name: value if np.isfinite(value) else None for name, value in figures.items()}
