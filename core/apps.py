from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "core"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Checks register by being imported, which needs the settings."""
        from core import checks  # noqa: F401, PLC0415
