from django.apps import AppConfig


class CaseworkConfig(AppConfig):
    name = "vigil.casework"
    label = "casework"

    def ready(self) -> None:
        from vigil.casework.sentences import SENTENCES
        from vigil.web.errors import register_sentence

        for code, sentence in SENTENCES.items():
            register_sentence(code, sentence)
