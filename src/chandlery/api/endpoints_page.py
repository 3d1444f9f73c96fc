"""The page at /docs: every operation of the OpenAPI document as plain HTML, no script, nothing from elsewhere."""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "code{font-family:ui-monospace,monospace}h2{margin-top:2rem;font-size:1.1rem}"
    "table{border-collapse:collapse;width:100%}td,th{border:1px solid #ccc;padding:.3rem .5rem;text-align:left;"
    "vertical-align:top}"
)


def page_policy() -> str:
    """Return the Content-Security-Policy that admits this page's own style and nothing else."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'; base-uri 'none'"


def render_page(document: Mapping[str, Any]) -> str:
    """Return the page of an OpenAPI document."""
    title = escape(f"{document['info']['title']} {document['info']['version']}")
    operations = "".join(_operations(document))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1><p>{escape(document['info']['description'])}</p>"
        '<p>The full contract, with schemas and examples: <a href="/openapi.json">/openapi.json</a></p>'
        f"{operations}</body></html>"
    )


def _operations(document: Mapping[str, Any]) -> Iterator[str]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            key = "" if operation.get("security") == [] else " &middot; needs a key"
            yield f"<h2><code>{escape(method.upper())} {escape(path)}</code> {escape(operation['summary'])}{key}</h2>"
            yield f"<p>{escape(operation.get('description', ''))}</p>"
            yield from _parameters(operation.get("parameters", []))


def _parameters(parameters: list[Mapping[str, Any]]) -> Iterator[str]:
    if not parameters:
        return
    yield "<table><thead><tr><th>Parameter</th><th>Type</th><th>Meaning</th></tr></thead><tbody>"
    for parameter in parameters:
        name = escape(parameter["name"]) + (" (required)" if parameter.get("required") else "")
        schema = parameter["schema"]
        meaning = escape(parameter.get("description") or schema.get("description") or "")
        if schema.get("default") is not None:
            meaning += f" Default: <code>{escape(str(schema['default']))}</code>."
        yield f"<tr><td><code>{name}</code></td><td>{escape(_type(schema))}</td><td>{meaning}</td></tr>"
    yield "</tbody></table>"


def _type(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type(kind) for kind in schema["anyOf"] if kind.get("type") != "null")
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    return str(schema.get("format") or schema.get("type", "text"))
