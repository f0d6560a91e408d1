"""The manual of the service: its OpenAPI document as a person reads it, with requests to paste."""

import json
import math
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, TypeAlias, final

from vaekit.schema import Schema
from vaekit.serving.models import Served
from vaekit.serving.opening import blank
from vaekit.serving.pictures import is_picture
from vaekit.serving.question import VERBS

Document: TypeAlias = Mapping[str, Any]
MOST_VALUES: Final = 32
"""What is longer is written by a program, and not on the page."""
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.:\[\]-]{1,255}")
_UNKNOWN: Final = "NAME"
_WORDS: Final = {"integer": "whole number", "string": "text", "boolean": "true or false"}


class Field(NamedTuple):
    """Something that is said in a request or an answer."""

    name: str
    place: str
    kind: str
    is_needed: bool
    words: str


class Answer(NamedTuple):
    """What comes back with a status."""

    status: str
    words: str
    forms: tuple[str, ...]
    fields: tuple[Field, ...]


class Route(NamedTuple):
    """One method of one path."""

    method: str
    path: str
    anchor: str
    words: str
    more: str
    fields: tuple[Field, ...]
    forms: tuple[str, ...]
    request: str
    answer: Answer
    refusals: tuple[Answer, ...]


class Group(NamedTuple):
    """Routes of one face."""

    name: str
    words: str
    routes: tuple[Route, ...]


@final
class Asking:
    """How requests are written for somebody to paste.

    Args:
        address: Of the service, as the reader has it.
        with_key: Whether it wants a key.
        served: The model in the examples, where there is one.
    """

    def __init__(self, address: str, with_key: bool, served: Served | None) -> None:
        self._address, self._with_key, self._served = address, with_key, served

    def fits(self, path: str) -> bool:
        """Whether the model in the examples can be asked this."""
        verb = path.removeprefix("/v1/models/{name}/")
        return verb not in VERBS or self._served is None or verb in self._served.verbs

    def curl(self, method: str, path: str) -> str:
        """A request of a route, in a shell."""
        query, body = self._said(method, path)
        key = '-H "Authorization: Bearer $KEY" ' if self._with_key and not _is_open(path) else ""
        verb = "" if method == "GET" or body.strip() else f"-X {method} "
        verb = f"-X {method} " if method not in ("GET", "POST") else verb
        url = f"{self._address}{self._path(path)}{query}"
        before, _, after = body.rpartition("| ")
        piped = f"{before}| \\\n  " if before else ""
        return f"{piped}curl {verb}{key}{after}{shlex.quote(url)}"

    def _path(self, path: str) -> str:
        name = self._served.name if self._served else _UNKNOWN
        version = self._served.version if self._served else "1"
        verb = _first(self._served) if self._served else "score"
        return path.format(name=name, model=f"{name}.{verb}", version=version, alias="canary")

    def _said(self, method: str, path: str) -> tuple[str, str]:
        """Query, and the part of the command that sends a body."""
        if path.endswith("/aliases/{alias}") and method == "PUT":
            version = self._served.version if self._served else "1"
            return "", _json_body({"version": version})
        if method != "POST" or self._served is None:
            return "", ""
        if path.endswith("/infer"):
            return "", self._infer(self._served)
        verb = path.rpartition("/")[2]
        return self._verb(self._served, verb) if path.startswith("/v1/") else ("", "")

    def _verb(self, served: Served, verb: str) -> tuple[str, str]:
        schema, told = served.serving.form, _told(served)
        condition = {"condition": told} if told else {}
        if verb == "sample":
            form = "-H 'Accept: image/png' -o sample.png " if is_picture(schema) else ""
            return "", form + _json_body({"n": 1, "seed": 0, **condition})
        if verb == "decode":
            return "", _values_body("z", (1, served.serving.latent_dim), "0.0", condition)
        if is_picture(schema) and "sample" in served.verbs:
            query = "&".join(f"{name}={value:g}" for name, value in told.items())
            picture = "-H 'Content-Type: image/png' --data-binary @sample.png "
            return f"?{query}" if query else "", picture
        return "", _values_body("x", (1, *schema.event_shape), _middle(schema), condition)

    def _infer(self, served: Served) -> str:
        verb, described = _first(served), served.serving
        if verb == "sample":
            return _json_body({"parameters": {"n": 1, "seed": 0, **_told(served)}})
        asks_codes = verb == "decode"
        shape = [1, described.latent_dim] if asks_codes else [1, *described.form.event_shape]
        head = {"name": "z" if asks_codes else "x", "shape": shape, "datatype": "FP32"}
        size, middle = math.prod(shape), "0.0" if asks_codes else _middle(described.form)
        parameters = {"parameters": told} if (told := _told(served)) else {}
        if size <= MOST_VALUES:
            tensor = head | {"data": [json.loads(middle)] * size}
            return _json_body({"inputs": [tensor], **parameters})
        document = json.dumps({"inputs": [head | {"data": "DATA"}], **parameters})
        made = document.replace('"DATA"', f"[{middle}] * {size}")
        return _made_by_python(made)


def manual(document: Document, asking: Asking) -> list[Group]:
    """The whole manual, in the order of the document's tags."""
    return [
        Group(
            tag["name"],
            tag["description"],
            tuple(
                _route(document, method, path, operation, asking)
                for path, operations in document["paths"].items()
                for method, operation in operations.items()
                if operation["tags"] == [tag["name"]] and asking.fits(path)
            ),
        )
        for tag in document["tags"]
    ]


def address_of(scheme: str, host: str) -> str:
    """Where a reader finds the service: as the browser said, unless that is no address.

    Example:
        >>> address_of("http", "localhost:8000"), address_of("http", "a'; rm")
        ('http://localhost:8000', 'http://localhost:8000')
    """
    return f"{scheme}://{host if _ADDRESS.fullmatch(host) else 'localhost:8000'}"


def _route(
    document: Document, method: str, path: str, operation: Document, asking: Asking
) -> Route:
    content = operation.get("requestBody", {}).get("content", {})
    parameters = [
        Field(
            given["name"],
            given["in"],
            _kind(given["schema"], document),
            given["required"],
            given.get("description", ""),
        )
        for given in operation.get("parameters", [])
    ]
    body = _fields(content.get("application/json", {}).get("schema", {}), document, "body")
    answers = [
        _answer(status, said, document) for status, said in sorted(operation["responses"].items())
    ]
    words = operation.get("description", "")
    return Route(
        method.upper(),
        path,
        operation["operationId"],
        operation["summary"],
        "" if words == operation["summary"] else words,
        (*parameters, *body),
        tuple(content),
        asking.curl(method.upper(), path),
        answers[0],
        tuple(answers[1:]),
    )


def _answer(status: str, said: Document, document: Document) -> Answer:
    content = said.get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    return Answer(
        status, said["description"], tuple(content), tuple(_fields(schema, document, "answer"))
    )


def _fields(schema: Document, document: Document, place: str, before: str = "") -> Iterator[Field]:
    """Fields of an object, those of objects in it behind a dot."""
    whole = _resolved(schema, document)
    if whole.get("type") == "array":
        yield from _fields(whole["items"], document, place, f"{before}[].")
        return
    needed = whole.get("required", [])
    for name, known in whole.get("properties", {}).items():
        words = known.get("description", "")
        if "enum" in known:
            words = f"{words} One of {', '.join(known['enum'])}.".strip()
        if known.get("default") not in (None, [], {}):
            words = f"{words} Default: {known['default']}.".strip()
        yield Field(f"{before}{name}", place, _kind(known, document), name in needed, words)
        inner = _part_of_list(known, document)
        yield from _fields(inner, document, place, f"{before}{name}[].")


def _part_of_list(known: Document, document: Document) -> Document:
    """What a list is of, where that is an object."""
    options = known.get("anyOf", [known])
    items = next((option["items"] for option in options if option.get("items")), {})
    return _resolved(items, document)


def _resolved(schema: Document, document: Document) -> Document:
    if "$ref" not in schema:
        return schema
    return document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]


def _kind(schema: Document, document: Document) -> str:
    """What a value is, in words."""
    known = _resolved(schema, document)
    if "anyOf" in known:
        options = [_kind(option, document) for option in known["anyOf"]]
        return " or ".join(option for option in options if option != "null")
    kind = str(known.get("type", "any"))
    if kind == "array":
        of = _kind(known["items"], document)
        return "list" if of == "any" else f"list of {_many(of)}"
    return _WORDS.get(kind, kind)


def _many(kind: str) -> str:
    return kind.replace("list", "lists", 1) if kind.startswith("list") else f"{kind}s"


def _first(served: Served) -> str:
    """The verb that examples of the protocol ask."""
    return next(verb for verb in ("score", "encode", *served.verbs) if verb in served.verbs)


def _told(served: Served) -> dict[str, float]:
    return {c.name: c.example for c in served.serving.conditions if not c.optional}


def _middle(schema: Schema) -> str:
    """A value in the middle of the range, as JSON has it."""
    return json.dumps(blank(schema).reshape(-1)[0].item())


def _values_body(name: str, shape: tuple[int, ...], value: str, more: Mapping[str, Any]) -> str:
    """A body with an array, whose values are all the same."""
    size = math.prod(shape)
    if size <= MOST_VALUES:
        nested: Any = json.loads(value)
        for side in reversed(shape):
            nested = [nested] * side
        return _json_body({name: nested, **more})
    rows = value
    for side in reversed(shape):
        rows = f"[{rows}] * {side}"
    document = json.dumps({name: "DATA", **more})
    return _made_by_python(document.replace('"DATA"', rows))


def _made_by_python(document: str) -> str:
    program = f"import json; print(json.dumps({document}))"
    return f"python3 -c {shlex.quote(program)} | --data-binary @- "


def _json_body(document: Mapping[str, Any]) -> str:
    return f"-d {shlex.quote(json.dumps(document))} "


def _is_open(path: str) -> bool:
    return path == "/v2" or path.startswith("/v2/health/")
