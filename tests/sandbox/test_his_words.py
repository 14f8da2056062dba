"""Every reason the portal can send has a word at the HIS's console, from one list."""

from __future__ import annotations

import re

import pytest

from billing.channels.alipay import verdicts as alipay
from billing.channels.wechat_pay import verdicts as wechat
from billing.reasons import CHANNEL_CODES as MAPPED
from billing.reasons import REASON_OF, Reason, reason_of
from billing.services.apply import NEVER_EXECUTED
from billing.services.reviews import TOLD_TO_HIS
from sandbox.his.portal import problem_words
from sandbox.his.reasons import REASONS
from sandbox.his.words import collect_words, fact_words, reason_text

CHANNEL_CODES = {
    NEVER_EXECUTED,
    *wechat.CAPTURE_REFUSED,
    *wechat.ALREADY_CLOSED,
    *wechat.CLOSED_STATES,
    *wechat.FAILED_STATES,
    *alipay.CAPTURE_REFUSED,
    *alipay.ALREADY_CLOSED,
    alipay.CLOSED_STATE,
}


def test_every_reason_has_a_word() -> None:
    assert {*map(str, Reason), *map(str, TOLD_TO_HIS)} == REASONS.keys()


def test_every_code_of_a_channel_is_mapped_once() -> None:
    assert sorted(CHANNEL_CODES - REASON_OF.keys()) == []
    mapped = [code for codes in MAPPED.values() for code in codes]
    assert len(mapped) == len(set(mapped))
    assert reason_of("BRAND_NEW_CODE") == Reason.NOT_COMPLETED and reason_of("") is None


def test_words_are_chinese_and_hold_no_code() -> None:
    wrong = [word for word in REASONS.values() if re.search(r"[A-Za-z_]", word)]
    assert wrong == []


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("not_enough_money", "账户余额不足"),
        ({"code": "no_agreement"}, "病人没有签代扣协议"),
        ("余额不足", "余额不足"),
        ("two words", "two words"),
        ("BRAND_NEW_CODE", "其他原因（BRAND_NEW_CODE）"),
    ],
)
def test_reason_is_said_in_words(reason: object, words: str) -> None:
    assert reason_text(reason) == words


def test_answer_and_event_use_the_same_words() -> None:
    told = collect_words({"result": "declined", "reason": "account_limit"})
    assert told == "未支付，没有扣款：超出付款账户的限额。"
    assert (
        fact_words({"reason": "account_limit", "refund_no": "F1"})
        == "原因 超出付款账户的限额，退费号 F1"
    )


def test_detail_that_names_the_field_is_not_said_twice() -> None:
    errors = [{"field": "phone", "reason": "必填。"}, {"field": "sex", "reason": "不对。"}]
    body = {"detail": "phone：必填。（另有 1 处）", "errors": errors}
    assert problem_words(400, body) == "门户说内容有误：phone：必填。（另有 1 处）；sex：不对。"
