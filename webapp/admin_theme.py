"""How the admin looks: its name, its icon, and its menu in the order of the work."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy

MENU = {
    "Collection": [
        ("Listening tests", "listening_tests_listeningtest", "headphones"),
        ("Pairs", "listening_tests_pair", "link"),
        ("Trials", "listening_tests_trial", "compare"),
        ("Clips", "listening_tests_clip", "graphic_eq"),
        ("Captions", "listening_tests_caption", "short_text"),
    ],
    "Ratings": [
        ("Ratings", "listening_tests_rating", "star"),
        ("Comparisons", "listening_tests_comparison", "balance"),
        ("Exclusions", "listening_tests_exclusion", "block"),
        ("Sessions", "listening_tests_session", "event_seat"),
        ("Raters", "listening_tests_rater", "groups"),
        ("Identities", "listening_tests_rateridentity", "badge"),
        ("Consents", "listening_tests_consent", "task_alt"),
        ("Questionnaires", "listening_tests_questionnaire", "assignment"),
        ("Problem reports", "listening_tests_problemreport", "report"),
        ("Withdrawals", "listening_tests_withdrawal", "logout"),
    ],
    "Training": [
        ("Plans", "worker_trainingplan", "tune"),
        ("Schedules", "worker_trainingschedule", "schedule"),
        ("Runs", "worker_trainingrun", "model_training"),
        ("Snapshots", "worker_datasetsnapshot", "photo_camera"),
        ("Models", "worker_modelversion", "deployed_code"),
        ("What beat sends", "django_celery_beat_periodictask", "notifications"),
    ],
    "Accounts": [
        ("Audit log", "listening_tests_auditentry", "history"),
        ("Users", "auth_user", "person"),
        ("Groups", "auth_group", "group"),
    ],
}


# The accent of every other page (earmark/tokens.css is its 600), lighter and darker.
PRIMARY = {
    "50": "#effaf6",
    "100": "#dcefe9",
    "200": "#b7e2d5",
    "300": "#86cfba",
    "400": "#57c7a7",
    "500": "#1d8a70",
    "600": "#0b6450",
    "700": "#095343",
    "800": "#084337",
    "900": "#07372e",
    "950": "#03201a",
}


def icon(request: object) -> str:
    return static("earmark/icon.svg")


def own_styles(request: object) -> str:
    return static("earmark/admin.css")


def dashboard_address(request: object) -> str:
    return reverse("dashboard:test_list")


def _may_see(model: str) -> Callable[[HttpRequest], bool]:
    """Whether a line of the menu leads the account anywhere. `model` is the app's label, _ and the model's name."""

    def may_see(request: HttpRequest) -> bool:
        from django.apps import apps
        from django.contrib import admin

        label, _, name = model.rpartition("_")
        return admin.site.get_model_admin(apps.get_model(label, name)).has_view_permission(request)

    return may_see


def menu() -> list[dict[str, Any]]:
    return [
        {
            "title": title,
            "separator": True,
            "items": [
                {
                    "title": name,
                    "icon": symbol,
                    "link": reverse_lazy(f"admin:{model}_changelist"),
                    "permission": _may_see(model),
                }
                for name, model, symbol in items
            ],
        }
        for title, items in MENU.items()
    ]


THEME: dict[str, Any] = {
    "SITE_TITLE": "Earmark",
    "SITE_HEADER": "Earmark",
    "SITE_URL": dashboard_address,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": icon}],
    "SHOW_HISTORY": True,
    "STYLES": [own_styles],
    "COLORS": {"primary": PRIMARY},
    "SIDEBAR": {"navigation": menu()},
}
