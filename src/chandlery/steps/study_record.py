"""The record of a study in the warehouse: batches, evaluations and Optuna trials, committed together."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from time import sleep
from typing import TypeVar

import numpy as np

from chandlery.errors import StoreError
from chandlery.log import get_logger
from chandlery.optimize.batches import STATES, Batch, Question, State
from chandlery.optimize.space import Space
from chandlery.steps.study_trials import StudyTrials
from chandlery.store.batches import BatchPart, commit_part, read_parts, restore_moments
from chandlery.store.studies import OpenedStudy, check_facts, set_method
from chandlery.store.warehouse import Warehouse
from chandlery.strategies import Int

log = get_logger(__name__)

MOMENTS = "studies"
"""Folder of the moments files below the home folder."""

_PAUSES_S = (0.1, 0.4, 1.6, 6.4)
"""Between tries: together longer than an embedded server takes to come back after a crash (2 s)."""

_WORDS = np.array([state.value for state in STATES])
_Result = TypeVar("_Result")


class WarehouseRecord:
    """Implements `optimize.batches.Record` for one run of one study (or of one part of it).

    What another run keeps meanwhile is seen by the next `batches()`. A lost connection is tried again a few times
    with growing pauses, then raised: what was committed stays, nothing is half written.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        study: OpenedStudy,
        *,
        space: Space,
        folder: Path,
        wait: Callable[[float], None] = sleep,
    ) -> None:
        """Keep batches of `study` (from `open_study` or `join_study`); moments go below `folder`."""
        self._warehouse = warehouse
        self._study = study
        self._folder = folder
        self._wait = wait
        self._whole = {name: isinstance(parameter, Int) for name, parameter in space.strategy.params.items()}
        self._trials = StudyTrials(warehouse, study, space)
        self._kept: dict[tuple[int, int], Batch] = {}

    def open(self, question: Question) -> Question:
        """Return the question as it was first opened; fix its method if it is not yet.

        Raises:
            ResearchError: the study was opened with other facts, naming which.
            Fenced: another run took the study over.
        """
        check_facts(self._study.study_id, asked=question.facts, known=self._study.question)
        method = self._study.method
        if method is None and (chosen := question.method) is not None:
            study, fence = self._study.study_id, self._study.fence
            method = self._patiently(lambda: set_method(self._warehouse, study, fence=fence, method=chosen))
        return replace(question, method=method, parts=self._study.parts)

    def batches(self) -> Sequence[Batch]:
        """Return what is kept, ascending by (index, part)."""
        study, folder, names = self._study.study_id, self._folder, list(self._whole)
        # Workers that wait for each other look twice a second: only what is new is read.
        parts = self._patiently(
            lambda: read_parts(self._warehouse, study, folder=folder, names=names, known=self._kept.keys())
        )
        self._kept |= {(part.batch, part.part): _batch(part) for part in parts}
        return [self._kept[place] for place in sorted(self._kept)]

    def commit(self, batch: Batch) -> None:
        """Keep one part for good, whole or not at all; of a part that lost its moments, keep these.

        Raises:
            Fenced: another run of this study took over.
            DatabaseDown, Conflict: several tries failed; what was committed stays.
        """
        place = (batch.index, batch.part)
        kept = self._kept.get(place)
        if kept is None:
            if self._patiently(lambda: self._commit(batch)):
                self._kept[place] = batch
        elif batch.moments.size and not kept.moments.size:
            self._patiently(lambda: self._restore(batch))
            self._kept[place] = replace(kept, moments=batch.moments)

    def publish_top_trials(self) -> None:
        """Give Optuna the best trials, where not all of them were written in bulk; call it before `finish_study`."""
        self._patiently(self._trials.publish_top)

    def _commit(self, batch: Batch) -> bool:
        return commit_part(
            self._warehouse,
            _part(batch),
            study_id=self._study.study_id,
            fence=self._study.fence,
            folder=self._folder,
            whole=self._whole,
            trials=self._trials.rows_of(batch),
        )

    def _restore(self, batch: Batch) -> None:
        restore_moments(
            self._warehouse,
            self._study.study_id,
            fence=self._study.fence,
            folder=self._folder,
            batch=batch.index,
            part=batch.part,
            moments=batch.moments,
        )
        log.info("moments_restored", study=self._study.study_id, batch=batch.index, part=batch.part)

    def _patiently(self, attempt: Callable[[], _Result]) -> _Result:
        """Return what `attempt` returns, tried again where the database may come back.

        A commit whose answer was lost is safe to repeat: the part is there then, and stays as it is.
        """
        for pause in _PAUSES_S:
            try:
                return attempt()
            except StoreError as error:
                if not error.retryable:
                    raise
                log.warning("study_record_retried", study=self._study.study_id, pause_s=pause, reason=str(error))
                self._wait(pause)
        return attempt()


def _part(batch: Batch) -> BatchPart:
    return BatchPart(
        batch=batch.index,
        part=batch.part,
        first_seq=batch.first_seq,
        numbers=batch.numbers,
        params=batch.params,
        scores=batch.scores,
        metrics=batch.metrics,
        moments=batch.moments,
        states=_WORDS[batch.states],
        reasons=batch.reasons,
    )


def _batch(part: BatchPart) -> Batch:
    codes = np.array([STATES.index(State(word)) for word in part.states.tolist()], dtype=np.uint8)
    return Batch(
        index=part.batch,
        part=part.part,
        first_seq=part.first_seq,
        numbers=part.numbers,
        params=part.params,
        scores=part.scores,
        metrics=part.metrics,
        moments=part.moments,
        states=codes,
        reasons=part.reasons,
    )
