"""How the plots look: large enough for a projector, the same bytes for the same numbers."""

import io
from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

# Told apart by people who see few colours too.
# Source: M. Okabe, K. Ito, "Color Universal Design", 2008.
BLUE, ORANGE, GREEN, PINK, GREY = "#0072B2", "#D55E00", "#009E73", "#AA4488", "#777777"
LABELS = (BLUE, ORANGE, GREEN, PINK)

_SETTINGS = {
    "svg.hashsalt": "catsdogs",  # else Matplotlib draws its ids by chance
    "svg.fonttype": "path",  # the same letters wherever the file is shown
    "font.family": "DejaVu Sans",  # comes with Matplotlib
    "font.size": 14,
    "axes.titlesize": 15,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#444444",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E4E4E4",
    "lines.linewidth": 2.5,
    "legend.frameon": False,
    "legend.fontsize": 13,
    "figure.facecolor": "white",
}


@contextmanager
def style() -> Iterator[None]:
    """Draw and save within; settings outside stay as they were."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        yield


def panels(columns: int = 1, width: float = 10, height: float = 5.2) -> tuple[Figure, list[Axes]]:
    """An empty figure with axes side by side. Matplotlib's state machine is left alone."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, list(figure.subplots(1, columns, squeeze=False)[0])


def in_percent(axis: object, digits: int = 0) -> None:
    """Write an axis' shares, from 0 to 1, in percent."""
    formatter = FuncFormatter(lambda share, _: f"{100 * share:.{digits}f} %")
    axis.set_major_formatter(formatter)  # type: ignore[attr-defined]


def in_percent_as_needed(axis: object) -> None:
    """The same on a logarithmic axis: 0.01 %, 1 %, 100 %."""
    axis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g} %"))  # type: ignore[attr-defined]
    axis.set_minor_formatter(FuncFormatter(lambda *_: ""))  # type: ignore[attr-defined]


def to_svg(figure: Figure) -> bytes:
    """The figure as SVG, without date and with lines that git can compare."""
    target = io.BytesIO()
    figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None})
    lines = target.getvalue().decode().splitlines()
    return ("\n".join(line.rstrip() for line in lines) + "\n").encode()
