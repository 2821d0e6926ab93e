"""One version is live, who made it so is known, and the way back is always open."""

import threading

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from classifier import promoting
from classifier.models import ModelVersion, Promotion
from classifier.promoting import promote_version, roll_back_version, this_user
from classifier.versions import PromotionError
from ml.registry import VersionError
from tests.make import make_version, write_version


@pytest.fixture
def models_dir(settings, tmp_path):
    settings.MODELS_DIR = tmp_path
    return tmp_path


@pytest.fixture
def three(db, models_dir):
    """Versions 1, 2 and 3 with their folders, promoted in this order."""
    for name in "123":
        write_version(models_dir, name, model=name.encode())
        promote_version(name, by=f"who promoted {name}")


def live():
    return ModelVersion.objects.live().get().name


def history():
    """Old and new version of each promotion, oldest first."""
    return [(p.previous_id, p.version_id) for p in Promotion.objects.order_by("id")]


def at_once(*calls):
    """Make each call in a thread of its own, all at the same time; what they raised, in order."""
    start, raised = threading.Barrier(len(calls)), [None] * len(calls)

    def run(i):
        start.wait()
        try:
            calls[i]()
        except PromotionError as error:
            raised[i] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_the_history_says_which_took_which_ones_place_and_who_said_so(three):
    assert history() == [(None, "1"), ("1", "2"), ("2", "3")]
    assert Promotion.objects.first().by == "who promoted 3"
    assert live() == "3"


def test_promoting_the_live_version_changes_nothing(three):
    before = ModelVersion.objects.live().get().promoted_at

    promote_version("3", by="someone")

    assert len(history()) == 3
    assert ModelVersion.objects.live().get().promoted_at == before


def test_rolling_back_lets_the_version_before_answer(three):
    assert roll_back_version(by="someone").name == "2"

    assert live() == "2"
    newest = Promotion.objects.first()
    assert (newest.version_id, newest.previous_id) == ("2", "3")
    assert (newest.is_rollback, newest.by) == (True, "someone")


def test_rolling_back_twice_goes_further_back(three):
    roll_back_version(by="someone")
    roll_back_version(by="someone")

    assert live() == "1"
    assert history() == [(None, "1"), ("1", "2"), ("2", "3"), ("3", "2"), ("2", "1")]


def test_before_the_first_version_there_is_nothing(three):
    roll_back_version(by="someone")
    roll_back_version(by="someone")

    with pytest.raises(PromotionError, match="nothing to go back to"):
        roll_back_version(by="someone")
    assert live() == "1"


def test_what_was_rolled_back_can_be_promoted_and_rolled_back_again(three):
    roll_back_version(by="someone")
    promote_version("3", by="someone")

    assert live() == "3"
    assert roll_back_version(by="someone").name == "2"


def test_a_version_judged_against_another_than_the_live_one_does_not_go_live(db):
    judged_against, candidate, other = make_version("1", live=True), *map(make_version, "23")
    other.promote("someone faster")

    with pytest.raises(PromotionError, match="judged against 1, and 3 is live by now"):
        candidate.promote("retrain", instead_of=judged_against)
    assert live() == "3"


@pytest.mark.django_db(transaction=True)
def test_of_two_promotions_at_once_one_is_live_and_both_are_in_the_history():
    make_version("1", live=True)
    second, third = make_version("2"), make_version("3")

    at_once(lambda: second.promote("a"), lambda: third.promote("b"))

    assert history()[1:] in ([("1", "2"), ("2", "3")], [("1", "3"), ("3", "2")])
    assert live() == history()[-1][1]


@pytest.mark.django_db(transaction=True)
def test_of_two_promotions_judged_against_the_same_version_one_is_refused():
    first = make_version("1", live=True)
    second, third = make_version("2"), make_version("3")

    refused = at_once(
        lambda: second.promote("a", instead_of=first), lambda: third.promote("b", instead_of=first)
    )

    assert [type(error) for error in refused].count(PromotionError) == 1
    assert live() == ("3" if refused[0] else "2")


@pytest.mark.django_db(transaction=True)
def test_of_two_rollbacks_to_the_same_version_one_is_refused():
    versions = [make_version(name) for name in "123"]
    for version in versions:
        version.promote()

    def back():
        ModelVersion.objects.roll_back("someone", to=versions[1])

    refused = at_once(back, back)

    assert [type(error) for error in refused].count(PromotionError) == 1
    assert live() == "2"


@pytest.mark.parametrize("damage", [b"changed", None], ids=["tampered", "missing"])
def test_a_damaged_version_is_neither_promoted_nor_gone_back_to(three, models_dir, damage):
    network = models_dir / "2" / "model.onnx"
    network.unlink()
    if damage:
        network.write_bytes(damage)

    for change in (lambda: promote_version("2", by=""), lambda: roll_back_version(by="")):
        with pytest.raises(VersionError, match="Version 2"):
            change()
    assert live() == "3"
    assert len(history()) == 3


def test_another_version_of_the_same_name_is_not_promoted(three, models_dir):
    (models_dir / "2").rename(models_dir / "2.old")
    write_version(models_dir, "2", model=b"made elsewhere")

    with pytest.raises(VersionError, match="not the file that was registered"):
        promote_version("2", by="someone")
    assert live() == "3"


def test_the_commands_promote_and_go_back_and_say_who(three, capsys, monkeypatch):
    monkeypatch.setattr(promoting.getpass, "getuser", lambda: "ada")

    call_command("promote_model", "1")
    call_command("rollback_model")

    assert "1 is live." in capsys.readouterr().out
    assert live() == "3"
    assert [p.by for p in Promotion.objects.all()[:2]] == ["ada", "ada"]


def test_the_command_refuses_to_go_back_before_the_first(db, models_dir):
    write_version(models_dir, "1")
    promote_version("1", by="someone")

    with pytest.raises(CommandError, match="nothing to go back to"):
        call_command("rollback_model")


def test_where_the_machine_knows_no_user_the_command_is_named(monkeypatch):
    def nobody():
        raise OSError("No username set in the environment")

    monkeypatch.setattr(promoting.getpass, "getuser", nobody)

    assert this_user(otherwise="promote_model") == "promote_model"


def test_the_admin_promotes_and_records_the_user(three, admin_client):
    act(admin_client, "promote", "1")

    assert live() == "1"
    assert Promotion.objects.first().by == "admin"


def test_the_admin_says_why_a_version_cannot_go_live(three, admin_client, models_dir):
    (models_dir / "1" / "model.onnx").unlink()

    page = act(admin_client, "promote", "1")

    assert "model.onnx cannot be read" in page
    assert live() == "3"


def test_the_admin_goes_back_from_the_live_version_alone(three, admin_client):
    assert "Choose the live version" in act(admin_client, "roll_back", "1")
    assert live() == "3"

    assert "2 is live again" in act(admin_client, "roll_back", "3")
    assert live() == "2"


def act(client, action, *names):
    chosen = {"action": action, "_selected_action": list(names)}
    return client.post("/admin/classifier/modelversion/", chosen, follow=True).text


def test_the_history_is_read_in_the_admin_and_not_changed(three, admin_client):
    page = admin_client.get("/admin/classifier/promotion/")
    promotion = Promotion.objects.first()
    change = f"/admin/classifier/promotion/{promotion.pk}/change/"

    assert "who promoted 3" in page.text
    assert admin_client.post(change, {"by": "x"}).status_code == 403
    assert admin_client.get("/admin/classifier/promotion/add/").status_code == 403
