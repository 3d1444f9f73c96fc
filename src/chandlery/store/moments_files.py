"""Files of block moments: written aside, put in place by a rename, read back only if they are whole."""

import hashlib
import io
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class MomentsFile:
    """A file that lies beside its place; `name` is relative to the folder of all studies."""

    folder: Path
    name: str
    aside: Path
    sha256: str

    def place(self) -> None:
        """Put it in place, for good."""
        target = self.folder / self.name
        self.aside.replace(target)
        _sync(target.parent)

    def discard(self) -> None:
        """Remove it unless it is in place."""
        with suppress(FileNotFoundError):
            self.aside.unlink()


def write_moments(folder: Path, study_id: str, *, batch: int, part: int, moments: NDArray[np.float64]) -> MomentsFile:
    """Write moments float64 `[n, blocks, 4]` beside their place, down to the disk."""
    head = io.BytesIO()
    values = np.ascontiguousarray(moments, dtype=np.float64)
    np.lib.format.write_array_header_1_0(head, np.lib.format.header_data_from_array_1_0(values))
    name = f"{study_id}/{batch}-{part}.npy"
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.{uuid4().hex}")
    digest = hashlib.sha256()
    with aside.open("wb") as stream:
        for content in (head.getbuffer(), values.reshape(-1).view(np.uint8).data):
            digest.update(content)
            stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    return MomentsFile(folder, name, aside, digest.hexdigest())


def read_moments(folder: Path, name: str | None, sha256: str | None, *, size: int) -> NDArray[np.float64]:
    """Return moments `[size, blocks, 4]`, or `[size, 0, 4]` where the file is lost or not what was written."""
    lost = np.empty((size, 0, 4))
    if name is None:
        return lost
    try:
        content = (folder / name).read_bytes()
    except OSError:
        return lost
    if hashlib.sha256(content).hexdigest() != sha256:
        return lost
    moments: NDArray[np.float64] = np.load(io.BytesIO(content), allow_pickle=False)
    return moments


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
