"""The doors of billing: the patient's bills, by link or signed in, and the channels' notices."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpResponse
from django.urls import URLPattern, path

from billing.views import (
    agreement_signing,
    agreements,
    bills,
    notices,
    pay,
    phone_insurance,
    ratings,
    receipts,
)
from billing.views.pay import by_link, by_owner


def _agreement(page: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
    """One page of one agreement."""
    return path(f"agreements/<int:agreement_id>{page}", view, name=f"agreement_{name}")


urlpatterns: list[URLPattern] = [
    path("notices/<slug:channel>/<slug:merchant_no>/<slug:kind>", notices.notice, name="notice"),
    path("p/<slug:token>", by_link(pay.invoice_show), name="invoice_show"),
    path("p/<slug:token>/pay", by_link(pay.invoice_pay), name="invoice_pay"),
    path("p/<slug:token>/code", by_link(pay.invoice_code), name="invoice_code"),
    path("p/<slug:token>/result", by_link(pay.invoice_result), name="invoice_result"),
    path("p/<slug:token>/window", by_link(pay.invoice_window), name="invoice_window"),
    path("bills", bills.bills, name="bills"),
    path("bills/<int:invoice_id>", by_owner(pay.invoice_show), name="bill_show"),
    path("bills/<int:invoice_id>/pay", by_owner(pay.invoice_pay), name="bill_pay"),
    path("bills/<int:invoice_id>/code", by_owner(pay.invoice_code), name="bill_code"),
    path("bills/<int:invoice_id>/result", by_owner(pay.invoice_result), name="bill_result"),
    path("bills/<int:invoice_id>/window", by_owner(pay.invoice_window), name="bill_window"),
    path(
        "bills/<int:invoice_id>/insured",
        by_owner(phone_insurance.bill_insured),
        name="bill_insured",
    ),
    path(
        "bills/<int:invoice_id>/insured/back",
        by_owner(phone_insurance.bill_insured_back),
        name="bill_insured_back",
    ),
    path("bills/<int:invoice_id>/receipt", by_owner(receipts.receipt), name="bill_receipt"),
    path("bills/<int:invoice_id>/rating", by_owner(ratings.rating), name="bill_rating"),
    path("agreements", agreements.agreements, name="agreements"),
    path("agreements/new", agreement_signing.agreement_new, name="agreement_new"),
    path("agreements/new/<int:plan_id>", agreement_signing.agreement_form, name="agreement_form"),
    _agreement("", agreements.agreement_show, "show"),
    _agreement("/sign", agreement_signing.agreement_sign, "sign"),
    _agreement("/result", agreement_signing.agreement_result, "result"),
    _agreement("/switch", agreements.agreement_switched, "switch"),
    _agreement("/first", agreements.agreement_first, "first"),
    _agreement("/people", agreements.agreement_people, "people"),
    _agreement("/limits", agreements.agreement_limits, "limits"),
    _agreement("/end", agreements.agreement_ended, "end"),
    _agreement("/deductions", agreements.agreement_deductions, "deductions"),
]
