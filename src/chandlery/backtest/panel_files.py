"""Panel files: panels as immutable folders of plain arrays, which any number of processes map and share.

One folder per panel, named by its id: `ohlcv.npy` float64 `[symbols, fields, bars]` in C order, `time.npy` int64
`[bars]`, `manifest.json`. A folder is written under another name and renamed when it is whole, so it is either
absent or complete, whoever was killed meanwhile; nothing in it is ever changed.
"""

import hashlib
import json
import re
import shutil
import tempfile
from dataclasses import dataclass
from os import fsync
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chandlery.backtest.multi_panel import MultiPanel
from chandlery.backtest.panel import FIELDS, Panel
from chandlery.errors import NotFound, ResearchError

FORMAT = 1
"""Version of the layout; files of a newer one are refused."""

_ARRAYS = ("ohlcv.npy", "time.npy")
_MANIFEST = "manifest.json"
_ID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelManifest:
    """What the files hold: written by the first who published the panel.

    `adjustment` and `data_version` are the publisher's words for the basis of the prices and the state of the
    warehouse; they are not part of the id, which counts symbols, times and values alone. `sha256` is by file name.
    """

    panel_id: str
    symbols: tuple[str, ...]
    timeframe: str
    timezone: str
    bars: int
    adjustment: str
    data_version: str
    sha256: dict[str, str]
    format: int = FORMAT


def publish_panel(root: Path, panel: Panel | MultiPanel, *, adjustment: str = "", data_version: str = "") -> Path:
    """Write `panel` below `root` unless it is there; return its folder.

    Two that publish the same panel at once both succeed, and one of the two copies stays.

    Raises:
        ResearchError: if the panel's folder is there without a manifest.
    """
    panel_id = panel.panel_id
    folder = root / panel_id
    if (folder / _MANIFEST).exists():
        return folder
    root.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{panel_id[:12]}-", dir=root))
    try:
        _write(draft, panel, panel_id, adjustment=adjustment, data_version=data_version)
        # A temporary folder is its owner's alone; a published one is for every worker of the installation.
        draft.chmod(0o755)
        draft.rename(folder)
    except OSError as error:
        if not folder.exists():
            raise
        if not (folder / _MANIFEST).exists():
            raise _damaged(folder, "it has no manifest") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def _write(draft: Path, panel: Panel | MultiPanel, panel_id: str, *, adjustment: str, data_version: str) -> None:
    values = panel.ohlcv if isinstance(panel, MultiPanel) else panel.ohlcv[None]
    arrays = (values.astype("<f8", copy=False), panel.ts.astype("<i8", copy=False))
    for name, array in zip(_ARRAYS, arrays, strict=True):
        with (draft / name).open("wb") as file:
            np.save(file, np.ascontiguousarray(array), allow_pickle=False)
            file.flush()
            fsync(file.fileno())
    document = {
        "format": FORMAT,
        "panel_id": panel_id,
        "symbols": list(panel.symbols if isinstance(panel, MultiPanel) else (panel.symbol,)),
        "fields": list(FIELDS),
        "timeframe": panel.timeframe,
        "timezone": panel.timezone,
        "bars": panel.bars,
        "adjustment": adjustment,
        "data_version": data_version,
        "sha256": {name: _sha256(draft / name) for name in _ARRAYS},
    }
    with (draft / _MANIFEST).open("w", encoding="utf-8") as file:
        file.write(json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False))
        file.flush()
        fsync(file.fileno())


def published_panels(root: Path) -> tuple[str, ...]:
    """Return the ids of the panels below `root`, sorted."""
    if not root.is_dir():
        return ()
    return tuple(sorted(path.name for path in root.iterdir() if _ID.fullmatch(path.name) and path.is_dir()))


def read_manifest(root: Path, panel_id: str) -> PanelManifest:
    """Return the manifest of a published panel.

    Raises:
        NotFound: if there is no such panel.
        ResearchError: if the manifest cannot be read, is another panel's, or of a newer format.
    """
    path = root / panel_id / _MANIFEST
    if not _ID.fullmatch(panel_id) or not (root / panel_id).is_dir():
        raise NotFound(f"Panel {panel_id!r} was looked for in {root} and is not there; publish it first.")
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] > FORMAT:
            raise ResearchError(
                f"Panel {panel_id} is of format {document['format']} and this code reads up to {FORMAT}; "
                "update chandlery, or publish the panel again into another folder."
            )
        given = {name: document[name] for name in PanelManifest.__slots__} | {"symbols": tuple(document["symbols"])}
        manifest = PanelManifest(**given)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(path, f"{error!r}") from error
    if manifest.panel_id != panel_id:
        raise _damaged(path, f"it names panel {manifest.panel_id}")
    return manifest


def open_panel(root: Path, panel_id: str, *, is_verified: bool = False) -> Panel:
    """Return a panel of one symbol on the mapped files: no bar is read before it is used, none is copied.

    With `is_verified` the checksums of all files are compared first.

    Raises:
        NotFound: if there is no such panel.
        ResearchError: if it is damaged, of a newer format, or of several symbols.
    """
    manifest, ts, ohlcv = _open(root, panel_id, is_verified=is_verified)
    if len(manifest.symbols) != 1:
        raise ResearchError(f"Panel {panel_id} holds {', '.join(manifest.symbols)}; open it with open_multi_panel.")
    return Panel.opened(manifest.symbols[0], manifest.timeframe, ts, ohlcv[0], manifest.timezone)


def open_multi_panel(root: Path, panel_id: str, *, is_verified: bool = False) -> MultiPanel:
    """Return a panel of several symbols on the mapped files, as `open_panel` does.

    Raises:
        NotFound: if there is no such panel.
        ResearchError: if it is damaged, of a newer format, or of one symbol.
    """
    manifest, ts, ohlcv = _open(root, panel_id, is_verified=is_verified)
    if len(manifest.symbols) < 2:
        raise ResearchError(f"Panel {panel_id} holds {manifest.symbols[0]} alone; open it with open_panel.")
    return MultiPanel.opened(manifest.symbols, manifest.timeframe, ts, ohlcv, manifest.timezone)


def _open(
    root: Path, panel_id: str, *, is_verified: bool
) -> tuple[PanelManifest, NDArray[np.int64], NDArray[np.float64]]:
    manifest = read_manifest(root, panel_id)
    folder = root / panel_id
    if is_verified:
        for name in _ARRAYS:
            if (folder / name).exists() and _sha256(folder / name) != manifest.sha256.get(name):
                raise _damaged(folder / name, "its checksum is not the manifest's")
    shape = (len(manifest.symbols), len(FIELDS), manifest.bars)
    return manifest, _mapped(folder / "time.npy", shape[2:], "<i8"), _mapped(folder / "ohlcv.npy", shape, "<f8")


def _mapped(path: Path, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise _damaged(path, f"{error!r}") from error
    if array.shape != shape or array.dtype != np.dtype(dtype) or not array.flags.c_contiguous:
        raise _damaged(path, f"it holds {array.dtype} {array.shape} instead of {dtype} {shape}")
    # A plain view of the same pages: what compiles for arrays need not know where they come from.
    return np.asarray(array)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _damaged(path: Path, found: str) -> ResearchError:
    return ResearchError(f"{path} was opened and is damaged: {found}. Delete the panel's folder and publish it again.")
