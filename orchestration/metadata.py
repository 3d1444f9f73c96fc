"""Receipts as Dagster metadata: tables and small pictures a person reads in the UI."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import dagster as dg

from chandlery.reports.preview import markdown_table, svg_data_uri

if TYPE_CHECKING:
    Materialized = dg.MaterializeResult[None]
else:
    # An asset with checks must be annotated with the bare class: Dagster 1.13 compares by identity.
    Materialized = dg.MaterializeResult

_MOST_ROWS = 25


def table(rows: Sequence[Mapping[str, object]]) -> dg.MarkdownMetadataValue:
    """Return rows as a markdown table, at most 25 of them, with a line that counts the rest."""
    text = markdown_table(rows[:_MOST_ROWS])
    if len(rows) > _MOST_ROWS:
        text += f"\n\n… and {len(rows) - _MOST_ROWS} more"
    return dg.MetadataValue.md(text)


def picture(svg: str) -> dg.MarkdownMetadataValue:
    """Return an SVG drawing as an inline picture."""
    return dg.MetadataValue.md(f"![plot]({svg_data_uri(svg)})")
