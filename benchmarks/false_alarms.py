"""How often chandlery cries wolf: recorded tapes judged, known defects looked up, what is left over counted.

`python benchmarks/false_alarms.py DATA`, DATA the folder with `tapes/` and `known_defects.json`. Prints every known
defect with the findings that answer it, then every finding that costs something and answers none, and their number
per 10,000 bars, by severity.
"""

import sys
from pathlib import Path

import polars as pl
from _known_defects import CLEAN_OF, answers, read_known, unlisted

from chandlery.steps.tape_audit import audit_tape

_DEFAULT = Path(__file__).parents[2] / "shared" / "data"


def main() -> None:
    """Judge the tapes and print what was found."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else _DEFAULT
    if not (folder / "known_defects.json").exists():
        print(f"false_alarms: no recorded tapes in {folder}, skipped")
        return
    audit = audit_tape(folder / "tapes")
    known = read_known(folder / "known_defects.json")
    total = sum(audit.bars.values())
    for entry in known:
        found = answers(audit.findings, entry)
        costing = found.filter(pl.col("verdict").is_in(["confirmed", "suspected"]))
        rules = ", ".join(f"{rule} {count}" for rule, count in costing["rule"].value_counts(sort=True).rows())
        if entry.kind in CLEAN_OF:
            note = f"WRONG: {rules}" if rules else "nothing, as it must be"
        elif entry.files[0] not in audit.bars:
            note = "a raw file, no part of the tape: tests/unit/quality/series/test_labels.py"
        else:
            note = rules or "NOT FOUND"
        print(f"{entry.kind:24} {', '.join(entry.files):42} {note}")
    alarms = unlisted(audit.findings, known)
    print()
    for row in alarms.sort("check", "file", "ts").iter_rows(named=True):
        print(
            f"{row['severity']:8} {row['verdict']:9} {row['file']:38} {row['rule']:36} {row['session']} "
            f"{row['evidence'][:90]}"
        )
    print()
    for severity in ("critical", "major", "minor"):
        mine = alarms.filter(pl.col("severity") == severity)
        confirmed = mine.filter(pl.col("verdict") == "confirmed").height
        print(
            f"{severity}: {mine.height} findings outside the list in {total:,} bars = "
            f"{mine.height / total * 10_000:.2f} per 10,000 ({confirmed} of them confirmed)"
        )
    if audit.failed:
        print(f"rules that raised: {', '.join(audit.failed)}")


if __name__ == "__main__":
    main()
