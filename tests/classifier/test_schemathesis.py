"""Every address of the schema, asked rightly and wrongly: it answers as the schema says."""

from datetime import datetime

import hypothesis
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import override_settings
from drf_spectacular.generators import SchemaGenerator
from hypothesis import strategies as st

from classifier.models import ApiToken
from tests.make import make_feedback, make_prediction
from tests.photos import photo_bytes

PHOTOS = st.builds(
    lambda format, colour, side: photo_bytes(format=format, colour=colour, size=(side, side)),
    st.sampled_from(["JPEG", "PNG", "WEBP", "GIF"]),
    st.tuples(*[st.integers(0, 255)] * 3),
    st.integers(1, 40),
)
schemathesis.openapi.media_type("image/*", PHOTOS)
schemathesis.openapi.format("binary", PHOTOS)

schemathesis.openapi.format(
    "date-time",
    st.datetimes(datetime(1971, 1, 2), datetime(2998, 1, 1)).map(lambda at: f"{at.isoformat()}Z"),
)
# A schema cannot say whether bytes are a photo to their end.
UNDECODABLE = {"positive_data_acceptance": {"expected-statuses": ["201", "400", "413", "415"]}}
# Nor that one time must not be after another.
UNORDERED = {"positive_data_acceptance": {"expected-statuses": ["200", "400"]}}
OPERATIONS = [
    {"include-path": "/api/predict", "checks": UNDECODABLE},
    {"include-path": "/api/statistics", "checks": UNORDERED},
]
CONFIG = schemathesis.Config.from_dict({"seed": 1, "operations": OPERATIONS})
with override_settings(API_ACCESS="token"):
    schema = schemathesis.openapi.from_dict(
        SchemaGenerator().get_schema(request=None, public=True), config=CONFIG
    )
schema.app = get_wsgi_application()


@pytest.fixture
def kept_connection():
    """Django's own test client does the same: the test's transaction is its connection's."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def bearer(engine, kept_connection, settings):
    """The headers of a token with two predictions, one of them with feedback."""
    settings.API_ACCESS = "token"
    token, secret = ApiToken.objects.issue("schemathesis")
    for label in ("cat", "dog"):
        prediction = make_prediction(label, person=f"token:{token.pk}")
    make_feedback(prediction)
    return {"Authorization": f"Bearer {secret}"}


@schema.parametrize()
@hypothesis.settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(hypothesis.HealthCheck),
)
def test_it_answers_as_the_schema_says(bearer, case):
    case.call_and_validate(headers=bearer)
