"""Checks of the universe: the calendar is what everybody says it is."""

import dagster as dg

from chandlery.steps.calendar import standing_disagreements
from chandlery.store.warehouse import Warehouse
from orchestration.failures import boundary
from orchestration.metadata import table


@dg.asset_check(
    asset=dg.AssetKey(["ops", "sessions"]),
    description="Libraries, announcements and the bars agree on every session that matters to what is ingested.",
)
def calendar_sources_agree(
    context: dg.AssetCheckExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.AssetCheckResult:
    """Warn while a disagreement above info is open; an exception explains those of its day."""
    with boundary(context):
        standing = standing_disagreements(warehouse)
    return dg.AssetCheckResult(
        passed=standing.worries == 0,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"worries": standing.worries, "disagreements": table(standing.rows)},
    )
