from django.apps import AppConfig


class CrawlConfig(AppConfig):
    name = "vigil.crawl"
    label = "crawl"
