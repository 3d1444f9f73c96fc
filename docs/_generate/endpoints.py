"""Endpoints: the OpenAPI document as a page."""

from collections.abc import Iterator, Mapping
from typing import Any

from chandlery.api.app import create_app
from chandlery.settings import Settings
from docs._generate.tables import code, table


def endpoints() -> Iterator[str]:
    """Yield the page of endpoints."""
    document = create_app(Settings(_env_file=None)).openapi()
    yield "# Endpoints"
    yield ""
    yield "The whole contract, with schemas and examples: [openapi.json](openapi.json). A running API serves it at"
    yield "`/openapi.json` and as a page at `/docs`. Errors are `application/problem+json` with a stable `code`."
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield from ("", f"## `{method.upper()} {path}`", "")
            yield from (f"**{operation['summary']}.** {operation['description']}", "")
            statuses = [status for status in operation["responses"] if status >= "400"]
            access = "Open." if operation["security"] == [] else "Needs a key."
            yield f"{access} Problems: {', '.join(statuses) or 'none'}."
            rows = [_parameter(parameter) for parameter in operation.get("parameters", [])]
            if rows:
                yield from ("", *table(("parameter", "in", "takes", "default", "meaning"), rows))


def _parameter(parameter: Mapping[str, Any]) -> tuple[str, ...]:
    schema = parameter["schema"]
    default = "" if schema.get("default") is None else schema["default"]
    text = parameter.get("description") or schema.get("description", "")
    return code(parameter["name"]), parameter["in"], _takes(schema), code(default), text


def _takes(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_takes(one) for one in schema["anyOf"] if one.get("type") != "null")
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"]))
    kind = str(schema.get("format") or schema.get("const") or schema.get("type", ""))
    bounds = [schema.get(name) for name in ("minimum", "maximum")]
    return kind if None in bounds else f"{kind}, {bounds[0]:g} to {bounds[1]:,g}"
