"""Checks of quality over all sessions."""

import dagster as dg

from chandlery.steps.quality import standing_findings
from chandlery.store.warehouse import Warehouse
from orchestration.failures import boundary
from orchestration.metadata import table


@dg.asset_check(
    asset=dg.AssetKey(["marts", "quality_scores_daily"]),
    description="No bar is held for a critical finding that nobody has looked at.",
)
def no_critical_finding_is_open(
    context: dg.AssetCheckExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.AssetCheckResult:
    """Warn while critical findings are open, and list all open ones by rule."""
    with boundary(context):
        standing = standing_findings(warehouse)
    return dg.AssetCheckResult(
        passed=standing.worries == 0,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"critical": standing.worries, "findings": table(standing.rows)},
    )
