"""HTTP: the one place that knows the HTTP library.

Every request passes the gate, what can heal is retried, foreign exceptions and refusals become errors of the tree.
The API key travels in one header only: never in a URL, a log line or a message.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from random import Random
from typing import Generic, TypeVar

import httpx
from pydantic import SecretStr

from chandlery.errors import BadPayload, ConfigError, RateLimited, SourceError, Unavailable
from chandlery.log import get_logger
from chandlery.sources._backoff import Backoff, parse_retry_after
from chandlery.sources._verdict import Absent, AnswerTooLarge, Body, Decoded, Failure, judge, refusal, request_id_in
from chandlery.sources.gate import Gate, Outcome, Sent

_log = get_logger(__name__)

Transport = httpx.BaseTransport
T = TypeVar("T")

LONGEST_RETRY_AFTER_S = 300.0
"""A source that asks for more patience than this is reported at once instead of waited for."""

_OUTCOMES: Mapping[str, Outcome] = {
    "rate_limited": "rate_limited",
    "source_unavailable": "unavailable",
    "not_entitled": "not_entitled",
    "bad_payload": "bad_payload",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer: its decoded body, its headers, and how many requests it took."""

    body: Body
    is_csv: bool
    content: bytes
    headers: Mapping[str, str]
    attempts: int


@dataclass(frozen=True, slots=True)
class Download:
    """A file as it came; `content` is None if it is still the one the caller knows."""

    content: bytes | None
    etag: str | None
    attempts: int


@dataclass(frozen=True, slots=True)
class _Failed:
    failure: Failure
    retry_after: float | None = None
    cause: Exception | None = None


@dataclass(frozen=True, slots=True)
class _Read(Generic[T]):
    value: T
    response: httpx.Response
    attempts: int


@dataclass(frozen=True, slots=True)
class _Trip:
    path: str
    attempt: int
    sent_at: datetime
    ms: int


class HttpClient:
    """GET requests to one base URL, whatever the paths may claim."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: SecretStr | None,
        gate: Gate,
        retries: int,
        timeout_s: float,
        backoff: Backoff,
        transport: Transport | None,
        sleep: Callable[[float], None],
        random: Random,
        now: Callable[[], datetime],
    ) -> None:
        self._base = _parse_base(base_url)
        self._key = None if api_key is None else _parse_key(api_key)
        self._gate = gate
        self._retries = retries
        self._backoff = backoff
        self._sleep = sleep
        self._random = random
        self._now = now
        key = {} if self._key is None else {"Authorization": f"Bearer {self._key.get_secret_value()}"}
        self._client = httpx.Client(
            headers={"Accept": "application/json", **key},
            timeout=timeout_s,
            transport=transport,
            # A proxy of the environment cannot reach this machine's loopback.
            trust_env=not _is_loopback(self._base.host),
        )

    def get(self, target: str, *, is_list: bool = False) -> Answer:
        """Return the answer to `GET <base url><target>`.

        Args:
            target: path and query, beginning with `/`.
            is_list: the documented answer is a bare JSON list; it comes back under `results`.

        Raises:
            RateLimited: 429 after all retries, or a `Retry-After` beyond 300 s.
            Unavailable: server errors, timeouts, no connection, after all retries; or the circuit is open.
            NotEntitled: key or plan refused; never retried.
            BadPayload: anything else; a body cut short is retried first. `AnswerTooLarge` for HTTP 413, `Absent` for a
                documented 404.
        """

        def read(response: httpx.Response) -> Decoded | Failure:
            kind = response.headers.get("content-type", "")
            return judge(response.status_code, kind, response.content, is_list=is_list)

        done = self._ask(target, {}, read)
        response = done.response
        return Answer(done.value.body, done.value.is_csv, response.content, response.headers, done.attempts)

    def download(self, target: str, *, known_etag: str | None) -> Download:
        """Return the bytes at `target`, not unpacked; `known_etag` as an earlier download gave it.

        Raises:
            Absent: HTTP 404.
            SourceError: as `get`.
        """
        # A server that knows the suffix could announce gzip as the encoding; the file is wanted as it lies there.
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        if known_etag is not None:
            headers["If-None-Match"] = known_etag
        done = self._ask(target, headers, _judge_file)
        content = None if done.response.status_code == httpx.codes.NOT_MODIFIED else done.value
        return Download(content, done.response.headers.get("etag"), done.attempts)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _ask(self, target: str, headers: Mapping[str, str], read: Callable[[httpx.Response], T | Failure]) -> _Read[T]:
        attempt = 1
        while True:
            outcome = self._send(target, headers, read, attempt)
            if isinstance(outcome, _Read):
                return outcome
            asked = outcome.retry_after or 0.0
            if not outcome.failure.retry or attempt > self._retries or asked > LONGEST_RETRY_AFTER_S:
                raise self._error(target, attempt, outcome) from outcome.cause
            wait = max(asked, self._backoff.wait(attempt, self._random))
            _log.warning(
                "request_retried",
                path=_path_of(target),
                attempt=attempt,
                found=self._without_key(outcome.failure.found),
                wait_s=round(wait, 3),
            )
            self._sleep(wait)
            attempt += 1

    def _send(
        self, target: str, headers: Mapping[str, str], read: Callable[[httpx.Response], T | Failure], attempt: int
    ) -> _Read[T] | _Failed:
        url = self._base.copy_with(raw_path=self._base.raw_path.rstrip(b"/") + target.encode("ascii"))
        waited = self._gate.enter()
        sent_at, started = self._now(), time.perf_counter()
        came = self._exchange(url, headers)
        trip = _Trip(_path_of(target), attempt, sent_at, round((time.perf_counter() - started) * 1000.0))
        if isinstance(came, _Failed):
            self._report(trip, came.failure, None)
            return came
        verdict = read(came)
        self._report(trip, verdict if isinstance(verdict, Failure) else None, came)
        _log.info(
            "page_fetched",
            path=trip.path,
            attempt=attempt,
            status=came.status_code,
            bytes=len(came.content),
            ms=trip.ms,
            waited_ms=round(waited * 1000.0),
        )
        if isinstance(verdict, Failure):
            return _Failed(verdict, parse_retry_after(came.headers.get("retry-after"), self._now()))
        return _Read(verdict, came, attempt)

    def _exchange(self, url: httpx.URL, headers: Mapping[str, str]) -> httpx.Response | _Failed:
        try:
            return self._client.get(url, headers=dict(headers))
        except httpx.TimeoutException as error:
            return _unavailable("no answer in time", error)
        except httpx.DecodingError as error:
            found = Failure(BadPayload, "a compressed body that cannot be unpacked", "Try again later", retry=True)
            return _Failed(found, cause=error)
        except httpx.TransportError as error:
            return _unavailable(f"no connection ({type(error).__name__}: {error})", error)

    def _report(self, trip: _Trip, failure: Failure | None, response: httpx.Response | None) -> None:
        # A documented "no such thing" is an answer like any other.
        is_ok = failure is None or failure.error is Absent
        content = b"" if response is None else response.content
        self._gate.report(
            Sent(
                path=trip.path,
                attempt=trip.attempt,
                sent_at=trip.sent_at,
                outcome="ok" if failure is None or is_ok else _OUTCOMES[failure.error.code],
                status=None if response is None else response.status_code,
                size=len(content),
                ms=trip.ms,
                request_id=request_id_in(content),
            )
        )

    def _error(self, target: str, attempt: int, outcome: _Failed) -> SourceError:
        tries = "once" if attempt == 1 else f"{attempt} times"
        patience = ""
        if outcome.failure.error in (RateLimited, Unavailable) and outcome.retry_after is not None:
            patience = f" It asked to come back in {outcome.retry_after:.0f} s."
        found = self._without_key(outcome.failure.found)
        place = f"{self._base.scheme}://{self._base.netloc.decode('ascii')}{_path_of(target)}"
        error = outcome.failure.error(
            f"GET {place} was tried {tries}; found {found}.{patience} {outcome.failure.advice}."
        )
        if isinstance(error, AnswerTooLarge):
            error.attempts = attempt
        return error

    def _without_key(self, text: str) -> str:
        return text if self._key is None else text.replace(self._key.get_secret_value(), "[key]")


def _judge_file(response: httpx.Response) -> bytes | Failure:
    if response.status_code == httpx.codes.NOT_FOUND:
        return Failure(Absent, "HTTP 404", "The file is not published (yet), or the base URL is another", retry=False)
    if response.status_code in (httpx.codes.OK, httpx.codes.NOT_MODIFIED):
        return response.content
    return refusal(response.status_code, b"")


def _unavailable(found: str, error: Exception) -> _Failed:
    advice = "Check the network and CHANDLERY_MASSIVE__BASE_URL; for the stand-in, start `chandlery provider`"
    return _Failed(Failure(Unavailable, found, advice, retry=True), cause=error)


def _path_of(target: str) -> str:
    return target.split("?", 1)[0]


def _parse_base(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise ConfigError(f"The base URL was {text!r}, which is no URL ({error}); give scheme and host.") from error
    if url.scheme not in ("http", "https") or not url.host or url.query or url.userinfo:
        raise ConfigError(f"The base URL was {text!r}; give http(s)://host[:port] without user or query.")
    return url


def _parse_key(api_key: SecretStr) -> SecretStr:
    # A newline from a secrets file would make the HTTP library quote the whole header in its error.
    key = api_key.get_secret_value().strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigError("The API key was empty or held blanks or unprintable characters; set POLYGON_API_KEY again.")
    return SecretStr(key)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
