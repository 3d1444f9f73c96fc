import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chandlery.errors import InvalidInput
from chandlery.risk.limits import DEFAULT_LIMITS, Metric, evaluate_limits

CALM: dict[Metric, float | None] = {
    "position_value": 1.0,
    "leverage": 0.1,
    "concentration": 0.01,
    "daily_loss": 0.0,
    "drawdown": 0.0,
}


def states(**values: float | None) -> dict[str, str]:
    answers = evaluate_limits(DEFAULT_LIMITS, values={**CALM, **values})
    return {answer.limit.limit_id: answer.state for answer in answers}


def test_the_default_limits_are_the_required_ones_with_soft_at_80_percent() -> None:
    rows = {limit.limit_id: (limit.metric, limit.hard, limit.on_breach) for limit in DEFAULT_LIMITS}
    assert rows == {
        "R01": ("position_value", 500_000.0, "refuse"),
        "R02": ("leverage", 2.0, "refuse"),
        "R03": ("concentration", 0.25, "refuse"),
        "R04": ("daily_loss", 10_000.0, "halt"),
        "R05": ("drawdown", 0.15, "reducing"),
    }
    assert all(limit.soft == pytest.approx(0.8 * limit.hard) for limit in DEFAULT_LIMITS)


@pytest.mark.parametrize("place", range(5), ids=[limit.limit_id for limit in DEFAULT_LIMITS])
def test_each_limit_breaches_alone_when_its_own_metric_rises_above_it(place: int) -> None:
    limit = DEFAULT_LIMITS[place]
    above = math.nextafter(limit.hard, math.inf)
    expected = dict.fromkeys(("R01", "R02", "R03", "R04", "R05"), "ok")
    assert states(**{limit.metric: above}) == expected | {limit.limit_id: "hard"}
    assert states(**{limit.metric: limit.hard}) == expected | {limit.limit_id: "soft"}
    assert states(**{limit.metric: limit.soft}) == expected


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_a_metric_without_value_is_unknown_never_ok(value: float | None) -> None:
    answer = evaluate_limits(DEFAULT_LIMITS[:1], values={"position_value": value})[0]
    assert (answer.state, answer.value, answer.utilisation) == ("unknown", None, None)
    assert evaluate_limits(DEFAULT_LIMITS[:1], values={})[0].state == "unknown"


def test_a_gain_uses_none_of_the_loss_limit() -> None:
    answer = evaluate_limits(DEFAULT_LIMITS[3:4], values={"daily_loss": -700.0})[0]
    assert (answer.state, answer.value, answer.utilisation) == ("ok", -700.0, 0.0)


@given(st.floats(0, 1e7), st.floats(0, 1e7))
def test_a_larger_value_never_has_a_milder_state(one: float, two: float) -> None:
    order = ["ok", "soft", "hard"]
    low, high = (
        evaluate_limits(DEFAULT_LIMITS[:1], values={"position_value": value})[0] for value in sorted((one, two))
    )
    assert order.index(low.state) <= order.index(high.state)
    assert low.utilisation is not None
    assert high.utilisation is not None
    assert low.utilisation <= high.utilisation


@pytest.mark.parametrize(("soft", "hard"), [(0.3, 0.25), (0.0, 0.25), (0.1, math.inf), (math.nan, 0.25)])
def test_a_soft_limit_above_the_hard_one_is_refused(soft: float, hard: float) -> None:
    with pytest.raises(InvalidInput, match="R03"):
        replace(DEFAULT_LIMITS[2], soft=soft, hard=hard)


def test_two_limits_of_one_id_are_refused() -> None:
    with pytest.raises(InvalidInput, match="once"):
        evaluate_limits((DEFAULT_LIMITS[0], DEFAULT_LIMITS[0]), values=CALM)
