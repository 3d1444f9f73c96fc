"""Warm-up: compile the machines before anybody waits for them, and keep their code on disk.

`python -m chandlery.backtest.warm` does it for all, in two processes at a time; where the code is kept already it
is loaded only. The set-up runs it, so that the first backtest after an installation starts at once.
"""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from chandlery.backtest.compiler import compile_strategy
from chandlery.backtest.engine import evaluate_many
from chandlery.backtest.execution import Execution
from chandlery.backtest.machine import warm_orders
from chandlery.backtest.multi_panel import MultiPanel
from chandlery.backtest.panel import Panel
from chandlery.backtest.rotation_engine import evaluate_portfolios
from chandlery.strategies import Sides, all_portfolios, get_strategy

_BARS = 600
_MODULE = "chandlery.backtest.warm"


def warm(machine: str | None = None) -> None:
    """Compile, or load, one machine of `MACHINES`, or all of them one after the other."""
    for name in MACHINES if machine is None else (machine,):
        MACHINES[name]()


def _warm_plain() -> None:
    strategy = get_strategy("sma_cross")
    evaluate_many(strategy, [list(strategy.defaults.values())], _walk("A"), Execution())


def _warm_orders() -> None:
    warm_orders(compile_strategy(get_strategy("turtle_s1"), Sides.BOTH), _walk("A"))


def _warm_portfolios() -> None:
    panel = MultiPanel.from_panels([_walk("A"), _walk("B")])
    for name in ("xs_momentum", "pairs_zscore"):
        definition = all_portfolios()[name]
        evaluate_portfolios(definition, [list(definition.defaults.values())], panel, Execution())


def _walk(symbol: str) -> Panel:
    close = 100.0 * np.exp(np.cumsum(np.random.default_rng(1).normal(0.0, 0.01, _BARS)))
    bars = np.stack([close, close * 1.01, close * 0.99, close, np.ones(_BARS)])
    return Panel(symbol, "1d", np.arange(_BARS) * 86_400_000_000, bars)


MACHINES: dict[str, Callable[[], None]] = {
    "orders": _warm_orders,
    "plain": _warm_plain,
    "portfolios": _warm_portfolios,
}
"""What there is to compile, longest first."""


def _in_own_process(name: str) -> None:
    subprocess.run([sys.executable, "-m", _MODULE, name], check=True)


if __name__ == "__main__":
    if sys.argv[1:]:
        warm(sys.argv[1])
    else:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(_in_own_process, MACHINES))
