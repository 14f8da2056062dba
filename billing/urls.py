"""The doors of billing: the patient's pay link, and the channels' notices."""

from __future__ import annotations

from django.urls import URLPattern, path

from billing.views import notices, pay

urlpatterns: list[URLPattern] = [
    path("notices/<slug:channel>/<slug:merchant_no>/<slug:kind>", notices.notice, name="notice"),
    path("p/<slug:token>", pay.invoice_show, name="invoice_show"),
    path("p/<slug:token>/pay", pay.invoice_pay, name="invoice_pay"),
    path("p/<slug:token>/code", pay.invoice_code, name="invoice_code"),
    path("p/<slug:token>/result", pay.invoice_result, name="invoice_result"),
    path("p/<slug:token>/window", pay.invoice_window, name="invoice_window"),
]
