"""What leaves the house when a card is bound: the code, to the vendor, and to no log."""

from __future__ import annotations

import json

import pytest

from core.outbound import OutboundAnswer, OutboundRequest
from core.redaction import body_shown
from patients.binding_texts import code_fields
from patients.messages import message_fields
from patients.messengers import sms
from patients.messengers.base import Delivery, Message


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> list[OutboundRequest]:
    sent: list[OutboundRequest] = []

    def send(request: OutboundRequest) -> OutboundAnswer:
        sent.append(request)
        return OutboundAnswer(200, {}, b'{"code": "OK"}', None, 1)

    monkeypatch.setattr(sms, "send", send)
    return sent


def adapter() -> sms.Sms:
    return sms.Sms({
        "base_url": "http://sms", "key": "k", "secret": "s", "sign_name": "医院",
        "template": "bill", "code_template": "code", "card_template": "card",
        "notice_template": "notice",
    })  # fmt: skip


def test_a_code_goes_by_its_own_template_and_into_no_log(wire: list[OutboundRequest]) -> None:
    fields = code_fields(allows="relative", code="204817", name="陈*", hospital="主院区")
    told = Message("binding_code/1/1/1", "13900001111", "binding_code", fields)
    assert adapter().send(told).delivery is Delivery.SENT
    body = json.loads(wire[0].body)
    assert (body["template"], body["params"]["verify_code"]) == ("card", "204817")
    assert "204817" not in body_shown(wire[0].body)
    assert "13900001111" not in body_shown(wire[0].body)


@pytest.mark.parametrize(
    ("kind", "facts", "template"),
    [("access_begun", {}, "notice"), ("paid", {"amount_fen": 100}, "bill")],
)
def test_a_message_about_no_bill_has_no_sum(
    wire: list[OutboundRequest], kind: str, facts: dict[str, object], template: str
) -> None:
    fields = message_fields(kind, {"hospital": "主院区", "name": "陈*", **facts})
    adapter().send(Message(f"{kind}/1", "13900001111", kind, fields))
    body = json.loads(wire[0].body)
    assert body["template"] == template
    assert bool(body["params"]["amount"]) is (template == "bill")


def test_every_code_says_what_it_gives_away() -> None:
    texts = {
        allows: code_fields(allows=allows, code="1", name="陈*", hospital="主院区")["todo"]
        for allows in ("own", "moves", "relative", "child")
    }
    assert len(set(texts.values())) == 4
    assert "原账户" in texts["moves"] and "只告诉" in texts["relative"]
