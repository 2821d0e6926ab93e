"""The site's settings under test: nothing of `.env`, nothing kept, one database or the other."""

import atexit
import os
import shutil
import tempfile

from tests import postgres

_place = tempfile.mkdtemp(prefix="catsdogs-tests-")
atexit.register(shutil.rmtree, _place, ignore_errors=True)
_on_postgres = os.environ.get("CATSDOGS_TEST_DATABASE") == "postgres"

# The environment wins over .env: a developer's own settings change no test. Only CATSDOGS_DATA
# passes, which says where real photos are.
os.environ.update(
    ALLOWED_HOSTS="localhost,127.0.0.1,testserver",
    CATSDOGS_ALERTS_EVERY="0",
    CATSDOGS_ALERT_LANGUAGE="en",
    CATSDOGS_ALERT_MAIL_FROM="catsdogs@localhost",
    CATSDOGS_ALERT_MAIL_TO="",
    CATSDOGS_ALERT_RULES="",
    CATSDOGS_ALERT_WEBHOOK="",
    CATSDOGS_API_ACCESS="open",
    CATSDOGS_DATABASE_DEADLINE="3.0",
    CATSDOGS_FEEDBACK_PER_DAY="50",
    CATSDOGS_FEEDBACK_PER_MINUTE="0",
    CATSDOGS_INFERENCE_SLOTS="2",
    CATSDOGS_INSIGHTS_OPEN="false",
    CATSDOGS_MAX_WAIT="2.0",
    CATSDOGS_METRICS_NETWORKS="127.0.0.0/8,::1/128",
    CATSDOGS_METRICS_TOKEN="",
    CATSDOGS_MODELS="models",
    CATSDOGS_PHOTO_KEEP_DAYS="30",
    CATSDOGS_PHOTO_MAX_BYTES="20000000",
    CATSDOGS_PHOTO_MAX_PIXELS="50000000",
    CATSDOGS_PHOTOS_PER_MINUTE="0",
    CATSDOGS_PHOTO_THREADS="4",
    CATSDOGS_TOKEN_PHOTOS_PER_MINUTE="0",
    CATSDOGS_UPLOAD_BUFFER_BYTES="64000000",
    CATSDOGS_PHOTO_SYNC="false",
    CATSDOGS_VAR=_place,
    CSRF_TRUSTED_ORIGINS="",
    DATABASE_URL=postgres.url() if _on_postgres else f"sqlite:///{_place}/site.sqlite3",
    DEBUG="true",
    EMAIL_URL="smtp://localhost:25",
    HTTPS="false",
    NUM_PROXIES="0",
    SECRET_KEY="only for tests",
    SECRET_KEY_FALLBACKS="",
    TIME_ZONE="UTC",
    # Playwright keeps an event loop in the tests' thread, where Django would refuse to query.
    DJANGO_ALLOW_ASYNC_UNSAFE="true",
)

from catsdogs.settings import *  # noqa: E402, F403  reads the environment made above

DATABASES["default"]["CONN_MAX_AGE"] = 0  # noqa: F405
if not _on_postgres:
    # A file, as in life: the server's threads and the tests then have connections of their own.
    DATABASES["default"]["TEST"] = {"NAME": f"{_place}/tests.sqlite3"}  # noqa: F405

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {  # noqa: F405  the live server finds files by itself, uncollected
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
STATIC_ROOT.mkdir()  # noqa: F405  whitenoise warns where it is missing
