from django.apps import AppConfig


class ReferralConfig(AppConfig):
    name = "vigil.referral"
    label = "referral"
