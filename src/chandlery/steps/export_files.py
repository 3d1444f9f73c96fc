"""Files of the export store: one folder per unguessable id, a file put there whole or not at all."""

import hashlib
import re
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chandlery.errors import ConfigError

_ID = re.compile(r"[0-9a-f]{32}")
_ORPHAN_AGE = timedelta(days=1)
"""A folder without a row may belong to an export that is being made; after a day it does not."""


def new_id() -> str:
    """Return 128 random bits in hexadecimal."""
    return secrets.token_hex(16)


def put_file(root: Path, export_id: str, file_name: str, content: bytes) -> str:
    """Write a file below its id, renamed into place when it is whole; return its path below `root`.

    Raises:
        ConfigError: the folder cannot be written.
    """
    folder = root / export_id
    try:
        folder.mkdir(parents=True)
        part = folder / ".part"
        part.write_bytes(content)
        part.replace(folder / file_name)
    except OSError as error:
        raise ConfigError(
            f"{folder} could not be written: {error.strerror}. Set CHANDLERY_OPTIMIZE__EXPORTS "
            "to a folder you may write."
        ) from error
    return f"{export_id}/{file_name}"


def is_whole(file: Path, *, size: int, sha256: str) -> bool:
    """Return whether a file is there with this size and checksum."""
    return file.is_file() and file.stat().st_size == size and hashlib.sha256(file.read_bytes()).hexdigest() == sha256


def remove_folder(root: Path, export_id: str) -> int:
    """Remove the folder of an export with its file; return the bytes freed, 0 where nothing was."""
    folder = root / export_id
    if not folder.is_dir():
        return 0
    freed = 0
    for file in folder.iterdir():
        freed += file.stat().st_size
        file.unlink()
    folder.rmdir()
    return freed


def old_folders(root: Path, *, now: datetime) -> list[str]:
    """Return the ids of folders below `root` that are older than a day, ascending; others are not ours."""
    if not root.is_dir():
        return []
    return sorted(
        folder.name
        for folder in root.iterdir()
        if folder.is_dir() and _ID.fullmatch(folder.name) and _age(folder, now) > _ORPHAN_AGE
    )


def _age(folder: Path, now: datetime) -> timedelta:
    return now - datetime.fromtimestamp(folder.stat().st_mtime, tz=UTC)
