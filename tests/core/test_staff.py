"""Who a login is in the audit trail, and from where the request came."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from core.actors import Actor
from core.models import User
from core.staff import peer_address, staff_actor


def named(username: str, first: str = "", last: str = "", pk: int = 7) -> User:
    return User(pk=pk, username=username, first_name=first, last_name=last)


def test_a_login_is_named_by_its_username_and_full_name():
    assert staff_actor(named("zhang", "张敏")) == Actor("staff", "zhang", "张敏")
    assert staff_actor(named("zhang")) == Actor("staff", "zhang", "zhang")


def test_a_name_too_long_for_a_code_is_the_rows_number():
    assert staff_actor(named("x" * 64)).code == "x" * 64
    actor = staff_actor(named("x" * 65, pk=12))
    assert (actor.code, actor.name) == ("user-12", "x" * 65)
    assert len(staff_actor(named("y", "名" * 150)).name) == 100


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
