"""Warm-up: how many leading bars a signal needs before all its inputs are defined."""

import numpy as np
from numpy.typing import NDArray

from chandlery.indicators import SLOTTED, Role, get_op
from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Expression, Hist, Op, Param
from chandlery.strategies.portfolios import Portfolio
from chandlery.strategies.scalars import columns_of, evaluate
from chandlery.strategies.searchable import Searchable

Bars = NDArray[np.int64]


def warmup_bars(strategy: Strategy, rows: NDArray[np.float64]) -> Bars:
    """Return, per candidate, the number of leading bars before a full decision (entry and exit) is possible.

    `rows` is a candidate matrix `[candidates, parameters]` in the strategy's order. Derived from the operations,
    so it holds on bars without gaps.
    """
    entry = signal_warmup(strategy.long_entry, strategy, rows)
    if strategy.closing is None:
        return entry
    return np.maximum(entry, signal_warmup(strategy.closing, strategy, rows))


def portfolio_warmup(portfolio: Portfolio, rows: NDArray[np.float64]) -> Bars:
    """Return, per candidate, the number of leading bars of a symbol before its first full decision.

    `rows` is a candidate matrix `[candidates, parameters]`; bars are those on which every symbol read has one.
    """
    longest = np.zeros(rows.shape[0], dtype=np.int64)
    for place, expression in portfolio.expressions.items():
        # A number that counts symbols has no bars, and the day to decide on needs no history of prices.
        if place not in {"top", "rebalance"}:
            longest = np.maximum(longest, signal_warmup(expression, portfolio, rows))
    return longest


def signal_warmup(expression: Expression, strategy: Searchable, rows: NDArray[np.float64]) -> Bars:
    """Return, per candidate, the number of leading bars on which `expression` has an undefined input."""
    columns = columns_of(strategy.param_names, rows)
    return np.broadcast_to(_warmup(expression, columns), (rows.shape[0],)).copy()


def _warmup(expression: Expression, columns: dict[str, NDArray[np.float64]]) -> Bars:
    if isinstance(expression, Hist):
        offset = evaluate(expression.bars, columns).astype(np.int64) if isinstance(expression.bars, Param) else 0
        fixed = expression.bars if isinstance(expression.bars, int) else 0
        return _warmup(expression.operand, columns) + offset + fixed
    if not isinstance(expression, Op):
        return np.zeros(1, dtype=np.int64)
    spec = get_op(expression.name)
    longest, lengths = np.zeros(1, dtype=np.int64), []
    for role, operand in zip(spec.operands, expression.operands, strict=True):
        if role is Role.LENGTH:
            lengths.append(evaluate(operand, columns).astype(np.int64))
        elif role not in SLOTTED:
            longest = np.maximum(longest, _warmup(operand, columns))
    own = spec.warmup(lengths)
    return np.maximum(longest, own) if spec.restarts else longest + own
