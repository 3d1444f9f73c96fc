"""The reference's two accounts: a share of equity without ticks, and the broker emulator's with capital and lots."""

import math
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from chandlery.backtest.execution import Execution, FeeKind
from chandlery.strategies.rules import Sizing, SizingKind


@dataclass(slots=True)
class Unit:
    """One entry that is open: signed quantity, price, bar, fee, the money behind it, place on the path of its fill."""

    quantity: float
    price: float
    bar: int
    fee: float
    basis: float
    node: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One trade in the terms of `TRADE_SCHEMA`; an open one has no exit bar and no reason."""

    side: int
    entry_bar: int
    entry_price: float
    exit_bar: int | None
    exit_price: float
    reason: str | None
    quantity: float
    cost: float
    fees: float
    profit: float


@dataclass(slots=True)
class Position:
    """Units, oldest first, and their signed sum."""

    units: list[Unit] = field(default_factory=list)
    size: float = 0.0

    @property
    def side(self) -> int:
        """1 long, -1 short, 0 flat."""
        return (self.size > 0.0) - (self.size < 0.0)

    @property
    def average(self) -> float:
        """Average entry price."""
        total = 0.0
        for unit in self.units:
            total += unit.price * abs(unit.quantity)
        return total / abs(self.size)


class Money(Protocol):
    """What the two modes count differently."""

    tick: float
    start: float

    def snapped(self, price: float) -> float:
        """Return a fill price on the tick."""

    def level(self, price: float, *, upward: bool) -> float:
        """Return an order level on the grid."""

    def nearest(self, price: float) -> float:
        """Return the nearest price of the grid."""

    def worse(self, price: float, side: int) -> float:
        """Return what a market or stop order gets."""

    def added(self, first: float, second: float) -> float:
        """Return the sum of two quantities."""

    def equity(self, position: Position, price: float) -> float:
        """Return the account's worth with the position marked at `price`."""

    def take(self, unit: Unit, quantity: float, price: float, flat_fee: float) -> tuple[float, float, float]:
        """Close `quantity` of a unit; return profit, fees of both sides and the cost of the entry."""

    def mark(self, unit: Unit, price: float) -> tuple[float, float]:
        """Return profit and cost of an open unit at `price`."""


@dataclass(slots=True)
class SimpleMoney:
    """Cash that starts at 1.0; fractions of the price are lost on every fill."""

    execution: Execution
    cash: float = 1.0
    tick: float = 0.0
    start: float = 1.0

    def snapped(self, price: float) -> float:
        """Return the price itself."""
        return price

    def level(self, price: float, *, upward: bool) -> float:  # noqa: ARG002 - no grid
        """Return the price itself."""
        return price

    def nearest(self, price: float) -> float:
        """Return the price itself."""
        return price

    def worse(self, price: float, side: int) -> float:
        """Return the price with slippage and half the spread against the order."""
        return price * (1.0 + side * self.execution.costs.taken)

    def rounded(self, quantity: float) -> float:
        """Return the quantity itself."""
        return quantity

    def added(self, first: float, second: float) -> float:
        """Return the sum."""
        return first + second

    def equity(self, position: Position, price: float) -> float:
        """Return cash and the position's worth."""
        return self.cash + position.size * price

    def opened(self, position: Position, side: int, share: float, price: float) -> tuple[float, float, float] | None:
        """Spend a share of equity as far as the money reaches; return quantity, fee and the money behind it."""
        fee = self.execution.costs.fee
        free = self.cash if side > 0 else self.cash + 2.0 * position.size * price
        money = min(self.equity(position, price) * share, free)
        if not money > 0.0:
            return None
        quantity = money / (price * (1.0 + fee))
        basis = money if side > 0 else quantity * price * (1.0 - fee)
        self.cash += -money if side > 0 else basis
        return quantity, quantity * price * fee, basis

    def take(self, unit: Unit, quantity: float, price: float, flat_fee: float) -> tuple[float, float, float]:  # noqa: ARG002
        """Close a unit; simple mode never splits one."""
        fee = self.execution.costs.fee
        fees = unit.fee + quantity * price * fee
        if unit.quantity > 0.0:
            proceeds = quantity * price * (1.0 - fee)
            self.cash += proceeds
            return proceeds - unit.basis, fees, unit.basis
        paid = quantity * price * (1.0 + fee)
        self.cash -= paid
        return unit.basis - paid, fees, quantity * unit.price * (1.0 + fee)

    def mark(self, unit: Unit, price: float) -> tuple[float, float]:
        """Return profit and cost; no exit fee is taken."""
        quantity = abs(unit.quantity)
        if unit.quantity > 0.0:
            return quantity * price - unit.basis, unit.basis
        return -(quantity * price - unit.basis), quantity * unit.price * (1.0 + self.execution.costs.fee)


@dataclass(slots=True)
class PineMoney:
    """Capital, gross profit and loss; ticks, lots and ten-digit money as in PyneCore 6.11."""

    execution: Execution
    profit: float = 0.0
    loss: float = 0.0
    open_fees: float = 0.0

    @property
    def tick(self) -> float:
        """Smallest price step."""
        return self.execution.tick

    @property
    def start(self) -> float:
        """Starting capital."""
        return self.execution.capital

    @property
    def lots(self) -> int:
        """Lots of one unit."""
        return max(1, round(1.0 / self.execution.lot))

    def grid(self) -> tuple[int, int]:
        """Return the tick as a ratio of whole numbers."""
        inverse = round(1.0 / self.tick)
        if inverse >= 1 and abs(self.tick * inverse - 1.0) <= 1e-9:
            return 1, inverse
        places = max(0, -int(Decimal(repr(self.tick)).normalize().as_tuple().exponent))
        return round(self.tick * 10**places), 10**places

    def bar_price(self, price: float) -> float:
        """Return a price of a bar on the grid, halves up."""
        move, scale = self.grid()
        return math.floor(price / self.tick + 0.5) * move / scale

    def snapped(self, price: float) -> float:
        """Return whole ticks, halves up."""
        return math.floor(price / self.tick + 0.5) * self.tick

    def level(self, price: float, *, upward: bool) -> float:
        """Return the grid point above or below, or the one within 1e-4 of a tick."""
        move, scale = self.grid()
        count = price * scale / move
        return (math.ceil(count - 1e-4) if upward else math.floor(count + 1e-4)) * move / scale

    def nearest(self, price: float) -> float:
        """Return the nearest grid point, halves up."""
        move, scale = self.grid()
        return math.floor(price * scale / move + 0.5) * move / scale

    def worse(self, price: float, side: int) -> float:
        """Return the price slipped by whole ticks."""
        return price + side * (self.tick * self.execution.costs.slippage_ticks)

    def quantity(self, count: float) -> float:
        """Return lots as a quantity on the emulator's grid of 1e-8."""
        found = count * (1.0 / self.lots)
        return found if self.lots > 1e8 else round(found / 1e-8) * 1e-8

    def added(self, first: float, second: float) -> float:
        """Return the sum in whole lots."""
        return self.quantity(round(first * self.lots) + round(second * self.lots))

    def rounded(self, quantity: float) -> float:
        """Return a signed quantity cut to whole lots, unless it is a few last digits below one."""
        count = abs(quantity) * self.lots
        near = abs(count - round(count)) <= 8.0 * math.ulp(count) + 1e-9
        return self.quantity(math.copysign(round(count) if near else math.floor(count), quantity))

    def bought(self, quantity: float) -> float:
        """Return the lots a budget buys."""
        return self.quantity(math.floor(quantity * self.lots))

    def asked(self, quantity: float) -> float:
        """Return the lots of a written quantity: the largest count whose decimal does not exceed it."""
        count = math.floor(quantity * self.lots)
        if (count + 1.0) / self.lots <= quantity:
            count += 1
        elif count / self.lots > quantity:
            count -= 1
        return self.quantity(count)

    def fee(self, quantity: float, price: float) -> float:
        """Return the fee of a fill that is not charged by the order."""
        costs, point = self.execution.costs, self.execution.point_value
        if costs.fee_kind is FeeKind.PERCENT:
            return ten_digits(price * costs.fee * point * quantity)
        return ten_digits(costs.fee * quantity)

    def equity(self, position: Position, price: float) -> float:
        """Return capital, realised and floating profit."""
        floating = 0.0
        if position.size != 0.0:
            floating = position.size * (self.snapped(price) - position.average) * self.execution.point_value
        return self.start + (self.profit - (self.loss + self.open_fees)) + floating

    def take(self, unit: Unit, quantity: float, price: float, flat_fee: float) -> tuple[float, float, float]:
        """Close all or part of a unit."""
        whole = abs(unit.quantity)
        cost = quantity * unit.price * self.execution.point_value + unit.fee * (quantity / whole)
        entry_fee = unit.fee
        if quantity < whole:
            entry_fee *= quantity / whole
            unit.fee -= entry_fee
        per_order = self.execution.costs.fee_kind is FeeKind.PER_ORDER
        fee = flat_fee if per_order else self.fee(quantity, price)
        self.open_fees -= entry_fee
        side = 1.0 if unit.quantity > 0.0 else -1.0
        profit = side * quantity * (price - unit.price) * self.execution.point_value - entry_fee - fee
        if profit > 0.0:
            self.profit += profit
        else:
            self.loss -= profit
        return profit, entry_fee + fee, cost

    def mark(self, unit: Unit, price: float) -> tuple[float, float]:
        """Return profit and cost; the entry fee is taken, no exit fee."""
        quantity, point = abs(unit.quantity), self.execution.point_value
        side = 1.0 if unit.quantity > 0.0 else -1.0
        profit = side * quantity * (price - unit.price) * point - unit.fee
        return profit, quantity * unit.price * point + unit.fee

    def budget(self, percent: float, equity: float) -> float:
        """Return the money of an entry that is left to the emulator."""
        money = equity * percent * 0.01
        costs = self.execution.costs
        return max(0.0, money - costs.fee) if costs.fee_kind is FeeKind.PER_ORDER else money

    def unit_cost(self, price: float) -> float:
        """Return what one unit takes, its fee included."""
        costs, point = self.execution.costs, self.execution.point_value
        match costs.fee_kind:
            case FeeKind.PERCENT:
                return price * point * (1.0 + costs.fee)
            case FeeKind.PER_CONTRACT:
                return price * point + costs.fee
            case FeeKind.PER_ORDER:
                return price * point

    def stated(self, sizing: Sizing, value: float, price: float, equity: float) -> float:
        """Return the quantity a script states; NaN if there is none."""
        match sizing.kind:
            case SizingKind.FIXED:
                return self.asked(value)
            case SizingKind.CASH:
                quantity = value / (price * self.execution.point_value)
            case SizingKind.PERCENT_OF_EQUITY:
                costs = self.execution.costs
                money = equity * value / 100.0
                money = max(0.0, money - costs.fee) if costs.fee_kind is FeeKind.PER_ORDER else money
                quantity = money / self.unit_cost(price)
        return self.asked(quantity) if 0.0 < quantity < math.inf else math.nan


def ten_digits(money: float) -> float:
    """Return money rounded half up to ten significant digits."""
    if not 0.0 < money < math.inf:
        return money
    power = 1.0
    while money * power < 1e9:
        power *= 10.0
    if power > 1.0 or money < 1e10:
        return math.floor(money * power + 0.5) / power
    while money / power >= 1e10:
        power *= 10.0
    return math.floor(money / power + 0.5) * power
