"""Addresses of the window, mounted before the admin's own under the same prefix."""

from __future__ import annotations

from django.urls import URLPattern, path

from billing.desk.views import bills, bindings, insurance, merges, patients, returns, reviews

urlpatterns: list[URLPattern] = [
    path("", patients.home, name="desk_home"),
    path("desk/search", patients.search, name="desk_search"),
    path("desk/patients/<int:patient_id>", patients.patient_show, name="desk_patient"),
    path("desk/patients/<int:patient_id>/reveal", patients.patient_reveal, name="desk_reveal"),
    path("desk/bills/<int:invoice_id>", bills.bill_show, name="desk_bill"),
    path("desk/bills/<int:invoice_id>/state", bills.bill_state, name="desk_bill_state"),
    path("desk/bills/<int:invoice_id>/cash", bills.cash_confirm, name="desk_cash"),
    path("desk/bills/<int:invoice_id>/collect", bills.bill_collect, name="desk_collect"),
    path("desk/bills/<int:invoice_id>/pass-over", bills.bill_pass_over, name="desk_pass_over"),
    path("desk/bills/<int:invoice_id>/return", returns.return_ask, name="desk_return"),
    path("desk/bills/<int:invoice_id>/return/send", returns.return_send, name="desk_return_send"),
    path("desk/reviews", reviews.reviews, name="desk_reviews"),
    path("desk/reviews/<int:review_id>", reviews.review_show, name="desk_review"),
    path(
        "desk/reviews/people/<int:review_id>",
        reviews.person_review_show,
        name="desk_person_review",
    ),
    path("desk/patients/<int:patient_id>/bindings", bindings.bindings, name="desk_bindings"),
    path(
        "desk/patients/<int:patient_id>/bindings/reveal",
        bindings.bindings_reveal,
        name="desk_bindings_reveal",
    ),
    path(
        "desk/patients/<int:patient_id>/bindings/end", bindings.binding_end, name="desk_binding_end"
    ),
    path(
        "desk/patients/<int:patient_id>/agreements/end",
        bindings.agreement_end,
        name="desk_agreement_end",
    ),
    path(
        "desk/patients/<int:patient_id>/insurance",
        insurance.patient_insurance,
        name="desk_insurance",
    ),
    path(
        "desk/patients/<int:patient_id>/insurance/act",
        insurance.patient_insurance_act,
        name="desk_insurance_act",
    ),
    path("desk/merges", merges.merges, name="desk_merges"),
    path("desk/merges/new", merges.merge_new, name="desk_merge_new"),
    path("desk/merges/<int:merge_id>", merges.merge_show, name="desk_merge"),
]
