from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "webapp.api"
    label = "api"
    verbose_name = "API"

    def ready(self) -> None:
        # The schema knows its extensions once they are loaded.
        from webapp.api import schema  # noqa: F401
