import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from classifier.models import ApiToken
from tests.make import make_feedback, make_prediction

URL = "/api/statistics"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"


@pytest.fixture
def staff(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("staff", is_staff=True))
    return client


def test_staff_get_those_of_all_predictions(staff):
    make_feedback(make_prediction("cat"))
    make_feedback(make_prediction("dog", person="visitor:other"), correct=False)
    make_prediction("cat", answer="unsure")

    found = staff.get(URL).json()

    assert found["counts"] == {
        "predictions": 3,
        "by_answer": {"cat": 1, "dog": 1, "unsure": 1},
    }
    agreement = found["agreement"]
    assert (agreement["right"], agreement["count"], agreement["share"]) == (1, 2, 0.5)
    assert agreement["interval"] == pytest.approx([0.0945, 0.9055], abs=1e-4)
    assert agreement["by_answer"]["dog"]["share"] == 0.0
    assert agreement["by_version"]["2026-01-01.1"]["count"] == 2
    percentiles = {"p50": 2.0, "p95": 2.0, "p99": 2.0}
    assert found["latency_ms"]["total"] == percentiles
    assert found["latency_ms"]["exact"] is True


def test_others_get_those_of_their_own(client, db, settings):
    settings.API_ACCESS = "token"
    token, secret = ApiToken.objects.issue("phone")
    make_feedback(make_prediction("dog", person=f"token:{token.pk}"))
    make_feedback(make_prediction("cat"))

    found = client.get(URL, headers={"Authorization": f"Bearer {secret}"}).json()

    assert found["counts"] == {"predictions": 1, "by_answer": {"dog": 1}}
    assert found["agreement"]["count"] == 1
    assert set(found["agreement"]["by_answer"]) == {"dog"}


def test_a_person_who_is_no_staff_gets_their_own(client, django_user_model):
    user = django_user_model.objects.create_user("somebody")
    client.force_login(user)
    make_prediction("dog", person=f"user:{user.pk}")
    make_prediction("cat")

    assert client.get(URL).json()["counts"]["by_answer"] == {"dog": 1}


def test_without_a_token_a_closed_api_says_nothing(client, db, settings):
    settings.API_ACCESS = "token"

    response = client.get(URL)

    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")


def test_nothing_is_null_and_not_zero(staff):
    found = staff.get(URL).json()

    assert found["counts"] == {"predictions": 0, "by_answer": {}}
    assert found["agreement"]["share"] is None
    assert found["agreement"]["interval"] is None
    assert found["latency_ms"]["inference"] == {"p50": None, "p95": None, "p99": None}


def test_a_period_is_the_last_thirty_days_unless_asked_for(staff):
    now = timezone.now()
    make_prediction("cat", created_at=now - timedelta(days=31))
    make_prediction("dog", created_at=now - timedelta(days=29))

    assert staff.get(URL).json()["counts"]["by_answer"] == {"dog": 1}

    asked = {"since": (now - timedelta(days=32)).isoformat()}
    assert staff.get(URL, asked).json()["counts"]["predictions"] == 2

    asked = {"until": (now - timedelta(days=30)).isoformat()}
    found = staff.get(URL, asked).json()
    assert found["counts"]["by_answer"] == {"cat": 1}
    assert found["since"] < found["until"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("since=yesterday", "since"),
        ("until=%00", "until"),
        ("since=0001-01-01T00:00:00%2B14:00", "since"),
        ("until=9999-12-31T23:59:59-14:00", "until"),
        ("since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", "since"),
        ("since=2998-01-01T00:00:00Z", "since"),  # after now
    ],
)
def test_a_period_that_is_none_is_refused(staff, query, field):
    response = staff.get(f"{URL}?{query}")

    assert response.status_code == 400
    assert (response.json()["code"], response.json()["field"]) == ("invalid", field)


@pytest.mark.parametrize("since", ["2026-01-01", "2026-01-01T00:00", "1971-01-01T00:00:00Z"])
def test_a_time_without_a_zone_or_of_long_ago_is_a_time(staff, since):
    assert staff.get(URL, {"since": since}).status_code == 200


def test_it_takes_the_same_few_queries_however_much_there_is(staff, django_assert_max_num_queries):
    for _ in range(5):
        make_feedback(make_prediction())

    with django_assert_max_num_queries(9):  # session and user, and seven of three figures
        staff.get(URL)


def test_nothing_is_changed_by_asking(staff):
    assert staff.post(URL).status_code == 405


def test_the_page_s_example_has_the_fields_of_real_statistics(staff):
    text = PAGE.read_text(encoding="utf-8").partition("## Statistics")[2]
    example = json.loads(re.findall(r"```json\n(.*?)```", text, re.DOTALL)[0])
    make_feedback(make_prediction())

    real = staff.get(URL).json()

    assert shape(example) == shape(real)


def shape(value, depth=2):
    """The names in it, two levels deep: below, they are labels and versions."""
    if not isinstance(value, dict) or not depth:
        return None
    return {name: shape(each, depth - 1) for name, each in value.items()}
