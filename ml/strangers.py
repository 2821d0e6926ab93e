"""Photos that show none of a version's labels: how many of each kind it answers all the same."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ml.examples import Example
from ml.features import each_photo
from ml.inference import NEITHER, UNSURE, Answer, Engine
from ml.photos import Photo, PhotoError
from ml.scores import wilson_interval


@dataclass(frozen=True)
class Share:
    """How often photos of something else were answered all the same.

    Attributes:
        count: Photos shown.
        answered: Of these got a label for an answer.
        unsure: Of these were told `unsure`.
        neither: Of these were told `neither`.
    """

    count: int
    answered: int
    unsure: int
    neither: int

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the share answered."""
        return wilson_interval(self.answered, self.count)


@dataclass(frozen=True)
class Strangers:
    """Photos of something else, and what a version says of each.

    Attributes:
        paths: `n` photos that could be decoded.
        kinds: What kind each is of; see `kind_of`.
        answers: As many.
        labels: The version's.
    """

    paths: tuple[Path, ...]
    kinds: tuple[str, ...]
    answers: tuple[Answer, ...]
    labels: tuple[str, ...]

    @property
    def novelties(self) -> np.ndarray | None:
        """Of each photo, shape `(n,)`; None if the version measures none."""
        return novelties_of(self.answers)

    def share(self) -> Share:
        """Of all kinds together."""
        return _share([answer.answer for answer in self.answers])

    def by_kind(self) -> dict[str, Share]:
        """Kind to share, in alphabetical order; empty if there is only one kind."""
        if len(set(self.kinds)) < 2:
            return {}
        said: dict[str, list[str]] = {kind: [] for kind in sorted(set(self.kinds))}
        for kind, answer in zip(self.kinds, self.answers, strict=True):
            said[kind].append(answer.answer)
        return {kind: _share(answers) for kind, answers in said.items()}

    def answered(self) -> list[tuple[Path, Answer]]:
        """The photos that were answered with a label, surest first."""
        shown = zip(self.paths, self.answers, strict=True)
        found = [(path, answer) for path, answer in shown if answer.answer in self.labels]
        return sorted(found, key=lambda pair: -pair[1].confidence)


def show_strangers(engine: Engine, folder: Path) -> Strangers:
    """Show a version photos that show none of its labels.

    Args:
        engine: The version.
        folder: Photos of something else, in sub-folders or not; what is no photo is passed over.

    Raises:
        ValueError: if there is no photo that can be decoded.
    """
    found = [Example(path, "", "") for path in sorted(folder.rglob("*")) if path.is_file()]

    def ask(photo: Photo, _: Example) -> Answer:
        return engine.predict(photo.pixels)

    shown = [
        (example.path, kind_of(example.path, folder), answer)
        for example, answer in each_photo(found, ask, "Asking about something else")
        if not isinstance(answer, PhotoError)
    ]
    if not shown:
        raise ValueError(f"There is no photo that can be decoded in {folder}.")
    paths, kinds, answers = zip(*shown, strict=True)
    return Strangers(paths, kinds, answers, engine.card.labels)


def kind_of(path: Path, folder: Path) -> str:
    """What a photo of something else is: its sub-folder's name, or what its own begins with.

    `people/1.jpg` and `people.0001.jpg` are both of the kind `people`; `1.jpg` is of no kind.
    """
    parts = path.relative_to(folder).parts
    if len(parts) > 1:
        return parts[0]
    kind, *rest = parts[0].split(".")
    return kind if len(rest) > 1 else ""


def novelties_of(answers: tuple[Answer, ...]) -> np.ndarray | None:
    """Novelty of each answered photo, shape `(n,)`; None if the version measures none."""
    found = [answer.novelty for answer in answers if answer.novelty is not None]
    return np.array(found) if len(found) == len(answers) else None


def describe_strangers(strangers: Strangers, num_answers: int = 20) -> list[str]:
    """The share answered, of all and of each kind, and the surest answers: a line each."""
    share, kinds = strangers.share(), strangers.by_kind()
    low, high = share.interval
    return [
        f"{share.answered / share.count:.2%} of {share.count} photos of something else answered "
        f"all the same (95 % interval {low:.2%} to {high:.2%})",
        *(
            f"{kind or 'of no kind':24} {each.answered / each.count:8.2%} of {each.count:6}"
            for kind, each in kinds.items()
        ),
        *(
            f"{path}: answered {answer.answer}, {answer.confidence:.1%} sure"
            for path, answer in strangers.answered()[:num_answers]
        ),
    ]


def _share(said: list[str]) -> Share:
    counted = Counter(said)
    unsure, neither = counted[UNSURE], counted[NEITHER]
    return Share(len(said), len(said) - unsure - neither, unsure, neither)
