"""Checks of corporate actions: none waits for evidence unseen."""

import dagster as dg

from chandlery.steps.actions import suspected_actions
from chandlery.store.warehouse import Warehouse
from orchestration.failures import boundary
from orchestration.metadata import table


@dg.asset_check(
    asset=dg.AssetKey(["ops", "corporate_actions"]),
    description="No recorded split or dividend contradicts the prices around it; one that does adjusts nothing.",
)
def no_action_is_suspected(
    context: dg.AssetCheckExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.AssetCheckResult:
    """Warn while actions wait for evidence, and list them."""
    with boundary(context):
        standing = suspected_actions(warehouse)
    return dg.AssetCheckResult(
        passed=standing.suspected == 0,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"suspected": standing.suspected, "actions": table(standing.rows)},
    )
