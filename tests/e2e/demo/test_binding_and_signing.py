"""What the patient does once, on a phone: come in, bind the family, sign."""

from __future__ import annotations

import pytest

from tests.e2e.demo.conftest import Signed
from tests.e2e.demo.relatives import Relatives
from tests.e2e.demo.walker import Walker
from tests.fixtures.demo_process import Demo

pytestmark = pytest.mark.browser


def test_signs_in_by_phone_and_is_asked_once(signed_in: Walker) -> None:
    signed_in.open("/consents")
    assert "个人信息" in signed_in.words
    signed_in.picture("consents")
    signed_in.open("/accounts/login")
    assert signed_in.path == "/"


def test_binds_herself_her_child_and_her_mother(bound: Walker, relatives: Relatives) -> None:
    bound.open("/family")
    assert "苏" in bound.words and "父母" in bound.words and "子女" in bound.words
    bound.open("/code")
    assert relatives.daughter.name in bound.words


def test_signs_both_wallets(signed: Signed, house: Demo) -> None:
    signed.who.open("/agreements")
    signed.who.picture("agreements")
    assert "微信" in signed.who.words and "支付宝" in signed.who.words
    assert signed.who.faults == []
