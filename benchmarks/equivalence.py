"""Equivalence of our trades in Pine mode and those PyneCore makes from the exported text, over the library.

Run: `python benchmarks/equivalence.py [--sets N] [--strategy NAME] [--grammar]`. Every strategy runs with its
defaults and N random sets of parameters (2 unless given) on real days, hours and minutes. `--grammar` also parses
every text with pynescript, which takes it minutes. Ends with the number of runs that agree, out of how many.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "builders"))

from pine_equality import difference, our_trades
from tape_panels import daily, hourly, minutes

from chandlery.backtest import Costs, Execution, Mode
from chandlery.errors import ResearchError
from chandlery.reports.pine import to_pine
from chandlery.strategies import Sides, Strategy, all_strategies, allowed_rows

EXECUTION = Execution(
    mode=Mode.PINE, sides=Sides.BOTH, costs=Costs(fee=0.0005, slippage_ticks=1), capital=100_000.0, lot=0.01
)


def parameter_sets(strategy: Strategy, count: int) -> list[dict[str, float]]:
    """Return the defaults and `count` random allowed points of the lattice."""
    random = np.random.default_rng(11)
    found = [dict(strategy.defaults)]
    while len(found) <= count:
        point = {name: p.value_at(int(random.integers(p.points))) for name, p in strategy.params.items()}
        if allowed_rows(strategy, np.array([list(point.values())], dtype=float))[0]:
            found.append(point)
    return found


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--sets", type=int, default=2)
    options.add_argument("--strategy")
    options.add_argument("--grammar", action="store_true")
    chosen = options.parse_args()
    panels = daily("AAPL", 6000, 1200), daily("BA", 10_000, 1200), hourly(0, 850), minutes("AAPL", 0, 1200)
    agreed = total = trades = short = 0
    start = time.perf_counter()
    for name, strategy in all_strategies().items():
        if chosen.strategy not in {None, name}:
            continue
        if chosen.grammar:
            parse_with_pynescript(strategy)
        for params in parameter_sets(strategy, chosen.sets):
            for panel in panels:
                try:
                    trades += len(our_trades(strategy, params, panel, EXECUTION))
                except ResearchError:
                    short += 1
                    continue
                found = difference(strategy, params, panel, EXECUTION)
                total, agreed = total + 1, agreed + (not found)
                if found:
                    print(f"{name} {panel.symbol} {panel.timeframe} {params}: {found}", flush=True)
    print(f"{short} runs left out: fewer bars than the warm-up.")
    print(f"{agreed} of {total} runs agree, {trades} trades, {time.perf_counter() - start:.0f} s")


def parse_with_pynescript(strategy: Strategy) -> None:
    """Refuse a text that is not Pine to pynescript, or that it reads otherwise than our own parser does."""
    from pine_parser import parse_pine
    from pynescript.ast import dump, parse

    text = to_pine(strategy, {}, EXECUTION)
    if dump(parse(text)) != dump(parse_pine(text)):
        raise SystemExit(f"{strategy.name}: pynescript reads another script than our parser.")
    print(f"{strategy.name}: read alike", flush=True)


if __name__ == "__main__":
    main()
