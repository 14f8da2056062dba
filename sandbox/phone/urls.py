"""The phone's pages and the style sheet that the sandbox's pages share."""

from django.urls import path

from sandbox.phone import views

urlpatterns = [
    path("style.css", views.style, name="sandbox_style"),
]
