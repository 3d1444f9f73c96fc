"""Exports: a strategy with chosen parameters as the source text of another platform."""

from collections.abc import Mapping

from chandlery.backtest.execution import Execution
from chandlery.errors import NotExportable
from chandlery.reports.pine import to_pine
from chandlery.strategies import Portfolio, Strategy


def export_pine(
    strategy: Strategy | Portfolio, params: Mapping[str, float], execution: Execution, *, panel_id: str | None = None
) -> str:
    """Return the Pine v6 script of `strategy`; missing parameters have their default.

    `panel_id` names in the head of the script the bars on which the parameters were found.

    Raises:
        BadParameters: listing one fault per parameter.
        NotExportable: for a strategy that Pine cannot express.
    """
    if not isinstance(strategy, Strategy):
        raise NotExportable(f"{strategy.name} trades several symbols; a Pine script trades the one it is put on.")
    return to_pine(strategy, params, execution, panel_id=panel_id)
