from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "vigil_demo"
    label = "vigil_demo"
