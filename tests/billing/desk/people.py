"""Staff of the window for its tests: one login per role, a browser each."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.auth.models import Group
from django.test import Client

from billing.models import Invoice
from billing.services.invoice_drive import invoice_drive
from config.roles import roles_sync
from core.models import User
from tests.factories import payments
from tests.factories.billing import invoice

NAMES = {
    "cashier": "张敏",
    "refund_clerk": "李洁",
    "reviewer": "王复",
    "finance": "赵算",
    "auditor": "钱审",
    "it": "孙维",
    "admin": "周管",
}


def staff(role: str, username: str = "", **values: Any) -> User:
    """A member of staff of one group; `admin` is a superuser."""
    if not Group.objects.exists():
        roles_sync()
    user = User.objects.create_user(
        username or role, is_staff=True, **{"first_name": NAMES.get(role, "员工")} | values
    )
    if role == "admin":
        User.objects.filter(pk=user.pk).update(is_superuser=True)
    elif role:
        user.groups.add(Group.objects.get(name=role))
    return User.objects.get(pk=user.pk)


def browser(role: str, username: str = "") -> Client:
    """A logged-in browser. A fault of a page shows as 500, as people would see it."""
    name = username or role
    known = User.objects.filter(username=name).first()
    client = Client(raise_request_exception=True)
    client.force_login(known or staff(role, name))
    return client


def paid_bill(*amounts_fen: int, **lines: Any) -> Invoice:
    """A bill its patient's agreement has paid."""
    return paid_by_agreement(invoice(*amounts_fen, **lines))


def paid_by_agreement(bill: Invoice) -> Invoice:
    """The same bill, paid."""
    payments.agreement(bill.patient)
    payments.collect(bill)
    invoice_drive(invoice_id=bill.pk)
    bill.refresh_from_db()
    assert bill.status == "PAID"
    return bill


def hidden(answer: Any, name: str = "token") -> str:
    """The value of a hidden field of a page."""
    found = re.search(rf'name="{name}" value="([^"]+)"', answer.content.decode())
    assert found, answer.content.decode()[:2000]
    return found.group(1)


def text(answer: Any) -> str:
    """What a page says, without its marks."""
    plain = re.sub(r"<(script|style).*?</\1>", "", answer.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", plain))
