"""Execution: how decisions become fills, and what they cost."""

from dataclasses import dataclass, field
from enum import StrEnum

from chandlery.errors import InvalidInput
from chandlery.strategies import Sides


class Mode(StrEnum):
    """Which conventions fill orders and measure the account."""

    SIMPLE = "simple"
    """All-in, fractional quantities, cash 1.0, costs as fractions of the price, no tick."""
    PINE = "pine"
    """TradingView's broker emulator: capital, lots, ticks, order life, path within the bar."""


class FeeKind(StrEnum):
    """What a fee is counted by."""

    PERCENT = "percent"
    """Fraction of the value of every fill."""
    PER_ORDER = "per_order"
    """Money per fill; Pine mode only."""
    PER_CONTRACT = "per_contract"
    """Money per unit; Pine mode only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What trading takes.

    `fee` per side: a fraction of the value (0.001 = 10 bps), or money with the other kinds. `slippage` and
    `spread` are fractions of the price; a fill loses the slippage and half the spread. `slippage_ticks` is Pine's:
    whole ticks on market and stop orders.

    Raises:
        InvalidInput: for a fraction outside `[0, 1)` or a negative amount.
    """

    fee: float = 0.0
    fee_kind: FeeKind = FeeKind.PERCENT
    slippage: float = 0.0
    spread: float = 0.0
    slippage_ticks: int = 0

    def __post_init__(self) -> None:
        fractions = {"slippage": self.slippage, "spread": self.spread}
        if self.fee_kind is FeeKind.PERCENT:
            fractions["fee"] = self.fee
        for name, value in fractions.items():
            if not 0.0 <= value < 1.0:
                raise InvalidInput(f"{name} was {value}; it is a fraction of the fill price, 0.001 for 10 bps.")
        if not (self.fee >= 0.0 and self.slippage_ticks >= 0):
            raise InvalidInput(f"fee was {self.fee}, slippage_ticks {self.slippage_ticks}; neither is negative.")

    @property
    def taken(self) -> float:
        """Fraction of the price that a simple fill loses: slippage and half the spread."""
        return self.slippage + self.spread / 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """Conventions of one run.

    `capital`, `tick`, `lot` and `point_value` belong to Pine mode: starting money, smallest price step, smallest
    quantity, money per point and unit. `max_quantity` is absent: leverage is refused, margin is not called.

    Raises:
        InvalidInput: for an amount that is not above 0, or costs the mode does not know.
    """

    mode: Mode = Mode.SIMPLE
    sides: Sides = Sides.LONG
    costs: Costs = field(default_factory=Costs)
    capital: float = 1_000_000.0
    tick: float = 0.01
    lot: float = 1e-6
    point_value: float = 1.0

    def __post_init__(self) -> None:
        for name in ("capital", "tick", "lot", "point_value"):
            if not 0.0 < getattr(self, name) < float("inf"):
                raise InvalidInput(f"{name} was {getattr(self, name)}; it is a finite number above 0.")
        if self.mode is Mode.SIMPLE and (self.costs.fee_kind is not FeeKind.PERCENT or self.costs.slippage_ticks):
            raise InvalidInput("Simple mode counts costs as fractions of the price; use Pine mode for money or ticks.")
        if self.mode is Mode.PINE and self.costs.taken:
            raise InvalidInput("Pine mode counts slippage in ticks; give slippage_ticks, not slippage or spread.")
