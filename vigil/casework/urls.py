"""Routes of this room, on the console only."""

from __future__ import annotations

from django.urls import path

from vigil.casework.views import assess, cases, entries, incidents, queue, shared

app_name = "casework"
urlpatterns = [
    path("", shared.home, name="home"),
    path("queue", queue.queue, name="queue"),
    path("incidents/<str:number>", incidents.incident, name="incident"),
    path("incidents/<str:number>/claim", incidents.claim, name="claim"),
    path("incidents/<str:number>/release", incidents.release, name="release"),
    path("incidents/<str:number>/decide", incidents.decide, name="decide"),
    path("incidents/<str:number>/ask", incidents.ask, name="ask"),
    path("incidents/<str:number>/fetch", incidents.fetch, name="fetch"),
    path("incidents/<str:number>/contact", incidents.show_contact, name="contact"),
    path("incidents/<str:number>/case", incidents.open_case, name="open_case"),
    path("incidents/<str:number>/case/add", incidents.add_to_case, name="add_to_case"),
    path("incidents/<str:number>/case/out", incidents.take_out_of_case, name="take_out_of_case"),
    path("incidents/<str:number>/propose", incidents.propose, name="propose"),
    path("cases", cases.cases, name="cases"),
    path("cases/<str:number>", cases.case, name="case"),
    path("entries", entries.entries, name="entries"),
    path("entries/<str:number>", entries.entry, name="entry"),
    path("entries/<str:number>/withdraw", entries.withdraw, name="withdraw"),
    path("assess", assess.desk, name="assess"),
    path("assess/<str:number>", assess.one, name="assess_entry"),
    path("assess/<str:number>/look", assess.look, name="look"),
    path("assess/<str:number>/look/<uuid:look_id>", assess.looking, name="looking"),
    path("assess/<str:number>/preview/<uuid:look_id>", assess.preview, name="preview"),
    path("assess/<str:number>/decide", assess.decide, name="assess_decide"),
]
