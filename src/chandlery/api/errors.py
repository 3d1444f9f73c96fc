"""The one translator from errors to application/problem+json (RFC 9457)."""

from collections.abc import Awaitable, Mapping, Sequence
from http import HTTPStatus

import orjson
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from chandlery.api.problems import PROBLEMS, Problem
from chandlery.api.refusals import KeyRefused
from chandlery.errors import ChandleryError
from chandlery.log import get_logger

MEDIA_TYPE = "application/problem+json"

log = get_logger(__name__)


async def answer_problem(request: Request, error: Exception) -> Response:
    """Translate an error of ours, of validation or of routing."""
    if isinstance(error, ChandleryError):
        return _of_ours(request, error)
    if isinstance(error, RequestValidationError):
        return _of_validation(request, error)
    return _of_http(request, error) if isinstance(error, HTTPException) else answer_failure(request)


def answer_failure(request: Request) -> Response:
    """Return the opaque 500; the log has the cause under the request id."""
    return render(request, PROBLEMS["internal"], "The server failed. Report this answer's `instance`.")


async def caught(work: Awaitable[None]) -> Exception | None:
    """Await and return the error nobody translated, which goes to the log; None if there was none."""
    try:
        await work
    except Exception as error:
        log.exception("request_failed")
        return error
    return None


def render(
    request: Request,
    problem: Problem,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    **members: object,
) -> Response:
    """Return the problem as a response; `members` are further members of its body."""
    state = request.scope.setdefault("state", {})
    state["problem"] = problem.code
    body = {
        "type": f"/problems/{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": detail,
        "instance": state.get("request_id"),
        "code": problem.code,
        **members,
    }
    fixed = {"Cache-Control": "no-store"}
    if problem.retry_after_s is not None:
        fixed["Retry-After"] = str(problem.retry_after_s)
    return Response(
        orjson.dumps(body), status_code=problem.status, media_type=MEDIA_TYPE, headers={**fixed, **(headers or {})}
    )


def problem_of(error: ChandleryError) -> Problem:
    """Return the problem of an error's class, or of the nearest parent that has one."""
    for kind in type(error).__mro__:
        found = PROBLEMS.get(getattr(kind, "code", ""))
        if found is not None:
            return found
    return PROBLEMS["internal"]


def _of_ours(request: Request, error: ChandleryError) -> Response:
    problem = problem_of(error)
    if problem.code == "internal":
        log.error("request_failed", exc_info=error)
        return answer_failure(request)
    headers = {"WWW-Authenticate": error.challenge} if isinstance(error, KeyRefused) else {}
    return render(request, problem, str(error), headers=headers)


def _of_validation(request: Request, error: RequestValidationError) -> Response:
    faults = [{"pointer": pointer(item["loc"]), "detail": _message(item["msg"])} for item in error.errors()]
    detail = "; ".join(f"{fault['pointer'].rpartition('/')[2]}: {fault['detail']}" for fault in faults)
    return render(request, PROBLEMS["validation"], f"The parameters were refused. {detail}", errors=faults)


def _of_http(request: Request, error: HTTPException) -> Response:
    if error.status_code == HTTPStatus.NOT_FOUND:
        detail = f"There is no path {request.url.path}. /docs lists all of them."
        return render(request, PROBLEMS["not_found"], detail)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        detail = f"{request.method} was sent to {request.url.path}, which only answers GET."
        return render(request, PROBLEMS["method_not_allowed"], detail, headers=error.headers)
    log.error("request_failed", exc_info=error)
    return answer_failure(request)


def pointer(loc: Sequence[int | str]) -> str:
    """Return a JSON pointer (RFC 6901) such as `/query/limit`."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in loc)


def _message(text: str) -> str:
    return text.removeprefix("Value error, ")
