"""What the judges did, for people and for machines."""

from collections.abc import Mapping
from dataclasses import asdict

from chandlery.steps.judging import JudgeReceipt


def judge_facts(receipt: JudgeReceipt) -> dict[str, object]:
    """Return the receipt as plain values."""
    rounded = {"seconds": round(receipt.seconds, 2), "bars_per_second": round(receipt.bars_per_second)}
    return {**asdict(receipt), **rounded}


def judge_lines(receipt: JudgeReceipt) -> list[str]:
    """Return a few lines: the work, its rate, the findings, what failed."""
    recorded = receipt.recorded
    rate = f"{receipt.seconds:.1f} s ({receipt.bars_per_second:,.0f} bars/s)"
    changes = f"{recorded.opened:,} opened, {recorded.reopened:,} opened again, {recorded.repaired:,} repaired"
    lines = [
        f"judged: {receipt.series} series, {receipt.sessions:,} sessions, {receipt.bars:,} bars in {rate}; {changes}"
    ]
    for title, counts in (
        ("verdicts", receipt.verdicts),
        ("severities", receipt.severities),
        ("rules", receipt.findings),
    ):
        if counts:
            lines.append(f"{title}: {_listed(counts)}")
    if receipt.failed_rules:
        lines.append(f"rules that raised: {_listed(receipt.failed_rules)} (`chandlery findings --severity minor`)")
    lines += [f"not judged: {item.name} {item.timeframe}: {item.reason}" for item in receipt.failures]
    return lines


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())
