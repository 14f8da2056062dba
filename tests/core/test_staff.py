"""Who a login is in the audit trail."""

from __future__ import annotations

from core.actors import Actor
from core.models import User
from core.staff import staff_actor


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
