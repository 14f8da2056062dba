"""Who carries the hospital's payments, under which terms, as its own file declares them (Z1).

Nothing is ever deleted: an institution out of term, a merchant out of use and a plan that no longer
stands in the file keep their past, and a way out of term is simply not offered.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import time
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from billing.channels.base import Capability, MerchantAccount
from billing.channels.registry import UnknownChannel, channel_get, merchant_channel_get
from billing.models import AgreementPlan, Merchant, PaymentInstitution
from billing.services.merchants import SecretsUnreadable, merchant_account
from core.actors import Actor
from core.checks import is_made_up
from core.declared import Change, row_declare
from core.errors import BadInput
from core.web_addresses import address_fault, unreal_fault
from patients.models import Campus


@transaction.atomic
def institution_set(*, code: str, values: Mapping[str, Any], by: Actor) -> Change | None:
    """Make an institution, or renew its term."""
    row = PaymentInstitution.objects.filter(code=code).first() or PaymentInstitution(code=code)
    begins = values.get("agreement_from", row.agreement_from)
    ends = values.get("agreement_until", row.agreement_until)
    if begins and ends and ends < begins:
        message = _("The agreement ends before it begins.")
        raise BadInput("term_reversed", message, "agreement_until")
    return row_declare(row=row, code=code, values=values, by=by)


@transaction.atomic
def merchant_set(
    *,
    channel: str,
    merchant_no: str,
    values: Mapping[str, Any],
    agreements: bool = False,
    by: Actor,
) -> Change | None:
    """Make a merchant or change it; `secrets` are named texts and replaced as a whole. Keys are
    read by the adapter that will use them before anything is kept."""
    code = f"{channel}/{merchant_no}"
    row = Merchant.objects.filter(channel=channel, merchant_no=merchant_no).first() or Merchant(
        channel=channel, merchant_no=merchant_no
    )
    held = _held(row)
    given = _rows_named(dict(values))
    wanted: Mapping[str, str] = given.pop("secrets", held)
    told = {}
    if wanted != held:
        given["secrets"] = json.dumps(dict(wanted), ensure_ascii=False, sort_keys=True)
        names = {name for name in {*wanted, *held} if wanted.get(name) != held.get(name)}
        told["secrets"] = ", ".join(sorted(names))
    _address_checked(given.get("base_url", row.base_url))
    account = MerchantAccount(
        channel=channel,
        merchant_no=merchant_no,
        app_id=given.get("app_id", row.app_id),
        base_url=given.get("base_url", row.base_url),
        notify_base_url=settings.PORTAL_URL,
        secrets=wanted,
    )
    _account_checked(account, agreements=agreements)
    return row_declare(row=row, code=code, values=given, told=told, by=by)


@transaction.atomic
def plan_set(
    *, channel: str, merchant_no: str, plan_id: str, values: Mapping[str, Any], by: Actor
) -> Change | None:
    """Make a plan of agreements, or change the terms it has from now on."""
    merchant = Merchant.objects.get(channel=channel, merchant_no=merchant_no)
    row = AgreementPlan.objects.filter(merchant=merchant, plan_id=plan_id).first()
    row = row or AgreementPlan(merchant=merchant, plan_id=plan_id)
    single, daily = (values.get(name, getattr(row, name)) for name in ("single_fen", "daily_fen"))
    if single and daily and daily < single:
        message = _("The limit of a day is below that of a single payment.")
        raise BadInput("limits_reversed", message, "daily_fen")
    begins, ends = (values.get(name, getattr(row, name)) for name in ("hours_from", "hours_until"))
    if begins and ends and begins == ends != time(0):
        message = _("The hours end when they begin.")
        raise BadInput("no_hours", message, "hours_until")
    return row_declare(row=row, code=f"{channel}/{merchant_no}/{plan_id}", values=values, by=by)


def _held(row: Merchant) -> Mapping[str, str]:
    """The secrets there are. What cannot be read is replaced by what is given now."""
    try:
        return merchant_account(row, channel=row.channel).secrets
    except SecretsUnreadable:
        return {}


def _rows_named(given: dict[str, Any]) -> dict[str, Any]:
    for name, model in (("institution", PaymentInstitution), ("campus", Campus)):
        code = given.get(name)
        if not code:
            continue
        row = model._default_manager.filter(code=code).first()
        if row is None:
            raise BadInput("unknown_code", _("There is none of the code %s.") % code, name)
        given[name] = row
    return given


def _address_checked(base_url: str) -> None:
    fault = unreal_fault(base_url) if settings.PRODUCTION else address_fault(base_url)
    if fault:
        raise BadInput("bad_address", _("The address %s.") % fault, "base_url")


def _account_checked(account: MerchantAccount, *, agreements: bool) -> None:
    try:
        adapter = merchant_channel_get(account.channel)
    except UnknownChannel:
        message = _("No channel %s has merchants.") % account.channel
        raise BadInput("unknown_channel", message, "channel") from None
    if agreements and Capability.AGREEMENT not in channel_get(account.channel).capabilities:
        raise BadInput("no_agreements", _("This channel has no agreements."), "plans")
    faults = adapter.account_faults(account, agreements=agreements)
    if settings.PRODUCTION:
        made_up = (name for name, value in account.secrets.items() if is_made_up(value))
        faults += [f"{name} is a demo's" for name in made_up]
    if "base_url_tls" in account.secrets:
        _address_checked(account.secrets["base_url_tls"])
    if faults:
        raise BadInput("bad_secrets", "; ".join(faults), "secrets")
