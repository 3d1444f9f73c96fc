"""Serving: the stand-in on a loopback port, blocking or beside the caller."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chandlery.errors import ConfigError
from chandlery.log import get_logger
from chandlery.sources.standin.app import create_app
from chandlery.sources.standin.faults import FaultScript
from chandlery.sources.standin.faults.fault import DISCONNECT
from chandlery.sources.standin.plans import Plan
from chandlery.sources.standin.queries import MAX_LIMIT
from chandlery.sources.tapes.tape import Tape

_log = get_logger(__name__)

LOOPBACK = "127.0.0.1"
_START_TIMEOUT_S = 10.0
_POLL_S = 0.005


def serve(
    tape: Tape,
    *,
    host: str = LOOPBACK,
    port: int,
    page_limit: int = MAX_LIMIT,
    faults: FaultScript | None = None,
    plan: Plan | None = None,
    flat_files: bool = False,
) -> None:
    """Serve a tape until the process is interrupted, then return.

    Raises:
        ConfigError: if the host is not this machine's loopback (the stand-in lets any key in), or the port is
            taken.
    """
    app = create_app(tape, page_limit=page_limit, faults=faults, plan=plan, flat_files=flat_files)
    serve_app(app, host=host, port=port)


def serve_app(app: ASGIApp, *, host: str = LOOPBACK, port: int) -> None:
    """Serve an app of this package until the process is interrupted, then return.

    Raises:
        ConfigError: if the host is not this machine's loopback, or the port is taken.
    """
    listener = _listen(host, port)
    with listener, suppress(KeyboardInterrupt):
        _log.info("standin_started", host=host, port=listener.getsockname()[1])
        _server(app).run(sockets=[listener])


@contextmanager
def running(
    tape: Tape,
    port: int = 0,
    *,
    page_limit: int = MAX_LIMIT,
    faults: FaultScript | None = None,
    plan: Plan | None = None,
    flat_files: bool = False,
) -> Iterator[str]:
    """Serve a tape from a thread of this process and yield the base URL; port 0 takes a free one.

    Raises:
        ConfigError: if the port is taken or the server does not come up.
    """
    app = create_app(tape, page_limit=page_limit, faults=faults, plan=plan, flat_files=flat_files)
    with running_app(app, port) as url:
        yield url


@contextmanager
def running_app(app: ASGIApp, port: int = 0) -> Iterator[str]:
    """Serve an app of this package from a thread and yield the base URL; port 0 takes a free one.

    Raises:
        ConfigError: if the port is taken or the server does not come up.
    """
    server = _server(app)
    with _listen(LOOPBACK, port) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="standin", daemon=True)
        thread.start()
        try:
            _await_start(server, thread)
            yield f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def _server(app: ASGIApp) -> uvicorn.Server:
    config = uvicorn.Config(_disconnecting(app), log_level="warning", lifespan="off", ws="none", loop="asyncio")
    return uvicorn.Server(config)


def _disconnecting(app: ASGIApp) -> ASGIApp:
    """Return the app with its wish to close a connection granted, which ASGI has no message for."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_or_close(message: Message) -> None:
            if message["type"] != DISCONNECT:
                await send(message)
                return
            # uvicorn's `send` is a method of the request cycle, which holds the connection; closing it sends what is
            # written already.
            send.__self__.transport.close()  # type: ignore[attr-defined]
            while (await receive())["type"] != "http.disconnect":
                pass

        await app(scope, receive, send_or_close)

    return served


def _listen(host: str, port: int) -> socket.socket:
    if not _is_loopback(host):
        raise ConfigError(f"The stand-in was to listen on {host}; it accepts any key, so only {LOOPBACK} is allowed.")
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"The stand-in was to listen on {host}:{port}; {error.strerror}. Stop what listens there, or choose "
            "another port in CHANDLERY_PROVIDER__PORT."
        ) from error
    return listener


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _await_start(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise ConfigError(f"The stand-in did not start within {_START_TIMEOUT_S:.0f} s; see the log for why.")
        time.sleep(_POLL_S)
