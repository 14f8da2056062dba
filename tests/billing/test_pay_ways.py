"""Which ways stand on the pay page of which browser, and where a press of each leads."""

import re

import pytest
from django.test import Client

from billing import pay_right
from billing.channels.base import Mode
from billing.offers import Offer, Wallet, payer_device
from tests.billing import test_pay_pages as pages
from tests.billing.pay_states import URL
from tests.billing.test_pay_pages import DESKTOP, PHONE, WALLETS

door, phone = pages.door, pages.phone
WECHAT = f"{PHONE} MicroMessenger/8.0.49"
ALIPAY = f"{PHONE} AlipayClient/10.6.60"


def offered(agent, monkeypatch, *wallets):
    """Value and greyness of each way, as the form has them, for this browser."""
    monkeypatch.setattr(pay_right, "wallets_of", lambda *_asked: wallets or WALLETS)
    body = Client(headers={"User-Agent": agent}).get("/p/to_pay/pay").content.decode()
    return re.findall(r'name="way" value="([^"]+)"', body), body


def test_device_decides_the_ways(monkeypatch):
    agents = (PHONE, WECHAT, ALIPAY, DESKTOP, "")
    devices = ["phone", "wechat", "alipay", "desktop", "desktop"]
    assert [payer_device(agent).value for agent in agents] == devices

    links = ["wechat_pay.h5", "alipay.h5", "window"]
    codes = ["wechat_pay.native", "alipay.native", "window"]
    assert offered(PHONE, monkeypatch)[0] == links
    assert offered(DESKTOP, monkeypatch)[0] == codes


def test_inside_alipay_its_own_way_stands_first_and_wechat_says_why_not(monkeypatch):
    ways, body = offered(ALIPAY, monkeypatch)

    assert ways == ["alipay.h5", "window"]
    assert body.index("支付宝") < body.index("微信支付") < body.index("在浏览器打开")


def test_inside_wechat_who_is_known_pays_there_and_who_is_not_signs_in_first(monkeypatch):
    alipay = Wallet("alipay")
    known = offered(WECHAT, monkeypatch, alipay, Wallet("wechat_pay", known=True))
    asked = offered(WECHAT, monkeypatch, alipay, Wallet("wechat_pay", door="wechat"))
    neither = offered(WECHAT, monkeypatch)

    assert known[0] == ["wechat_pay.jsapi", "window"]
    assert asked[0] == ["sign-in-wechat", "window"] and "用微信登录后支付" in asked[1]
    assert neither[0] == ["window"]
    assert (known[1].count("在浏览器打开"), neither[1].count("在浏览器打开")) == (1, 2)


def test_a_house_without_a_channel_still_has_its_window(monkeypatch):
    monkeypatch.setattr(pay_right, "wallets_of", lambda *_asked: ())
    body = Client().get("/p/to_pay/pay").content.decode()
    assert re.findall(r'name="way" value="([^"]+)"', body) == ["window"]


@pytest.mark.parametrize("channel", ["wechat_pay", "alipay"])
def test_h5_leads_to_the_channel_which_knows_the_way_back(phone, door, channel):
    answer = phone.post(
        "/p/to_pay/pay", {"way": f"{channel}.h5", "form_key": "k1"}, REMOTE_ADDR="10.1.2.3"
    )

    assert answer.url == URL.value
    assert door == [
        {
            "token": "to_pay",
            "visitor_id": None,
            "offer": Offer(channel, Mode.H5),
            "payer_address": "10.1.2.3",
            "form_key": "k1",
            "return_url": "http://testserver/p/to_pay/result",
        }
    ]


def test_behind_our_own_proxy_the_payers_address_is_the_one_it_reports(phone, door, settings):
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    told = {"REMOTE_ADDR": "10.1.2.3", "HTTP_X_FORWARDED_FOR": "6.6.6.6, 203.0.113.9"}
    phone.post("/p/to_pay/pay", {"way": "alipay.h5", "form_key": "k1"}, **told)
    assert door[0]["payer_address"] == "203.0.113.9"


def test_native_leads_to_the_code(door):
    answer = Client().post("/p/to_pay/pay", {"way": "alipay.native", "form_key": "k1"})

    assert answer.url == "/p/to_pay/code" and door[0]["offer"] == Offer("alipay", Mode.NATIVE)


@pytest.mark.django_db
def test_signing_in_first_leads_to_the_wallet_and_asks_no_channel(door):
    inside = Client(headers={"User-Agent": WECHAT})
    answer = inside.post("/p/to_pay/pay", {"way": "sign-in-wechat"})

    assert answer.status_code == 303 and "/wechat/connect/oauth2/authorize?" in answer.url
    assert inside.session["sign_in_state"]["next"] == "/p/to_pay/pay"
    assert inside.post("/p/nowhere/pay", {"way": "sign-in-wechat"}).status_code == 404
    assert inside.post("/p/to_pay/pay", {"way": "sign-in-gold"}).status_code == 404
    assert door == []
