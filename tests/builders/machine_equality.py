"""The machine beside the reference, bit by bit."""

from collections.abc import Mapping

import numpy as np

from chandlery.backtest import DECISIONS, Execution, Panel, evaluate_many, run_backtest
from chandlery.backtest.reference import reference_run
from chandlery.strategies import Strategy, warmup_bars


def assert_machine_equals_reference(
    strategy: Strategy, params: Mapping[str, float], panel: Panel, execution: Execution
) -> int:
    """Compare decisions, metrics, moments and, where the panel is long enough, curve and trades; count the trades."""
    row = np.array([[float(params[name]) for name in strategy.param_names]])
    found = evaluate_many(strategy, row, panel, execution, keep_moments=True, keep_signals=True)
    reference = reference_run(strategy, params, panel, execution)
    assert found.signals is not None
    assert found.moments is not None
    for position, name in enumerate(DECISIONS):
        np.testing.assert_array_equal(found.signals[0, position], reference.decisions[name], err_msg=name)
    if warmup_bars(strategy, row)[0] + 2 <= panel.bars:
        result = run_backtest(strategy, params, panel, execution)
        ours = [
            (
                1 if row["side"] == "long" else -1,
                *(row[name] for name in ("entry_bar", "entry_price", "exit_bar", "exit_price", "exit_reason")),
                *(row[name] for name in ("quantity", "cost", "fees", "profit")),
            )
            for row in result.trades.iter_rows(named=True)
        ]
        names = ["side", "entry_bar", "entry_price", "exit_bar", "exit_price", "reason"]
        names += ["quantity", "cost", "fees", "profit"]
        theirs = [tuple(getattr(trade, name) for name in names) for trade in reference.trades]
        for number, (mine, other) in enumerate(zip(ours, theirs, strict=False)):
            assert mine == other, f"trade {number}"
        assert len(ours) == len(theirs)
        np.testing.assert_array_equal(result.equity, reference.equity)
        np.testing.assert_array_equal(result.exposure, reference.exposure)
        np.testing.assert_array_equal(result.metrics.to_row(), reference.metrics.to_row())
    np.testing.assert_array_equal(found.metrics[0], reference.metrics.to_row())
    np.testing.assert_array_equal(found.moments[0], reference.moments)
    return len(reference.trades)
