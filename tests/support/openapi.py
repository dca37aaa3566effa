"""An OpenAPI document as a judge of requests and answers: as much of it as ours uses."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import yaml

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
    "integer": int,
}
_KNOWN = {
    *("type", "description", "required", "properties", "additionalProperties", "items"),
    *("enum", "pattern", "minimum", "maximum", "minLength", "maxLength", "maxItems", "anyOf"),
}


@dataclass(frozen=True)
class Operation:
    """One call of the document.

    Attributes:
        id: Its `operationId`.
        path: As a pattern of the path as it is sent, percent-encoded.
        names: The parameters of the path, in their order.
    """

    id: str
    method: str
    path: re.Pattern[str]
    names: tuple[str, ...]
    content: dict[str, Any]


@dataclass(frozen=True)
class Call:
    """A request that the document knows, with its parameters decoded."""

    operation: Operation
    parameters: dict[str, str]
    body: Any = None


class Document:
    """The document."""

    def __init__(self, path: Path) -> None:
        self.content: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
        self.operations = [
            self._operation(template, method, content)
            for template, methods in self.content["paths"].items()
            for method, content in methods.items()
        ]

    def _operation(self, template: str, method: str, content: dict[str, Any]) -> Operation:
        names = tuple(re.findall(r"\{(\w+)\}", template))
        pattern = re.sub(r"\\\{\w+\\\}", "([^/]+)", re.escape(template))
        return Operation(
            content["operationId"], method.upper(), re.compile(pattern), names, content
        )

    def find(self, method: str, target: str, headers: dict[str, str], body: Any) -> Call | None:  # noqa: ANN401 - JSON
        """The call that a request is, if the document has it."""
        path, _, query = target.partition("?")
        for operation in self.operations:
            found = operation.path.fullmatch(path)
            if found and operation.method == method:
                given = dict(zip(operation.names, map(_decoded, found.groups()), strict=True))
                given |= {name: values[-1] for name, values in parse_qs(query).items()}
                for parameter in self.parameters(operation):
                    if parameter["in"] == "header" and parameter["name"].lower() in headers:
                        given[parameter["name"]] = headers[parameter["name"].lower()]
                return Call(operation, given, body)
        return None

    def parameters(self, operation: Operation) -> list[dict[str, Any]]:
        """The parameters of a call, references followed."""
        return [self._followed(one) for one in operation.content["parameters"]]

    def wrong_in_call(self, call: Call) -> list[str]:
        """What is wrong with a request."""
        wrong = []
        known = self.parameters(call.operation)
        for parameter in known:
            value = call.parameters.get(parameter["name"])
            if value is None:
                wrong += [f"{parameter['name']}: missing"] if parameter.get("required") else []
            else:
                wrong += self.wrong(parameter["schema"], value, parameter["name"])
        wrong += [
            f"{name}: unknown" for name in call.parameters.keys() - {p["name"] for p in known}
        ]
        expected = call.operation.content.get("requestBody")
        if expected is None:
            return [*wrong, *(["body: unknown"] if call.body is not None else [])]
        return wrong + self.wrong(expected["content"]["application/json"]["schema"], call.body)

    def wrong_in_answer(self, operation: Operation, status: int, answer: Any) -> list[str]:  # noqa: ANN401 - JSON
        """What is wrong with an answer."""
        expected = operation.content["responses"].get(str(status))
        if expected is None:
            return [f"{operation.id}: {status} is not in the document"]
        schema = self._followed(expected)["content"]["application/json"]["schema"]
        return self.wrong(schema, answer)

    def _followed(self, one: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in one:
            found: Any = self.content
            for part in one["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            one = found
        return one

    def wrong(self, schema: dict[str, Any], value: Any, at: str = "body") -> list[str]:  # noqa: ANN401 - JSON
        """What in a value does not fit a schema."""
        schema = self._followed(schema)
        if unknown := schema.keys() - _KNOWN:
            raise NotImplementedError(f"{sorted(unknown)} is not understood here")
        if "anyOf" in schema and all(self.wrong(one, value, at) for one in schema["anyOf"]):
            return [f"{at}: fits none"]
        kind = schema.get("type")
        if kind and (
            not isinstance(value, _TYPES[kind]) or (kind == "integer" and isinstance(value, bool))
        ):
            return [f"{at}: {type(value).__name__} instead of {kind}"]
        if "enum" in schema and value not in schema["enum"]:
            return [f"{at}: none of the enumerated"]
        if isinstance(value, dict):
            return self._wrong_in_object(schema, value, at)
        if isinstance(value, list):
            wrong = [f"{at}: too many"] if len(value) > schema.get("maxItems", len(value)) else []
            for place, one in enumerate(value):
                wrong += self.wrong(schema.get("items", {}), one, f"{at}.{place}")
            return wrong
        return _wrong_in_scalar(schema, value, at)

    def _wrong_in_object(self, schema: dict[str, Any], value: dict[str, Any], at: str) -> list[str]:
        wrong = [
            f"{at}.{name}: missing" for name in schema.get("required", []) if name not in value
        ]
        properties = schema.get("properties", {})
        for name, one in value.items():
            if name in properties:
                wrong += self.wrong(properties[name], one, f"{at}.{name}")
            elif schema.get("additionalProperties") is False:
                wrong.append(f"{at}.{name}: unknown")
        return wrong


def _wrong_in_scalar(schema: dict[str, Any], value: Any, at: str) -> list[str]:  # noqa: ANN401 - JSON
    size = len(value) if isinstance(value, str) else 0
    bad = (
        (isinstance(value, str) and not re.search(schema.get("pattern", ""), value))
        or not schema.get("minLength", 0) <= size <= schema.get("maxLength", size)
        or (isinstance(value, int) and value < schema.get("minimum", value))
        or (isinstance(value, int) and value > schema.get("maximum", value))
    )
    return [f"{at}: out of bounds"] if bad else []


def _decoded(segment: str) -> str:
    return unquote(segment, errors="strict")
