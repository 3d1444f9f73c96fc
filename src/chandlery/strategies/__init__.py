"""Strategies: typed, frozen, JSON-serialisable definitions, and the library of them.

What belongs here: the definition language (parameters, expressions, their types, warm-up and JSON form) and one
file per strategy, `<family>/<name>.py`, holding one module-level `STRATEGY`. What does not: anything that runs a
definition over bars (`backtest/`) or searches its parameters (`optimize/`). Rooms above may import it.

A definition is the only description of a strategy: there is no `signals()` method. Expressions see bars and
parameters only, never the position; that permits batching, the proof against look-ahead and the exporters.
"""

from chandlery.strategies.decisions import Decisions, SideRules, Sides, decide
from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Const, Expression, Hist, Op, Param, Series
from chandlery.strategies.kinds import Kind, kind_of
from chandlery.strategies.parameters import Float, Int, Parameter
from chandlery.strategies.portfolio_serial import portfolio_from_json, portfolio_to_json
from chandlery.strategies.portfolios import Pair, Portfolio, Rotation, Top, TopKind
from chandlery.strategies.registry import (
    all_portfolios,
    all_strategies,
    catalogue,
    get_definition,
    get_portfolio,
    get_strategy,
)
from chandlery.strategies.rules import (
    Adds,
    Basis,
    Bracket,
    Distance,
    EntryOrder,
    OrderKind,
    Session,
    Sizing,
    SizingKind,
    Trail,
)
from chandlery.strategies.searchable import Searchable
from chandlery.strategies.serial import definition_hash, from_json, to_json
from chandlery.strategies.validation import allowed_rows, checked_rows, lattice_size, parameter_faults, validate_params
from chandlery.strategies.warmup import portfolio_warmup, signal_warmup, warmup_bars

__all__ = [
    "Adds",
    "Basis",
    "Bracket",
    "Const",
    "Decisions",
    "Distance",
    "EntryOrder",
    "Expression",
    "Float",
    "Hist",
    "Int",
    "Kind",
    "Op",
    "OrderKind",
    "Pair",
    "Param",
    "Parameter",
    "Portfolio",
    "Rotation",
    "Searchable",
    "Series",
    "Session",
    "SideRules",
    "Sides",
    "Sizing",
    "SizingKind",
    "Strategy",
    "Top",
    "TopKind",
    "Trail",
    "all_portfolios",
    "all_strategies",
    "allowed_rows",
    "catalogue",
    "checked_rows",
    "decide",
    "definition_hash",
    "from_json",
    "get_definition",
    "get_portfolio",
    "get_strategy",
    "kind_of",
    "lattice_size",
    "parameter_faults",
    "portfolio_from_json",
    "portfolio_to_json",
    "portfolio_warmup",
    "signal_warmup",
    "to_json",
    "validate_params",
    "warmup_bars",
]
