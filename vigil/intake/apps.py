from django.apps import AppConfig


class IntakeConfig(AppConfig):
    name = "vigil.intake"
    label = "intake"

    def ready(self) -> None:
        from vigil.intake.words import SENTENCES
        from vigil.web.errors import register_sentence

        for code, sentence in SENTENCES.items():
            register_sentence(code, sentence)
        self._check_questions()

    @staticmethod
    def _check_questions() -> None:
        """A door that asks or shows questions does not start with a set that it cannot use."""
        from django.conf import settings

        from vigil.environment import BadSetting
        from vigil.intake.questions import BadQuestions, current_set

        if settings.IS_WEB:
            try:
                current_set()
            except BadQuestions as error:
                raise BadSetting("VIGIL_HOTLINE_DIR", f"`vigil questions check` finds:\n{error}") from None
