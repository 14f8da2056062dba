"""System checks: whoever is set up to carry messages can be built before the first one waits."""

from __future__ import annotations

from collections.abc import Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from patients.messengers.registry import messenger_get


@register()
def messengers_check(
    app_configs: Sequence[AppConfig] | None, **_options: object
) -> list[CheckMessage]:
    """A messenger that cannot be built stops the start, not a message."""
    messages: list[CheckMessage] = []
    for code in settings.MESSENGERS:
        try:
            messenger_get(code)
        except Exception as error:  # whatever breaks it, the check must name it
            messages.append(Error(f"messenger {code}: {error!r}", id="patients.E001"))
    return messages
