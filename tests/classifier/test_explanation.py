"""Heat maps of logged answers, in the API, on the page and in the admin."""

import io
import re

import numpy as np
import pytest
from django.urls import reverse
from PIL import Image

from classifier import explaining, serving, storage
from classifier.classify import erase_prediction
from classifier.models import ModelVersion, Prediction
from ml.registry import load_card
from tests.make import FakeEngine, make_card, make_prediction
from tests.networks import tiny_network, write_tiny_version
from tests.photos import encode, photo_upload

# Red speaks for cats, blue for dogs.
COLOURS = np.array([[0.1, 0], [0, 0], [0, 0.1]], np.float32)
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch):
    monkeypatch.setattr(explaining, "_remembered", explaining.Remembered())
    spare = explaining.Spare()
    monkeypatch.setattr(explaining, "_spare", spare)
    yield
    if spare._timer:
        spare._timer.cancel()


@pytest.fixture
def live(db, settings, tmp_path, monkeypatch):
    """A live version that tells red from blue, and the versions' folder."""
    settings.MODELS_DIR = tmp_path / "models"
    add_version("2026-01-01.1", settings.MODELS_DIR).promote()
    live = serving.LiveEngine()
    live.follow()
    assert live.engine, live.problem
    monkeypatch.setattr(serving, "_live", live)
    return live


def add_version(name, root):
    network = tiny_network((0.0, 0.0), COLOURS)
    folder = write_tiny_version(root, name, files={"model.onnx": network})
    return ModelVersion.objects.register(load_card(folder))


def red_and_blue(orientation=None):
    """A photo of 90 × 60 pixels: its left third red, its right one blue, black between them."""
    pixels = np.zeros((60, 90, 3), np.uint8)
    pixels[:, :30, 0] = 220
    pixels[:, 60:, 2] = 120
    return photo_upload(encode(Image.fromarray(pixels), "PNG", orientation=orientation))


@pytest.fixture
def answered(client, live):
    client.post("/classify/", {"photo": red_and_blue()}, headers=HTMX)
    return Prediction.objects.get()


def url(prediction, **query):
    return reverse("api-explanation", args=[prediction.pk], query=query)


def pixels_of(response):
    image = Image.open(io.BytesIO(response.content))
    assert (response["Content-Type"], image.format) == ("image/png", "PNG")
    return np.asarray(image.convert("RGBA")).astype(int)


def test_json_has_the_map_and_the_part_of_the_photo_that_it_covers(client, answered):
    body = client.get(url(answered, format="json")).json()

    values = np.array(body.pop("values"))
    assert body == {
        "prediction": str(answered.pk),
        "version": "2026-01-01.1",
        "label": "cat",
        "where": "left",
        "margin": pytest.approx(2.5, abs=0.1),
        "covers": {"left": 15.0, "top": 0.0, "width": 60.0, "height": 60.0},
        "rows": 32,
        "columns": 32,
    }
    assert values.shape == (32, 32)
    assert values[:, :6].min() > 0.95
    assert values[:, 10:].max() == 0


def test_another_label_has_another_map(client, answered):
    body = client.get(url(answered, format="json", label="dog")).json()

    assert body["label"] == "dog"
    assert body["where"] == "right"
    # Blue is weaker here than red: by the same measure, so is its heat.
    assert np.array(body["values"]).max() == pytest.approx(120 / 220, abs=0.05)


def test_the_link_leads_to_a_picture_of_the_photo_with_the_heat_over_it(client, live):
    answer = client.post("/api/predict", {"image": red_and_blue()}).json()

    pixels = pixels_of(client.get(answer["links"]["explanation"]))

    assert pixels.shape == (60, 90, 4)
    assert (pixels[30, 70] == (0, 0, 120, 255)).all()  # cold: the photo
    assert pixels[30, 20, 1] > 100  # hot: there was no green before
    assert pixels[:, 78:, :3].max() < 100  # cropped away: dark


def test_an_overlay_is_clear_where_it_is_cold(client, answered):
    pixels = pixels_of(client.get(url(answered, format="png", overlay="1")))

    assert pixels.shape == (60, 90, 4)
    assert pixels[30, 70, 3] == 0
    assert pixels[30, 20, 3] > 100


def test_a_turned_photo_is_explained_as_people_see_it(client, live):
    client.post("/classify/", {"photo": red_and_blue(orientation=6)}, headers=HTMX)  # 90° clockwise

    answered = Prediction.objects.get()
    body = client.get(url(answered, format="json")).json()
    pixels = pixels_of(client.get(url(answered, overlay="1")))

    assert body["where"] == "upper"
    assert body["covers"] == {"left": 0.0, "top": 15.0, "width": 60.0, "height": 60.0}
    assert pixels.shape == (90, 60, 4)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "image/png"),
        ("application/json", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "image/png"),
        ("image/avif,image/webp,image/*,*/*;q=0.8", "image/png"),
    ],
)
def test_without_a_format_it_is_what_the_caller_accepts(client, answered, accept, kind):
    response = client.get(url(answered), headers={"Accept": accept})

    assert response.status_code == 200
    assert response["Content-Type"] == kind


@pytest.mark.parametrize("form", ["png", "json"])
def test_someone_else_s_is_not_found(client_factory, answered, form):
    response = client_factory().get(url(answered, format=form))

    assert response.status_code == 404
    assert response.json()["code"] == "not_found"


def test_staff_see_all(admin_client, answered):
    assert admin_client.get(url(answered)).status_code == 200


@pytest.mark.parametrize("form", ["png", "json"])
def test_an_erased_photo_cannot_be_explained_even_if_it_just_was(client, answered, form):
    assert client.get(url(answered, format=form)).status_code == 200
    storage.erase(answered.photo_sha256, lambda: False)

    response = client.get(url(answered, format=form))

    assert response.status_code == 404
    assert response.json() == {
        "code": "not_found",
        "detail": "The photo has been erased: there is nothing to look at any more.",
        "field": None,
    }


def test_an_erased_prediction_is_not_found(client, answered):
    where = url(answered)
    erase_prediction(answered)

    assert client.get(where).json()["code"] == "not_found"


def test_an_unknown_label_is_refused(client, answered):
    response = client.get(url(answered, label="hare"))

    assert response.status_code == 400
    assert response.json()["code"] == "unknown_label"
    assert response.json()["field"] == "label"
    assert "cat, dog" in response.json()["detail"]


def test_an_unknown_format_is_refused_in_json(client, answered):
    response = client.get(url(answered, format="gif"))

    assert response.status_code == 404
    assert response.json()["code"] == "not_found"


def test_an_answer_is_explained_by_the_version_that_gave_it(client, answered, live, settings):
    add_version("2026-01-02.1", settings.MODELS_DIR).promote()
    live.follow()
    assert live.version == "2026-01-02.1"

    body = client.get(url(answered, format="json")).json()

    assert body["version"] == "2026-01-01.1"
    assert body["where"] == "left"


def test_a_version_whose_folder_is_gone_cannot_be_asked(client, answered, live, settings):
    add_version("2026-01-02.1", settings.MODELS_DIR).promote()
    live.follow()
    (settings.MODELS_DIR / "2026-01-01.1" / "card.json").unlink()

    response = client.get(url(answered))

    assert response.status_code == 404
    assert "2026-01-01.1" in response.json()["detail"]
    assert "cannot be loaded" in response.json()["detail"]


def test_a_spare_version_is_loaded_once_and_then_forgotten(live, settings):
    spare = explaining.Spare(idle_seconds=0.01)
    version = add_version("2026-01-02.1", settings.MODELS_DIR)

    first = spare.engine_of(version)
    spare._timer.join()

    assert first.card.version == "2026-01-02.1"
    assert spare._engine is None


def test_another_spare_version_takes_the_place_of_the_one_before(live, settings):
    spare = explaining.Spare(idle_seconds=3600)
    one, two = (add_version(name, settings.MODELS_DIR) for name in ("2026-01-02.1", "2026-01-02.2"))

    assert spare.engine_of(one) is spare.engine_of(one)
    assert spare.engine_of(two).card.version == "2026-01-02.2"
    assert spare._engine.card.version == "2026-01-02.2"
    spare._timer.cancel()


def test_an_engine_without_a_network_of_ours_says_that_it_cannot_explain(
    client, answered, monkeypatch
):
    live = serving.LiveEngine()
    live.engine = FakeEngine(make_card())
    monkeypatch.setattr(serving, "_live", live)

    response = client.get(url(answered))

    assert response.status_code == 404
    assert "cannot be explained" in response.json()["detail"]


def test_looking_takes_a_turn_and_drawing_again_takes_none(client, answered, monkeypatch):
    turns = []
    slot = serving.slot
    monkeypatch.setattr(serving, "slot", lambda: turns.append(1) or slot())

    for query in ({"format": "json"}, {"overlay": "1"}, {"label": "dog"}, {}):
        assert client.get(url(answered, **query)).status_code == 200

    assert len(turns) == 1


def test_only_the_last_few_are_remembered(db):
    remembered = explaining.Remembered(most=2)
    version = make_prediction().version
    some = [make_prediction(version=version) for _ in range(3)]
    for prediction in some:
        remembered.put(prediction, ())

    assert [remembered.get(each) for each in some] == [None, (), ()]


def test_a_browser_that_has_it_need_not_fetch_it_again(client, answered):
    first = client.get(url(answered))
    assert first["Cache-Control"] == "private, max-age=3600"

    again = client.get(url(answered), headers={"If-None-Match": first["ETag"]})
    other = client.get(url(answered, label="dog"), headers={"If-None-Match": first["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert other.status_code == 200


def test_the_api_s_access_counts_here_too(client_factory, answered, settings):
    settings.API_ACCESS = "token"

    assert client_factory().get(url(answered)).json()["code"] == "not_authenticated"


# The page


def why(prediction, **query):
    return reverse("why", args=[prediction.pk], query=query)


def test_a_card_asks_why(client, live):
    page = client.post("/classify/", {"photo": red_and_blue()}, headers=HTMX).text

    assert why(Prediction.objects.get()) in page


def test_the_page_says_in_words_where_the_heat_is(client, answered):
    page = client.get(why(answered))

    assert page.status_code == 200
    assert "on the left side of the photo" in page.text
    assert "what is striped I never saw" in page.text
    assert reverse("heat", args=[answered.pk]) in page.text
    assert "<title>Why “cat”?" in page.text


def test_htmx_gets_the_part_alone(client, answered):
    part = client.get(why(answered, label="dog"), headers=HTMX).text

    assert "<html" not in part
    assert f'id="why-{answered.pk}"' in part
    assert "on the right side" in part
    assert f"{why(answered)}?label=cat" in part  # the way back


def test_the_page_s_picture_is_an_overlay_or_the_whole(client, answered):
    where = reverse("heat", args=[answered.pk])

    assert pixels_of(client.get(where))[30, 70, 3] == 0
    assert pixels_of(client.get(f"{where}?whole"))[..., 3].min() == 255


def test_the_page_of_an_erased_photo_says_so(client, answered):
    storage.erase(answered.photo_sha256, lambda: False)

    page, part = client.get(why(answered)), client.get(why(answered), headers=HTMX)

    assert page.status_code == 404
    assert part.status_code == 200  # the part takes the place of the heat map
    assert "has been erased" in page.text and "has been erased" in part.text
    assert client.get(reverse("heat", args=[answered.pk])).status_code == 404


@pytest.mark.parametrize("name", ["why", "heat"])
def test_pages_of_others_and_labels_there_are_not(client, client_factory, answered, name):
    where = reverse(name, args=[answered.pk])

    assert client_factory().get(where).status_code == 404
    assert client.get(f"{where}?label=hare").status_code == 404
    assert client.post(where).status_code == 405


def test_the_admin_shows_the_heat_beside_the_photo(admin_client, answered):
    page = admin_client.get(reverse("admin:classifier_prediction_change", args=[answered.pk])).text

    heat = f"{reverse('heat', args=[answered.pk])}?whole"
    assert heat in page
    assert pixels_of(admin_client.get(heat)).shape == (60, 90, 4)
    photo, heat_map = re.findall("<img[^>]*admin-picture[^>]*>", page)
    assert f"{photo} {heat_map}" in page  # on one line
    assert reverse("photo", args=[answered.pk]) in photo
    assert 'alt="Heat map: what spoke for “cat”."' in heat_map
    assert 'loading="lazy"' in heat_map


def test_the_admin_asks_for_no_picture_of_a_photo_that_is_erased(admin_client, answered):
    Prediction.objects.update(photo_is_kept=False)

    page = admin_client.get(reverse("admin:classifier_prediction_change", args=[answered.pk])).text

    assert "admin-picture" not in page
    assert "<span>erased</span>" in page
