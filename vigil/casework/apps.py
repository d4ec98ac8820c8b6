from django.apps import AppConfig


class CaseworkConfig(AppConfig):
    name = "vigil.casework"
    label = "casework"
