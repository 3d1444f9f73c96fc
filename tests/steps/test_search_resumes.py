"""A search over the warehouse's record: stopped, damaged and resumed, it ends with the table of an undisturbed one."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from executions import costs
from kept_study import instrument_of, opening

from chandlery.backtest import Panel
from chandlery.optimize import MemoryRecord, SearchOutcome, run_search, study_facts
from chandlery.optimize.space import Space
from chandlery.steps.study_record import WarehouseRecord
from chandlery.store.studies import open_study
from chandlery.store.warehouse import Warehouse
from chandlery.strategies import get_strategy

STRATEGY = get_strategy("rsi_revert")
EXECUTION = costs(0.001, 0.0005)
ASKED: dict[str, Any] = {"execution": EXECUTION, "budget": 300, "seed": 7, "method": "de"}


@pytest.fixture(scope="module")
def panel() -> Panel:
    draw = np.random.default_rng(9)
    close = 100.0 * np.exp(np.cumsum(draw.normal(0.0003, 0.012, 400)))
    opens = np.concatenate(([100.0], close[:-1]))
    bars = [opens, np.maximum(opens, close) * 1.002, np.minimum(opens, close) / 1.002, close, np.ones(400)]
    return Panel("WALK", "1d", np.arange(400, dtype=np.int64) * 86_400_000_000, np.stack(bars))


def test_search_stopped_and_damaged_ends_with_the_table_of_an_undisturbed_one(
    warehouse: Warehouse, panel: Panel, tmp_path: Path
) -> None:
    facts = study_facts(STRATEGY, panel, objectives=("bar_sharpe",), **ASKED)
    question = opening(instrument_of(warehouse), question=dict(facts), method="de", budget=300)

    def search(stop_after: int | None = None) -> SearchOutcome:
        asked = iter(range(1_000))
        record = WarehouseRecord(warehouse, open_study(warehouse, question), space=Space(STRATEGY), folder=tmp_path)
        return run_search(
            STRATEGY,
            panel,
            study_name=question.study_name,
            record=record,
            cancelled=lambda: stop_after is not None and next(asked) >= stop_after,
            **ASKED,
        )

    assert not search(stop_after=2).is_complete
    lost = tmp_path / "s1" / "0-0.npy"
    content = lost.read_bytes()
    lost.unlink()
    found = search().table
    expected = run_search(STRATEGY, panel, study_name="memory", record=MemoryRecord(), **ASKED).table
    for name in ("numbers", "params", "scores", "metrics", "moments", "states"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)
    assert found.reasons == expected.reasons
    assert lost.read_bytes() == content
