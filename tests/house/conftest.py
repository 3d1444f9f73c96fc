"""What every house test looks at: the checkout, without what is built or installed into it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Tree:
    """The files of the checkout that `.gitignore` does not name; paths are relative to its root."""

    root: Path
    files: tuple[Path, ...]

    def text(self, path: Path | str) -> str:
        return (self.root / path).read_text(encoding="utf-8")

    def python(self, *folders: str) -> tuple[Path, ...]:
        """Return the Python files below some top-level folders."""
        return tuple(path for path in self.files if path.suffix == ".py" and path.parts[0] in folders)

    def texts(self) -> Iterator[tuple[Path, str]]:
        """Yield every file that is text."""
        for path in self.files:
            try:
                yield path, self.text(path)
            except UnicodeDecodeError:
                continue


@pytest.fixture(scope="session")
def tree() -> Tree:
    root = Path(__file__).resolve().parents[2]
    return Tree(root, tuple(sorted(_walk(root))))


@pytest.fixture(scope="session")
def clean_environment() -> dict[str, str]:
    """Return this process's environment without settings of ours, so that a developer's do not matter."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("CHANDLERY_", "DAGSTER_"))}


def _walk(root: Path) -> Iterator[Path]:
    lines = (root / ".gitignore").read_text(encoding="utf-8").splitlines()
    ignored = [".git", *(line.rstrip("/") for line in lines if line and not line.startswith("#"))]
    for folder, names, files in os.walk(root):
        here = Path(folder).relative_to(root)
        names[:] = [name for name in names if not _is_ignored(here / name, ignored)]
        yield from (here / name for name in files if not _is_ignored(here / name, ignored))


def _is_ignored(path: Path, patterns: list[str]) -> bool:
    return any(path.as_posix() == p if "/" in p else fnmatch(path.name, p) for p in patterns)
