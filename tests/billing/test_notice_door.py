"""What the notice door refuses before anything of a body is read."""

from __future__ import annotations

import pytest
from django.test import Client

from billing.models import PaymentNotice
from core.models import AuditEvent

DOOR = "/notices/wechat_pay/1900000001/capture"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "length, status",
    [
        ("abc", 400),
        ("-1", 400),
        ("1e9", 400),
        ("1_0", 400),
        ("²", 400),
        ("٣", 400),
        (str(64 * 1024 + 1), 413),
        ("9" * 5_000, 413),
    ],
)
def test_a_length_that_is_none_or_too_much_is_refused(
    client: Client, length: str, status: int
) -> None:
    answer = client.post(DOOR, b"{}", content_type="application/json", CONTENT_LENGTH=length)
    assert answer.status_code == status
    assert not PaymentNotice.objects.exists()
    assert not AuditEvent.objects.exists()
