"""Pages: following `next_url` to the end without ever leaving our own host."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from chandlery.errors import BadPayload
from chandlery.sources._http import HttpClient
from chandlery.sources._verdict import Body

_KEY_PARAMETER = "apikey"


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a paged endpoint."""

    place: str
    """How messages name it: path and page number."""
    body: Body
    rows: tuple[Mapping[str, object], ...]
    source: str | None
    """Value of the header `Chandlery-Source`; the vendor sends none."""
    request_id: str | None
    attempts: int
    is_last: bool


def read_pages(client: HttpClient, target: str) -> Iterator[Page]:
    """Yield the page at `target`, then every page `next_url` leads to.

    Of `next_url` only path and query are used, on the client's own base URL: an answer cannot send the key
    to another host.

    Raises:
        BadPayload: if a `next_url` comes a second time or is no URL, or the rows are not a list of objects.
        SourceError: whatever `HttpClient.get` raises.
    """
    seen: set[str] = set()
    following: str | None = target
    while following is not None:
        seen.add(following)
        answer = client.get(following)
        place = f"Page {len(seen)} of {target.split('?', 1)[0]}"
        request_id = answer.body.get("request_id")
        following = _following(answer.body, place)
        if following in seen:
            raise BadPayload(f"{place} leads back to a page already read; the loop was left and nothing was stored.")
        yield Page(
            place=place,
            body=answer.body,
            rows=_rows_of(answer.body, place),
            source=answer.headers.get("Chandlery-Source"),
            request_id=request_id if isinstance(request_id, str) else None,
            attempts=answer.attempts,
            is_last=following is None,
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
