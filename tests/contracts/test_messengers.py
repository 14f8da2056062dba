"""The messengers against the sandbox's receivers, over real sockets."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache

from core import clock
from core.models import OutboundCall
from patients.checks import messengers_check
from patients.messages import message_fields
from patients.messengers.base import NOTICE_FIELDS, Delivered, Delivery, Message
from patients.messengers.registry import messenger_get
from patients.messengers.sms import Sms
from patients.messengers.wechat_template import WechatTemplate
from tests.fixtures.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db
FIELDS = {"title": "账单已支付", "amount": "¥86.40", "number": "000123"}
PHONE = "13800001234"


@pytest.fixture(autouse=True)
def no_token_kept() -> None:
    cache.clear()


@pytest.fixture
def openid(sandbox: Sandbox) -> str:
    made = sandbox.act("payer", "create_wallet", name="张三", phone=PHONE, balance_fen=1)
    return str(made["openid"])


@pytest.fixture
def wechat(sandbox: Sandbox, settings: Any) -> WechatTemplate:
    config = settings.MESSENGERS["wechat_template"] | {"base_url": f"{sandbox.url}/wechat"}
    return WechatTemplate(config)


@pytest.fixture
def sms(sandbox: Sandbox, settings: Any) -> Sms:
    return Sms(settings.MESSENGERS["sms"] | {"base_url": sandbox.url})


def message(address: str, key: str = "paid/1", link: str = "") -> Message:
    return Message(key=key, address=address, kind="paid", fields=FIELDS, link=link)


def received(sandbox: Sandbox, kind: str) -> list[dict[str, Any]]:
    path = f"transactions?counterparty={kind}&since=2020-01-01T00:00:00%2B08:00&page=1"
    answer = sandbox.control("GET", path)
    return list(answer["transactions"] if isinstance(answer, dict) else answer)


def test_a_template_message_arrives_once_with_its_fields(
    sandbox: Sandbox, wechat: WechatTemplate, openid: str
) -> None:
    for _again in range(2):
        assert wechat.send(message(openid, link="http://127.0.0.1/pay/x")).delivery == "SENT"
    (row,) = received(sandbox, "wechat_message")
    assert (row["receiver"], row["params"]) == (openid, FIELDS)
    assert row["url"] == "http://127.0.0.1/pay/x"
    # one token served both, and neither token nor secret is in the trace
    calls = OutboundCall.objects.filter(counterparty="wechat_message").order_by("pk")
    assert list(calls.values_list("operation", flat=True)) == ["token", "send", "send"]
    assert not any("sandbox-wechat-app-secret" in row.url for row in calls)
    assert not any("access_token=" in row.url and "***" not in row.url for row in calls)


def test_a_templates_own_names_are_a_setting(sandbox: Sandbox, settings: Any, openid: str) -> None:
    # given a template of the vendor's library, which has no place for the bill's number
    config = settings.MESSENGERS["wechat_template"] | {
        "base_url": f"{sandbox.url}/wechat",
        "template_fields": "title=thing1, amount=amount2",
    }
    # when a notice is sent
    assert WechatTemplate(config).send(message(openid)).delivery == "SENT"
    # then its places are filled and nothing else is told
    (row,) = received(sandbox, "wechat_message")
    assert row["params"] == {"thing1": "账单已支付", "amount2": "¥86.40"}


@pytest.mark.parametrize("wrong", ["titel=thing1", "title", "title=", "=thing1"])
def test_a_misspelt_field_stops_the_start(settings: Any, wrong: str) -> None:
    config = settings.MESSENGERS["wechat_template"] | {"template_fields": wrong}
    settings.MESSENGERS = {"wechat_template": config}
    messenger_get.cache_clear()
    try:
        (fault,) = messengers_check(None)
    finally:
        messenger_get.cache_clear()
    assert fault.id == "patients.E001"
    assert "template_fields" in str(fault.msg)


def test_every_field_of_a_notice_has_a_name() -> None:
    assert tuple(message_fields("deducted", {})) == NOTICE_FIELDS


def test_a_token_that_ended_early_is_fetched_again(wechat: WechatTemplate, openid: str) -> None:
    cache.set(wechat._cache_key, ("gone", clock.now() + timedelta(hours=1)))
    assert wechat.send(message(openid)).delivery == Delivery.SENT


def test_an_unknown_receiver_or_an_unsubscribed_one_is_refused(
    sandbox: Sandbox, wechat: WechatTemplate, openid: str
) -> None:
    assert wechat.send(message("oNobody")) == Delivered(Delivery.REFUSED, "40003: invalid openid")
    sandbox.fault("send", "decline", "wechat_message", times=1)
    assert wechat.send(message(openid)).delivery == Delivery.REFUSED


def test_a_wrong_secret_is_ours_to_repair(wechat: WechatTemplate, openid: str) -> None:
    wechat.secret = "wrong"
    assert wechat.send(message(openid)) == Delivered(Delivery.AGAIN, "no access token")


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "http_500_after"])
def test_a_lost_answer_sent_again_is_one_message(
    sandbox: Sandbox, wechat: WechatTemplate, sms: Sms, openid: str, fault: str
) -> None:
    for kind, adapter, address in (
        ("wechat_message", wechat, openid),
        ("sms", sms, PHONE),
    ):
        sandbox.fault("send", fault, kind, times=1)
        one = message(address, key=f"{kind}/{fault}")
        assert adapter.send(one).delivery == Delivery.AGAIN
        assert adapter.send(one).delivery == Delivery.SENT
        assert len(received(sandbox, kind)) == 1


def test_a_text_message_arrives_once_and_signed(sandbox: Sandbox, sms: Sms) -> None:
    for _again in range(2):
        assert sms.send(message(PHONE)).delivery == Delivery.SENT
    (row,) = received(sandbox, "sms")
    assert (row["receiver"], row["params"]) == (PHONE, FIELDS)
    assert PHONE not in OutboundCall.objects.filter(counterparty="sms")[0].request_body


def test_a_number_that_is_none_is_refused_and_a_bad_signature_is_ours(sms: Sms) -> None:
    assert sms.send(message("12345")).delivery == Delivery.REFUSED
    sms.secret = "wrong"
    delivered = sms.send(replace(message(PHONE), key="other"))
    assert delivered.delivery == Delivery.AGAIN
    assert delivered.reason.startswith("SIGNATURE_DOES_NOT_MATCH")


def test_a_messenger_that_is_away_is_tried_again(settings: Any) -> None:
    away = Sms(settings.MESSENGERS["sms"] | {"base_url": "http://127.0.0.1:9"})
    assert away.send(message(PHONE)).delivery == Delivery.AGAIN
