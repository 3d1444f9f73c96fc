"""One study in a warehouse: its opening and batches of made-up candidates of `rsi_revert`."""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from chandlery.market.symbols import AssetClass
from chandlery.optimize.batches import Batch
from chandlery.optimize.space import Space
from chandlery.store.studies import StudyOpening
from chandlery.store.universe import register_instrument
from chandlery.store.warehouse import Warehouse
from chandlery.strategies import get_strategy

DAYS = [datetime(2024, 1, day, 5, tzinfo=UTC) for day in (2, 3, 4)]
STRATEGY = "rsi_revert"
NAMES = ["length", "oversold", "overbought"]
WHOLE = {"length": True, "oversold": False, "overbought": False}


def space() -> Space:
    return Space(get_strategy(STRATEGY))


def instrument_of(warehouse: Warehouse, symbol: str = "AAPL") -> int:
    with warehouse.write() as connection:
        found = register_instrument(
            connection, symbol=symbol, asset_class=AssetClass.STOCKS, calendar="NYSE", name=None, source="wiki"
        )
    return found.instrument_id


def opening(instrument_id: int, study_id: str = "s1", **changes: Any) -> StudyOpening:
    facts: dict[str, Any] = {
        "study_id": study_id,
        "study_name": f"{STRATEGY}-{study_id}",
        "strategy": STRATEGY,
        "strategy_version": 1,
        "definition_hash": "d",
        "instrument_id": instrument_id,
        "timeframe": "1d",
        "panel_id": "p",
        "first_ts": DAYS[0],
        "last_ts": DAYS[-1],
        "bars": 3,
        "question": {"panel_id": "p", "seed": 7, "objectives": ["bar_sharpe"]},
        "method": None,
        "objective": "bar_sharpe",
        "budget": 60,
        "seed": 7,
        "source": "wiki",
        "code_version": "0.1.0",
        "run_id": "run-1",
    }
    return StudyOpening(**facts | changes)


def made_batch(index: int = 0, *, size: int = 5, part: int = 0, first_seq: int | None = None, **changes: Any) -> Batch:
    """Return a batch of points the other batches do not have: figures are drawn, seeded by the place."""
    draw = np.random.default_rng((index, part))
    first = index * size if first_seq is None else first_seq
    numbers = np.arange(first, first + size, dtype=np.int64) * 7
    facts: dict[str, Any] = {
        "index": index,
        "part": part,
        "first_seq": first,
        "numbers": numbers,
        "params": space().rows(numbers),
        "scores": draw.normal(size=(size, 1)),
        "metrics": np.column_stack(
            [
                draw.normal(size=size),
                *draw.integers(1, 99, (2, size)),
                *draw.normal(size=(4, size)),
                draw.integers(1, 99, size),
            ]
        ),
        "moments": draw.normal(size=(size, 4, 4)),
        "states": np.zeros(size, dtype=np.uint8),
    }
    return Batch(**facts | changes)


def differences(found: Batch, expected: Batch) -> list[str]:
    """Return the fields in which two batches differ, were it by the last bit of a number."""
    arrays = ("numbers", "params", "scores", "metrics", "moments", "states")
    facts = ("index", "part", "first_seq", "reasons")
    differing = [
        name for name in arrays if not np.array_equal(getattr(found, name), getattr(expected, name), equal_nan=True)
    ]
    return differing + [name for name in facts if getattr(found, name) != getattr(expected, name)]
