import csv
import io

import pytest
from django.urls import reverse

from classifier.models import ApiToken, ModelVersion, Prediction
from tests.make import make_feedback, make_prediction, make_version
from tests.photos import photo_upload

LIST = "/admin/classifier/prediction/"


@pytest.fixture
def staff(admin_client):
    return admin_client


def shown(client, **filters):
    return {str(row.pk) for row in client.get(LIST, filters).context["cl"].result_list}


def test_the_list_shows_answer_thumbnail_and_feedback(staff):
    prediction = make_prediction("dog", confidence=0.876)
    make_feedback(prediction, label="cat")

    page = staff.get(LIST).text

    assert reverse("photo", args=[prediction.pk]) in page
    assert "87.60%" in page
    assert "wrong: cat" in page


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"answer__exact": "dog"}, ("sure",)),
        ({"answer__exact": "unsure"}, ("doubtful",)),
        ({"version__name__exact": "2026-01-01.1"}, ("sure", "doubtful")),
        ({"feedback": "any"}, ("sure",)),
        ({"feedback": "none"}, ("doubtful",)),
        ({"feedback": "right"}, ()),
        ({"feedback": "wrong"}, ("sure",)),
        ({"confidence": "70"}, ("doubtful",)),
        ({"confidence": "100"}, ("sure",)),
        ({"created_at__gte": "2000-01-01 00:00:00+00:00"}, ("sure", "doubtful")),
    ],
    ids=str,
)
def test_filters(staff, filters, expected):
    rows = {
        "sure": make_prediction("dog", confidence=0.999),
        "doubtful": make_prediction("cat", confidence=0.6, answer="unsure"),
    }
    make_feedback(rows["sure"], label="cat")

    assert shown(staff, **filters) == {str(rows[name].pk) for name in expected}


@pytest.mark.parametrize("what", ["pk", "photo_sha256"])
def test_search_finds_by_id_and_by_hash(staff, what):
    prediction = make_prediction()

    assert shown(staff, q=str(getattr(prediction, what))) == {str(prediction.pk)}
    assert shown(staff, q="something else") == set()


def test_the_list_takes_the_same_number_of_queries_however_long_it_is(
    staff, django_assert_max_num_queries
):
    for _ in range(15):
        make_feedback(make_prediction())

    with django_assert_max_num_queries(12):
        staff.get(LIST)


def test_a_prediction_can_be_read_and_not_changed(staff):
    prediction = make_prediction()
    url = reverse("admin:classifier_prediction_change", args=[prediction.pk])

    assert prediction.photo_sha256 in staff.get(url).text
    assert staff.post(url, {"answer": "dog"}).status_code == 403
    assert Prediction.objects.get().answer == "cat"


def test_the_csv_has_a_row_for_each_prediction_and_no_formulas(staff):
    prediction = make_prediction(person="=cmd()")

    response = staff.post(f"{LIST}export/", {"format": "0", **every_column(staff)})

    row = next(csv.DictReader(io.StringIO(response.text)))
    assert "text/csv" in response["Content-Type"]
    assert row["id"] == str(prediction.pk)
    assert row["answer"] == "cat"
    assert not row["person"].startswith("=")


def every_column(client):
    form = client.get(f"{LIST}export/").context["form"]
    return {name: "on" for name in form.fields if name.startswith("predictionresource_")}


def test_visitors_do_not_get_in(client, db):
    assert client.get(LIST).status_code == 302


def test_staff_see_a_visitors_photo(staff, client, engine):
    visitor = client.__class__()
    visitor.post("/classify/", {"photo": photo_upload()})

    url = f"/photos/{Prediction.objects.get().pk}/"

    assert staff.get(url).status_code == 200


def test_a_new_token_is_shown_once_and_stored_as_a_digest(staff):
    page = staff.post("/admin/classifier/apitoken/add/", {"name": "phone"}, follow=True).text

    token = ApiToken.objects.get()
    secret = page.split("The token is ")[1].split()[0]
    assert ApiToken.objects.find(secret) == token
    assert secret not in staff.get("/admin/classifier/apitoken/").text


def test_a_revoked_token_opens_nothing(staff):
    token, secret = ApiToken.objects.issue("phone")

    staff.post(
        "/admin/classifier/apitoken/", {"action": "revoke", "_selected_action": [str(token.pk)]}
    )

    assert ApiToken.objects.find(secret) is None


def test_two_versions_cannot_be_promoted_at_once(staff):
    make_version("1", live=True)
    make_version("2")

    staff.post(
        "/admin/classifier/modelversion/", {"action": "promote", "_selected_action": ["1", "2"]}
    )

    assert ModelVersion.objects.live().get().name == "1"


@pytest.mark.parametrize("model", ["prediction", "modelversion", "promotion", "server", "apitoken"])
def test_each_list_opens(staff, model):
    make_prediction()

    assert staff.get(f"/admin/classifier/{model}/").status_code == 200


def test_the_feedback_list_opens_and_filters(staff):
    make_feedback()

    page = staff.get("/admin/feedback/feedback/", {"agrees__exact": "1"})

    assert len(page.context["cl"].result_list) == 1
