"""`.env.example` and the code that reads the environment name the same settings."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READERS = ("catsdogs/settings.py", "gunicorn.conf.py")


def described():
    """Name -> default, as `.env.example` has them."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return dict(re.findall(r"^#([A-Z][A-Z_]*)=(.*)$", text, flags=re.MULTILINE))


def env_calls():
    """Name -> the syntax tree of its default, for every `env.…("NAME", default=…)` in the code."""
    calls = {}
    for reader in READERS:
        for node in ast.walk(ast.parse((ROOT / reader).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("env."):
                defaults = [keyword.value for keyword in node.keywords if keyword.arg == "default"]
                calls[ast.literal_eval(node.args[0])] = defaults[0] if defaults else None
    return calls


def compose_names():
    return set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "compose.yaml").read_text(encoding="utf-8")))


def as_written(default):
    """A default of the code, in the words of `.env.example`."""
    if isinstance(default, bool):
        return str(default).lower()
    return ",".join(default) if isinstance(default, list) else str(default)


def test_every_setting_that_the_code_reads_is_described():
    assert env_calls().keys() | compose_names() <= described().keys()


def test_every_described_setting_is_read():
    assert described().keys() <= env_calls().keys() | compose_names()


def test_the_described_defaults_are_the_code_s():
    literal = {}
    for name, default in env_calls().items():
        try:
            literal[name] = as_written(ast.literal_eval(default))
        except ValueError:
            continue  # computed, as HTTPS from DEBUG: its line says how

    assert len(literal) > 10
    assert literal == {name: described()[name] for name in literal}


def test_copied_untouched_it_changes_nothing():
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()

    assert [line for line in lines if line and not line.startswith("#")] == []
