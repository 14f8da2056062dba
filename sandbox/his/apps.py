from django.apps import AppConfig


class HisConfig(AppConfig):
    name = "sandbox.his"
    label = "his"

    def ready(self) -> None:
        # Models exist only once the apps are ready, so the registration is imported here.
        from sandbox.his import registration  # noqa: PLC0415

        registration.register()
