"""`chandlery actions`: three forms, kinds, instants, refusals."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

Variables = dict[str, object]

_UNIVERSE = """
insert into ops.instruments (instrument_id, asset_class, calendar) overriding system value
values (1, 'stocks', 'NYSE'), (2, 'stocks', 'NYSE');
insert into ops.instrument_tickers values
    ('META', '1900-01-01', null, 1, 'tape'), ('EBAY', '1900-01-01', null, 2, 'tape');
insert into ops.corporate_actions
    (instrument_id, kind, ex_date, split_from, split_to, cash, currency, status, evidence, source, known_from, known_to)
values
    (1, 'split', '2022-06-22', 1, 10, null, null, 'suspected', '{"reason": "collides_without_a_jump"}', 'massive',
     '2022-06-20 10:00+0', '2022-06-30 10:00+0'),
    (1, 'split', '2022-06-22', 1, 10, null, null, 'rejected',
     '{"reason": "duplicate", "duplicate_of": "2022-06-29", "expected": 0.1}', 'massive', '2022-06-30 10:00+0', null),
    (1, 'cash_dividend', '2024-02-21', null, null, 0.125, 'USD', 'accepted', '{"reason": "nothing_against_it"}',
     'massive', '2024-02-02 10:00+0', null),
    (1, 'ticker_change', '2022-06-09', null, null, null, null, 'accepted',
     '{"reason": "on_record_alone", "ticker": "META"}', 'massive', '2022-06-10 10:00+0', null);
"""


@pytest.fixture(scope="module")
def here(warehouse: Any, tell: Any, server_of: Callable[[Any], Variables]) -> Variables:
    tell(warehouse, _UNIVERSE)
    return server_of(warehouse)


def rows(run: Any, here: Variables, *arguments: str) -> list[dict[str, Any]]:
    outcome = run("actions", "META", *arguments, "--format", "json", **here)
    assert (outcome.code, outcome.err) == (0, "")
    found: list[dict[str, Any]] = json.loads(outcome.out)
    return found


def test_json_tells_all_of_each_present_action_by_date(run: Any, here: Variables) -> None:
    ticker, split, paid = rows(run, here)
    assert split == {
        "symbol": "META",
        "ex_date": "2022-06-22",
        "kind": "split",
        "ratio": "10:1",
        "split_from": 1,
        "split_to": 10,
        "cash": None,
        "currency": None,
        "ticker": None,
        "status": "rejected",
        "reason": "duplicate",
        "evidence": {"reason": "duplicate", "duplicate_of": "2022-06-29", "expected": 0.1},
        "source": "massive",
        "known_from": "2022-06-30T10:00:00Z",
        "known_to": None,
    }
    assert (ticker["kind"], ticker["ticker"]) == ("ticker_change", "META")
    assert (paid["cash"], paid["currency"], paid["ratio"]) == (0.125, "USD", None)


@pytest.mark.parametrize(
    ("kind", "shown"), [("split", "split"), ("dividend", "cash_dividend"), ("ticker", "ticker_change")]
)
def test_kind_chooses(run: Any, here: Variables, kind: str, shown: str) -> None:
    assert [row["kind"] for row in rows(run, here, "--kind", kind)] == [shown]


def test_as_of_shows_what_was_known_then(run: Any, here: Variables) -> None:
    then = rows(run, here, "--as-of", "2022-06-25")
    assert [(row["kind"], row["status"], row["known_to"]) for row in then] == [
        ("ticker_change", "accepted", None),
        ("split", "suspected", "2022-06-30T10:00:00Z"),
    ]
    assert [row["kind"] for row in rows(run, here, "--as-of", "2022-06-20T05:59:59-04:00")] == ["ticker_change"]
    assert len(rows(run, here, "--as-of", "2022-06-20T06:00:00-04:00")) == 2
    assert rows(run, here, "--as-of", "2022-06-10T09:59:59") == []


def test_csv_has_the_same_columns_and_values(run: Any, here: Variables) -> None:
    outcome = run("actions", "meta", "--format", "csv", **here)
    found = list(csv.DictReader(io.StringIO(outcome.out)))
    expected = rows(run, here)
    assert [list(row) for row in found] == [list(row) for row in expected]
    for row, other in zip(found, expected, strict=True):
        assert json.loads(row.pop("evidence")) == other.pop("evidence")
        assert row == {name: "" if value is None else str(value) for name, value in other.items()}


def test_table_for_people_is_the_default(run: Any, here: Variables) -> None:
    out = run("actions", "META", **here).out
    assert all(text in out for text in ("10:1", "rejected", "duplicate", "0.125 USD", "ticker_change"))


def test_symbol_without_actions_is_an_empty_answer(run: Any, here: Variables) -> None:
    assert json.loads(run("actions", "EBAY", "--format", "json", **here).out) == []
    assert run("actions", "EBAY", "--format", "csv", **here).out.count("\n") == 1
    assert run("actions", "EBAY", **here).code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["TSLA"], 3, "TSLA is not tracked"),
        (["A APL"], 2, "Symbol was"),
        (["META", "--kind", "merger"], 2, "kind"),
        (["META", "--format", "xml"], 2, "format"),
        (["META", "--as-of", "yesterday"], 2, "--as-of was 'yesterday'"),
        (["META", "--as-of", "2200-01-01"], 2, "later than now"),
    ],
)
def test_question_without_an_answer_says_why(
    run: Any, here: Variables, arguments: list[str], code: int, words: str
) -> None:
    outcome = run("actions", *arguments, **here)
    assert (outcome.code, outcome.out) == (code, "")
    assert words in outcome.err
    assert "Traceback" not in outcome.err
