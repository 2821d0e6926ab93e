"""What a person reads: answers in words, shares that claim neither certainty nor impossibility."""

import pytest
from django.template.loader import render_to_string

from classifier.models import Prediction
from classifier.templatetags.answers import percent
from tests.make import make_prediction


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (1.0, "99.9 %"),
        (0.99999, "99.9 %"),
        (0.998, "99.8 %"),
        (0.9987, "99.8 %"),
        (0.99, "99.0 %"),
        (0.9899, "99 %"),
        (0.62, "62 %"),
        (0.0101, "1 %"),
        (0.002, "0.2 %"),
        (0.0013, "0.2 %"),
        (0.0, "0.1 %"),
    ],
)
def test_a_share_is_never_quite_certain_nor_quite_impossible(probability, words):
    assert percent(probability) == words.replace(" ", "\N{NO-BREAK SPACE}")


@pytest.mark.parametrize("confidence", [0.5, 0.505, 0.615, 0.9899, 0.99, 0.9951, 0.9987, 1.0])
def test_the_shares_of_two_labels_add_up_to_100(confidence):
    shares = [float(percent(share).split()[0]) for share in (confidence, 1 - confidence)]

    assert sum(shares) == pytest.approx(100)


def words(prediction, **context):
    context = {"prediction": prediction, "choices": prediction.choices, **context}
    return " ".join(render_to_string("classifier/home.html#answer", context).split())


def unsaved(answer, **probabilities):
    label = max(probabilities, key=probabilities.__getitem__)
    return Prediction(
        version_id="2026-01-01.1",
        answer=answer,
        label=label,
        confidence=probabilities[label],
        probabilities=probabilities,
        photo_width=64,
        photo_height=48,
        photo_format="JPEG",
        decode_ms=1.0,
        inference_ms=1.0,
        total_ms=2.0,
    )


@pytest.mark.parametrize(
    ("prediction", "said"),
    [
        (unsaved("cat", cat=0.95, dog=0.05), "It’s a cat"),
        (unsaved("dog", cat=0.05, dog=0.95), "It’s a dog"),
        (unsaved("unsure", cat=0.4, dog=0.6), "Not sure: between dog and cat"),
        (unsaved("neither", cat=0.4, dog=0.6), "Neither, I think"),
        (unsaved("daisy", daisy=0.9, rose=0.06, tulip=0.04), "I’d say: daisy"),
        (unsaved("unsure", daisy=0.2, rose=0.5, tulip=0.3), "Not sure: between rose and tulip"),
        (unsaved("neither", daisy=0.2, rose=0.5, tulip=0.3), "None of them, I think"),
    ],
)
def test_each_answer_has_its_words(prediction, said):
    assert f"<span data-say>{said}</span>" in words(prediction)


def test_an_unsure_answer_asks_what_it_is_and_not_whether_it_was_right():
    page = words(unsaved("unsure", cat=0.4, dog=0.6))

    assert "What is it really?" in page
    assert "Was I right?" not in page
    for choice in ("cat", "dog", "neither"):
        assert f'value="{choice}"' in page


def test_an_erased_photo_is_not_asked_for(db):
    page = words(make_prediction(photo_is_kept=False))

    assert "The photo has been erased." in page
    assert "<img" not in page


def test_a_label_is_text_and_never_markup():
    page = words(unsaved("<b>x</b>", **{"<b>x</b>": 0.9, "dog": 0.1}))

    assert "<b>x" not in page


def test_a_refused_opinion_says_why_beside_the_answer():
    page = words(unsaved("cat", cat=0.95, dog=0.05), problem="'cow' is not a label.")

    assert "&#x27;cow&#x27; is not a label." in page
    assert "It’s a cat" in page
