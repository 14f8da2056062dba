from __future__ import annotations

from pathlib import Path

from django.http import HttpRequest, HttpResponse

STYLE_FILE = Path(__file__).parent / "static" / "phone" / "sandbox.css"


def style(_request: HttpRequest) -> HttpResponse:
    """Served by a view: the sandbox is one process without a static files step."""
    return HttpResponse(
        STYLE_FILE.read_bytes(), content_type="text/css", headers={"Cache-Control": "max-age=60"}
    )
