"""The record of a study in the warehouse: the same batches come back, whatever happened in between."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from kept_study import differences, instrument_of, made_batch, opening, space

from chandlery.errors import DatabaseDown, Fenced, ResearchError
from chandlery.optimize.batches import STATES, Question, State
from chandlery.optimize.record import open_storage, quiet_optuna
from chandlery.steps import study_record, study_trials
from chandlery.steps.study_record import WarehouseRecord
from chandlery.store.studies import OpenedStudy, StudyOpening, join_study, open_study
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]
Tell = Callable[..., None]

PRUNED, FAILED = STATES.index(State.PRUNED), STATES.index(State.FAILED)


@pytest.fixture(scope="module")
def instrument(warehouse: Warehouse) -> int:
    return instrument_of(warehouse)


@pytest.fixture(scope="module")
def names() -> Iterator[str]:
    return (f"study{number}" for number in count())


@pytest.fixture
def question(instrument: int, names: Iterator[str]) -> StudyOpening:
    return opening(instrument, next(names))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "studies"


def url_of(warehouse: Warehouse) -> str:
    return warehouse.url("pipeline", driver="psycopg", schema="optuna")


def record_of(warehouse: Warehouse, opened: OpenedStudy, folder: Path, **changes: Any) -> WarehouseRecord:
    return WarehouseRecord(warehouse, opened, space=space(), folder=folder, **changes)


def kept_rows(ask: Ask, warehouse: Warehouse, study_id: str) -> list[int]:
    tables = ("batches", "evaluations")
    return [
        ask(warehouse, f"select count(*) from research.{name} where study_id = %s", study_id)[0][0] for name in tables
    ]


def trial_numbers(warehouse: Warehouse, name: str) -> list[int]:
    """Return the lattice numbers Optuna has of a study, in the order of its trials."""
    with quiet_optuna(), open_storage(url_of(warehouse)) as storage:
        trials = optuna.load_study(study_name=name, storage=storage).get_trials()
    assert [trial.number for trial in trials] == list(range(len(trials)))
    return [trial.user_attrs["number"] for trial in trials]


def test_batches_come_back_bit_by_bit(warehouse: Warehouse, question: StudyOpening, folder: Path) -> None:
    states = np.array([0, PRUNED, FAILED, 0, 0], dtype=np.uint8)
    odd = made_batch(0, states=states, reasons={1: "worse than the median", 2: 'raised "ValueError, \\N\n"'})
    odd.scores[[1, 2, 4], 0] = -np.inf
    odd.scores[0, 0] = 0.1 + 0.2
    odd.metrics[2] = np.nan
    odd.moments[2] = 0.0
    written = [odd, made_batch(1, part=0, first_seq=5), made_batch(1, part=1, first_seq=10)]
    writer = record_of(warehouse, open_study(warehouse, question), folder)
    for batch in (written[2], written[0], written[1]):
        writer.commit(batch)
    reader = record_of(warehouse, open_study(warehouse, question), folder)
    found = reader.batches()
    assert [differences(one, other) for one, other in zip(found, written, strict=True)] == [[], [], []]
    assert writer.batches()[0].reasons == odd.reasons


def test_scores_of_several_objectives_come_back_in_order(
    warehouse: Warehouse, question: StudyOpening, folder: Path
) -> None:
    record = record_of(warehouse, open_study(warehouse, question), folder)
    batch = made_batch(scores=np.array([[1.0, -2.0], [2.0, -1.0], [-np.inf, -np.inf], [0.0, 3.0], [1.5, -1.5]]))
    record.commit(batch)
    assert differences(record.batches()[0], batch) == []


def test_part_that_is_kept_stays_as_it_is(warehouse: Warehouse, question: StudyOpening, folder: Path, ask: Ask) -> None:
    opened = open_study(warehouse, question)
    first, second = (record_of(warehouse, opened, folder) for _ in range(2))
    kept = made_batch()
    first.commit(kept)
    second.commit(made_batch(scores=np.zeros((5, 1)), moments=np.zeros((5, 4, 4))))
    assert differences(second.batches()[0], kept) == []
    assert kept_rows(ask, warehouse, question.study_id) == [1, 5]
    assert trial_numbers(warehouse, question.study_name) == kept.numbers.tolist()
    assert [path.name for path in sorted(folder.rglob("*")) if path.is_file()] == ["0-0.npy"]


def test_batches_of_another_worker_are_seen_as_they_come_and_read_once(
    warehouse: Warehouse, question: StudyOpening, folder: Path
) -> None:
    opened = open_study(warehouse, question)
    one, other = (record_of(warehouse, opened, folder) for _ in range(2))
    batches = [made_batch(index) for index in range(3)]
    one.commit(batches[0])
    first = other.batches()
    other.commit(batches[2])
    one.commit(batches[1])
    again = other.batches()
    assert [differences(found, batch) for found, batch in zip(again, batches, strict=True)] == [[], [], []]
    assert again[0] is first[0]
    assert again[2] is batches[2]


def test_run_that_was_replaced_is_stopped_and_writes_nothing(
    warehouse: Warehouse, question: StudyOpening, folder: Path, ask: Ask
) -> None:
    older = record_of(warehouse, open_study(warehouse, question), folder)
    older.commit(made_batch(0))
    newer = record_of(warehouse, open_study(warehouse, question), folder)
    with pytest.raises(Fenced, match="took the study over"):
        older.commit(made_batch(1))
    assert kept_rows(ask, warehouse, question.study_id) == [1, 5]
    assert not (folder / question.study_id / "1-0.npy").exists()
    newer.commit(made_batch(1))
    assert [batch.index for batch in newer.batches()] == [0, 1]


def test_workers_of_the_parts_share_a_fence(warehouse: Warehouse, question: StudyOpening, folder: Path) -> None:
    opened = open_study(warehouse, question)
    joined = join_study(warehouse, question.study_id, run_id="run-1")
    assert joined == opened
    record_of(warehouse, joined, folder).commit(made_batch(0, part=1, first_seq=5))
    record = record_of(warehouse, opened, folder)
    record.commit(made_batch(0, part=0, first_seq=0))
    assert [(batch.index, batch.part) for batch in record.batches()] == [(0, 0), (0, 1)]


def test_question_keeps_the_method_it_was_first_given(
    warehouse: Warehouse, question: StudyOpening, folder: Path
) -> None:
    asked = Question(study_name=question.study_name, facts=question.question, method="de", parts=4)
    first = record_of(warehouse, open_study(warehouse, question), folder)
    assert first.open(Question(study_name=question.study_name, facts=question.question)).method is None
    assert (first.open(asked).method, first.open(asked).parts) == ("de", 1)
    again = record_of(warehouse, open_study(warehouse, question), folder)
    assert again.open(Question(study_name=question.study_name, facts=question.question, method="tpe")).method == "de"


def test_other_facts_are_refused_by_name(warehouse: Warehouse, question: StudyOpening, folder: Path) -> None:
    record = record_of(warehouse, open_study(warehouse, question), folder)
    facts = dict(question.question) | {"seed": 8, "objectives": ("bar_sharpe",), "budget": 3}
    with pytest.raises(ResearchError, match="another budget, seed"):
        record.open(Question(study_name=question.study_name, facts=facts))


@pytest.mark.parametrize("damage", ["gone", "cut", "another"])
def test_moments_that_were_lost_come_back_empty_and_are_restored(
    warehouse: Warehouse, question: StudyOpening, folder: Path, damage: str
) -> None:
    record = record_of(warehouse, open_study(warehouse, question), folder)
    batches = [made_batch(0), made_batch(1)]
    for batch in batches:
        record.commit(batch)
    file = folder / question.study_id / "0-0.npy"
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-8] if damage == "cut" else (file.with_name("1-0.npy")).read_bytes())
    resumed = record_of(warehouse, open_study(warehouse, question), folder)
    found = resumed.batches()
    assert [batch.moments.shape for batch in found] == [(5, 0, 4), (5, 4, 4)]
    assert np.array_equal(found[0].scores, batches[0].scores)
    resumed.commit(batches[0])
    assert [differences(one, other) for one, other in zip(resumed.batches(), batches, strict=True)] == [[], []]


def test_connection_cut_in_the_middle_costs_a_retry(
    warehouse: Warehouse, question: StudyOpening, folder: Path, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    cuts = iter(["during the copy", "before the commit"])
    cut = (
        "select pg_terminate_backend(pid) from pg_stat_activity "
        f"where datname = '{warehouse.database.name}' and usename = 'chandlery_pipeline'"
    )
    pauses: list[float] = []

    def cutting(write: Callable[..., int]) -> Callable[..., int]:
        def run(*arguments: Any) -> int:
            moment = next(cuts, None)
            if moment == "during the copy":
                tell(warehouse, cut)
            written = write(*arguments)
            if moment == "before the commit":
                tell(warehouse, cut)
            return written

        return run

    from chandlery.store import batches

    monkeypatch.setattr(batches, "write_trials", cutting(batches.write_trials))
    record = record_of(warehouse, open_study(warehouse, question), folder, wait=pauses.append)
    record.commit(made_batch())
    assert len(pauses) == 2
    assert pauses == sorted(pauses)
    assert [differences(batch, made_batch()) for batch in record.batches()] == [[]]
    assert trial_numbers(warehouse, question.study_name) == made_batch().numbers.tolist()


def test_database_that_stays_away_is_reported_and_nothing_is_half_written(
    warehouse: Warehouse, question: StudyOpening, folder: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> int:
        raise DatabaseDown("gone")

    from chandlery.store import batches

    monkeypatch.setattr(batches, "write_trials", away)
    pauses: list[float] = []
    record = record_of(warehouse, open_study(warehouse, question), folder, wait=pauses.append)
    with pytest.raises(DatabaseDown):
        record.commit(made_batch())
    assert len(pauses) == 4
    assert kept_rows(ask, warehouse, question.study_id) == [0, 0]
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_tables_of_another_optuna_get_the_best_trials_through_optuna(
    warehouse: Warehouse,
    question: StudyOpening,
    folder: Path,
    ask: Ask,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[str] = []
    monkeypatch.setattr(study_trials.log, "warning", lambda event, **_: seen.append(event))
    monkeypatch.setattr("chandlery.store.optuna_tables.ALEMBIC_VERSION", "v9.0.0.a")
    monkeypatch.setattr(study_trials, "TOP_SLOWLY", 3)
    record = record_of(warehouse, open_study(warehouse, question), folder)
    batch = made_batch(scores=np.array([[0.1], [0.5], [-np.inf], [0.9], [0.3]]))
    for _ in range(2):
        record.commit(batch)
        record.publish_top_trials()
    assert seen == ["optuna_tables_unknown"]
    assert kept_rows(ask, warehouse, question.study_id) == [1, 5]
    assert trial_numbers(warehouse, question.study_name) == [21, 7, 28]


def test_large_study_gives_optuna_its_best_trials_at_the_end(
    warehouse: Warehouse, instrument: int, names: Iterator[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study_trials, "TOP", 2)
    large = opening(instrument, next(names), budget=50_001)
    record = record_of(warehouse, open_study(warehouse, large), folder)
    record.commit(made_batch(scores=np.array([[0.1], [0.5], [-np.inf], [0.9], [0.3]])))
    for _ in range(2):
        record.publish_top_trials()
    assert trial_numbers(warehouse, large.study_name) == [21, 7]


def test_pauses_together_outlast_a_restart_of_the_server() -> None:
    assert sum(study_record._PAUSES_S) > 5
