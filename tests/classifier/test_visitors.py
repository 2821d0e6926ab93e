"""What a visitor is called: their cookie, where it comes from, what it costs."""

import pytest
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.middleware import SessionMiddleware
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.http import HttpResponse
from django.test import RequestFactory

from classifier.callers import person_of
from classifier.models import Prediction
from tests.make import make_prediction
from tests.outage import database_away
from tests.photos import photo_upload


def ask(client, **how):
    return client.post("/classify/", {"photo": photo_upload()}, **how)


def request_of(client):
    """A request by this client, as views get it."""
    factory = RequestFactory()
    factory.cookies = client.cookies
    request = factory.get("/")
    for middleware in (SessionMiddleware, AuthenticationMiddleware):
        middleware(lambda request: None).process_request(request)
    return request


def with_session(client, **known):
    """Give a client a session as they were before cookies named visitors."""
    session = SessionStore()
    session.update(known)
    session.save()
    client.cookies["sessionid"] = session.session_key


def test_who_asks_has_a_cookie_of_their_own_and_no_session(client, engine):
    ask(client)

    name = client.cookies["visitor"].value.partition(":")[0]
    assert Prediction.objects.get().person == f"visitor:{name}"
    assert not Session.objects.exists()


def test_no_script_and_no_other_site_gets_the_cookie(client, engine, settings):
    settings.SESSION_COOKIE_SECURE = True
    ask(client)

    cookie = client.cookies["visitor"]
    assert cookie["httponly"] and cookie["secure"]
    assert cookie["samesite"] == "Lax"
    assert cookie["max-age"] == 400 * 24 * 3600


def test_who_comes_again_keeps_their_name_and_has_it_for_longer(client, engine):
    first = ask(client).cookies["visitor"].value.partition(":")[0]
    again = ask(client).cookies["visitor"].value.partition(":")[0]

    assert first == again
    assert Prediction.objects.of(f"visitor:{first}").count() == 2


def test_only_looking_gives_nobody_a_cookie(client, engine):
    client.get("/")
    client.get("/privacy")
    client.post("/classify/", {"photo": photo_upload(b"oops")})

    assert "visitor" not in client.cookies


@pytest.mark.parametrize("forged", ["someone", "someone:1uR0nA:forged", "", ":" * 50, "\u00e9"])
def test_a_forged_name_is_none(client, engine, forged):
    theirs = make_prediction(person="visitor:someone")
    client.cookies["visitor"] = forged

    assert client.get(f"/predictions/{theirs.pk}/").status_code == 404
    assert ask(client).status_code == 201
    assert Prediction.objects.of("visitor:someone").count() == 1


def test_a_name_signed_for_something_else_is_none(client, engine):
    theirs = make_prediction(person="visitor:someone")
    response = HttpResponse()
    response.set_signed_cookie("visitor", "someone", salt="something else")
    client.cookies["visitor"] = response.cookies["visitor"].value

    assert client.get(f"/predictions/{theirs.pk}/").status_code == 404


def test_a_new_secret_key_loses_nobody_while_the_old_one_is_a_fallback(client, engine, settings):
    ask(client)
    own = Prediction.objects.get().get_absolute_url()

    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another one"
    assert client.get(own).status_code == 200

    settings.SECRET_KEY_FALLBACKS = []
    assert client.get(own).status_code == 404


def test_an_old_session_s_visitor_keeps_what_is_theirs(client, engine):
    theirs = make_prediction(person="visitor:someone")
    with_session(client, visitor="someone", _session_expiry=3600)

    page = client.get(f"/predictions/{theirs.pk}/")

    assert page.status_code == 200
    assert page.cookies["visitor"].value.startswith("someone:")
    assert page.cookies["sessionid"]["max-age"] == 0
    # Another request with the old cookie may be under way.
    assert Session.objects.count() == 1
    del client.cookies["sessionid"]
    assert client.get(f"/predictions/{theirs.pk}/").status_code == 200


def test_an_old_session_with_a_login_stays_one(client, engine, django_user_model):
    client.force_login(django_user_model.objects.create_user("ada"))
    session = client.session
    session["visitor"] = "someone"
    session.save()

    ask(client)

    assert "visitor" not in client.cookies
    assert client.cookies["sessionid"]["max-age"] != 0
    assert Prediction.objects.get().person.startswith("user:")


def test_knowing_a_visitor_takes_no_query(client, engine, django_assert_num_queries):
    ask(client)
    request = request_of(client)

    with django_assert_num_queries(0):
        person = person_of(request)

    assert person == Prediction.objects.get().person


@pytest.mark.django_db(transaction=True)
def test_a_visitor_is_known_while_the_database_is_away(client, engine):
    ask(client)
    known = Prediction.objects.get().person

    with database_away():
        with pytest.raises(OperationalError):
            Prediction.objects.count()
        person = person_of(request_of(client))

    assert person == known
