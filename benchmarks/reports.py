"""Speed of the exports of a study: document, PDF in a fresh process and in a warm one, Pine, tables.

Run: `python benchmarks/reports.py [STRATEGY] [--pictures DIR]`. A real study: the strategy on Apple's daily bars of
`../shared/data/tapes`, adjusted for splits, a few hundred candidates. `--pictures` writes its pages as PNG, as they
stand in docs/img. Goals: PDF 2 s cold, 0.5 s warm; Pine 100 ms.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import polars as pl
from kernel import TAPE

from chandlery.backtest import Costs, Execution, Panel
from chandlery.backtest.execution import Mode
from chandlery.optimize import StudyResult, run_study
from chandlery.optimize.facts import study_facts
from chandlery.reports.canonical import digest
from chandlery.reports.pine import to_pine
from chandlery.reports.study import (
    StudyFacts,
    StudyInputs,
    StudyReport,
    build_study_report,
    render_pdf,
    render_pictures,
    to_json_bytes,
)
from chandlery.steps.catalogue import show_strategy
from chandlery.strategies import get_strategy

EXECUTION = Execution(costs=Costs(fee=0.0005, slippage=0.0002))
BUDGET, SEED, ROUNDS = 1_000, 7, 7
COLD_GOAL, WARM_GOAL, PINE_GOAL_MS = 2.0, 0.5, 100.0
COLD = """
import sys, time
start = time.perf_counter()
import json
from chandlery.reports.study import render_pdf
with open(sys.argv[1]) as file:
    made = render_pdf(json.load(file))
print(time.perf_counter() - start, len(made))
"""


def daily_bars() -> pl.DataFrame:
    """Return Apple's daily bars since 2000, divided by the splits after them."""
    bars = pl.read_parquet(TAPE).sort("session").filter(pl.col("session").dt.year() >= 2000)
    later = pl.col("split_ratio").reverse().cum_prod().reverse() / pl.col("split_ratio")
    stamps = pl.col("session").cast(pl.Datetime("us")).dt.replace_time_zone("UTC").alias("ts")
    prices = [(pl.col(name) / later).alias(name) for name in ("open", "high", "low", "close")]
    return bars.select(stamps, *prices, (pl.col("volume") * later).alias("volume"))


def real_study(name: str) -> tuple[StudyResult, StudyInputs]:
    """Return a study of `name` and what its report is made from, without a database."""
    strategy, bars = get_strategy(name), daily_bars()
    panel = Panel.from_bars(bars, symbol="AAPL", timeframe="1d")
    result = run_study(strategy, panel, execution=EXECUTION, budget=BUDGET, seed=SEED)
    question = study_facts(strategy, panel, execution=EXECUTION, budget=BUDGET, seed=SEED)
    facts = StudyFacts(
        study_id=digest(question)[:32],
        strategy=name,
        strategy_version=strategy.version,
        definition_hash=result.definition_hash,
        symbol="AAPL",
        timeframe="1d",
        panel_id=panel.panel_id,
        first_ts=bars["ts"][0],
        last_ts=bars["ts"][-1],
        bars=panel.bars,
        method=result.method,
        objective="bar_sharpe",
        budget=BUDGET,
        trials=result.trials,
        seed=SEED,
        source="wiki",
        code_version=version("chandlery"),
        question=question,
        best_params=result.best_params,
        metrics=asdict(result.best_metrics)
        | {f"benchmark_{key}": value for key, value in asdict(result.benchmark.metrics).items()},
    )
    curve = pl.DataFrame({"ts": bars["ts"], "equity": result.best.equity, "benchmark": result.benchmark.equity})
    trades = result.best.trades.with_row_index("seq").with_columns(
        pl.col("seq").cast(pl.Int64), net_return=pl.col("profit") / pl.col("cost")
    )
    return result, StudyInputs(
        facts=facts,
        evidence=result.evidence.to_json(),
        definition=show_strategy(name),
        curve=curve,
        trades=trades,
        periods_per_year=252.0,
    )


def median_seconds(work: Callable[[], object]) -> float:
    """Return the median duration of several rounds."""
    spent = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        spent.append(time.perf_counter() - start)
    return statistics.median(spent)


def cold_seconds(report: StudyReport) -> float:
    """Return the median of three fresh processes: imports, document read, PDF made."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.json"
        file.write_text(json.dumps(report))
        runs = [
            subprocess.run([sys.executable, "-c", COLD, str(file)], capture_output=True, text=True, check=True)
            for _ in range(3)
        ]
    return statistics.median(float(run.stdout.split()[0]) for run in runs)


def main() -> None:
    """Print one line per figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("strategy", nargs="?", default="roc")
    parser.add_argument("--pictures", type=Path)
    asked = parser.parse_args()
    result, inputs = real_study(asked.strategy)
    report = build_study_report(inputs)
    pdf = render_pdf(report)
    print(f"{asked.strategy} on AAPL, {inputs.facts.bars:,} bars, {result.trials:,} candidates: {result.verdict}")
    print(f"document         {median_seconds(lambda: build_study_report(inputs)):8.3f} s")
    print(
        f"JSON             {median_seconds(lambda: to_json_bytes(report)):8.3f} s  {len(to_json_bytes(report)):,} bytes"
    )
    print(
        f"PDF warm         {median_seconds(lambda: render_pdf(report)):8.3f} s  {len(pdf):,} bytes, goal {WARM_GOAL} s"
    )
    print(f"PDF cold process {cold_seconds(report):8.3f} s  goal {COLD_GOAL} s")
    pine = Execution(mode=Mode.PINE)
    script = median_seconds(lambda: to_pine(get_strategy(asked.strategy), result.best_params, pine))
    print(f"Pine             {1_000.0 * script:8.3f} ms goal {PINE_GOAL_MS} ms")
    if asked.pictures is not None:
        asked.pictures.mkdir(parents=True, exist_ok=True)
        for place, page in enumerate(render_pictures(report, ppi=96.0), start=1):
            (asked.pictures / f"study-report-{place}.png").write_bytes(page)


if __name__ == "__main__":
    main()
