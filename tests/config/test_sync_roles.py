"""`sync_roles`: a hospital's deploy makes the groups of staff, as often as it runs."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from config.roles import ROLES
from core.models import AuditEvent

pytestmark = pytest.mark.django_db(transaction=True)


def sync(*args: str) -> tuple[dict[str, Any], str]:
    out, said = StringIO(), StringIO()
    call_command("sync_roles", *args, "--json", stdout=out, stderr=said)
    return json.loads(out.getvalue()), said.getvalue()


def held(role: str) -> set[str]:
    rows = Permission.objects.filter(group__name=role).select_related("content_type")
    return {f"{row.content_type.app_label}.{row.codename}" for row in rows}


def test_first_run_makes_every_group_and_the_second_changes_nothing() -> None:
    data, _said = sync()
    assert data["changed"].keys() == ROLES.keys()
    assert all(held(role) == set(names) for role, names in ROLES.items())
    assert AuditEvent.objects.filter(action="group_set").count() == len(ROLES)
    data, said = sync()
    assert (data["changed"], data["kept"]) == ({}, sorted(ROLES))
    assert "as it should be" in said
    assert AuditEvent.objects.filter(action="group_set").count() == len(ROLES)


def test_dry_run_shows_and_writes_nothing() -> None:
    data, said = sync("--dry-run")
    assert data["dry_run"] is True and "billing.collect_invoice" in said
    assert not Group.objects.exists() and not AuditEvent.objects.exists()


def test_a_right_too_many_goes_and_one_missing_comes() -> None:
    sync()
    cashier = Group.objects.get(name="cashier")
    own = Group.objects.create(name="guests")
    refund = Permission.objects.get(codename="return_invoice")
    own.permissions.add(refund)
    cashier.permissions.add(refund)
    cashier.permissions.remove(Permission.objects.get(codename="collect_invoice"))
    data, _said = sync()
    assert data["changed"] == {
        "cashier": {"gains": ["billing.collect_invoice"], "loses": ["billing.return_invoice"]}
    }
    assert held("cashier") == set(ROLES["cashier"])
    assert held("guests") == {"billing.return_invoice"}
    kept = AuditEvent.objects.filter(action="group_set").latest("pk")
    assert kept.actor == "system:deploy"
    assert kept.detail == {"name": "cashier", **data["changed"]["cashier"]}


def test_before_migrate_it_says_so_and_makes_no_group() -> None:
    right = Permission.objects.get(codename="collect_invoice")
    Permission.objects.filter(pk=right.pk).delete()
    try:
        with pytest.raises(SystemExit) as ended:
            sync()
        assert ended.value.code == 4
        assert not Group.objects.exists()
    finally:
        right.save(force_insert=True)
