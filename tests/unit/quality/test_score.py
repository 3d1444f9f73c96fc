"""The score: hand arithmetic, and the properties that make it worth believing."""

import math
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chandlery.errors import InvalidInput
from chandlery.market.findings import FINDING_SCHEMA
from chandlery.market.timeframes import Timeframe
from chandlery.quality.checks import CHECKS, Term
from chandlery.quality.deadlines import deadlines, timeliness
from chandlery.quality.explanation import CAP, explain
from chandlery.quality.score import bar_score, score, summarize, terms
from chandlery.quality.tally import Tally, count_bars

SESSION = date(2024, 7, 2)
OPEN = datetime(2024, 7, 2, 13, 30, tzinfo=UTC)
SCHEMA = {**{name: dtype for name, dtype in FINDING_SCHEMA.items() if name != "row"}, "state": pl.String}
EPSILON = 1e-12


def finding(
    check: int,
    severity: str,
    minute: int = 0,
    *,
    minutes: int | None = None,
    verdict: str = "suspected",
    state: str = "open",
) -> dict[str, object]:
    ts = OPEN + timedelta(minutes=minute)
    return {
        "ts": ts,
        "ts_end": None if minutes is None else ts + timedelta(minutes=minutes),
        "session": SESSION,
        "last_session": SESSION,
        "rule": f"rule_{check}",
        "check": check,
        "severity": severity,
        "verdict": verdict,
        "term": CHECKS[check].term.value,
        "evidence": "{}",
        "state": state,
    }


def frame(*rows: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=SCHEMA)


def bars(count: int, *, first: int = 0) -> pl.DataFrame:
    stamps = [OPEN + timedelta(minutes=first + place) for place in range(count)]
    schema = {"ts": FINDING_SCHEMA["ts"], "session": pl.Date, "is_present": pl.Boolean}
    return pl.DataFrame([(ts, SESSION, True) for ts in stamps], schema=schema, orient="row")


def minutes(count: int, found: pl.DataFrame, *, expected: int | None = None, **others: object) -> Tally:
    expected = count if expected is None else expected
    return count_bars(bars(count), found, Timeframe.M1, expected=expected, **others)


def test_bar_without_a_finding_is_worth_one() -> None:
    assert bar_score(frame()) == 1.0


def test_bar_loses_by_each_of_its_findings() -> None:
    # A major and a minor doubt: (1 - .5) (1 - .15).
    assert bar_score(frame(finding(9, "major"), finding(13, "minor"))) == pytest.approx(0.425, abs=EPSILON)
    assert bar_score(frame(finding(2, "critical"))) == 0.0


@pytest.mark.parametrize(
    "harmless",
    [
        finding(9, "major", verdict="true_move"),
        finding(9, "major", verdict="explained"),
        finding(9, "major", state="dismissed"),
        finding(9, "major", state="repaired"),
        finding(24, "minor"),
        finding(9, "info"),
        finding(17, "major"),
    ],
)
def test_finding_that_does_not_speak_against_the_bar_costs_it_nothing(harmless: dict[str, object]) -> None:
    assert bar_score(frame(harmless)) == 1.0


def test_clean_session_scores_one_and_loses_nothing() -> None:
    tally = minutes(390, frame(), is_compared=True, timeliness=1.0)
    assert score(tally) == 1.0
    assert explain(tally, frame()) == ()


def test_half_day_with_its_210_minutes_is_complete() -> None:
    tally = minutes(210, frame(), timeliness=1.0)
    assert terms(tally)[Term.COMPLETENESS] == 1.0
    assert score(tally) == 1.0


def test_terms_follow_hand_arithmetic() -> None:
    # Ten minutes of twenty expected; one fatal, one doubted (.5), all at odds with another source (.85), late by half.
    found = frame(finding(2, "critical", 0), finding(9, "major", 1), finding(20, "minor", 0, minutes=10))
    tally = minutes(10, found, expected=20, is_compared=True, timeliness=0.5)
    assert terms(tally) == pytest.approx(
        {
            Term.VALIDITY: 0.9,
            Term.COMPLETENESS: 0.5,
            Term.CONSISTENCY: 0.85,
            Term.PLAUSIBILITY: (8 + 0.5) / 10,
            Term.TIMELINESS: 0.5,
        },
        abs=EPSILON,
    )
    free = replace(tally, has_major=False, has_critical=False)
    assert score(free) == pytest.approx(0.9**0.3 * 0.5**0.25 * 0.85**0.2 * 0.85**0.15 * 0.5**0.1, abs=EPSILON)
    assert score(replace(free, has_major=True)) == 0.5
    assert score(tally) == 0.2


def test_terms_that_do_not_exist_leave_their_weight_to_the_others() -> None:
    tally = minutes(195, frame(), expected=390)
    assert set(terms(tally)) == {Term.VALIDITY, Term.COMPLETENESS, Term.PLAUSIBILITY}
    assert score(tally) == pytest.approx(0.5 ** (0.25 / 0.70), abs=EPSILON)


def test_session_without_bars_has_the_lowest_score() -> None:
    assert score(minutes(0, frame(), expected=390)) == pytest.approx(0.01, abs=EPSILON)
    assert score(minutes(0, frame(), expected=390, timeliness=0.0)) == pytest.approx(0.01, abs=EPSILON)


def test_nothing_expected_has_no_score() -> None:
    assert score(minutes(0, frame(), expected=0)) is None
    assert explain(minutes(3, frame(), expected=0), frame()) == ()


def test_no_sound_bar_makes_plausibility_zero_and_not_absent() -> None:
    tally = minutes(3, frame(finding(2, "critical", 0, minutes=3)))
    assert terms(tally)[Term.PLAUSIBILITY] == 0.0


def test_consistency_finding_without_a_second_witness_counts_in_plausibility() -> None:
    tally = minutes(2, frame(finding(23, "minor", 0)))
    assert Term.CONSISTENCY not in terms(tally)
    assert terms(tally)[Term.PLAUSIBILITY] == pytest.approx((0.85 + 1) / 2, abs=EPSILON)


def test_consistency_finding_does_not_lift_a_poor_session() -> None:
    # A term of .85 that came with the finding would lift what one minute of a hundred leaves.
    poor = minutes(1, frame(), expected=100)
    doubted = minutes(1, frame(finding(20, "minor")), expected=100)
    assert score(doubted) < score(poor)


def test_day_bar_is_covered_by_findings_of_its_session() -> None:
    day = pl.DataFrame({"ts": [OPEN - timedelta(hours=9, minutes=30)], "session": [SESSION], "is_present": [True]})
    day = day.cast({"ts": FINDING_SCHEMA["ts"]})
    spanning = {**finding(23, "major"), "session": SESSION - timedelta(days=9), "last_session": SESSION}
    tally = count_bars(day, frame(spanning), Timeframe.D1, expected=1, is_compared=True)
    assert terms(tally)[Term.CONSISTENCY] == 0.5


def test_cap_names_the_findings_behind_it() -> None:
    found = frame(finding(9, "major", 5))
    tally = minutes(390, found)
    capped = next(loss for loss in explain(tally, found) if loss.name == CAP)
    assert (capped.value, capped.checks) == (0.5, (9,))
    assert capped.findings["rule"].to_list() == ["rule_9"]


def test_completeness_lost_below_any_threshold_names_the_check_of_minutes() -> None:
    (loss,) = explain(minutes(389, frame(), expected=390), frame())
    assert (loss.name, loss.checks) == ("completeness", (17,))
    (loss,) = explain(minutes(0, frame(), expected=390), frame())
    assert (loss.name, loss.checks) == ("completeness", (8,))


def test_lateness_names_its_check() -> None:
    (loss,) = explain(minutes(390, frame(), timeliness=0.3), frame())
    assert (loss.name, loss.checks) == ("timeliness", (25,))


def test_tally_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no part exceeds its whole"):
        Tally(expected=1, present=1, judged=1, sound=2)


def test_symbol_shows_mean_and_worst_decile() -> None:
    # Eleven scores: the worst decile is the mean of the two lowest.
    known = summarize([1.0] * 9 + [0.1, 0.4, None])
    assert known.partitions == 11
    assert known.mean == pytest.approx(9.5 / 11, abs=EPSILON)
    assert known.worst_decile == pytest.approx(0.25, abs=EPSILON)
    assert summarize([None]).mean is None


def test_bars_are_due_at_the_next_opening_and_around_the_clock_a_day_later() -> None:
    # A Friday closes 20:00 UTC, Monday opens 13:30 UTC: 65.5 hours; twice as late costs half.
    friday, monday = datetime(2024, 7, 12, 20, tzinfo=UTC), datetime(2024, 7, 15, 13, 30, tzinfo=UTC)
    hours = timedelta(hours=6, minutes=30)
    closing = {"session": [date(2024, 7, 12), date(2024, 7, 15)], "open": [friday - hours, monday]}
    due = deadlines(pl.DataFrame({**closing, "close": [friday, monday + hours]}), Timeframe.D1)
    assert due["deadline"].to_list() == [monday, None]
    days = [datetime(2024, 7, 12, tzinfo=UTC) + timedelta(days=place) for place in range(3)]
    ends = [day + timedelta(days=1) for day in days]
    always = pl.DataFrame({"session": [day.date() for day in days], "open": days, "close": ends})
    assert deadlines(always, Timeframe.D1)["deadline"].to_list() == [ends[1], ends[2], None]
    streamed = deadlines(always, Timeframe.M1, freshness_minutes=20.0)["deadline"][0]
    assert streamed == ends[0] + timedelta(minutes=20)


@pytest.mark.parametrize(("hours", "expected"), [(-1, 1.0), (0, 1.0), (10, 1.0), (20, 0.5), (30, 0.0), (99, 0.0)])
def test_timeliness_falls_from_the_deadline_to_three_times_the_allowance(hours: int, expected: float) -> None:
    close = datetime(2024, 7, 12, 20, tzinfo=UTC)
    stamps = {"known": [close + timedelta(hours=hours)], "close": [close], "due": [close + timedelta(hours=10)]}
    value = pl.DataFrame(stamps).select(timeliness(pl.col("known"), pl.col("close"), pl.col("due"))).item()
    assert value == pytest.approx(expected, abs=EPSILON)


CHECK_NUMBERS = st.sampled_from([2, 4, 7, 9, 13, 17, 18, 19, 20, 23, 24, 25, 28])
FINDINGS = st.lists(
    st.builds(
        finding,
        CHECK_NUMBERS,
        st.sampled_from(["critical", "major", "minor", "info"]),
        st.integers(0, 11),
        minutes=st.none() | st.integers(1, 12),
        verdict=st.sampled_from(["confirmed", "suspected", "true_move"]),
        state=st.sampled_from(["open", "confirmed", "dismissed"]),
    ),
    max_size=6,
)
SHAPES = st.fixed_dictionaries(
    {
        "expected": st.integers(0, 14),
        "is_compared": st.booleans(),
        "timeliness": st.none() | st.floats(0, 1),
    }
)
COUNTS = st.integers(0, 12)


def total(count: int, found: list[dict[str, object]], shape: dict[str, object]) -> float:
    value = score(minutes(count, frame(*found), **shape))
    return math.inf if value is None else value


@settings(max_examples=30)
@given(COUNTS, FINDINGS, SHAPES)
def test_score_lies_between_zero_and_one(count: int, found: list[dict[str, object]], shape: dict[str, object]) -> None:
    value = score(minutes(count, frame(*found), **shape))
    assert (value is None) == (shape["expected"] == 0)
    assert value is None or 0 <= value <= 1


@settings(max_examples=30)
@given(COUNTS, FINDINGS, SHAPES, st.randoms(use_true_random=False))
def test_score_does_not_depend_on_the_order_of_bars_and_findings(
    count: int, found: list[dict[str, object]], shape: dict[str, object], random: object
) -> None:
    mixed = list(found)
    random.shuffle(mixed)
    again = count_bars(bars(count).reverse(), frame(*mixed), Timeframe.M1, **shape)
    assert again == minutes(count, frame(*found), **shape)
    assert bar_score(frame(*mixed)) == bar_score(frame(*found))


@settings(max_examples=30)
@given(COUNTS, FINDINGS, SHAPES, FINDINGS.filter(bool))
def test_a_finding_more_never_raises_the_score(
    count: int, found: list[dict[str, object]], shape: dict[str, object], more: list[dict[str, object]]
) -> None:
    assert total(count, found + more[:1], shape) <= total(count, found, shape) + EPSILON
    assert bar_score(frame(*found, more[0])) <= bar_score(frame(*found))


@settings(max_examples=30)
@given(COUNTS, FINDINGS.filter(bool), SHAPES, st.data())
def test_repairing_a_finding_never_lowers_the_score(
    count: int, found: list[dict[str, object]], shape: dict[str, object], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(found) - 1))
    repaired = [{**row, "state": "repaired"} if number == place else row for number, row in enumerate(found)]
    assert total(count, repaired, shape) >= total(count, found, shape) - EPSILON


@settings(max_examples=30)
@given(COUNTS, FINDINGS.filter(bool), SHAPES)
def test_a_heavier_finding_never_raises_the_score(
    count: int, found: list[dict[str, object]], shape: dict[str, object]
) -> None:
    heavier = {"info": "minor", "minor": "major", "major": "critical", "critical": "critical"}
    worse = [{**found[0], "severity": heavier[str(found[0]["severity"])]}, *found[1:]]
    assert total(count, worse, shape) <= total(count, found, shape) + EPSILON


@settings(max_examples=30)
@given(st.integers(1, 12), FINDINGS, SHAPES)
def test_losing_a_bar_without_findings_never_raises_the_score(
    count: int, found: list[dict[str, object]], shape: dict[str, object]
) -> None:
    # The bar that is lost is the last one; no finding reaches it.
    last = OPEN + timedelta(minutes=count - 1)
    spared = [row for row in found if row["ts"] < last and (row["ts_end"] or row["ts"] + timedelta(minutes=1)) <= last]
    assert total(count - 1, spared, shape) <= total(count, spared, shape) + EPSILON


@given(st.integers(1, 2000), st.data())
def test_a_doubtful_bar_that_turns_out_fatal_never_raises_the_score(judged: int, data: st.DataObject) -> None:
    # Far below the floor of validity as well, where a mean over the sound bars alone would rise.
    sound = data.draw(st.integers(1, judged))
    doubtful = data.draw(st.floats(0, 1))
    others = data.draw(st.floats(0, 1)) * (sound - 1)
    expected = data.draw(st.integers(1, 2000))
    before = Tally(
        expected=expected, present=judged, judged=judged, sound=sound, plausibility=others + doubtful, has_major=True
    )
    after = replace(before, sound=sound - 1, plausibility=others)
    assert score(after) <= score(before) + EPSILON
    assert score(replace(after, has_critical=True)) <= score(before) + EPSILON


@settings(max_examples=30)
@given(COUNTS, FINDINGS, SHAPES, st.floats(0, 1), st.floats(0, 1))
def test_later_bars_never_raise_the_score(
    count: int, found: list[dict[str, object]], shape: dict[str, object], one: float, other: float
) -> None:
    late, early = sorted((one, other))
    scores = [total(count, found, {**shape, "timeliness": value}) for value in (late, early)]
    assert scores[0] <= scores[1] + EPSILON


@settings(max_examples=30)
@given(COUNTS, FINDINGS, SHAPES, st.integers(0, 12), st.integers(0, 14))
def test_splitting_a_partition_keeps_the_aggregate(
    count: int, found: list[dict[str, object]], shape: dict[str, object], cut: int, part: int
) -> None:
    every, whole = bars(count), minutes(count, frame(*found), **shape)
    expected = int(shape["expected"])
    first = count_bars(
        every.head(min(cut, count)), frame(*found), Timeframe.M1, **{**shape, "expected": min(part, expected)}
    )
    rest = count_bars(
        every.tail(count - min(cut, count)),
        frame(*found),
        Timeframe.M1,
        **{**shape, "expected": expected - min(part, expected), "timeliness": None},
    )
    merged = first.merge(rest)
    for field in fields(Tally):
        assert getattr(merged, field.name) == pytest.approx(getattr(whole, field.name), abs=EPSILON)
    assert rest.merge(first) == merged


@settings(max_examples=30)
@given(COUNTS, FINDINGS, SHAPES)
def test_every_lost_point_names_a_check(count: int, found: list[dict[str, object]], shape: dict[str, object]) -> None:
    tally = minutes(count, frame(*found), **shape)
    losses = explain(tally, frame(*found))
    value = score(tally)
    if value is None:
        assert losses == ()
        return
    assert math.fsum(loss.points for loss in losses) == pytest.approx(1 - value, abs=1e-9)
    assert all(loss.checks and loss.points > 0 for loss in losses)
    assert {number for loss in losses for number in loss.checks} <= set(CHECKS)
