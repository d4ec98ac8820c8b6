"""Routes that only a demonstration has."""

from django.urls import path

from vigil_demo import views

app_name = "vigil_demo"
urlpatterns = [path("sign-in/<str:token>", views.sign_in, name="sign_in")]
