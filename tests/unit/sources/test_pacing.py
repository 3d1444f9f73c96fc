"""The pace of a gate of one process: never too many, and no slower than that needs."""

import threading
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chandlery.errors import RateLimited
from chandlery.sources import LocalGate
from chandlery.sources.local_gate import MemoryLedger
from chandlery.sources.pacing import Pace, pace_of
from chandlery.sources.turnstile import Turnstile


class _Clock:
    """Moved by sleeping, which takes longer than asked for whenever `oversleep` says so."""

    def __init__(self, oversleep: list[float] | None = None) -> None:
        self.now = 1000.0
        self._oversleep = list(oversleep or [])

    def sleep(self, seconds: float) -> None:
        self.now += seconds + (self._oversleep.pop() if self._oversleep else 0.0)

    def monotonic(self) -> float:
        return self.now


def _gate(clock: _Clock, pace: Pace) -> LocalGate:
    return LocalGate(host="vendor", pace=pace, breaker=None, sleep=clock.sleep, monotonic=clock.monotonic)


def _sends(gaps: list[float], pace: Pace, *, oversleep: list[float] | None = None) -> list[float]:
    clock = _Clock(oversleep)
    gate, sends = _gate(clock, pace), []
    for gap in gaps:
        clock.now += gap
        gate.enter()
        sends.append(clock.now)
    return sends


def _most(sends: list[float], per_s: float) -> int:
    return max(sum(first <= sent < first + per_s for sent in sends) for first in sends)


@given(
    gaps=st.lists(st.one_of(st.just(0.0), st.floats(0.0, 90.0)), min_size=1, max_size=60),
    calls_per_minute=st.sampled_from([1, 5, 60, 61, 300, 5_940]),
    oversleep=st.lists(st.one_of(st.just(0.0), st.floats(0.0, 0.3), st.floats(0.0, 200.0)), max_size=30),
)
def test_no_stretch_ever_holds_more_calls_than_the_plan_allows(
    gaps: list[float], calls_per_minute: int, oversleep: list[float]
) -> None:
    pace = pace_of(calls_per_minute)
    assert _most(_sends(gaps, pace, oversleep=oversleep), pace.per_s) <= pace.calls
    assert pace.calls / pace.per_s <= calls_per_minute / 60.0


def test_free_plan_lets_five_calls_go_at_once_and_five_more_a_minute_later() -> None:
    sends = _sends([0.0] * 15, pace_of(5))
    assert [round(sent - sends[0], 3) for sent in sends] == [0.0] * 5 + [60.5] * 5 + [121.0] * 5


def test_idle_time_saves_up_no_more_than_one_plan_of_calls() -> None:
    sends = _sends([0.0, 3600.0, *[0.0] * 6], pace_of(5))
    assert [round(sent - sends[1], 3) for sent in sends[1:]] == [0.0] * 5 + [60.5] * 2


def test_slot_that_was_overslept_is_given_up_for_a_new_one() -> None:
    sends = _sends([0.0] * 12, pace_of(5), oversleep=[59.0])
    # The sixth wakes 59 s late: its slot at 60.5 is void, it leaves at 119.5, and the seventh has to mind both.
    assert [round(sent - sends[0], 3) for sent in sends[5:10]] == [119.5] * 4 + [121.0]


@pytest.mark.parametrize(("calls_per_minute", "calls", "per_s"), [(1, 1, 60.0), (60, 60, 60.0), (119, 1, 1.0)])
def test_plan_is_kept_by_the_minute_up_to_sixty_and_by_the_second_above(
    calls_per_minute: int, calls: int, per_s: float
) -> None:
    pace = pace_of(calls_per_minute)
    assert (pace.calls, pace.per_s) == (calls, per_s)


def test_threads_share_the_pace_of_one_gate() -> None:
    gate = LocalGate(host="vendor", pace=Pace(3, per_s=0.3, margin_s=0.1), breaker=None)
    lock, sends = threading.Lock(), list[float]()
    clock = MemoryLedger()

    def work() -> None:
        for _ in range(3):
            gate.enter()
            with lock:
                sends.append(clock.read().now.timestamp())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ordered = sorted(sends)
    assert len(ordered) == 12
    assert all(later - earlier >= 0.3 for earlier, later in zip(ordered, ordered[3:], strict=False))


def test_log_that_lies_hours_ahead_is_reported_instead_of_waited_for() -> None:
    clock = _Clock()
    ledger = MemoryLedger(monotonic=clock.monotonic, now=lambda: datetime(2026, 3, 2, tzinfo=UTC))
    gate = Turnstile(ledger, host="vendor", pace=pace_of(1), breaker=None, sleep=clock.sleep, monotonic=clock.monotonic)
    gate.enter()
    clock.now -= 86_400.0
    with pytest.raises(RateLimited, match="clock was set back"):
        gate.enter()


@pytest.mark.parametrize("calls", [504, 567])
def test_two_years_of_minutes_of_63_stocks_take_less_than_two_hours_on_the_free_plan(calls: int) -> None:
    # 8 or 9 windows a stock: up to 877 minutes a session (benchmarks/pacing.py has the other cases).
    sends = _sends([1.5] * calls, pace_of(5))
    assert _most(sends, 60.0) == 5
    assert sends[-1] - sends[0] <= 120 * 60


def test_waiting_time_is_told() -> None:
    clock = _Clock()
    gate = _gate(clock, pace_of(1))
    waits = [gate.enter() for _ in range(3)]
    assert waits == pytest.approx([0.0, 60.5, 60.5])
    assert all(earlier <= later for earlier, later in pairwise(waits))
