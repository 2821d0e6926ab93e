from datetime import timedelta

import pytest
from django.utils import timezone

from classifier.models import ModelVersion
from feedback.discarding import discard_refused
from tests.make import make_run, make_saved_version

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.fixture
def root(settings, tmp_path):
    settings.MODELS_DIR = tmp_path / "models"
    return settings.MODELS_DIR


def refuse(root, name, age=timedelta(days=3), outcome="refused"):
    version = make_saved_version(root, name)
    finished = NOW - age
    make_run(state="done", outcome=outcome, candidate=version, finished_at=finished)
    return version


def folders(root):
    return sorted(path.name for path in root.iterdir())


def test_the_oldest_refused_candidates_lose_their_folders_and_keep_their_rows(root):
    for name in "abcd":
        refuse(root, name)

    assert discard_refused(NOW, keep=2) == ["b", "a"]

    assert folders(root) == ["c", "d"]
    assert ModelVersion.objects.count() == 4
    assert discard_refused(NOW, keep=2) == []


def test_what_has_ever_answered_stays(root):
    refuse(root, "once").promote()
    refuse(root, "live").promote()
    refuse(root, "passed", outcome="promoted")
    make_saved_version(root, "shipped")

    assert discard_refused(NOW, keep=0) == []
    assert len(folders(root)) == 4


def test_no_name_of_today_becomes_free_again(root):
    refuse(root, "young", age=timedelta(hours=30))

    assert discard_refused(NOW, keep=0) == []
    assert folders(root) == ["young"]
