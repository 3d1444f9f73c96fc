"""Bulk persistence of a study against Optuna's ordinary storage on the same server.

    python -m benchmarks.persistence

9,000 trials of three parameters with 64 blocks of moments are committed in batches as a study commits them:
evaluations, moments files and Optuna's tables. Then a bounded number of trials goes through Optuna's own storage, by
`add_trials` and by ask and tell. Goals: 15,000 trials/s and 100 times the faster of the two.
"""

from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import create_trial

from benchmarks._warehouse import temporary_warehouse
from chandlery.market.symbols import AssetClass
from chandlery.optimize.batches import Batch
from chandlery.optimize.record import open_storage, quiet_optuna
from chandlery.optimize.space import Space
from chandlery.optimize.trial_rows import make_tables
from chandlery.steps.study_record import WarehouseRecord
from chandlery.store.studies import OpenedStudy, StudyOpening, open_study
from chandlery.store.universe import register_instrument
from chandlery.store.warehouse import Warehouse
from chandlery.strategies import get_strategy

TRIALS = 9_000
BATCHES = (1_000, 3_000, 9_000)
SLOW_TRIALS = 200
BLOCKS = 64
STRATEGY = "rsi_revert"
GOAL_RATE, GOAL_RATIO = 15_000, 100
_STORED = """
    select (select count(*) from research.evaluations where study_id = '{study}'), count(distinct trial_id),
        count(distinct param_id), count(distinct trial_value_id)
    from optuna.studies
    inner join optuna.trials using (study_id)
    inner join optuna.trial_params using (trial_id)
    inner join optuna.trial_values using (trial_id)
    where study_name = '{study}'
"""
_DAY = datetime(2024, 1, 2, tzinfo=UTC)


def _opened(warehouse: Warehouse, instrument_id: int, name: str) -> OpenedStudy:
    opening = StudyOpening(
        study_id=name,
        study_name=name,
        strategy=STRATEGY,
        strategy_version=1,
        definition_hash="d",
        instrument_id=instrument_id,
        timeframe="1d",
        panel_id="p",
        first_ts=_DAY,
        last_ts=_DAY,
        bars=2_500,
        question={"seed": 1},
        method="exhaustive",
        objective="bar_sharpe",
        budget=TRIALS,
        seed=1,
        source="bench",
        code_version="0",
        run_id=None,
    )
    return open_study(warehouse, opening)


def _batches(space: Space, size: int) -> list[Batch]:
    draw = np.random.default_rng(0)
    numbers = draw.choice(space.size, TRIALS, replace=False)
    return [
        Batch(
            index=index,
            part=0,
            first_seq=first,
            numbers=numbers[first : first + size],
            params=space.rows(numbers[first : first + size]),
            scores=draw.normal(size=(size, 1)),
            metrics=draw.normal(size=(size, 8)).round(8) * 100,
            moments=draw.normal(size=(size, BLOCKS, 4)),
            states=np.zeros(size, dtype=np.uint8),
        )
        for index, first in enumerate(range(0, TRIALS, size))
    ]


def _bulk(warehouse: Warehouse, instrument_id: int, folder: Path, space: Space, size: int) -> float:
    opened = _opened(warehouse, instrument_id, f"bulk{size}")
    batches = _batches(space, size)
    start = perf_counter()
    with warehouse.kept() as kept:
        record = WarehouseRecord(kept, opened, space=space, folder=folder)
        for batch in batches:
            record.commit(batch)
    rate = TRIALS / (perf_counter() - start)
    with warehouse.read() as reader:
        stored = reader.exec_driver_sql(_STORED.format(study=opened.study_id)).one()
    if tuple(stored) != (TRIALS, TRIALS, 3 * TRIALS, TRIALS):
        raise SystemExit(f"Stored were {tuple(stored)} evaluations, trials, parameters and values.")
    return rate


def _added(url: str, space: Space) -> float:
    numbers = np.random.default_rng(1).choice(space.size, SLOW_TRIALS, replace=False)
    distributions = space.distributions()
    trials = [
        create_trial(params=space.values_at(int(number)), distributions=distributions, value=0.5) for number in numbers
    ]
    with quiet_optuna(), open_storage(url) as storage:
        study = optuna.create_study(storage=storage, study_name="added", direction="maximize")
        start = perf_counter()
        study.add_trials(trials)
        return SLOW_TRIALS / (perf_counter() - start)


def _told(url: str, space: Space) -> float:
    distributions: dict[str, BaseDistribution] = space.distributions()
    with quiet_optuna(), open_storage(url) as storage:
        sampler = optuna.samplers.RandomSampler(seed=1)
        study = optuna.create_study(storage=storage, study_name="told", direction="maximize", sampler=sampler)
        start = perf_counter()
        for _ in range(SLOW_TRIALS):
            study.tell(study.ask(distributions), 0.5)
        return SLOW_TRIALS / (perf_counter() - start)


def main() -> None:
    """Measure and print both ways."""
    space = Space(get_strategy(STRATEGY))
    with temporary_warehouse() as (warehouse, home):
        url = warehouse.url("pipeline", driver="psycopg", schema="optuna")
        make_tables(url)
        with warehouse.write() as connection:
            instrument = register_instrument(
                connection, symbol="AAPL", asset_class=AssetClass.STOCKS, calendar="NYSE", name=None, source="bench"
            )
        bulk = {size: _bulk(warehouse, instrument.instrument_id, home / "studies", space, size) for size in BATCHES}
        added, told = _added(url, space), _told(url, space)
    for size, rate in bulk.items():
        print(f"bulk, batches of {size:>5}: {rate:>9,.0f} trials/s")
    print(f"Optuna add_trials:      {added:>9,.0f} trials/s ({SLOW_TRIALS} trials)")
    print(f"Optuna ask and tell:    {told:>9,.0f} trials/s ({SLOW_TRIALS} trials)")
    rate, ratio = bulk[BATCHES[-1]], bulk[BATCHES[-1]] / max(added, told)
    print(f"batches of {BATCHES[-1]}: {rate:,.0f} trials/s (goal {GOAL_RATE:,}), {ratio:,.0f}x (goal {GOAL_RATIO})")


if __name__ == "__main__":
    main()
