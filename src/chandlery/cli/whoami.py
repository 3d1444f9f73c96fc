"""Who decides: the name that stands in the audit trail."""

import getpass


def whoami() -> str:
    """Return the login name, `unknown` where the system has none for us."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
