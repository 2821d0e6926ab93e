"""A stand-in for the learning, which says of its candidate what it is told; and French people."""

import contextlib
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

import ml
from feedback import retraining
from ml.examples import Example
from ml.registry import load_card
from tests.french import FRENCH
from tests.make import make_version, write_version


@dataclass(frozen=True)
class FakeCheck:
    name: str = "base accuracy"
    passed: bool = True
    candidate: float | None = 0.99
    live: float | None = 0.98
    limit: str = "at most 1 of 100 photos lost"
    words: str = "99 % of 100 photos right."


@dataclass(frozen=True)
class FakeVerdict:
    checks: tuple[FakeCheck, ...] = (FakeCheck(),)

    @property
    def passed(self):
        return all(check.passed for check in self.checks)

    def reasons(self):
        return [check.words for check in self.checks if not check.passed]

    def as_dict(self):
        return {"passed": self.passed, "checks": [asdict(check) for check in self.checks]}


class FakeRefitting(ModuleType):
    """`ml.refitting`, but for the learning."""

    class RefitError(Exception):
        pass

    def __init__(self, models_dir):
        super().__init__("ml.refitting")
        self.models_dir = models_dir
        self.verdict = FakeVerdict()
        self.candidate = "2026-02-02.1"
        self.changes = {}
        self.failure = None
        self.saving = contextlib.nullcontext()
        self.in_between = lambda step: None
        self.fits = 0

    def refit_digest(self, root, live, examples):
        assert root == self.models_dir
        return ("".join(sorted(each.sha256[:2] + each.label for each in examples)) or "-")[:64]

    def refit_version(self, root, live, examples, *, cache, say, step):
        self.fits += 1
        step(0.1, "Fitting heads")
        say("Fitted.")
        self.in_between(step)
        if self.failure:
            raise self.failure
        with self.saving:
            write_version(root, self.candidate, **self.changes)
        return SimpleNamespace(card=load_card(root / self.candidate), verdict=self.verdict)


@pytest.fixture
def refitting(monkeypatch, settings, tmp_path):
    """The stand-in in the place of `ml.refitting`."""
    settings.MODELS_DIR = tmp_path / "models"
    settings.VAR_DIR = tmp_path
    fake = FakeRefitting(settings.MODELS_DIR)
    monkeypatch.setitem(sys.modules, "ml.refitting", fake)
    monkeypatch.setattr(ml, "refitting", fake, raising=False)
    return fake


@pytest.fixture
def approved(monkeypatch):
    """Examples that count as approved; a test changes the list."""
    examples = [Example(Path("a"), "cat", "a" * 64), Example(Path("b"), "dog", "b" * 64)]
    monkeypatch.setattr(retraining, "approved_examples", lambda: list(examples))
    return examples


@pytest.fixture
def live(db, refitting):
    """The live version."""
    return make_version("2026-01-01.1", live=True)


@pytest.fixture
def french_visitor(client_factory):
    """Whoever's browser asks for French."""
    return client_factory(headers=FRENCH)


@pytest.fixture
def french_staff(client_factory, admin_user):
    """Staff whose browser asks for French."""
    client = client_factory(headers=FRENCH)
    client.force_login(admin_user)
    return client
