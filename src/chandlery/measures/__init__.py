"""Pure figures of one return series: return, dispersion, drawdown and ratio measures.

What belongs here: functions of an array of simple returns that answer with a value and a status. What does not:
models of future loss (`risk/`), figures of a book (`risk/book.py`), anything that reads prices or calendars.
Imported by `risk/`, `backtest/`, `optimize/`, `reports/` and `steps/`.
"""

from chandlery.measures.measure import Convention, Measure, Returns
from chandlery.measures.measured import Measured, Status, known, unknown
from chandlery.measures.registry import MEASURES, measure_all

__all__ = ["MEASURES", "Convention", "Measure", "Measured", "Returns", "Status", "known", "measure_all", "unknown"]
