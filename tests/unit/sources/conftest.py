"""What the tests of sources share: recorded data, a clock that only sleeping moves, a scripted transport."""

import json
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from chandlery.sources import Gate, LocalGate, MassiveSource, OpenGate
from chandlery.sources.pacing import pace_of
from chandlery.sources.tapes import Tape, ensure_bundled_tape

DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data"
KEY = "canary-4f1c9e"
START = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
"""What the wall clock says when the clock of a bench stands at 0."""


@pytest.fixture(scope="session")
def data() -> Path:
    if not DATA.is_dir():
        pytest.skip("recorded data lie beside the checkout in shared/data and are absent here")
    return DATA


@pytest.fixture(scope="session")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Tape:
    with warnings.catch_warnings():
        # 2026-11: pandas_market_calendars 5.5 calls what pandas 3.1 deprecates.
        warnings.filterwarnings("ignore", message="Series.dt.weekday is deprecated")
        return Tape.open(ensure_bundled_tape(tmp_path_factory.mktemp("home") / "tape"))


@pytest.fixture(scope="session")
def recorded(data: Path) -> Tape:
    return Tape.open(data / "tapes")


@dataclass
class FakeTime:
    """A clock moved by sleeping only."""

    seconds: float = 0.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, wait: float) -> None:
        self.slept.append(wait)
        self.seconds += wait


@dataclass
class Exchange:
    """A transport that answers from a script and remembers what was asked."""

    answers: list[httpx.Response | Exception]
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


@dataclass
class Bench:
    """A source under test with everything it touches."""

    source: MassiveSource
    exchange: Exchange
    time: FakeTime


Build = Callable[..., Bench]


@pytest.fixture
def build() -> Iterator[Build]:
    built: list[MassiveSource] = []

    def make(*answers: httpx.Response | Exception, **options: Any) -> Bench:
        time, exchange = FakeTime(), Exchange(list(answers))
        pace, breaker = options.pop("pace", None), options.pop("breaker", None)
        gate: Gate = OpenGate()
        if pace is not None or breaker is not None:
            gate = LocalGate(
                host="api.massive.com",
                pace=pace or pace_of(5_940),
                breaker=breaker,
                sleep=time.sleep,
                monotonic=time.monotonic,
                now=lambda: START,
            )
        settings = {
            "retries": 3,
            "timeout_s": 5.0,
            "random": Random(1),
            "confirm_empty": False,
            "transport": httpx.MockTransport(exchange),
        }
        source = MassiveSource(
            base_url="https://api.massive.com",
            api_key=SecretStr(KEY),
            gate=gate,
            sleep=time.sleep,
            **(settings | options),
        )
        built.append(source)
        return Bench(source, exchange, time)

    yield make
    for source in built:
        source.close()


@pytest.fixture
def recorded_error(data: Path) -> Callable[[str], httpx.Response]:
    def load(name: str) -> httpx.Response:
        row = json.loads((data / "polygon" / "errors" / f"{name}.json").read_text(encoding="utf-8"))
        return httpx.Response(row["http_status"], json=row["body"])

    return load
