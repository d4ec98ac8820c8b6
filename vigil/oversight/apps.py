from django.apps import AppConfig


class OversightConfig(AppConfig):
    name = "vigil.oversight"
    label = "oversight"

    def ready(self) -> None:
        from vigil.oversight.sentences import SENTENCES
        from vigil.web.errors import register_sentence

        for code, sentence in SENTENCES.items():
            register_sentence(code, sentence)
