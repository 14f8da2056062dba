"""The doors of insurance: the pages of patients, and where the mobile-pay centre tells us."""

from __future__ import annotations

from django.urls import URLPattern, path

from insurance.views import centre, code, family, rights

urlpatterns: list[URLPattern] = [
    path("notices/centre/<slug:institution_code>", centre.centre_notice, name="centre_notice"),
    path("code/insurance", code.insurance_code, name="insurance_code"),
    path("code/insurance/ask", code.insurance_code_ask, name="insurance_code_ask"),
    path("code/insurance/back", code.insurance_code_back, name="insurance_code_back"),
    path("insurance", rights.insurance_rights, name="insurance_rights"),
    path("insurance/ask", rights.insurance_rights_ask, name="insurance_rights_ask"),
    path("insurance/filing", rights.filing_new, name="filing_new"),
    path("insurance/filings/<int:filing_id>", rights.filing_show, name="filing_show"),
    path("insurance/filings/<int:filing_id>/end", rights.filing_take_back, name="filing_end"),
    path("family/insurance", family.family_insurance, name="family_insurance"),
    path(
        "family/insurance/<int:access_id>",
        family.family_insurance_pays,
        name="family_insurance_pays",
    ),
]
