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

from classifier.classify import classify_photo
from classifier.models import ApiToken, Prediction
from feedback.giving import give_feedback
from ml.photos import decode_photo
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
# Nor which labels one prediction has, and that one field takes another's place.
ITS_OWN = {"positive_data_acceptance": {"expected-statuses": ["2xx", "400", "404"]}}
OPERATIONS = [
    {"include-path": "/api/feedback", "checks": ITS_OWN},
    {"include-path": "/api/predictions/{id}/explanation", "checks": ITS_OWN},
    {"include-path": "/api/predict", "checks": UNDECODABLE},
    {"include-path": "/api/statistics", "checks": UNORDERED},
]
# What is about one prediction.
ONE = "/api/predictions/{id}"
THERE = [ONE, f"{ONE}/receipt", f"{ONE}/explanation", "/api/feedback"]


def as_schema(**config):
    """Our schema where tokens are asked for, to be asked about with these settings."""
    with override_settings(API_ACCESS="token"):
        schema = schemathesis.openapi.from_dict(
            SchemaGenerator().get_schema(request=None, public=True),
            config=schemathesis.Config.from_dict({"seed": 1, "operations": OPERATIONS, **config}),
        )
    schema.app = get_wsgi_application()
    return schema


def few(examples):
    return hypothesis.settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
    )


schema = as_schema()
of_what_is_there = as_schema(generation={"mode": "positive"}).include(path=THERE)


@pytest.fixture
def kept_connection():
    """Django's own test client does the same: the test's transaction is its connection's."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def bearer(tiny_engine, kept_connection, settings):
    """The headers of a token with two photos, on one of which it gave feedback."""
    settings.API_ACCESS = "token"
    token, secret = ApiToken.objects.issue("schemathesis")
    person = f"token:{token.pk}"
    for colour in ((200, 0, 0), (0, 0, 200)):
        prediction = classify_photo(decode_photo(photo_bytes(colour=colour)), person=person)
    give_feedback(prediction, person=person, correct=True)
    return {"Authorization": f"Bearer {secret}"}


@schema.parametrize()
@few(15)
def test_it_answers_as_the_schema_says(bearer, case):
    case.call_and_validate(headers=bearer)


@of_what_is_there.parametrize()
@few(8)
def test_about_what_is_there_it_answers_as_the_schema_says(bearer, case):
    """Ids made up are none: these exist, but for what an example before has erased."""
    own = Prediction.objects.first() or Prediction()
    if case.path_parameters:
        case.path_parameters["id"] = str(own.pk)
    elif isinstance(case.body, dict):
        case.body["prediction"] = str(own.pk)

    case.call_and_validate(headers=bearer)
