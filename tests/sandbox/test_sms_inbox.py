"""A number without a wallet reads its messages too."""

from __future__ import annotations

from tests.fixtures.sandbox_process import CLIENT, Sandbox
from tests.sandbox.test_messages import sms, sms_send

PHONE = "13700009999"


def test_a_number_without_a_wallet_reads_its_code(sandbox: Sandbox) -> None:
    params = {"sms_code": "482019", "minutes": "5"}
    sms_send(sandbox, sms(phone=PHONE, template="code", params=params))
    shown = CLIENT.get(f"{sandbox.url}/sms/inbox?phone={PHONE}")
    assert "您的验证码是 482019，5 分钟内有效" in shown.text
    assert "482019" in CLIENT.get(f"{sandbox.url}/sms/inbox").text
    assert "482019" not in CLIENT.get(f"{sandbox.url}/sms/inbox?phone=13700009998").text
    assert CLIENT.get(f"{sandbox.url}/sms/inbox?phone=%00").status_code == 200


def test_the_phones_page_leads_to_a_number_that_holds_no_wallet(sandbox: Sandbox) -> None:
    sms_send(sandbox, sms(phone=PHONE, template="paid", params={"title": "医院账单已付"}))
    shown = CLIENT.get(f"{sandbox.url}/phone/").text
    assert f"/sms/inbox?phone={PHONE}" in shown
