"""Words that several queries and answers share."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from chandlery.api.cursor import MAX_LENGTH
from chandlery.errors import InvalidInput
from chandlery.market.symbols import parse_symbol


def _symbol(text: str) -> str:
    try:
        return parse_symbol(text)
    except InvalidInput as error:
        raise ValueError(str(error)) from error


Symbol = Annotated[
    str,
    AfterValidator(_symbol),
    Field(description="A symbol such as AAPL or X:BTCUSD; case does not matter.", examples=["AAPL"]),
]
Word = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""A text without control characters."""

CandleTimeframe = Literal["5m", "15m", "30m", "1h", "4h", "1d", "1w"]


class Query(BaseModel):
    """Parameters of a query; one that is not documented is refused, so that a typo is not an empty filter."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PagedQuery(Query):
    """Parameters of a query whose answer comes in pages."""

    cursor: str | None = Field(
        None, max_length=MAX_LENGTH, description="Where to go on; taken from `next` of the page before."
    )

    def filters(self) -> dict[str, object]:
        """Return what a cursor is bound to: every parameter but those that may change between pages."""
        return self.model_dump(mode="json", exclude={"cursor", "limit", "layout", "format"})


class Published(BaseModel):
    """The version of the dataset an answer was read from."""

    dataset: str
    version: int
    published_at: datetime
    run_id: str | None
    code_version: str
    source: str
    rows: int


class Page(BaseModel):
    """One page of a listing."""

    published: Published | None = Field(description="Version read; null before the dataset's first publication.")
    next: str | None = Field(description="URL of the next page, null on the last.")


class FieldFault(BaseModel):
    """One wrong parameter."""

    pointer: str = Field(description="JSON pointer, for example /query/limit.")
    detail: str


class Reason(BaseModel):
    """One thing that keeps the API from being ready."""

    code: str
    detail: str


class Problem(BaseModel):
    """An error as application/problem+json (RFC 9457)."""

    type: str = Field(description="/problems/{code}, where the code is described.")
    title: str
    status: int
    detail: str = Field(description="What was tried, what was found, what to do.")
    instance: str | None = Field(description="The request id; the server's log has it too.")
    code: str
    errors: list[FieldFault] | None = None
    reasons: list[Reason] | None = None
