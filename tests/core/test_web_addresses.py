from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.test import RequestFactory

from core.checks import proxies_are_networks
from core.web_addresses import (
    address_fault,
    host_is_local,
    peer_address,
    unreal_fault,
    web_address_check,
)


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


@pytest.fixture
def proxied(settings):
    settings.TRUSTED_PROXIES = ["10.0.0.0/8", "::1/128"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.7", "", "192.0.2.7"),
        ("192.0.2.7", "198.51.100.1", "192.0.2.7"),  # a stranger's word is nothing
        ("10.1.2.3", "198.51.100.1", "198.51.100.1"),
        ("10.1.2.3", "203.0.113.9, 198.51.100.1", "198.51.100.1"),  # the last was seen by our own
        ("10.1.2.3", "", "10.1.2.3"),
        ("10.1.2.3", "nonsense", ""),
        ("10.1.2.3", "198.51.100.1:4711", ""),
        ("10.1.2.3", "2001:DB8::1", "2001:db8::1"),
        ("::1", "198.51.100.1", "198.51.100.1"),
        ("11.1.2.3", "198.51.100.1", "11.1.2.3"),
        ("", "198.51.100.1", ""),
        ("unix:", "198.51.100.1", ""),
    ],
)
def test_only_our_own_proxy_says_who_called(proxied, peer, forwarded, address):
    request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded)
    assert peer_address(request) == address


def test_without_a_proxy_of_ours_the_peer_is_the_caller(settings):
    settings.TRUSTED_PROXIES = []
    request = RequestFactory().get("/", REMOTE_ADDR="10.1.2.3", HTTP_X_FORWARDED_FOR="192.0.2.1")
    assert peer_address(request) == "10.1.2.3"


def test_a_proxy_that_is_no_network_is_found_at_the_start(settings):
    settings.TRUSTED_PROXIES = ["10.0.0.0/8", "proxy.example", "10.0.0.1/33"]
    assert [message.id for message in proxies_are_networks()] == ["core.E013", "core.E013"]
