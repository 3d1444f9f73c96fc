"""Quality: what is open, as rows for a person and figures for a check."""

from dataclasses import asdict, dataclass

from chandlery.quality.verdicts import Verdict
from chandlery.store.warehouse import Warehouse
from chandlery.store.windows import failed_windows, open_findings


@dataclass(frozen=True, slots=True)
class Standing:
    """Rows to show, and how many of them are the reason to worry."""

    rows: tuple[dict[str, object], ...]
    worries: int


def standing_windows(warehouse: Warehouse, timeframe: str) -> Standing:
    """Return the windows whose last attempt failed or was held as a whole."""
    rows = tuple(asdict(window) for window in failed_windows(warehouse, timeframe=timeframe))
    return Standing(rows, len(rows))


def standing_findings(warehouse: Warehouse) -> Standing:
    """Return the open findings by rule; critical ones are the worries, but for true moves and what is explained."""
    rows = open_findings(warehouse)
    critical = sum(row.findings for row in rows if row.severity == "critical" and Verdict(row.verdict).costs)
    return Standing(tuple(asdict(row) for row in rows), critical)
