"""Pine: a strategy as a script for TradingView, Pine v6.

What belongs here: the text, built from the definition alone. What does not: running it; the tests run the text
itself in PyneCore and compare the trades with ours. Imported by `steps/` and the command line.
"""

from collections.abc import Iterator, Mapping

from chandlery.backtest.execution import Execution, Mode
from chandlery.errors import InvalidInput, NotExportable
from chandlery.reports.pine.declaration import declaration_lines, header_lines
from chandlery.reports.pine.expressions import Statements
from chandlery.reports.pine.functions import FUNCTIONS
from chandlery.reports.pine.inputs import constraint_lines, input_lines
from chandlery.reports.pine.orders import Orders, order_expressions
from chandlery.reports.pine.syntax import Names, quoted
from chandlery.strategies import Const, Kind, Param, Series, Strategy, decide, kind_of, validate_params

__all__ = ["to_pine"]


def to_pine(
    strategy: Strategy, params: Mapping[str, float], execution: Execution, *, panel_id: str | None = None
) -> str:
    """Return the script of `strategy` with `params` as defaults of its inputs.

    Equal arguments give equal text. Missing parameters count with their default. Capital, costs and sides come
    from `execution`; tick, lot and point value belong to the symbol the script is put on and are noted in its head.

    Raises:
        NotExportable: for a definition over several symbols, or one that Pine's functions cannot express.
        InvalidInput: for an execution in simple mode, whose costs Pine does not know.
        BadParameters: listing one fault per field.
    """
    if not isinstance(strategy, Strategy):
        raise NotExportable(
            f"{getattr(strategy, 'name', strategy)} trades several symbols; a Pine script trades the one it is put on."
        )
    if execution.mode is not Mode.PINE:
        raise InvalidInput(f"Execution was in {execution.mode} mode; the export needs Mode.PINE and its costs.")
    values = validate_params(strategy, params)
    blocks = _blocks(strategy, values, execution, header_lines(strategy, values, execution, panel_id))
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _blocks(
    strategy: Strategy, values: Mapping[str, float], execution: Execution, header: list[str]
) -> Iterator[list[str]]:
    names = Names()
    labels = {name: names.take(name) for name in strategy.params}
    statements = Statements(names, strategy.params, labels)
    decisions = decide(strategy, execution.sides)
    guards = list(constraint_lines(strategy, statements))
    wishes = [(value, name) for name, value in strategy.let.items()]
    for expression, wish in [*wishes, *order_expressions(strategy, decisions)]:
        statements.read(expression, None if isinstance(expression, Const | Param | Series) else wish)
    plots = [_plot(strategy, name, statements.define(value)) for name, value in strategy.let.items()]
    orders = Orders(strategy, decisions, execution, statements, names).lines()
    yield header
    yield ["//@version=6", *declaration_lines(strategy, execution)]
    for name, text in FUNCTIONS.items():
        if name in statements.functions:
            yield list(text)
    yield input_lines(strategy.params, values, labels) + guards
    yield statements.lines
    yield orders
    yield plots


def _plot(strategy: Strategy, name: str, variable: str) -> str:
    is_flag = kind_of(strategy.let[name], strategy.params) in {Kind.SIGNAL, Kind.FLAG}
    shown = f"{variable} ? 1 : 0" if is_flag else variable
    # In the data window only: an oscillator drawn over prices would flatten them.
    return f"plot({shown}, {quoted(name)}, display = display.data_window)"
