"""Executions by their costs alone."""

from chandlery.backtest import Costs, Execution


def costs(fee: float, slippage: float) -> Execution:
    """Return simple-mode, long-only execution with these fractions of the price."""
    return Execution(costs=Costs(fee=fee, slippage=slippage))
