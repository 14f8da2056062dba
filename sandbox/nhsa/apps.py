from django.apps import AppConfig


class NhsaConfig(AppConfig):
    name = "sandbox.nhsa"
    label = "nhsa"

    def ready(self) -> None:
        # Models exist only now.
        from sandbox.nhsa.registration import register  # noqa: PLC0415

        register()
