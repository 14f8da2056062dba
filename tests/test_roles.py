"""Who may open what: every role against every page of the staff's side."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from billing.models import Invoice, PaymentTransaction, ReviewReason
from billing.services.reviews import review_open
from config.roles import ROLES, roles_sync
from core.admin import ReadOnlyAdmin
from core.models import AuditEvent
from tests import scripted
from tests.billing.desk.people import browser, paid_bill, text

pytestmark = pytest.mark.django_db

DESK = {
    "/admin/desk/patients/{patient}": {"cashier", "refund_clerk", "reviewer", "finance", "auditor"},
    "/admin/desk/bills/{bill}": {"cashier", "refund_clerk", "reviewer", "finance", "auditor"},
    "/admin/desk/bills/{bill}/state": {"cashier", "refund_clerk", "reviewer", "finance", "auditor"},
    "/admin/desk/bills/{bill}/return": {"refund_clerk"},
    "/admin/desk/reviews": {"refund_clerk", "reviewer", "finance", "auditor"},
    "/admin/desk/reviews?tab=people": {"refund_clerk", "reviewer", "finance", "auditor"},
    "/admin/desk/reviews?tab=decided&after=1": {"refund_clerk", "reviewer", "finance", "auditor"},
    "/admin/desk/reviews/{review}": {"refund_clerk", "reviewer", "finance", "auditor"},
}
BILLS = {"cashier", "refund_clerk", "reviewer", "finance", "auditor"}
CALLS = {"reviewer", "finance", "auditor", "it"}
LISTS = {
    "billing_invoice": BILLS,
    "billing_paymenttransaction": BILLS,
    "billing_invoicereturn": BILLS,
    "billing_agreement": BILLS,
    "billing_shift": BILLS,
    "billing_merchant": {"finance", "auditor", "it"},
    "billing_paymentnotice": CALLS,
    "billing_hisevent": CALLS,
    "ledger_journalentry": {"finance", "auditor"},
    "ledger_ledgeraccount": {"finance", "auditor"},
    "insurance_insuranceregion": {"finance", "auditor", "it"},
    "insurance_institution": {"finance", "auditor", "it"},
    "insurance_catalogueitem": {"finance", "auditor", "it"},
    "insurance_insurancemessage": CALLS,
    "core_outboundcall": CALLS,
    "core_auditevent": {"auditor", "it"},
    "core_statechange": {"auditor", "it"},
    "core_jobrun": {"it"},
    "patients_notification": {"auditor", "it"},
    "patients_hisclient": {"it"},
    "django_celery_beat_periodictask": {"it"},
    "core_user": set(),
    "auth_group": set(),
}


@pytest.fixture(autouse=True)
def scripted_channel(settings: Any) -> Iterator[None]:
    settings.PAYMENT_CHANNELS = {
        "wechat_pay": "tests.scripted.ScriptedChannel",
        "cash": "billing.channels.cash.Cash",
    }
    scripted.reset()
    yield
    scripted.reset()


@pytest.fixture
def bill() -> Invoice:
    paid = paid_bill(8_640)
    row = PaymentTransaction.objects.get()
    review_open(reason=ReviewReason.NOT_ENDED, invoice=paid, transaction=row, figures={"code": "X"})
    return paid


def pages(bill: Invoice) -> dict[str, set[str]]:
    names = {
        "patient": bill.patient_id,
        "bill": bill.pk,
        "review": bill.reviews.get().pk,
    }
    return {address.format(**names): roles for address, roles in DESK.items()}


@pytest.mark.parametrize("role", [*ROLES, "admin"])
def test_every_role_opens_its_pages_and_no_other(bill: Invoice, role: str) -> None:
    client = browser(role)
    wanted = {address: role in roles or role == "admin" for address, roles in pages(bill).items()}
    seen = {address: client.get(address).status_code == 200 for address in wanted}
    assert seen == wanted
    wanted = {name: role in roles or role == "admin" for name, roles in LISTS.items()}
    seen = {
        name: client.get(reverse(f"admin:{name}_changelist")).status_code == 200 for name in wanted
    }
    assert seen == wanted
    assert client.get("/admin/").status_code == 200


def test_who_is_not_staff_is_sent_to_log_in(bill: Invoice) -> None:
    for address in [*pages(bill), "/admin/", "/admin/desk/search"]:
        answer = Client().get(address)
        assert answer.status_code == 302
        assert "/admin/login/" in answer["Location"] or address == "/admin/desk/search"
    page = text(Client().get("/admin/login/"))
    assert "用户名" in page and "密码" in page and "登录" in page


def test_nobody_may_add_change_or_delete_a_row_of_money() -> None:
    """The only changes: a job's switch, a place with a tag, and a login by a superuser."""
    writable = {"PeriodicTaskAdmin", "UserAdmin", "GroupAdmin", "LocationAdmin"}
    for model_admin in admin.site._registry.values():
        name = type(model_admin).__name__
        assert not model_admin.has_delete_permission(None), name  # type: ignore[arg-type]
        assert name in writable or isinstance(model_admin, ReadOnlyAdmin), name


def test_no_role_adds_or_deletes_but_places() -> None:
    roles_sync()
    names = Permission.objects.filter(group__name__in=ROLES).values_list("codename", flat=True)
    added = [name for name in names if name.startswith(("add_", "delete_"))]
    assert added == ["add_location"]  # a place with a tag holds no money and no person
    changes = {name for name in names if name.startswith("change_")}
    assert changes == {"change_periodictask", "change_patientreview", "change_location"}
    assert set(Group.objects.values_list("name", flat=True)) == set(ROLES)


def test_collecting_asking_and_deciding_are_three_roles() -> None:
    acts = {"billing.collect_invoice", "billing.return_invoice", "billing.decide_billingreview"}
    assert all(len(acts & set(names)) <= 1 for names in ROLES.values())


@pytest.mark.parametrize("typed", ["x", "'", "\x00", "1" * 30, "%", '"a b"', "9223372036854775808"])
def test_search_of_every_list_takes_odd_input(bill: Invoice, typed: str) -> None:
    client = browser("admin")
    for name in LISTS:
        answer = client.get(reverse(f"admin:{name}_changelist"), {"q": typed})
        assert answer.status_code in (200, 302), name


def test_lists_count_no_table_and_take_constant_statements(bill: Invoice) -> None:
    client = browser("admin")
    for name in LISTS:
        address = reverse(f"admin:{name}_changelist")
        with CaptureQueriesContext(connection) as seen:
            client.get(address)
        assert len(seen) <= 12, name
        if name not in ("core_user", "auth_group", "django_celery_beat_periodictask"):
            counts = [
                q["sql"] for q in seen if re.match(r'SELECT COUNT\(\*\).*FROM "\w+"$', q["sql"])
            ]
            assert counts == [], name


def test_secrets_are_on_no_page(bill: Invoice) -> None:
    client = browser("admin")
    merchant = bill.payments.get().merchant
    assert merchant is not None
    merchant.secrets = "very-secret"
    merchant.save()
    page = client.get(reverse("admin:billing_merchant_change", args=[merchant.pk]))
    assert page.status_code == 200 and b"very-secret" not in page.content
    page = client.get(reverse("admin:patients_hisclient_change", args=[bill.client_id]))
    assert page.status_code == 200 and bill.client.token_digest.encode() not in page.content


def test_detail_of_every_row_of_money_opens_and_cannot_be_sent_back(bill: Invoice) -> None:
    client = browser("admin")
    row = PaymentTransaction.objects.get()
    address = reverse("admin:billing_paymenttransaction_change", args=[row.pk])
    assert client.get(address).status_code == 200
    assert client.post(address, {"amount_fen": 1}).status_code == 403
    bill_address = reverse("admin:billing_invoice_change", args=[bill.pk])
    assert client.get(bill_address)["Location"] == f"/admin/desk/bills/{bill.pk}"
    assert client.post(f"{address}../delete/").status_code in (403, 404)


def test_it_pauses_a_job_and_changes_nothing_else() -> None:
    every = IntervalSchedule.objects.create(every=5, period="seconds")
    job = PeriodicTask.objects.create(name="sweep", task="a.b", interval=every)
    client = browser("it")
    address = reverse("admin:django_celery_beat_periodictask_change", args=[job.pk])
    answer = client.post(address, {"name": "mine", "task": "os.system"})
    assert answer.status_code == 302
    job.refresh_from_db()
    assert (job.name, job.task, job.enabled) == ("sweep", "a.b", False)
    assert AuditEvent.objects.get(action="job_paused").detail == {"job": "sweep"}
    client.post(address, {"enabled": "on"})
    assert AuditEvent.objects.filter(action="job_resumed").count() == 1


def test_groups_are_written_by_a_deploy_only() -> None:
    client = browser("admin")
    group = Group.objects.get(name="cashier")
    address = reverse("admin:auth_group_change", args=[group.pk])
    assert client.get(address).status_code == 200
    assert client.post(address, {"name": "x"}).status_code == 403
    assert browser("it").get(reverse("admin:core_user_changelist")).status_code == 403
