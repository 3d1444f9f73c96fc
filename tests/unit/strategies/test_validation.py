import numpy as np
import pytest

from chandlery.errors import BadParameters, ResearchError, UnknownStrategy
from chandlery.strategies import (
    Int,
    Param,
    Strategy,
    all_strategies,
    allowed_rows,
    get_strategy,
    lattice_size,
    parameter_faults,
    registry,
    validate_params,
)
from chandlery.strategies.operations import close, floor, sma
from chandlery.strategies.scalars import evaluate

SMA = get_strategy("sma_cross")


def test_missing_parameters_take_their_default_in_the_order_of_the_strategy() -> None:
    assert validate_params(SMA, {"slow": 210.0}) == {"fast": 50, "slow": 210}
    assert isinstance(validate_params(SMA, {"slow": 210.0})["slow"], int)


def test_value_between_lattice_points_is_allowed() -> None:
    assert validate_params(SMA, {"fast": 13})["fast"] == 13


def test_every_field_has_its_own_fault() -> None:
    faults = parameter_faults(SMA, {"fast": 9, "slow": 100.5, "slo": 1})
    assert faults == {
        "fast": "was 9; it lies between 10 and 200",
        "slow": "was 100.5; it is a whole number between 50 and 800",
        "slo": "no such parameter, known are fast, slow; did you mean slow?",
    }


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "50", True])
def test_value_that_is_no_number_is_a_fault(value: float) -> None:
    assert "fast" in parameter_faults(SMA, {"fast": value})


def test_broken_constraint_is_a_fault_of_both_parameters() -> None:
    with pytest.raises(BadParameters, match="fast < slow must hold") as caught:
        validate_params(SMA, {"fast": 100, "slow": 100})
    assert str(caught.value).count("must hold") == 2


def test_rows_are_allowed_by_range_wholeness_and_constraint() -> None:
    rows = np.array([[50, 200], [9, 200], [50.5, 200], [200, 200], [50, 801]], dtype=float)
    assert allowed_rows(SMA, rows).tolist() == [True, False, False, False, False]


def test_lattice_size_is_the_product_of_the_points() -> None:
    assert lattice_size(SMA) == 39 * 76


def test_unknown_strategy_names_the_near_ones() -> None:
    with pytest.raises(UnknownStrategy, match="near matches are sma_cross"):
        get_strategy("sma_kross")
    with pytest.raises(UnknownStrategy, match=r"known are .*donchian_breakout"):
        get_strategy("zzz")


def test_registry_lists_by_family_then_name() -> None:
    keys = [(strategy.family, strategy.name) for strategy in all_strategies().values()]
    assert keys == sorted(keys)


def test_broken_constraint_is_spelled_out() -> None:
    n, m = Param("n"), Param("m")
    strategy = Strategy(
        name="probe",
        version=1,
        family="trend",
        title="Probe",
        doc="A probe.",
        params={"n": Int(default=10, lo=2, hi=20), "m": Int(default=9, lo=2, hi=20)},
        constraints=(floor(n / 2) + 1 < m,),
        long_entry=close > sma(close, n),
        long_exit=close < sma(close, m),
    )
    assert parameter_faults(strategy, {"m": 6})["m"] == "floor(n / 2) + 1 < m must hold, was n = 10, m = 6"
    assert parameter_faults(strategy, {"m": 7}) == {}


def test_float_outside_its_range_is_a_fault() -> None:
    assert parameter_faults(get_strategy("rsi_revert"), {"oversold": 45.5}) == {
        "oversold": "was 45.5; it lies between 15.0 and 45.0"
    }


def test_number_expression_that_holds_a_series_cannot_be_evaluated() -> None:
    with pytest.raises(ResearchError, match="depends on the bars"):
        evaluate(close, {})


def test_file_without_a_strategy_or_in_the_wrong_family_is_refused() -> None:
    with pytest.raises(ResearchError, match="holds no STRATEGY"):
        registry._load("chandlery.strategies.trend", (Strategy,), family="trend", name="trend")
    with pytest.raises(ResearchError, match="name and family are the file's"):
        registry._load("chandlery.strategies.trend.sma_cross", (Strategy,), family="breakout", name="sma_cross")
