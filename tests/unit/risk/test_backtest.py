import numpy as np
import pytest

from chandlery.errors import InvalidInput
from chandlery.measures import Status
from chandlery.risk.backtest import backtest_var, decide
from chandlery.risk.exceptions import count_exceptions
from chandlery.risk.models import VAR_MODELS

RETURNS = np.random.default_rng(20260103).normal(0.0003, 0.01, 900)


@pytest.mark.parametrize("model", ["hs", "normal"])
def test_each_forecast_is_the_model_on_the_days_before(model: str) -> None:
    result = backtest_var(RETURNS, model=VAR_MODELS[model], level=0.99, window=500, days=250)
    assert result.positions.tolist() == list(range(650, 900))
    for day, forecast in zip(result.positions[::50], result.forecasts[::50], strict=True):
        past = RETURNS[day - 500 : day]
        witness = -np.sort(past)[4] if model == "hs" else -(past.mean() - 2.3263478740408408 * past.std(ddof=1))
        assert forecast == pytest.approx(witness, rel=1e-12)


def test_a_forecast_does_not_see_its_own_day_or_any_later_one() -> None:
    changed = RETURNS.copy()
    changed[800:] = -0.5
    plain = backtest_var(RETURNS, model=VAR_MODELS["hs"], level=0.99, window=500, days=250)
    other = backtest_var(changed, model=VAR_MODELS["hs"], level=0.99, window=500, days=250)
    np.testing.assert_array_equal(plain.forecasts[:151], other.forecasts[:151])
    assert plain.forecasts[151] != other.forecasts[151]


def test_a_loss_equal_to_the_forecast_is_no_exception() -> None:
    cycle = np.tile(np.linspace(-0.02, 0.02, 100), 8)
    # Every window of 100 holds each value once, so the 5th worst is always the same; equal is allowed.
    result = backtest_var(cycle, model=VAR_MODELS["hs"], level=0.95, window=100, days=700)
    assert result.test is not None
    assert result.test.exceptions == 28  # 4 worse values in each of 7 cycles
    assert result.test.n == 700


def test_a_right_model_passes_and_a_doubled_loss_fails() -> None:
    right = backtest_var(RETURNS, model=VAR_MODELS["normal"], level=0.99, window=500, days=250)
    assert right.verdict == "pass"
    worse = np.concatenate([RETURNS[:650], RETURNS[650:] * 3])
    hs = backtest_var(worse, model=VAR_MODELS["normal"], level=0.99, window=500, days=250)
    assert hs.test is not None
    assert hs.test.zone == "red"
    assert hs.verdict == "fail"


def test_a_history_too_short_for_the_tail_is_insufficient() -> None:
    result = backtest_var(RETURNS[:749], model=VAR_MODELS["hs"], level=0.99, window=500, days=250)
    assert (result.status, result.test, result.verdict) == (Status.INSUFFICIENT, None, None)
    assert backtest_var(RETURNS[:750], model=VAR_MODELS["hs"], level=0.99, window=500, days=250).status == Status.OK


def test_a_model_without_a_forecast_on_some_day_has_no_verdict() -> None:
    flat = np.concatenate([np.zeros(500), RETURNS[:250]])
    result = backtest_var(flat, model=VAR_MODELS["normal"], level=0.99, window=500, days=250)
    assert (result.status, result.verdict, result.forecasts.size) == (Status.ZERO_VARIANCE, None, 0)


@pytest.mark.parametrize(
    ("exceptions", "verdict"), [(0, "pass"), (4, "pass"), (5, "watch"), (9, "watch"), (10, "fail")]
)
def test_the_verdict_follows_the_zone_at_250_days(exceptions: int, verdict: str) -> None:
    assert decide(count_exceptions(exceptions, n=250, tail=0.01)) == verdict


def test_far_too_few_exceptions_are_watched_although_the_zone_is_green() -> None:
    assert decide(count_exceptions(5, n=250, tail=0.05)) == "watch"


@pytest.mark.parametrize(("window", "days"), [(0, 250), (500, 0)])
def test_lengths_that_are_not_positive_are_refused(window: int, days: int) -> None:
    with pytest.raises(InvalidInput, match="positive"):
        backtest_var(RETURNS, model=VAR_MODELS["hs"], level=0.99, window=window, days=days)
