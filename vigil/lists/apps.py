from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ListsConfig(AppConfig):
    name = "vigil.lists"
    label = "lists"

    def ready(self) -> None:
        from vigil.lists.sentences import SENTENCES
        from vigil.web.errors import register_sentence

        # The feed's counter is always there: a database that was emptied (as tests do) has it again, at 0.
        post_migrate.connect(_begin_the_feed, sender=self)
        for code, sentence in SENTENCES.items():
            register_sentence(code, sentence)


def _begin_the_feed(using: str = "default", **_: Any) -> None:
    from vigil.lists.models import FeedCounter

    FeedCounter.objects.using(using).get_or_create(id=True)
