"""How the OpenAPI document describes the door: its token, its answers, its problems."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from billing.his.fields import NUMBER_PATTERN
from billing.his.serializers.money import ALL_LINES, ProblemSerializer, ReturnLineSerializer

NUMBER_SCHEMA = {"type": "string", "pattern": f"^{NUMBER_PATTERN}$"}
PROBLEM_TYPE = "application/problem+json"
PROBLEMS = {
    400: "The body or the address is wrong; `errors` names field and reason.",
    401: "No token, or one that is not known.",
    403: "The token may not do this, or not from this address.",
    404: "What is named does not exist for this client.",
    409: "The present state does not allow it, or the number was used with other content.",
    413: "The body is larger than 1 MB.",
    415: "The body is not application/json.",
    503: "Busy; send the same request again.",
}
READ_PROBLEMS = (400, 401, 403, 404, 503)


class HisTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "billing.his.authentication.HisTokenAuthentication"
    name = "hisToken"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token` and the client's token.",
        }


class DescribedField(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "billing.his.fields.Described"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        described: dict[str, Any] = self.target.openapi()
        return described


class LinesField(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "billing.his.serializers.money.ReturnLinesField"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Any) -> dict[str, Any]:
        line = auto_schema.resolve_serializer(ReturnLineSerializer, direction)
        return {
            "oneOf": [
                {"type": "array", "items": line.ref, "minItems": 1},
                {"type": "string", "enum": [ALL_LINES]},
            ]
        }


def documented(
    request: Any, answer: Any, *numbers: str, put: bool = False, processing: bool = False
) -> dict[str, Any]:
    """The arguments of `extend_schema` for a door: its numbers, body, answer and problems."""
    responses: dict[Any, Any] = {200: answer}
    if put:
        responses[201] = answer
    if processing:
        responses[202] = answer
    for status, text in PROBLEMS.items():
        if request is not None or status in READ_PROBLEMS:
            problem = OpenApiResponse(ProblemSerializer, description=text)
            responses[(status, PROBLEM_TYPE)] = problem
    parameters = [OpenApiParameter(name, NUMBER_SCHEMA, OpenApiParameter.PATH) for name in numbers]
    return {"request": request, "responses": responses, "parameters": parameters}
