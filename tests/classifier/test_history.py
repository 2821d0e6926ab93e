"""One's own photos and answers: all of them, in order, and nobody else's."""

import re

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from classifier import storage
from classifier.history import PAGE, History, Wanted
from classifier.models import Prediction
from ml.photos import decode_photo
from tests.make import make_feedback, make_prediction
from tests.photos import photo_bytes, photo_upload

URL = "/history"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def ada(client, db):
    """Somebody with an account, and their client."""
    client.force_login(User.objects.create_user("ada"))
    return client


@pytest.fixture
def person(ada):
    return f"user:{User.objects.get(username='ada').pk}"


def shown(page):
    """The ids of the answers on a page, as they come."""
    return re.findall(r'id="entry-([0-9a-f-]+)"', page.text)


def ids(*predictions):
    return [str(prediction.pk) for prediction in predictions]


def test_answers_come_newest_first_and_nobody_else_s(ada, person):
    first, second = make_prediction(person=person), make_prediction("dog", person=person)
    make_prediction(person="visitor:other")

    assert shown(ada.get(URL)) == ids(second, first)


def test_a_visitor_finds_what_they_sent(client, client_factory, engine):
    client.post("/classify/", {"photo": photo_upload()})

    page = client.get(URL)

    assert shown(page) == ids(Prediction.objects.get())
    assert "Cat" in page.text and "98" in page.text
    assert "Nothing here yet" in client_factory().get(URL).text


def test_an_address_alone_is_nobody(client, engine):
    """Many people may share an address: what one of them asked the API is not for the others."""
    client.post("/api/predict", {"image": photo_upload()})
    assert Prediction.objects.get().person.startswith("address:")

    assert "Nothing here yet" in client.get(URL).text


def test_staff_see_their_own_here(admin_client):
    make_prediction(person="visitor:other")

    assert shown(admin_client.get(URL)) == []


def test_it_is_linked_from_each_page_and_never_cached(client, db):
    assert f'href="{URL}"' in client.get("/").text
    assert "no-store" in client.get(URL)["Cache-Control"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["neither", "unsure", "dog", "cat"]),
        ("answer=cat", ["cat"]),
        ("answer=unsure", ["unsure"]),
        ("said=right", ["cat"]),
        ("said=wrong", ["dog"]),
        ("said=nothing", ["neither", "unsure"]),
        ("answer=cat&said=wrong", []),
        ("answer=hare", []),
        ("answer=%00", ["neither", "unsure", "dog", "cat"]),
        ("said=nonsense", ["neither", "unsure", "dog", "cat"]),
    ],
)
def test_filters(ada, person, query, expected):
    some = {
        "cat": make_prediction("cat", person=person),
        "dog": make_prediction("dog", person=person),
        "unsure": make_prediction("cat", person=person, answer="unsure"),
        "neither": make_prediction("cat", person=person, answer="neither"),
    }
    make_feedback(some["cat"], correct=True)
    make_feedback(some["dog"], label="cat")
    # What somebody else says of them is no reason to find them.
    make_feedback(some["unsure"], person="user:999", label="dog")

    page = ada.get(f"{URL}?{query}")

    assert shown(page) == ids(*(some[name] for name in expected))
    assert ("No photo of yours fits" in page.text) is (expected == [])


def test_it_shows_what_one_said(ada, person):
    make_feedback(make_prediction("dog", person=person), label="cat")

    assert "You said wrong: cat" in ada.get(URL).text


def test_each_answer_is_on_one_page_also_while_new_ones_come_in(ada, person):
    version = make_prediction(person=person).version
    for _ in range(2 * PAGE):
        make_prediction(person=person, version=version)
    everything = ids(*Prediction.objects.of(person))

    found, address = [], URL
    while address:
        page = ada.get(address)
        found += shown(page)
        make_prediction(person=person, version=version)
        older = re.search(r'class="button" href="([^"]+before=[^"]+)"', page.text)
        address = older and older.group(1).replace("&amp;", "&")

    assert found == everything
    assert len(found) == 2 * PAGE + 1


def test_older_ones_for_htmx_are_entries_alone_and_keep_the_filter(ada, person):
    version = make_prediction(person=person).version
    for _ in range(PAGE + 1):
        make_prediction(person=person, version=version)
    newest = Prediction.objects.of(person)[0].pk

    part = ada.get(f"{URL}?answer=cat&before={newest}", headers=HTMX)

    assert "<html" not in part.text
    assert len(shown(part)) == PAGE
    assert "answer=cat&amp;before=" in part.text


def test_they_come_by_themselves_five_times_and_then_wait_for_a_click(ada, person):
    version = make_prediction(person=person).version
    for _ in range(PAGE):
        make_prediction(person=person, version=version)

    assert "intersect once" in ada.get(URL).text
    assert "page=2" in ada.get(URL).text
    assert "intersect" not in ada.get(f"{URL}?page=5").text


@pytest.mark.parametrize("query", ["before=nonsense", "page=x", "page=" + "9" * 50, "page=²"])
def test_nonsense_in_the_address_does_no_harm(ada, person, query):
    prediction = make_prediction(person=person)

    assert shown(ada.get(f"{URL}?{query}")) == ids(prediction)


def test_a_page_costs_as_many_queries_as_its_first_entry(
    ada, person, django_assert_max_num_queries
):
    version = make_prediction(person=person).version
    for _ in range(PAGE):
        make_feedback(make_prediction(person=person, version=version))

    with django_assert_max_num_queries(6):
        ada.get(URL)


def test_an_entry_is_erased_with_its_photo(ada, person):
    photo = decode_photo(photo_bytes())
    storage.keep(photo)
    gone, stays = make_prediction(person=person, photo=photo), make_prediction(person=person)
    Prediction.objects.filter(pk=stays.pk).update(photo_sha256="f" * 64)

    response = ada.post(reverse("erase_from_history", args=[gone.pk]), headers=HTMX)

    assert (response.status_code, response.text) == (200, "")
    assert list(Prediction.objects.all()) == [stays]
    assert storage.read(photo.sha256) is None


def test_without_javascript_erasing_leads_back_to_what_one_looked_at(ada, person):
    gone = make_prediction(person=person)

    response = ada.post(f"{reverse('erase_from_history', args=[gone.pk])}?answer=cat", follow=True)

    assert response.redirect_chain == [(f"{URL}?answer=cat", 303)]
    assert "Erased" in response.text
    # Twice is fine.
    assert ada.post(reverse("erase_from_history", args=[gone.pk])).status_code == 303


def test_nobody_erases_someone_else_s(ada, admin_client, person):
    other = make_prediction(person="visitor:other")

    for somebody in (ada, admin_client):
        assert somebody.post(reverse("erase_from_history", args=[other.pk])).status_code == 404
    assert Prediction.objects.count() == 1


def test_erasing_needs_a_post(ada, person):
    mine = make_prediction(person=person)

    assert ada.get(reverse("erase_from_history", args=[mine.pk])).status_code == 405


def test_an_erased_photo_leaves_its_answer(ada, person):
    make_prediction(person=person, photo_is_kept=False)

    page = ada.get(URL).text

    assert "The photo is erased" in page
    assert "<img" not in page.split('class="past"')[1]


def test_a_small_photo_is_small(client, engine):
    client.post("/classify/", {"photo": photo_upload(photo_bytes(size=(900, 600)))})
    where = reverse("photo", args=[Prediction.objects.get().pk])

    small, large = (decode_photo(client.get(url).content) for url in (f"{where}?small", where))

    assert (small.width, small.height) == (320, 213)
    assert (large.width, large.height) == (640, 427)


def test_what_is_wanted_stands_in_the_address():
    assert Wanted("cat", "right").query == {"answer": "cat", "said": "right"}
    assert Wanted().query == {}


def test_the_kinds_of_answers_are_one_s_own(db):
    make_prediction("dog", person="visitor:a")
    make_prediction("cat", person="visitor:a", answer="unsure")
    make_prediction("cat", person="visitor:b")

    assert History("visitor:a").answers() == ["dog", "unsure"]
