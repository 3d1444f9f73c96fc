"""Memory admission: a study starts when what it takes is free; the figures are estimates on the safe side."""

from pathlib import Path

from chandlery.backtest.metrics import BLOCKS
from chandlery.steps.study_request import StudyRequest

_PROCESS = 600 * 2**20
"""A run by itself: interpreter, Dagster, numba and its kernels (583 and 608 MB resident in two runs, 2026-11)."""
_MOMENTS = BLOCKS * 4 * 8
_COPIES = 3
"""Block moments of all candidates: as kept, merged, and as the statistics reorder them."""
_ROW = 400
"""Parameters, metrics, scores and trial of a candidate."""
_MEMINFO = Path("/proc/meminfo")


def bytes_needed(request: StudyRequest) -> int:
    """Return what a study takes at its peak: its processes, and so much a candidate of its budget."""
    return request.parts * _PROCESS + request.trials * (_COPIES * _MOMENTS + _ROW)


def bytes_free() -> int | None:
    """Return the memory this machine can give without swapping; None where it does not say."""
    try:
        lines = _MEMINFO.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    return found[0] if found else None


def why_waiting(needed: int, *, free: int | None, promised: int) -> str | None:
    """Return why a study has to wait, None if it may start; `promised` went to studies that have just been claimed."""
    if free is None or needed <= free - promised:
        return None
    return f"waits for memory: takes about {_mib(needed)} MiB, {_mib(max(0, free - promised))} MiB are free"


def _mib(size: int) -> int:
    return size // 2**20
