"""Quality: what is published is judged, and every rule is a check that shows what stands against these sessions."""

import dagster as dg
from pydantic import Field

from chandlery.clock import now
from chandlery.quality.findings import Severity
from chandlery.settings import Settings
from chandlery.steps.judging import JudgeReceipt, judge_quality
from chandlery.steps.quality_board import StandingRule, rule_board, rule_sentences
from chandlery.steps.thresholds import checked_thresholds
from chandlery.store.warehouse import Warehouse
from orchestration.assets.actions import corporate_actions
from orchestration.assets.bars import massive__bars_1d, massive__bars_1m
from orchestration.assets.universe import sessions
from orchestration.failures import boundary
from orchestration.metadata import Materialized, table
from orchestration.partitions import DAILY, RANGE, window_of

_KEY = dg.AssetKey(["ops", "findings"])
_RULES = rule_sentences()
_JUDGED = "every_series_is_judged"


class JudgeChoices(dg.Config):
    """Choices of one run of the judges."""

    rejudge: bool = Field(default=False, description="Judge also sessions of which nothing has changed.")


@dg.asset(
    key_prefix="ops",
    group_name="quality",
    kinds={"postgres", "python"},
    owners=["team:data"],
    deps=[massive__bars_1m, massive__bars_1d, corporate_actions, sessions],
    partitions_def=DAILY,
    backfill_policy=RANGE,
    check_specs=[
        dg.AssetCheckSpec(
            _JUDGED, asset=_KEY, description="No series or venue failed to be judged, and no rule raised."
        ),
        *(dg.AssetCheckSpec(rule.name, asset=_KEY, description=f"Check {rule.check}. {rule.doc}") for rule in _RULES),
    ],
)
def findings(
    context: dg.AssetExecutionContext,
    config: JudgeChoices,
    settings: dg.ResourceParam[Settings],
    warehouse: dg.ResourceParam[Warehouse],
) -> Materialized:
    """What the judges object to: check, severity, verdict with its votes, evidence, state."""
    start, end = window_of(context)
    with boundary(context):
        receipt = judge_quality(
            warehouse,
            start=start,
            end=end,
            now=now(),
            thresholds=checked_thresholds(settings),
            rejudge=config.rejudge,
            progress=lambda progress: context.log.info(progress.text),
        )
        board = rule_board(warehouse, start, end)
    return Materialized(metadata=_metadata(receipt), check_results=[_judged(receipt), *_checks(board)])


WRITTEN_WITH_FINDINGS = [
    dg.AssetSpec(
        ["ops", "witness_sources"],
        deps=[findings],
        group_name="quality",
        kinds={"postgres"},
        owners=["team:data"],
        description="Which other sources are feeds of their own beside a series, and on how many sessions that rests.",
    )
]


def _metadata(receipt: JudgeReceipt) -> dict[str, dg.MetadataValue | int | float]:
    counts = [{"rule": rule, "findings": count} for rule, count in receipt.findings.items()]
    return {
        "dagster/row_count": sum(receipt.findings.values()),
        "series": receipt.series,
        "sessions_judged": receipt.sessions,
        "bars_judged": receipt.bars,
        "bars_per_second": round(receipt.bars_per_second),
        "opened": receipt.recorded.opened,
        "reopened": receipt.recorded.reopened,
        "repaired": receipt.recorded.repaired,
        "verdicts": table([dict(receipt.verdicts)] if receipt.verdicts else []),
        "by_rule": table(counts),
    }


def _judged(receipt: JudgeReceipt) -> dg.AssetCheckResult:
    rows = [
        *({"name": item.name, "timeframe": item.timeframe, "reason": item.reason} for item in receipt.failures),
        *({"name": rule, "reason": f"raised in {times} stretches"} for rule, times in receipt.failed_rules.items()),
    ]
    return dg.AssetCheckResult(
        check_name=_JUDGED,
        passed=not rows,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"not_judged": table(rows)},
    )


def _checks(board: dict[str, StandingRule]) -> list[dg.AssetCheckResult]:
    nothing = StandingRule(0, ())
    return [
        dg.AssetCheckResult(
            check_name=rule.name,
            passed=not (standing := board.get(rule.name, nothing)).findings,
            severity=dg.AssetCheckSeverity.ERROR if rule.severity is Severity.CRITICAL else dg.AssetCheckSeverity.WARN,
            metadata={"check": rule.check, "findings": standing.findings, "latest": table(standing.rows)},
        )
        for rule in _RULES
    ]
