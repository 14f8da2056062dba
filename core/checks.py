"""What must hold before the portal may serve: refused at start, not discovered at night."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import OperationalError, ProgrammingError, connection

from core import clock
from core.crypto import KeyMissing, decrypt, encrypt
from core.crypto.keys import provider
from core.failpoints import armed_variables
from core.triggers import append_only_tables
from core.web_addresses import host_is_local, network_fault, unreal_fault

SECRET_LENGTH_MIN = 32
# How every secret begins that the sandbox or the demo was made with.
MADE_UP = ("sandbox-", "demo-")
SEPARATE_ROLES = (
    "Let one role own the tables and run migrations, and serve with another that may only read and "
    "write them (docs/deployment.md)."
)


@register()
def production_is_sealed(**_options: Any) -> list[CheckMessage]:
    """Production has its secret, a clock that tells the truth, and no way to be shot."""
    if not settings.PRODUCTION:
        return []
    errors: list[CheckMessage] = []
    if len(settings.SECRET_KEY) < SECRET_LENGTH_MIN:
        errors.append(Error("PORTAL_SECRET_KEY needs 32 characters or more", id="core.E001"))
    if settings.DEBUG:
        errors.append(Error("DEBUG shows personal data to strangers", id="core.E002"))
    errors.extend(
        Error(f"{name} kills processes; unset it", id="core.E003") for name in armed_variables()
    )
    if clock.movable():
        errors.append(Error("CLOCK_MOVABLE must be off", id="core.E004"))
    errors.extend(_addresses())
    errors.extend(_made_up_secrets())
    return errors


def _addresses() -> Iterator[CheckMessage]:
    """Production talks to the real world only, and is found at a name of its own."""
    if settings.SANDBOX_URL:
        yield Error("SANDBOX_URL is set", id="core.E006")
    hosts = settings.ALLOWED_HOSTS
    if not hosts or "*" in hosts or all(host_is_local(host) for host in hosts):
        yield Error("PORTAL_HOSTS must name the hosts the portal is reached by", id="core.E007")
    named = {"PORTAL_URL": settings.PORTAL_URL}
    named |= {
        f"MESSENGERS[{code}]": str(config.get("base_url", ""))
        for code, config in settings.MESSENGERS.items()
    }
    named |= {
        f"SIGN_IN_DOORS[{code}][{name}]": address
        for code, config in settings.SIGN_IN_DOORS.items()
        for name, address in config.items()
        if name.endswith("_url")
    }
    for name, address in named.items():
        fault = unreal_fault(address)
        if fault:
            yield Error(f"{name} {fault}", id="core.E008")


@register()
def proxies_are_networks(**_options: Any) -> list[CheckMessage]:
    """A proxy that cannot be read would fail at every request that passes one."""
    return [
        Error(f"TRUSTED_PROXIES: {one}: {fault}", id="core.E013")
        for one in settings.TRUSTED_PROXIES
        if (fault := network_fault(one))
    ]


def _made_up_secrets() -> Iterator[CheckMessage]:
    texts: dict[str, Mapping[str, object]] = {
        f"MESSENGERS[{code}]": config for code, config in settings.MESSENGERS.items()
    }
    own = {name: getattr(settings, name, "") for name in ("SECRET_KEY", "DEMO_EVENTS_SECRET")}
    texts["settings"] = own
    for place, values in texts.items():
        for name, value in values.items():
            if is_made_up(value):
                yield Error(f"{place}: {name} is a secret of the demo", id="core.E009")


def is_made_up(value: object) -> bool:
    """Whether a secret is one that everybody can read in the source."""
    return isinstance(value, str) and value.startswith(MADE_UP)


@register(Tags.database)
def production_database_is_safe(
    databases: Sequence[str] | None = None, **_options: Any
) -> list[CheckMessage]:
    """The role that serves cannot step round the triggers that keep the evidence, and no simulated
    time is left over from a demo."""
    if not settings.PRODUCTION or not databases:
        return []
    try:
        return [*_role(), *_clock_offset()]
    except OperationalError as error:
        return [Error(f"the database does not answer: {type(error).__name__}", id="core.E010")]


def _role() -> Iterator[CheckMessage]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper, (SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class"
            " WHERE oid = to_regclass('core_statechange'))"
            " FROM pg_roles WHERE rolname = current_user"
        )
        superuser, owner = cursor.fetchone()
    if superuser:
        yield Error("DATABASE_URL names a superuser", hint=SEPARATE_ROLES, id="core.E011")
    elif owner:
        yield Warning("DATABASE_URL names the tables' owner", hint=SEPARATE_ROLES, id="core.W001")
    else:
        yield from _evidence_is_kept()


def _evidence_is_kept() -> Iterator[CheckMessage]:
    """A trigger refuses already; a right that is not there needs nobody to refuse."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NOT NULL"
            " AND has_table_privilege(to_regclass(name)::oid, 'UPDATE, DELETE, TRUNCATE')",
            [append_only_tables()],
        )
        open_tables = ", ".join(name for (name,) in cursor.fetchall())
    if open_tables:
        yield Error(
            f"DATABASE_URL's role may change what is append-only: {open_tables}",
            hint=f"REVOKE UPDATE, DELETE, TRUNCATE ON {open_tables} (docs/deployment.md, 1).",
            id="core.E014",
        )


def _clock_offset() -> Iterator[CheckMessage]:
    try:
        moved = clock.offset_kept()
    except ProgrammingError:
        return  # before the first migration there is no table and no offset
    if moved:
        yield Error(
            "this database's clock was moved: it holds simulated money",
            hint="A database of a demo or a test never becomes one of production.",
            id="core.E012",
        )


@register()
def field_keys_work(**_options: Any) -> list[CheckMessage]:
    """Field and index keys exist and fit the cipher; found here, not at the first patient."""
    try:
        provider.cache_clear()
        provider().index_secret()
        decrypt(encrypt("probe", context="check"), context="check")
    except (KeyMissing, OSError, ImportError) as error:
        return [
            Error(
                f"field encryption is not usable: {error}",
                hint="Set PORTAL_FIELD_KEYS (or _FILE) and PORTAL_INDEX_KEY.",
                id="core.E005",
            )
        ]
    return []
