"""The reference: expressions and both modes in plain Python, sharing no code with the compiled machine.

It is the definition the machine is tested against: decisions, trades, equity, metrics and block moments agree bit
by bit, because both follow the order of operations written here.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chandlery.backtest.execution import Execution, Mode
from chandlery.backtest.metrics import BLOCKS, KernelMetrics
from chandlery.backtest.panel import Panel
from chandlery.backtest.reference_money import PineMoney, SimpleMoney, Trade
from chandlery.backtest.reference_orders import Broker
from chandlery.backtest.reference_rules import Rules
from chandlery.indicators import Role, get_op
from chandlery.strategies import (
    Const,
    Decisions,
    Expression,
    Hist,
    Op,
    Param,
    Series,
    Strategy,
    decide,
    validate_params,
)
from chandlery.strategies.rule_checks import rule_expressions
from chandlery.strategies.rules import SizingKind


@dataclass(frozen=True, slots=True)
class ReferenceRun:
    """Decisions by name (bool `[n]`), equity and exposure per bar, trades, metrics, block moments (64 rows of 4)."""

    decisions: Mapping[str, NDArray[np.bool_]]
    equity: list[float]
    exposure: list[float]
    trades: list[Trade]
    metrics: KernelMetrics
    moments: list[list[float]]


def reference_run(strategy: Strategy, params: Mapping[str, float], panel: Panel, execution: Execution) -> ReferenceRun:
    """Evaluate what `strategy` decides and simulate it bar by bar.

    Raises:
        BadParameters: listing one fault per field.
    """
    known: Known = {}
    values = validate_params(strategy, params)
    decisions = decide(strategy, execution.sides)
    read = {id(node): _floats(node, values, panel, known) for node in _read(strategy, decisions)}
    broker = _broker(strategy, decisions, execution)
    rules = Rules(strategy, decisions, read, broker)
    equity, exposure = [], []
    for i, (opening, high, low, close, written) in enumerate(_bars(panel, broker.money)):
        broker.bar(i, opening, high, low, close)
        rules.at_close(i, close, written)
        equity.append(broker.money.equity(broker.position, close))
        worth = broker.position.size * close * (execution.point_value if broker.is_pine else 1.0)
        exposure.append(worth / equity[-1] if broker.position.size else 0.0)
    moments = _block_moments(equity, broker.money.start)
    held = sum(share != 0.0 for share in exposure)
    metrics = _metrics(broker.trades, equity, moments, start=broker.money.start, held=held)
    trades = broker.trades + list(_open_trades(broker, close))
    return ReferenceRun(_decided(decisions, values, panel, known), equity, exposure, trades, metrics, moments)


def _read(strategy: Strategy, decisions: Decisions) -> Iterator[Expression]:
    """Yield every expression that orders read."""
    for side in (decisions.long, decisions.short):
        if side is not None:
            yield from (node for node in (side.go, side.leave) if node is not None)
            yield from (node for rule in (side.order, side.bracket) for _, node, _ in rule_expressions("", rule))
    yield from (node for rule in (strategy.adds, strategy.sizing) for _, node, _ in rule_expressions("", rule))


def _broker(strategy: Strategy, decisions: Decisions, execution: Execution) -> Broker:
    value = strategy.sizing.value
    is_share = strategy.sizing.kind is SizingKind.PERCENT_OF_EQUITY and isinstance(value, Const) and value.value > 0
    return Broker(
        money=PineMoney(execution) if execution.mode is Mode.PINE else SimpleMoney(execution),
        units_allowed=1 if strategy.adds is None else strategy.adds.units,
        cancels_other=strategy.one_cancels_other and decisions.short is not None,
        is_default_sized=is_share,
    )


def _bars(panel: Panel, money: PineMoney | SimpleMoney) -> Iterator[tuple[float, float, float, float, float]]:
    for opening, high, low, close, _ in panel.ohlcv.T.tolist():
        prices = [opening, high, low, close]
        if isinstance(money, PineMoney):
            prices = [money.bar_price(price) for price in prices]
        yield prices[0], prices[1], prices[2], prices[3], close


def _open_trades(broker: Broker, close: float) -> Iterator[Trade]:
    for unit in broker.position.units:
        profit, cost = broker.money.mark(unit, close)
        yield Trade(
            side=1 if unit.quantity > 0.0 else -1,
            entry_bar=unit.bar,
            entry_price=unit.price,
            exit_bar=None,
            exit_price=close,
            reason=None,
            quantity=abs(unit.quantity),
            cost=cost,
            fees=unit.fee,
            profit=profit,
        )


def _decided(
    decisions: Decisions, values: Mapping[str, float], panel: Panel, known: "Known"
) -> dict[str, NDArray[np.bool_]]:
    wanted = {"go_long": decisions.long.go, "leave_long": decisions.long.leave, "go_short": None, "leave_short": None}
    if decisions.short is not None:
        wanted |= {"go_short": decisions.short.go, "leave_short": decisions.short.leave}
    never = np.zeros(panel.bars, dtype=np.bool_)
    return {
        name: never if node is None else _floats(node, values, panel, known) != 0.0 for name, node in wanted.items()
    }


Known = dict[int, tuple[Expression, Any]]
"""Values of nodes by identity; definitions built from words share their parts. Nodes are held, so ids stay theirs."""


def _floats(expression: Expression, params: Mapping[str, float], panel: Panel, known: Known) -> NDArray[np.float64]:
    values = np.asarray(series_values(expression, params, panel, known), dtype=np.float64)
    return np.broadcast_to(values, (panel.bars,))


def signal_values(expression: Expression, params: Mapping[str, float], panel: Panel) -> NDArray[np.bool_]:
    """Return a signal as a bool array, one per bar."""
    return np.broadcast_to(np.asarray(series_values(expression, params, panel), dtype=np.bool_), (panel.bars,))


def series_values(expression: Expression, params: Mapping[str, float], panel: Panel, known: Known | None = None) -> Any:  # noqa: ANN401
    """Return what an expression yields: an array over the bars, or a number; `known` is filled along the way."""
    known = {} if known is None else known
    if id(expression) not in known:
        known[id(expression)] = expression, _values(expression, params, panel, known)
    return known[id(expression)][1]


def _values(expression: Expression, params: Mapping[str, float], panel: Panel, known: Known) -> Any:  # noqa: ANN401
    match expression:
        case Series():
            return panel.source(expression.name)
        case Const():
            return expression.value
        case Param():
            return params[expression.name]
        case Hist():
            bars = expression.bars if isinstance(expression.bars, int) else int(params[expression.bars.name])
            return _history(np.asarray(series_values(expression.operand, params, panel, known)), bars)
        case Op():
            return _apply(expression, params, panel, known)
    raise TypeError(type(expression))


def _apply(node: Op, params: Mapping[str, float], panel: Panel, known: Known) -> NDArray[Any]:
    spec = get_op(node.name)
    values = [series_values(operand, params, panel, known) for operand in node.operands]
    whole = {Role.LENGTH, Role.COUNT}
    operands = [int(value) if role in whole else value for role, value in zip(spec.operands, values, strict=True)]
    return spec.reference(*operands)


def _history(values: NDArray[Any], bars: int) -> NDArray[Any]:
    before: list[Any] = [False if values.dtype == np.bool_ else math.nan] * min(bars, values.size)
    return np.array([*before, *values[: values.size - len(before)].tolist()], dtype=values.dtype)


def _block_moments(equity: list[float], start: float) -> list[list[float]]:
    moments = [[0.0, 0.0, 0.0, 0.0] for _ in range(BLOCKS)]
    before = start
    for i, value in enumerate(equity):
        change = value / before - 1.0 if before > 0.0 else 0.0
        before = value
        square = change * change
        block = moments[i * BLOCKS // len(equity)]
        for power, term in enumerate((change, square, square * change, square * square)):
            block[power] += term
    return moments


def _metrics(
    trades: list[Trade], equity: list[float], moments: list[list[float]], *, start: float, held: int
) -> KernelMetrics:
    profit, loss = 0.0, 0.0
    for trade in trades:
        profit, loss = (profit + trade.profit, loss) if trade.profit > 0.0 else (profit, loss - trade.profit)
    peak, drawdown = start, 0.0
    for value in equity:
        peak = max(peak, value)
        drawdown = max(drawdown, 1.0 - value / peak)
    return KernelMetrics(
        equity=equity[-1] / start,
        closed_trades=len(trades),
        wins=sum(trade.profit > 0.0 for trade in trades),
        gross_profit=profit / start,
        gross_loss=loss / start,
        max_dd=drawdown,
        bar_sharpe=_bar_sharpe(moments, len(equity) - 1),
        exposure_bars=held,
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
