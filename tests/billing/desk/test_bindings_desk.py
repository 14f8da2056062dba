"""Bindings and joined records at the window: who may, what is recorded, what it says."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from config.roles import roles_sync
from core.models import AuditEvent, User
from patients.models import PatientMerge
from tests.factories import payments
from tests.factories.patients import campus, id_number, patient

pytestmark = pytest.mark.django_db


def staff(role: str, name: str = "") -> Client:
    roles_sync()
    user = User.objects.create_user(name or role, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


def test_a_cashier_sees_the_bindings_and_the_look_is_recorded() -> None:
    of = patient(name="陈秀兰")
    payments.access(of, payments.user(), "child")
    page = staff("cashier").get(f"/admin/desk/patients/{of.pk}/bindings")
    assert page.status_code == 200
    look = AuditEvent.objects.get(action="patient_lookup")
    assert (look.actor, look.subject_id, look.detail) == (
        "staff:cashier", str(of.pk), {"page": "bindings"},
    )  # fmt: skip


def test_a_binding_is_ended_at_the_window_with_a_reason() -> None:
    campus()
    of = patient(name="陈秀兰")
    access = payments.access(of, payments.user(), "child")
    client, path = staff("cashier"), f"/admin/desk/patients/{of.pk}/bindings"
    assert client.post(f"{path}/end", {"access": access.pk, "reason": " "}).status_code == 400
    other = payments.access(patient(), payments.user())
    assert client.post(f"{path}/end", {"access": other.pk, "reason": "x"}).status_code == 404
    assert client.post(f"{path}/end", {"access": "no", "reason": "x"}).status_code == 404
    done = client.post(f"{path}/end", {"access": access.pk, "reason": "本人到窗口要求"})
    assert done.status_code == 303
    access.refresh_from_db()
    assert (access.ended_how, access.end_reason, access.may_pay) == (
        "staff", "本人到窗口要求", False,
    )  # fmt: skip
    assert "本人到窗口要求" in client.get(path).content.decode()


@pytest.mark.parametrize("role", ["reviewer", "finance", "it"])
def test_nobody_else_ends_a_binding(role: str) -> None:
    of = patient()
    access = payments.access(of, payments.user())
    told = {"access": access.pk, "reason": "x"}
    assert staff(role).post(f"/admin/desk/patients/{of.pk}/bindings/end", told).status_code == 403
    access.refresh_from_db()
    assert access.ended_at is None


def test_two_records_are_joined_and_parted_by_two_people() -> None:
    kept, twice = patient(name="陈秀兰", number=id_number(1)), patient(name="陈秀兰")
    clerk, reviewer = staff("cashier"), staff("reviewer")
    path = f"/admin/desk/merges/new?kept={kept.pk}&merged={twice.pk}"
    assert clerk.get("/admin/desk/merges/new").status_code == 200
    assert clerk.get(path).status_code == 200
    assert clerk.post(path, {"reason": ""}).status_code == 400
    asked = clerk.post(path, {"reason": "急诊建档"})
    case = PatientMerge.objects.get()
    assert asked["Location"] == f"/admin/desk/merges/{case.pk}"
    assert clerk.post(asked["Location"], {"verdict": "approve", "comment": "x"}).status_code == 200
    assert reviewer.get("/admin/desk/merges").content.decode().count(asked["Location"]) == 1
    assert reviewer.post(asked["Location"], {"verdict": "maybe"}).status_code == 400
    reviewer.post(asked["Location"], {"verdict": "approve", "comment": "核对过"})
    twice.refresh_from_db()
    assert twice.merged_into_id == kept.pk
    assert reviewer.post(asked["Location"], {"verdict": "part", "comment": "错"}).status_code == 403
    other = staff("reviewer", "second")
    assert other.get(asked["Location"]).status_code == 200
    assert other.post(asked["Location"], {"verdict": "part", "comment": "错"}).status_code == 303
    twice.refresh_from_db()
    assert twice.merged_into_id is None
    assert AuditEvent.objects.filter(action="patient_lookup").count() >= 4


def test_records_of_two_people_cannot_be_proposed() -> None:
    kept, other = patient(name="陈秀兰"), patient(name="李真")
    path = f"/admin/desk/merges/new?kept={kept.pk}&merged={other.pk}"
    clerk = staff("cashier")
    assert 'name="reason"' not in clerk.get(path).content.decode()
    assert clerk.post(path, {"reason": "x"}).status_code == 409
    assert clerk.get("/admin/desk/merges/new?kept=1&merged=999999").status_code == 404
    assert staff("it").get("/admin/desk/merges").status_code == 403
