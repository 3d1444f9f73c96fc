"""What every registered strategy promises: no look-ahead, warm-up, determinism, invariance, one meaning."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from machine_equality import assert_machine_equals_reference
from numpy.typing import NDArray

from chandlery.backtest import Costs, Execution, Mode, Panel, evaluate_many, run_backtest
from chandlery.backtest.reference import signal_values
from chandlery.errors import BadParameters, InvalidInput, ResearchError
from chandlery.market.bars import empty_bars
from chandlery.strategies import (
    Sides,
    Strategy,
    all_strategies,
    allowed_rows,
    definition_hash,
    from_json,
    lattice_size,
    signal_warmup,
    to_json,
    validate_params,
    warmup_bars,
)

TAPES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tapes" / "us_daily"
EXECUTION = Execution(costs=Costs(fee=0.001, slippage=0.0005))
BOTH_SIDES = replace(EXECUTION, sides=Sides.BOTH)
AS_EXPORTED = Execution(
    mode=Mode.PINE, sides=Sides.BOTH, costs=Costs(fee=0.001, slippage_ticks=1), capital=100_000.0, lot=0.01
)

every_strategy = pytest.mark.parametrize("strategy", all_strategies().values(), ids=lambda strategy: strategy.name)
seeds = pytest.mark.parametrize("seed", range(3))


def random_panel(seed: int, *, bars: int = 1_000, flats: int = 4) -> Panel:
    """Return a seeded walk with overnight gaps, jumps, flat stretches and bars without range."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0.0, 0.01, bars) + (rng.random(bars) < 0.01) * rng.normal(0.0, 0.15, bars)
    for start in rng.integers(0, bars, flats):
        steps[start : start + int(rng.integers(2, 50))] = 0.0
    close = 100.0 * np.exp(np.cumsum(steps))
    gaps = rng.normal(0.0, 0.003, bars) * (rng.random(bars) < 0.7)
    gaps += rng.normal(0.0, 0.03, bars) * (rng.random(bars) < 0.03)
    opening = np.concatenate(([100.0], close[:-1])) * np.exp(gaps)
    reach = rng.exponential(0.004, (2, bars)) * (rng.random(bars) < 0.9)
    high, low = np.maximum(opening, close) * (1.0 + reach[0]), np.minimum(opening, close) / (1.0 + reach[1])
    stamps = np.arange(bars, dtype=np.int64) * 86_400_000_000
    return Panel("RANDOM", "1d", stamps, np.stack([opening, high, low, close, rng.integers(0, 10_000, bars)]))


def in_sessions(panel: Panel) -> Panel:
    """Return the bars as minutes of winter days in New York, 390 a day from 9:30."""
    day, minute = np.divmod(np.arange(panel.bars, dtype=np.int64), 390)
    stamps = (day * 86_400 + (14 * 60 + 30 + minute) * 60) * 1_000_000
    return Panel(panel.symbol, "1m", stamps, panel.ohlcv, "America/New_York")


def random_rows(strategy: Strategy, seed: int, count: int) -> NDArray[np.float64]:
    """Return `count` allowed candidates; the first holds the defaults."""
    rng = np.random.default_rng(seed)
    rows = [list(map(float, strategy.defaults.values()))]
    while len(rows) < count:
        row = [float(p.value_at(int(rng.integers(p.points)))) for p in strategy.params.values()]
        if allowed_rows(strategy, np.array([row]))[0]:
            rows.append(row)
    return np.array(rows)


def assert_equal(strategy: Strategy, rows: NDArray[np.float64], panel: Panel, *executions: Execution) -> None:
    """Compare decisions, trades, curve, metrics and block moments bit by bit."""
    for execution in executions:
        for row in rows:
            values = dict(zip(strategy.param_names, row.tolist(), strict=True))
            assert_machine_equals_reference(strategy, values, panel, execution)


@every_strategy
@seeds
def test_signals_on_a_prefix_equal_the_signals_on_all_bars(strategy: Strategy, seed: int) -> None:
    panel, rng = random_panel(seed), np.random.default_rng(seed)
    rows = random_rows(strategy, seed, 4)
    whole = evaluate_many(strategy, rows, panel, EXECUTION, keep_signals=True).signals
    assert whole is not None
    for bars in rng.integers(2, panel.bars, 12).tolist():
        part = evaluate_many(strategy, rows, panel.head(bars), EXECUTION, keep_signals=True).signals
        np.testing.assert_array_equal(part, whole[:, :, :bars])


@every_strategy
@pytest.mark.parametrize("execution", [BOTH_SIDES, AS_EXPORTED], ids=["simple", "pine"])
def test_equity_on_a_prefix_equals_that_on_all_bars(strategy: Strategy, execution: Execution) -> None:
    panel = random_panel(8)
    whole = run_backtest(strategy, {}, panel, execution)
    warmup = int(warmup_bars(strategy, np.array([list(strategy.defaults.values())], dtype=float))[0])
    for bars in np.random.default_rng(8).integers(warmup + 2, panel.bars, 4).tolist():
        part = run_backtest(strategy, {}, panel.head(bars), execution)
        np.testing.assert_array_equal(part.equity, whole.equity[:bars])


@every_strategy
def test_short_signals_on_a_prefix_equal_those_on_all_bars(strategy: Strategy) -> None:
    panel = random_panel(5)
    for bars in (2, 300, 777):
        for signal in strategy.signals.values():
            whole = signal_values(signal, strategy.defaults, panel)
            np.testing.assert_array_equal(signal_values(signal, strategy.defaults, panel.head(bars)), whole[:bars])


@every_strategy
def test_machine_equals_the_reference_on_random_bars(strategy: Strategy) -> None:
    for seed, execution in enumerate((EXECUTION, BOTH_SIDES, AS_EXPORTED)):
        assert_equal(strategy, random_rows(strategy, seed + 10, 2), random_panel(seed + 100, bars=600), execution)


@every_strategy
@settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_machine_equals_the_reference_on_coarse_prices(strategy: Strategy, data: st.DataObject) -> None:
    closes = np.array(data.draw(st.lists(st.integers(95, 105), min_size=2, max_size=120)), dtype=float)
    opens = np.concatenate((closes[:1], closes[:-1]))
    stamps = np.arange(closes.size, dtype=np.int64)
    bars = [opens, np.maximum(opens, closes), np.minimum(opens, closes), closes, np.ones_like(closes)]
    row = [float(parameter.lo) for parameter in strategy.params.values()]
    executions = (EXECUTION, AS_EXPORTED)
    assert_equal(strategy, np.array([row]), Panel("COARSE", "1m", stamps, np.stack(bars)), *executions)


@every_strategy
@pytest.mark.parametrize("symbol", ["AAPL", "GE"])
def test_machine_equals_the_reference_on_real_bars(strategy: Strategy, symbol: str) -> None:
    path = TAPES / f"{symbol}.parquet"
    if not path.exists():
        pytest.skip("recorded daily bars are not beside this checkout")
    frame = pl.read_parquet(path)
    columns = [frame[f"adj_{name}"].cast(pl.Float64).to_numpy() for name in ("open", "high", "low", "close", "volume")]
    stamps = frame["session"].cast(pl.Datetime("us")).to_physical().to_numpy()
    bars = Panel(symbol, "1d", stamps, np.stack(columns)).head(1_200)
    assert_equal(strategy, random_rows(strategy, 1, 1), bars, EXECUTION)


@every_strategy
def test_same_inputs_give_the_same_bits(strategy: Strategy) -> None:
    rows, panel = random_rows(strategy, 2, 8), random_panel(2)
    first, second = (evaluate_many(strategy, rows, panel, EXECUTION, keep_moments=True) for _ in range(2))
    np.testing.assert_array_equal(first.metrics, second.metrics)
    np.testing.assert_array_equal(first.moments, second.moments)


@every_strategy
@seeds
def test_no_signal_before_its_warmup(strategy: Strategy, seed: int) -> None:
    panel, rows = random_panel(seed + 7), random_rows(strategy, seed, 6)
    for signal in strategy.signals.values():
        for row, warmup in zip(rows, signal_warmup(signal, strategy, rows), strict=True):
            values = validate_params(strategy, dict(zip(strategy.param_names, row.tolist(), strict=True)))
            assert not signal_values(signal, values, panel)[:warmup].any()


@every_strategy
def test_defaults_trade_on_a_long_walk(strategy: Strategy) -> None:
    row = [list(strategy.defaults.values())]
    walks = [random_panel(seed, bars=3_000) for seed in range(3)]
    if strategy.session is not None:
        walks = [in_sessions(walk) for walk in walks]
    assert sum(evaluate_many(strategy, row, walk, EXECUTION).row(0).closed_trades for walk in walks) >= 3


@every_strategy
@pytest.mark.parametrize("scale", [0.125, 4.0])
def test_scaled_prices_leave_signals_and_equity_unchanged(strategy: Strategy, scale: float) -> None:
    # Without flat stretches: an average of moves that fades away passes Pine's absolute 1e-10 at another bar.
    panel, rows = random_panel(3, flats=0), random_rows(strategy, 3, 6)
    ohlcv = panel.ohlcv.copy()
    ohlcv[:4] *= scale
    scaled = Panel("SCALED", "1d", panel.ts, ohlcv)
    one, other = (evaluate_many(strategy, rows, bars, EXECUTION, keep_signals=True) for bars in (panel, scaled))
    np.testing.assert_array_equal(one.signals, other.signals)
    np.testing.assert_allclose(one.metrics, other.metrics, rtol=1e-12)


@every_strategy
def test_json_round_trip_keeps_definition_and_hash(strategy: Strategy) -> None:
    copy = from_json(to_json(strategy))
    assert copy == strategy
    assert definition_hash(copy) == definition_hash(strategy)
    assert json.loads(to_json(strategy))["name"] == strategy.name


@every_strategy
def test_definition_tells_a_reader_what_it_is(strategy: Strategy) -> None:
    assert strategy.title
    assert strategy.doc.endswith(".")
    assert strategy.refs
    assert strategy.let
    assert 1 < lattice_size(strategy) <= 200_000
    assert allowed_rows(strategy, np.array([list(strategy.defaults.values())], dtype=float)).all()


@every_strategy
def test_empty_and_short_frames_give_typed_errors(strategy: Strategy) -> None:
    with pytest.raises(InvalidInput, match="at least 2"):
        Panel.from_bars(empty_bars(), symbol="NONE", timeframe="1d")
    warmup = int(warmup_bars(strategy, np.array([list(strategy.defaults.values())], dtype=float))[0])
    panel = random_panel(1, bars=warmup + 2)
    assert run_backtest(strategy, {}, panel, EXECUTION).equity.size == warmup + 2
    if warmup > 0:
        with pytest.raises(ResearchError, match="longer period or shorter lengths"):
            run_backtest(strategy, {}, panel.head(warmup + 1), EXECUTION)


@every_strategy
def test_parameters_outside_their_range_are_refused(strategy: Strategy) -> None:
    too_low = {name: parameter.lo - parameter.step for name, parameter in strategy.params.items()}
    with pytest.raises(BadParameters) as caught:
        run_backtest(strategy, too_low, random_panel(1), EXECUTION)
    assert all(f"  {name}: was" in str(caught.value) for name in strategy.params)
