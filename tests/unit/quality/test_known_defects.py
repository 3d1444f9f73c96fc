"""Every known defect of the recorded tapes is found with the verdict it deserves, and true moves are not accused."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from _known_defects import CHECKS_OF, CLEAN_OF, KnownDefect, answers, read_known, unlisted

from chandlery.steps.tape_audit import TapeAudit, audit_tape

DATA = Path(__file__).parents[4] / "shared" / "data"
COSTS = pl.col("verdict").is_in(["confirmed", "suspected"])


@pytest.fixture(scope="module")
def audit() -> TapeAudit:
    if not (DATA / "known_defects.json").exists():
        pytest.skip(f"no recorded tapes in {DATA}")
    return audit_tape(DATA / "tapes")


@pytest.fixture(scope="module")
def known(audit: TapeAudit) -> tuple[KnownDefect, ...]:  # noqa: ARG001 - skips without data
    return read_known(DATA / "known_defects.json")


def found(audit: TapeAudit, file: str, check: int, *days: str) -> list[tuple[str, str, str]]:
    sessions = [date.fromisoformat(day) for day in days]
    rows = audit.findings.filter(pl.col("file") == file, pl.col("check") == check, pl.col("session").is_in(sessions))
    return rows.select(pl.col("session").cast(pl.String), "rule", "verdict").rows()


def test_no_rule_raises_on_the_tapes(audit: TapeAudit) -> None:
    assert audit.failed == ()


def test_every_defect_of_the_list_is_answered(audit: TapeAudit, known: tuple[KnownDefect, ...]) -> None:
    judged = {entry for entry in known if entry.kind in CHECKS_OF and entry.kind != "label_convention"}
    assert len(judged) == 8
    assert [entry for entry in judged if answers(audit.findings.filter(COSTS), entry).is_empty()] == []


def test_what_is_no_defect_is_not_accused(audit: TapeAudit, known: tuple[KnownDefect, ...]) -> None:
    innocent = [entry for entry in known if entry.kind in CLEAN_OF]
    assert len(innocent) == 4
    assert [entry for entry in innocent if not answers(audit.findings.filter(COSTS), entry).is_empty()] == []


def test_missing_sessions_are_gaps(audit: TapeAudit) -> None:
    # A missing session alone is no proof of a defect: the other stocks on the tape traded, which is.
    days = ("1981-08-10", "1983-09-23")
    assert [row[:2] for row in found(audit, "us_daily/AAPL", 8, *days)] == [
        (day, "session_has_its_bar") for day in days
    ]
    assert audit.findings.filter(pl.col("file") == "us_daily/GE", pl.col("check") == 8).is_empty()


def test_bar_on_a_closed_day_is_flagged(audit: TapeAudit) -> None:
    assert found(audit, "us_daily/AAPL", 7, "1985-09-27") == [("1985-09-27", "bar_lies_in_a_session", "suspected")]


def test_impossible_ohlc_is_confirmed(audit: TapeAudit) -> None:
    assert found(audit, "us_daily/BA", 2, "1962-01-23") == [("1962-01-23", "high_covers_body", "confirmed")]
    lows = found(audit, "us_daily/yahoo_SPY", 2, "2015-03-05", "2015-03-30")
    assert lows == [(day, "low_covers_body", "confirmed") for day in ("2015-03-05", "2015-03-30")]


def test_day_without_volume_is_flagged(audit: TapeAudit) -> None:
    assert found(audit, "us_daily/GE", 14, "1962-11-09") != []


def test_exactly_the_two_bad_lows_differ_from_the_minutes(audit: TapeAudit) -> None:
    rows = audit.findings.filter(pl.col("check") == 18, COSTS)
    assert rows["file"].unique().to_list() == ["us_daily/yahoo_SPY"]
    assert rows["session"].to_list() == [date(2011, 1, 3), date(2011, 1, 12)]
    # No minute of the extended hours went there either.
    assert rows["verdict"].to_list() == ["confirmed", "confirmed"]


@pytest.mark.parametrize(
    ("file", "day"),
    [
        ("us_daily/AAPL", "2000-09-29"),
        ("us_daily/AAPL", "1983-09-26"),
        ("us_daily/AAPL", "1987-10-19"),
        ("us_daily/BA", "1987-10-19"),
        ("us_daily/GE", "1987-10-19"),
    ],
)
def test_crash_is_called_neither_split_nor_unit_error_nor_spike(audit: TapeAudit, file: str, day: str) -> None:
    accused = audit.findings.filter(
        pl.col("file") == file,
        pl.col("session") == date.fromisoformat(day),
        pl.col("check").is_in([9, 10, 11, 12, 23]),
        COSTS,
    )
    assert accused.is_empty()


def test_flash_crash_is_never_confirmed_as_an_error(audit: TapeAudit) -> None:
    rows = audit.findings.filter(pl.col("session") == date(2010, 5, 6), pl.col("check").is_in([9, 10, 12]))
    assert "confirmed" not in rows["verdict"].to_list()
    # GE fell 16 %, BA 13 %, EBAY 9 % that afternoon and came back, so that AAPL's low of 22 % is believed.
    wicks = rows.filter(pl.col("rule") == "wicks_stay_near_the_body")
    assert {"us_daily/AAPL", "us_daily/yahoo_AAPL"} <= set(wicks["file"])
    assert set(wicks.filter(pl.col("file").str.contains("AAPL"))["verdict"]) == {"true_move"}


def test_end_of_a_recording_is_no_defect(audit: TapeAudit) -> None:
    rows = audit.findings.filter(
        pl.col("file") == "crypto_minute/X_BTCUSD_bitfinex_2016",
        pl.col("session") == date(2016, 4, 19),
        pl.col("check") == 17,
    )
    assert rows.height == 2
    assert set(rows["verdict"]) == {"explained"}


def test_phantom_sessions_of_a_calendar_library_are_no_gaps(audit: TapeAudit) -> None:
    sixties = pl.col("session") < date(1970, 1, 1)
    gaps = audit.findings.filter(pl.col("file").is_in(["us_daily/BA", "us_daily/GE"]), pl.col("check") == 8, sixties)
    # The one day is BA's own: its bar is held.
    assert gaps["session"].to_list() == [date(1962, 1, 23)]


def test_long_wicks_that_the_day_bar_confirms_are_true_moves(audit: TapeAudit) -> None:
    named = [
        ("us_minute/AAPL", datetime(2016, 4, 19, 19, 59, tzinfo=UTC)),
        ("us_minute/AAPL", datetime(2016, 4, 27, 13, 30, tzinfo=UTC)),
        ("us_minute/MSFT", datetime(2016, 4, 22, 13, 30, tzinfo=UTC)),
    ]
    for file, ts in named:
        rows = audit.findings.filter(pl.col("file") == file, pl.col("ts") == ts)
        assert rows["verdict"].to_list() == ["true_move"]


def test_fillers_are_counted_and_cost_nothing(audit: TapeAudit) -> None:
    fillers = audit.findings.filter(pl.col("file").str.starts_with("crypto"), pl.col("check") == 15)
    assert fillers.height == 18_362
    assert fillers["term"].unique().to_list() == ["none"]


def test_index_is_asked_nothing_about_volume(audit: TapeAudit) -> None:
    index = audit.findings.filter(pl.col("file") == "us_minute/I_SPX_2019-11")
    assert index.filter(pl.col("check").is_in([13, 14, 15, 16])).is_empty()


def test_alarms_outside_the_list_stay_below_one_in_ten_thousand(
    audit: TapeAudit, known: tuple[KnownDefect, ...]
) -> None:
    alarms = unlisted(audit.findings, known).filter(pl.col("severity").is_in(["critical", "major"]))
    assert alarms.height <= sum(audit.bars.values()) / 10_000
    assert "confirmed" not in alarms["verdict"].to_list()
