"""Syntax: literals, names and precedence of Pine v6."""

import re

from chandlery.reports.pine.functions import FUNCTIONS

ATOM = 9
"""Binding strength of what never needs parentheses; ternaries bind weakest, 1."""

TERNARY = 1
UNARY = 8

BINARY = {
    "or": 2,
    "and": 3,
    "==": 4,
    "!=": 4,
    ">": 5,
    "<": 5,
    ">=": 5,
    "<=": 5,
    "+": 6,
    "-": 6,
    "*": 7,
    "/": 7,
    "%": 7,
}
"""Binding strength of the operators between two operands."""

COMPARISONS = frozenset({4, 5})
"""Strengths whose operators do not chain."""

_WORDS = """
and array as bool box break by chart color const continue do else enum export false float for if import in input int
label line linefill map matrix method na not or polyline series simple string switch table text to true type var varip
void while

ask bar_index bid close dayofmonth dayofweek high hl2 hlc3 hlcc4 hour last_bar_index last_bar_time low minute month
ohlc4 open second time time_close time_tradingday timenow volume weekofyear year

adjustment alert barmerge barstate currency display dividends earnings extend font footprint format hline location log
math order plot position request runtime scale session shape size splits str strategy syminfo ta ticker timeframe xloc
yloc

alertcondition barcolor bgcolor fill fixnan indicator library max_bars_back nz plotarrow plotbar plotcandle plotchar
plotshape timestamp
"""

RESERVED = frozenset(_WORDS.split()) | FUNCTIONS.keys()
"""What a variable may not be called: keywords and types, variables of the bar, namespaces, functions, our functions."""


def literal(value: float) -> str:
    """Return a number so that reading it gives the same number; an int stays whole."""
    if isinstance(value, int):
        return str(value)
    return repr(float(value))


def quoted(text: str) -> str:
    """Return a string literal; line breaks become blanks."""
    flat = re.sub(r"\s+", " ", text).strip()
    return '"' + flat.replace("\\", "\\\\").replace('"', '\\"') + '"'


def comment(text: str) -> str:
    """Return one comment line; line breaks become blanks."""
    return "// " + re.sub(r"\s+", " ", text).strip()


class Names:
    """Names given so far; every new one is legal and unique."""

    def __init__(self) -> None:
        self._taken = set(RESERVED)

    def take(self, wish: str) -> str:
        """Return `wish`, or the nearest free name."""
        name, number = wish, 1
        while name in self._taken:
            name = f"{wish}_" if number == 1 else f"{wish}_{number}"
            number += 1
        self._taken.add(name)
        return name

    def number(self, stem: str) -> str:
        """Return the next free name `stem_1`, `stem_2`, ..."""
        number = 1
        while (name := f"{stem}_{number}") in self._taken:
            number += 1
        self._taken.add(name)
        return name
