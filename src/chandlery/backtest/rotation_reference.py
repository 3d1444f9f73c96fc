"""The reference of several symbols: expressions, decisions and account in plain Python.

It shares no code with the plan, the remembered values or the compiled simulator, and is what they are tested
against. Bars without a symbol are left out before an expression is read, never filled.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chandlery.backtest.execution import Execution
from chandlery.backtest.metrics import BLOCKS, KernelMetrics
from chandlery.backtest.multi_panel import MultiPanel
from chandlery.indicators import Role, get_op
from chandlery.strategies import Const, Expression, Hist, Op, Pair, Param, Portfolio, Rotation, Series, TopKind
from chandlery.strategies.expressions import TIME_PARTS

Weights = dict[int, float]


@dataclass(frozen=True, slots=True)
class PortfolioReference:
    """Equity per bar, fills `(bar, symbol, quantity, price, money)`, targets by bar, metrics, block moments."""

    equity: list[float]
    fills: list[tuple[int, int, float, float, float]]
    targets: Mapping[int, Weights]
    metrics: KernelMetrics
    moments: list[list[float]]


def portfolio_reference(
    portfolio: Portfolio, numbers: Mapping[str, float | int], panel: MultiPanel, execution: Execution
) -> PortfolioReference:
    """Decide and simulate bar by bar; `numbers` are all parameters, whole ones as int."""
    reader = _Reader(panel, numbers)
    targets = _rotate(portfolio, reader) if isinstance(portfolio, Rotation) else _spread(portfolio, reader)
    account = _Account(execution.costs.fee, execution.costs.taken, dict.fromkeys(range(len(panel.symbols)), 0.0))
    for i in range(panel.bars):
        account.open(i, {s: float(p) for s, p in enumerate(panel.ohlcv[:, 0, i]) if not math.isnan(p)})
        account.mark({s: float(p) for s, p in enumerate(panel.ohlcv[:, 3, i]) if not math.isnan(p)})
        if i in targets:
            account.waiting = {s: w for s, w in targets[i].items() if w != 0.0 or account.held[s] != 0.0}
    return account.summary(targets)


@dataclass(slots=True)
class _Reader:
    """Reads expressions: by symbol, on the bars that all symbols it reads have."""

    panel: MultiPanel
    numbers: Mapping[str, float | int]

    def row(self, expression: Expression, symbol: int | None) -> dict[int, Any]:
        """Return the value at each bar that has one."""
        read = set(self._read(expression, symbol))
        bars = [i for i in range(self.panel.bars) if not any(math.isnan(self.panel.ohlcv[s, 3, i]) for s in read)]
        values = self._value(expression, symbol, bars)
        return dict(zip(bars, values.tolist(), strict=True))

    def _read(self, node: Expression, symbol: int | None) -> list[int]:
        match node:
            case Series(name, leg):
                place = symbol if leg is None else leg
                return [] if name in TIME_PARTS or place is None else [place]
            case Hist():
                return self._read(node.operand, symbol)
            case Op():
                return [place for operand in node.operands for place in self._read(operand, symbol)]
        return []

    def _value(self, node: Expression, symbol: int | None, bars: list[int]) -> Any:  # noqa: ANN401
        match node:
            case Const():
                return node.value
            case Param():
                return self.numbers[node.name]
            case Series(name, leg):
                place = symbol if leg is None else leg
                return (self.panel.clock(name) if place is None else self.panel.source(place, name))[bars]
            case Hist():
                back = node.bars if isinstance(node.bars, int) else int(self.numbers[node.bars.name])
                row = self._value(node.operand, symbol, bars)
                first: list[Any] = [False if row.dtype == np.bool_ else math.nan] * min(back, row.size)
                return np.array([*first, *row[: row.size - len(first)].tolist()], dtype=row.dtype)
            case Op():
                spec = get_op(node.name)
                given = [self._value(operand, symbol, bars) for operand in node.operands]
                whole = {Role.LENGTH, Role.COUNT}
                return spec.reference(*(int(x) if r in whole else x for r, x in zip(spec.operands, given, strict=True)))
        raise TypeError(type(node))


def _rotate(rotation: Rotation, reader: _Reader) -> dict[int, Weights]:
    symbols = range(len(reader.panel.symbols))
    rows = {
        name: [reader.row(expression, symbol) for symbol in symbols]
        for name, expression in rotation.expressions.items()
        if name in {"score", "risk", "keep"}
    }
    targets = {}
    for i, holds in reader.row(rotation.rebalance, None).items():
        if holds:
            targets[i] = _shares(rotation, reader, {name: [row.get(i) for row in rows[name]] for name in rows}, i)
    return targets


def _shares(rotation: Rotation, reader: _Reader, found: dict[str, list[Any]], i: int) -> Weights:
    ranked = [s for s in range(len(reader.panel.symbols)) if not math.isnan(reader.panel.ohlcv[s, 3, i])]
    for name in ("score", "risk"):
        if name in found:
            ranked = [s for s in ranked if found[name][s] is not None and math.isfinite(found[name][s])]
    if "risk" in found:
        ranked = [s for s in ranked if found["risk"][s] > 0.0]
    if rotation.top is not None:
        value = reader._value(rotation.top.value, None, [])  # noqa: SLF001 - one module
        asked = float(value) * (len(ranked) if rotation.top.kind is TopKind.SHARE else 1)
        ranked = sorted(ranked, key=lambda s: (-found["score"][s], s))[: max(1, math.ceil(asked - 1e-9))]
    shares = {s: 1.0 / found["risk"][s] if "risk" in found else 1.0 for s in ranked}
    total = sum(shares[s] for s in sorted(shares))
    weights = dict.fromkeys(range(len(reader.panel.symbols)), 0.0)
    for s, share in shares.items():
        if "keep" not in found or found["keep"][s]:
            weights[s] = share / total
    return weights


def _spread(pair: Pair, reader: _Reader) -> dict[int, Weights]:
    rows = {name: reader.row(expression, None) for name, expression in pair.expressions.items()}
    targets, side = {}, 0
    for i in range(reader.panel.bars):
        hedge = rows["hedge"].get(i, math.nan)
        signal = {name: bool(rows.get(name, {}).get(i, False)) for name in rows if name != "hedge"}
        long, short = signal["long_entry"], signal.get("short_entry", False)
        if not math.isfinite(hedge):
            long = short = False
        wanted = side
        if long != short:
            wanted = 1 if long else -1
        elif (side > 0 and signal["long_exit"]) or (side < 0 and signal["short_exit"]):
            wanted = 0
        if wanted != side:
            side = wanted
            targets[i] = {0: 0.0, 1: 0.0}
            if side:
                money = (reader.panel.ohlcv[0, 3, i], -hedge * reader.panel.ohlcv[1, 3, i])
                gross = abs(money[0]) + abs(money[1])
                targets[i] = {leg: side * float(money[leg]) / gross for leg in (0, 1)}
    return targets


@dataclass(slots=True)
class _Account:
    """Cash 1.0, nothing held."""

    fee: float
    slippage: float
    held: dict[int, float]
    cash: float = 1.0
    waiting: Weights = field(default_factory=dict)
    last: dict[int, float] = field(default_factory=dict)
    since_flat: dict[int, float] = field(default_factory=dict)
    results: list[float] = field(default_factory=list)
    equity: list[float] = field(default_factory=list)
    exposed: int = 0
    fills: list[tuple[int, int, float, float, float]] = field(default_factory=list)

    def open(self, i: int, opens: dict[int, float]) -> None:
        """Trade what waits, at the opens there are."""
        value = {s: self.held[s] * opens.get(s, self.last.get(s, 0.0)) for s in self.held}
        worth = self.cash + sum(value.values())
        due = {s: w for s, w in self.waiting.items() if s in opens}
        if worth <= 0.0 or not due:
            return
        for s, weight in due.items():
            if self.held[s] != 0.0 and weight * self.held[s] <= 0.0:
                self._trade(i, s, -self.held[s], opens[s])
                self.held[s], value[s] = 0.0, 0.0
                self.results.append(self.since_flat.pop(s))
        more = {s: weight * worth - value[s] for s, weight in due.items()}
        for s, money in more.items():
            if money < -1e-12 * worth:
                self._trade(i, s, money / opens[s], opens[s])
        buys = {s: money for s, money in more.items() if money > 1e-12 * worth}
        share = min(1.0, self.cash / sum(buys.values())) if buys and self.cash > 1e-12 * worth else 0.0
        for s, money in buys.items():
            if share > 0.0:
                self._trade(i, s, share * money / (opens[s] * (1.0 + self.slippage) * (1.0 + self.fee)), opens[s])
        self.waiting = {s: w for s, w in self.waiting.items() if s not in due}

    def _trade(self, i: int, s: int, quantity: float, opening: float) -> None:
        worse = 1.0 if quantity > 0.0 else -1.0
        price = opening * (1.0 + worse * self.slippage)
        money = -quantity * price * (1.0 + worse * self.fee)
        self.cash += money
        self.held[s] += quantity
        self.since_flat[s] = self.since_flat.get(s, 0.0) + money
        self.fills.append((i, s, quantity, price, money))

    def mark(self, closes: dict[int, float]) -> None:
        """Value the account at the close."""
        self.last |= closes
        equity = self.cash + sum(quantity * self.last[s] for s, quantity in self.held.items() if quantity != 0.0)
        if equity <= 0.0:
            equity, self.cash, self.held = 0.0, 0.0, dict.fromkeys(self.held, 0.0)
        self.exposed += any(quantity != 0.0 for quantity in self.held.values())
        self.equity.append(equity)

    def summary(self, targets: Mapping[int, Weights]) -> PortfolioReference:
        """Return what the run came to."""
        changes = [b / a - 1.0 if a > 0.0 else 0.0 for a, b in zip([1.0, *self.equity], self.equity, strict=False)]
        moments = [[0.0] * 4 for _ in range(BLOCKS)]
        for i, change in enumerate(changes):
            for power in range(4):
                moments[i * BLOCKS // len(changes)][power] += change ** (power + 1)
        peaks = np.maximum.accumulate([1.0, *self.equity])[1:]
        squares, count = sum(m[1] for m in moments), len(changes) - 1
        mean = sum(m[0] for m in moments) / count
        variance = squares / count - mean * mean
        metrics = KernelMetrics(
            equity=self.equity[-1],
            closed_trades=len(self.results),
            wins=sum(result > 0.0 for result in self.results),
            gross_profit=sum(result for result in self.results if result > 0.0),
            gross_loss=-sum(result for result in self.results if result <= 0.0),
            max_dd=float(np.max(1.0 - np.array(self.equity) / peaks)),
            bar_sharpe=mean / math.sqrt(variance) if variance > 1e-12 * squares / count else math.nan,
            exposure_bars=self.exposed,
        )
        return PortfolioReference(self.equity, self.fills, targets, metrics, moments)
