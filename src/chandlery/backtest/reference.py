"""The reference: expressions and standard mode in plain Python, sharing no code with the compiled machine.

It is the definition the machine is tested against: signals, trades, equity, metrics and block moments agree bit
by bit, because both follow the order of operations written here.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chandlery.backtest.metrics import BLOCKS, KernelMetrics
from chandlery.backtest.panel import Panel
from chandlery.errors import ResearchError
from chandlery.indicators import Role, get_op
from chandlery.strategies import Const, Expression, Hist, Op, Param, Series, Strategy, validate_params


@dataclass(frozen=True, slots=True)
class Fill:
    """One trade: bars of the fills (sold None while open), quantity, cost in cash, proceeds (None while open)."""

    bought: int
    sold: int | None
    quantity: float
    cost: float
    proceeds: float | None


@dataclass(frozen=True, slots=True)
class ReferenceRun:
    """Signals by name (bool `[n]`), equity per bar, trades, metrics and block moments (64 rows of 4)."""

    signals: Mapping[str, NDArray[np.bool_]]
    equity: list[float]
    fills: list[Fill]
    metrics: KernelMetrics
    moments: list[list[float]]


def reference_run(
    strategy: Strategy, params: Mapping[str, float], panel: Panel, *, fee: float, slippage: float
) -> ReferenceRun:
    """Evaluate all signals of `strategy` and simulate its long side bar by bar.

    Raises:
        BadParameters: listing one fault per field.
    """
    values = validate_params(strategy, params)
    signals = {name: signal_values(signal, values, panel) for name, signal in strategy.signals.items()}
    if strategy.closing is None:
        raise ResearchError(f"{strategy.name} has no exit signal.")
    entry, closing = signal_values(strategy.long_entry, values, panel), signal_values(strategy.closing, values, panel)
    account = _Account(fee, slippage)
    for i in range(panel.bars):
        account.bar(i, panel.field("open")[i], panel.field("close")[i], entry=bool(entry[i]), closing=bool(closing[i]))
    moments = _block_moments(account.equity)
    return ReferenceRun(signals, account.equity, account.trades(), _metrics(account, moments), moments)


def signal_values(expression: Expression, params: Mapping[str, float], panel: Panel) -> NDArray[np.bool_]:
    """Return a signal as a bool array, one per bar."""
    return np.broadcast_to(np.asarray(series_values(expression, params, panel), dtype=np.bool_), (panel.bars,))


def series_values(expression: Expression, params: Mapping[str, float], panel: Panel) -> Any:  # noqa: ANN401
    """Return what an expression yields: an array over the bars, or a number."""
    match expression:
        case Series():
            return panel.source(expression.name)
        case Const():
            return expression.value
        case Param():
            return params[expression.name]
        case Hist():
            bars = expression.bars if isinstance(expression.bars, int) else int(params[expression.bars.name])
            return _history(np.asarray(series_values(expression.operand, params, panel)), bars)
        case Op():
            return _apply(expression, params, panel)
    raise TypeError(type(expression))


def _apply(node: Op, params: Mapping[str, float], panel: Panel) -> NDArray[Any]:
    spec = get_op(node.name)
    values = [series_values(operand, params, panel) for operand in node.operands]
    whole = {Role.LENGTH, Role.COUNT}
    operands = [int(value) if role in whole else value for role, value in zip(spec.operands, values, strict=True)]
    return spec.reference(*operands)


def _history(values: NDArray[Any], bars: int) -> NDArray[Any]:
    before: list[Any] = [False if values.dtype == np.bool_ else math.nan] * min(bars, values.size)
    return np.array([*before, *values[: values.size - len(before)].tolist()], dtype=values.dtype)


@dataclass(slots=True)
class _Account:
    """The account of standard mode: cash 1.0, nothing held, no order."""

    fee: float
    slippage: float
    cash: float = 1.0
    quantity: float = 0.0
    order: str = ""
    exposure: int = 0
    equity: list[float] = field(default_factory=list)
    fills: list[list[Any]] = field(default_factory=list)

    def bar(self, i: int, opening: float, close: float, *, entry: bool, closing: bool) -> None:
        """Fill yesterday's order at the open, mark at the close, decide."""
        if self.order == "buy":
            self.quantity = self.cash / (float(opening) * (1.0 + self.slippage) * (1.0 + self.fee))
            self.fills.append([i, None, self.quantity, self.cash, None])
            self.cash = 0.0
        elif self.order == "sell":
            self.cash = self.quantity * (float(opening) * (1.0 - self.slippage)) * (1.0 - self.fee)
            self.quantity = 0.0
            self.fills[-1][1], self.fills[-1][4] = i, self.cash
        self.equity.append(self.cash + self.quantity * float(close))
        self.exposure += self.quantity > 0.0
        self.order = ""
        if self.quantity == 0.0 and entry:
            self.order = "buy"
        elif self.quantity > 0.0 and closing and not entry:
            self.order = "sell"

    def trades(self) -> list[Fill]:
        """Return the trades in time order."""
        return [Fill(*entries) for entries in self.fills]


def _block_moments(equity: list[float]) -> list[list[float]]:
    moments = [[0.0, 0.0, 0.0, 0.0] for _ in range(BLOCKS)]
    for i in range(1, len(equity)):
        change = equity[i] / equity[i - 1] - 1.0
        square = change * change
        block = moments[i * BLOCKS // len(equity)]
        for power, term in enumerate((change, square, square * change, square * square)):
            block[power] += term
    return moments


def _metrics(account: _Account, moments: list[list[float]]) -> KernelMetrics:
    results = [fill.proceeds - fill.cost for fill in account.trades() if fill.proceeds is not None]
    profit, loss = 0.0, 0.0
    for result in results:
        profit, loss = (profit + result, loss) if result > 0.0 else (profit, loss - result)
    peak, drawdown = 1.0, 0.0
    for value in account.equity:
        peak = max(peak, value)
        drawdown = max(drawdown, 1.0 - value / peak)
    return KernelMetrics(
        equity=account.equity[-1],
        closed_trades=len(results),
        wins=sum(result > 0.0 for result in results),
        gross_profit=profit,
        gross_loss=loss,
        max_dd=drawdown,
        bar_sharpe=_bar_sharpe(moments, len(account.equity) - 1),
        exposure_bars=account.exposure,
    )


def _bar_sharpe(moments: list[list[float]], count: int) -> float:
    total, squares = 0.0, 0.0
    for block in moments:
        total, squares = total + block[0], squares + block[1]
    mean = total / count
    variance = squares / count - mean * mean
    if variance <= 1e-12 * (squares / count):
        return math.nan
    return mean / math.sqrt(variance)
