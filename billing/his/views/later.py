"""Calls of the contract that this hospital does not offer yet: 409, in words."""

from __future__ import annotations

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.his.views.base import HisView
from core.errors import NotOffered


class LaterView(HisView):
    """The address is checked, so that a wrong number is told now and not later."""

    @extend_schema(exclude=True)
    def get(self, request: Request, **numbers: str) -> Response:
        raise NotOffered("not_offered", _("This is not offered here."))

    @extend_schema(exclude=True)
    def put(self, request: Request, **numbers: str) -> Response:
        raise NotOffered("not_offered", _("This is not offered here."))

    @extend_schema(exclude=True)
    def post(self, request: Request, **numbers: str) -> Response:
        raise NotOffered("not_offered", _("This is not offered here."))
