"""A worker: brings the parts of one batch together, from the record, by evaluating, or from other workers."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from chandlery.errors import ResearchError
from chandlery.optimize.batches import Batch, Question, Record
from chandlery.optimize.evaluate import Evaluator

Numbers = NDArray[np.int64]

_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.5


@dataclass(slots=True, eq=False, kw_only=True)
class Worker:
    """One worker of a search; `shard` is (which, of how many), (0, 1) for a search alone.

    `kept` is what the record was seen to keep, by (index, part); `done` what is brought together, in order.
    """

    evaluator: Evaluator
    record: Record
    question: Question
    shard: tuple[int, int]
    wait_s: float
    cancelled: Callable[[], bool]
    kept: dict[tuple[int, int], Batch] = field(default_factory=dict)
    done: list[Batch] = field(default_factory=list)
    _trusted: set[tuple[int, int]] = field(default_factory=set)

    def look(self) -> None:
        """See what the record keeps by now."""
        self.kept |= {(batch.index, batch.part): batch for batch in self.record.batches()}

    def bring(self, numbers: Numbers, *, index: int, first_seq: int) -> tuple[list[Batch], int] | None:
        """Return all parts of batch `index` and how many candidates were not replayed; None if cancelled.

        Raises:
            ResearchError: for a kept part of other candidates.
        """
        spans = part_spans(numbers.size, self.question.parts)
        absent = [part for part in spans if (index, part) not in self.kept]
        if absent and self.cancelled():
            return None
        which, of = self.shard
        for part in (part for part in absent if part % of == which):
            self._evaluate(numbers, spans[part], index=index, part=part, first_seq=first_seq)
        if not self._wait([(index, part) for part in spans]):
            return None
        for part in spans:
            if (index, part) not in self.kept:
                self._evaluate(numbers, spans[part], index=index, part=part, first_seq=first_seq)
        parts = [self._checked(numbers, spans[part], index=index, part=part, first_seq=first_seq) for part in spans]
        self.done += parts
        return parts, sum(spans[part][1] - spans[part][0] for part in absent)

    def _evaluate(self, numbers: Numbers, span: tuple[int, int], *, index: int, part: int, first_seq: int) -> None:
        first, end = span
        batch = self.evaluator.batch(
            numbers[first:end], index=index, part=part, first_seq=first_seq + first, earlier=self.done
        )
        self.record.commit(batch)
        self.kept[index, part] = batch

    def _wait(self, keys: list[tuple[int, int]]) -> bool:
        """Wait for the parts of other workers, as long as `wait_s`; return whether to go on."""
        pause, until = _FIRST_PAUSE, time.perf_counter() + self.wait_s
        while any(key not in self.kept for key in keys):
            self.look()
            if all(key in self.kept for key in keys) or time.perf_counter() >= until:
                return True
            if self.cancelled():
                return False
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        return True

    def _checked(self, numbers: Numbers, span: tuple[int, int], *, index: int, part: int, first_seq: int) -> Batch:
        """Return a kept part whose candidates are those proposed now, its moments evaluated again if lost."""
        (first, end), batch = span, self.kept[index, part]
        if batch.first_seq != first_seq + first or not np.array_equal(batch.numbers, numbers[first:end]):
            raise ResearchError(
                f"Study {self.question.study_name!r} keeps other candidates in part {part} of batch {index} than this "
                "code proposes: another version of the code made them. Resume with that version, or forget what "
                "it kept and begin again (`chandlery study run ... --again`)."
            )
        if batch.moments.shape[1] == self.evaluator.blocks:
            return batch
        again = self.evaluator.batch(
            batch.numbers, index=index, part=part, first_seq=batch.first_seq, earlier=self.done
        )
        restored = replace(batch, moments=again.moments)
        self.record.commit(restored)
        self.kept[index, part] = restored
        return restored


def part_spans(size: int, parts: int) -> dict[int, tuple[int, int]]:
    """Return the span `[first, end)` of every part of a batch that has one, by part."""
    edges = [size * part // parts for part in range(parts + 1)]
    return {part: (edges[part], edges[part + 1]) for part in range(parts) if edges[part] < edges[part + 1]}
