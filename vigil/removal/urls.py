"""Routes of this room on the staff console."""

from django.urls import path

from vigil.removal import views

app_name = "removal"
urlpatterns = [
    path("board/", views.board, name="board"),
    path("notices/", views.notices, name="notices"),
    path("notices/<uuid:notice_id>/", views.notice, name="notice"),
    path("notices/<uuid:notice_id>/address/", views.set_address, name="set_address"),
    path("notices/<uuid:notice_id>/again/", views.try_again, name="try_again"),
    path("notices/<uuid:notice_id>/continue/", views.continue_reminders, name="continue"),
]
