"""What may be asked of risk reports, and the answers."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field, JsonValue

from chandlery.api.schemas.shared import Page, PagedQuery, Published, Query, Word


class ReportsQuery(PagedQuery):
    """A listing of risk reports."""

    portfolio: Word | None = Field(None, examples=["balanced"])
    limit: int = Field(100, ge=1, le=1000, description="Reports a page.")


class ReportQuery(Query):
    """The form of one report."""

    format: Literal["json", "html"] | None = Field(
        None, description="Without it the `Accept` header decides; JSON unless it names text/html."
    )


class ReportSummary(BaseModel):
    """A risk report without its contents."""

    report_id: str
    portfolio: str
    as_of: date
    limit_state: str
    code_version: str
    run_id: str | None
    created_at: datetime


class ReportsPage(Page):
    """Risk reports, latest first."""

    items: list[ReportSummary]


class ReportAnswer(ReportSummary):
    """A risk report whole."""

    published: Published | None
    payload: dict[str, JsonValue]
