from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Checks register by being imported, which needs the settings."""
        from billing import checks  # noqa: F401, PLC0415
