"""Every setting, read once from the environment; a bad value stops the start with its name.

`.env.example` lists them with their defaults and what they mean.
"""

import os
from pathlib import Path

import environ
from csp.constants import SELF
from django.core.exceptions import ImproperlyConfigured

from catsdogs.networks import read_networks
from catsdogs.secret_key import read_or_make
from catsdogs.webhooks import read_webhook

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

# Places: nothing is written outside VAR_DIR at run time.
VAR_DIR = BASE_DIR / env.str("CATSDOGS_VAR", default="var")
MODELS_DIR = BASE_DIR / env.str("CATSDOGS_MODELS", default="models")
DATA_DIR = BASE_DIR / env.str("CATSDOGS_DATA", default="data/raw")
PHOTOS_DIR = VAR_DIR / "photos"
FEATURES_DIR = VAR_DIR / "features"
SPOOL_DIR = VAR_DIR / "spool"

# Security
DEBUG = env.bool("DEBUG", default=True)
SECRET_KEY = env.str("SECRET_KEY", default="")
if not SECRET_KEY:
    if not DEBUG:
        raise ImproperlyConfigured(
            "SECRET_KEY is not set, and without DEBUG there is no default. Set it to a long random "
            'string: python -c "import secrets; print(secrets.token_urlsafe(50))"'
        )
    SECRET_KEY = read_or_make(VAR_DIR / "secret_key")
# Keys from before: what they signed still counts, nothing new is signed with them.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "[::1]"])
# Always answered, for the container's own health check; nobody can be sent elsewhere by it.
ALLOWED_HOSTS.append("localhost")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
HTTPS = env.bool("HTTPS", default=not DEBUG)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
# The container's own health check and Prometheus ask over plain HTTP, from inside.
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
NUM_PROXIES = env.int("NUM_PROXIES", default=0)
if NUM_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": [SELF],
        "style-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        # blob: a preview before the upload; data: icons in Swagger's and the admin's stylesheets.
        "img-src": [SELF, "blob:", "data:"],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": ["'none'"],
    }
}

# Who may call the API without a session: anyone, or the bearer of a token.
API_ACCESS = env.str("CATSDOGS_API_ACCESS", default="open" if DEBUG else "token")
if API_ACCESS not in ("open", "token"):
    raise ImproperlyConfigured(
        f"CATSDOGS_API_ACCESS is 'open' or 'token'. Received: {API_ACCESS!r}"
    )

# Who may read /metrics: whoever has the token, and whoever asks from one of these networks.
METRICS_TOKEN = env.str("CATSDOGS_METRICS_TOKEN", default="")
METRICS_NETWORKS = read_networks(
    "CATSDOGS_METRICS_NETWORKS",
    env.list("CATSDOGS_METRICS_NETWORKS", default=["127.0.0.0/8", "::1/128"]),
)

# The password of the database role with which Grafana reads: see `manage.py grafana_role`.
GRAFANA_PASSWORD = env.str("CATSDOGS_GRAFANA_PASSWORD", default="")

# Whether anybody may see /insights; else only staff.
INSIGHTS_OPEN = env.bool("CATSDOGS_INSIGHTS_OPEN", default=False)

# Alerts: how often all rules are looked at, in seconds, and whom to tell.
ALERTS_EVERY = env.int("CATSDOGS_ALERTS_EVERY", default=60)
if ALERTS_EVERY and not 10 <= ALERTS_EVERY <= 3600:
    raise ImproperlyConfigured(
        f"CATSDOGS_ALERTS_EVERY is 0 (never) or 10 to 3600 seconds. Received: {ALERTS_EVERY}"
    )
ALERT_RULES = env.str("CATSDOGS_ALERT_RULES", default="")
ALERT_RULES = BASE_DIR / ALERT_RULES if ALERT_RULES else None
ALERT_MAIL_TO = list(filter(None, map(str.strip, env.list("CATSDOGS_ALERT_MAIL_TO", default=[]))))
ALERT_MAIL_FROM = env.str("CATSDOGS_ALERT_MAIL_FROM", default="catsdogs@localhost")
ALERT_WEBHOOK = read_webhook(
    "CATSDOGS_ALERT_WEBHOOK", env.str("CATSDOGS_ALERT_WEBHOOK", default="")
)
ALERT_LANGUAGE = env.str("CATSDOGS_ALERT_LANGUAGE", default="en")
# EMAIL_HOST, EMAIL_PORT and so on.
globals().update(env.email_url("EMAIL_URL", default="smtp://localhost:25"))
EMAIL_TIMEOUT = 10

# Photos
PHOTO_MAX_BYTES = env.int("CATSDOGS_PHOTO_MAX_BYTES", default=20_000_000)
PHOTO_MAX_PIXELS = env.int("CATSDOGS_PHOTO_MAX_PIXELS", default=50_000_000)
PHOTO_KEEP_DAYS = env.int("CATSDOGS_PHOTO_KEEP_DAYS", default=30)
PHOTO_MAX_BATCH = 32
# Whether an answer waits until the disk has its photo for certain.
PHOTO_SYNC = env.bool("CATSDOGS_PHOTO_SYNC", default=False)
FILE_UPLOAD_HANDLERS = ["classifier.uploads.BoundedMemoryHandler"]
DATA_UPLOAD_MAX_NUMBER_FILES = PHOTO_MAX_BATCH

# Of one person: what they say beyond it on one day teaches nothing.
FEEDBACK_PER_DAY = env.int("CATSDOGS_FEEDBACK_PER_DAY", default=50)

# One photo a core. One more answers some twentieth more photos a second, and lets everything else
# wait twice as long while more photos come than can be answered.
_CORES = os.cpu_count() or 1
INFERENCE_SLOTS = env.int("CATSDOGS_INFERENCE_SLOTS", default=0) or _CORES

# How much is taken on: see docs/reliability/overload.md.
MAX_WAIT = env.float("CATSDOGS_MAX_WAIT", default=2.0)
if not 0.1 <= MAX_WAIT <= 60:
    raise ImproperlyConfigured(f"CATSDOGS_MAX_WAIT is 0.1 to 60 seconds. Received: {MAX_WAIT}")
PHOTO_THREADS = env.int("CATSDOGS_PHOTO_THREADS", default=0) or min(2 * _CORES, 256)
if not 1 <= PHOTO_THREADS <= 256:
    raise ImproperlyConfigured(f"CATSDOGS_PHOTO_THREADS is 0 to 256. Received: {PHOTO_THREADS}")
# Of one person or address, and of one token, a minute; 0: as many as they like. On a machine of
# one's own, that is what is wanted.
PHOTOS_PER_MINUTE = env.int("CATSDOGS_PHOTOS_PER_MINUTE", default=0 if DEBUG else 600)
TOKEN_PHOTOS_PER_MINUTE = env.int("CATSDOGS_TOKEN_PHOTOS_PER_MINUTE", default=0 if DEBUG else 6000)
FEEDBACK_PER_MINUTE = env.int("CATSDOGS_FEEDBACK_PER_MINUTE", default=0 if DEBUG else 120)
UPLOAD_BUFFER_BYTES = env.int("CATSDOGS_UPLOAD_BUFFER_BYTES", default=64_000_000)
if UPLOAD_BUFFER_BYTES < 2 * PHOTO_MAX_BYTES:
    raise ImproperlyConfigured(
        "CATSDOGS_UPLOAD_BUFFER_BYTES must hold two of the largest photos (see "
        f"CATSDOGS_PHOTO_MAX_BYTES). Received: {UPLOAD_BUFFER_BYTES}"
    )

INSTALLED_APPS = [
    "catsdogs.apps.CatsDogsConfig",
    "catsdogs.apps.CatsDogsAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "template_partials",
    "csp",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "import_export",
    "classifier",
    "feedback",
    "monitoring",
]
MIDDLEWARE = [
    "monitoring.requests.Watched",
    "catsdogs.headers.Headers",
    "django.middleware.security.SecurityMiddleware",
    "classifier.express.Express",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "classifier.visitors.Visitors",
    "classifier.errors.HonestErrors",
]
ROOT_URLCONF = "catsdogs.urls"
WSGI_APPLICATION = "catsdogs.wsgi.application"
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
                "classifier.views.site",
            ],
        },
    }
]

# Database
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'catsdogs.sqlite3'}")}
_database = DATABASES["default"]
_database["CONN_MAX_AGE"] = 600
if "sqlite3" in _database["ENGINE"]:
    _database["OPTIONS"] = {
        # Writers queue up to 20 s at the start of a transaction; they do not fail in its midst.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # Readers never wait for the writer. NORMAL may lose the last rows in a power cut, never
        # in a crash of ours; PostgreSQL is the choice where that matters.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    _database["CONN_HEALTH_CHECKS"] = True
    _database.setdefault("OPTIONS", {}).setdefault("connect_timeout", 3)
# Seconds that a server waits for the database before it goes on without it.
DATABASE_DEADLINE = env.float("CATSDOGS_DATABASE_DEADLINE", default=3.0)
if not 0.1 <= DATABASE_DEADLINE <= 30:
    raise ImproperlyConfigured(
        f"CATSDOGS_DATABASE_DEADLINE is 0.1 to 30 seconds. Received: {DATABASE_DEADLINE}"
    )
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTHENTICATION_BACKENDS = [
    "classifier.lockout.LockOut",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# What the words in the code are written in; a browser that asks for another one gets that. How to
# add one: docs/languages.md.
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("fr", "Français")]
LOCALE_PATHS = [BASE_DIR / "locale"]
if ALERT_LANGUAGE not in dict(LANGUAGES):
    raise ImproperlyConfigured(
        f"CATSDOGS_ALERT_LANGUAGE is one of {', '.join(dict(LANGUAGES))}. "
        f"Received: {ALERT_LANGUAGE!r}"
    )
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
USE_I18N = True
USE_THOUSAND_SEPARATOR = True
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", default="UTC")

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
WHITENOISE_ALLOW_ALL_ORIGINS = False
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "catsdogs.staticfiles.HashedStaticFilesStorage"},
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "classifier.callers.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["classifier.callers.MayCall"],
    "DEFAULT_PARSER_CLASSES": [
        "classifier.parsers.JSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "rest_framework.renderers.BrowsableAPIRenderer",
    ],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "classifier.schema.Schema",
    "EXCEPTION_HANDLER": "classifier.errors.as_response",
    "NUM_PROXIES": NUM_PROXIES,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "catsdogs",
    "DESCRIPTION": "Send a photo, get an answer, tell us whether it was right.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "DEFAULT_GENERATOR_CLASS": "classifier.schema.Generator",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = True

# With DEBUG a developer reads the log, else a program: one line of JSON each.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "with_request_id": {"()": "monitoring.log_lines.WithRequestId"},
        "only_unforeseen": {"()": "monitoring.log_lines.OnlyUnforeseen"},
    },
    "formatters": {
        "words": {
            "format": "{asctime} {levelname} {name} [{request_id}]: {message}",
            "style": "{",
        },
        "json": {"()": "monitoring.log_lines.JsonLine"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["with_request_id"],
            "formatter": "words" if DEBUG else "json",
        }
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.request": {"filters": ["only_unforeseen"]},
        # A name that is not ours is a 400 like any other, without a traceback to fill a disk with.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
    },
}
