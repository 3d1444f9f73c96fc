"""The command that rewrites the golden copy of the contract: `python -m chandlery.api.openapi`."""

from pathlib import Path
from typing import Any

import orjson

from chandlery.api.app import create_app
from chandlery.settings import PROJECT_DIR, Settings

GOLDEN = PROJECT_DIR / "docs" / "reference" / "openapi.json"


def golden_text(document: dict[str, Any]) -> bytes:
    """Return the document as the golden file holds it."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def write_golden(path: Path) -> None:
    """Rewrite the golden file from this code."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(golden_text(create_app(Settings()).openapi()))


if __name__ == "__main__":
    write_golden(GOLDEN)
