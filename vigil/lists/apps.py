from django.apps import AppConfig


class ListsConfig(AppConfig):
    name = "vigil.lists"
    label = "lists"
