"""The catalogue of problems: every `type` an answer can carry, described at `/problems/{code}`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of failure: status, short title, what it means and what to do; seconds to wait if a retry helps."""

    code: str
    status: int
    title: str
    description: str
    retry_after_s: int | None = None


_ALL = (
    Problem(
        "bad_cursor",
        400,
        "The cursor cannot be used",
        "A cursor belongs to the query that gave it and may not be changed. Follow `next` as it is, or start again "
        "without a cursor.",
    ),
    Problem(
        "key_missing",
        401,
        "A key is needed",
        "Send `Authorization: Bearer cdl_live_...` or `X-API-Key`. `chandlery keys create` makes a key.",
    ),
    Problem(
        "key_invalid",
        401,
        "The key is not valid",
        "The key is mistyped or not known here. Copy it whole; a lost key cannot be shown again, only replaced.",
    ),
    Problem("key_expired", 401, "The key has expired", "Create a new key with `chandlery keys create`."),
    Problem("key_revoked", 401, "The key was revoked", "Create a new key with `chandlery keys create`."),
    Problem(
        "scope_missing",
        403,
        "The key may not read this",
        "Each path needs one scope; the answer names it. Create a key that has it.",
    ),
    Problem("not_found", 404, "Not found", "Nothing is published under that name, or the path does not exist."),
    Problem("method_not_allowed", 405, "Method not allowed", "The API only reads: use GET."),
    Problem("conflict", 409, "Changed while being read", "The data changed under the request. Send it again.", 1),
    Problem(
        "validation",
        422,
        "Parameters are wrong",
        "`errors` lists each wrong parameter by a JSON pointer. Unknown parameters are refused, not ignored.",
    ),
    Problem("invalid_input", 422, "A value is wrong", "`detail` says which value and what is allowed."),
    Problem(
        "internal",
        500,
        "Internal error",
        "A fault of the server. Report the request id (`instance`); the server's log has the cause under it.",
    ),
    Problem(
        "database_down",
        503,
        "The warehouse does not answer",
        "PostgreSQL is away or overloaded. Retry after the seconds given; answers resume by themselves.",
        2,
    ),
    Problem("not_migrated", 503, "The warehouse is not migrated", "Run `chandlery migrate`.", 30),
    Problem("not_published", 503, "Nothing is published yet", "Run `chandlery demo`, or the pipeline.", 30),
    Problem("not_ready", 503, "Not ready", "`reasons` lists what is missing.", 5),
    Problem(
        "deadline",
        504,
        "The query took too long",
        "The statement timeout cut the query off. Ask for a shorter range or fewer rows.",
    ),
)

PROBLEMS = {problem.code: problem for problem in _ALL}
"""Code -> problem."""
