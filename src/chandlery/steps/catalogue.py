"""Catalogue: what every strategy of the library is, as plain facts for lists, pages and programs."""

from dataclasses import asdict

import numpy as np

from chandlery.errors import InvalidInput
from chandlery.strategies import (
    Portfolio,
    Strategy,
    catalogue,
    definition_hash,
    get_definition,
    lattice_size,
    portfolio_warmup,
    warmup_bars,
)
from chandlery.strategies.schema import parameter_schema
from chandlery.strategies.wording import say, say_let, say_portfolio, say_rules, say_signals

Facts = dict[str, object]


def list_strategies(family: str | None = None) -> list[Facts]:
    """Return the facts of every strategy, or of one family, by family and name.

    Raises:
        InvalidInput: for a family that does not exist.
    """
    every = catalogue().values()
    families = list(dict.fromkeys(strategy.family for strategy in every))
    if family is not None and family not in families:
        raise InvalidInput(f"Family was {family!r}; there are {', '.join(families)}.")
    return [strategy_facts(strategy) for strategy in every if family in {None, strategy.family}]


def show_strategy(name: str) -> Facts:
    """Return all there is to know of one strategy: its facts, signals and rules as text, and parameter schema.

    Raises:
        UnknownStrategy: naming the nearest ones.
    """
    strategy = get_definition(name)
    return {
        **strategy_facts(strategy),
        "let": say_let(strategy),
        "signals": say_signals(strategy) if isinstance(strategy, Strategy) else say_portfolio(strategy),
        "rules": say_rules(strategy) if isinstance(strategy, Strategy) else {},
        "schema": parameter_schema(strategy),
    }


def strategy_facts(strategy: Strategy | Portfolio) -> Facts:
    """Return the facts of one strategy; `warmup` in bars, with the defaults."""
    return {
        "name": strategy.name,
        "family": strategy.family,
        "title": strategy.title,
        "version": strategy.version,
        "doc": strategy.doc,
        "refs": list(strategy.refs),
        "params": [
            {"name": name, "type": type(parameter).__name__.lower(), **asdict(parameter)}
            for name, parameter in strategy.params.items()
        ],
        "constraints": [say(constraint) for constraint in strategy.constraints],
        "exportable": isinstance(strategy, Strategy),
        "lattice": lattice_size(strategy),
        "warmup": default_warmup(strategy),
        "definition_hash": definition_hash(strategy),
    }


def default_warmup(strategy: Strategy | Portfolio) -> int:
    """Return the bars before the first full decision, with the defaults."""
    defaults = np.array([[float(value) for value in strategy.defaults.values()]])
    bars = warmup_bars(strategy, defaults) if isinstance(strategy, Strategy) else portfolio_warmup(strategy, defaults)
    return int(bars[0])
