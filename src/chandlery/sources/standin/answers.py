"""Answers: JSON and CSV as the vendor writes them, and the ways it refuses."""

from collections.abc import Mapping, Sequence

import orjson
import polars as pl
from starlette.requests import Request
from starlette.responses import Response

CSV = "text/csv"


class RefusedError(Exception):
    """A request that is answered with a status and a few words instead of data."""

    def __init__(self, status_code: int, status: str, **words: object) -> None:
        super().__init__(status)
        self.status_code = status_code
        self.body: dict[str, object] = {"status": status, **words}


def not_found(message: str, **words: object) -> RefusedError:
    """Return the refusal for a thing the provider does not know."""
    return RefusedError(404, "NOT_FOUND", message=message, **words)


def json_answer(body: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a body as JSON."""
    return Response(orjson.dumps(body), status_code=status, headers=headers, media_type="application/json")


def wants_csv(request: Request) -> bool:
    """Return whether the request asks for CSV before anything else."""
    first = request.headers.get("accept", "").split(",", maxsplit=1)[0]
    return first.split(";", maxsplit=1)[0].strip().lower() == CSV


def csv_answer(
    rows: pl.DataFrame, columns: Sequence[str], *, next_url: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """Return rows as CSV in the given order of columns; a column without any value is left out.

    The vendor does not say where a CSV answer keeps its next page; here it is a `Link` header (RFC 8288).
    """
    known = [
        name for name in columns if name in rows.columns and (rows[name].null_count() < rows.height or not rows.height)
    ]
    text = rows.select(known).write_csv() if known else ",".join(columns) + "\n"
    links = {} if next_url is None else {"Link": f'<{next_url}>; rel="next"'}
    return Response(text, headers={**(headers or {}), **links}, media_type=CSV)
