"""What every door of the HIS has in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from billing.his.authentication import HasScope, HisTokenAuthentication
from billing.his.fields import NUMBER, NUMBER_PATTERN
from billing.his.parsing import StrictJSONParser
from billing.his.problems import UNKNOWN_ADDRESS
from core.errors import NotFound


class AlwaysJson(BaseContentNegotiation):
    """One form of answer, whatever is asked for; bodies are taken as JSON only."""

    def select_parser(self, request: Any, parsers: Any) -> BaseParser | None:
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((one for one in parsers if one.media_type == media_type), None)

    def select_renderer(
        self, request: Any, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type or ""


class HisView(APIView):
    """Token, scope and strict JSON in; JSON or problem+json out."""

    authentication_classes = (HisTokenAuthentication,)
    permission_classes = (HasScope,)
    parser_classes = (StrictJSONParser,)
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = AlwaysJson
    metadata_class = None
    scopes: ClassVar[Mapping[str, str]] = {}
    concerns_money: ClassVar[bool] = False

    def scope_of(self, method: str | None) -> str:
        """Reading needs `read`; writing needs what the view says."""
        default = "read" if method in ("GET", "HEAD", "OPTIONS") else "write"
        return self.scopes.get(method or "", default)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        for name, value in self.kwargs.items():
            if not NUMBER.fullmatch(value):
                reason = _("It must match %(pattern)s.") % {"pattern": NUMBER_PATTERN}
                raise ValidationError({name: [reason]})

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """What a system reads of patients stays in no cache between us."""
        answer: Response = super().finalize_response(request, response, *args, **kwargs)
        answer.headers.setdefault("Cache-Control", "no-store")
        return answer


class NowhereView(HisView):
    """Any other address under the API."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise NotFound(UNKNOWN_ADDRESS, _("There is nothing at this address."))


def body_of(request: Request, serializer: BaseSerializer[Any]) -> dict[str, Any]:
    """The checked body; the errors name their fields."""
    data: dict[str, Any] = serializer.run_validation(request.data)
    return data
