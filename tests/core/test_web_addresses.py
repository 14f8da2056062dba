from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from core.web_addresses import address_fault, host_is_local, unreal_fault, web_address_check


@pytest.mark.parametrize(
    "url",
    [
        "", "his.example", "ftp://his.example", "http://", "https:///events", "http://[::1",
        "http://his.example:99999/", "http://user@his.example/", "http://user:pw@his.example/",
        "javascript:alert(1)", "file:///etc/passwd",
    ],
)  # fmt: skip
def test_what_no_call_could_be_made_to(url: str) -> None:
    assert address_fault(url)
    with pytest.raises(ValidationError):
        web_address_check(url)


@pytest.mark.parametrize("url", ["http://10.0.0.7:8080/e", "https://his.example/a?b=c@d"])
def test_what_a_call_can_be_made_to(url: str) -> None:
    assert address_fault(url) == ""
    web_address_check(url)


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "127.1", "2130706433", "0.0.0.0",
        "[::1]", "::1", "::", "::ffff:127.0.0.1", "127.255.0.9",
    ],
)  # fmt: skip
def test_this_machine_by_any_name(host: str) -> None:
    assert host_is_local(host)


@pytest.mark.parametrize("host", ["his.example", "10.0.0.7", "localhost.example", "fe80::1", "*"])
def test_other_machines(host: str) -> None:
    assert not host_is_local(host)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8001", "https://localhost", "https://sandbox.pay.example",
        "https://api-sandbox.pay.example", "https://api.pay.example/sandboxnew/pay",
    ],
)  # fmt: skip
def test_what_production_refuses(url: str) -> None:
    assert unreal_fault(url)


def test_what_production_takes() -> None:
    assert unreal_fault("https://api.mch.weixin.qq.com/v3") == ""
