"""Flat files: one csv.gz of a whole market's bars a session, from a folder or over plain HTTP.

The layout is the vendor's: `us_stocks_sip/{minute_aggs_v1,day_aggs_v1}/YYYY/MM/YYYY-MM-DD.csv.gz`. The vendor keeps the
tree in S3, whose requests are signed with a key pair of its own; signing is out of scope. Read here are a synchronised
folder, a mirror, or a proxy that signs; the API key is never sent to it.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path, PurePosixPath
from random import Random

import polars as pl

from chandlery import clock
from chandlery.errors import InvalidInput, NotFound
from chandlery.log import get_logger
from chandlery.market.timeframes import Timeframe
from chandlery.sources._backoff import Backoff
from chandlery.sources._flat_table import read_flat_table
from chandlery.sources._http import HttpClient, Transport
from chandlery.sources._verdict import Absent
from chandlery.sources.gate import Gate

_log = get_logger(__name__)

_TREE = "us_stocks_sip"
_FOLDERS = {Timeframe.M1: "minute_aggs_v1", Timeframe.D1: "day_aggs_v1"}


@dataclass(frozen=True, slots=True, eq=False)
class FlatFile:
    """One file as it stands now.

    `bars` has the columns `symbol` and `BAR_SCHEMA` (vwap null), ascending by symbol and `ts`, prices unadjusted.
    Values and duplicates are the vendor's own, because judging them is the audit's business.
    """

    path: str
    session: date
    timeframe: Timeframe
    etag: str
    """The server's ETag; without one, and in a folder, `sha256:` and the digest of the file."""
    size: int
    """Bytes of the file, packed."""
    bars: pl.DataFrame
    dropped: int
    """Rows thrown away: of another session, or of a ticker that cannot be a symbol."""


def flat_path(timeframe: Timeframe, session: date) -> str:
    """Return where the vendor keeps the file of a session, relative to the tree's root.

    Raises:
        InvalidInput: for another timeframe than 1m and 1d.
    """
    if timeframe not in _FOLDERS:
        raise InvalidInput(f"Timeframe was {timeframe}; flat files exist for {' and '.join(_FOLDERS)}.")
    return f"{_TREE}/{_FOLDERS[timeframe]}/{session:%Y}/{session:%m}/{session}.csv.gz"


class FlatFiles:
    """Reads flat files from a folder or a base URL."""

    def __init__(
        self,
        place: str,
        *,
        gate: Gate,
        retries: int = 4,
        timeout_s: float = 30.0,
        backoff: Backoff = Backoff(),  # noqa: B008 - frozen
        transport: Transport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        random: Random | None = None,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        """Take a place.

        Args:
            place: a folder, or an `http(s)://` base URL, that holds `us_stocks_sip`.
            gate: what every HTTP request passes; a folder needs none.
            retries: further tries after a retryable failure.
            timeout_s: seconds until a silent connection counts as failed.
            backoff: waits between tries.
            transport: in place of the network.
            sleep: waits between tries.
            random: spreads them.
            now: reads `Retry-After` dates.

        Raises:
            ConfigError: the base URL is malformed.
        """
        self._client: HttpClient | None = None
        self._folder = Path(place).expanduser()
        if place.startswith(("http://", "https://")):
            self._client = HttpClient(
                base_url=place,
                api_key=None,
                gate=gate,
                retries=retries,
                timeout_s=timeout_s,
                backoff=backoff,
                transport=transport,
                sleep=sleep,
                random=random if random is not None else Random(),  # noqa: S311 - spreads retries, guards nothing
                now=now,
            )

    def fetch(self, path: str, known_etag: str | None = None) -> FlatFile | None:
        """Return a file, or None if it is still the one with `known_etag`.

        Args:
            path: as `flat_path` gives it.
            known_etag: `FlatFile.etag` of the version the caller has.

        Raises:
            InvalidInput: the path is none of the vendor's.
            NotFound: there is no such file (yet): no session, or not published.
            BadPayload: the file cannot be unpacked, lacks a column, or a field is no number.
            SourceError: as every request of a source.
        """
        timeframe, session = _parts_of(path)
        found = self._read(path, known_etag)
        if found is None or found[1] == known_etag:
            return None
        content, etag = found
        table = read_flat_table(content, path, session)
        _log.info("flat_file_read", path=path, bytes=len(content), rows=table.bars.height, dropped=table.dropped)
        return FlatFile(
            path=path,
            session=session,
            timeframe=timeframe,
            etag=etag,
            size=len(content),
            bars=table.bars,
            dropped=table.dropped,
        )

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()

    def _read(self, path: str, known_etag: str | None) -> tuple[bytes, str] | None:
        """Return content and ETag, None if the server says that nothing changed."""
        if self._client is None:
            try:
                content = (self._folder / path).read_bytes()
            except (FileNotFoundError, NotADirectoryError) as error:
                raise _not_found(path, str(self._folder)) from error
            return content, _digest(content)
        try:
            download = self._client.download(f"/{path}", known_etag=known_etag)
        except Absent as error:
            raise _not_found(path, "the mirror") from error
        if download.content is None:
            return None
        return download.content, download.etag or _digest(download.content)


def _parts_of(path: str) -> tuple[Timeframe, date]:
    parts = PurePosixPath(path).parts
    refusal = InvalidInput(f"Flat file was {path!r}; a path looks like {flat_path(Timeframe.M1, date(2024, 1, 2))}.")
    try:
        session = date.fromisoformat(parts[-1].removesuffix(".csv.gz"))
    except (ValueError, IndexError) as error:
        raise refusal from error
    for timeframe in _FOLDERS:
        if flat_path(timeframe, session) == path:
            return timeframe, session
    raise refusal


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _not_found(path: str, place: str) -> NotFound:
    return NotFound(
        f"Flat file {path} was looked for in {place} and is not there. There is none for a day without a session; a "
        "session's file appears about 11:00 New York the next day."
    )
