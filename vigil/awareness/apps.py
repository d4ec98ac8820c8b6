from django.apps import AppConfig


class AwarenessConfig(AppConfig):
    name = "vigil.awareness"
    label = "awareness"

    def ready(self) -> None:
        # A page that lacks a language or names what does not exist stops the start, before anybody can meet it.
        from vigil.awareness.pages import all_pages

        all_pages()
