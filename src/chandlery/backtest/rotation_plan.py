"""The plan of a strategy over several symbols: on which bars it decides, and which weights."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chandlery.backtest.multi_panel import MultiPanel
from chandlery.backtest.symbol_values import Numbers, SymbolValues
from chandlery.strategies import Pair, Rotation, TopKind
from chandlery.strategies.scalars import evaluate


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Decisions of one candidate.

    `bars` int64 `[decisions]`, rising: bars at whose close something is decided. `weights` float64
    `[decisions, symbols]`: the target of every symbol as a fraction of equity, negative for short.
    """

    bars: NDArray[np.int64]
    weights: NDArray[np.float64]


def rotation_plan(rotation: Rotation, numbers: Numbers, panel: MultiPanel, values: SymbolValues) -> Plan:
    """Return the plan of a rotation; see `Rotation` for the rule."""
    bars = np.flatnonzero(values.of_clock("rebalance", numbers))
    ranked = panel.traded[:, bars]
    shares = np.ones(ranked.shape)
    score = np.zeros(ranked.shape)
    if rotation.risk is not None:
        risk = values.of_symbols("risk", numbers)[:, bars]
        ranked = ranked & (risk > 0.0) & (risk < np.inf)
        shares = 1.0 / np.where(ranked, risk, 1.0)
    if rotation.score is not None:
        score = values.of_symbols("score", numbers)[:, bars]
        ranked = ranked & np.isfinite(score)
    order = np.argsort(-np.where(ranked, score, -np.inf), axis=0, kind="stable")
    rank = np.empty(order.shape, dtype=np.int64)
    np.put_along_axis(rank, order, np.broadcast_to(np.arange(order.shape[0])[:, None], order.shape), axis=0)
    shares = np.where(ranked & (rank < _selected(rotation, numbers, ranked.sum(axis=0))), shares, 0.0)
    total = shares.sum(axis=0)
    weights = shares / np.where(total > 0.0, total, 1.0)
    if rotation.keep is not None:
        weights = np.where(values.of_symbols("keep", numbers)[:, bars], weights, 0.0)
    return Plan(bars, np.ascontiguousarray(weights.T))


def _selected(rotation: Rotation, numbers: Numbers, ranked: NDArray[np.int64]) -> NDArray[np.int64]:
    if rotation.top is None:
        return ranked
    columns = {name: np.array([float(value)]) for name, value in numbers.items()}
    asked = float(evaluate(rotation.top.value, columns)[0])
    # 0.2 of 15 symbols is 3.0000000000000004 to a computer and 3 to the author.
    wanted = np.ceil(asked * (ranked if rotation.top.kind is TopKind.SHARE else np.ones_like(ranked)) - 1e-9)
    counts: NDArray[np.int64] = np.maximum(wanted, 1.0).astype(np.int64)
    return counts


def pair_plan(sides: NDArray[np.int8], hedge: NDArray[np.float64], panel: MultiPanel) -> Plan:
    """Return the plan of a pair from its wanted side (1, 0, -1) and hedge at every close.

    The money in the legs is in the ratio of their values at the close that decides, both together equity.
    """
    bars = np.flatnonzero(np.diff(sides, prepend=np.int8(0)))
    closes = panel.field("close")[:, bars]
    # Legs may lack a bar, or the hedge a value, only where a position is closed: there the weights are 0 anyway.
    units = np.where(sides[bars] != 0, hedge[bars], 0.0)
    money = np.where(sides[bars] != 0, np.stack([closes[0], -units * closes[1]]), 0.0)
    gross = np.abs(money).sum(axis=0)
    weights = sides[bars] * money / np.where(gross > 0.0, gross, 1.0)
    return Plan(bars, np.ascontiguousarray(weights.T))


def pair_signals(pair: Pair, numbers: Numbers, values: SymbolValues) -> NDArray[np.bool_]:
    """Return long entry, long exit, short entry, short exit at every close, bool `[4, n]`; entries need a hedge."""
    hedged = np.isfinite(values.of_clock("hedge", numbers))
    rows = [values.of_clock("long_entry", numbers) & hedged, values.of_clock("long_exit", numbers)]
    if pair.short_entry is None:
        return np.stack([*rows, np.zeros_like(hedged), np.zeros_like(hedged)])
    return np.stack([*rows, values.of_clock("short_entry", numbers) & hedged, values.of_clock("short_exit", numbers)])
