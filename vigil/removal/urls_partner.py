"""Routes of this room at the partner origin: the answer page behind the link in each notice, without account."""

from django.urls import path

from vigil.core.hotline import STAFF_LANGUAGES
from vigil.removal import answer_views
from vigil.web.http import bilingual

app_name = "removal_answer"
urlpatterns = [
    path("answer/<str:token>", answer_views.in_language_of_browser, name="answer"),
    *bilingual(
        "page", "answer/<str:token>", "reponse/<str:token>", answer_views.answer_page, languages=STAFF_LANGUAGES
    ),
    *bilingual("thanks", "answered/", "repondu/", answer_views.thanks, languages=STAFF_LANGUAGES),
]
