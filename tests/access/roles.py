"""Everybody who may stand before a door, and how each of them asks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client

from billing.ledger.accounts import accounts_forget
from config.staff_sessions import FACTOR, SEEN
from core import clock
from core.models import User
from patients.models import HisClient
from tests.access.world import TOKENS, World
from tests.billing.desk.people import staff

PATIENTS = ("owner", "viewer", "payer", "ended", "stranger", "unconsented")
GROUPS = ("cashier", "refund_clerk", "reviewer", "finance", "auditor", "it")
STAFF = (*GROUPS, "admin", "no_factor", "no_group")
HIS = (
    "his", "his_read", "his_write", "his_money", "his_none", "his_off", "his_elsewhere",
    "his_foreign",
)  # fmt: skip
# Whose differences an address can see at all: a token opens the API and nothing else, and the
# staff's side sends every patient to its login alike.
ROLES: dict[str, tuple[str, ...]] = {
    "portal": ("nobody", *PATIENTS, *STAFF, "his"),
    "desk": ("nobody", "owner", *STAFF, "his"),
    "admin": ("nobody", "owner", *STAFF, "his"),
    "api": ("nobody", "owner", "cashier", "admin", *HIS),
}
ROLES["all"] = tuple(dict.fromkeys(role for roles in ROLES.values() for role in roles))
SHORT = {"patients": PATIENTS, "groups": GROUPS, "staff": STAFF, "his*": HIS}
# Changes of a system's row that make it another caller.
CLIENTS: dict[str, dict[str, Any]] = {
    "his": {},
    "his_read": {"scopes": ["read"]},
    "his_write": {"scopes": ["write"]},
    "his_money": {"scopes": ["money"]},
    "his_none": {"scopes": []},
    "his_off": {"active": False},
    "his_elsewhere": {"addresses": ["10.9.0.0/16"]},
}


@dataclass(frozen=True, slots=True)
class Asker:
    """One role with what its browser or program brings along."""

    role: str
    browser: Client
    user: User | None = None
    cookies: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_his(self) -> bool:
        return self.role in HIS

    def ask(self, method: str, address: str, data: Mapping[str, Any] | None) -> HttpResponse:
        """Ask, and keep whatever came of it; a fault of a page is the answer 500."""
        client = self.browser
        client.cookies.clear()
        for name, value in self.cookies.items():
            client.cookies[name] = value
        if self.is_his and CLIENTS.get(self.role):
            HisClient.objects.filter(code="his-a").update(**CLIENTS[self.role])
        if method in {"GET", "HEAD"}:
            asked = f"{address}?{urlencode(data)}" if data else address
            return client.generic(method, asked, headers=self.headers)
        if address.startswith(("/api/", "/_dev/")) or method == "PUT":
            body = json.dumps(data or {})
            return client.generic(
                method, address, body, content_type="application/json", headers=self.headers
            )
        return client.post(address, data or {}, headers=self.headers)


def askers(world: World, roles: tuple[str, ...]) -> dict[str, Asker]:
    # One for all: each new one loads the middleware anew, which costs more than most answers.
    browser = Client(raise_request_exception=False)
    return {role: _asker(world, role, browser) for role in roles}


def _asker(world: World, role: str, browser: Client) -> Asker:
    if role in HIS:
        token = TOKENS["B" if role == "his_foreign" else "A"]
        return Asker(role, browser, headers={"Authorization": f"Token {token}"})
    if role == "nobody":
        return Asker(role, browser)
    user = world.users.get(role) or User.objects.filter(username=role).first() or _staff(role)
    client = Client()
    client.force_login(user)
    if user.is_staff:
        session = client.session
        session[SEEN] = clock.now().isoformat()
        session[FACTOR] = role != "no_factor"
        session.save()
    return Asker(role, browser, user, {name: one.value for name, one in client.cookies.items()})


def _staff(role: str) -> User:
    group = {"no_factor": "admin", "no_group": ""}.get(role, role)
    return staff(group, role)


@contextmanager
def rolled_back() -> Iterator[None]:
    """What happens inside is undone; the house takes this for a test's own transaction."""
    block = transaction.atomic()
    block._from_testcase = True
    with block:
        yield
        transaction.set_rollback(True)
    accounts_forget()


def answer_text(answer: HttpResponse) -> str:
    """`200`, or for one that leads on `303>/bills/*/result`."""
    led = answer.headers.get("Location", "")
    if not led:
        return str(answer.status_code)
    parts = urlsplit(led)
    path = re.sub(r"(?<=/)(?:[0-9]+|[0-9A-Za-z_-]{24,})(?=/|$)", "*", parts.path)
    host = f"//{parts.netloc}" if parts.netloc else ""
    return f"{answer.status_code}>{host}{path}"


# Evidence of having asked is no change: sessions, tries, looks, and calls that were made.
EVIDENCE = {
    "django_session", "django_migrations", "core_auditevent", "core_stafflogintry",
    "core_outboundcall",
}  # fmt: skip

TRAILS = ("core_auditevent", "core_statechange", "core_outboundcall", "core_jobrun")


def _newest(cursor: Any, table: str) -> int:
    cursor.execute(f"SELECT COALESCE(max(id), 0) FROM {table}")
    return int(cursor.fetchone()[0])


class Books:
    """Tells whether anything but evidence changed since the world was made."""

    def __init__(self) -> None:
        tables = set(connection.introspection.table_names()) - EVIDENCE
        self._sql = " UNION ALL ".join(
            f"SELECT '{one}', count(*), sum(hashtextextended(t::text, 0)) FROM {one} t"
            for one in sorted(tables)
        )
        self._first = self._now()
        self.moved = False
        with connection.cursor() as cursor:
            self._last = {one: _newest(cursor, one) for one in TRAILS}
        self._moved = self._touched()

    def changed(self) -> list[str]:
        """The tables that differ; rows are only read when the server counted a write."""
        moved = self._touched()
        self.moved = moved != self._moved
        self._moved = moved
        if not self.moved:
            return []
        now = self._now()
        return sorted(name for name in now if now[name] != self._first[name])

    def trails(self) -> str:
        """What was written down since the world was made, if the last request wrote anything."""
        if not self.moved:
            return ""
        sql = " UNION ALL ".join(
            f"SELECT t::text FROM {one} t WHERE id > {last}" for one, last in self._last.items()
        )
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return "\n".join(row[0] for row in cursor.fetchall())

    def _now(self) -> dict[str, tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(self._sql)
            return {row[0]: row[1:] for row in cursor.fetchall()}

    def _touched(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_xact_user_tables"
            )
            return int(cursor.fetchone()[0])
