"""Audit events, the append-only tables, actors, refusals, system checks and the read-only admin."""

from __future__ import annotations

import base64

import pytest
from django.contrib import admin
from django.core import checks as django_checks
from django.db import DatabaseError, connection, transaction
from django.test import RequestFactory

from core import checks, clock
from core.actors import SYSTEM, Actor
from core.admin import ReadOnlyAdmin
from core.audit import record
from core.crypto.keys import provider
from core.errors import BadInput, Conflict, Forbidden, NotFound, NotOffered, Refusal
from core.models import AuditEvent, JobRun, OutboundCall, StateChange

APPEND_ONLY = ("core_statechange", "core_outboundcall", "core_auditevent")


@pytest.mark.django_db
def test_event_says_who_what_when_where(clerk, django_assert_num_queries):
    with django_assert_num_queries(1):
        record(by=clerk, action="patient.view", subject="patients.patient", subject_id=7,
               detail={"before": {"amount_fen": 1}}, address="10.0.0.8")  # fmt: skip
    event = AuditEvent.objects.get()
    assert (event.actor, event.actor_name) == ("staff:wang", "王芳")
    assert (event.action, event.subject, event.subject_id) == (
        "patient.view",
        "patients.patient",
        "7",
    )
    assert (event.detail, event.address) == ({"before": {"amount_fen": 1}}, "10.0.0.8")
    assert event.created_at == clock.now()


@pytest.mark.django_db
@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {}"])
def test_evidence_cannot_be_changed(table, statement):
    record(by=SYSTEM, action="a", subject="s", subject_id=1)
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format(table))
    assert AuditEvent.objects.count() == 1


@pytest.mark.django_db
def test_evidence_cannot_be_changed_through_the_orm():
    event = record(by=SYSTEM, action="a", subject="s", subject_id=1)
    for change in (event.save, event.delete, AuditEvent.objects.all().delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_actors():
    assert Actor("his", "0817", "李医生").key == "his:0817"
    for bad in (("robot", "1"), ("staff", ""), ("staff", "x" * 65), ("staff", "x", "n" * 101)):
        with pytest.raises(ValueError):
            Actor(*bad)


def test_refusals_carry_their_status():
    statuses = {c: c("code", "text", "field").status for c in (BadInput, Forbidden, NotFound)}
    assert list(statuses.values()) == [400, 403, 404]
    assert (Conflict("c", "t").status, NotOffered("c", "t").status) == (409, 409)
    assert isinstance(NotOffered("c", "t"), Conflict)
    refusal = Refusal("code", "text", "amount_fen")
    assert (refusal.code, refusal.field, str(refusal)) == ("code", "amount_fen", "code: text")


@pytest.fixture
def production(settings, monkeypatch, fresh_keys):
    """A production installation with everything in place."""
    settings.PRODUCTION = True
    settings.SECRET_KEY = "x" * 50
    settings.CLOCK_MOVABLE = False
    settings.PORTAL_URL = "https://pay.hospital.example"
    settings.ALLOWED_HOSTS = ["pay.hospital.example"]
    settings.SANDBOX_URL = settings.DEMO_EVENTS_SECRET = ""
    settings.MESSENGERS = {"sms": {"base_url": "https://sms.example", "secret": "s3cr3t"}}
    settings.SIGN_IN_DOORS = {"wechat": {"token_url": "https://wechat.example/token"}}
    settings.FIELD_KEYS = {"k1": b"1" * 32}
    settings.BLIND_INDEX_KEY = base64.b64encode(b"2" * 32).decode()
    return settings


def found() -> list[str]:
    messages = [*checks.production_is_sealed(), *checks.field_keys_work()]
    assert all(message.level == django_checks.ERROR for message in messages)
    return [message.id for message in messages]


def test_sealed_production_passes(production):
    assert found() == []


@pytest.mark.parametrize(
    "_case",
    [
        ("SECRET_KEY", "short", "core.E001"),
        ("DEBUG", True, "core.E002"),
        ("CLOCK_MOVABLE", True, "core.E004"),
        ("FIELD_KEYS", None, "core.E005"),
        ("SANDBOX_URL", "http://127.0.0.1:8001", "core.E006"),
        ("ALLOWED_HOSTS", [], "core.E007"),
        ("ALLOWED_HOSTS", ["*"], "core.E007"),
        ("ALLOWED_HOSTS", ["127.0.0.1", "localhost"], "core.E007"),
        ("PORTAL_URL", "http://127.0.0.1:8000", "core.E008"),
        ("PORTAL_URL", "https://user:pw@pay.hospital.example", "core.E008"),
        ("MESSENGERS", {"sms": {"base_url": "http://[::1]:8001"}}, "core.E008"),
        ("MESSENGERS", {"sms": {"base_url": "https://sandbox.sms.example"}}, "core.E008"),
        (
            "MESSENGERS",
            {"sms": {"base_url": "https://sms.example", "key": "sandbox-sms-key"}},
            "core.E009",
        ),
        ("SECRET_KEY", "demo-only-not-a-secret-but-long-enough", "core.E009"),
        ("DEMO_EVENTS_SECRET", "sandbox-his-events-secret", "core.E009"),
        ("FIELD_KEYS", {"k1": b"short"}, "core.E005"),
        ("BLIND_INDEX_KEY", "", "core.E005"),
        ("FIELD_CIPHER", "rot13", "core.E005"),
        ("FIELD_KEY_PROVIDER", "no.such.Provider", "core.E005"),
    ],
)
def test_unsealed_production_is_refused(_case, production):
    name, value, error_id = _case
    setattr(production, name, value)
    assert found() == [error_id]


def test_armed_production_is_refused(production, monkeypatch):
    monkeypatch.setenv("FAILPOINT", "apply:1")
    assert found() == ["core.E003"]


def test_demo_needs_nothing(settings, fresh_keys):
    settings.SECRET_KEY = "demo"
    assert found() == []
    assert provider().active().key_id == "demo1"


@pytest.mark.parametrize("model", [StateChange, OutboundCall, AuditEvent, JobRun])
def test_admin_only_shows(model, db, admin_client):
    shown = admin.site._registry[model]
    assert isinstance(shown, ReadOnlyAdmin)
    request = RequestFactory().get("/")
    assert not shown.has_add_permission(request)
    assert not shown.has_change_permission(request)
    assert not shown.has_delete_permission(request)
    record(by=SYSTEM, action="a", subject="s", subject_id=1)
    base = f"/admin/core/{model._meta.model_name}/"
    assert admin_client.get(base).status_code == 200
    assert admin_client.get(f"{base}add/").status_code == 403


def test_admin_shows_instants_in_the_time_of_the_hospital(clerk, admin_client):
    # given an event of ten in the morning there, and a job that never ended
    record(by=clerk, action="looked", subject="patient", subject_id="7")
    job = JobRun.objects.create(key="sweep", started_at=clock.now())
    # when their pages are opened
    event = AuditEvent.objects.latest("pk")
    pages = [
        admin_client.get(f"/admin/core/auditevent/{event.pk}/change/").content.decode(),
        admin_client.get(f"/admin/core/jobrun/{job.pk}/change/").content.decode(),
    ]
    # then they say it as the lists do, and nothing in the words of Python
    listed = admin_client.get("/admin/core/auditevent/").content.decode()
    assert "10:00" in listed
    for page in pages:
        assert "10:00" in page
        assert "+00:00" not in page
        assert ">None<" not in page
