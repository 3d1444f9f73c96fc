"""The compiled machine against the reference, operation by operation and on random expressions."""

import subprocess
import sys
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chandlery.backtest import DECISIONS, Panel, evaluate_many
from chandlery.backtest.compiler import compile_strategy
from chandlery.backtest.opcodes import CODES, FROM_PREFIX
from chandlery.backtest.reference import reference_run
from chandlery.indicators import OPS
from chandlery.strategies import Const, Expression, Int, Param, Strategy, get_strategy
from chandlery.strategies.operations import (
    absolute,
    atr,
    change,
    close,
    crossover,
    crossunder,
    ema,
    eq,
    floor,
    high,
    highest,
    hlc3,
    low,
    lowest,
    maximum,
    minimum,
    ne,
    nz,
    rma,
    rsi,
    sma,
    tr,
    volume,
    where,
)
from tests.builders.executions import costs

N = Param("n")
GAPPY = close / (floor(close) - floor(close[1]))  # undefined wherever the whole part does not move


def probe(entry: Expression, closing: Expression) -> Strategy:
    """Return a strategy of one length; the parameter always occurs."""
    return Strategy(
        name="probe",
        version=1,
        family="trend",
        title="Probe",
        doc="A probe.",
        params={"n": Int(default=7, lo=1, hi=60)},
        long_entry=entry,
        long_exit=closing & (sma(close, N) > 0.0),
    )


def assert_equal_to_the_reference(strategy: Strategy, panel: Panel, values: dict[str, float]) -> None:
    """Compare signals, metrics and moments bit by bit."""
    row = [[float(value) for value in values.values()]]
    found = evaluate_many(strategy, row, panel, costs(0.001, 0.0005), keep_moments=True, keep_signals=True)
    reference = reference_run(strategy, values, panel, costs(0.001, 0.0005))
    assert found.signals is not None
    assert found.moments is not None
    for row, name in enumerate(DECISIONS):
        np.testing.assert_array_equal(found.signals[0, row], reference.decisions[name])
    np.testing.assert_array_equal(found.metrics[0], reference.metrics.to_row())
    np.testing.assert_array_equal(found.moments[0], reference.moments)


def windows(x: Expression) -> Iterator[Expression]:
    """Yield every window and recursive operation on `x`, and the elementwise ones."""
    yield from (average(x, N) for average in (sma, ema, rma, rsi, highest, lowest, change))
    yield from (absolute(x), floor(x), nz(x, 3.0), minimum(x, high), maximum(x, low), x[N], x * 1.5 + 2, x - x / 3)
    yield where(x > close, x, high)


@pytest.mark.parametrize("x", [close, hlc3, GAPPY, close[1]], ids=["close", "hlc3", "gappy", "shifted"])
def test_every_operation_equals_its_reference_bit_by_bit(walk_panel: Panel, x: Expression) -> None:
    for length in (1, 2, 13, 60):
        for series in windows(x):
            strategy = probe(series > ema(series, 5), crossunder(series, sma(series, 3)))
            assert_equal_to_the_reference(strategy, walk_panel, {"n": length})


def test_ranges_and_comparisons_equal_their_reference(walk_panel: Panel) -> None:
    spread = tr()
    signals = [
        spread > tr(handle_na=True),
        spread >= atr(N),
        spread <= atr(N),
        eq(floor(close), floor(close[1])),
        ne(floor(close), floor(close[1])),
        ~(spread < atr(N)) & (volume > 0) | (close > high[1]),
        (close > close[1])[2],
        crossover(GAPPY, close),
        crossunder(N, floor(close)),
    ]
    for entry in signals:
        for closing in signals:
            assert_equal_to_the_reference(probe(entry, closing), walk_panel, {"n": 5})


def floats() -> st.SearchStrategy[Expression]:
    """Draw float series."""
    leaf = st.sampled_from([close, high, low, hlc3, tr(), GAPPY])
    lengths = st.one_of(st.integers(1, 40).map(Const), st.just(N))
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.builds(
                lambda f, x, n: f(x, n), st.sampled_from([sma, ema, rma, rsi, highest, lowest, change]), inner, lengths
            ),
            st.builds(lambda f, x, y: f(x, y), st.sampled_from([minimum, maximum, nz]), inner, inner),
            st.builds(lambda x, y: x - y, inner, inner),
            st.builds(lambda x, k: x[k], inner, st.integers(0, 5)),
        ),
        max_leaves=4,
    )


def signals() -> st.SearchStrategy[Expression]:
    """Draw bool series."""
    pair = st.builds(
        lambda f, x, y: f(x, y),
        st.sampled_from([crossover, crossunder, eq, lambda x, y: x > y, lambda x, y: x <= y]),
        floats(),
        floats(),
    )
    return st.recursive(pair, lambda inner: st.builds(lambda x, y: x & ~y, inner, inner), max_leaves=2)


@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    entry=signals(),
    closing=signals(),
    length=st.integers(1, 60),
    cut=st.tuples(st.integers(0, 600), st.integers(2, 220)),
)
def test_random_expressions_equal_the_reference(
    walk_panel: Panel, entry: Expression, closing: Expression, length: int, cut: tuple[int, int]
) -> None:
    part = slice(cut[0], cut[0] + cut[1])
    panel = Panel("TEST", "1d", walk_panel.ts[part], walk_panel.ohlcv[:, part])
    assert_equal_to_the_reference(probe(entry, closing), panel, {"n": length})


def test_result_is_bit_equal_for_any_number_of_threads_and_any_batching(walk_panel: Panel) -> None:
    strategy = get_strategy("donchian_breakout")
    rows = np.array([[entry, closing] for entry in range(5, 30) for closing in (3, 9, 17)], dtype=float)
    whole = evaluate_many(strategy, rows, walk_panel, costs(0.001, 0.0), keep_moments=True, threads=1)
    for threads in (2, 5, None):
        other = evaluate_many(strategy, rows, walk_panel, costs(0.001, 0.0), keep_moments=True, threads=threads)
        np.testing.assert_array_equal(other.metrics, whole.metrics)
        np.testing.assert_array_equal(other.moments, whole.moments)
    single = [evaluate_many(strategy, row[None], walk_panel, costs(0.001, 0.0)).metrics[0] for row in rows]
    np.testing.assert_array_equal(np.array(single), whole.metrics)


def test_calls_from_several_threads_queue_and_agree(walk_panel: Panel) -> None:
    strategy = get_strategy("rsi_revert")
    rows = np.tile([14.0, 30.0, 70.0], (40, 1))
    answers: list[np.ndarray] = []

    def work() -> None:
        answers.append(evaluate_many(strategy, rows, walk_panel, costs(0.001, 0.0)).metrics)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(answers) == 4
    assert all(np.array_equal(answer, answers[0]) for answer in answers)


def test_equal_subexpressions_are_computed_once_and_rows_are_reused() -> None:
    program = compile_strategy(get_strategy("sma_cross"))
    # Prelude: one running sum of closes. Per candidate: two means, two crosses, in four rows.
    assert (program.prelude.shape[0], program.tape.shape[0], program.live_rows) == (1, 4, 4)
    rsi_program = compile_strategy(get_strategy("rsi_revert"))
    # One index, two levels and two crosses; the second level takes the row of the first.
    assert (rsi_program.tape.shape[0], rsi_program.live_rows) == (5, 4)


def test_every_registered_operation_can_be_compiled() -> None:
    assert set(OPS) == {*CODES, *FROM_PREFIX, "sar_next", "supertrend_direction"}


def test_importing_strategies_and_backtest_loads_no_numba() -> None:
    code = "import sys, chandlery.strategies, chandlery.backtest; assert 'numba' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
