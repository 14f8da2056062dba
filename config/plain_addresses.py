"""An address without NUL: nobody types one, and no text or lookup of the database takes one."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from config.pages import is_api

Answer = Callable[[HttpRequest], HttpResponse]


class PlainAddresses:
    """Takes NULs out of a page's query string before any list or filter reads it. The API says
    itself what it does not take."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        query = request.META.get("QUERY_STRING", "")
        if "%00" in query and not is_api(request):
            request.META["QUERY_STRING"] = query.replace("%00", "")
        return self.get_response(request)
