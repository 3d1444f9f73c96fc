"""The repair ladder but for its first rung: what a finding's bars should be, without asking the source again."""

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType

from chandlery.quality.repairs.arithmetic import other_basis, other_unit
from chandlery.quality.repairs.day_bar import from_minutes, from_source
from chandlery.quality.repairs.proposal import Proposal
from chandlery.quality.series.view import SeriesView
from chandlery.quality.verdicts import Verdict

Repair = Callable[[SeriesView, Mapping[str, object], Mapping[str, object]], Proposal | None]

LADDER: Mapping[int, tuple[Repair, ...]] = MappingProxyType(
    {
        1: (from_minutes, from_source),
        2: (from_minutes, from_source),
        3: (from_minutes, from_source),
        8: (from_minutes, from_source),
        9: (from_minutes, from_source),
        12: (other_unit,),
        18: (from_minutes,),
        23: (other_basis,),
    }
)
"""By check, from the most trustworthy method down. A split without a record (10) or a record without a jump (11) is a
matter of the record, two sources that differ (20) do not say which is right: no bar is repaired for them."""


def propose(view: SeriesView, finding: Mapping[str, object]) -> Proposal | None:
    """Return what the bars of a finding should be, by the first method that knows; None if none does.

    Args:
        view: the series of the finding, with the witnesses a method may draw from.
        finding: a row of `FINDING_SCHEMA`: `ts`, `ts_end`, `session`, `check`, `verdict`, `evidence`.
    """
    if finding["verdict"] not in {Verdict.CONFIRMED.value, Verdict.SUSPECTED.value}:
        return None
    facts = json.loads(str(finding["evidence"]))
    check = finding["check"]
    for repair in LADDER.get(check, ()) if isinstance(check, int) else ():
        proposal = repair(view, finding, facts)
        if proposal is not None:
            return proposal
    return None
