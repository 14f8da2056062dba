from django.apps import AppConfig


class HisConfig(AppConfig):
    name = "sandbox.his"
    label = "his"
