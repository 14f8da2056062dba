from django.apps import AppConfig


class InsuranceConfig(AppConfig):
    name = "insurance"
    default_auto_field = "django.db.models.BigAutoField"
