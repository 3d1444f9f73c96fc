"""What every registered strategy over several symbols promises, as `test_every_strategy` does for one symbol."""

import json

import numpy as np
import pytest
from multi_panels import tape_panel, walk_panel
from numpy.typing import NDArray

from chandlery.backtest import MultiPanel, evaluate_portfolios, run_portfolio
from chandlery.backtest.execution import Costs, Execution, Mode
from chandlery.backtest.rotation_engine import numbers_of
from chandlery.backtest.rotation_reference import portfolio_reference
from chandlery.errors import BadParameters, InvalidInput, ResearchError
from chandlery.strategies import (
    Pair,
    Portfolio,
    all_portfolios,
    allowed_rows,
    catalogue,
    definition_hash,
    lattice_size,
    portfolio_from_json,
    portfolio_to_json,
    portfolio_warmup,
)

EXECUTION = Execution(costs=Costs(fee=0.001, slippage=0.0005))

every_portfolio = pytest.mark.parametrize("portfolio", all_portfolios().values(), ids=lambda one: one.name)


def panel_for(portfolio: Portfolio, seed: int, *, is_gapless: bool = False) -> MultiPanel:
    return walk_panel(seed, symbols=2 if isinstance(portfolio, Pair) else 5, is_gapless=is_gapless)


def random_rows(portfolio: Portfolio, seed: int, count: int) -> NDArray[np.float64]:
    """Return `count` allowed candidates; the first holds the defaults."""
    rng = np.random.default_rng(seed)
    rows = [list(map(float, portfolio.defaults.values()))]
    while len(rows) < count:
        row = [float(p.value_at(int(rng.integers(p.points)))) for p in portfolio.params.values()]
        if allowed_rows(portfolio, np.array([row]))[0]:
            rows.append(row)
    return np.array(rows)


def assert_machine_equals_reference(portfolio: Portfolio, rows: NDArray[np.float64], panel: MultiPanel) -> int:
    """Compare targets, fills, equity, metrics and block moments to 1e-12; return the number of fills."""
    found = evaluate_portfolios(portfolio, rows, panel, EXECUTION, keep_moments=True)
    fills = 0
    for index, row in enumerate(rows):
        numbers = numbers_of(portfolio, row)
        reference = portfolio_reference(portfolio, numbers, panel, EXECUTION)
        np.testing.assert_allclose(found.metrics[index], reference.metrics.to_row(), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(found.moments[index], reference.moments, rtol=1e-12, atol=1e-14)
        if portfolio_warmup(portfolio, row[None])[0] + 2 > panel.bars:
            continue
        result = run_portfolio(portfolio, numbers, panel, EXECUTION)
        np.testing.assert_allclose(result.equity, reference.equity, rtol=1e-12)
        places = {ts: i for i, ts in enumerate(panel.ts.tolist())}
        bars = [places[ts] for ts in result.fills["ts"].to_physical().to_list()]
        symbols = [panel.symbols.index(symbol) for symbol in result.fills["symbol"]]
        assert list(zip(bars, symbols, strict=True)) == [fill[:2] for fill in reference.fills]
        numbers_found = result.fills.select("quantity", "price", "money").to_numpy()
        np.testing.assert_allclose(numbers_found.ravel(), [x for fill in reference.fills for x in fill[2:]], rtol=1e-10)
        weights = result.weights["weight"].to_numpy()
        wanted = [weight for targets in reference.targets.values() for _, weight in sorted(targets.items())]
        np.testing.assert_allclose(weights, wanted, rtol=1e-12)
        fills += len(reference.fills)
    return fills


@every_portfolio
@pytest.mark.parametrize("seed", range(3))
def test_machine_equals_the_reference_on_bars_with_gaps(portfolio: Portfolio, seed: int) -> None:
    rows = random_rows(portfolio, seed, 5)
    assert assert_machine_equals_reference(portfolio, rows, panel_for(portfolio, seed)) > 10


@every_portfolio
def test_machine_equals_the_reference_on_real_bars(portfolio: Portfolio) -> None:
    names = ("BA", "GE") if isinstance(portfolio, Pair) else ("AAPL", "BA", "EBAY", "GE")
    assert assert_machine_equals_reference(portfolio, random_rows(portfolio, 1, 3), tape_panel(*names)) > 10


@every_portfolio
def test_a_prefix_of_the_bars_gives_a_prefix_of_the_run(portfolio: Portfolio) -> None:
    panel = panel_for(portfolio, 4)
    whole = run_portfolio(portfolio, {}, panel, EXECUTION)
    assert whole.fills.height > 10
    first = int(portfolio_warmup(portfolio, random_rows(portfolio, 0, 1))[0]) + 2
    for bars in [*np.random.default_rng(0).integers(first, panel.bars, 10).tolist(), panel.bars - 1]:
        part = run_portfolio(portfolio, {}, panel.head(bars), EXECUTION)
        np.testing.assert_array_equal(part.equity, whole.equity[:bars])
        decided = whole.weights.filter(whole.weights["ts"].to_physical() <= panel.ts[bars - 1])
        assert part.weights.equals(decided)


@every_portfolio
def test_same_inputs_give_the_same_bits_for_any_threads_and_batching(portfolio: Portfolio) -> None:
    panel, rows = panel_for(portfolio, 2), random_rows(portfolio, 2, 12)
    whole = evaluate_portfolios(portfolio, rows, panel, EXECUTION, keep_moments=True, threads=1)
    other = evaluate_portfolios(portfolio, rows, panel, EXECUTION, keep_moments=True, threads=2)
    np.testing.assert_array_equal(other.metrics, whole.metrics)
    np.testing.assert_array_equal(other.moments, whole.moments)
    single = [evaluate_portfolios(portfolio, row[None], panel, EXECUTION).metrics[0] for row in rows[::-1]]
    np.testing.assert_array_equal(np.array(single)[::-1], whole.metrics)


@every_portfolio
def test_nothing_is_held_before_the_warmup(portfolio: Portfolio) -> None:
    panel = panel_for(portfolio, 6, is_gapless=True)
    for row in random_rows(portfolio, 3, 5):
        warmup = int(portfolio_warmup(portfolio, row[None])[0])
        held = run_portfolio(portfolio, numbers_of(portfolio, row), panel, EXECUTION).weights
        early = held.filter((held["ts"].to_physical() < panel.ts[warmup]) & (held["weight"] != 0.0))
        assert early.is_empty()


@every_portfolio
def test_scaled_prices_of_one_symbol_leave_equity_unchanged(portfolio: Portfolio) -> None:
    panel = panel_for(portfolio, 8)
    ohlcv = panel.ohlcv.copy()
    ohlcv[0, :4] *= 4.0
    ohlcv[1, :4] *= 0.125
    scaled = MultiPanel(panel.symbols, panel.timeframe, panel.ts, ohlcv)
    one, other = (run_portfolio(portfolio, {}, bars, EXECUTION) for bars in (panel, scaled))
    np.testing.assert_allclose(other.equity, one.equity, rtol=1e-10)
    assert other.fills["money"].to_list() == pytest.approx(one.fills["money"].to_list(), rel=1e-8)


@every_portfolio
def test_no_money_is_lent_to_a_long_account_and_none_appears(portfolio: Portfolio) -> None:
    panel = panel_for(portfolio, 5)
    result = run_portfolio(portfolio, {}, panel, EXECUTION)
    flows = result.fills["money"].to_numpy()
    held = np.zeros(len(panel.symbols))
    for symbol, quantity in result.fills.select("symbol", "quantity").iter_rows():
        held[panel.symbols.index(symbol)] += quantity
    cash = 1.0 + flows.sum()
    assert result.equity[-1] == pytest.approx(cash + held @ np.nan_to_num(panel.marks()[:, -1]), rel=1e-9)
    if not isinstance(portfolio, Pair):
        assert held.min() >= -1e-12
        assert (1.0 + flows.cumsum()).min() >= -1e-12
        assert result.exposure.max() <= 1.0 + 1e-12


@every_portfolio
def test_json_round_trip_keeps_definition_and_hash(portfolio: Portfolio) -> None:
    copy = portfolio_from_json(portfolio_to_json(portfolio))
    assert copy == portfolio
    assert definition_hash(copy) == definition_hash(portfolio)
    assert json.loads(portfolio_to_json(portfolio))["name"] == portfolio.name


@every_portfolio
def test_definition_tells_a_reader_what_it_is(portfolio: Portfolio) -> None:
    assert portfolio.title
    assert portfolio.doc.endswith(".")
    assert portfolio.refs
    assert portfolio.let
    assert 1 < lattice_size(portfolio) <= 200_000
    assert allowed_rows(portfolio, np.array([list(portfolio.defaults.values())], dtype=float)).all()
    assert catalogue()[portfolio.name] is portfolio


@every_portfolio
def test_wrong_parameters_panels_and_modes_are_refused(portfolio: Portfolio) -> None:
    panel = panel_for(portfolio, 1, is_gapless=True)
    too_low = {name: parameter.lo - parameter.step for name, parameter in portfolio.params.items()}
    with pytest.raises(BadParameters):
        run_portfolio(portfolio, too_low, panel, EXECUTION)
    with pytest.raises(ResearchError, match="Pine cannot"):
        run_portfolio(portfolio, {}, panel, Execution(mode=Mode.PINE))
    warmup = int(portfolio_warmup(portfolio, random_rows(portfolio, 0, 1))[0])
    assert run_portfolio(portfolio, {}, panel.head(warmup + 2), EXECUTION).equity.size == warmup + 2
    with pytest.raises(ResearchError, match="longer period or shorter lengths"):
        run_portfolio(portfolio, {}, panel.head(warmup + 1), EXECUTION)
    if isinstance(portfolio, Pair):
        with pytest.raises(InvalidInput, match="takes 2 symbols, the panel has 5"):
            run_portfolio(portfolio, {}, walk_panel(1), EXECUTION)
