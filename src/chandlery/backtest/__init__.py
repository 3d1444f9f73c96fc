"""Backtest: runs strategy definitions over bars.

What belongs here: panels, the compiler and the virtual machine that evaluate many candidates, the full run of a
chosen one, and the slow reference that both are tested against. What does not: which candidates to try
(`optimize/`), portfolios, reports. The optimizer, reports and steps may import it. numba is loaded at the first
evaluation, never by an import of this package.
"""

from chandlery.backtest.engine import Evaluations, check_costs, evaluate_many
from chandlery.backtest.ledger import TRADE_SCHEMA
from chandlery.backtest.metrics import BLOCKS, METRICS, KernelMetrics
from chandlery.backtest.panel import FIELDS, Panel, require_bars
from chandlery.backtest.run import BacktestResult, buy_and_hold, run_backtest

__all__ = [
    "BLOCKS",
    "FIELDS",
    "METRICS",
    "TRADE_SCHEMA",
    "BacktestResult",
    "Evaluations",
    "KernelMetrics",
    "Panel",
    "buy_and_hold",
    "check_costs",
    "evaluate_many",
    "require_bars",
    "run_backtest",
]
