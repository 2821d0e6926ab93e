"""A version's `MODEL_CARD.md`, written from its card and never by hand."""

from collections.abc import Collection
from typing import Any

from ml.marked import gettext_noop
from ml.registry import Card

# Name of each figure that there may be, and what to see in it; `ml.figures` draws them.
FIGURES = {
    "confusion.svg": gettext_noop("Which labels are taken for which."),
    "roc.svg": gettext_noop(
        "ROC: how many photos of a label are found, over how many others come with them."
    ),
    "reliability.svg": gettext_noop(
        "Reliability: of answers given 90 %, nine in ten should be right. "
        "Below, how many answers are how sure."
    ),
    "risk_coverage.svg": gettext_noop(
        "Risk and coverage: what share of the answers is wrong if only the surest "
        "are given, and where the limits put the version."
    ),
    "novelty.svg": gettext_noop(
        "Novelty of photos of the labels, and of something else where there are some."
    ),
    "slices.svg": gettext_noop("Accuracy by slice, with intervals: a short bar is many photos."),
    "robustness.svg": gettext_noop(
        "What people are told of the same photos when these are changed."
    ),
    "training.svg": gettext_noop("How the loss fell while it was trained."),
}


def model_card(card: Card, figures: Collection[str] = ()) -> str:
    """The model card of a version, in Markdown with Hugging Face's front matter.

    Args:
        card: The version's.
        figures: Names of figures that will lie beside it, from `FIGURES`.

    Source of the front matter's fields: Hugging Face Hub, "Model Cards", section on metadata.
    """
    sections = (
        _front_matter(card),
        _introduction(card),
        _scores(card),
        _confusion(card),
        _told(card),
        _figures(card, figures),
        _data(card),
        _training(card),
        _limits(card),
    )
    return "\n".join(section for section in sections if section)


def figure_lines(names: Collection[str]) -> list[str]:
    """Markdown that shows each figure with what to see in it; other files are linked."""
    shown = [
        f"![{name.removesuffix('.svg').replace('_', ' ')}]({name})\n\n{caption}\n"
        for name, caption in FIGURES.items()
        if name in names
    ]
    others = [f"[{name}]({name})\n" for name in names if name not in FIGURES]
    return [*shown, *others]


def _front_matter(card: Card) -> str:
    scores = card.scores
    return f"""---
license: apache-2.0
library_name: keras
pipeline_tag: image-classification
tags:
- image-classification
- onnx
- {card.architecture}
metrics:
- accuracy
model-index:
- name: {card.version}
  results:
  - task:
      type: image-classification
    dataset:
      type: imagefolder
      name: holdout split, digest {card.data["digest"][:12]}
    metrics:
    - type: accuracy
      value: {scores["accuracy"]}
    - type: log_loss
      value: {scores["log_loss"]}
---
"""


def _introduction(card: Card) -> str:
    return f"""# Version {card.version}

Tells {_listed(card.labels)} apart: {_network(card)}.
It takes in photos of {card.side} × {card.side} pixels, prepared by `{card.preprocessing}`.
{_second(card)}This page was generated from `card.json` when the version was saved.
"""


def _network(card: Card) -> str:
    if "recipe" in card.training:
        return f"{card.architecture}, trained from random weights"
    bits = ", computing in 8 bits" if "int8" in card.training else ""
    return f"{card.architecture}, frozen with its ImageNet weights{bits}, and a linear head"


def _second(card: Card) -> str:
    if card.second is None:
        return ""
    look, share = card.second, card.training["config"]["look_again"]
    return f"""
Below a confidence of {look.below:.4f}, as {share:.1%} of the calibration photos were, a second
network looks at the photo too: {look.architecture} at {look.side} pixels, frozen, and a head.
It is shown: {", ".join(look.looks)}. The answer's logits are the mean of both networks',
the second one counting {look.weight:g} times, divided by {look.temperature}.

"""


def _scores(card: Card) -> str:
    rows = [("all", card.scores), *card.scores["slices"].items()]
    table = "\n".join(_score_row(name, scores) for name, scores in rows)
    return f"""## Scores

On the holdout: photos that neither training nor calibration has seen.

    python -m ml evaluate {card.version} --data DIR

| photos | count | accuracy | 95 % interval | log loss | Brier | ECE |
|---|---|---|---|---|---|---|
{table}

`DIR` is the folder it was trained on; each photo's side of the split is decided by its content, so
the command finds the same holdout. The intervals are Wilson's; ECE has 15 bins; the Brier score is
the sum over all labels. Logits are divided by a temperature of {card.temperature}, fitted on the
calibration split.{_areas(card)}
"""


def _areas(card: Card) -> str:
    """The areas under the curves, which versions of before have not."""
    areas = {"ROC": card.scores.get("roc_area"), "risk–coverage": card.scores.get("risk_area")}
    known = [f"{area:.5f} under the {name} curve" for name, area in areas.items() if area]
    return f"\nArea: {', '.join(known)}." if known else ""


def _score_row(name: str, scores: dict[str, Any]) -> str:
    low, high = scores["accuracy_interval"]
    return (
        f"| {name} | {scores['count']} | {scores['accuracy']:.2%} | {low:.2%} to {high:.2%} "
        f"| {scores['log_loss']:.4f} | {scores['brier']:.4f} | {scores['ece']:.4f} |"
    )


def _figures(card: Card, names: Collection[str]) -> str:
    if not names:
        return ""
    trained = f"`training.svg` is of `{_train_command(card)}`.\n" if "training.svg" in names else ""
    return f"""## Figures

    python -m ml evaluate {card.version} --data DIR --report DIR

draws them again from the holdout, with those of robustness (`--robustness`) and of photos of
something else (`--neither DIR`). {trained}
{chr(10).join(figure_lines(names))}"""


def _told(card: Card) -> str:
    told = card.scores["told"]
    right = "no answer" if told["right"] is None else f"{told['right']:.2%} of the answers"
    return f"""## What people are told

Of the same photos {told["answered"]:.2%} get a label for an answer, {told["unsure"]:.2%} are told
"unsure" and {told["neither"]:.2%} "neither"; {right} are right.

- `unsure`: {_unsure(card)}.
- `neither`: {_neither(card)}.

    python -m ml evaluate {card.version} --neither DIR

tells how many photos of something else it answers all the same.
"""


def _unsure(card: Card) -> str:
    if card.unsure_below is None:
        return "never said; there were too few photos to choose a threshold on"
    share = card.training["config"]["max_error"]
    return (
        f"said below a confidence of {card.unsure_below:.4f}, the lowest at which at most\n"
        f"  {share:.2%} of the answers to the calibration photos are wrong"
    )


def _neither(card: Card) -> str:
    if card.neither_above is None:
        return "never said; there were too few photos to choose a limit on"
    share = card.training["config"]["refused"]
    return (
        f"said above a novelty of {card.neither_above}, a limit that {share:.1%} of the\n"
        "  calibration photos pass; it was fitted to no photo of something else"
    )


def _confusion(card: Card) -> str:
    head = " | ".join(f"answered {label}" for label in card.labels)
    rows = "\n".join(
        f"| {true} | " + " | ".join(str(row[answered]) for answered in card.labels) + " |"
        for true, row in card.scores["confusion"].items()
    )
    return f"""| truly | {head} |
|---|{"---|" * len(card.labels)}
{rows}
"""


def _data(card: Card) -> str:
    head = " | ".join(card.labels)
    rows = "\n".join(
        f"| {split} | " + " | ".join(str(row[label]) for label in card.labels) + " |"
        for split, row in card.data["counts"].items()
    )
    return f"""## Data

| split | {head} |
|---|{"---|" * len(card.labels)}
{rows}

SHA-256 of the data set (of each photo's SHA-256, label, and group where it has one, sorted):
`{card.data["digest"]}`.

{_counted(card)} {_terms(card)}
The photos are no part of the version, and their terms are not its licence.
"""


def _counted(card: Card) -> str:
    if "base" in card.training:
        return "The photos from feedback are not among these; the digest covers them."
    return """    python -m ml train --data DIR --dry-run

counts the photos of `DIR` in the same way."""


def _terms(card: Card) -> str:
    """What the data are and under which terms, as far as whoever trained it said so."""
    name, terms = card.data.get("name"), card.data.get("terms")
    named = f"The data: {name}." if name else "Nobody named the data."
    return f"{named} {f'Their terms: {terms}.' if terms else 'Their terms were not written down.'}"


def _training(card: Card) -> str:
    training, machine = card.training, card.training["machine"]
    config = "\n".join(f"| {name} | {_shown(value)} |" for name, value in _config(card))
    packages = ", ".join(f"{name} {number}" for name, number in training["packages"].items())
    seconds = ", ".join(f"{part} {value} s" for part, value in training["seconds"].items())
    heads = [part["head_sha256"] for part in (training, training.get("second")) if part]
    return f"""## Training

    {_train_command(card)}

| setting | value |
|---|---|
{config}

- {_fit(training)}.
{_origin(training)}- Time: {seconds}; features that an earlier run kept cost none.
- Machine: {machine["cores"]} cores, {machine["system"]}, Python {machine["python"]}, {packages}.
- Code: {card.code_revision or "not under version control"}.
- The same data, seed and kind of machine give the same head:
  {", ".join(f"`{head}`" for head in heads)}.{_parity(training)}
"""


def _parity(training: dict[str, Any]) -> str:
    """Measured where networks are exported; a refit exports none."""
    if "base" in training:
        return ""
    return f"""
- Keras and ONNX Runtime differ by {training["largest_difference_to_keras"]:.1g} in a probability
  at most, on photos of the holdout.{_eight_bits(training)}"""


def _origin(training: dict[str, Any]) -> str:
    """Of a version that was refitted: what it began with and what it learnt."""
    if "base" not in training:
        return ""
    base, feedback = training["base"], training["feedback"]
    photos = ", ".join(f"{split} {sum(row.values())}" for split, row in feedback["counts"].items())
    return f"""- Refitted from the heads of version {base["version"]}, on the base
  `{base["sha256"]}` and on photos from feedback ({photos};
  digest `{feedback["digest"]}`), each of which counts
  for {feedback["weight"]:g} of the base. All but the heads, novelty and thresholds is as it was
  in that version.
"""


def _fit(training: dict[str, Any]) -> str:
    if "recipe" not in training or "base" in training:
        return f"The fit took {training['steps']} steps, to a loss of {training['loss']}"
    device = training["device"]
    return (
        f"Trained on {device['name']} in {device['policy']}: {len(training['history'])} epochs, "
        f"{training['cpu_seconds']} s of all cores together; "
        f"epoch {training['best_epoch']} was kept,\n  the best on the calibration split"
    )


def _eight_bits(training: dict[str, Any]) -> str:
    networks = {"model": training, "second": training.get("second", {})}
    return "".join(_cost(name, part["int8"]) for name, part in networks.items() if part.get("int8"))


def _cost(name: str, cost: dict[str, float]) -> str:
    moved = f"by {cost['mean']:.2g} in the mean and {cost['largest']:.2g} at most"
    return f"""
- `{name}.onnx` computes in whole numbers of 8 bits, `{name}.keras` in floating point: with its head
  a probability moves {moved}, and {cost["changed"]:.1%} of the labels
  change. Temperatures, thresholds and scores are those of the 8 bits."""


def _train_command(card: Card) -> str:
    if "base" in card.training:
        return "python manage.py retrain"
    config = card.training["config"]
    looks = " --second-look" if card.second else ""
    bits = f" --int8 {config['int8']}" if config.get("int8") else ""
    return (
        f"python -m ml train --data DIR --architecture {card.architecture}{looks}{bits} "
        f"--seed {config['seed']}"
    )


def _config(card: Card) -> list[tuple[str, Any]]:
    return list(card.training["config"].items())


def _limits(card: Card) -> str:
    origin = (
        "All of it was learnt from the data above."
        if "recipe" in card.training
        else "The backbone's weights are Google's EfficientNet-Lite, trained on ImageNet, Apache "
        "License 2.0."
    )
    rest = "and at the rest if that leaves it in doubt" if card.second else "only"
    return f"""## Limits

- It looks at the middle square of a photo, {rest}. It gives one answer
  even where a photo shows {_listed(card.labels)}.
- It has learnt from photos of the kind in its data set; drawings and the like are new to it.
- {origin}
"""


def _listed(labels: tuple[str, ...]) -> str:
    return f"{', '.join(labels[:-1])} and {labels[-1]}"


def _shown(value: Any) -> str:
    return ", ".join(value) if isinstance(value, (list, tuple)) else str(value)
