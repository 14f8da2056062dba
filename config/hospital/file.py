"""The file as it lies on disk: strict JSON in which no secret stands, only where it is found."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError

from billing.channels.registry import UnknownChannel, merchant_channel_get
from billing.his.parsing import parse_json
from core.errors import BadInput

CLIENT_SECRETS = ("token", "events_secret")


def hospital_file_read(path: Path, *, environment: Mapping[str, str]) -> Any:
    """The file with its secrets fetched. Their files are found beside it."""
    try:
        data = parse_json(path.read_bytes())
    except OSError as error:
        raise BadInput("unreadable", f"{path}: {error.strerror}", "file") from None
    except ParseError as error:
        raise BadInput("unreadable", f"{path}: {error.detail}", "file") from None
    fetch = _Fetch(path.parent, environment)
    for client in _rows(data, "his_clients"):
        for name in CLIENT_SECRETS:
            if name in client:
                client[name] = fetch(client[name], f"his_clients {client.get('code')}: {name}")
    for merchant in _rows(data, "merchants"):
        secrets = merchant.get("secrets")
        if not isinstance(secrets, dict):
            continue  # the form says what is wrong with it
        public = _public(merchant)
        for name, value in secrets.items():
            if name in public and isinstance(value, str):
                continue
            secrets[name] = fetch(value, f"merchants {merchant.get('merchant_no')}: {name}")
    return data


class _Fetch:
    """A secret by the place it is named by; the value itself is in no message."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder, self.environment = folder, environment

    def __call__(self, named: Any, where: str) -> str:
        if isinstance(named, dict) and len(named) == 1:
            kind, place = next(iter(named.items()))
            if kind == "env" and isinstance(place, str):
                return self._variable(place, where)
            if kind == "file" and isinstance(place, str):
                return self._text(self.folder / place, where)
        message = _('Name a secret by {"env": …} or {"file": …}; it never stands in the file.')
        raise BadInput("bare_secret", f"{where}: {message}")

    def _variable(self, name: str, where: str) -> str:
        value = self.environment.get(name, "")
        if not value:
            message = _("The environment variable %s is not set.") % name
            raise BadInput("no_secret", f"{where}: {message}")
        return value

    def _text(self, path: Path, where: str) -> str:
        try:
            # The newline an editor adds belongs to no key.
            text = path.read_text(encoding="utf8").rstrip("\r\n")
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else _("it is no text")
            raise BadInput("no_secret", f"{where}: {path}: {why}") from None
        if not text:
            raise BadInput("no_secret", f"{where}: {path}: " + _("it is empty"))
        return text


def _rows(data: Any, name: str) -> list[dict[str, Any]]:
    rows = data.get(name) if isinstance(data, dict) else None
    return [one for one in rows if isinstance(one, dict)] if isinstance(rows, list) else []


def _public(merchant: dict[str, Any]) -> frozenset[str]:
    channel, number = str(merchant.get("channel")), merchant.get("merchant_no")
    try:
        return merchant_channel_get(channel).secret_names.public
    except UnknownChannel:
        message = _("No channel %s has merchants.") % channel
        raise BadInput(
            "unknown_channel", f"merchants {channel}/{number}: channel: {message}"
        ) from None
