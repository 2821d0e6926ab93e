"""docs/learning says what was measured, and what the code does."""

import ast
import json
import re
from pathlib import Path

import pytest

pytest.importorskip("matplotlib", reason="training is not installed")

from benchmarks.learning.pages import fill, spots
from benchmarks.learning_figures import NUMBERS, read_words

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "learning"
PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.md"))}


@pytest.mark.parametrize("page", PAGES)
def test_each_number_of_a_page_is_the_one_that_was_measured(page):
    words = read_words(FOLDER / "figures" / NUMBERS)

    assert PAGES[page] == fill(PAGES[page], words)


def test_each_spot_was_filled():
    assert [page for page, text in PAGES.items() if "?" in spots(text).values()] == []


def test_the_plots_that_are_shown_are_those_that_are_there():
    shown = set(re.findall(r"\(figures/([^)]+\.svg)\)", "".join(PAGES.values())))

    assert shown == {path.name for path in (FOLDER / "figures").glob("*.svg")}


def test_no_plot_holds_a_photo():
    for path in (FOLDER / "figures").glob("*.svg"):
        assert "<image" not in path.read_text(encoding="utf-8"), path.name


@pytest.mark.parametrize("page", PAGES)
def test_each_link_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", PAGES[page])

    assert [link for link in links if not (FOLDER / link).exists()] == []


def test_every_page_is_in_the_index():
    assert set(re.findall(r"\((\w+\.md)\)", PAGES["README.md"])) == PAGES.keys() - {"README.md"}


@pytest.mark.parametrize("page", PAGES)
def test_each_excerpt_stands_in_the_code(page):
    for path, excerpt in re.findall(r"```python\n# (\S+)\n(.*?)```", PAGES[page], re.DOTALL):
        source = (ROOT / path).read_text(encoding="utf-8")

        assert excerpt in source, path


@pytest.mark.parametrize("page", PAGES)
def test_each_function_that_is_named_is_there(page):
    named = re.findall(r"`((?:ml|benchmarks)(?:\.\w+)+)\.(\w+)`", PAGES[page])

    missing = [f"{module}.{name}" for module, name in named if name not in _names_in(module)]

    assert missing == []


def test_the_constants_to_try_are_there():
    for name, path in re.findall(r"`(_[A-Z0-9]+)` in `([^`]+)`", "".join(PAGES.values())):
        assert re.search(rf"^{name} = ", (ROOT / path).read_text(), re.MULTILINE), name


def test_numbers_are_kept_with_the_words_for_them():
    content = json.loads((FOLDER / "figures" / NUMBERS).read_text(encoding="utf-8"))

    for page, of in content.items():
        if page != "version":
            assert all(set(number) == {"value", "words"} for number in of.values()), page


def test_filling_a_page_changes_its_spots_and_nothing_else():
    page = "Right: <!-- a/b -->?<!-- / -->, wrong:\n<!-- c -->1\n%<!-- / -->."

    filled = fill(page, {"a/b": "98 %", "c": "2 %"})

    assert filled == "Right: <!-- a/b -->98 %<!-- / -->, wrong:\n<!-- c -->2 %<!-- / -->."
    assert fill(filled, {"a/b": "98 %", "c": "2 %"}) == filled


def test_a_spot_for_a_number_that_nobody_measured_is_refused():
    with pytest.raises(ValueError, match="asks for 'a/b'. Measured: c"):
        fill("<!-- a/b -->?<!-- / -->", {"c": "1"})


def _names_in(module):
    """What a module defines or imports, read and not run: some need the training parts."""
    found = set()
    for node in ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            found |= {alias.asname or alias.name for alias in node.names}
    return found
