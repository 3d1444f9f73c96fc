"""How answers are written: JSON by orjson, pages with a full `next` URL."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import orjson
from fastapi import Request
from starlette.responses import Response

from chandlery.api.cursor import open_cursor, seal_cursor
from chandlery.api.schemas.shared import PagedQuery
from chandlery.store.serving_pools import ServingPools

_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z


def to_json(body: object) -> bytes:
    """Return JSON; dataclasses and contiguous numpy arrays are taken as they are, NaN becomes null."""
    return orjson.dumps(body, option=_OPTIONS)


def json_response(body: object) -> Response:
    """Return a 200 with `body` as JSON that caches must ask about first."""
    return Response(to_json(body), media_type="application/json", headers={"Cache-Control": "private, no-cache"})


@dataclass(frozen=True, slots=True)
class Pager:
    """Opens and seals the cursors of one request."""

    request: Request
    query: PagedQuery
    secret: bytes

    @property
    def _bound(self) -> str:
        return self.request.url.path + "?" + orjson.dumps(self.query.filters(), option=orjson.OPT_SORT_KEYS).decode()

    def position(self) -> tuple[str, ...] | None:
        """Return where the page begins, None for the first one.

        Raises:
            BadCursor: the cursor does not belong to this query.
        """
        if self.query.cursor is None:
            return None
        return open_cursor(self.query.cursor, query=self._bound, secret=self.secret)

    def next_url(self, position: Sequence[str]) -> str:
        """Return the full URL of the page after `position`, holding only documented parameters."""
        parameters = self.query.model_dump(mode="json", exclude_none=True, exclude_unset=True)
        parameters["cursor"] = seal_cursor(position, query=self._bound, secret=self.secret)
        return str(self.request.url.replace(query=urlencode(parameters), fragment=""))


async def pager_of(request: Request, query: PagedQuery, pools: ServingPools) -> Pager:
    """Return the pager of a request; its secret is the same in every worker and after a restart."""
    return Pager(request, query, await pools.secret("cursor"))
