"""Checks of the declared rules of a strategy."""

from collections.abc import Iterator, Mapping

from chandlery.errors import ResearchError
from chandlery.strategies.expressions import Expression
from chandlery.strategies.kinds import Kind, kind_of
from chandlery.strategies.parameters import Parameter
from chandlery.strategies.rules import Adds, Basis, Bracket, Distance, EntryOrder, Session, Sizing

_SIGNAL = {Kind.SIGNAL}
_LEVEL = {Kind.SERIES}
_AMOUNT = {Kind.SERIES, Kind.NUMBER, Kind.INTEGER}
_COUNT = {Kind.INTEGER}

Rule = EntryOrder | Bracket | Adds | Sizing | Session
Labelled = tuple[str, Expression, set[Kind]]
_MINUTES_OF_A_DAY = 1440


def rule_expressions(label: str, rule: Rule | None) -> Iterator[Labelled]:
    """Yield every expression of a rule with its place in it and the kinds it may have."""
    match rule:
        case EntryOrder():
            yield f"{label}.level", rule.level, _LEVEL
            if rule.cancel is not None:
                yield f"{label}.cancel", rule.cancel, _SIGNAL
        case Bracket():
            yield from _bracket_expressions(label, rule)
        case Adds():
            yield f"{label}.distance", rule.distance.value, _AMOUNT
        case Sizing():
            yield f"{label}.value", rule.value, _AMOUNT
        case _:
            return


def check_rule(label: str, rule: Rule | None, params: Mapping[str, Parameter]) -> None:
    """Refuse a rule that cannot be carried out.

    Raises:
        ResearchError: naming the field, what it was and what it may be.
        BadParameters: for a parameter that is not declared.
    """
    for place, expression, allowed in rule_expressions(label, rule):
        if (kind := kind_of(expression, params)) not in allowed:
            raise ResearchError(f"{place} was a {kind}; it is a {' or a '.join(sorted(allowed))}.")
    match rule:
        case Bracket(stop=None, limit=None, trail=None, max_bars=None):
            raise ResearchError(f"{label} holds no exit; leave it out, or give a stop, limit, trail or max_bars.")
        case Bracket(trail=trail) if trail is not None:
            _refuse_price(f"{label}.trail.offset", trail.offset)
            _refuse_price(f"{label}.trail.activation", trail.activation)
        case Adds():
            _refuse_price(f"{label}.distance", rule.distance)
            if rule.units < 2:
                raise ResearchError(f"{label}.units was {rule.units}; with fewer than 2 nothing is ever added.")
        case Session() if not 0 <= rule.start < rule.end <= _MINUTES_OF_A_DAY:
            raise ResearchError(f"{label} was {rule.start} to {rule.end}; minutes of the day, start before end.")
        case _:
            return


def _bracket_expressions(label: str, bracket: Bracket) -> Iterator[Labelled]:
    trail = bracket.trail
    named = {
        "stop": bracket.stop,
        "limit": bracket.limit,
        "trail.offset": None if trail is None else trail.offset,
        "trail.activation": None if trail is None else trail.activation,
    }
    for place, distance in named.items():
        if distance is not None:
            yield f"{label}.{place}", distance.value, _LEVEL if distance.basis is Basis.PRICE else _AMOUNT
    if bracket.max_bars is not None:
        yield f"{label}.max_bars", bracket.max_bars, _COUNT


def _refuse_price(label: str, distance: Distance | None) -> None:
    if distance is not None and distance.basis is Basis.PRICE:
        raise ResearchError(f"{label} is a price; it is counted from a price, so give a distance, percent or ticks.")
