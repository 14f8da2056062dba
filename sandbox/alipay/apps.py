from django.apps import AppConfig


class AlipayConfig(AppConfig):
    name = "sandbox.alipay"
    label = "alipay"

    def ready(self) -> None:
        # Models exist only now.
        from sandbox.alipay.registration import register  # noqa: PLC0415

        register()
