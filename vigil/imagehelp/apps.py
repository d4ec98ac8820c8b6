from django.apps import AppConfig


class ImageHelpConfig(AppConfig):
    name = "vigil.imagehelp"
    label = "imagehelp"
