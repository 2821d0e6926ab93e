import errno
import io
import math
import signal
import threading
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, transaction
from django.utils import timezone

from classifier.models import ModelVersion, Promotion, TrainingPhoto
from feedback import heartbeat, retraining
from feedback.heartbeat import Cancelled, Overtaken, RunFailed, at_work
from feedback.models import TrainingRun
from tests.feedback.conftest import FakeCheck, FakeVerdict
from tests.limits import limit_file_size
from tests.make import make_feedback, make_prediction, make_version

# The heartbeat has a connection of its own, which sees what is committed.
pytestmark = pytest.mark.django_db(transaction=True)

REFUSED = FakeVerdict((FakeCheck(), FakeCheck("gain", False, 0.1, 0.2, "more", "No gain.")))


def learn(force=False):
    run = retraining.ask("ada", force=force)
    with at_work(run) as heart:
        retraining.retrain(run, heart)
    return run


def wait_for_the_interrupt():
    """Until the heartbeat interrupts it; a minute is for ever."""
    threading.Event().wait(60)
    pytest.fail("nobody interrupted")


def last_run():
    return TrainingRun.objects.first()


def live_name():
    return ModelVersion.objects.live().get().name


def test_a_candidate_that_passes_goes_live_and_all_is_written_down(live, refitting, approved):
    run = learn()

    run.refresh_from_db()
    assert (run.state, run.outcome, run.num_photos) == ("done", "promoted", 2)
    assert (run.live_id, run.candidate_id) == ("2026-01-01.1", "2026-02-02.1")
    assert run.verdict["checks"][0]["name"] == "base accuracy"
    assert run.progress == 1
    assert "Fitted." in run.log
    assert live_name() == "2026-02-02.1"
    assert Promotion.objects.first().by == "retrain"
    photos = TrainingPhoto.objects.filter(version="2026-02-02.1")
    assert {photo.photo_sha256 for photo in photos} == {"a" * 64, "b" * 64}


def test_a_candidate_that_is_refused_stays_a_candidate_with_the_reasons(live, refitting, approved):
    refitting.verdict = REFUSED

    run = learn()

    assert (run.outcome, run.problem) == ("refused", "No gain.")
    assert live_name() == "2026-01-01.1"
    assert ModelVersion.objects.filter(name="2026-02-02.1").exists()


def test_the_same_photos_are_not_learnt_from_twice(live, refitting, approved):
    learn()

    run = learn()

    assert (run.state, run.outcome) == ("done", "unchanged")
    assert refitting.fits == 1


def test_what_was_rolled_back_does_not_come_back_by_itself(live, refitting, approved):
    learn()
    ModelVersion.objects.roll_back()

    run = learn()

    assert run.outcome == "unchanged"
    assert live_name() == "2026-01-01.1"


def test_a_changed_label_is_news(live, refitting, approved):
    refitting.verdict = REFUSED
    learn()
    approved[0] = approved[1]
    refitting.candidate = "2026-02-02.2"

    assert learn().outcome == "refused"
    assert refitting.fits == 2


def test_force_learns_from_the_same_photos_again(live, refitting, approved):
    learn()
    refitting.candidate = "2026-02-02.2"

    assert learn(force=True).outcome == "promoted"


def test_nothing_approved_is_nothing_to_learn_and_no_failure(live, refitting, approved):
    approved.clear()

    run = learn()

    assert run.outcome == "unchanged"
    assert "No photo is approved" in run.problem
    assert refitting.fits == 0


def test_where_every_photo_was_taken_back_the_next_training_unlearns_them(
    live, refitting, approved
):
    live.training_photos.create(photo_sha256="c" * 64)
    approved.clear()

    assert learn().outcome == "promoted"
    assert refitting.fits == 1


def test_without_a_live_version_it_says_what_to_do(db, refitting, approved):
    with pytest.raises(RunFailed, match="register_models"):
        learn()
    assert last_run().state == "failed"


def test_what_refitting_says_is_the_reason(live, refitting, approved):
    refitting.failure = refitting.RefitError("There is no base for 2026-01-01.1.")

    with pytest.raises(RunFailed, match="no base"):
        learn()
    assert last_run().problem == "There is no base for 2026-01-01.1."


def test_an_unforeseen_error_is_told_with_its_kind(live, refitting, approved):
    refitting.failure = ZeroDivisionError("division by zero")

    with pytest.raises(RunFailed, match="ZeroDivisionError: division by zero"):
        learn()
    assert last_run().state == "failed"


def test_numbers_that_are_none_fail_the_run(live, refitting, approved):
    refitting.failure = FloatingPointError("logits are nan")

    with pytest.raises(RunFailed, match="no number"):
        learn()
    assert live_name() == "2026-01-01.1"


def test_a_verdict_with_figures_that_are_no_numbers_promotes_nothing(live, refitting, approved):
    refitting.verdict = FakeVerdict((FakeCheck(candidate=math.nan),))

    run = learn()

    assert run.outcome == "refused"
    assert "no numbers: base accuracy" in run.problem
    run.refresh_from_db()
    assert run.verdict["checks"][0]["candidate"] is None
    assert live_name() == "2026-01-01.1"


def test_a_full_disk_leaves_nothing_behind(live, refitting, approved):
    refitting.changes = {"model": bytes(100_000)}
    refitting.saving = limit_file_size(50_000)

    with pytest.raises(RunFailed, match="disk is full"):
        learn()

    assert last_run().state == "failed"
    assert not any(refitting.models_dir.iterdir())
    assert live_name() == "2026-01-01.1"


def test_a_full_disk_is_told_as_such_whoever_met_it(live, refitting, approved):
    refitting.failure = refitting.RefitError("[Errno 28] No space left on device")
    refitting.failure.__cause__ = OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(RunFailed, match="The disk is full: make room"):
        learn()


def test_a_candidate_that_cannot_be_written_down_leaves_no_folder(
    live, refitting, approved, monkeypatch
):
    def fail(*args, **options):
        raise ValueError("no")

    monkeypatch.setattr(ModelVersion, "promote", fail)

    with pytest.raises(RunFailed, match="ValueError"):
        learn()

    assert not (refitting.models_dir / "2026-02-02.1").exists()
    assert not ModelVersion.objects.filter(name="2026-02-02.1").exists()
    assert not TrainingPhoto.objects.exists()


def test_a_name_that_another_version_had_is_not_taken_for_it(live, refitting, approved):
    make_version("2026-02-02.1", files={"model.onnx": "1" * 64})

    with pytest.raises(RunFailed, match="known already"):
        learn()
    assert live_name() == "2026-01-01.1"


def test_another_version_going_live_meanwhile_refuses_it(live, refitting, approved):
    refitting.in_between = lambda step: make_version("2026-01-15.1", live=True)

    run = learn()

    assert run.outcome == "refused"
    assert "2026-01-15.1 is live by now" in run.problem
    assert live_name() == "2026-01-15.1"


def test_a_photo_taken_back_during_the_training_is_marked(live, refitting, approved):
    prediction = make_prediction(version=live)
    make_feedback(prediction, correct=True, consent=True)
    approved[0] = type(approved[0])(approved[0].path, "cat", prediction.photo_sha256)

    learn()

    withdrawn = TrainingPhoto.objects.filter(withdrawn_at__isnull=False)
    assert [photo.photo_sha256 for photo in withdrawn] == ["b" * 64]
    assert ModelVersion.objects.get(name="2026-02-02.1").withdrawn_photos == 1


def test_a_database_that_comes_back_loses_nothing(live, refitting, approved, monkeypatch):
    monkeypatch.setattr(heartbeat, "RETRY_SECONDS", 0)
    failures = [OperationalError("gone"), OperationalError("gone")]
    register = retraining._register

    def register_at_last(card):
        if failures:
            raise failures.pop()
        return register(card)

    monkeypatch.setattr(retraining, "_register", register_at_last)

    assert learn().outcome == "promoted"


def test_a_database_that_stays_away_keeps_the_candidate_s_folder(
    live, refitting, approved, monkeypatch
):
    monkeypatch.setattr(heartbeat, "PATIENCE_SECONDS", 0)

    def fail(card):
        raise OperationalError("gone")

    monkeypatch.setattr(retraining, "_register", fail)

    with pytest.raises(RunFailed, match="register_models"):
        learn()

    assert (refitting.models_dir / "2026-02-02.1" / "card.json").exists()
    assert last_run().state == "failed"
    assert live_name() == "2026-01-01.1"


def test_a_commit_whose_answer_got_lost_counts(live, refitting, approved, monkeypatch):
    monkeypatch.setattr(heartbeat, "RETRY_SECONDS", 0)
    lost = []

    class Atomic(transaction.Atomic):
        def __exit__(self, *error):
            super().__exit__(*error)
            if not lost:
                lost.append(True)
                raise OperationalError("server closed the connection")

    def atomic():
        # Only the outermost one commits, and only when the verdict is written.
        is_last = refitting.fits and not transaction.get_connection().in_atomic_block
        return Atomic("default", True, False) if is_last else transaction.atomic()

    monkeypatch.setattr(retraining, "transaction", SimpleNamespace(atomic=atomic))

    run = learn()

    assert lost
    assert run.outcome == "promoted"
    assert (refitting.models_dir / "2026-02-02.1").exists()


def test_a_cancelled_run_leaves_nothing(live, refitting, approved, monkeypatch):
    monkeypatch.setattr(heartbeat, "BEAT_SECONDS", 0.05)

    def cancel(step):
        TrainingRun.objects.update(cancel_asked_at=timezone.now())
        wait_for_the_interrupt()

    refitting.in_between = cancel

    with pytest.raises(Cancelled):
        learn()

    assert last_run().state == "cancelled"
    assert live_name() == "2026-01-01.1"


def test_a_lost_run_that_lives_after_all_changes_nothing(live, refitting, approved):
    def lose(step):
        TrainingRun.objects.update(state="lost", problem="Given up.")

    refitting.in_between = lose

    with pytest.raises(Overtaken):
        learn()

    run = last_run()
    assert (run.state, run.problem, run.outcome) == ("lost", "Given up.", "")
    assert live_name() == "2026-01-01.1"
    assert not (refitting.models_dir / "2026-02-02.1").exists()
    assert not ModelVersion.objects.filter(name="2026-02-02.1").exists()


def test_a_lost_run_does_not_write_over_the_one_that_took_its_place(live, refitting, approved):
    newer = []

    def replace(step):
        TrainingRun.objects.update(state="lost")
        newer.append(retraining.ask("grace"))

    refitting.in_between = replace

    with pytest.raises(Overtaken):
        learn()

    assert TrainingRun.objects.get(pk=newer[0].pk).state == "waiting"


def retrain_by_hand(*options):
    out = io.StringIO()
    call_command("retrain", *options, stdout=out)
    return out.getvalue()


def test_the_command_prints_the_verdict(live, refitting, approved):
    said = retrain_by_hand()

    assert (
        "passed  base accuracy: 99 % of 100 photos right. Limit: at most 1 of 100 photos lost."
        in said
    )
    assert "2026-02-02.1 passed and is live instead of 2026-01-01.1." in said
    assert "\r" not in said


def test_the_command_fails_when_the_candidate_is_refused(live, refitting, approved, capsys):
    refitting.verdict = REFUSED

    with pytest.raises(CommandError, match="was refused, 2026-01-01.1 stays live. No gain"):
        call_command("retrain")
    assert "REFUSED gain" in capsys.readouterr().out


def test_the_command_succeeds_when_there_is_nothing_to_learn(live, refitting, approved):
    approved.clear()

    assert "No photo is approved" in retrain_by_hand()


def test_the_command_says_who_is_training_already(live, refitting, approved):
    retraining.ask("grace")

    with pytest.raises(CommandError, match="started by grace on 20"):
        retrain_by_hand()
    assert refitting.fits == 0


def test_ctrl_c_leaves_nothing_and_marks_the_run(live, refitting, approved):
    def ctrl_c(step):
        signal.raise_signal(signal.SIGINT)

    refitting.in_between = ctrl_c

    with pytest.raises(CommandError, match="Ctrl-C"):
        retrain_by_hand()
    assert last_run().state == "cancelled"
    assert not refitting.models_dir.exists()


def test_an_unknown_run_is_refused(live, refitting, approved):
    with pytest.raises(CommandError, match="There is no retraining"):
        retrain_by_hand("--run", "0199f3c2-6c1e-7cc3-b7b1-0f4c5d2f7a10")


def test_a_finished_run_is_not_worked_on_again(live, refitting, approved):
    run = learn()

    with pytest.raises(CommandError, match="done, not waiting"):
        retrain_by_hand("--run", str(run.pk))
    assert refitting.fits == 1


def test_before_any_training_all_approved_photos_are_news(live, approved):
    found = retraining.outlook()

    assert (found.num_photos, found.obstacle, found.is_news) == (2, "", True)


def test_after_a_training_nothing_is_news_until_a_photo_comes(live, refitting, approved):
    learn()
    assert not retraining.outlook().is_news

    approved.pop()

    assert retraining.outlook().is_news
