"""Backtest: runs strategy definitions over bars.

What belongs here: panels, the compiler and the virtual machine that evaluate many candidates, the full run of a
chosen one, and the slow reference that both are tested against. What does not: which candidates to try
(`optimize/`), portfolios, reports. The optimizer, reports and steps may import it. numba is loaded at the first
evaluation, never by an import of this package.
"""

from chandlery.backtest.engine import DECISIONS, Evaluations, evaluate_many
from chandlery.backtest.execution import Costs, Execution, FeeKind, Mode
from chandlery.backtest.ledger import TRADE_SCHEMA
from chandlery.backtest.metrics import BLOCKS, METRICS, KernelMetrics
from chandlery.backtest.multi_panel import MultiPanel
from chandlery.backtest.panel import FIELDS, Panel, require_bars
from chandlery.backtest.rotation_engine import evaluate_portfolios
from chandlery.backtest.rotation_run import FILL_SCHEMA, WEIGHT_SCHEMA, PortfolioResult, run_portfolio
from chandlery.backtest.run import BacktestResult, buy_and_hold, run_backtest

__all__ = [
    "BLOCKS",
    "DECISIONS",
    "FIELDS",
    "FILL_SCHEMA",
    "METRICS",
    "TRADE_SCHEMA",
    "WEIGHT_SCHEMA",
    "BacktestResult",
    "Costs",
    "Evaluations",
    "Execution",
    "FeeKind",
    "KernelMetrics",
    "Mode",
    "MultiPanel",
    "Panel",
    "PortfolioResult",
    "buy_and_hold",
    "evaluate_many",
    "evaluate_portfolios",
    "require_bars",
    "run_backtest",
    "run_portfolio",
]
