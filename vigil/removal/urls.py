"""Routes of this room on the staff console."""

from django.urls import path

from vigil.removal import views

app_name = "removal"
urlpatterns = [
    path("board", views.board, name="board"),
    path("notices", views.notices, name="notices"),
    path("notices/<str:number>", views.notice, name="notice"),
    path("notices/<str:number>/address", views.set_address, name="set_address"),
    path("notices/<str:number>/again", views.try_again, name="try_again"),
    path("notices/<str:number>/continue", views.continue_reminders, name="continue"),
]
