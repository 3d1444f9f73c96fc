"""The reference at a close: what a strategy's rules send to the broker."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from chandlery.backtest.reference_money import PineMoney, ten_digits
from chandlery.backtest.reference_orders import LONG, SIDES, Broker, Exits, Resting
from chandlery.strategies import Decisions, Expression, SideRules, Strategy
from chandlery.strategies.rules import Basis, Distance, OrderKind, SizingKind

Values = Mapping[int, NDArray[np.float64]]
"""Values of the expressions by the identity of their node."""


@dataclass(slots=True)
class Rules:
    """The rules of one strategy and the values they read."""

    strategy: Strategy
    decisions: Decisions
    values: Values
    broker: Broker
    kept: dict[tuple[int, int], float] = field(default_factory=dict)
    was_open: set[int] = field(default_factory=set)

    def at_close(self, i: int, close: float, written: float) -> None:
        """Send what is decided at the close of bar `i`; `written` is the close as expressions see it."""
        broker, held = self.broker, self.broker.position.size
        open_side = broker.position.side
        self._cancel(i, open_side)
        after = held
        if open_side:
            closing = self._close(i, open_side)
            after = held - closing if abs(closing) < abs(held) else 0.0
        weight = self._at(self.strategy.sizing.value, i)
        for side in SIDES:
            rules = self._side(side)
            if rules is not None and side != open_side and self._at(rules.go, i) != 0.0 and weight > 0.0:
                after = self._enter(i, side, rules, close, written, after, weight)
        rules = self._side(open_side) if open_side else None
        if rules is not None:
            self._protect(i, open_side, rules, close)
            adds = self.strategy.adds
            step = math.nan if adds is None else self._distance(adds.distance, i, (open_side, 4))
            if open_side not in broker.closing and not self._reverses(i, open_side) and weight > 0.0:
                self._add(open_side, close, after, weight, step)

    def _side(self, side: int) -> SideRules | None:
        return self.decisions.long if side == LONG else self.decisions.short

    def _at(self, expression: Expression, i: int) -> float:
        return float(self.values[id(expression)][i])

    def _distance(self, distance: Distance, i: int, key: tuple[int, int]) -> float:
        """Return the value of this close, or the one kept from the bar before the position opened."""
        if not distance.is_frozen:
            return self._at(distance.value, i)
        if self.broker.position.units[0].bar == i:
            self.kept[key] = self._at(distance.value, i - 1) if i > 0 else math.nan
        return self.kept[key]

    def _cancel(self, i: int, open_side: int) -> None:
        adds = self.strategy.adds is not None
        for side in SIDES:
            rules = self._side(side)
            cancel = None if rules is None or rules.order is None else rules.order.cancel
            renewed = adds and (side == open_side or side in self.was_open)
            if renewed or (cancel is not None and self._at(cancel, i) != 0.0):
                self.broker.resting.pop(side, None)
        self.was_open = {open_side} - {0}

    def _close(self, i: int, side: int) -> float:
        """Close the open side if that is decided; return the signed quantity."""
        rules = self._side(side)
        if rules is None:
            return 0.0
        reason = ""
        if rules.leave is not None and self._at(rules.leave, i) != 0.0:
            reason = "signal"
        elif rules.bracket is not None and rules.bracket.max_bars is not None:
            held = i - self.broker.position.units[0].bar + 1
            if held >= self._at(rules.bracket.max_bars, i) and not self._reverses(i, side):
                reason = "time"
        if not reason:
            return 0.0
        quantity = abs(self.broker.position.size)
        if self.broker.is_pine:
            quantity = 0.0
            for entry in self.broker.bound:
                quantity += entry.left * entry.is_own
            quantity = self.broker.money.rounded(quantity)
        self.broker.closing[side] = quantity, reason
        return side * quantity

    def _reverses(self, i: int, side: int) -> bool:
        """Return whether an opposite entry at the market takes the position over."""
        other = self._side(-side)
        return other is not None and other.order is None and self._at(other.go, i) != 0.0

    def _share(self, weight: float) -> float:
        return weight / 100.0 if self.strategy.sizing.kind is SizingKind.PERCENT_OF_EQUITY else 1.0

    def _quantity(self, weight: float, expected: float, written: float, close: float) -> float:
        """Return the lots of an entry, NaN if it cannot be sized."""
        money, broker = self.broker.money, self.broker
        if not isinstance(money, PineMoney):
            return 1.0
        equity = money.equity(broker.position, close)
        if not broker.is_default_sized:
            return money.stated(self.strategy.sizing, weight, written, equity)
        quantity = ten_digits(money.budget(weight, equity)) / money.unit_cost(expected)
        return money.bought(quantity) if 0.0 < quantity < math.inf else math.nan

    def _enter(  # noqa: PLR0917 - one close, as the rules see it
        self, i: int, side: int, rules: SideRules, close: float, written: float, after: float, weight: float
    ) -> float:
        broker = self.broker
        if rules.order is not None:
            price = self._at(rules.order.level, i)
            if not math.isnan(price):
                is_stop = rules.order.kind is OrderKind.STOP
                self._rest(side, price, close, after, weight, is_stop=is_stop, adds=False)
            return after
        quantity = self._quantity(weight, broker.money.worse(close, side), written, close)
        if math.isnan(quantity):
            return after
        broker.resting.pop(side, None)
        if quantity == 0.0 and broker.position.side != -side:
            return after
        broker.market[side] = side * quantity, self._share(weight)
        return after + side * quantity if after * side >= 0.0 else side * quantity

    def _rest(
        self, side: int, price: float, close: float, after: float, weight: float, *, is_stop: bool, adds: bool
    ) -> None:
        broker, money = self.broker, self.broker.money
        level = money.level(price, upward=is_stop == (side == LONG))
        expected = max(level, close) if is_stop == (side == LONG) else min(level, close)
        total, flip, budget = float(side), 0.0, 0.0
        if isinstance(money, PineMoney):
            quantity = self._quantity(weight, expected, price, close)
            if math.isnan(quantity):
                return
            is_full = after * side > 0.0 and broker.units_allowed <= len(broker.bound)
            if is_full or (quantity == 0.0 and broker.position.side != -side):
                broker.resting.pop(side, None)
                return
            total = side * quantity
            if not after * side > 0.0 and broker.position.side != 0:
                flip, total = abs(after), total - after
            budget = money.budget(weight, money.equity(broker.position, close))
        old = broker.resting.get(side)
        is_same = old is not None and (old.total, old.level) == (total, level)
        placed = old.placed if old is not None and is_same else broker.next_number()
        share = self._share(weight)
        broker.resting[side] = Resting(is_stop, level, total, flip, budget, expected, share, placed, adds)

    def _shifted(self, price: float, value: float, basis: Basis, sign: int) -> float:
        match basis:
            case Basis.DISTANCE:
                return price + sign * value
            case Basis.PERCENT:
                return price * (1.0 + sign * value / 100.0)
            case _:
                return price + sign * (value * (self.broker.money.tick or 1.0))

    def _add(self, side: int, close: float, after: float, weight: float, step: float) -> None:
        adds, units = self.strategy.adds, self.broker.position.units
        if adds is None or len(units) >= adds.units:
            return
        price = self._shifted(units[-1].price, step, adds.distance.basis, side)
        if not math.isnan(price):
            self._rest(side, price, close, after, weight, is_stop=True, adds=True)

    def _protect(self, i: int, side: int, rules: SideRules, close: float) -> None:
        bracket, broker = rules.bracket, self.broker
        if bracket is None or (bracket.stop is None and bracket.limit is None and bracket.trail is None):
            return
        old = broker.exits
        exits = Exits(
            side,
            self._level(i, side, bracket.stop, 0, way=-side),
            self._level(i, side, bracket.limit, 1, way=side),
        )
        if bracket.trail is not None:
            self._follow(i, exits, old, bracket.trail.offset, bracket.trail.activation, close)
        is_kept = old is not None and bracket.trail is None and _same(old, exits)
        broker.exits = exits
        for entry in broker.bound:
            if entry.is_own and not (is_kept and entry.has_exit):
                entry.has_exit, entry.placed = True, broker.next_number()
            entry.exit_size = entry.initial

    def _level(self, i: int, side: int, distance: Distance | None, place: int, *, way: int) -> float:
        """Return the level of a stop or limit on the grid: stops are rounded away, limits towards profit."""
        if distance is None:
            return math.nan
        price = self._distance(distance, i, (side, place))
        if distance.basis is not Basis.PRICE:
            price = self._shifted(self.broker.position.average, price, distance.basis, way)
        return price if math.isnan(price) else self.broker.money.level(price, upward=way == LONG)

    def _reach(self, value: float, basis: Basis) -> float:
        tick = self.broker.money.tick or 1.0
        if basis is Basis.TICKS:
            return value
        return self.broker.position.average * value / 100.0 / tick if basis is Basis.PERCENT else value / tick

    def _follow(  # noqa: PLR0917 - one close, as the rules see it
        self, i: int, exits: Exits, old: Exits | None, offset: Distance, activation: Distance | None, close: float
    ) -> None:
        money, side, is_pine = self.broker.money, exits.side, self.broker.is_pine
        exits.offset = self._reach(self._distance(offset, i, (side, 2)), offset.basis)
        if is_pine and not math.isnan(exits.offset):
            exits.offset = math.floor(exits.offset) * money.tick
        exits.activation = 0.0 if side == LONG else 1e9
        if activation is not None:
            exits.points = self._reach(self._distance(activation, i, (side, 3)), activation.basis)
            start = self.broker.position.units[0].price if is_pine else self.broker.position.average
            price = start + side * (money.tick * exits.points if is_pine else exits.points)
            exits.activation = price if math.isnan(price) else money.level(price, upward=side == LONG)
        if math.isnan(exits.offset):
            exits.activation = math.nan
        is_unchanged = old is not None and (old.offset, old.points) == (exits.offset, exits.points)
        if old is not None and (is_unchanged or not is_pine):
            exits.best = old.best
        if exits.best is None and side * close > side * exits.activation:
            exits.best = close


def _same(one: Exits, other: Exits) -> bool:
    pairs = ((one.stop, other.stop), (one.limit, other.limit))
    return one.side == other.side and all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in pairs)
