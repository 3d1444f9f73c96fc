"""Broker plan: rules of a strategy and terms of an execution as the numbers the order kernel reads."""

from collections.abc import Iterator
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from chandlery.backtest.execution import Execution, FeeKind, Mode
from chandlery.backtest.kernels import fields as f
from chandlery.backtest.panel import Panel
from chandlery.errors import ResearchError
from chandlery.strategies import Const, Decisions, Expression, SideRules, Strategy
from chandlery.strategies.rules import Basis, Bracket, Distance, OrderKind, SizingKind

_BASES = {Basis.PRICE: f.PRICE, Basis.DISTANCE: f.DISTANCE, Basis.PERCENT: f.PERCENT, Basis.TICKS: f.TICKS}
_SIZINGS = {
    SizingKind.PERCENT_OF_EQUITY: f.PERCENT_OF_EQUITY,
    SizingKind.CASH: f.CASH,
    SizingKind.FIXED: f.FIXED,
}
_FEES = {
    FeeKind.PERCENT: f.FEE_PERCENT,
    FeeKind.PER_ORDER: f.FEE_PER_ORDER,
    FeeKind.PER_CONTRACT: f.FEE_PER_CONTRACT,
}
_NEVER = Const(0.0)


def root_expressions(strategy: Strategy, decisions: Decisions) -> list[Expression]:
    """Return the expressions of the `ROOTS` rows; what is absent is 0 on every bar."""
    roots: list[Expression] = [_NEVER] * f.ROOTS
    for start, side in ((0, decisions.long), (f.PER_SIDE, decisions.short)):
        for place, expression in _side_expressions(side) if side is not None else ():
            roots[start + place] = expression
    if strategy.adds is not None:
        roots[f.STEP] = strategy.adds.distance.value
    roots[f.WEIGHT] = strategy.sizing.value
    return roots


def rule_numbers(strategy: Strategy, decisions: Decisions) -> NDArray[np.float64]:
    """Return the plan as far as it does not depend on the execution.

    Raises:
        ResearchError: for more units than an account has room for.
    """
    plan = np.zeros(f.PLAN)
    plan[f.CANCELS_OTHER] = strategy.one_cancels_other and decisions.short is not None
    plan[f.UNITS], plan[f.SIZING] = 1, _SIZINGS[strategy.sizing.kind]
    if strategy.adds is not None:
        plan[f.UNITS], plan[f.STEP_BASIS] = strategy.adds.units, _BASES[strategy.adds.distance.basis]
        plan[f.STEP_FROZEN] = strategy.adds.distance.is_frozen
    if 2 * plan[f.UNITS] + 4 > f.MOST_UNITS:
        raise ResearchError(
            f"{strategy.name} adds up to {int(plan[f.UNITS])} units; at most {f.MOST_UNITS // 2 - 2} fit."
        )
    # Only a constant share is left to the emulator, which then measures an order at the price it fills at.
    value = strategy.sizing.value
    if strategy.sizing.kind is SizingKind.PERCENT_OF_EQUITY and isinstance(value, Const) and value.value > 0:
        plan[f.SIZING] = f.DEFAULT_PERCENT
    for index, side in enumerate((decisions.long, decisions.short)):
        if side is not None:
            start = f.RULES_OF_SIDE + index * f.RULES_PER_SIDE
            for place, number in _side_rules(side):
                plan[start + place] = number
    return plan


def with_execution(rules: NDArray[np.float64], execution: Execution) -> NDArray[np.float64]:
    """Return the plan completed with the terms of the execution; `rules` may be empty.

    Raises:
        ResearchError: for further units beside a trailing stop in Pine mode.
    """
    plan, costs = rules.copy() if rules.size else np.zeros(f.PLAN), execution.costs
    plan[f.FEE], plan[f.LOSS], plan[f.FEE_KIND] = costs.fee, costs.taken, _FEES[costs.fee_kind]
    plan[f.CAPITAL], plan[f.POINT], plan[f.MULTIPLE] = 1.0, 1.0, 1.0 + costs.fee
    if execution.mode is Mode.PINE:
        _refuse_trailing_units(plan)
        plan[f.MIN_MOVE], plan[f.PRICE_SCALE] = tick_grid(execution.tick)
        plan[f.TICK], plan[f.LOTS] = execution.tick, max(1, round(1.0 / execution.lot))
        plan[f.CAPITAL], plan[f.POINT] = execution.capital, execution.point_value
        plan[f.SLIP] = execution.tick * costs.slippage_ticks
    return plan


def _refuse_trailing_units(plan: NDArray[np.float64]) -> None:
    offsets = [f.RULES_OF_SIDE + side * f.RULES_PER_SIDE + f.OFFSET_BASIS for side in (0, 1)]
    if plan[f.UNITS] > 1 and plan[offsets].any():
        raise ResearchError(
            "Further units beside a trailing stop were asked of Pine mode, where every unit trails on its own; "
            "use simple mode, or a stop at a level."
        )


def bars_for(panel: Panel, execution: Execution) -> NDArray[np.float64]:
    """Return open, high, low, close as orders meet them, and the close as expressions see it, `[5, n]`."""
    prices = np.stack([panel.field(name) for name in ("open", "high", "low", "close", "close")])
    if execution.mode is Mode.PINE:
        min_move, scale = tick_grid(execution.tick)
        prices[:4] = np.floor(prices[:4] / execution.tick + 0.5) * min_move / scale
    return prices


def tick_grid(tick: float) -> tuple[int, int]:
    """Return whole numbers whose ratio is the tick: the smallest step, and steps of 1 to the unit."""
    scale = round(1.0 / tick)
    if scale >= 1 and abs(tick * scale - 1.0) <= 1e-9:
        return 1, scale
    places = -int(Decimal(repr(tick)).normalize().as_tuple().exponent)
    scale = 10 ** max(places, 0)
    return round(tick * scale), scale


def _side_expressions(side: SideRules) -> Iterator[tuple[int, Expression]]:
    yield f.GO, side.go
    if side.leave is not None:
        yield f.LEAVE, side.leave
    if side.order is not None:
        yield f.LEVEL, side.order.level
        if side.order.cancel is not None:
            yield f.CANCEL, side.order.cancel
    if side.bracket is not None:
        for place, _, distance in _distances(side.bracket):
            yield place, distance.value
        if side.bracket.max_bars is not None:
            yield f.MAX_BARS, side.bracket.max_bars


def _side_rules(side: SideRules) -> Iterator[tuple[int, int]]:
    if side.order is not None:
        yield f.ORDER_KIND, f.STOP_ORDER if side.order.kind is OrderKind.STOP else f.LIMIT_ORDER
    if side.bracket is None:
        return
    for _, place, distance in _distances(side.bracket):
        yield place, _BASES[distance.basis]
        yield place + f.STOP_FROZEN - f.STOP_BASIS, int(distance.is_frozen)
    yield f.COUNTS_BARS, int(side.bracket.max_bars is not None)


def _distances(bracket: Bracket) -> Iterator[tuple[int, int, Distance]]:
    """Yield row, rule and distance of the exits that are declared."""
    trail = bracket.trail
    declared = (
        (f.STOP, f.STOP_BASIS, bracket.stop),
        (f.LIMIT, f.LIMIT_BASIS, bracket.limit),
        (f.OFFSET, f.OFFSET_BASIS, None if trail is None else trail.offset),
        (f.ACTIVATION, f.ACTIVATION_BASIS, None if trail is None else trail.activation),
    )
    yield from ((row, rule, distance) for row, rule, distance in declared if distance is not None)
