"""Brackets: protective exits around an open position."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from chandlery.reports.pine.expressions import Statements
from chandlery.reports.pine.sides import Side
from chandlery.reports.pine.syntax import BINARY, Names
from chandlery.strategies import Basis, Bracket, Const, Distance, Expression, Param

_FACTOR = BINARY["*"]
_PRICE = "strategy.position_avg_price"


@dataclass(slots=True)
class Frozen:
    """Values kept since the bar before a position opened."""

    names: Names
    opened: str
    lines: list[str] = field(default_factory=list)
    _kept: dict[str, str] = field(default_factory=dict)

    def keep(self, value: str, stem: str) -> str:
        """Return the variable that holds what `value`, a variable, was on the bar before the position opened."""
        if value in self._kept:
            return self._kept[value]
        before, kept = self.names.take(f"{stem}_before"), self.names.take(f"{stem}_kept")
        # History is read on every bar, so outside the ternary.
        self.lines += [
            f"{before} = {value}[1]",
            f"var float {kept} = na",
            f"{kept} := {self.opened} ? {before} : {kept}",
        ]
        self._kept[value] = kept
        return kept


def bracket_values(bracket: Bracket) -> Iterator[tuple[str, Expression]]:
    """Yield the expressions of `bracket` by the place they have in it."""
    trail = bracket.trail
    placed = {
        "stop": bracket.stop,
        "limit": bracket.limit,
        "activation": None if trail is None else trail.activation,
        "offset": None if trail is None else trail.offset,
    }
    yield from ((place, distance.value) for place, distance in placed.items() if distance is not None)
    if bracket.max_bars is not None:
        yield "max_bars", bracket.max_bars


def exit_arguments(side: Side, bracket: Bracket, statements: Statements, frozen: Frozen) -> dict[str, str]:
    """Return the arguments of `strategy.exit` that carry out `bracket`; empty if it only counts bars."""
    arguments = {}
    if bracket.stop is not None:
        value = value_of(bracket.stop, statements, frozen, f"{side.name}_stop")
        arguments["stop"] = level(value, bracket.stop.basis, side.against)
    if bracket.limit is not None:
        value = value_of(bracket.limit, statements, frozen, f"{side.name}_limit")
        arguments["limit"] = level(value, bracket.limit.basis, side.favour)
    if bracket.trail is not None:
        if bracket.trail.activation is None:
            arguments["trail_price"] = side.passed
        else:
            value = value_of(bracket.trail.activation, statements, frozen, f"{side.name}_activation")
            arguments["trail_points"] = _ticks(value, bracket.trail.activation.basis)
        value = value_of(bracket.trail.offset, statements, frozen, f"{side.name}_offset")
        arguments["trail_offset"] = _ticks(value, bracket.trail.offset.basis)
    return arguments


def value_of(distance: Distance, statements: Statements, frozen: Frozen, stem: str) -> str:
    """Return the number of `distance` as text; a frozen one is kept in a variable called after `stem`."""
    if distance.is_frozen and not isinstance(distance.value, Const | Param):
        return frozen.keep(statements.define(distance.value), stem)
    return statements.text(distance.value, _FACTOR + 1)


def level(value: str, basis: Basis, sign: str, price: str = _PRICE) -> str:
    """Return the price that lies `value` from `price`, by default the average one of the position."""
    match basis:
        case Basis.PRICE:
            return value
        case Basis.DISTANCE:
            return f"{price} {sign} {value}"
        case Basis.PERCENT:
            return f"{price} * (1 {sign} {value} / 100)"
        case Basis.TICKS:
            return f"{price} {sign} {value} * syminfo.mintick"


def _ticks(value: str, basis: Basis) -> str:
    match basis:
        case Basis.TICKS:
            return value
        case Basis.PERCENT:
            return f"{_PRICE} * {value} / 100 / syminfo.mintick"
        case _:
            return f"{value} / syminfo.mintick"
