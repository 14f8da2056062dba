"""The contract's addresses under `/api/v1/`. Numbers are checked by the views, not here, so that a
malformed one is told as such and not as a missing page."""

from django.urls import URLPattern, path, re_path
from django.views.decorators.common import no_append_slash

from billing.his.views import charges, collect, invoices, later, people
from billing.his.views.base import NowhereView

ENCOUNTER = "encounters/<str:encounter_no>"
CHARGE = f"{ENCOUNTER}/charges/<str:charge_no>"
INVOICE = "invoices/<str:invoice_no>"
DEPOSIT = f"{ENCOUNTER}/deposits/<str:deposit_no>"
PRESCRIPTION = f"{ENCOUNTER}/prescriptions/<str:prescription_no>"

put_only = later.LaterView.as_view(http_method_names=["put"])
post_only = later.LaterView.as_view(http_method_names=["post"])
get_only = later.LaterView.as_view(http_method_names=["get"])
nowhere = NowhereView.as_view(http_method_names=["get", "put", "post"])

urlpatterns: list[URLPattern] = [
    path("patients/<str:mrn>", people.PatientView.as_view()),
    path(ENCOUNTER, people.EncounterView.as_view()),
    path(f"{ENCOUNTER}/cancel", people.EncounterCancelView.as_view()),
    path(f"{ENCOUNTER}/close", people.EncounterCloseView.as_view()),
    path(f"{ENCOUNTER}/charges", charges.ChargesView.as_view()),
    path(CHARGE, charges.ChargeView.as_view()),
    path(f"{CHARGE}/cancel", charges.ChargeCancelView.as_view()),
    path(f"{ENCOUNTER}/invoices/<str:invoice_no>", invoices.InvoiceIssueView.as_view()),
    path(INVOICE, invoices.InvoiceView.as_view()),
    path(f"{INVOICE}/collect", collect.CollectView.as_view()),
    path(f"{INVOICE}/cancel", invoices.InvoiceCancelView.as_view()),
    path(f"{INVOICE}/refunds", invoices.RefundsView.as_view()),
    path("events", invoices.EventsView.as_view()),
    path(DEPOSIT, put_only),
    path(f"{ENCOUNTER}/transfer", post_only),
    path(PRESCRIPTION, put_only),
    path(f"{PRESCRIPTION}/dispensed", post_only),
    path("doctors/<str:code>/presence", put_only),
    path(f"{ENCOUNTER}/daily_list", get_only),
    re_path(r"^[\s\S]*$", no_append_slash(nowhere)),
]
