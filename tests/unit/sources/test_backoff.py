from datetime import UTC, datetime
from random import Random

import pytest

from chandlery.sources._backoff import Backoff, Strategy, parse_retry_after

NOW = datetime(2026, 3, 2, 14, 30, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        (" 0 ", 0.0),
        ("-3", 0.0),
        ("Mon, 02 Mar 2026 14:30:45 GMT", 45.0),
        ("Mon, 02 Mar 2026 14:29:00 GMT", 0.0),
        ("Mon, 02 Mar 2026 14:31:00 -0000", 60.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(header: str | None, seconds: float | None) -> None:
    assert parse_retry_after(header, NOW) == seconds


@pytest.mark.parametrize(
    ("strategy", "ceilings"),
    [
        ("exponential", [2.0, 4.0, 8.0, 16.0, 32.0, 60.0]),
        ("linear", [2.0, 4.0, 6.0, 8.0, 10.0, 12.0]),
        ("fixed", [2.0, 2.0, 2.0, 2.0, 2.0, 2.0]),
    ],
)
def test_each_strategy_grows_in_its_own_way_up_to_a_minute(strategy: Strategy, ceilings: list[float]) -> None:
    backoff = Backoff(strategy, base_s=2.0)
    assert [backoff.ceiling(attempt) for attempt in range(1, 7)] == ceilings
    assert backoff.ceiling(500) == {"exponential": 60.0, "linear": 60.0, "fixed": 2.0}[strategy]


@pytest.mark.parametrize(("attempt", "ceiling"), [(1, 1.0), (2, 2.0), (5, 16.0), (7, 60.0), (5000, 60.0)])
def test_waits_are_spread_from_zero_to_the_ceiling(attempt: int, ceiling: float) -> None:
    random = Random(7)
    waits = [Backoff().wait(attempt, random) for _ in range(400)]
    assert 0.0 <= min(waits) < 0.1 * ceiling
    assert 0.9 * ceiling < max(waits) <= ceiling
