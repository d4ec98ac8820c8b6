from django.apps import AppConfig


class ReferralConfig(AppConfig):
    name = "vigil.referral"
    label = "referral"

    def ready(self) -> None:
        from vigil.referral.sentences import SENTENCES
        from vigil.web.errors import register_sentence

        for code, sentence in SENTENCES.items():
            register_sentence(code, sentence)
