import math

import pytest

from chandlery.errors import InvalidInput
from chandlery.measures import Convention, Measured, Status, known, unknown


def test_a_value_that_is_not_finite_becomes_infeasible() -> None:
    assert known(math.inf, n=3) == known(math.nan, n=3) == Measured(None, Status.INFEASIBLE, 3)


def test_a_value_keeps_its_status_and_count() -> None:
    assert known(0.5, n=7) == Measured(0.5, Status.OK, 7)


@pytest.mark.parametrize(("value", "status"), [(None, Status.OK), (0.0, Status.INSUFFICIENT), (math.nan, Status.OK)])
def test_a_value_that_contradicts_its_status_is_refused(value: float | None, status: Status) -> None:
    with pytest.raises(InvalidInput):
        Measured(value, status, 1)


def test_proxied_marks_values_and_leaves_lacks_alone() -> None:
    assert known(0.5, n=7).proxied() == Measured(0.5, Status.PROXIED, 7)
    assert unknown(Status.NO_LOSS, n=7).proxied() == unknown(Status.NO_LOSS, n=7)


@pytest.mark.parametrize("periods", [0.0, -252.0, math.nan, math.inf])
def test_a_year_without_a_positive_number_of_periods_is_refused(periods: float) -> None:
    with pytest.raises(InvalidInput, match="periods_per_year"):
        Convention(periods_per_year=periods)
