"""Research: publish the strategy catalogue, run one study and store it with its evidence."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import polars as pl

from chandlery.backtest import Costs, Execution, Panel
from chandlery.errors import NotFound
from chandlery.log import get_logger
from chandlery.market.symbols import Instrument, parse_symbol
from chandlery.optimize import OBJECTIVE, StudyResult, run_study
from chandlery.reports.preview import sparkline_svg
from chandlery.settings import OptimizeSettings
from chandlery.store.candles import read_prices
from chandlery.store.research import StudyRecord, save_strategies, save_study
from chandlery.store.universe import find_instrument
from chandlery.store.warehouse import Warehouse
from chandlery.strategies import Strategy, all_strategies, definition_hash, get_strategy, to_json

log = get_logger(__name__)

_TIMEFRAME = "1d"
_BPS = 10_000.0


@dataclass(frozen=True, slots=True)
class StudyReceipt:
    """What one study found."""

    study_id: str
    strategy: str
    symbol: str
    method: str
    trials: int
    best: Mapping[str, float | int]
    metrics: tuple[Mapping[str, object], ...]
    verdict: str
    plot: str

    @property
    def summary(self) -> dict[str, object]:
        """One row for a table of studies."""
        best = ", ".join(f"{name} {value:g}" for name, value in self.best.items())
        return {
            "strategy": self.strategy,
            "method": self.method,
            "trials": self.trials,
            "best": best,
            "verdict": self.verdict,
        }


def strategy_names() -> tuple[str, ...]:
    """Return the names of all strategies."""
    return tuple(all_strategies())


def publish_catalogue(warehouse: Warehouse) -> tuple[dict[str, object], ...]:
    """Store every strategy definition; return one summary row each."""
    definitions = {name: json.loads(to_json(strategy)) for name, strategy in all_strategies().items()}
    rows = [
        {**_summary(strategy), "definition_hash": definition_hash(strategy), "definition": definitions[name]}
        for name, strategy in all_strategies().items()
    ]
    save_strategies(warehouse, rows)
    return tuple(_summary(strategy) for strategy in all_strategies().values())


def run_strategy_study(
    warehouse: Warehouse, name: str, *, choices: OptimizeSettings, run_id: str | None
) -> StudyReceipt:
    """Search the parameters of a strategy on split-adjusted daily prices, and store result, trades and equity.

    The same strategy, prices and choices give the same study id: a rerun replaces its own result.

    Raises:
        UnknownStrategy: no such strategy.
        NotFound: the symbol is not tracked or has no daily prices.
        ResearchError: too few bars for the strategy's warm-up.
    """
    strategy = get_strategy(name)
    symbol = parse_symbol(choices.symbol)
    with warehouse.read() as connection:
        instrument = find_instrument(connection, symbol)
    prices = read_prices(warehouse, (symbol,))
    if prices.is_empty():
        raise NotFound(f"{symbol} has no daily prices to study. Ingest its day bars first (`chandlery demo`).")
    panel = Panel.from_bars(prices, symbol=symbol, timeframe=_TIMEFRAME)
    study_id = _study_id(strategy, panel, choices)
    result = run_study(
        strategy,
        panel,
        trials=choices.trials,
        seed=choices.seed,
        study_name=f"{name}-{symbol}-{study_id[:12]}",
        execution=Execution(costs=Costs(fee=choices.fee_bps / _BPS, slippage=choices.slippage_bps / _BPS)),
        storage_url=warehouse.url("pipeline", driver="psycopg", schema="optuna"),
    )
    record = _record(study_id, strategy, instrument, panel, result, prices=prices, run_id=run_id)
    save_study(warehouse, record, evaluated=_evaluations(result), curve=_curve(result, prices), traded=_trades(result))
    log.info("study_finished", strategy=name, symbol=symbol, method=result.method, trials=result.trials)
    return _receipt(study_id, symbol, result)


def _summary(strategy: Strategy) -> dict[str, object]:
    return {
        "strategy": strategy.name,
        "version": strategy.version,
        "family": strategy.family,
        "title": strategy.title,
    }


def _study_id(strategy: Strategy, panel: Panel, choices: OptimizeSettings) -> str:
    question = [definition_hash(strategy), panel.panel_id, choices.trials, choices.seed]
    question += [choices.fee_bps, choices.slippage_bps]
    return hashlib.sha256(json.dumps(question).encode()).hexdigest()[:32]


def _record(
    study_id: str,
    strategy: Strategy,
    instrument: Instrument,
    panel: Panel,
    result: StudyResult,
    *,
    prices: pl.DataFrame,
    run_id: str | None,
) -> StudyRecord:
    return StudyRecord(
        study_id=study_id,
        strategy=strategy.name,
        strategy_version=strategy.version,
        definition_hash=result.definition_hash,
        instrument_id=instrument.instrument_id,
        timeframe=_TIMEFRAME,
        panel_id=panel.panel_id,
        first_ts=prices["ts"][0],
        last_ts=prices["ts"][-1],
        bars=panel.bars,
        method=result.method,
        objective=OBJECTIVE,
        trials=result.trials,
        seed=result.seed,
        best_params=dict(result.best_params),
        metrics=_metrics(result),
        verdict=result.verdict,
        source="+".join(sorted(set(prices["source"].to_list()))),
        code_version=version("chandlery"),
        run_id=run_id,
    )


def _metrics(result: StudyResult) -> dict[str, Any]:
    figures = {
        **asdict(result.best_metrics),
        **{f"benchmark_{name}": value for name, value in asdict(result.benchmark.metrics).items()},
        "psr": result.psr,
        "luck_sharpe": result.luck_sharpe,
        "deflated_sharpe": result.deflated_sharpe,
        "lattice_size": result.lattice_size,
        "fee": result.best.execution.costs.fee,
        "slippage": result.best.execution.costs.slippage,
    }
    return {name: _finite(value) for name, value in figures.items()}


def _finite(value: float | None) -> float | None:
    return value if value is None or np.isfinite(value) else None


def _evaluations(result: StudyResult) -> list[dict[str, Any]]:
    names = list(result.best_params)
    rows = []
    for seq, row in enumerate(result.evaluations.to_dicts()):
        figures = {name: _finite(value) for name, value in row.items() if name not in names}
        rows.append({"seq": seq, "params": {name: row[name] for name in names}, "metrics": figures})
    return rows


def _curve(result: StudyResult, prices: pl.DataFrame) -> list[dict[str, Any]]:
    curves = zip(prices["ts"].to_list(), result.best.equity.tolist(), result.benchmark.equity.tolist(), strict=True)
    return [{"ts": ts, "equity": own, "benchmark": held} for ts, own, held in curves]


def _trades(result: StudyResult) -> list[dict[str, Any]]:
    rows = result.best.trades.to_dicts()
    return [
        {
            "seq": seq,
            "entry_ts": row["entry_ts"],
            "exit_ts": row["exit_ts"],
            "entry_price": row["entry_price"],
            "exit_price": row["exit_price"],
            "net_return": row["profit"] / row["cost"],
        }
        for seq, row in enumerate(rows)
    ]


def _receipt(study_id: str, symbol: str, result: StudyResult) -> StudyReceipt:
    own, held = asdict(result.best_metrics), asdict(result.benchmark.metrics)
    return StudyReceipt(
        study_id=study_id,
        strategy=result.strategy_name,
        symbol=symbol,
        method=result.method,
        trials=result.trials,
        best=dict(result.best_params),
        metrics=tuple({"metric": name, "best": own[name], "buy and hold": held[name]} for name in own),
        verdict=result.verdict,
        plot=sparkline_svg(result.best.equity.tolist(), width=640, height=160),
    )
