"""Windows of a quick source go through the gate together, those of a slow one as they come.

Great Expectations takes 0.07 s a validation whatever the rows, 0.2 s where some offend: one by one, 63 windows of a
daily run cost 4 s and more, in one pool a tenth of a second. What waits in a pool is lost to a kill and asked for
again, so a pool stays small in time: two seconds.
"""

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from time import perf_counter

from chandlery.sources.protocol import BarBatch
from chandlery.steps.batches import Answer, Judgement, Outcome, judge_batches, publish_batch
from chandlery.steps.planning import PlannedWindow
from chandlery.store.ingest_windows import Window
from chandlery.store.warehouse import Warehouse

_ROWS = 250_000
_WINDOWS = 100
_SECONDS = 2.0
_SLOW_ANSWER = 0.25
"""Seconds of one fetch from which the source, not the gate, sets the pace."""


@dataclass
class Pool:
    """Answers on their way to the gate; publishing goes on in a thread: the server has a core of its own."""

    warehouse: Warehouse
    writer: ThreadPoolExecutor
    outcomes: list[Outcome] = field(default_factory=list)
    _waiting: list[tuple[Window, Answer]] = field(default_factory=list)
    _writing: Future[list[Outcome]] | None = None
    _since: float = 0.0

    def add(self, window: Window, planned: PlannedWindow, batch: BarBatch, *, seconds: float) -> None:
        """Take an answer that took `seconds` to come; judge and publish when the pool is full.

        Raises:
            Conflict: a later attempt owns a window that was published meanwhile.
        """
        if not self._waiting:
            self._since = perf_counter() - seconds
        self._waiting.append((window, Answer(planned, batch)))
        rows = sum(answer.batch.bars.height for _, answer in self._waiting)
        is_full = rows >= _ROWS or len(self._waiting) >= _WINDOWS or perf_counter() - self._since >= _SECONDS
        if is_full or seconds >= _SLOW_ANSWER:
            self.flush()

    def flush(self) -> None:
        """Judge what waits and hand it to the writer."""
        waiting, self._waiting = self._waiting, []
        judgements = judge_batches([answer for _, answer in waiting])
        self._collect()
        pairs = [(window, judgement) for (window, _), judgement in zip(waiting, judgements, strict=True)]
        self._writing = self.writer.submit(_publish, self.warehouse, pairs)

    def close(self) -> list[Outcome]:
        """Judge and publish what is left, and return every outcome in the order the answers came."""
        if self._waiting:
            self.flush()
        self._collect()
        return self.outcomes

    @property
    def rows(self) -> int:
        """Rows judged so far, waiting ones included."""
        return sum(item.seen for item in self.outcomes) + sum(answer.batch.bars.height for _, answer in self._waiting)

    def _collect(self) -> None:
        if self._writing is not None:
            writing, self._writing = self._writing, None
            self.outcomes += writing.result()


def _publish(warehouse: Warehouse, pairs: Iterable[tuple[Window, Judgement]]) -> list[Outcome]:
    return [publish_batch(warehouse, window, judgement) for window, judgement in pairs]
