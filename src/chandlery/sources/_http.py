"""HTTP: the one place that knows the HTTP library.

Paces every call, retries what can heal, turns foreign exceptions and refusals into errors of the tree.
The API key travels in one header only: never in a URL, a log line or a message.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from random import Random

import httpx
from pydantic import SecretStr

from chandlery.errors import BadPayload, ConfigError, RateLimited, Unavailable
from chandlery.log import get_logger
from chandlery.sources._backoff import full_jitter, parse_retry_after
from chandlery.sources._verdict import Body, Failure, judge
from chandlery.sources.pacing import TokenBucket

_log = get_logger(__name__)

Transport = httpx.BaseTransport

LONGEST_RETRY_AFTER_S = 300.0
"""A source that asks for more patience than this is reported at once instead of waited for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer: its decoded body, its headers, and how many requests it took."""

    body: Body
    headers: Mapping[str, str]
    attempts: int


@dataclass(frozen=True, slots=True)
class _Failed:
    failure: Failure
    retry_after: float | None = None
    cause: Exception | None = None


class HttpClient:
    """GET requests to one base URL, whatever the paths may claim."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: SecretStr,
        bucket: TokenBucket,
        retries: int,
        timeout_s: float,
        transport: Transport | None,
        sleep: Callable[[float], None],
        random: Random,
        now: Callable[[], datetime],
    ) -> None:
        self._base = _parse_base(base_url)
        self._key = _parse_key(api_key)
        self._bucket = bucket
        self._retries = retries
        self._sleep = sleep
        self._random = random
        self._now = now
        self._client = httpx.Client(
            headers={"Authorization": f"Bearer {self._key.get_secret_value()}", "Accept": "application/json"},
            timeout=timeout_s,
            transport=transport,
            # A proxy of the environment cannot reach this machine's loopback.
            trust_env=not _is_loopback(self._base.host),
        )

    def get(self, target: str) -> Answer:
        """Return the answer to `GET <base url><target>`.

        Args:
            target: path and query, beginning with `/`.

        Raises:
            RateLimited: 429 after all retries, or a `Retry-After` beyond 300 s.
            Unavailable: server errors, timeouts, no connection, after all retries.
            NotEntitled: key or plan refused; never retried.
            BadPayload: anything else; a body cut short is retried first.
        """
        attempt = 1
        while True:
            outcome = self._send(target, attempt)
            if isinstance(outcome, Answer):
                return outcome
            asked = outcome.retry_after or 0.0
            if not outcome.failure.retry or attempt > self._retries or asked > LONGEST_RETRY_AFTER_S:
                failure = outcome.failure
                raise failure.error(self._message(target, attempt, outcome)) from outcome.cause
            wait = max(asked, full_jitter(attempt, self._random))
            _log.warning(
                "request_retried",
                path=_path_of(target),
                attempt=attempt,
                found=self._without_key(outcome.failure.found),
                wait_s=round(wait, 3),
            )
            self._sleep(wait)
            attempt += 1

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _send(self, target: str, attempt: int) -> Answer | _Failed:
        waited = self._bucket.take()
        url = self._base.copy_with(raw_path=self._base.raw_path.rstrip(b"/") + target.encode("ascii"))
        started = time.perf_counter()
        try:
            response = self._client.get(url)
        except httpx.TimeoutException as error:
            return _unavailable("no answer in time", error)
        except httpx.DecodingError as error:
            found = Failure(BadPayload, "a compressed body that cannot be unpacked", "Try again later", retry=True)
            return _Failed(found, cause=error)
        except httpx.TransportError as error:
            return _unavailable(f"no connection ({type(error).__name__}: {error})", error)
        _log.info(
            "page_fetched",
            path=_path_of(target),
            attempt=attempt,
            status=response.status_code,
            bytes=len(response.content),
            ms=round((time.perf_counter() - started) * 1000.0),
            waited_ms=round(waited * 1000.0),
        )
        verdict = judge(response.status_code, response.headers.get("content-type", ""), response.content)
        if isinstance(verdict, Failure):
            return _Failed(verdict, parse_retry_after(response.headers.get("retry-after"), self._now()))
        return Answer(verdict, response.headers, attempt)

    def _message(self, target: str, attempt: int, outcome: _Failed) -> str:
        tries = "once" if attempt == 1 else f"{attempt} times"
        patience = ""
        if outcome.failure.error in (RateLimited, Unavailable) and outcome.retry_after is not None:
            patience = f" It asked to come back in {outcome.retry_after:.0f} s."
        found = self._without_key(outcome.failure.found)
        place = f"{self._base.scheme}://{self._base.netloc.decode('ascii')}{_path_of(target)}"
        return f"GET {place} was tried {tries}; found {found}.{patience} {outcome.failure.advice}."

    def _without_key(self, text: str) -> str:
        return text.replace(self._key.get_secret_value(), "[key]")


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
