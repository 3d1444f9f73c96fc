"""What an ingest did, for people and for machines."""

from collections.abc import Mapping
from dataclasses import asdict

from chandlery.steps.ingest_receipt import IngestReceipt

_FIGURES = ("rows_seen", "rows_new", "rows_revised", "rows_withdrawn", "rows_held", "windows")


def ingest_facts(receipts: Mapping[str, IngestReceipt]) -> dict[str, dict[str, object]]:
    """Return the receipts by timeframe as plain values."""
    return {
        name: {
            **{figure: receipt.total(figure) for figure in _FIGURES},
            "rows_dropped": receipt.rows_dropped,
            "reasons": dict(receipt.reasons),
            "requests": receipt.requests,
            "findings": receipt.findings,
            "held_windows": receipt.blocked,
            "suspected_empty": receipt.suspected_empty,
            "seconds": round(receipt.seconds, 2),
            "symbols": [asdict(item) for item in receipt.symbols],
        }
        for name, receipt in receipts.items()
    }


def ingest_lines(receipts: Mapping[str, IngestReceipt]) -> list[str]:
    """Return one line a timeframe."""
    return [
        f"{name}: {receipt.total('rows_new'):,} new, {receipt.total('rows_revised'):,} revised, "
        f"{receipt.total('rows_withdrawn'):,} withdrawn, {receipt.total('rows_held'):,} held of "
        f"{receipt.total('rows_seen'):,} bars; {receipt.total('windows')} windows, {receipt.requests} requests, "
        f"{receipt.findings} findings, {receipt.seconds:.1f} s"
        for name, receipt in receipts.items()
    ]
