"""Checks of quality over all sessions: scores, gaps, what nobody has looked at."""

from collections.abc import Sequence

import dagster as dg

from chandlery.steps.candle_judging import judge_last_candles
from chandlery.steps.quality import standing_findings
from chandlery.store.warehouse import Warehouse
from orchestration.failures import boundary
from orchestration.metadata import table
from orchestration.partitions import DAILY
from orchestration.quality_pictures import gap_charts, heat_maps, last_gaps, last_scores

_LEAST_VALID = 0.99
_WEEK = 7


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


@dg.asset_check(
    asset=dg.AssetKey(["marts", "quality_scores_daily"]),
    description="Of the bars judged in the last week more than 99 % have no critical finding.",
)
def validation_rate_is_above_99_percent(
    context: dg.AssetCheckExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.AssetCheckResult:
    """Warn while too many bars are bad; show the heat map of scores and the worst sessions."""
    with boundary(context):
        shown = last_scores(warehouse)
    rates = [board.validation_rate for board in shown.values() if board.validation_rate is not None]
    rows = [{"bars": name, **row} for name, board in shown.items() for row in board.worst]
    return dg.AssetCheckResult(
        passed=all(rate > _LEAST_VALID for rate in rates),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            **{f"validation_rate_{name}": board.validation_rate or 0.0 for name, board in shown.items()},
            **{f"mean_score_{name}": round(board.mean or 0.0, 4) for name, board in shown.items()},
            **heat_maps(shown),
            "worst": table(rows),
        },
    )


@dg.asset_check(
    asset=dg.AssetKey(["marts", "quality_scores_daily"]),
    description="Somebody knows why bars are missing: no gap is unknown, a suspected outage or an empty answer.",
)
def every_gap_has_a_reason(
    context: dg.AssetCheckExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.AssetCheckResult:
    """Warn while bars are missing and nobody knows why; show the chart of gaps."""
    with boundary(context):
        boards = last_gaps(warehouse)
    rows = [{"bars": name, **row} for name, board in boards.items() for row in board.unexplained]
    reasons = [{"bars": name, **board.missing} for name, board in boards.items()]
    return dg.AssetCheckResult(
        passed=not rows,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "gaps": sum(board.gaps for board in boards.values()),
            "unexplained": len(rows),
            **gap_charts(boards),
            "missing_by_reason": table(reasons),
            "to_look_at": table(rows),
        },
    )


@dg.asset_check(
    asset=dg.AssetKey(["marts", "candles_1d"]),
    description="Check 19. Every candle of the last week equals its minutes; one that does not is a finding.",
)
def candle_equals_its_finer_ones(
    context: dg.AssetCheckExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.AssetCheckResult:
    """Fail where a candle differs from a second roll-up of its minutes."""
    with boundary(context):
        receipt = judge_last_candles(warehouse, days=_WEEK)
    return dg.AssetCheckResult(
        passed=receipt.findings == 0,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            "candles": receipt.candles,
            "sessions": receipt.sessions,
            "not_rebuilt_yet": receipt.passed_over,
            "findings": receipt.findings,
        },
    )


def _no_partition_left_failed(key: Sequence[str]) -> dg.AssetChecksDefinition:
    asset = dg.AssetKey(key)

    @dg.asset_check(
        asset=asset,
        name="no_partition_left_failed",
        description="No partition's last materialization failed; a failed run that nobody repeats turns red here.",
    )
    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        with boundary(context):
            partitions = DAILY.get_partition_keys()
            states = context.instance.get_status_by_partition(asset, partitions, DAILY) or {}
            failed = [name for name, state in states.items() if state is not None and state.name == "FAILED"]
        return dg.AssetCheckResult(
            passed=not failed,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"failed": len(failed), "partitions": table([{"partition": name} for name in failed[::-1]])},
        )

    return check


NO_PARTITION_LEFT_FAILED = [
    _no_partition_left_failed(key)
    for key in (
        ("raw", "massive__bars_1m"),
        ("raw", "massive__bars_1d"),
        ("ops", "findings"),
        ("marts", "quality_scores_daily"),
    )
]
