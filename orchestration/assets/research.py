"""Research: the strategy catalogue and one study per strategy and universe."""

import dagster as dg

from chandlery.settings import Settings
from chandlery.steps.research import publish_catalogue
from chandlery.steps.study_checks import Judgement, judge_study
from chandlery.steps.study_runs import run_study_job
from chandlery.store.warehouse import Warehouse
from orchestration.failures import boundary
from orchestration.metadata import Materialized, picture, table
from orchestration.partitions import ONE_BY_ONE, RANGE, STUDIES, study_of
from orchestration.study_progress import ATTEMPT, JOB, POOL, observing

_CHECKS = {
    "overfitting_is_improbable": "The probability of backtest overfitting is at most 0.5.",
    "sharpe_survives_deflation": "The Sharpe ratio is real with 0.95, all attempts counted.",
    "best_closed_thirty_trades": "The best candidate closed at least 30 trades.",
    "machine_equals_reference": "A sample of the candidates counts the same in the reference, bit by bit.",
}


@dg.asset(
    key_prefix="research",
    group_name="research",
    kinds={"postgres"},
    owners=["team:research"],
    backfill_policy=RANGE,
)
def strategies(context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult[None]:
    """Catalogue of the strategy definitions; the API lists from here."""
    with boundary(context):
        rows = publish_catalogue(warehouse)
    return dg.MaterializeResult(metadata={"dagster/row_count": len(rows), "preview": table(rows)})


@dg.asset(
    key_prefix="research",
    group_name="research",
    kinds={"optuna", "numba", "postgres"},
    owners=["team:research"],
    deps=[dg.AssetKey(["marts", "prices_daily"]), strategies],
    partitions_def=STUDIES,
    backfill_policy=ONE_BY_ONE,
    pool=POOL,
    check_specs=[
        dg.AssetCheckSpec(name, asset=dg.AssetKey(["research", "studies"]), description=text)
        for name, text in _CHECKS.items()
    ],
)
def studies(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    warehouse: dg.ResourceParam[Warehouse],
) -> Materialized:
    """Search of a strategy's parameters on split-adjusted prices: candidates, choices, evidence of luck, verdict.

    The run of a request (tag `chandlery/job_id`) takes its choices from the job, any other the settings' defaults.
    """
    strategy, universe = study_of(context)
    tags = context.run.tags
    with boundary(context):
        request, receipt = run_study_job(
            warehouse,
            settings,
            strategy=strategy,
            universe=universe,
            job_id=tags.get(JOB),
            attempt=int(tags[ATTEMPT]) if ATTEMPT in tags else None,
            run_id=context.run.run_id,
            progress=observing(context),
        )
        if not receipt.is_finished:
            raise dg.Failure(
                "The study was cancelled between batches; what was evaluated is kept.", allow_retries=False
            )
        judged = judge_study(warehouse, settings.home_dir, request, receipt)
    shown = {"equity": picture(receipt.plot)} if receipt.plot is not None else {}
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": receipt.trials,
            "study_id": receipt.study_id,
            "verdict": receipt.verdict,
            "was_stored": receipt.was_stored,
            "studies": table([receipt.summary]),
            "metrics": table(receipt.metrics),
            "evidence": table(receipt.evidence_rows),
            **shown,
        },
        check_results=[_checked(judgement) for judgement in judged],
    )


def _checked(judgement: Judgement) -> dg.AssetCheckResult:
    figures = {
        name: table(value) if isinstance(value, list) else value
        for name, value in judgement.figures.items()
        if value is not None
    }
    return dg.AssetCheckResult(
        check_name=judgement.name,
        passed=judgement.passed,
        severity=dg.AssetCheckSeverity.ERROR if judgement.is_error else dg.AssetCheckSeverity.WARN,
        metadata=figures,
    )


WRITTEN_WITH_STUDIES = [
    dg.AssetSpec(
        ["research", "equity"],
        deps=[studies],
        group_name="research",
        kinds={"postgres"},
        owners=["team:research"],
        description="Equity curve of each study beside buy and hold.",
    )
]
