from datetime import UTC, datetime
from random import Random

import pytest

from chandlery.sources._backoff import full_jitter, parse_retry_after

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


@pytest.mark.parametrize(("attempt", "ceiling"), [(1, 1.0), (2, 2.0), (5, 16.0), (7, 60.0), (500, 60.0)])
def test_back_off_doubles_up_to_a_minute_and_is_spread_from_zero(attempt: int, ceiling: float) -> None:
    random = Random(7)
    waits = [full_jitter(attempt, random) for _ in range(400)]
    assert 0.0 <= min(waits) < 0.1 * ceiling
    assert 0.9 * ceiling < max(waits) <= ceiling
