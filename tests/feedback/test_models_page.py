"""The pages of the versions: what everyone may read there, and what only staff may do."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.utils import timezone

from classifier.models import ModelVersion, Promotion, Server
from classifier.versions import PromotionError
from feedback.going_live import make_live
from feedback.models import Replay, ReplayedAnswer, TrainingRun
from tests.make import make_prediction, make_saved_version

FIGURE = b"<svg xmlns='http://www.w3.org/2000/svg'/>"
SCORES = {
    "count": 200,
    "accuracy": 0.975,
    "accuracy_interval": [0.942, 0.989],
    "log_loss": 0.0812,
    "told": {"answered": 0.91, "right": 0.99, "unsure": 0.05, "neither": 0.04},
    "slices": {"focus: sharp": {"count": 120, "accuracy": 0.98, "log_loss": 0.07}},
}
EPOCHS = [{"epoch": n, "loss": 1 / n, "calibration_loss": 2 / n, "accuracy": 0.5} for n in (1, 2)]


@pytest.fixture
def root(db, settings, tmp_path):
    """Where versions lie."""
    settings.MODELS_DIR = tmp_path / "models"
    return settings.MODELS_DIR


@pytest.fixture
def two(root):
    """A live version and a newer candidate, measured on the same data."""
    old = make_saved_version(root, "1", live=True, scores=SCORES)
    scores = {**SCORES, "accuracy": 0.985}
    new = make_saved_version(root, "2", created="2026-02-01T00:00:00+00:00", scores=scores)
    return old, new


@pytest.fixture
def staff(db, client_factory):
    """Whoever may act: a client that is logged in as maria."""
    client = client_factory()
    client.force_login(get_user_model().objects.create_user("maria", is_staff=True))
    return client


def live():
    return ModelVersion.objects.live().get().name


def write_card(root, name, text):
    (root / name / "card.json").write_text(text)


def refuse(candidate, live):
    check = {"name": "base holdout", "passed": False, "candidate": 0.9, "live": 0.95}
    verdict = {"passed": False, "checks": [{**check, "limit": "no worse", "words": "10 got lost."}]}
    return TrainingRun.objects.create(
        state="done", outcome="refused", candidate=candidate, live=live, verdict=verdict
    )


def make_server(version, **changes):
    row = {"host": "web-7", "pid": 4321, "seen_at": timezone.now(), **changes}
    return Server.objects.create(version=version, **row)


# The list


def test_versions_are_listed_newest_first_with_the_live_one_on_top(client, two):
    page = client.get("/models").text

    assert page.index("Answering now") < page.index('id="version-1"')
    assert page.index(">2</a></h2>") < page.rindex(">1</a></h2>")
    assert page.count(">Live<") == 1


def test_a_version_tells_its_scores_and_its_data(client, two):
    page = client.get("/models").text

    for text in ("97.50", "94.20 to 98.90", "0.0812", "91.00", "99.00", "d" * 12, "cat and dog"):
        assert text in page
    assert "d" * 13 not in page


def test_without_any_version_it_says_what_to_do(client, root):
    assert "register_models" in client.get("/models").text


def test_versions_that_are_not_live_can_be_gone_through_by_page(client, root):
    for number in range(21):
        make_saved_version(root, f"v{number}")

    assert "Page 1 of 2" in client.get("/models").text
    assert "Page 2 of 2" in client.get("/models?page=99").text


def test_the_number_of_queries_does_not_grow_with_the_versions(
    staff, root, two, django_assert_num_queries
):
    refuse(two[1], two[0])
    make_server("1")
    with django_assert_num_queries(9):
        staff.get("/models")
    for number in range(3, 9):
        refuse(make_saved_version(root, str(number)), two[0])
        make_server("1", pid=number)

    with django_assert_num_queries(9):
        staff.get("/models")


@pytest.mark.parametrize(
    ("path", "queries"), [("/models/2", 8), ("/models/compare?a=1&b=2", 11), ("/models/2/card", 1)]
)
def test_the_other_pages_ask_for_little(staff, two, path, queries, django_assert_max_num_queries):
    with django_assert_max_num_queries(queries):
        staff.get(path)


def test_photos_that_were_taken_back_are_marked(client, two):
    ModelVersion.objects.filter(pk="2").update(withdrawn_photos=2)

    text = "It learnt from 2 photos that were taken back since; the next training leaves them out."
    assert text in client.get("/models").text
    assert text in client.get("/models/2").text


def test_a_refused_candidate_says_why(client, two):
    refuse(two[1], two[0])

    page = client.get("/models").text

    assert "Refused" in page
    assert "10 got lost." in page
    assert "Refitted on 0 reviewed photos" in page


# What is on disk


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda folder: folder.rename(folder.with_name("away")), "Its folder is missing."),
        (lambda folder: (folder / "model.onnx").unlink(), "model.onnx cannot be read"),
        (lambda folder: (folder / "model.onnx").write_bytes(b"x"), "not the file that was saved"),
        (lambda folder: (folder / "card.json").unlink(), "card.json cannot be read"),
        (lambda folder: (folder / "card.json").write_text("{"), "card.json cannot be read"),
        (lambda folder: (folder / "card.json").write_bytes(b"\xff\xfe"), "card.json cannot be"),
    ],
    ids=["no folder", "no network", "another network", "no card", "half a card", "no text"],
)
def test_a_broken_folder_is_told_and_breaks_no_page(staff, root, two, harm, said):
    assert "Cannot be loaded" not in staff.get("/models").text

    harm(root / "2")

    for path in ("/models", "/models/2", "/models/compare?a=1&b=2", "/models/2/promote"):
        response = staff.get(path)
        assert response.status_code == 200
        assert "compare" in path or said in response.text
    assert "<button" not in staff.get("/models/2/promote").text.partition("<footer")[0]


@pytest.mark.parametrize("value", ["null", "[]", '"x"', "7", "1e999", '{"a": null}'])
@pytest.mark.parametrize("key", ["scores", "data", "training", "files", "second", "labels"])
def test_a_card_may_hold_anything(client, root, two, key, value):
    card = json.loads((root / "2" / "card.json").read_text())
    write_card(root, "2", json.dumps({**card, key: "VALUE"}).replace('"VALUE"', value))

    assert client.get("/models/2").status_code == 200


@pytest.mark.parametrize("field", ["scores", "thresholds", "labels"])
@pytest.mark.parametrize("value", [None, [], "x", 7, {"accuracy": "x", "slices": [1], "told": 3}])
def test_a_row_may_hold_anything(client, two, field, value):
    if value is None:
        value = {"slices": {"a": None}, "second": {"below": None}, "accuracy_interval": [None, 1]}
    ModelVersion.objects.filter(pk="2").update(**{field: value})

    for path in ("/models", "/models/2", "/models/compare?a=1&b=2"):
        assert client.get(path).status_code == 200


def test_files_of_another_version_under_its_name_are_told(client, root, two):
    ModelVersion.objects.filter(pk="2").update(weights_sha256="f" * 64)

    assert "not those that were registered" in client.get("/models/2").text


# One version


def test_a_version_shows_its_receipt_its_thresholds_and_its_slices(client, root):
    make_saved_version(
        root, "1", scores=SCORES, unsure_below=0.8241, neither_above=0.5, code_revision="abc123"
    )

    page = client.get("/models/1").text

    for text in ("d" * 64, "abc123", "less than 82.41", "novelty above 0.5", "Focus: sharp"):
        assert text in page


@pytest.mark.parametrize(
    ("training", "words"),
    [
        ({"recipe": {}}, "Trained from random weights"),
        ({"config": {}}, "A linear head, trained on frozen ImageNet features"),
        ({"recipe": {}, "base": {"version": "7.1"}}, "Refitted on reviewed photos from people"),
    ],
)
def test_a_version_says_how_it_came(client, root, training, words):
    make_saved_version(root, "1", training=training)

    assert words in client.get("/models/1").text


def test_how_it_did_on_people_s_photos_is_told_apart(client, root):
    make_saved_version(root, "1", scores={**SCORES, "feedback": {"count": 40, "accuracy": 0.9}})

    assert "Of 40 reviewed photos from people" in client.get("/models/1").text


@pytest.mark.parametrize("history", [[0.7, 0.1, 0.05], EPOCHS], ids=["steps", "epochs"])
def test_a_training_curve_is_drawn_and_told_in_numbers(client, root, history):
    make_saved_version(root, "1", training={"history": history})

    page = client.get("/models/1").text

    assert "<polyline" in page
    assert "The numbers" in page
    assert "ends at" in page


@pytest.mark.parametrize(
    "history",
    [[], [0.5], "text", {"a": 1}, [None, None], [{}, {}], [{"loss": "x"}] * 3, [True, False], 5],
)
def test_no_curve_is_drawn_where_there_are_not_two_points(client, root, history):
    make_saved_version(root, "1", training={"history": history})

    response = client.get("/models/1")

    assert response.status_code == 200
    assert "<polyline" not in response.text


def test_a_curve_that_never_moves_or_falls_to_nothing_is_drawn_too(client, root):
    for name, history in {"1": [0.5, 0.5], "2": [1.0, 0.0], "3": [-1.0, 1e-9] * 5000}.items():
        make_saved_version(root, name, training={"history": history})

        assert "<polyline" in client.get(f"/models/{name}").text


def test_the_verdict_is_a_table_of_its_checks(client, two):
    refuse(two[1], two[0])

    page = client.get("/models/2").text

    assert "It was refused: 2 judged against 1" in page
    assert "Base holdout" in page
    assert "Limit: no worse" in page


@pytest.mark.parametrize("verdict", [None, [], "x", {"passed": 3, "checks": [None, {"name": 5}]}])
def test_a_verdict_may_hold_anything(client, two, verdict):
    TrainingRun.objects.create(state="done", candidate=two[1], live=two[0], verdict=verdict)

    assert client.get("/models/2").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/models/nothing",
        "/models/..",
        "/models/%2e%2e%2fetc",
        "/models/..%2f1",
        "/models/1%00",
        "/models/1%0A",
        "/models/nothing/card",
        "/models/nothing/figures/a.svg",
        "/models/1/figures/other.svg",
        "/models/1/figures/model.onnx",
        "/models/1/figures/..%2fcard.json",
        "/models/1/figures/%2e%2e%2f%2e%2e%2f2%2fa.svg",
        "/models/1/figures/card.json",
        "/models/1/card",
        "/models/compare?a=1&b=nothing",
        "/models/compare?a=1&b=%00",
        "/models/compare?a=..%2f1&b=1",
    ],
)
def test_whatever_is_not_there_is_a_404(client, two, path):
    assert client.get(path).status_code == 404


# Files of a version


@pytest.fixture
def drawn(root):
    """A version with a figure and a model card."""
    from ml.registry import load_card, save_version
    from tests.make import make_card

    files = {"model.onnx": b"x", "roc.svg": FIGURE, "MODEL_CARD.md": b"# Version <1>"}
    folder = save_version(root, make_card("1"), files)
    ModelVersion.objects.register(load_card(folder))
    return folder


def test_a_figure_is_shown_and_can_do_nothing_else(client, drawn):
    response = client.get("/models/1/figures/roc.svg")

    assert response.content == FIGURE
    assert response["Content-Type"] == "image/svg+xml"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"].startswith("default-src 'none';")
    assert "sandbox" in response["Content-Security-Policy"]
    assert '<img src="/models/1/figures/roc.svg"' in client.get("/models/1").text


def test_a_figure_that_was_changed_is_not_served(client, drawn):
    (drawn / "roc.svg").write_bytes(b"<svg><script>alert(1)</script></svg>")

    assert client.get("/models/1/figures/roc.svg").status_code == 404


def test_a_figure_that_the_card_does_not_list_is_not_served(client, drawn):
    (drawn / "planted.svg").write_bytes(FIGURE)

    assert client.get("/models/1/figures/planted.svg").status_code == 404


def test_the_model_card_is_text_and_never_markup(client, drawn):
    page = client.get("/models/1/card").text

    assert "# Version &lt;1&gt;" in page


# Two versions


def test_two_versions_on_the_same_data_differ_by_so_much(client, two):
    page = client.get("/models/compare?a=1&b=2").text

    assert "+1.00 points" in page
    assert "better" in page


@pytest.mark.parametrize(
    "changes", [{"data_digest": "e" * 64}, {"data_digest": ""}, {"scores": {**SCORES, "count": 9}}]
)
def test_no_difference_is_claimed_on_different_data(client, two, changes):
    ModelVersion.objects.filter(pk="2").update(**changes)

    page = client.get("/models/compare?a=1&b=2").text

    assert "No difference is claimed" in page
    assert "points" not in page
    assert "better" not in page


def test_slices_of_different_size_are_not_compared(client, two):
    slices = {"focus: sharp": {"count": 119, "accuracy": 0.5}}
    ModelVersion.objects.filter(pk="2").update(scores={**SCORES, "slices": slices})

    page = client.get("/models/compare?a=1&b=2").text

    assert "119 photos" in page
    assert "−48.00 points" not in page


def test_without_two_names_it_asks_which(client, two):
    page = client.get("/models/compare").text

    assert "<option selected>1</option>" in page
    assert "<option selected>2</option>" in page


def test_a_version_may_be_compared_with_itself(client, two):
    assert "the same version twice" in client.get("/models/compare?a=1&b=1").text


def test_a_replay_tells_how_often_both_said_the_same(client, two):
    replay = Replay.objects.create(version=two[1], last=2, state="done")
    for label in ("cat", "dog"):
        ReplayedAnswer.objects.create(
            replay=replay,
            prediction=make_prediction(label, version=two[0]),
            answer="cat",
            label="cat",
            confidence=0.9,
            probabilities={},
            inference_ms=1.0,
        )

    page = client.get("/models/compare?a=2&b=1").text

    assert "2 photos that 1 had answered were shown to 2" in page
    assert "the same of 1" in page


# Privacy


def test_who_promoted_and_which_servers_answer_is_for_staff_only(client, staff, two):
    two[1].promote("maria")
    make_server("2", problem="no disk")

    for path in ("/models", "/models/2"):
        page = client.get(path).text
        assert "by staff" in page
        assert "maria" not in page
        assert "web-7" not in page
        assert "promote" not in page
        assert "rollback" not in page
        assert "by maria" in staff.get(path).text
        assert "web-7" in staff.get(path).text


def test_a_retraining_is_named_as_what_promoted(client, two):
    two[1].promote("retrain")

    assert "by retraining" in client.get("/models/2").text


# Acting


@pytest.mark.parametrize("path", ["/models/2/promote", "/models/rollback"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_only_staff_may_act(client, two, path, method):
    two[1].promote()
    two[0].promote()
    ordinary = get_user_model().objects.create_user("someone")

    for login in (lambda: None, lambda: client.force_login(ordinary)):
        login()
        response = getattr(client, method)(path, {"version": "2", "instead_of": "1"})
        assert response.status_code == 302
        assert response.url.startswith("/admin/login/")
    assert live() == "1"


def test_acting_needs_a_token_against_forgery(client_factory, two):
    client = client_factory(enforce_csrf_checks=True)
    client.force_login(get_user_model().objects.create_user("maria", is_staff=True))

    assert client.post("/models/2/promote", {"instead_of": "1"}).status_code == 403
    assert live() == "1"


def test_looking_at_the_confirmation_changes_nothing(staff, two):
    page = staff.get("/models/2/promote").text

    assert "Let 2 answer?" in page
    assert "from 1 to 2" in page
    assert "97.50" in page
    assert live() == "1"


def test_a_confirmed_version_answers(staff, two):
    make_server("1")

    response = staff.post("/models/2/promote", {"instead_of": "1"}, follow=True)

    assert response.redirect_chain == [("/models/2", 303)]
    assert "0 of 1 server answers with it" in response.text
    assert live() == "2"
    assert Promotion.objects.first().by == "maria"


def test_a_double_click_promotes_once(staff, two):
    for _ in range(2):
        assert staff.post("/models/2/promote", {"instead_of": "1"}).status_code == 303

    assert Promotion.objects.filter(version="2").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_who_saw_the_same_one_wins(settings, tmp_path):
    settings.MODELS_DIR = tmp_path
    make_saved_version(tmp_path, "1", live=True)
    rivals = [make_saved_version(tmp_path, name) for name in ("2", "3")]
    start = threading.Barrier(len(rivals), timeout=30)

    def click(version):
        start.wait()
        try:
            return make_live(version, by="maria", instead_of="1")
        except PromotionError as error:
            return str(error)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(rivals)) as pool:
        outcomes = list(pool.map(click, rivals))

    winner = rivals[outcomes.index(True)]
    assert live() == winner.name
    assert any(f"Meanwhile {winner} is live" in str(outcome) for outcome in outcomes)
    assert Promotion.objects.count() == 2


def test_a_live_version_has_nothing_to_confirm(staff, two):
    assert "It answers already" in staff.get("/models/1/promote").text


def test_a_promotion_that_was_overtaken_changes_nothing(staff, root, two):
    make_saved_version(root, "3", live=True)

    response = staff.post("/models/2/promote", {"instead_of": "1"})

    assert response.status_code == 409
    assert "Meanwhile 3 is live" in response.text
    assert "from 3 to 2" in response.text
    assert live() == "3"


def test_the_first_version_of_all_can_be_promoted(staff, root):
    make_saved_version(root, "1")

    assert "No version is live now" in staff.get("/models/1/promote").text
    assert staff.post("/models/1/promote", {"instead_of": ""}).status_code == 303
    assert live() == "1"


@pytest.mark.parametrize("file", ["model.onnx", "card.json"])
def test_a_version_with_changed_files_does_not_go_live(staff, root, two, file):
    (root / "2" / file).write_bytes(b"other")

    response = staff.post("/models/2/promote", {"instead_of": "1"})

    assert response.status_code == 409
    assert "Nothing was changed." in response.text
    assert live() == "1"


def test_a_version_that_knows_other_labels_says_so(staff, root, two):
    make_saved_version(root, "3", labels=("rose", "tulip"))

    assert "other labels: rose and tulip" in staff.get("/models/3/promote").text


def test_a_rollback_says_where_it_leads_and_leads_there(staff, two):
    two[1].promote()
    assert "Go back to 1?" in staff.get("/models/rollback").text

    response = staff.post("/models/rollback", {"version": "1", "instead_of": "2"})

    assert (response.status_code, response.url) == (303, "/models/1")
    assert live() == "1"
    assert Promotion.objects.first().is_rollback


def test_a_double_click_goes_back_once(staff, root, two):
    two[1].promote()
    make_saved_version(root, "3", live=True)

    for _ in range(2):
        staff.post("/models/rollback", {"version": "2", "instead_of": "3"})

    assert live() == "2"
    assert Promotion.objects.filter(is_rollback=True).count() == 1


def test_a_rollback_that_was_overtaken_changes_nothing(staff, root, two):
    two[1].promote()
    make_saved_version(root, "3", live=True)

    response = staff.post("/models/rollback", {"version": "1", "instead_of": "2"})

    assert response.status_code == 409
    assert live() == "3"


def test_a_rollback_to_a_version_that_was_not_the_one_before_changes_nothing(staff, root, two):
    make_saved_version(root, "3")
    two[1].promote()

    response = staff.post("/models/rollback", {"version": "3", "instead_of": "2"})

    assert response.status_code == 409
    assert live() == "2"


def test_a_rollback_to_missing_files_changes_nothing(staff, root, two):
    two[1].promote()
    (root / "1" / "model.onnx").unlink()

    response = staff.post("/models/rollback", {"version": "1", "instead_of": "2"})

    assert response.status_code == 409
    assert live() == "2"


@pytest.mark.parametrize("name", ["", "nothing", "\0", "../1"])
def test_a_rollback_to_what_is_no_version_is_a_404(staff, two, name):
    two[1].promote()

    assert staff.post("/models/rollback", {"version": name}).status_code == 404


def test_the_first_version_has_nothing_to_go_back_to(staff, two):
    assert "Nothing to go back to" in staff.get("/models/rollback").text


# Who follows


def test_it_is_asked_again_until_all_servers_follow(staff, two):
    server = make_server("nothing")
    page = staff.get("/models/1/following").text
    assert "0 of 1 server answers" in page
    assert 'hx-trigger="every 1s"' in page
    assert staff.get("/models/1/following?seen=0-1-0").status_code == 204

    Server.objects.filter(pk=server.pk).update(version="1")

    page = staff.get("/models/1/following?seen=0-1-0").text
    assert "1 of 1 server answers" in page
    assert "hx-trigger" not in page


def test_a_server_that_cannot_follow_says_why(staff, two):
    make_server("nothing", problem="<b>disk full</b>")

    page = staff.get("/models/1/following").text

    assert "&lt;b&gt;disk full&lt;/b&gt;" in page
    assert 'hx-trigger="every 10s"' in page


def test_a_silent_server_is_not_waited_for(staff, two):
    make_server("nothing", seen_at=timezone.now() - timedelta(minutes=5))

    assert "No server has reported" in staff.get("/models/1/following").text


def test_a_version_that_was_replaced_meanwhile_says_so(staff, two):
    page = staff.get("/models/2/following").text

    assert "Another version is live" in page
    assert "hx-trigger" not in page


def test_only_staff_see_who_follows(client, two):
    assert client.get("/models/1/following").status_code == 403
