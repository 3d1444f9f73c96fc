"""What every registered strategy promises: no look-ahead, warm-up, determinism, invariance, one meaning."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from chandlery.backtest import Panel, evaluate_many, run_backtest
from chandlery.backtest.reference import reference_run, signal_values
from chandlery.errors import BadParameters, InvalidInput, ResearchError
from chandlery.market.bars import empty_bars
from chandlery.strategies import (
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
COSTS = {"fee": 0.001, "slippage": 0.0005}

every_strategy = pytest.mark.parametrize("strategy", all_strategies().values(), ids=lambda strategy: strategy.name)
seeds = pytest.mark.parametrize("seed", range(3))


def random_panel(seed: int, *, bars: int = 1_000) -> Panel:
    """Return a seeded walk with overnight gaps, jumps, flat stretches and bars without range."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0.0, 0.01, bars) + (rng.random(bars) < 0.01) * rng.normal(0.0, 0.15, bars)
    for start in rng.integers(0, bars, 4):
        steps[start : start + int(rng.integers(2, 50))] = 0.0
    close = 100.0 * np.exp(np.cumsum(steps))
    opening = np.concatenate(([100.0], close[:-1])) * np.exp(rng.normal(0.0, 0.003, bars) * (rng.random(bars) < 0.7))
    reach = rng.exponential(0.004, (2, bars)) * (rng.random(bars) < 0.9)
    high, low = np.maximum(opening, close) * (1.0 + reach[0]), np.minimum(opening, close) / (1.0 + reach[1])
    stamps = np.arange(bars, dtype=np.int64) * 86_400_000_000
    return Panel("RANDOM", "1d", stamps, np.stack([opening, high, low, close, rng.integers(0, 10_000, bars)]))


def random_rows(strategy: Strategy, seed: int, count: int) -> NDArray[np.float64]:
    """Return `count` allowed candidates; the first holds the defaults."""
    rng = np.random.default_rng(seed)
    rows = [list(map(float, strategy.defaults.values()))]
    while len(rows) < count:
        row = [float(p.value_at(int(rng.integers(p.points)))) for p in strategy.params.values()]
        if allowed_rows(strategy, np.array([row]))[0]:
            rows.append(row)
    return np.array(rows)


def assert_machine_equals_reference(strategy: Strategy, rows: NDArray[np.float64], panel: Panel) -> None:
    """Compare signals, equity, trades, metrics and block moments bit by bit."""
    found = evaluate_many(strategy, rows, panel, keep_moments=True, keep_signals=True, **COSTS)
    assert found.signals is not None
    assert found.moments is not None
    for index, row in enumerate(rows):
        values = dict(zip(strategy.param_names, row.tolist(), strict=True))
        reference = reference_run(strategy, values, panel, **COSTS)
        np.testing.assert_array_equal(found.signals[index, 0], reference.signals["long_entry"])
        closing = signal_values(strategy.closing, validate_params(strategy, values), panel)
        np.testing.assert_array_equal(found.signals[index, 1], closing)
        np.testing.assert_array_equal(found.metrics[index], reference.metrics.to_row())
        np.testing.assert_array_equal(found.moments[index], reference.moments)
        if warmup_bars(strategy, row[None])[0] + 2 <= panel.bars:
            result = run_backtest(strategy, values, panel, **COSTS)
            np.testing.assert_array_equal(result.equity, reference.equity)
            stamps = panel.ts[[fill.bought for fill in reference.fills]].tolist()
            assert result.trades["entry_ts"].to_physical().to_list() == stamps
            assert result.trades["quantity"].to_list() == [fill.quantity for fill in reference.fills]


@every_strategy
@seeds
def test_signals_on_a_prefix_equal_the_signals_on_all_bars(strategy: Strategy, seed: int) -> None:
    panel, rng = random_panel(seed), np.random.default_rng(seed)
    rows = random_rows(strategy, seed, 4)
    whole = evaluate_many(strategy, rows, panel, keep_signals=True, **COSTS).signals
    assert whole is not None
    for bars in rng.integers(2, panel.bars, 12).tolist():
        part = evaluate_many(strategy, rows, panel.head(bars), keep_signals=True, **COSTS).signals
        np.testing.assert_array_equal(part, whole[:, :, :bars])


@every_strategy
def test_short_signals_on_a_prefix_equal_those_on_all_bars(strategy: Strategy) -> None:
    panel = random_panel(5)
    for bars in (2, 300, 777):
        for signal in strategy.signals.values():
            whole = signal_values(signal, strategy.defaults, panel)
            np.testing.assert_array_equal(signal_values(signal, strategy.defaults, panel.head(bars)), whole[:bars])


@every_strategy
@seeds
def test_machine_equals_the_reference_on_random_bars(strategy: Strategy, seed: int) -> None:
    assert_machine_equals_reference(strategy, random_rows(strategy, seed + 10, 6), random_panel(seed + 100))


@every_strategy
@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_machine_equals_the_reference_on_coarse_prices(strategy: Strategy, data: st.DataObject) -> None:
    closes = np.array(data.draw(st.lists(st.integers(95, 105), min_size=2, max_size=120)), dtype=float)
    opens = np.concatenate((closes[:1], closes[:-1]))
    stamps = np.arange(closes.size, dtype=np.int64)
    bars = [opens, np.maximum(opens, closes), np.minimum(opens, closes), closes, np.ones_like(closes)]
    row = [float(parameter.lo) for parameter in strategy.params.values()]
    assert_machine_equals_reference(strategy, np.array([row]), Panel("COARSE", "1m", stamps, np.stack(bars)))


@every_strategy
@pytest.mark.parametrize("symbol", ["AAPL", "GE"])
def test_machine_equals_the_reference_on_real_bars(strategy: Strategy, symbol: str) -> None:
    path = TAPES / f"{symbol}.parquet"
    if not path.exists():
        pytest.skip("recorded daily bars are not beside this checkout")
    frame = pl.read_parquet(path)
    columns = [frame[f"adj_{name}"].cast(pl.Float64).to_numpy() for name in ("open", "high", "low", "close", "volume")]
    stamps = frame["session"].cast(pl.Datetime("us")).to_physical().to_numpy()
    assert_machine_equals_reference(
        strategy, random_rows(strategy, 1, 2), Panel(symbol, "1d", stamps, np.stack(columns))
    )


@every_strategy
def test_same_inputs_give_the_same_bits(strategy: Strategy) -> None:
    rows, panel = random_rows(strategy, 2, 8), random_panel(2)
    first, second = (evaluate_many(strategy, rows, panel, keep_moments=True, **COSTS) for _ in range(2))
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
    trades = sum(
        evaluate_many(strategy, row, random_panel(seed, bars=3_000), **COSTS).row(0).closed_trades for seed in range(3)
    )
    assert trades >= 3


@every_strategy
@pytest.mark.parametrize("scale", [0.125, 4.0])
def test_scaled_prices_leave_signals_and_equity_unchanged(strategy: Strategy, scale: float) -> None:
    panel, rows = random_panel(3), random_rows(strategy, 3, 6)
    ohlcv = panel.ohlcv.copy()
    ohlcv[:4] *= scale
    scaled = Panel("SCALED", "1d", panel.ts, ohlcv)
    one, other = (evaluate_many(strategy, rows, bars, keep_signals=True, **COSTS) for bars in (panel, scaled))
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
    assert run_backtest(strategy, {}, panel, **COSTS).equity.size == warmup + 2
    with pytest.raises(ResearchError, match="longer period or shorter lengths"):
        run_backtest(strategy, {}, panel.head(warmup + 1), **COSTS)


@every_strategy
def test_parameters_outside_their_range_are_refused(strategy: Strategy) -> None:
    too_low = {name: parameter.lo - parameter.step for name, parameter in strategy.params.items()}
    with pytest.raises(BadParameters) as caught:
        run_backtest(strategy, too_low, random_panel(1), **COSTS)
    assert all(f"  {name}: was" in str(caught.value) for name in strategy.params)
