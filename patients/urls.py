"""The doors of the patients' own pages."""

from __future__ import annotations

from django.urls import URLPattern, path

from patients.views import binding, consents, family, phone, signin, wallets, whose

urlpatterns: list[URLPattern] = [
    path("accounts/login", signin.sign_in, name="sign_in"),
    path("accounts/code", signin.sign_in_code, name="sign_in_code"),
    path("accounts/whose", whose.sign_in_whose, name="sign_in_whose"),
    path("accounts/code/again", signin.sign_in_again, name="sign_in_again"),
    path("accounts/with/<slug:door>", wallets.sign_in_wallet, name="sign_in_wallet"),
    path("accounts/with/<slug:door>/back", wallets.sign_in_back, name="sign_in_back"),
    path("accounts/phone", phone.phone_new, name="phone_new"),
    path("accounts/phone/old", phone.phone_old, name="phone_old"),
    path("accounts/phone/code", phone.phone_new_code, name="phone_new_code"),
    path("accounts/logout", signin.sign_out, name="sign_out"),
    path("consents", consents.consents, name="consents"),
    path("consents/first", consents.consent_first, name="consent_first"),
    path("consents/refused", consents.consent_refused, name="consent_refused"),
    path("consents/<slug:purpose>", consents.consent_show, name="consent_show"),
    path("family/add", binding.binding_new, name="binding_new"),
    path("family/add/<int:binding_id>", binding.binding_code, name="binding_code"),
    path("family/add/<int:binding_id>/again", binding.binding_again, name="binding_again"),
    path("family/add/<int:binding_id>/drop", binding.binding_drop, name="binding_drop"),
    path("family/<int:access_id>/grant", family.family_grant, name="family_grant"),
    path("family/<int:access_id>/end", family.family_end, name="family_end"),
]
