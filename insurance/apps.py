from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InsuranceConfig(AppConfig):
    name = "insurance"
    verbose_name = _("Medical insurance")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Checks register by being imported, which needs the settings."""
        from insurance import checks  # noqa: F401, PLC0415
