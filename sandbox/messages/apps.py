from django.apps import AppConfig


class MessagesConfig(AppConfig):
    name = "sandbox.messages"
    label = "messages"

    def ready(self) -> None:
        # Models exist only once the apps are ready, so the registration is imported here.
        from sandbox.messages import registration  # noqa: PLC0415

        registration.register()
