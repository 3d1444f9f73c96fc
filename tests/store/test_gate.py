"""The gate in the warehouse: pace, circuit breaker and request log over real processes."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

import pytest

from chandlery import clock
from chandlery.errors import DatabaseDown, Unavailable
from chandlery.settings import MassiveSettings, Settings
from chandlery.sources.breaker import Breaker
from chandlery.sources.gate import Outcome, Sent
from chandlery.sources.pacing import Pace
from chandlery.sources.turnstile import Turnstile
from chandlery.steps.source import open_shared_flat_files, open_shared_source, shared_gate
from chandlery.store.gate import GateLedger

Ask = Callable[..., list[tuple[Any, ...]]]
Tell = Callable[..., None]

HOST = "api.massive.com"
CALLS, PER_S = 5, 1.0
PACE = Pace(CALLS, PER_S, margin_s=0.5)

# Enters as often as its line says and writes down each moment, before and after.
_CALLER = """
import json, sys
from chandlery import clock
from chandlery.settings import DatabaseSettings
from chandlery.sources.pacing import Pace
from chandlery.steps.source import shared_gate
from chandlery.store.warehouse import Warehouse

place, pace, host = json.loads(sys.argv[1])
gate = shared_gate(Warehouse(DatabaseSettings(**place)), host, Pace(*pace), None)
print("ready", flush=True)
for line in sys.stdin:
    for _ in range(int(line)):
        print("enters", flush=True)
        gate.enter()
        print(clock.now().isoformat(), flush=True)
"""


class _Caller:
    def __init__(self, warehouse: Any) -> None:
        database = warehouse.database
        place = {key: getattr(database, key) for key in ("host", "port", "name", "user")}
        place["password"] = database.password.get_secret_value()
        told = json.dumps([place, [PACE.calls, PACE.per_s, PACE.margin_s], HOST])
        command = [sys.executable, "-c", _CALLER, told]
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.read() == "ready"

    def read(self) -> str:
        assert self.child.stdout is not None
        return self.child.stdout.readline().strip()

    def enter(self, times: int) -> None:
        assert self.child.stdin is not None
        self.child.stdin.write(f"{times}\n")
        self.child.stdin.flush()

    def sends(self, times: int) -> list[datetime]:
        lines = [self.read() for _ in range(2 * times)]
        assert lines[::2] == ["enters"] * times
        return [datetime.fromisoformat(line) for line in lines[1::2]]


@contextmanager
def _callers(warehouse: Any, count: int) -> Iterator[list[_Caller]]:
    callers = [_Caller(warehouse) for _ in range(count)]
    try:
        yield callers
    finally:
        for caller in callers:
            with suppress(ProcessLookupError):
                caller.child.send_signal(signal.SIGCONT)
            caller.child.kill()
            caller.child.communicate()


def _assert_paced(sends: list[datetime]) -> None:
    ordered = sorted(sends)
    spans = [(late - early).total_seconds() for early, late in zip(ordered, ordered[CALLS:], strict=False)]
    assert spans
    assert min(spans) >= PER_S, spans


def test_processes_at_once_never_send_more_than_the_pace_allows(fresh: Any) -> None:
    with _callers(fresh, 3) as callers:
        for caller in callers:
            caller.enter(7)
        sends = [send for caller in callers for send in caller.sends(7)]
    assert len(sends) == 21
    _assert_paced(sends)


def test_new_process_sees_what_the_old_one_sent(fresh: Any) -> None:
    sends = []
    for _ in range(2):
        with _callers(fresh, 1) as (caller,):
            caller.enter(CALLS)
            sends += caller.sends(CALLS)
    _assert_paced(sends)


def test_process_that_is_suspended_while_it_waits_takes_a_new_slot(fresh: Any) -> None:
    with _callers(fresh, 2) as (sleeper, other):
        other.enter(CALLS)
        sends = other.sends(CALLS)
        sleeper.enter(1)
        assert sleeper.read() == "enters"
        time.sleep(0.5)
        sleeper.child.send_signal(signal.SIGSTOP)
        # Its slot passes; the other fills the pace behind it; then it wakes up among them.
        other.enter(CALLS - 1)
        sends += other.sends(CALLS - 1)
        sleeper.child.send_signal(signal.SIGCONT)
        other.enter(CALLS)
        sends += other.sends(CALLS)
        woken = datetime.fromisoformat(sleeper.read())
    _assert_paced([*sends, woken])
    assert woken > sends[2 * CALLS - 2]


def test_process_that_is_killed_while_it_waits_holds_nobody_up(fresh: Any) -> None:
    with _callers(fresh, 2) as (victim, other):
        other.enter(CALLS)
        sends = other.sends(CALLS)
        victim.enter(1)
        assert victim.read() == "enters"
        victim.child.kill()
        other.enter(CALLS)
        sends += other.sends(CALLS)
    _assert_paced(sends)


def _report(gate: Turnstile, outcome: Outcome, **changes: Any) -> None:
    values = {"status": 200, "size": 10, "ms": 5, "request_id": "r", "attempt": 1, "path": "/v2"}
    gate.report(Sent(sent_at=clock.now(), outcome=outcome, **(values | changes)))


def _gates(warehouse: Any, count: int, breaker: Breaker | None = None) -> list[Turnstile]:
    """Return gates that share nothing but the warehouse, as processes do."""
    pace = Pace(1000, 1.0, margin_s=60.0)
    return [shared_gate(warehouse, HOST, pace, breaker) for _ in range(count)]


def test_failures_of_several_callers_open_one_circuit_for_all(fresh: Any) -> None:
    gates = _gates(fresh, 6, Breaker(failures=5, open_s=60.0))
    for gate in gates[:5]:
        gate.enter()
        _report(gate, "unavailable", status=None)
    for gate in gates:
        with pytest.raises(Unavailable, match="5 requests in a row found it unavailable"):
            gate.enter()


def test_half_open_circuit_lets_one_of_many_callers_through(fresh: Any, tell: Tell, ask: Ask) -> None:
    breaker = Breaker(failures=1, open_s=60.0, probe_s=120.0)
    gates = _gates(fresh, 6, breaker)
    gates[0].enter()
    _report(gates[0], "unavailable")
    tell(fresh, "update ops.provider_gates set opened_at = opened_at - interval '61 seconds'")
    passed: list[int] = []
    barrier = threading.Barrier(len(gates))

    def knock(place: int) -> None:
        barrier.wait()
        with suppress(Unavailable):
            gates[place].enter()
            passed.append(place)

    threads = [threading.Thread(target=knock, args=(place,)) for place in range(len(gates))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(passed) == 1

    # The probe's process dies; two minutes later somebody else becomes the probe, and is answered.
    tell(fresh, "update ops.provider_gates set probe_at = probe_at - interval '121 seconds'")
    gates[1].enter()
    with pytest.raises(Unavailable, match="on its way"):
        gates[2].enter()
    _report(gates[1], "ok")
    for gate in gates:
        gate.enter()
    assert ask(fresh, "select failures, opened_at, probe_at from ops.provider_gates") == [(0, None, None)]


def test_every_request_is_kept_with_its_outcome(fresh: Any, ask: Ask) -> None:
    (gate,) = _gates(fresh, 1)
    for attempt, outcome in enumerate(("unavailable", "rate_limited", "ok"), start=1):
        gate.enter()
        status = None if outcome == "unavailable" else 200
        _report(gate, outcome, attempt=attempt, status=status, request_id=None if status is None else "abc")
    columns = "host, path, attempt, status, outcome, bytes, ms, request_id"
    assert ask(fresh, f"select {columns} from ops.requests order by seq") == [
        (HOST, "/v2", 1, None, "unavailable", 10, 5, None),
        (HOST, "/v2", 2, 200, "rate_limited", 10, 5, "abc"),
        (HOST, "/v2", 3, 200, "ok", 10, 5, "abc"),
    ]


def test_log_of_sends_stays_as_short_as_the_pace(fresh: Any, ask: Ask) -> None:
    gate = shared_gate(fresh, HOST, Pace(3, 0.05, margin_s=10.0), None)
    ledger = GateLedger(fresh, HOST)
    with ledger.hold() as sheet:
        sheet.sends = [sheet.now - timedelta(seconds=100 - place) for place in range(50)]
    gate.enter()
    assert ask(fresh, "select cardinality(sends) from ops.provider_gates") == [(3,)]


def test_error_while_the_row_is_held_changes_nothing(fresh: Any, ask: Ask) -> None:
    ledger = GateLedger(fresh, HOST)
    with ledger.hold() as sheet:
        sheet.failures = 2
    with suppress(KeyError), ledger.hold() as sheet:
        sheet.failures = 9
        raise KeyError
    assert ask(fresh, "select failures from ops.provider_gates") == [(2,)]
    assert ledger.read().failures == 2


def test_host_nobody_has_asked_yet_reads_as_empty_and_hosts_do_not_share(fresh: Any) -> None:
    assert GateLedger(fresh, "elsewhere").read().sends == []
    with GateLedger(fresh, HOST).hold() as sheet:
        sheet.failures = 3
    assert GateLedger(fresh, "elsewhere").read().failures == 0


def test_caller_that_stands_still_with_the_row_in_hand_loses_it(fresh: Any, ask: Ask) -> None:
    slow, other = GateLedger(fresh, HOST, held_at_most_s=0.2), GateLedger(fresh, HOST)
    held, let_go = threading.Event(), threading.Event()
    errors: list[Exception] = []

    def stand_still() -> None:
        try:
            with slow.hold() as sheet:
                sheet.failures = 7
                held.set()
                let_go.wait(30.0)
        except DatabaseDown as error:
            errors.append(error)

    thread = threading.Thread(target=stand_still)
    thread.start()
    assert held.wait(30.0)
    with other.hold() as sheet:
        sheet.failures = 1
    let_go.set()
    thread.join()
    assert len(errors) == 1
    assert ask(fresh, "select failures from ops.provider_gates") == [(1,)]


def test_clock_is_read_after_the_row_was_waited_for(fresh: Any) -> None:
    first, second = GateLedger(fresh, HOST), GateLedger(fresh, HOST)
    moments: list[datetime] = []
    with first.hold():
        pass

    def wait() -> None:
        with second.hold() as sheet:
            moments.append(sheet.now)

    with first.hold() as sheet:
        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(0.3)
        before_release = sheet.now + timedelta(seconds=0.3)
    thread.join()
    assert moments[0] >= before_release


def _settings(**values: Any) -> Settings:
    return Settings(_env_file=None, **values)


def test_vendor_is_opened_behind_the_row_of_its_host(fresh: Any, ask: Ask) -> None:
    vendor = MassiveSettings(api_key="k", base_url="http://127.0.0.1:9/api", retries=0, breaker_failures=1)
    source = open_shared_source(_settings(massive=vendor), fresh)
    with pytest.raises(Unavailable, match="no connection"):
        source.fetch_splits("AAPL")
    source.close()
    again = open_shared_source(_settings(massive=vendor), fresh)
    with pytest.raises(Unavailable, match="nothing was sent"):
        again.fetch_splits("AAPL")
    again.close()
    assert ask(fresh, "select host, path, outcome, status from ops.requests") == [
        ("127.0.0.1:9", "/v3/reference/splits", "unavailable", None)
    ]
    assert ask(fresh, "select host, cardinality(sends), failures from ops.provider_gates") == [("127.0.0.1:9", 1, 1)]


def test_flat_files_of_a_mirror_pass_a_gate_of_their_own(fresh: Any, ask: Ask) -> None:
    vendor = MassiveSettings(flat_files="http://127.0.0.1:9/mirror", retries=0)
    files = open_shared_flat_files(_settings(massive=vendor), fresh)
    with pytest.raises(Unavailable):
        files.fetch("us_stocks_sip/day_aggs_v1/2024/01/2024-01-02.csv.gz")
    files.close()
    assert ask(fresh, "select host, path, outcome from ops.requests") == [
        ("127.0.0.1:9", "/us_stocks_sip/day_aggs_v1/2024/01/2024-01-02.csv.gz", "unavailable")
    ]
