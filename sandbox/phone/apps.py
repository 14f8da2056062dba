from django.apps import AppConfig


class PhoneConfig(AppConfig):
    name = "sandbox.phone"
    label = "phone"
