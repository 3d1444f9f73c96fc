"""Write every generated file below a folder, by default the checkout."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from chandlery.settings import PROJECT_DIR
from docs._generate.assets import assets
from docs._generate.command_line import command_line
from docs._generate.endpoints import endpoints
from docs._generate.indicators import indicators
from docs._generate.registries import faults, measures, rules
from docs._generate.settings import environment_file, settings
from docs._generate.strategies import strategies

NOTE = "<!-- Written by `make docs` from the code. Do not edit. -->"
PAGES: dict[str, Callable[[], Iterable[str]]] = {
    "settings": settings,
    "cli": command_line,
    "strategies": strategies,
    "indicators": indicators,
    "rules": rules,
    "faults": faults,
    "endpoints": endpoints,
    "measures": measures,
    "assets": assets,
}


def main(folder: Path) -> None:
    """Write `.env.example` and the pages of `docs/reference/` below `folder`."""
    texts = {".env.example": environment_file()}
    texts |= {f"docs/reference/{name}.md": [NOTE, "", *page()] for name, page in PAGES.items()}
    for name, lines in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


main(Path(sys.argv[1]) if sys.argv[1:] else PROJECT_DIR)
