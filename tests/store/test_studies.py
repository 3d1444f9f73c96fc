"""Studies as they open, change hands and end, and what is read of them."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import polars as pl
import pytest
from kept_study import DAYS, NAMES, instrument_of, made_batch, opening, space
from sqlalchemy.exc import IntegrityError

from chandlery.errors import Fenced, NotFound, ResearchError, StudyRunning
from chandlery.steps.study_record import WarehouseRecord
from chandlery.store.studies import (
    StudyAnswer,
    StudyOpening,
    delete_study,
    finish_study,
    join_study,
    open_study,
    set_method,
)
from chandlery.store.study_reads import (
    count_earlier_trials,
    find_study,
    list_studies,
    read_equity,
    read_evaluations,
    read_selections,
    read_trades,
)
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]

ANSWER = StudyAnswer(
    trials=5, best_params={"length": 3}, metrics={"sharpe": None}, evidence={"pbo": 0.5}, verdict="luck"
)
CHOICES = [
    {"kind": kind, "rank": rank, "number": 7, "params": {"length": 3}, "scores": [0.5, None], "detail": {"x": None}}
    for kind, rank in (("plateau", 0), ("in_sample", 0), ("pareto", 1), ("pareto", 0))
]
CURVE = [{"ts": day, "equity": 1.0 + place / 3, "benchmark": 1.0} for place, day in enumerate(DAYS)]
TRADES = [
    {
        "seq": seq,
        "entry_ts": DAYS[0],
        "exit_ts": exit_ts,
        "entry_price": 10.1,
        "exit_price": None if exit_ts is None else 11.3,
        "net_return": None if exit_ts is None else 0.1,
    }
    for seq, exit_ts in enumerate((DAYS[1], None))
]


@pytest.fixture(scope="module")
def instrument(warehouse: Warehouse) -> int:
    return instrument_of(warehouse)


@pytest.fixture(scope="module")
def names() -> Iterator[str]:
    return (f"of{number:03}" for number in count())


@pytest.fixture
def question(instrument: int, names: Iterator[str]) -> StudyOpening:
    return opening(instrument, next(names))


def finish(warehouse: Warehouse, study_id: str, *, fence: int = 1, **changes: Any) -> bool:
    facts = {"answer": ANSWER, "selections": CHOICES, "curve": CURVE, "traded": TRADES} | changes
    return finish_study(warehouse, study_id, fence=fence, **facts)


def counts(ask: Ask, warehouse: Warehouse, study_id: str) -> list[int]:
    tables = ("evaluations", "selections", "equity", "trades")
    return [
        ask(warehouse, f"select count(*) from research.{name} where study_id = %s", study_id)[0][0] for name in tables
    ]


def test_opened_study_is_what_was_asked(warehouse: Warehouse, question: StudyOpening) -> None:
    opened = open_study(warehouse, question)
    assert (opened.fence, opened.method, opened.parts, opened.finished_at) == (1, None, 1, None)
    stored = find_study(warehouse, question.study_id)
    assert (stored.question, stored.symbol, stored.run_id) == (question.question, "AAPL", "run-1")
    assert (stored.first_ts, stored.budget, stored.verdict) == (DAYS[0], 60, None)


def test_every_opening_raises_the_fence_and_names_its_run(warehouse: Warehouse, question: StudyOpening) -> None:
    open_study(warehouse, question)
    assert open_study(warehouse, replace(question, run_id="run-2")).fence == 2
    assert find_study(warehouse, question.study_id).run_id == "run-2"


def test_study_of_another_run_is_left_to_it_if_asked(warehouse: Warehouse, question: StudyOpening) -> None:
    open_study(warehouse, question, take_over=False)
    assert open_study(warehouse, question, take_over=False).fence == 2
    with pytest.raises(StudyRunning, match="run run-1 has it"):
        open_study(warehouse, replace(question, run_id="run-2"), take_over=False)


def test_other_question_under_the_same_id_is_refused_by_the_differing_facts(
    warehouse: Warehouse, question: StudyOpening
) -> None:
    open_study(warehouse, question)
    other = dict(question.question) | {"seed": 8, "fee": 0.1}
    with pytest.raises(ResearchError, match="another fee, seed"):
        open_study(warehouse, replace(question, question=other))
    assert find_study(warehouse, question.study_id).fence == 1


def test_only_the_run_that_opened_a_study_is_joined(warehouse: Warehouse, question: StudyOpening) -> None:
    opened = open_study(warehouse, replace(question, parts=3))
    assert join_study(warehouse, question.study_id, run_id="run-1") == opened
    with pytest.raises(Fenced, match="run run-1 has it"):
        join_study(warehouse, question.study_id, run_id="run-2")
    with pytest.raises(NotFound, match="chandlery study list"):
        join_study(warehouse, "nothing", run_id="run-1")


def test_first_method_holds(warehouse: Warehouse, question: StudyOpening) -> None:
    open_study(warehouse, question)
    assert set_method(warehouse, question.study_id, fence=1, method="de") == "de"
    assert set_method(warehouse, question.study_id, fence=1, method="tpe") == "de"
    with pytest.raises(Fenced):
        set_method(warehouse, question.study_id, fence=0, method="tpe")
    assert open_study(warehouse, question).method == "de"


def test_finished_study_has_its_answer_and_all_that_belongs_to_it(warehouse: Warehouse, question: StudyOpening) -> None:
    open_study(warehouse, question)
    assert finish(warehouse, question.study_id)
    stored = find_study(warehouse, question.study_id)
    assert stored.finished_at is not None
    assert stored.finished_at >= stored.created_at
    assert (stored.trials, stored.best_params, stored.metrics, stored.evidence, stored.verdict) == (
        *(5, {"length": 3}, {"sharpe": None}),
        *({"pbo": 0.5}, "luck"),
    )
    order = [("in_sample", 0), ("pareto", 0), ("pareto", 1), ("plateau", 0)]
    assert list(read_selections(warehouse, question.study_id)) == [
        {**CHOICES[0], "kind": kind, "rank": rank} for kind, rank in order
    ]
    assert read_equity(warehouse, question.study_id).to_dicts() == CURVE
    assert read_trades(warehouse, question.study_id).to_dicts() == TRADES


def test_finished_study_stays_as_it_is(warehouse: Warehouse, question: StudyOpening, ask: Ask) -> None:
    open_study(warehouse, question)
    finish(warehouse, question.study_id)
    before = find_study(warehouse, question.study_id)
    assert not finish(warehouse, question.study_id, answer=replace(ANSWER, verdict="an edge"))
    again = open_study(warehouse, replace(question, run_id="run-2"))
    assert (again.fence, again.finished_at) == (1, before.finished_at)
    assert find_study(warehouse, question.study_id) == before
    assert counts(ask, warehouse, question.study_id) == [0, 4, 3, 2]


@pytest.mark.parametrize(
    ("changes", "error"), [({"curve": [CURVE[0], CURVE[0]]}, "UniqueViolation"), ({"fence": 0}, "Fenced")]
)
def test_answer_that_cannot_be_stored_leaves_the_study_open(
    warehouse: Warehouse, question: StudyOpening, ask: Ask, changes: dict[str, Any], error: str
) -> None:
    open_study(warehouse, question)
    with pytest.raises(Exception) as refusal:
        finish(warehouse, question.study_id, **changes)
    assert type(refusal.value).__name__ == error
    assert counts(ask, warehouse, question.study_id) == [0, 0, 0, 0]
    assert find_study(warehouse, question.study_id).finished_at is None


def test_study_without_a_trade_is_stored(warehouse: Warehouse, question: StudyOpening) -> None:
    open_study(warehouse, question)
    finish(warehouse, question.study_id, selections=[], curve=CURVE[:1], traded=[])
    trades = read_trades(warehouse, question.study_id)
    assert (trades.height, trades.schema["exit_ts"]) == (0, pl.Datetime("us", "UTC"))


def test_study_is_found_by_the_beginning_of_its_id(warehouse: Warehouse, instrument: int) -> None:
    for study_id in ("abc1", "abc12", "abd"):
        open_study(warehouse, opening(instrument, study_id))
    assert find_study(warehouse, "abd").study_id == "abd"
    assert find_study(warehouse, "abc1").study_id == "abc1"
    assert find_study(warehouse, "abc12").study_id == "abc12"
    with pytest.raises(NotFound, match="more than one"):
        find_study(warehouse, "ab")
    with pytest.raises(NotFound, match="no study"):
        find_study(warehouse, "a%")


def test_studies_are_listed_newest_first_by_strategy_symbol_and_state(fresh: Warehouse) -> None:
    apple, boeing = instrument_of(fresh), instrument_of(fresh, "BA")
    for study_id, of, strategy in (("a", apple, "x"), ("b", boeing, "x"), ("c", apple, "y")):
        open_study(fresh, opening(of, study_id, strategy=strategy))
    finish(fresh, "a")

    def listed(**asked: Any) -> str:
        return "".join(row.study_id for row in list_studies(fresh, **asked))

    assert listed() == "cba"
    assert (listed(strategy="x"), listed(symbol="AAPL"), listed(symbol="AAPL", strategy="x")) == ("ba", "ca", "a")
    assert (listed(state="open"), listed(state="finished"), listed(limit=1)) == ("cb", "a", "c")


def test_evaluations_are_read_as_one_wide_table(warehouse: Warehouse, question: StudyOpening, tmp_path: Any) -> None:
    record = WarehouseRecord(warehouse, open_study(warehouse, question), space=space(), folder=tmp_path)
    batch = made_batch()
    record.commit(batch)
    found = read_evaluations(warehouse, question.study_id, names=NAMES)
    assert found.columns[:7] == ["seq", "batch", "part", "number", *(f"param_{name}" for name in NAMES[:3])]
    assert found["seq"].to_list() == [0, 1, 2, 3, 4]
    assert found["number"].to_list() == batch.numbers.tolist()
    assert found.select(f"param_{name}" for name in NAMES).to_numpy().tolist() == batch.params.tolist()
    assert found["equity"].to_list() == batch.metrics[:, 0].tolist()
    assert read_evaluations(warehouse, question.study_id).columns[4:7] == [f"param_{name}" for name in sorted(NAMES)]
    assert read_evaluations(warehouse, "nothing").height == 0


def test_stored_parameters_are_whole_where_they_are_whole(
    warehouse: Warehouse, question: StudyOpening, tmp_path: Any, ask: Ask
) -> None:
    record = WarehouseRecord(warehouse, open_study(warehouse, question), space=space(), folder=tmp_path)
    record.commit(made_batch(size=1))
    texts = ask(warehouse, "select params::text from research.evaluations where study_id = %s", question.study_id)
    # Point 0 of the lattice: the lower ends, of which the first is an Int.
    low = {name: parameter.lo for name, parameter in space().strategy.params.items()}
    assert isinstance(low["length"], int)
    assert texts == [(json.dumps(low),)]


def test_earlier_trials_are_distinct_points_of_earlier_studies_on_the_same_series(
    fresh: Warehouse, tmp_path: Any
) -> None:
    apple, boeing = instrument_of(fresh), instrument_of(fresh, "BA")

    def tried(study_id: str, of: int, *, size: int, **changes: Any) -> None:
        opened = open_study(fresh, opening(of, study_id, **changes))
        WarehouseRecord(fresh, opened, space=space(), folder=tmp_path).commit(made_batch(size=size))

    # Points are 0, 7, 14 ...: a study of size 8 tries the first eight.
    tried("a", apple, size=8)
    tried("b", apple, size=6)
    tried("c", apple, size=4, definition_hash="of before")
    tried("d", boeing, size=9)
    tried("e", apple, size=9, timeframe="1h")
    tried("f", apple, size=9, strategy="other")
    tried("g", apple, size=3)
    tried("h", apple, size=9)

    def earlier(before: str) -> int:
        return count_earlier_trials(fresh, strategy="rsi_revert", instrument_id=apple, timeframe="1d", before=before)

    assert (earlier("a"), earlier("b"), earlier("c")) == (0, 2, 8)
    # Of a and b together eight, of which g tries three itself; four of c.
    assert earlier("g") == 8 - 3 + 4
    assert earlier("h") == 4


def test_deleted_study_is_gone_with_its_trials_and_names_its_files(
    warehouse: Warehouse, question: StudyOpening, tmp_path: Any, ask: Ask
) -> None:
    opened = open_study(warehouse, question)
    record = WarehouseRecord(warehouse, opened, space=space(), folder=tmp_path)
    for index in range(2):
        record.commit(made_batch(index))
    finish(warehouse, question.study_id)
    assert delete_study(warehouse, question.study_id) == tuple(f"{question.study_id}/{n}-0.npy" for n in range(2))
    assert counts(ask, warehouse, question.study_id) == [0, 0, 0, 0]
    known = ask(warehouse, "select 1 from optuna.studies where study_name = %s", question.study_name)
    assert known == []
    with pytest.raises(NotFound):
        delete_study(warehouse, question.study_id)


def test_study_asked_again_after_its_rows_were_emptied_away_starts_anew_for_optuna(
    warehouse: Warehouse, question: StudyOpening, tmp_path: Any, ask: Ask
) -> None:
    def run() -> None:
        record = WarehouseRecord(warehouse, open_study(warehouse, question), space=space(), folder=tmp_path)
        for index in range(2):
            record.commit(made_batch(index))

    run()
    with warehouse.write("owner") as connection:
        connection.exec_driver_sql("delete from research.studies")
    run()
    query = "select max(number) + 1 from optuna.trials inner join optuna.studies using (study_id) where study_name = %s"
    assert ask(warehouse, query, question.study_name) == [(10,)]


def test_rows_of_an_unknown_instrument_are_refused(warehouse: Warehouse, question: StudyOpening) -> None:
    with pytest.raises(IntegrityError):
        open_study(warehouse, replace(question, instrument_id=-1))
