"""Rules: what depends on the position and is therefore declared, not computed by an expression.

Expressions see bars and parameters only. Entry orders at a level, protective exits, further units and the size
of a position are values that the simulators and the exporters carry out. Levels are read at the close of every
bar and hold for the next one; a level that is na places no order.
"""

from dataclasses import dataclass
from enum import StrEnum

from chandlery.strategies.expressions import Const, Expression


class OrderKind(StrEnum):
    """How an entry order waits."""

    STOP = "stop"
    """Until the price reaches the level moving away: above for a long entry."""
    LIMIT = "limit"
    """Until the price reaches the level coming back: below for a long entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryOrder:
    """An entry that waits at a level instead of filling at the next open.

    Placed, or moved to the new level, at the close of every bar on which the entry signal holds and no position on
    that side is open; it waits until it fills or until `cancel` holds at a close. `level` is a price.
    """

    kind: OrderKind
    level: Expression
    cancel: Expression | None = None


class Basis(StrEnum):
    """What the number of a distance counts."""

    PRICE = "price"
    """It is itself the price of the order."""
    DISTANCE = "distance"
    """Price units from the average entry price."""
    PERCENT = "percent"
    """Percent of the average entry price."""
    TICKS = "ticks"
    """Smallest price steps from the average entry price; in standard mode, which has none, price units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance:
    """How far from the entry, or where, an order lies.

    With `is_frozen` the value is the one of the bar before the position was opened (the bar of the signal, for an
    entry at the market), for as long as it is open; otherwise that of the latest close.
    """

    value: Expression
    basis: Basis
    is_frozen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """A stop that follows the best price since it armed.

    It arms when price has moved `activation` in favour of the position, at once without one, and stays `offset`
    behind the best price since. Neither may be a price.
    """

    offset: Distance
    activation: Distance | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bracket:
    """Protective exits of one side; whichever comes first on the path of a bar closes the whole position.

    Placed at the close of the bar on which the position opened, so they act from the next bar on: the bar of the
    fill itself is not protected. `max_bars`, a number, closes at the open after so many closes in position.
    """

    stop: Distance | None = None
    limit: Distance | None = None
    trail: Trail | None = None
    max_bars: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Adds:
    """Further units on the same side (pyramiding).

    While fewer than `units` are open and nothing closes the position, a stop order for one more of the same size
    rule waits `distance` beyond the fill price of the last unit, in favour of the position. The distance may not be
    a price.
    """

    units: int
    distance: Distance


class SizingKind(StrEnum):
    """What a position is measured by when it is opened."""

    PERCENT_OF_EQUITY = "percent_of_equity"
    """Percent of equity at the close of the signal."""
    CASH = "cash"
    """An amount of money; standard mode, which has no money unit, is all-in."""
    FIXED = "fixed"
    """A number of units; standard mode is all-in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """Size of one entry; `value` is read at the close of the signal. An na or negative value opens nothing."""

    kind: SizingKind = SizingKind.PERCENT_OF_EQUITY
    value: Expression = Const(100.0)  # noqa: RUF009 - frozen


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Hours in which entries are allowed: bars that open in `[start, end)`, minutes of the exchange's day.

    With `is_flat_outside` a position is closed at the open after the first close outside.
    """

    start: int
    end: int
    is_flat_outside: bool = False
