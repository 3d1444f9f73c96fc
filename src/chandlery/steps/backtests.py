"""Backtests: one strategy with one set of parameters over the bars of a file."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from chandlery.backtest import BacktestResult, Panel, buy_and_hold, run_backtest
from chandlery.backtest.execution import Costs, Execution, Mode
from chandlery.errors import BadParameters, InvalidInput, ResearchError
from chandlery.market.bars import TS
from chandlery.measures import MEASURES
from chandlery.steps.bar_files import read_bar_file
from chandlery.steps.bar_spacing import Periods, periods_per_year
from chandlery.strategies import Portfolio, Searchable, Strategy, from_json, get_definition, portfolio_from_json

_BPS = 10_000.0
_MEASURED = {
    "total_return": "cum",
    "cagr": "cagr",
    "sharpe": "sharpe",
    "sortino": "sortino",
    "max_drawdown": "dd_max",
}
"""Figures that are measures of the bar returns."""

Figures = Mapping[str, float | int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BarsQuestion:
    """Which bars, and how to read them; see `read_bar_file`. `periods_per_year` is read off the bars if None."""

    path: Path
    symbol: str | None = None
    timeframe: str | None = None
    timezone: str = "UTC"
    periods_per_year: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestReport:
    """A run, buy and hold beside it, and the figures of both.

    `figures` and `benchmark_figures` have the same names; a figure without value is None: too few observations, no
    variance, no loss. `equity` has `ts`, `equity`, `returns`, `exposure`, `benchmark`.
    """

    result: BacktestResult
    benchmark: BacktestResult
    panel: Panel
    periods: Periods
    figures: Figures
    benchmark_figures: Figures
    notes: tuple[str, ...] = field(default=())

    @property
    def equity(self) -> pl.DataFrame:
        """The curve, one row per bar, in time order."""
        return pl.DataFrame(
            {
                "ts": pl.Series(self.result.ts).cast(pl.Datetime("us")).dt.replace_time_zone("UTC").cast(TS),
                "equity": self.result.equity,
                "returns": self.result.returns,
                "exposure": self.result.exposure,
                "benchmark": self.benchmark.equity,
            }
        )


def run_on_file(
    strategy: Strategy | Portfolio, params: Mapping[str, float], question: BarsQuestion, execution: Execution
) -> BacktestReport:
    """Run `strategy` over the bars of a file, and buy and hold over the same bars with the same costs.

    Raises:
        InvalidInput: for a file that cannot be read as bars; line and remedy are named.
        BadParameters: listing one fault per parameter.
        ResearchError: for fewer bars than the warm-up needs, or a strategy over several symbols.
    """
    if not isinstance(strategy, Strategy):
        raise ResearchError(
            f"{strategy.name} takes at least {strategy.least_symbols} symbols and a file of bars holds one. "
            "Run it from Python on a MultiPanel (chandlery.backtest)."
        )
    found = read_bar_file(
        question.path, symbol=question.symbol, timeframe=question.timeframe, timezone=question.timezone
    )
    periods = _periods(question.periods_per_year, found.panel)
    result = run_backtest(strategy, params, found.panel, execution)
    benchmark = buy_and_hold(found.panel, execution)
    return BacktestReport(
        result=result,
        benchmark=benchmark,
        panel=found.panel,
        periods=periods,
        figures=_figures(result, periods),
        benchmark_figures=_figures(benchmark, periods),
        notes=found.notes,
    )


def choose_strategy(name: str | None, definition: Path | None) -> Strategy | Portfolio:
    """Return the strategy of the library called `name`, or the one a JSON file defines.

    Raises:
        InvalidInput: if not exactly one is given, or the file cannot be read.
        UnknownStrategy: naming the nearest ones.
        ResearchError: for a malformed definition; `LookAhead` for one that reads the future.
    """
    if name is not None and definition is None:
        return get_definition(name)
    if definition is None or name is not None:
        raise InvalidInput("Name one strategy, or give a definition with --definition FILE.json; not both.")
    try:
        text = definition.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{definition} could not be read: {error}. Give a definition as JSON.") from error
    return portfolio_from_json(text) if _is_portfolio(text) else from_json(text)


def parse_params(strategy: Searchable, texts: Sequence[str]) -> dict[str, float]:
    """Return the parameters written as `name=value`; names and ranges are checked where they are used.

    Raises:
        BadParameters: for a text of another form, a name given twice or a value that is no number.
    """
    found: dict[str, float] = {}
    for text in texts:
        name, sign, value = (part.strip() for part in text.partition("="))
        if not sign or not name:
            raise BadParameters(f"A parameter was {text!r}; write name=value, for example {_example(strategy)}.")
        if name in found:
            raise BadParameters(f"Parameter {name} was given twice, {found[name]:g} and {value}; give it once.")
        found[name] = _number(name, value)
    return found


def build_costs(
    mode: Mode, *, fee_bps: float, slippage_bps: float = 0.0, spread_bps: float = 0.0, slippage_ticks: int = 0
) -> Costs:
    """Return costs given in basis points of the price, as fractions.

    Raises:
        InvalidInput: for basis points outside `[0, 10000)`, and for costs the mode does not know.
    """
    given = {"fee": fee_bps, "slippage": slippage_bps, "spread": spread_bps}
    for name, value in given.items():
        if not 0.0 <= value < _BPS:
            raise InvalidInput(f"{name} was {value:g} bps; it is at least 0 and below 10000 (10 bps are 0.1 %).")
    if slippage_ticks < 0:
        raise InvalidInput(f"Slippage was {slippage_ticks} ticks; it is at least 0.")
    if mode is Mode.PINE and (slippage_bps or spread_bps):
        raise InvalidInput("Pine mode counts slippage in ticks and knows no spread: give --slippage-ticks instead.")
    if mode is Mode.SIMPLE and slippage_ticks:
        raise InvalidInput("Simple mode knows no ticks: give --slippage-bps instead of --slippage-ticks.")
    return Costs(
        fee=fee_bps / _BPS, slippage=slippage_bps / _BPS, spread=spread_bps / _BPS, slippage_ticks=slippage_ticks
    )


def _is_portfolio(text: str) -> bool:
    """Return whether a document says it is of several symbols; what is no document is left to the readers."""
    try:
        document = json.loads(text)
    except ValueError:
        return False
    return isinstance(document, dict) and "type" in document


def _example(strategy: Searchable) -> str:
    return next((f"{name}={value}" for name, value in strategy.defaults.items()), "length=20")


def _number(name: str, text: str) -> float:
    try:
        return int(text) if text.lstrip("+-").isdigit() else float(text)
    except ValueError as error:
        raise BadParameters(f"Parameter {name} was {text!r}; it is a number.") from error


def _periods(given: float | None, panel: Panel) -> Periods:
    if given is None:
        return periods_per_year(panel)
    if not (math.isfinite(given) and given > 0.0):
        raise InvalidInput(f"Periods per year were {given:g}; give a number above 0, 252 for US trading days.")
    return Periods(given, "as given")


def _figures(result: BacktestResult, periods: Periods) -> dict[str, float | int | None]:
    # The first return is 0 by convention, not by the market: nothing can be held on the first bar.
    returns = result.returns[1:]
    measured = {
        name: MEASURES[measure](returns, periods_per_year=periods.per_year).value for name, measure in _MEASURED.items()
    }
    metrics, trades = result.metrics, result.trades
    closed = metrics.closed_trades
    return {
        "final_equity": float(result.equity[-1]),
        **measured,
        "exposure": metrics.exposure_bars / result.equity.size,
        "profit_factor": metrics.gross_profit / metrics.gross_loss if metrics.gross_loss > 0.0 else None,
        "closed_trades": closed,
        "open_trades": trades.height - closed,
        "win_rate": metrics.wins / closed if closed else None,
    }
