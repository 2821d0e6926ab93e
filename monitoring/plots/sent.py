"""What is sent: sizes and formats of photos, and what was refused."""

from collections.abc import Callable

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from monitoring import charts, figures, tables
from monitoring.asked import Asked
from monitoring.bins import Bar
from monitoring.charts.scales import in_bytes, in_megapixels
from monitoring.plots.plot import Plot
from monitoring.tables import Cell, Column, Table

_NO_PHOTOS = gettext_lazy("No photo was answered in this time.")
_NONE_REFUSED = gettext_lazy("No photo was refused in this time.")
# Bars of a quarter of an octave are put together to whole ones where there are more than this.
_MOST_BARS = 20


def refusals(asked: Asked) -> Plot:
    """Of all versions: photos were refused before one was asked."""
    found = figures.refusals(asked.period)
    rows = [(code, n, n / found.count) for code, n in found.by_code.items()]
    drawn = [charts.Row(code, n, tables.count(n)) for code, n, _ in rows[:8]]
    title = _("Photos refused")
    return Plot(
        name="refusals",
        title=title,
        reading=_(
            "Photos that got no answer, by the cause that the sender was told; of all versions."
        ),
        table=Table(
            (
                Column(_("Cause")),
                Column(_("Photos"), tables.count),
                Column(_("Share"), tables.share),
            ),
            rows,
        ),
        svg=charts.bars("refusals", title, drawn) if rows else None,
        empty=str(_NONE_REFUSED),
    )


def refused(asked: Asked) -> Plot:
    """Of all versions, too."""
    found = figures.refusals_over_time(asked.period)
    begins = tuple(each.begin for each in found)
    counts = [each.refusals.count for each in found]
    codes = sorted({code for each in found for code in each.refusals.by_code})
    rows: list[tuple[Cell, ...]] = [
        (each.begin, each.refusals.count, *(each.refusals.by_code.get(code, 0) for code in codes))
        for each in found
    ]
    title = _("Refused over time")
    stack = charts.Stack(pgettext("photos", "refused"), counts)
    return Plot(
        name="refused",
        title=title,
        reading=_(
            "Each column is one interval of time. A few are usual; a wall is somebody who "
            "sends the same rubbish again and again, or a limit that is too low."
        ),
        table=Table(
            (
                Column(_("Interval from")),
                Column(pgettext("number of photos", "Refused"), tables.count),
                *(Column(code, tables.count) for code in codes),
            ),
            rows if codes else [],
        ),
        svg=charts.columns("refused", title, begins, [stack]) if codes else None,
        empty=str(_NONE_REFUSED),
    )


def sizes(asked: Asked) -> Plot:
    return _histogram(
        "sizes",
        _("Sizes of photos"),
        _(
            "Width times height, in megapixels: each column is about a fifth larger than the one "
            "before, or twice where the range is wide. A shift means another camera or another "
            "app."
        ),
        asked.of(figures.photos).pixels,
        in_megapixels,
        _("Pixels from"),
    )


def weights(asked: Asked) -> Plot:
    return _histogram(
        "weights",
        _("Sizes of files"),
        _(
            "The files as they were sent, small ones at the left: small files of large photos "
            "are squeezed ones."
        ),
        asked.of(figures.photos).bytes,
        in_bytes,
        _("Bytes from"),
    )


def formats(asked: Asked) -> Plot:
    found = asked.of(figures.photos)
    rows = [(name, n, n / found.count) for name, n in found.by_format.items()]
    drawn = [
        charts.Row(name, n, f"{tables.share(part)} · {tables.count(n)}") for name, n, part in rows
    ]
    title = _("Formats of photos")
    return Plot(
        name="formats",
        title=title,
        reading=_("By content, whatever the file was called."),
        table=Table(
            (
                Column(_("Format")),
                Column(_("Photos"), tables.count),
                Column(_("Share"), tables.share),
            ),
            rows,
        ),
        svg=charts.bars("formats", title, drawn) if rows else None,
        empty=str(_NO_PHOTOS),
    )


def _histogram(
    name: str,
    title: str,
    reading: str,
    bars: tuple[Bar, ...],
    write: Callable[[float], str],
    unit_from: str,
) -> Plot:
    columns = (
        Column(unit_from, tables.count),
        Column(pgettext("of an interval", "to"), tables.count),
        Column(_("Photos"), tables.count),
    )
    return Plot(
        name=name,
        title=title,
        reading=reading,
        table=Table(columns, [(bar.low, bar.high, bar.count) for bar in bars]),
        svg=charts.histogram(title, _without_gaps(bars), write) if bars else None,
        empty=str(_NO_PHOTOS),
    )


def _without_gaps(bars: tuple[Bar, ...]) -> tuple[Bar, ...]:
    """Neighbours of equal ratio from the smallest to the largest, the empty ones included."""
    ratio = bars[0].high / bars[0].low
    edges = [bars[0].low]
    while edges[-1] < bars[-1].low * (1 + 1e-9) or len(edges) < 2:
        edges.append(edges[-1] * ratio)
    if len(edges) > _MOST_BARS + 1:
        edges = [edges[0] * ratio ** (4 * i) for i in range(-(-(len(edges) - 1) // 4) + 1)]
    return tuple(
        Bar(low, high, sum(b.count for b in bars if low <= b.low * (1 + 1e-9) < high))
        for low, high in zip(edges, edges[1:], strict=False)
    )
