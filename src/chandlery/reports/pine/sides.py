"""Sides: the words of Pine for a long and for a short position."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the market.

    `entry` and `exit` are the ids of its orders; `is_open` tests the position; `favour` and `against` are the
    signs that move a price with and against it; `passed` is a price that every price lies beyond, in favour.
    """

    name: str
    entry: str
    exit: str
    direction: str
    is_open: str
    favour: str
    against: str
    passed: str


LONG = Side("long", "Long", "Long exit", "strategy.long", "strategy.position_size > 0", "+", "-", "0.0")
SHORT = Side("short", "Short", "Short exit", "strategy.short", "strategy.position_size < 0", "-", "+", "1000000000.0")
