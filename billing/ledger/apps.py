from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LedgerConfig(AppConfig):
    name = "billing.ledger"
    verbose_name = _("Ledger")
    label = "ledger"
    default_auto_field = "django.db.models.BigAutoField"
