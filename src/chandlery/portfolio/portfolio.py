"""What a portfolio is."""

from dataclasses import dataclass

from chandlery.risk.limits import DEFAULT_LIMITS, Limit


@dataclass(frozen=True, slots=True)
class Position:
    """A signed quantity of one symbol; below zero is short."""

    symbol: str
    quantity: float


@dataclass(frozen=True, slots=True)
class Portfolio:
    """A book as its owner states it.

    Attributes:
        name: shown in reports; any printable text.
        currency: of cash, prices and limits.
        cash: uninvested amount; below zero is borrowed.
        positions: one entry per symbol.
        limits: R01 to R05, after overrides.
        benchmark: a symbol, or None.
    """

    name: str
    currency: str
    cash: float
    positions: tuple[Position, ...]
    limits: tuple[Limit, ...] = DEFAULT_LIMITS
    benchmark: str | None = None
