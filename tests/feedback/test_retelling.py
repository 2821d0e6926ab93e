"""What a run wrote down in English is said again in French, with the same figures."""

import re
from pathlib import Path

import numpy as np
import pytest
from django.utils import translation

from classifier.templatetags.answers import label_name
from feedback import retelling
from feedback.heartbeat import in_words
from feedback.models import Run
from feedback.readings import count, interval, listed, points, share
from feedback.retelling import pieces, retell
from feedback.tasks import AlreadyRunning
from ml import promotion
from ml.exams import Exam
from ml.inference import Answer
from ml.promotion import Costs, judge
from ml.slices import Traits, slices_of
from tests.make import make_run

_PLACE = re.compile(r"%\((\w+)\)s")


@pytest.fixture
def french():
    with translation.override("fr"):
        yield


def exam(labels, targets, share_right, slices=None):
    def answers(right):
        for place, target in enumerate(targets):
            said = labels[target] if place < right * len(targets) else labels[1 - target]
            other = labels[1 - labels.index(said)]
            yield Answer(said, {said: 0.9, other: 0.1}, 0.1)

    live, candidate = (list(answers(right)) for right in share_right)
    return Exam(labels, targets, candidate, live, slices or {})


def verdict(labels=("cat", "dog"), refused=True):
    """Of a candidate that forgot, or gained; with all the checks there may be."""
    targets = np.arange(400) % 2
    sides = [(100, 100), (300, 200), (800, 600), (900, 700)]
    traits = [Traits(*sides[n % 4], 60.0 * (n % 4), 200.0 * (n % 4)) for n in range(400)]
    rights = (0.99, 0.9 if refused else 0.99)
    return judge(
        exam(labels, targets, rights, slices_of(traits, targets, labels)),
        exam(labels, targets[:40], (0.5, 0.4 if refused else 0.9)),
        exam(labels, targets[:20], (0.5, 0.5)),
        Costs(12.34, 0.25, 31_500_000),
        Costs(11.8, 0.2, 29_000_000),
    )


@pytest.mark.parametrize("refused", [True, False], ids=["refused", "passed"])
def test_each_part_of_a_verdict_is_said_in_french(french, refused):
    checks = verdict(refused=refused).checks

    assert len(checks) > 15
    for check in checks:
        for text in (check.name, check.limit, check.words):
            assert all(piece.is_told for piece in pieces(text)), text
    assert retell("slice shape: square") == "groupe «\u202fformat\u202f: carré\u202f»"


def test_reasons_in_a_row_are_each_said(french):
    reasons = verdict().reasons()

    told = pieces(" ".join(reasons))

    assert len(told) == len(reasons) > 3
    assert [piece.text for piece in told] == [retell(reason) for reason in reasons]


def test_in_english_nothing_changes():
    for check in verdict().checks:
        assert retell(check.words) == check.words
    assert retell("1,234.5") == "1,234.5"


def test_figures_get_a_comma_and_their_percent_sign_a_narrow_space(french):
    told = retell("The log loss on the base is 0.1234, with the live version 0.1100.")

    assert "0,1234" in told
    assert "0,1100" in told
    assert retell("97.20%") == "97,20\u202f%"
    assert retell("5,200,000") == "5\u00a0200\u00a0000"


@pytest.mark.parametrize("name", ["1.5", "2026-11-24.1", "waiting", "done"])
def test_the_name_of_a_version_is_left_as_it_is(french, name):
    assert retell(f"Loading {name}") == f"Chargement de {name}"


def test_labels_of_other_models_are_left_as_they_are(french):
    assert [label_name(label) for label in ("cat", "hare")] == ["chat", "hare"]
    assert retell("label: hare") == "étiquette\u202f: hare"


def test_what_nobody_knows_stays_in_english_and_says_so(french):
    told = pieces("Cancelled. The moon was in the way. Nothing else.")

    assert [(piece.text, piece.is_told) for piece in told] == [
        ("Annulation demandée.", True),
        ("The moon was in the way.", False),
        ("Nothing else.", False),
    ]


def test_a_sentence_within_a_sentence_is_said_too(french):
    told = retell("Version 7 is broken: Version 7: model.onnx cannot be read.")

    assert told == ("La version 7 est abîmée\u202f: Version 7\u202f: model.onnx est illisible.")


@pytest.mark.parametrize(
    "story",
    [
        "It went on. " * 20_000,
        " of 1 answers, with the live version 2: " * 3000,
        "".join(f" {words}" for words in ["photos of", "%:", "broken,"]) * 300,
    ],
    ids=["sentences", "a pattern over and over", "parts of patterns"],
)
def test_a_very_long_story_comes_back_at_once(french, story):
    assert retell(story) == story


def test_whatever_ml_marks_is_known():
    marking = {
        f"ml.{path.stem}"
        for path in Path(promotion.__file__).parent.glob("*.py")
        if "gettext_noop(" in path.read_text() and path.stem != "marked"
    }

    assert "ml.promotion" in marking
    assert marking <= set(retelling._SPEAKERS)


@pytest.mark.parametrize("text", ["", " ", ".", "%", "%(version)s", "«", "\0", "a" * 5000])
def test_strange_texts_come_back(french, text):
    assert retell(text) == text


def test_every_message_is_found_again_with_what_was_filled_in(french):
    """No pattern takes what another one wrote."""
    samples = {"state": "running", "slice": "shape: square", "label": "dog", "done": "42%"}
    for message in sorted(filter(_PLACE.search, retelling._marked())):
        places = _PLACE.findall(message)
        values = {
            name: samples.get(name, f"name{number}" if name in retelling._NAMES else f"{number}.5")
            for number, name in enumerate(places, start=1)
        }
        expected = translation.gettext(message) % {
            name: value if name in retelling._NAMES else retell(value)
            for name, value in values.items()
        }

        assert retell(message % values) == expected


def test_why_a_run_failed_is_said_in_french(french):
    assert retell(in_words(MemoryError())).startswith("La mémoire n’a pas suffi.")
    assert retell(in_words(OSError(28, "No space"))).startswith("Le disque est plein")


def test_who_started_the_other_run_is_said_in_french(french, db):
    run = make_run(state=Run.State.RUNNING, progress=0.42, asked_by="grace")

    told = retell(str(AlreadyRunning(run)))

    assert "en cours (fait à 42\u202f%), lancé par grace" in told


def test_numbers_read_as_the_language_has_them():
    assert (share(0.99134), count(18036)) == ("99.13\u00a0%", "18,036")
    assert interval([0.9865, 0.9944]) == "98.65 to 99.44\u00a0%"
    with translation.override("fr"):
        assert (share(0.99134), count(18036)) == ("99,13\u202f%", "18\u00a0036")
        assert interval([0.9865, 0.9944]) == "de 98,65 à 99,44\u202f%"
        assert listed(["cat", "dog", "hare"], label_name) == "chat, chien et hare"


@pytest.mark.parametrize(
    ("difference", "said"),
    [
        (0.005, "+0,50 point"),
        (-0.0199, "−1,99 point"),
        (0.02, "+2,00 points"),
        (0.0, "±0,00 point"),
    ],
)
def test_points_are_counted(french, difference, said):
    assert points(difference) == said
