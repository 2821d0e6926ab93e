"""Who may see what: every address is walked, so a new one cannot be forgotten."""

import re
import uuid

import pytest
from django.utils import timezone

from classifier import storage
from classifier.ids import uuid7
from classifier.models import ApiToken, Prediction
from feedback.models import Feedback
from tests.make import make_feedback, make_prediction
from tests.photos import photo_upload
from tests.routes import every_route

# Whose address it is, if it names no prediction: then it is for whoever that prediction is of.
PUBLIC = {
    *("home", "classify", "favicon.ico", "healthz", "readyz", "privacy", "set_consent"),
    *("erase_all", "models", "compare_models", "model", "model_card", "model_figure"),
    *("api-root", "api-predict", "api-predict-batch", "api-predictions", "api-models", "api-model"),
    *("visitor", "history", "about", "ml-test-score", "set_language"),
    *("api-feedback", "api-statistics", "api-schema", "api-docs", "api/nothing"),
    *("admin:login", "admin:logout"),
}
STAFF = {
    *("review", "undo_review", "decide_review", "skip_review", "runs", "start_run", "run"),
    *("cancel_run", "replays", "start_replay", "replay", "cancel_replay"),
    *("roll_back", "promote", "following", "insights", "insights-csv", "metrics"),
}
METHODS = ("get", "head", "post", "put", "patch", "delete")


def name_of(route):
    if route.pattern.startswith("admin/"):
        return f"admin:{route.name}"
    return route.name or route.pattern


def is_staffs(route):
    name = name_of(route)
    return name in STAFF or (name.startswith("admin:") and name not in PUBLIC)


def is_someones(route):
    return not is_staffs(route) and {"prediction_id", "pk"} & set(route.parts)


SOMEONES = [route for route in every_route() if is_someones(route)]


@pytest.fixture(autouse=True)
def far_away(settings):
    settings.METRICS_NETWORKS = []


@pytest.fixture
def own(client, tiny_engine):
    """A visitor's prediction with its photo and their feedback."""
    client.post("/classify/", {"photo": photo_upload()})
    prediction = Prediction.objects.get()
    client.post(f"/feedback/{prediction.pk}/", {"label": "dog", "consent": "true"})
    return prediction


@pytest.fixture
def strangers(own, client_factory, django_user_model):
    """Clients of everybody else, by who they are."""
    _, secret = ApiToken.objects.issue("phone")
    everybody = {
        "nobody": client_factory(),
        "visitor": client_factory(),
        "token": client_factory(headers={"Authorization": f"Bearer {secret}"}),
        "person": client_factory(),
        "former": client_factory(),
    }
    everybody["visitor"].post("/classify/", {"photo": photo_upload()})
    everybody["person"].force_login(django_user_model.objects.create_user("ada"))
    former = django_user_model.objects.create_user("eve", is_staff=True, is_active=False)
    everybody["former"].force_login(former)
    return everybody


def said(response):
    """An answer but for what differs from one request to the next."""
    text = response.content.decode()
    return response.status_code, re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|value=\"\w{64}\"", "", text)


def test_every_address_says_whose_it_is():
    unsaid = {
        name_of(route)
        for route in every_route()
        if not (name_of(route) in PUBLIC or is_staffs(route) or is_someones(route))
    }

    assert unsaid == set(), "say in the tables above who may see it"
    assert len(SOMEONES) >= 7


@pytest.mark.parametrize("route", SOMEONES, ids=lambda route: route.pattern)
def test_another_s_prediction_is_as_good_as_none(client, own, strangers, route):
    theirs = route.path({"prediction_id": own.pk, "pk": own.pk})
    none = route.path({"prediction_id": uuid7(), "pk": uuid7()})

    for who, stranger in strangers.items():
        for method in METHODS:
            answer = getattr(stranger, method)(theirs)
            assert answer.status_code in (404, 405), (who, method)
            # Erasing a second time changes nothing, and says so.
            if route.name not in ("erase", "erase_from_history"):
                assert said(answer) == said(getattr(stranger, method)(none)), (who, method)

    assert Feedback.objects.get().label == "dog"
    assert storage.read(own.photo_sha256)
    own.refresh_from_db()
    assert own.keep_until is None
    answers = [getattr(client, method)(theirs).status_code for method in ("get", "post")]
    assert set(answers) - {404, 405}, "nor is it there for its owner"


def test_feedback_on_another_s_prediction_is_not_taken(own, strangers):
    for stranger in strangers.values():
        about = {"prediction": str(own.pk), "label": "cat"}
        answer = stranger.post("/api/feedback", about)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_prediction")
        absent = stranger.post("/api/feedback", {**about, "prediction": str(uuid7())})
        assert said(answer) == said(absent)

    assert Feedback.objects.get().label == "dog"


def test_staff_s_pages_are_for_staff(own, strangers):
    values = {
        **{"prediction_id": own.pk, "run_id": uuid.uuid4(), "replay_id": uuid.uuid4()},
        **{"name": "2026-01-01.1", "object_id": own.pk, "content_type_id": 1, "id": 1},
        **{"app_label": "classifier", "url": "nothing"},
    }
    pages = [route for route in every_route() if is_staffs(route)]
    asks = [(page, who, "get") for page in pages for who in ("nobody", "person")]
    asks += [(page, "person", "post") for page in pages]
    ours = [page for page in pages if not page.pattern.startswith("admin/")]
    asks += [(page, who, each) for page in ours for who in strangers for each in ("get", "post")]

    for page, who, method in asks:
        answer = getattr(strangers[who], method)(page.path(values))
        if answer.status_code == 302:
            assert answer["Location"].startswith("/admin/login/"), (page, who, method)
        else:
            assert answer.status_code in (403, 404, 405), (page, who, method)
    assert len(pages) > 100


def test_being_staff_alone_opens_no_table_of_the_admin(client_factory, django_user_model, own):
    staff = client_factory()
    staff.force_login(django_user_model.objects.create_user("bob", is_staff=True))

    for table in ("auth/user", "classifier/apitoken", "classifier/prediction", "feedback/consent"):
        for page in ("", "add/", f"{own.pk}/change/"):
            assert staff.get(f"/admin/{table}/{page}").status_code == 403, (table, page)


def test_no_filter_lists_another_s(strangers):
    make_feedback(make_prediction(person="visitor:someone"))
    known = [{"label": "cat"}, {"answer": "cat"}, {"version": "2026-01-01.1"}, {"page_size": "500"}]
    known += [{"has_feedback": "true"}, {"since": "2000-01-01T00:00:00Z"}]
    guessed = [{"person": "visitor:someone"}, {"person__startswith": ""}, {"ordering": "person"}]
    guessed += [{"feedback__person": "visitor:someone"}, {"version__predictions__label": "cat"}]

    for filters in ({}, *known, *guessed):
        for who in ("nobody", "person", "token"):
            listed = strangers[who].get("/api/predictions", filters).json()["results"]
            assert listed == [], (who, filters)
    assert len(strangers["visitor"].get("/api/predictions").json()["results"]) == 1


def test_another_s_cursor_lists_nothing_of_theirs(client, own, strangers):
    client.post("/classify/", {"photo": photo_upload()})
    following = client.get("/api/predictions", {"page_size": 1}).json()["next"]
    assert client.get(following).json()["results"]

    for who in ("nobody", "person", "token"):
        assert strangers[who].get(following).json()["results"] == []


def test_statistics_count_nobody_else(own, strangers):
    for who in ("nobody", "person", "token"):
        statistics = strangers[who].get("/api/statistics").json()
        assert statistics["counts"]["predictions"] == 0
        assert statistics["agreement"]["count"] == 0


def test_ids_cannot_be_guessed_from_one_another():
    ids = [uuid7().int for _ in range(1000)]

    assert len({number & (1 << 62) - 1 for number in ids}) == 1000
    gaps = {later - earlier for earlier, later in zip(ids, ids[1:], strict=False)}
    assert len(gaps) == 999


def test_an_address_s_predictions_are_for_that_address(client_factory, engine):
    one, other = client_factory(REMOTE_ADDR="192.0.2.1"), client_factory(REMOTE_ADDR="192.0.2.2")
    path = one.post("/api/predict", {"image": photo_upload()}).json()["links"]["self"]

    assert one.get(path).status_code == 200
    assert other.get(path).status_code == 404
    forwarded = {"X-Forwarded-For": "192.0.2.1", "X-Real-IP": "192.0.2.1", "Forwarded": "for=::1"}
    assert other.get(path, headers=forwarded).status_code == 404


def test_a_revoked_token_s_predictions_are_nobody_s(client, engine, settings):
    settings.API_ACCESS = "token"
    token, secret = ApiToken.objects.issue("phone", revoked_at=timezone.now())
    own = make_prediction(person=f"token:{token.pk}")

    answer = client.get(f"/api/predictions/{own.pk}", headers={"Authorization": f"Bearer {secret}"})

    assert answer.status_code == 401
