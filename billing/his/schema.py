"""How the OpenAPI document describes the door: its token, its answers, its problems."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse

from billing.his.serializers.money import ProblemSerializer

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


def documented(
    request: Any, answer: Any, *, put: bool = False, processing: bool = False
) -> dict[str, Any]:
    """The arguments of `extend_schema` for a door: its body, its answer, its problems."""
    responses: dict[Any, Any] = {200: answer}
    if put:
        responses[201] = answer
    if processing:
        responses[202] = answer
    for status, text in PROBLEMS.items():
        if request is not None or status in READ_PROBLEMS:
            problem = OpenApiResponse(ProblemSerializer, description=text)
            responses[(status, PROBLEM_TYPE)] = problem
    return {"request": request, "responses": responses}
