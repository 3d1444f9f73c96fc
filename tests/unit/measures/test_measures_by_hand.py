"""Values worked out on paper, by scipy and by a second route in plain Python."""

import math
import statistics

import numpy as np
import pytest
from scipy import stats

from chandlery.measures import MEASURES, Status

# Wealth of UP_DOWN: 1.10, 0.88, 0.968, 0.7744, 1.16160; peak 1.10.
UP_DOWN = np.array([0.10, -0.20, 0.10, -0.20, 0.50])
LONG = np.random.default_rng(20260101).standard_t(4, 750) * 0.01


def value(name: str, returns: np.ndarray, **options: float) -> float:
    answer = MEASURES[name](returns, **{"periods_per_year": 252, **options})
    assert answer.status == Status.OK
    assert answer.value is not None
    return answer.value


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cum", 0.1616),
        ("mean_ann", 0.06 * 252),
        ("best", 0.5),
        ("worst", -0.2),
        ("hit_rate", 0.6),
        ("dd_max", 0.7744 / 1.10 - 1),
        ("dd_now", 0.0),
        ("dd_days_max", 3.0),
        ("ulcer", math.sqrt((0.2**2 + 0.12**2 + 0.296**2) / 5)),
        ("vol", math.sqrt(((0.04**2) * 2 + (0.26**2) * 2 + 0.44**2) / 4) * math.sqrt(252)),
        ("downside_dev", math.sqrt(0.08 / 5) * math.sqrt(252)),
    ],
)
def test_five_returns_give_the_values_worked_out_on_paper(name: str, expected: float) -> None:
    assert value(name, UP_DOWN) == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_cagr_of_two_years_of_doubling_each_year_is_one() -> None:
    assert value("cagr", np.full(24, 2 ** (1 / 12) - 1), periods_per_year=12) == pytest.approx(1.0, rel=1e-12)


def test_the_unit_before_the_first_return_counts_as_a_peak() -> None:
    assert value("dd_max", np.array([-0.3, 0.1])) == pytest.approx(-0.3, rel=1e-12)
    assert value("dd_days_max", np.array([-0.3, 0.1])) == 2.0


def test_a_loss_regained_to_the_last_bit_of_float_is_no_drawdown() -> None:
    assert value("dd_now", np.array([0.1, -0.1, 1 / 0.9 - 1])) == 0.0


def test_a_total_loss_is_minus_one_and_more_than_that_is_infeasible() -> None:
    assert value("cum", np.array([0.1, -1.0, 0.5])) == -1.0
    for name in ("cum", "cagr", "dd_max", "dd_now", "dd_days_max", "ulcer"):
        assert MEASURES[name](np.array([0.1, -1.2, 0.5]), periods_per_year=252).status == Status.INFEASIBLE
    assert MEASURES["calmar"](np.full(60, -1.5), periods_per_year=252).status == Status.INFEASIBLE


def test_sharpe_agrees_with_the_statistics_module() -> None:
    free = 0.0001
    excess = [float(r) - free for r in LONG]
    expected = statistics.mean(excess) / statistics.stdev(excess) * math.sqrt(252)
    assert value("sharpe", LONG, risk_free=free) == pytest.approx(expected, rel=1e-10)


def test_sortino_agrees_with_a_loop_that_counts_every_day() -> None:
    mar = 0.0002
    squares = math.fsum((mar - r) ** 2 for r in LONG if r < mar)
    expected = (math.fsum(LONG) / 750 - mar) * math.sqrt(252) / math.sqrt(squares / 750)
    assert value("sortino", LONG, mar=mar) == pytest.approx(expected, rel=1e-10)


def test_skew_and_kurtosis_agree_with_scipy_biased_estimators() -> None:
    assert value("skew", LONG) == pytest.approx(stats.skew(LONG), rel=1e-10)
    assert value("kurtosis", LONG) == pytest.approx(stats.kurtosis(LONG), rel=1e-10)


def test_autocorrelation_of_an_alternating_series_is_minus_one_less_the_missing_pair() -> None:
    assert value("autocorr_1", np.resize([0.01, -0.01], 100)) == pytest.approx(-0.99, rel=1e-12)


def test_calmar_is_cagr_over_the_deepest_drawdown() -> None:
    path = [1.0]
    for r in LONG:
        path.append(path[-1] * (1 + r))
    deepest = max(1 - path[j] / max(path[: j + 1]) for j in range(751))
    assert value("calmar", LONG) == pytest.approx((path[-1] ** (252 / 750) - 1) / deepest, rel=1e-9)


def test_longest_drawdown_counts_the_run_between_two_peaks() -> None:
    runs = np.array([0.1, -0.01, 0.05, -0.3, 0.1, 0.1, 0.1, 0.5, -0.1])
    # Under water: day 2; days 4 to 7 (1.167 -> 0.817, 0.898, 0.988, 1.087); day 9.
    assert value("dd_days_max", runs) == 4.0


def test_growth_beyond_every_float_is_infeasible_not_infinite() -> None:
    assert MEASURES["cum"](np.full(400, 1e3), periods_per_year=252).status == Status.INFEASIBLE
    assert MEASURES["dd_days_max"](np.full(400, 1e3), periods_per_year=252).status == Status.INFEASIBLE
