from django.apps import AppConfig, apps


class AccountsConfig(AppConfig):
    name = "vigil.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Nobody signs in on the public and protocol origins: the sign-in library is not installed there.
        if apps.is_installed("allauth.mfa"):
            from vigil.accounts import signals  # noqa: F401  (connects the receivers)
