from hypothesis import given
from hypothesis import strategies as st

from chandlery.sources.pacing import TokenBucket


class _Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def _sends(gaps: list[float], *, per_minute: float, burst: int) -> list[float]:
    clock = _Clock()
    bucket = TokenBucket(rate=per_minute / 60.0, capacity=burst, monotonic=lambda: clock.now, sleep=clock.sleep)
    sends = []
    for gap in gaps:
        clock.now += gap
        bucket.take()
        sends.append(clock.now)
    return sends


@given(
    gaps=st.lists(st.floats(0.0, 90.0), min_size=1, max_size=60),
    per_minute=st.sampled_from([1.0, 4.0, 5.0, 60.0, 100.0]),
    burst=st.integers(1, 8),
)
def test_no_window_of_a_minute_holds_more_than_burst_and_a_minutes_worth(
    gaps: list[float], per_minute: float, burst: int
) -> None:
    sends = _sends(gaps, per_minute=per_minute, burst=burst)
    for first in sends:
        assert sum(first <= sent < first + 60.0 for sent in sends) <= burst + per_minute


def test_burst_of_one_keeps_five_calls_in_each_half_open_minute() -> None:
    sends = _sends([0.0] * 12, per_minute=5.0, burst=1)
    assert [sent - sends[0] for sent in sends[:6]] == [0.0, 12.0, 24.0, 36.0, 48.0, 60.0]


def test_full_bucket_lets_the_burst_go_at_once_and_then_keeps_the_rate() -> None:
    sends = _sends([0.0] * 5, per_minute=60.0, burst=3)
    assert [sent - sends[0] for sent in sends] == [0.0, 0.0, 0.0, 1.0, 2.0]


def test_idle_time_refills_no_more_than_the_burst() -> None:
    sends = _sends([0.0, 3600.0, 0.0, 0.0], per_minute=60.0, burst=2)
    assert [sent - sends[1] for sent in sends[1:]] == [0.0, 0.0, 1.0]
