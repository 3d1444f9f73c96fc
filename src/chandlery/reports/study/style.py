"""Colours and the CSS of the charts; the template repeats the colours by these names."""

INK, MUTED, RULE = "#1b2733", "#66717d", "#dfe4e9"
BLUE, GREY, RED, GREEN, AMBER = "#1d5a9e", "#9aa6b2", "#b5402d", "#2c7a4b", "#b97a10"

COLOURS = {
    "ink": INK,
    "muted": MUTED,
    "rule": RULE,
    "blue": BLUE,
    "grey": GREY,
    "red": RED,
    "green": GREEN,
    "amber": AMBER,
}

FONT = "Libertinus Serif"
"""Comes with typst; of the fonts it brings the one with text figures and small capitals."""

CSS = (
    f'text{{font-family:"{FONT}";font-size:12px;fill:{MUTED}}}'
    f".grid{{stroke:{RULE};stroke-width:.7}}.axis{{stroke:{GREY};stroke-width:.8}}"
    f".main{{fill:none;stroke:{BLUE};stroke-width:1.7;stroke-linejoin:round}}"
    f".held{{fill:none;stroke:{GREY};stroke-width:1.3;stroke-linejoin:round}}"
    f".loss{{fill:none;stroke:{RED};stroke-width:1.1;stroke-linejoin:round}}"
    f".under-loss{{fill:{RED};fill-opacity:.14}}"
    f".bar{{fill:{BLUE}}}.bar-held{{fill:#c5ced7}}.bar-loss{{fill:{RED}}}"
    f".mark{{fill:none;stroke:{INK};stroke-width:1.8}}.strong{{fill:{INK}}}"
)
