"""What the verdict says of pure noise and of a planted edge, and what the evidence of a big search costs.

Run: `python benchmarks/noise.py [SERIES]` (200 by default). Every series is searched and concluded as a study is.
Noise: geometric random walks of 1,000 daily bars, with and without a drift of 12 % a year, a Donchian breakout over
432 points, 5 bps a side. Edge: the same with returns that follow each other (autocorrelation 0.3, where the true
ratio is some 0.1 a bar) over 1,000 and 2,500 bars. The last part gathers the evidence of 9,000 candidates.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable

import numpy as np

from chandlery.backtest import Costs, Execution, Panel
from chandlery.optimize import (
    BlockReturns,
    Evidence,
    MemoryRecord,
    Word,
    conclude,
    cpcv,
    effective_trials,
    gather_evidence,
    pbo,
    reality_check,
    run_search,
    spa,
    walk_forward,
)
from chandlery.strategies import get_strategy

DONCHIAN = get_strategy("donchian_breakout")
RANGES = {"entry_length": (5.0, 76.0, 2.0), "exit_length": (3.0, 38.0, 3.0)}
EXECUTION = Execution(costs=Costs(fee=0.0005))
CANDIDATES = 9_000


def walk(seed: int, *, bars: int, drift: float = 0.0, memory: float = 0.0) -> Panel:
    """Return a walk whose log returns have standard deviation 0.012 before `memory`, their autocorrelation."""
    random = np.random.default_rng(seed)
    steps = random.normal(drift, 0.012, bars)
    for at in range(1, bars):
        steps[at] += memory * steps[at - 1]
    close = 100.0 * np.exp(np.cumsum(steps))
    opens = np.concatenate(([100.0], close[:-1])) * np.exp(random.normal(0.0, 0.001, bars))
    high, low = np.maximum(opens, close) * 1.001, np.minimum(opens, close) / 1.001
    ts = np.arange(bars, dtype=np.int64) * 86_400_000_000
    return Panel(f"W{seed}", "1d", ts, np.stack([opens, high, low, close, np.ones(bars)]))


def study(panel: Panel) -> Evidence:
    found = run_search(
        DONCHIAN,
        panel,
        execution=EXECUTION,
        budget=10_000,
        seed=1,
        study_name=panel.symbol,
        record=MemoryRecord(),
        ranges=RANGES,
    )
    return conclude(found, panel, EXECUTION).evidence


def verdicts(title: str, series: int, **kind: float) -> None:
    started = time.perf_counter()
    found = [study(walk(1_000 + seed, **kind)) for seed in range(series)]  # type: ignore[arg-type]
    words = Counter(evidence.word for evidence in found)
    rates = ", ".join(f"{word.value} {words[word] / series:.1%}" for word in Word)
    tests = {
        "DSR >= 0.95": np.mean([(evidence.deflated_sharpe or 0.0) >= 0.95 for evidence in found]),
        "SPA p <= 0.05": np.mean(
            [evidence.spa_consistent_p is not None and evidence.spa_consistent_p <= 0.05 for evidence in found]
        ),
    }
    alone = ", ".join(f"{name} {share:.1%}" for name, share in tests.items())
    overfit = np.mean([evidence.pbo for evidence in found if evidence.pbo is not None])
    seconds = (time.perf_counter() - started) / series
    print(f"{title}: {rates}; alone {alone}; mean PBO {overfit:.2f}; {series} series, {seconds:.2f} s each")


def costs_of_evidence() -> None:
    panel = walk(7, bars=2_500)
    # 9,000 points, all within the constraint fast < slow.
    ranges = {"fast": (10.0, 99.0, 1.0), "slow": (100.0, 298.0, 2.0)}
    started = time.perf_counter()
    found = run_search(
        get_strategy("sma_cross"),
        panel,
        execution=EXECUTION,
        budget=CANDIDATES,
        seed=1,
        study_name="big",
        record=MemoryRecord(),
        ranges=ranges,
    )
    print(f"search of {found.table.size:,} candidates on {panel.bars} bars: {time.perf_counter() - started:.2f} s")
    bars = np.bincount(np.arange(1, panel.bars) * 64 // panel.bars, minlength=64)
    cut = BlockReturns.from_moments(found.table.moments[found.table.ranked], bars)
    parts: dict[str, Callable[[], object]] = {
        "PBO, 12,870 splits": lambda: pbo(cut),
        "reality check, 1,000 samples": lambda: reality_check(cut, seed=1),
        "SPA, 1,000 samples": lambda: spa(cut, seed=1),
        "walk-forward, rolling and anchored": lambda: (walk_forward(cut), walk_forward(cut, scheme="anchored")),
        "CPCV, 28 splits": lambda: cpcv(cut),
        "effective trials": lambda: effective_trials(cut),
        "all evidence, plateau and cost rows too": lambda: gather_evidence(
            found.space, found.table, panel, EXECUTION, seed=1
        ),
        "conclusion, missing neighbours too": lambda: conclude(found, panel, EXECUTION),
    }
    print(f"of {cut.candidates:,} ranked candidates, 64 blocks:")
    for name, part in parts.items():
        print(f"  {name}: {min(_seconds(part) for _ in range(3)):.3f} s")


def _seconds(part: Callable[[], object]) -> float:
    started = time.perf_counter()
    part()
    return time.perf_counter() - started


def main() -> None:
    series = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    study(walk(0, bars=300))
    verdicts("noise", series, bars=1_000)
    verdicts("noise that drifts", series, bars=1_000, drift=0.12 / 252)
    verdicts("edge, 1,000 bars", max(1, series // 4), bars=1_000, memory=0.3)
    verdicts("edge, 2,500 bars", max(1, series // 4), bars=2_500, memory=0.3)
    costs_of_evidence()


if __name__ == "__main__":
    main()
