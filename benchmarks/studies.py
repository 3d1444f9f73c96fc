"""Whole studies, from the request to the stored answer, on 2,100 real daily bars of AAPL.

Run: `python benchmarks/studies.py`. A grid of more than 9,000 points with PBO, deflated Sharpe ratio, walk-forward
and everything stored (goal: 5 s), the same question asked of Optuna's TPE with its ordinary storage for a bounded
number of trials, and a study of 20 evaluations (goal 0.5 s). The engine is loaded before anything is timed; the first
study of a fresh process pays for that as well (see `benchmarks/strategies.py`).
"""

import math
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

import optuna
import polars as pl

from benchmarks._warehouse import temporary_warehouse
from chandlery.backtest import Costs, Execution, Panel, evaluate_many
from chandlery.errors import BadParameters
from chandlery.market.symbols import AssetClass
from chandlery.optimize.record import open_storage, quiet_optuna
from chandlery.optimize.space import Space
from chandlery.settings import Settings
from chandlery.steps.studies import run_requested_study
from chandlery.steps.study_jobs import submit_study
from chandlery.steps.study_receipt import StudyReceipt
from chandlery.steps.study_request import StudyRequest
from chandlery.store.copying import copy_rows
from chandlery.store.universe import register_instrument
from chandlery.store.warehouse import Warehouse
from chandlery.strategies import get_strategy

TAPE = Path(__file__).resolve().parents[2] / "shared" / "data" / "tapes" / "us_daily" / "AAPL.parquet"
BARS = 2_100
FEE_BPS = 5.0
GRID = StudyRequest(
    strategy="sma_cross",
    symbol="AAPL",
    trials=20_000,
    fee_bps=FEE_BPS,
    method="exhaustive",
    ranges={"fast": (10, 105, 1), "slow": (110, 300, 2)},
)
SMALL = StudyRequest(strategy="rsi_revert", symbol="AAPL", trials=20, fee_bps=FEE_BPS)
ORDINARY_TRIALS = 100
ROUNDS = 5
_TABLE = """
create schema if not exists marts;
create table marts.prices_daily (symbol text, session date, ts timestamptz, open float8, high float8, low float8,
    close float8, volume float8, source text)
"""


def bars() -> pl.DataFrame:
    """Return the last 2,100 split-adjusted days of the tape."""
    names = ("open", "high", "low", "close", "volume")
    frame = pl.read_parquet(TAPE).tail(BARS)
    adjusted = [pl.col(f"adj_{name}").alias(name) for name in names]
    return frame.select(pl.col("session").cast(pl.Datetime("us", "UTC")).alias("ts"), *adjusted)


def _stocked(warehouse: Warehouse) -> None:
    """Put the prices where a study looks for them, without the models that usually make them."""
    with warehouse.write() as connection:
        register_instrument(
            connection, symbol="AAPL", asset_class=AssetClass.STOCKS, calendar="NYSE", name=None, source="bench"
        )
        connection.exec_driver_sql(_TABLE)
        copy_rows(connection, "marts.prices_daily", bars(), constants={"symbol": "AAPL", "source": "bench"})
        connection.exec_driver_sql("update marts.prices_daily set session = ts::date")


def study(warehouse: Warehouse, settings: Settings, request: StudyRequest) -> tuple[float, StudyReceipt]:
    """Run one study as an asset does; return its seconds and what it found."""
    job = submit_study(warehouse, request, created_by="bench", priority=5)
    began = time.perf_counter()
    receipt = run_requested_study(warehouse, settings, request, job=job, run_id=f"bench-{job.job_id}")
    return time.perf_counter() - began, receipt


def ordinary(warehouse: Warehouse, trials: int) -> float:
    """Return seconds of the same search by TPE, trial by trial, in Optuna's ordinary storage."""
    strategy = get_strategy("sma_cross")
    panel = Panel.from_bars(bars(), symbol="AAPL", timeframe="1d")
    space, execution = Space(strategy), Execution(costs=Costs(fee=FEE_BPS / 1e4))
    url = warehouse.url("pipeline", driver="psycopg", schema="optuna")
    with quiet_optuna(), open_storage(url) as storage:
        sampler = optuna.samplers.TPESampler(seed=1)
        searched = optuna.create_study(storage=storage, study_name="ordinary", direction="maximize", sampler=sampler)
        began = time.perf_counter()
        for _ in range(trials):
            trial = searched.ask(space.distributions())
            row = [[float(trial.params[name]) for name in strategy.param_names]]
            try:
                value = float(evaluate_many(strategy, row, panel, execution).column("bar_sharpe")[0])
            except BadParameters:
                # Outside the constraints, which Optuna does not know.
                value = 0.0
            searched.tell(trial, value if math.isfinite(value) else 0.0)
        return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    with temporary_warehouse() as (warehouse, home):
        _stocked(warehouse)
        settings = Settings(home=home, database=warehouse.database, profile="server")
        study(warehouse, settings, replace(SMALL, seed=999))
        grids = [study(warehouse, settings, replace(GRID, seed=seed)) for seed in range(ROUNDS)]
        smalls = [study(warehouse, settings, replace(SMALL, seed=seed))[0] for seed in range(3 * ROUNDS)]
        slow = ordinary(warehouse, ORDINARY_TRIALS)
    trials = grids[0][1].trials
    best, middle = min(seconds for seconds, _ in grids), median(seconds for seconds, _ in grids)
    print(f"grid of {trials:,} points: {middle:.2f} s (best {best:.2f} s, goal 5 s), {trials / middle:,.0f} trials/s")
    print(f"  {grids[0][1].verdict}")
    print(
        f"Optuna TPE and storage, trial by trial: {ORDINARY_TRIALS / slow:,.0f} trials/s, the grid is "
        f"{trials / middle / (ORDINARY_TRIALS / slow):,.0f} x"
    )
    print(f"20 evaluations: {median(smalls):.3f} s (best {min(smalls):.3f} s, goal 0.5 s)")


if __name__ == "__main__":
    main()
