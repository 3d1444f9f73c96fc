"""The list of known defects beside the recorded tapes, and which finding answers which entry."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

CHECKS_OF = {
    "missing_session": {8},
    "extra_session": {7},
    "ohlc": {2},
    "zero_volume_flat": {14, 15},
    "bad_daily_low": {18},
    "label_convention": {22},
    "outage_gap": {8, 17},
    "zero_volume_filler": {15},
}
"""Kind of a known defect -> the checks that may answer it."""

CLEAN_OF = {
    "true_crash": {9, 10, 11, 12, 23},
    "calendar_library_error": {8},
    "index_without_volume": {13, 14, 15, 16},
    "unsorted": {4, 6},
}
"""Kind that is no defect of the bars -> the checks that must find nothing there: a crash is no split, a session only a
library knows is no gap, an index has no volume, and rows are sorted as they are read, none lost or doubled."""

ALSO_SEEN = {
    "us_daily/yahoo_SPY": {date(2015, 3, 5): {2, 8}, date(2015, 3, 30): {2, 8}},
    "us_daily/AAPL": {date(1983, 1, 11): {13}, date(1992, 7, 27): {13}},
    "us_daily/GE": {date(1990, 12, 28): {13}},
    "us_daily/BA": {date(1962, 1, 23): {2, 8}},
}
"""Defects that the tapes' README names beside the list, and the session that a held day bar leaves empty."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_SHORT = re.compile(r"(\d{4})-\d{2}-\d{2}\.\.(\d{2}-\d{2})\b")


@dataclass(frozen=True, slots=True)
class KnownDefect:
    """One entry: the files, the days it names (none: the whole file), and the span between the first and the last."""

    files: tuple[str, ...]
    kind: str
    expected: str
    days: tuple[date, ...]
    is_span: bool

    def covers(self, session: pl.Expr, last_session: pl.Expr) -> pl.Expr:
        """True for findings whose sessions meet what the entry names."""
        if not self.days:
            return pl.lit(value=True)
        if self.is_span:
            return (last_session >= min(self.days)) & (session <= max(self.days))
        return pl.any_horizontal((session <= day) & (last_session >= day) for day in self.days)


def read_known(path: Path) -> tuple[KnownDefect, ...]:
    """Return the entries of `known_defects.json`."""
    return tuple(_entry(entry) for entry in json.loads(path.read_text()))


def _entry(entry: Mapping[str, str]) -> KnownDefect:
    where = _SHORT.sub(lambda found: f"{found[0]} {found[1]}-{found[2]}", entry["where"])
    # The entry on outages places the two long ones and counts the short ones, which lie anywhere in the file.
    named = [] if entry["kind"] == "outage_gap" else _DAY.findall(where)
    days = tuple(date.fromisoformat(text) for text in named)
    return KnownDefect(_files(entry["file"]), entry["kind"], entry["expected"], days, ".." in entry["where"])


def _files(text: str) -> tuple[str, ...]:
    name = text.removeprefix("tapes/").split(".")[0]
    found = re.fullmatch(r"(.*)\{(.*)\}(.*)", name)
    return tuple(f"{found[1]}{part}{found[3]}" for part in found[2].split(",")) if found else (name,)


def answers(findings: pl.DataFrame, known: KnownDefect) -> pl.DataFrame:
    """Return the findings (`file`, `check`, `session`, `last_session`, ...) that answer an entry."""
    return findings.filter(
        pl.col("file").is_in(list(known.files)),
        pl.col("check").is_in(sorted(CHECKS_OF.get(known.kind, CLEAN_OF.get(known.kind, set())))),
        known.covers(pl.col("session"), pl.col("last_session")),
    )


def unlisted(findings: pl.DataFrame, known: tuple[KnownDefect, ...]) -> pl.DataFrame:
    """Return the findings that cost something and that neither the list nor the README answers: alarms to look at."""
    costly = findings.filter(
        pl.col("verdict").is_in(["confirmed", "suspected"]),
        pl.col("severity") != "info",
        pl.col("term") != "none",
    )
    for entry in known:
        if entry.kind in CHECKS_OF:
            costly = costly.join(answers(costly, entry), on=costly.columns, how="anti", nulls_equal=True)
    for file, days in ALSO_SEEN.items():
        for day, checks in days.items():
            seen = (
                (pl.col("file") == file)
                & (pl.col("session") <= day)
                & (pl.col("last_session") >= day)
                & pl.col("check").is_in(sorted(checks))
            )
            costly = costly.filter(~seen)
    return costly
