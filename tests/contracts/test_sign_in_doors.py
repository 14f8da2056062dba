"""The wallets' logins against the sandbox, over real sockets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from core.models import OutboundCall
from patients.signin.alipay import AlipayDoor
from patients.signin.base import Door, DoorRefused, DoorSilent
from patients.signin.wechat import WechatDoor
from tests.fixtures.sandbox_process import CLIENT, Sandbox

pytestmark = pytest.mark.django_db
BACK = "http://portal.example/accounts/with/x/back?kept=1"


@pytest.fixture
def wechat(sandbox: Sandbox) -> WechatDoor:
    return WechatDoor(
        {
            "app_id": "wx5a0db0c0ffee0001",
            "secret": "sandbox-wechat-app-secret",
            "authorize_url": f"{sandbox.url}/wechat/connect/oauth2/authorize",
            "token_url": f"{sandbox.url}/wechat/sns/oauth2/access_token",
        }
    )


@pytest.fixture
def alipay(sandbox: Sandbox, tmp_path: Path) -> AlipayDoor:
    keys = tmp_path / "alipay.json"
    keys.write_text(json.dumps(sandbox.alipay))
    return AlipayDoor(
        {
            "keys_file": str(keys),
            "authorize_url": f"{sandbox.url}/alipay/oauth2/publicAppAuthorize.htm",
            "gateway_url": f"{sandbox.url}/alipay/login/gateway.do",
        }
    )


def made(sandbox: Sandbox, door: Door) -> str:
    """A wallet of the door's kind: the user's id there."""
    if isinstance(door, WechatDoor):
        return str(sandbox.act("payer", "create_wallet", name="张三")["openid"])
    wallet = sandbox.act("alipay_payer", "create_wallet", name="张三")
    return str(wallet["user_id"])


def agreed(door: Door, subject: str, state: str = "s-1") -> dict[str, list[str]]:
    """The person says yes at the wallet: what the browser comes back with."""
    url = door.leave_for(back=BACK, state=state)
    answer = CLIENT.get(url.partition("#")[0] + f"&as={subject}")
    assert answer.status_code == httpx.codes.FOUND, answer.text
    back = urlsplit(answer.headers["location"])
    assert back.netloc == "portal.example"
    return parse_qs(back.query)


@pytest.mark.parametrize("kind", ["wechat", "alipay"])
def test_a_code_is_changed_for_the_users_id_once(
    sandbox: Sandbox, request: pytest.FixtureRequest, kind: str
) -> None:
    door: Any = request.getfixturevalue(kind)
    subject = made(sandbox, door)
    given = agreed(door, subject)
    assert (given["state"], given["kept"]) == (["s-1"], ["1"])
    code = given[door.answer_name][0]
    found = door.identity(code=code, reference="oauth-1")
    assert (found.app_id, found.subject) == (door.app_id, subject)
    with pytest.raises(DoorRefused):
        door.identity(code=code, reference="oauth-2")
    with pytest.raises(DoorRefused):
        door.identity(code="made-up", reference="oauth-3")
    kept = str(list(OutboundCall.objects.values_list("url", "request_body", "response_body")))
    assert subject not in kept
    assert "sandbox-wechat-app-secret" not in kept
    assert OutboundCall.objects.count() == 3


def test_the_page_asks_who_it_is(sandbox: Sandbox, wechat: WechatDoor, alipay: AlipayDoor) -> None:
    for door in (wechat, alipay):
        subject = made(sandbox, door)
        page = CLIENT.get(door.leave_for(back=BACK, state="s").partition("#")[0])
        assert (page.status_code, subject in page.text) == (200, True)


def test_an_unsigned_answer_of_alipay_is_nobody(sandbox: Sandbox, alipay: AlipayDoor) -> None:
    code = agreed(alipay, made(sandbox, alipay))["auth_code"][0]
    sandbox.fault("token", "bad_signature", "alipay_login", times=1)
    with pytest.raises(DoorRefused):
        alipay.identity(code=code, reference="oauth-1")


def test_a_foreign_key_is_refused(sandbox: Sandbox, alipay: AlipayDoor) -> None:
    code = agreed(alipay, made(sandbox, alipay))["auth_code"][0]
    alipay.private_key = sandbox.alipay["merchants"][1]["app_private_key"]
    with pytest.raises(DoorRefused):
        alipay.identity(code=code, reference="oauth-1")


def test_no_answer_is_silence(sandbox: Sandbox, alipay: AlipayDoor, wechat: WechatDoor) -> None:
    sandbox.fault("token", "drop_before", "alipay_login", times=1)
    with pytest.raises(DoorSilent):
        alipay.identity(code="x", reference="oauth-1")
    wechat.token_url = "http://127.0.0.1:9/none"
    with pytest.raises(DoorSilent):
        wechat.identity(code="x", reference="oauth-2")
