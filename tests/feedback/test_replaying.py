import io
import signal

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from classifier import storage
from classifier.classify import erase_prediction
from classifier.models import Prediction
from feedback import heartbeat, replaying, tasks
from feedback.heartbeat import RunFailed, Stopped, at_work
from feedback.models import Replay, ReplayedAnswer, Review
from feedback.replay_summary import changed, paired_test
from ml.photos import decode_photo
from tests.make import FakeEngine, make_card, make_feedback, make_prediction, make_version
from tests.photos import photo_bytes

# The heartbeat has a connection of its own, which sees what is committed.
pytestmark = pytest.mark.django_db(transaction=True)

OLD, NEW = "2026-01-01.1", "2026-02-02.1"


def log_photo(number, label="cat", **changes):
    """A logged prediction on a photo of its own, which is kept on disk."""
    photo = decode_photo(photo_bytes(size=(64 + number, 48)))
    storage.keep(photo)
    return make_prediction(label, photo=photo, **changes)


@pytest.fixture
def engines(monkeypatch):
    """Engines by version: the new one says "dog" to everything."""
    make_version(OLD, live=True)
    make_version(NEW)
    made = {
        OLD: FakeEngine(make_card(OLD)),
        NEW: FakeEngine(make_card(NEW), logits=(0.0, 4.0)),
    }
    monkeypatch.setattr(replaying, "load", made.__getitem__)
    return made


def show(last=1000, by="ada", **options):
    version = replaying.ModelVersion.objects.get(pk=NEW)
    run, _ = replaying.ask(version, last, by, **options)
    with at_work(run) as heart:
        replaying.replay(run, heart)
    return run


def test_it_counts_what_each_answer_becomes(engines):
    for number in range(3):
        log_photo(number)
    log_photo(3, "dog")

    run = show()

    assert run.state == "done"
    assert run.summary["photos"] == 4
    assert run.summary["matrix"] == {"cat": {"dog": 3}, "dog": {"dog": 1}}
    assert run.summary["changed"] == 3
    assert run.summary["skipped"] == {"erased": 0, "broken": 0}


def test_only_the_last_photos_are_shown_each_once(engines):
    log_photo(0)
    photo = decode_photo(photo_bytes(size=(99, 48)))
    storage.keep(photo)
    make_prediction(photo=photo)
    make_prediction(photo=photo)
    latest = log_photo(2)

    run = show(last=2)

    told = set(run.answers.values_list("prediction_id", flat=True))
    again = Prediction.objects.sharing_photo(photo.sha256).order_by("-pk").first()
    assert told == {latest.pk, again.pk}


def test_what_is_logged_after_it_was_asked_for_is_not_in_it(engines):
    log_photo(0)
    run, _ = replaying.ask(replaying.ModelVersion.objects.get(pk=NEW), 10, "ada")
    log_photo(1)

    assert replaying.photos_of(run).count() == 1


def test_erased_and_broken_photos_are_left_out_and_counted(engines):
    gone, broken, _ = log_photo(0), log_photo(1), log_photo(2)
    storage._path(gone.photo_sha256).unlink()
    storage._path(broken.photo_sha256).write_bytes(b"\xff\xd8\xff and no more")
    erase_prediction(log_photo(3))

    run = show()

    assert run.summary["photos"] == 1
    assert run.summary["skipped"] == {"erased": 1, "broken": 1}


def test_a_photo_erased_while_it_is_being_shown_fails_nothing(engines, monkeypatch):
    first, second = log_photo(0), log_photo(1)

    def erase_first(pixels):
        Prediction.objects.filter(pk=first.pk).delete()
        return FakeEngine.predict(engines[NEW], pixels)

    monkeypatch.setattr(engines[NEW], "predict", erase_first)

    run = show()

    assert list(run.answers.values_list("prediction_id", flat=True)) == [second.pk]


def test_without_photos_it_is_done_at_once(engines):
    run = show()

    assert run.summary["photos"] == 0
    assert run.summary["version_ms"] is None
    assert run.summary["side_by_side"] is None


def test_who_is_right_is_counted_by_review_else_by_what_the_sender_said(engines):
    reviewed, told, contradicted, _ = (log_photo(number) for number in range(4))
    Review.objects.create(
        photo_sha256=reviewed.photo_sha256,
        prediction=reviewed,
        label="dog",
        decided_at=reviewed.created_at,
    )
    make_feedback(told, correct=True)
    make_feedback(contradicted, correct=False)  # "wrong" alone names no label

    run = show()

    paired = run.summary["paired"]
    assert (paired["photos"], paired["only_new"], paired["only_old"]) == (2, 1, 1)
    assert paired["p"] == 1.0
    truths = {a.prediction_id: a.truth for a in changed(run)}
    assert truths[reviewed.pk] == "dog"
    assert truths[told.pk] == "cat"
    assert truths[contradicted.pk] == ""


def test_what_others_say_of_a_photo_that_is_not_theirs_does_not_count(engines):
    make_feedback(log_photo(0), person="visitor:another", label="dog")

    assert show().summary["paired"]["photos"] == 0


def test_changes_can_be_had_by_kind(engines):
    log_photo(0)
    log_photo(1, answer="unsure")

    run = show()

    assert [a.prediction.answer for a in changed(run, old="unsure")] == ["unsure"]
    assert changed(run, new="cat").count() == 0
    assert changed(run).count() == 2


@pytest.mark.parametrize(
    ("only_old", "only_new", "p"),
    # 2 * (1 + 10) / 2**10 and so on, by hand.
    [(0, 0, 1.0), (1, 9, 0.021484375), (9, 1, 0.021484375), (0, 5, 0.0625), (3, 3, 1.0)],
)
def test_the_paired_test_is_the_exact_one(only_old, only_new, p):
    assert paired_test(only_old, only_new) == pytest.approx(p, rel=1e-9)


def test_the_paired_test_takes_many_photos():
    assert paired_test(40_000, 42_000) < 1e-11


def test_both_versions_are_timed_on_the_same_photos(engines):
    for number in range(3):
        log_photo(number)

    timing = show().summary["side_by_side"]

    assert (timing["photos"], timing["live"]) == (3, OLD)
    assert len(engines[OLD].asked) == 3


def test_an_interrupted_replay_goes_on_and_loses_one_batch_at_most(engines, monkeypatch):
    monkeypatch.setattr(replaying, "BATCH", 2)
    monkeypatch.setattr(replaying, "_TIMED", 0)
    for number in range(7):
        log_photo(number)

    def stop(pixels):
        if len(engines[NEW].asked) == 5:
            signal.raise_signal(signal.SIGTERM)
        return FakeEngine.predict(engines[NEW], pixels)

    with monkeypatch.context() as stopping:
        stopping.setattr(engines[NEW], "predict", stop)
        with pytest.raises(Stopped):
            show()
    assert ReplayedAnswer.objects.count() == 4
    engines[NEW].asked.clear()

    run = show()

    assert Replay.objects.count() == 1
    assert len(engines[NEW].asked) == 3
    assert run.summary["photos"] == 7
    assert (run.state, run.problem) == ("done", "")


def test_a_finished_one_is_done_anew(engines):
    show()
    show()

    assert Replay.objects.count() == 2


def test_an_unfinished_one_can_be_begun_anew(engines):
    version = replaying.ModelVersion.objects.get(pk=NEW)
    Replay.objects.create(version=version, last=1000, state="cancelled")

    show(anew=True)

    assert Replay.objects.count() == 2


def test_one_that_is_going_on_is_not_started_twice(engines):
    version = replaying.ModelVersion.objects.get(pk=NEW)
    replaying.ask(version, 1000, "ada")

    with pytest.raises(tasks.AlreadyRunning, match="by ada"):
        replaying.ask(version, 1000, "grace")


def test_a_version_that_computes_no_numbers_fails_it(engines):
    log_photo(0)
    engines[NEW].failure = FloatingPointError("logits are nan")

    with pytest.raises(RunFailed, match="2026-02-02.1 is broken: logits are nan"):
        show()
    assert Replay.objects.get().state == "failed"


def test_a_version_whose_folder_is_gone_fails_it_with_the_reason(db, settings, tmp_path):
    settings.MODELS_DIR = tmp_path
    make_version(NEW)

    with pytest.raises(RunFailed, match="cannot be read"):
        show()


def test_a_live_version_that_cannot_be_loaded_is_just_not_timed(engines, monkeypatch):
    log_photo(0)

    def load(name):
        if name == OLD:
            raise RunFailed("Its folder is gone.")
        return engines[name]

    monkeypatch.setattr(replaying, "load", load)

    run = show()

    assert run.summary["side_by_side"] is None
    run.refresh_from_db()
    assert "Not timed side by side: Its folder is gone." in run.log


def test_a_database_that_comes_back_loses_no_batch(engines, monkeypatch):
    monkeypatch.setattr(heartbeat, "RETRY_SECONDS", 0)
    log_photo(0)
    failures, commit = [OperationalError("gone")], replaying._commit

    def commit_at_last(*args):
        if failures:
            raise failures.pop()
        commit(*args)

    monkeypatch.setattr(replaying, "_commit", commit_at_last)

    assert show().summary["photos"] == 1


def test_a_lost_replay_that_lives_after_all_adds_nothing(engines, monkeypatch):
    log_photo(0)

    def lose(pixels):
        Replay.objects.update(state="lost")
        return FakeEngine.predict(engines[NEW], pixels)

    monkeypatch.setattr(engines[NEW], "predict", lose)

    with pytest.raises(Stopped, match="given up for lost"):
        show()
    assert not ReplayedAnswer.objects.exists()
    assert Replay.objects.get().state == "lost"


def replay_by_hand(*options):
    out = io.StringIO()
    call_command("replay", *options, stdout=out)
    return out.getvalue()


def test_the_command_says_all_of_it(engines):
    make_feedback(log_photo(0), label="dog")
    log_photo(1, "dog")

    said = replay_by_hand(NEW, "--last", "10")

    assert "2 photos shown to 2026-02-02.1; left out: 0 erased, 0 broken." in said
    assert "1 answers change, 50.00% stay" in said
    assert "cat → dog 1" in said
    assert "only the new one 1" in said
    assert "Side by side on 2 photos" in said
    assert "\r" not in said


def test_the_command_says_that_it_goes_on(engines):
    version = replaying.ModelVersion.objects.get(pk=NEW)
    Replay.objects.create(version=version, last=1000, state="lost")

    assert "This goes on with the replay of 20" in replay_by_hand(NEW)


def test_the_command_refuses_an_unknown_version(engines):
    with pytest.raises(CommandError, match="no version 'nothing'. Registered: 2026"):
        replay_by_hand("nothing")


@pytest.mark.parametrize("options", [[], [NEW, "--last", "0"], [NEW, "--last", "many"]])
def test_wrong_usage_is_told_before_anything_is_done(engines, options):
    with pytest.raises(CommandError) as refusal:
        replay_by_hand(*options)

    assert refusal.value.returncode == 1 or "Error" in str(refusal.value)
    assert not Replay.objects.exists()
