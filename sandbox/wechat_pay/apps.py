from django.apps import AppConfig


class WechatPayConfig(AppConfig):
    name = "sandbox.wechat_pay"
    label = "wechat_pay"

    def ready(self) -> None:
        # Models exist only now.
        from sandbox.wechat_pay.registration import register  # noqa: PLC0415

        register()
