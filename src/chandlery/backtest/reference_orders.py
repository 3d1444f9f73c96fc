"""The reference's broker: orders, the path of a bar, fills. Plain Python, sharing no code with the kernels.

`Broker.bar` takes a bar; what is decided at its close is in `reference_rules`.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from chandlery.backtest.execution import FeeKind
from chandlery.backtest.reference_money import PineMoney, Position, SimpleMoney, Trade, Unit, ten_digits

LONG, SHORT = 1, -1
SIDES = (LONG, SHORT)


@dataclass(slots=True)
class Resting:
    """An entry that waits at a level; `total` is its signed quantity with the `flip` of an opposite position."""

    is_stop: bool
    level: float
    total: float
    flip: float
    budget: float
    expected: float
    share: float
    placed: int
    adds: bool


@dataclass(slots=True)
class Bound:
    """An entry as exits count it."""

    number: int
    is_own: bool
    initial: float
    left: float
    has_exit: bool
    placed: int
    exit_size: float


@dataclass(slots=True)
class Exits:
    """The protective exits of one side; NaN where there is none."""

    side: int
    stop: float
    limit: float
    activation: float = math.nan
    offset: float = math.nan
    points: float = 0.0
    best: float | None = None


@dataclass(slots=True)
class Broker:
    """Position, orders and trades of one account."""

    money: SimpleMoney | PineMoney
    units_allowed: int
    cancels_other: bool
    is_default_sized: bool
    position: Position = field(default_factory=Position)
    bound: list[Bound] = field(default_factory=list)
    resting: dict[int, Resting] = field(default_factory=dict)
    market: dict[int, tuple[float, float]] = field(default_factory=dict)
    closing: dict[int, tuple[float, str]] = field(default_factory=dict)
    exits: Exits | None = None
    trades: list[Trade] = field(default_factory=list)
    counter: int = 0
    now: int = 0

    @property
    def is_pine(self) -> bool:
        """Whether the broker emulator is followed to the letter."""
        return isinstance(self.money, PineMoney)

    def bar(self, i: int, opening: float, high: float, low: float, close: float) -> None:
        """Fill what waits and what the path of bar `i` reaches."""
        self.now = i
        self._open(opening)
        first_up = high - opening < opening - low
        near, far = (high, low) if first_up else (low, high)
        trails = self._trail_from(opening, [(near, 1), (far, 2)])
        for end, node, is_up in ((near, 1, first_up), (far, 2, not first_up)):
            self._leg(opening, end, node, is_up=is_up)
        if trails and self.covered:
            self._trail_segment(far, close, 3)

    @property
    def covered(self) -> bool:
        """Whether an exit protects the position."""
        return self.exits is not None and any(entry.has_exit for entry in self.bound)

    def next_number(self) -> int:
        """Return the next place in the order of placing."""
        self.counter += 1
        return self.counter

    # The open.

    def _open(self, opening: float) -> None:
        gapped = [side for side in SIDES if self._has_gapped(side, opening)]
        exits, passed = self.exits, ""
        if exits is not None and self.covered:
            if exits.side * opening <= exits.side * exits.stop:
                passed = "stop"
            elif exits.side * opening >= exits.side * exits.limit:
                passed = "limit"
        self._market(opening)
        batch = self._batch(-1) if passed and self.exits is exits and self.covered else []
        for side in sorted(gapped, key=self._turn_of):
            self._fill_gapped(side, opening)
        if exits is not None and batch:
            price = opening if passed == "limit" else self.money.worse(opening, -exits.side)
            for leg in batch:
                self._fill_leg(leg, price, passed, 0)
        self._forget_adds()
        if gapped and self.covered:
            self._meet_exits(opening, 0)

    def _turn_of(self, side: int) -> tuple[float, int]:
        order = self.resting.get(side)
        return (math.inf, 0) if order is None else (order.level, order.placed)

    def _has_gapped(self, side: int, opening: float) -> bool:
        order = self.resting.get(side)
        if order is None:
            return False
        above = order.is_stop == (side == LONG)
        return opening >= order.level if above else opening <= order.level

    def _market(self, opening: float) -> None:
        for side in SIDES:
            quantity, reason = self.closing.pop(side, (0.0, ""))
            if quantity > 0.0 and self.position.side == side:
                taken = min(quantity, abs(self.position.size))
                price = self.money.snapped(self.money.worse(opening, -side))
                self._close(taken, price, reason, 0, self._order_fee())
                self._settle(taken, 0, only_own=True)
        for side in SIDES:
            if side not in self.market:
                continue
            total, share = self.market.pop(side)
            # As in PyneCore, an order too small for a lot only closes what it reverses, and is not slipped.
            price = opening if total == 0.0 else self.money.worse(opening, side)
            if self.position.side == side and self.units_allowed <= len(self.bound):
                continue
            if self.position.side == -side and self.is_pine:
                total -= self.position.size
            if total != 0.0:
                self._fill_entry(side, total, share, price, 0)
        self._forget_adds()

    def _fill_gapped(self, side: int, opening: float) -> None:
        order = self.resting.get(side)
        if order is None:
            return
        if order.is_stop:
            self._fill_resting(side, self.money.worse(opening, side), self.money.worse(order.expected, side), 0)
        else:
            self._fill_resting(side, opening, opening, 0)

    def _forget_adds(self) -> None:
        if not self.is_pine:
            stale = [side for side, order in self.resting.items() if order.adds and self.position.side != side]
            for side in stale:
                del self.resting[side]

    # Entries.

    def _fill_resting(self, side: int, price: float, sizing: float, node: int) -> bool:
        order = self.resting.pop(side)
        total = self._resolved(side, order, sizing)
        if isinstance(self.money, PineMoney) and order.adds and abs(total) > abs(order.total):
            for entry in self.bound:
                entry.exit_size = self.money.added(entry.exit_size, abs(total) - abs(order.total))
        if total == 0.0:
            return False
        self._fill_entry(side, total, order.share, price, node)
        other = self.resting.get(-side)
        if self.cancels_other and not order.adds and other is not None and not other.adds:
            del self.resting[-side]
        return True

    def _resolved(self, side: int, order: Resting, price: float) -> float:
        if not isinstance(self.money, PineMoney):
            return float(side)
        if not self.is_default_sized:
            return order.total
        quantity = ten_digits(order.budget) / self.money.unit_cost(price)
        if not 0.0 < quantity < math.inf:
            return 0.0
        return side * self.money.bought(quantity + order.flip)

    def _fill_entry(self, side: int, total: float, share: float, price: float, node: int) -> None:
        if isinstance(self.money, SimpleMoney):
            if self.position.side == -side:
                self._close(abs(self.position.size), price, "reversal", node, 0.0)
            opened = self.money.opened(self.position, side, share, price)
            if opened is not None:
                quantity, fee, basis = opened
                self._add_unit(Unit(side * quantity, price, self.now, fee, basis, node), is_own=True)
            return
        price, held, fee = self.money.snapped(price), self.position.size, self._order_fee()
        left = self.money.rounded(held + total)
        if self.position.side != -side:
            self._open_unit(total, price, node, fee, is_own=True)
        elif left * total <= 0.0:
            self._close(abs(total), price, "opposed", node, fee)
            self._settle(abs(total), 0, only_own=False)
        else:
            part = ten_digits(fee * abs(held) / abs(total))
            self._close(abs(held), price, "reversal", node, part)
            self._open_unit(left, price, node, fee - part, is_own=True)

    def _open_unit(self, quantity: float, price: float, node: int, flat_fee: float, *, is_own: bool) -> None:
        if not isinstance(self.money, PineMoney):
            raise TypeError(type(self.money))
        per_order = self.money.execution.costs.fee_kind is FeeKind.PER_ORDER
        fee = flat_fee if per_order else self.money.fee(abs(quantity), price)
        self.money.open_fees += fee
        self._add_unit(Unit(quantity, price, self.now, fee, 0.0, node), is_own=is_own)

    def _add_unit(self, unit: Unit, *, is_own: bool) -> None:
        number, size = self.next_number(), abs(unit.quantity)
        self.bound.append(Bound(number, is_own, size, size, is_own and self.covered, number, size))
        self.position.units.append(unit)
        self.position.size = self.money.added(self.position.size, unit.quantity)

    def _order_fee(self) -> float:
        return self.money.execution.costs.fee

    # Closing.

    def _close(self, quantity: float, price: float, reason: str, node: int, flat_fee: float) -> None:
        """Close a quantity, oldest units first; in simple mode the position."""
        left = quantity
        while (left > 0.0 or not self.is_pine) and self.position.units:
            unit = self.position.units[0]
            side, whole = (1 if unit.quantity > 0.0 else -1), abs(unit.quantity)
            part = min(left, whole) if self.is_pine else whole
            share = ten_digits(flat_fee * part / quantity) if self._is_per_order() else 0.0
            profit, fees, cost = self.money.take(unit, part, price, share)
            # Two entries filled at one instant are told from the long side.
            is_instant = (unit.bar, unit.node, unit.price) == (self.now, node, price) and reason == "reversal"
            self.trades.append(
                Trade(
                    side=1 if is_instant and self.is_pine else side,
                    entry_bar=unit.bar,
                    entry_price=unit.price,
                    exit_bar=self.now,
                    exit_price=price,
                    reason="reversal" if reason == "opposed" else reason,
                    quantity=part,
                    cost=cost,
                    fees=fees,
                    profit=profit,
                )
            )
            self.position.size = self.money.added(self.position.size, -side * part)
            left = self.money.added(left, -part)
            unit.quantity = self.money.added(unit.quantity, -side * part) if self.is_pine else 0.0
            if unit.quantity == 0.0:
                self.position.units.pop(0)
        if not self.position.units:
            self.position.size, self.bound, self.exits = 0.0, [], None
            if isinstance(self.money, PineMoney):
                self.money.open_fees = 0.0

    def _is_per_order(self) -> bool:
        return self.money.execution.costs.fee_kind is FeeKind.PER_ORDER

    def _settle(self, quantity: float, number: int, *, only_own: bool) -> None:
        """Take a closed quantity off the entry it was bound to, or off the oldest."""
        target = next((entry for entry in self.bound if entry.number == number), None)
        if target is not None:
            target.left -= min(target.left, quantity)
            quantity = 0.0
        for entry in self.bound:
            if quantity > 0.0 and (entry.is_own or not only_own):
                taken = min(entry.left, quantity)
                entry.left -= taken
                quantity -= taken
        self.bound = [entry for entry in self.bound if self.money.rounded(entry.left) > 0.0]

    # Exits.

    def _batch(self, committed_after: float) -> list[tuple[Bound, float, bool]]:
        """Return the exits in force: entry, signed quantity, whether it outlives a reversal at its price."""
        side = 0 if self.exits is None else self.exits.side
        found = []
        for entry in self.bound:
            if entry.has_exit:
                is_late = entry.placed > committed_after
                found.append(
                    (entry, -side * (min(entry.exit_size, entry.left) if is_late else entry.exit_size), is_late)
                )
        return found

    def _fill_leg(self, leg: tuple[Bound, float, bool], price: float, reason: str, node: int) -> None:
        entry, total, committed = leg
        if not self.is_pine:
            if self.position.size * total < 0.0:
                self._close(abs(self.position.size), price, reason, node, 0.0)
            return
        is_alive = any(other.number == entry.number and other.has_exit for other in self.bound)
        if is_alive or committed:
            self._run_out(total, entry.number, price, reason, node, committed=committed)

    def _run_out(self, total: float, number: int, price: float, reason: str, node: int, *, committed: bool) -> None:
        if not isinstance(self.money, PineMoney):
            raise TypeError(type(self.money))
        price, fee = self.money.snapped(price), self._order_fee()
        closing = min(abs(total), abs(self.position.size)) if self.position.size * total < 0.0 else 0.0
        rest = abs(total)
        if closing > 0.0:
            rest = abs(self.money.rounded(self.position.size + total)) if abs(total) > closing else 0.0
        part = ten_digits(fee * closing / abs(total))
        if closing > 0.0:
            self._close(closing, price, reason, node, part if committed and rest > 0.0 else fee)
            self._settle(closing, number, only_own=True)
        if committed and rest > 0.0 and self.money.bought(rest * (1.0 + 1e-12)) > 0.0:
            side = 1.0 if total > 0.0 else -1.0
            self._open_unit(side * rest, price, node, fee if closing == 0.0 else fee - part, is_own=False)

    def _fill_exits(self, price: float, reason: str, node: int) -> None:
        for leg in self._batch(math.inf):
            self._fill_leg(leg, price, reason, node)
        self._forget_adds()

    def _meet_exits(self, price: float, node: int) -> None:
        """Fill exits that a unit just added finds already passed."""
        exits = self.exits
        if exits is None:
            return
        if exits.side * price >= exits.side * exits.limit:
            self._fill_exits(price, "limit", node)
        elif exits.side * price <= exits.side * exits.stop:
            self._fill_exits(self.money.worse(price, -exits.side), "stop", node)
        else:
            self._forget_adds()

    # The path.

    def _reachable(self, *, is_up: bool) -> Iterator[tuple[float, int]]:
        """Yield the levels a rising or falling leg can fill, with the side of the entry, 0 for exits."""
        for side, order in self.resting.items():
            if order.is_stop == ((side == LONG) == is_up):
                yield order.level, side
        if self.exits is not None:
            level = self.exits.limit if (self.exits.side == LONG) == is_up else self.exits.stop
            if not math.isnan(level):
                yield level, 0

    def _leg(self, opening: float, end: float, node: int, *, is_up: bool) -> None:
        reached, way = opening, (1.0 if is_up else -1.0)
        while True:
            ahead = [level for level, _ in self._reachable(is_up=is_up) if way * reached < way * level <= way * end]
            if not ahead:
                return
            reached = min(ahead) if is_up else max(ahead)
            self._level(reached, node, is_up=is_up)

    def _level(self, level: float, node: int, *, is_up: bool) -> None:
        """Fill what rests at one price in the order of placing; in simple mode entries come first.

        In Pine mode it is too late to cancel one of them: they are reached at one instant.
        """
        here = [side for price, side in self._reachable(is_up=is_up) if price == level]
        orders = {side: self.resting[side] for side in here if side != 0}
        first = min((order.placed for order in orders.values()), default=math.inf) if self.is_pine else 0
        exits = self.exits
        batch = self._batch(first) if 0 in here and self.covered else []
        turns: list[tuple[float, int, int]] = [
            (orders[side].placed if self.is_pine else -side, side, 0) for side in orders
        ]
        turns += [(leg[0].placed if self.is_pine else math.inf, 0, k) for k, leg in enumerate(batch)]
        for _, side, k in sorted(turns, key=lambda turn: turn[0]):
            if side == 0 and exits is not None:
                is_limit = (exits.side == LONG) == is_up
                price = level if is_limit else self.money.worse(level, -exits.side)
                self._fill_leg(batch[k], price, "limit" if is_limit else "stop", node)
                self._forget_adds()
            elif self.is_pine or side in self.resting:
                self.resting[side] = orders[side]
                self._fill_at(side, level, node)

    def _fill_at(self, side: int, level: float, node: int) -> None:
        price = self.money.worse(level, side) if self.resting[side].is_stop else level
        is_more = self.position.side == side
        if self._fill_resting(side, price, price, node) and is_more and self.covered:
            self._meet_exits(self.money.snapped(price), node)

    # Trailing.

    def _trail_stop(self, exits: Exits) -> float:
        return math.nan if exits.best is None else self.money.nearest(exits.best - exits.side * exits.offset)

    def _trail_from(self, opening: float, segments: list[tuple[float, int]]) -> bool:
        """Follow the open and the first segments; return whether the trail goes on."""
        exits = self.exits
        if exits is None or math.isnan(exits.activation) or not self.covered:
            return False
        side, stop = exits.side, self._trail_stop(exits)
        if exits.best is not None and side * opening <= side * stop:
            self._fill_trail(exits, opening, 0)
            return False
        beyond = exits.activation if exits.best is None else exits.best
        if side * opening > side * beyond or (exits.best is None and opening == beyond):
            exits.best = opening
            if side * opening <= side * self._trail_stop(exits):
                self._fill_trail(exits, self._trail_stop(exits), 0)
                return False
        start = opening
        for end, node in segments:
            if not self._trail_segment(start, end, node):
                return False
            start = end
        return True

    def _fill_trail(self, exits: Exits, price: float, node: int) -> None:
        self._fill_exits(self.money.worse(price, -exits.side), "trail", node)

    def _trail_segment(self, start: float, end: float, node: int) -> bool:
        """Follow one piece of the path; return whether the trail goes on."""
        exits = self.exits
        if exits is None:
            return False
        side = exits.side
        if side * end > side * start:
            return self._trail_along(exits, end, node)
        stop = self._trail_stop(exits)
        if side * start >= side * exits.limit:
            return False
        if side * end <= side * exits.stop and (math.isnan(stop) or side * exits.stop >= side * stop):
            return False
        if side * end <= side * stop:
            self._fill_trail(exits, stop, node)
            return False
        return True

    def _trail_along(self, exits: Exits, end: float, node: int) -> bool:
        side, arms = exits.side, exits.side * end >= exits.side * exits.activation
        is_limited = side * end >= side * exits.limit
        at_once = exits.best is None and exits.offset <= 0.0 and arms and side * exits.activation <= side * exits.limit
        if is_limited and not at_once:
            return False
        if exits.best is None and arms:
            exits.best = exits.activation
            if side * exits.activation <= side * self._trail_stop(exits):
                self._fill_trail(exits, self._trail_stop(exits), node)
                return False
        if exits.best is not None and side * end > side * exits.best:
            exits.best = end
        return True
