"""What each method of search finds in the same wall time, on real daily bars.

Run: `python benchmarks/search.py [seconds] [seeds]` (5 and 2 by default, 4 minutes). Strategies of five and six
parameters, their lattices walked more finely than the library does (10^7 to 10^9 points), so that none can be walked
in full; the last 2,500 daily bars of a symbol, simple mode, long only, fee and slippage. Each method gets the same
wall time for each seed; a value is the best bar Sharpe ratio found, relative to the best that any run found.
The policy's method is DE for all of these: their evaluations cost far less than a millisecond.
"""

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from chandlery.backtest import Costs, Execution, Panel
from chandlery.optimize import MemoryRecord, run_search
from chandlery.optimize.facts import Ranges
from chandlery.strategies import get_strategy

TAPES = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "tapes" / "us_daily"
EXECUTION = Execution(costs=Costs(fee=0.0005, slippage=0.0002))
METHODS = (None, "tpe", "random", "cmaes", "nsga2")
BUDGET = 5_000_000
BARS = 2_500


@dataclass(frozen=True, slots=True)
class Case:
    """One strategy on one symbol, with its finer ranges."""

    strategy: str
    symbol: str
    ranges: Ranges


CASES = (
    Case(
        "stoch_rsi",
        "AAPL",
        {
            "length": (4, 54, 1),
            "stoch_length": (4, 54, 1),
            "smooth_k": (1, 9, 1),
            "smooth_d": (1, 9, 1),
            "oversold": (10.0, 30.0, 0.5),
            "overbought": (70.0, 90.0, 0.5),
        },
    ),
    Case(
        "kst",
        "BA",
        {
            "roc_1": (4, 16, 1),
            "roc_2": (9, 27, 1),
            "roc_3": (12, 36, 1),
            "roc_4": (18, 60, 1),
            "smoothing": (5, 20, 1),
            "signal": (3, 18, 1),
        },
    ),
    Case(
        "rsi2_connors",
        "GE",
        {"oversold": (5.0, 15.0, 0.1), "overbought": (85.0, 95.0, 0.1), "trend_length": (50, 800, 1)},
    ),
    Case(
        "stoch_slow", "AAPL", {"length": (4, 56, 1), "oversold": (10.0, 30.0, 0.25), "overbought": (70.0, 90.0, 0.25)}
    ),
)


def daily_bars(symbol: str) -> Panel:
    """Return the last bars of a symbol, adjusted for splits and dividends."""
    frame = pl.read_parquet(TAPES / f"{symbol}.parquet").sort("session").tail(BARS)
    values = [frame[f"adj_{name}"].to_numpy() for name in ("open", "high", "low", "close", "volume")]
    stamps = frame["session"].cast(pl.Datetime("us")).to_physical().to_numpy()
    return Panel(symbol, "1d", stamps, np.stack(values))


def best_in(
    case: Case, panel: Panel, method: str | None, *, seed: int, seconds: float, budget: int = BUDGET
) -> tuple[str, float, int]:
    """Return the method used, the best score it found in the time, and its evaluations."""
    deadline = time.perf_counter() + seconds
    found = run_search(
        get_strategy(case.strategy),
        panel,
        execution=EXECUTION,
        budget=budget,
        seed=seed,
        study_name="benchmark",
        record=MemoryRecord(),
        method=method,
        ranges=case.ranges,
        cancelled=lambda: time.perf_counter() >= deadline,
    )
    return found.question.method or "", float(found.table.scores[:, 0].max()), found.table.size


def report(case: Case, found: Mapping[str, list[tuple[float, int]]]) -> None:
    """Print one line per method: best values relative to the best known, over the seeds."""
    best = max(value for runs in found.values() for value, _ in runs)
    print(f"{case.strategy} ({len(get_strategy(case.strategy).params)} parameters) on {case.symbol}, best {best:.5f}")
    for name, runs in found.items():
        values = np.array([value for value, _ in runs]) / best
        counts = int(np.median([count for _, count in runs]))
        print(f"  {name:14s} median {np.median(values):7.1%}  worst {values.min():7.1%}  evaluations {counts:9,d}")


def main() -> None:
    """Print the comparison."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    print(f"{seconds:g} s each, {seeds} seeds, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for case in CASES:
        panel = daily_bars(case.symbol)
        best_in(case, panel, "random", seed=0, seconds=60.0, budget=64)
        found: dict[str, list[tuple[float, int]]] = {}
        for seed in range(seeds):
            for method in METHODS:
                used, value, count = best_in(case, panel, method, seed=seed, seconds=seconds)
                found.setdefault(f"policy: {used}" if method is None else used, []).append((value, count))
        report(case, found)


if __name__ == "__main__":
    main()
