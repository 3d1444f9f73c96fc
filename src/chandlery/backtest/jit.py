"""The typed door to numba: importing this module loads it, so only the compiled modules may."""

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
from llvmlite.ir import Constant
from numba.extending import intrinsic
from numpy.typing import NDArray

F = TypeVar("F", bound=Callable[..., object])

Row = NDArray[np.float64]
Rows = NDArray[np.float64]


def kernel(function: F) -> F:
    """Compile as part of whatever calls it: IEEE arithmetic in the written order, division by zero as in numpy."""
    options = {"error_model": "numpy", "fastmath": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast("F", numba.njit(**options)(function))


def lean(function: F) -> F:
    """Compile like `kernel`, without counting references: for functions that allocate nothing and are called per bar.

    Arrays and tuples of them cost a pair of calls at every turn otherwise, several times the work itself.
    """
    options = {"error_model": "numpy", "fastmath": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast("F", numba.njit(_nrt=False, **options)(function))


def parallel_entry(function: F) -> F:
    """Compile for parallel loops and keep the machine code on disk.

    numba looks for a writable place in `NUMBA_CACHE_DIR`, beside the source, then in the user's cache folder; an
    installation that offers none still works and compiles once per process.
    """
    options = {"error_model": "numpy", "fastmath": False, "parallel": True, "nogil": True}
    try:
        return cast("F", numba.njit(cache=True, **options)(function))
    except RuntimeError:
        return cast("F", numba.njit(**options)(function))


def checksum(*patterns: str) -> int:
    """Return a checksum of compiled sources, by their path here, and of this file.

    numba itself notices changes of the file with the entry only.
    """
    folder = Path(__file__).parent
    files = sorted(path for pattern in (Path(__file__).name, *patterns) for path in folder.glob(pattern))
    return zlib.crc32(b"".join(path.read_bytes() for path in files))


@intrinsic  # type: ignore[untyped-decorator]
def unowned(typing: Any, array: Any) -> Any:  # noqa: ANN401, ARG001 - numba's protocol
    """Return an array as memory that is not owned; for compiled code only, while the owner lives.

    numba counts references to an array at every call with an atomic instruction, and threads fight over it: calls
    per bar ran many times slower so.
    """

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        make = context.make_array(signature.return_type)
        given, view = make(context, builder, arguments[0]), make(context, builder)
        for name in ("nitems", "itemsize", "data", "shape", "strides"):
            setattr(view, name, getattr(given, name))
        view.meminfo = Constant(given.meminfo.type, None)
        view.parent = Constant(given.parent.type, None)
        return view._getvalue()  # noqa: SLF001 - numba's own way

    return array(array), lower


def use_workqueue() -> None:
    """Choose numba's own thread pool: it survives a fork, and needs calls one at a time, which the engine locks."""
    numba.config.THREADING_LAYER = "workqueue"


def thread_limit() -> int:
    """Return how many threads numba may use in this process."""
    return int(numba.config.NUMBA_NUM_THREADS)


def set_threads(count: int) -> None:
    """Set how many threads the next parallel call uses."""
    numba.set_num_threads(count)


def get_threads() -> int:
    """Return how many threads the next parallel call would use."""
    return int(numba.get_num_threads())
