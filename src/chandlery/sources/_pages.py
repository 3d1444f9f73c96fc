"""Pages: following `next_url` to the end without ever leaving our own host."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode, urlsplit

from chandlery.errors import BadPayload
from chandlery.log import get_logger
from chandlery.sources._http import Answer, HttpClient
from chandlery.sources._verdict import AnswerTooLarge, Body

_log = get_logger(__name__)

_KEY_PARAMETER = "apikey"
_VARYING = re.compile(rb'"(?:request_id|next_url)"\s*:\s*(?:"(?:[^"\\]|\\.)*"|null)\s*,?')


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A paged endpoint as documented."""

    name: str
    fields: frozenset[str]
    """What its rows may have; anything more is ignored and logged once."""
    limit: int
    """Rows asked for a page."""


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a paged endpoint."""

    place: str
    """How messages name it: path and page number."""
    body: Body
    rows: tuple[Mapping[str, object], ...]
    is_csv: bool
    """CSV rows come without echo of ticker and adjustment, and without `next_url`."""
    source: str | None
    """Value of the header `Chandlery-Source`; the vendor sends none."""
    request_id: str | None
    payload: bytes
    """The body as sent, without what differs between two equal answers: `request_id` and `next_url`."""
    attempts: int

    def without_rows(self) -> "Page":
        """Return the page without its decoded body, which takes some 20 times the memory of the bars made of it."""
        return replace(self, body={}, rows=())


class PageReader:
    """Reads paged endpoints over one client; remembers which unknown fields it has logged."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client
        self._logged: set[tuple[str, str]] = set()

    def read(self, endpoint: Endpoint, target: str, *, confirm_empty: bool = False) -> Iterator[Page]:
        """Yield the page at `target`, then every page `next_url` leads to.

        Of `next_url` only path and query are used, on the client's own base URL: an answer cannot send the key
        to another host. A `next_url` promises rows, so a page it leads to is asked for once more if it has none.

        Args:
            endpoint: what is read.
            target: path and query of the first page.
            confirm_empty: ask once more for a first page without rows too, because `results: null` also comes for a
                moment under load although there are data (polygon-io/issues#2).

        Raises:
            BadPayload: if a `next_url` comes a second time, is no URL or leads to a page that stays empty, or the rows
                are not a list of objects.
            AnswerTooLarge: a CSV page is full, so what follows is unknown; also as `HttpClient.get`.
            SourceError: whatever else `HttpClient.get` raises.
        """
        seen: set[str] = set()
        following: str | None = target
        while following is not None:
            seen.add(following)
            place = f"Page {len(seen)} of {target.split('?', 1)[0]}"
            is_promised = len(seen) > 1
            page, following = self._page(endpoint, following, place, confirm_empty=confirm_empty or is_promised)
            if is_promised and not page.rows:
                raise BadPayload(
                    f"{place} was promised by a next_url and has no rows, twice; what should stand there is missing, "
                    "so nothing was stored. Try again later."
                )
            if following in seen:
                raise BadPayload(
                    f"{place} leads back to a page already read; the loop was left and nothing was stored."
                )
            yield page

    def _page(self, endpoint: Endpoint, target: str, place: str, *, confirm_empty: bool) -> tuple[Page, str | None]:
        answer = self._client.get(target)
        attempts, rows = answer.attempts, _rows_of(answer.body, place)
        if confirm_empty and not rows:
            answer = self._client.get(target)
            attempts, rows = attempts + answer.attempts, _rows_of(answer.body, place)
        self._log_new_fields(endpoint, rows)
        if answer.is_csv and len(rows) >= endpoint.limit:
            error = AnswerTooLarge(
                f"{place} is CSV and full ({len(rows)} rows), and CSV does not say whether more follow; nothing was "
                "stored."
            )
            error.attempts = attempts
            raise error
        following = _following(answer.body, place)
        return _page_of(answer, rows, place, attempts=attempts), following

    def _log_new_fields(self, endpoint: Endpoint, rows: tuple[Mapping[str, object], ...]) -> None:
        for field in sorted(set[str]().union(*rows) - endpoint.fields):
            if (endpoint.name, field) not in self._logged:
                self._logged.add((endpoint.name, field))
                _log.warning("field_ignored", endpoint=endpoint.name, field=field[:100])


def _page_of(answer: Answer, rows: tuple[Mapping[str, object], ...], place: str, *, attempts: int) -> Page:
    request_id = answer.body.get("request_id")
    return Page(
        place=place,
        body=answer.body,
        rows=rows,
        is_csv=answer.is_csv,
        source=answer.headers.get("Chandlery-Source"),
        request_id=request_id if isinstance(request_id, str) else None,
        payload=_VARYING.sub(b"", answer.content),
        attempts=attempts,
    )


def _rows_of(body: Body, place: str) -> tuple[Mapping[str, object], ...]:
    # The vendor writes "nothing" in three ways: no results, results null, results [].
    rows = body.get("results")
    if rows is None:
        return ()
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadPayload(f"{place} has results that are not a list of objects; nothing was stored.")
    return tuple(rows)


def _following(body: Body, place: str) -> str | None:
    link = body.get("next_url")
    if not link:
        return None
    refusal = BadPayload(f"{place} has a next_url that is no URL: {str(link)[:200]!r}; nothing was stored.")
    if not isinstance(link, str) or not link.isascii() or not link.isprintable():
        raise refusal
    try:
        parts = urlsplit(link)
    except ValueError as error:
        raise refusal from error
    if not parts.path.startswith("/"):
        raise refusal
    query = [(key, value) for key, value in parse_qsl(parts.query) if key.lower() != _KEY_PARAMETER]
    return f"{parts.path}?{urlencode(query)}" if query else parts.path
