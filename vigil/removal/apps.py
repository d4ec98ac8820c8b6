from django.apps import AppConfig


class RemovalConfig(AppConfig):
    name = "vigil.removal"
    label = "removal"
