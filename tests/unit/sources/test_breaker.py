"""The circuit breaker, seen through a gate of one process with a clock of its own."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from chandlery.errors import Unavailable
from chandlery.sources import LocalGate
from chandlery.sources.breaker import Breaker
from chandlery.sources.gate import Outcome, Sent
from chandlery.sources.pacing import pace_of

START = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)


class _Bench:
    def __init__(self, calls_per_minute: int = 5_940) -> None:
        self.seconds = 0.0
        self.meanwhile: list[Callable[[], None]] = []
        """What happens during the next sleeps."""
        self.gate = LocalGate(
            host="api.massive.com",
            pace=pace_of(calls_per_minute),
            breaker=Breaker(failures=5, open_s=60.0, probe_s=120.0),
            sleep=self.sleep,
            monotonic=lambda: self.seconds,
            now=lambda: START,
        )

    def wait(self, seconds: float) -> None:
        self.seconds += seconds

    def sleep(self, seconds: float) -> None:
        self.wait(seconds)
        if self.meanwhile:
            self.meanwhile.pop(0)()

    def call(self, *outcomes: Outcome) -> None:
        for outcome in outcomes:
            self.gate.enter()
            self.report(outcome)

    def report(self, outcome: Outcome) -> None:
        self.gate.report(Sent("/v2", 1, START, outcome, status=None, size=0, ms=1, request_id=None))

    def fail(self, times: int = 5) -> None:
        self.call(*["unavailable"] * times)


@pytest.fixture
def bench() -> _Bench:
    return _Bench()


def test_five_failures_in_a_row_open_the_circuit_for_a_minute(bench: _Bench) -> None:
    bench.fail(4)
    bench.gate.enter()
    bench.report("unavailable")
    with pytest.raises(Unavailable, match=r"nothing was sent.*open until 2026-03-02 14:31:00Z"):
        bench.gate.enter()
    bench.wait(59.9)
    with pytest.raises(Unavailable):
        bench.gate.enter()
    bench.wait(0.1)
    bench.gate.enter()


def test_success_in_between_starts_the_count_again(bench: _Bench) -> None:
    bench.fail(4)
    bench.call("ok")
    bench.fail(4)
    bench.gate.enter()


@pytest.mark.parametrize("outcome", ["rate_limited", "not_entitled", "bad_payload"])
def test_refusals_and_rate_limits_neither_open_it_nor_start_the_count_again(bench: _Bench, outcome: Outcome) -> None:
    bench.call(*[outcome] * 9)
    bench.fail(4)
    bench.call(outcome)
    bench.gate.enter()
    bench.report("unavailable")
    with pytest.raises(Unavailable):
        bench.gate.enter()


def test_half_open_lets_exactly_one_probe_through(bench: _Bench) -> None:
    bench.fail()
    bench.wait(60.0)
    bench.gate.enter()
    for _ in range(3):
        with pytest.raises(Unavailable, match="one other request is on its way"):
            bench.gate.enter()


@pytest.mark.parametrize("outcome", ["ok", "rate_limited", "not_entitled", "bad_payload"])
def test_probe_that_is_answered_closes_it(bench: _Bench, outcome: Outcome) -> None:
    bench.fail()
    bench.wait(60.0)
    bench.call(outcome)
    bench.fail(4)
    bench.gate.enter()


def test_probe_that_fails_opens_it_for_another_minute(bench: _Bench) -> None:
    bench.fail()
    bench.wait(60.0)
    bench.fail(1)
    with pytest.raises(Unavailable, match="14:32:00Z"):
        bench.gate.enter()
    bench.wait(60.0)
    bench.call("ok")


def test_probe_that_never_reports_is_replaced(bench: _Bench) -> None:
    bench.fail()
    bench.wait(60.0)
    bench.gate.enter()
    bench.wait(119.0)
    with pytest.raises(Unavailable):
        bench.gate.enter()
    bench.wait(1.0)
    bench.gate.enter()


def test_caller_that_waits_for_its_slot_while_the_circuit_opens_is_refused_when_it_wakes() -> None:
    bench = _Bench(calls_per_minute=1)
    bench.gate.enter()

    def fail() -> None:
        for _ in range(5):
            bench.report("unavailable")

    bench.meanwhile.append(fail)
    with pytest.raises(Unavailable, match="nothing was sent"):
        bench.gate.enter()


def _half_open_and_full() -> _Bench:
    bench = _Bench(calls_per_minute=1)
    for _ in range(4):
        bench.report("unavailable")
    bench.gate.enter()
    bench.report("unavailable")
    bench.wait(60.0)
    return bench


def test_probe_that_oversleeps_its_slot_is_still_the_probe() -> None:
    bench = _half_open_and_full()
    bench.meanwhile.append(lambda: bench.wait(10.0))
    # Half a second until the slot, ten seconds too late, so one more slot: 60.5 s after the one given up.
    assert bench.gate.enter() == pytest.approx(0.5 + 50.5)
    with pytest.raises(Unavailable, match="on its way"):
        bench.gate.enter()
    bench.report("ok")


def test_probe_that_was_replaced_while_it_slept_is_refused() -> None:
    bench = _half_open_and_full()

    def replace() -> None:
        bench.wait(300.0)
        bench.gate.enter()

    bench.meanwhile.append(replace)
    with pytest.raises(Unavailable, match="on its way"):
        bench.gate.enter()


def test_failure_that_comes_late_does_not_prolong_the_open_state(bench: _Bench) -> None:
    for _ in range(6):
        bench.gate.enter()
    for _ in range(5):
        bench.report("unavailable")
    bench.wait(50.0)
    bench.report("unavailable")
    bench.wait(10.0)
    bench.gate.enter()
