"""How much is asked, how fast, what is answered, and how surely."""

from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from classifier.naming import label_name
from ml.inference import NEITHER, UNSURE
from monitoring import charts, figures, tables
from monitoring.asked import Asked
from monitoring.bins import Bar
from monitoring.charts.scales import in_milliseconds, in_percent
from monitoring.figures.sureness import LOW_CONFIDENCE
from monitoring.plots.plot import Plot
from monitoring.tables import Cell, Column, Table

# More labels than this do not fit above a chart: the rest of them is put together.
_MOST_LABELS = 3
_NO_PREDICTIONS = gettext_lazy("No photo was answered in this time.")


def predictions(asked: Asked) -> Plot:
    found = asked.of(figures.answers_over_time)
    names = _in_order(answer for each in found for answer in each.answers.by_answer)
    begins = tuple(each.begin for each in found)
    rows: list[tuple[Cell, ...]] = [
        (each.begin, each.answers.count, *(each.answers.by_answer.get(n, 0) for n in names))
        for each in found
    ]
    title = _("Photos answered")
    return Plot(
        name="predictions",
        title=title,
        reading=_(
            "Each column is one interval of time; its parts are what was answered. "
            "A gap is silence."
        ),
        table=Table(
            (
                Column(_("Interval from")),
                Column(_("Photos"), tables.count),
                *(Column(label_name(name), tables.count) for name in names),
            ),
            rows if any(row[1] for row in rows) else [],
        ),
        svg=charts.columns("predictions", title, begins, _stacks(found, names)) if names else None,
        empty=str(_NO_PREDICTIONS),
    )


def _stacks(found: tuple[figures.AnswersInterval, ...], names: list[str]) -> list[charts.Stack]:
    labels = [name for name in names if name not in (UNSURE, NEITHER)]
    shown = names if len(labels) <= _MOST_LABELS else [*labels[: _MOST_LABELS - 1], UNSURE, NEITHER]
    stacks = [
        charts.Stack(label_name(name), [each.answers.by_answer.get(name, 0) for each in found])
        for name in shown
    ]
    if len(shown) < len(names):
        rest = [
            each.answers.count - sum(each.answers.by_answer.get(name, 0) for name in shown)
            for each in found
        ]
        stacks.append(charts.Stack(pgettext("answers", "others"), rest))
    return stacks


def _in_order(answers: Iterable[str]) -> list[str]:
    """Labels by their name, then `unsure` and `neither`."""
    there = set(answers)
    return [
        *sorted(there - {UNSURE, NEITHER}),
        *(answer for answer in (UNSURE, NEITHER) if answer in there),
    ]


def series_of(answers: Iterable[str]) -> dict[str, int]:
    """Which colour and hatch each answer has, in every chart the same."""
    return {answer: series for series, answer in enumerate(_in_order(answers))}


def latency(asked: Asked) -> Plot:
    found = asked.of(figures.latency_over_time)
    totals = [each.latency.total for each in found]
    inner = [each.latency.inference for each in found]
    rows = [
        (e.begin, e.latency.count, t.p50, t.p95, t.p99, i.p50, i.p95, i.p99)
        for e, t, i in zip(found, totals, inner, strict=True)
    ]
    title = _("Time to an answer")
    quantiles = ("p50", "p95", "p99")
    of = [charts.Line(name, [getattr(each, name) for each in totals]) for name in quantiles]
    wholes = [_("Total %(quantile)s (ms)") % {"quantile": name} for name in quantiles]
    parts = [_("Network %(quantile)s (ms)") % {"quantile": name} for name in quantiles]
    begins = tuple(each.begin for each in found)
    is_empty = not any(each.latency.count for each in found)
    return Plot(
        name="latency",
        title=title,
        reading=_(
            "Half of the answers came faster than p50, 19 of 20 faster than p95, "
            "99 of 100 faster than p99; lower is better."
        ),
        table=Table(
            (
                Column(_("Interval from")),
                Column(_("Photos"), tables.count),
                *(Column(name, tables.milliseconds) for name in (*wholes, *parts)),
            ),
            [] if is_empty else rows,
        ),
        svg=None if is_empty else charts.lines(title, begins, of, in_milliseconds),
        empty=str(_NO_PREDICTIONS),
    )


def answers(asked: Asked) -> Plot:
    found = asked.of(figures.answers)
    series = series_of(found.by_answer)
    rows = [(name, n, n / found.count) for name, n in found.by_answer.items()]
    named = [(label_name(name), n, part) for name, n, part in rows]
    title = _("What was answered")
    drawn = [
        charts.Row(
            label_name(name), n, f"{tables.share(part)} · {tables.count(n)}", min(series[name], 4)
        )
        for name, n, part in rows[:8]
    ]
    return Plot(
        name="answers",
        title=title,
        reading=_(
            "The share of each answer. One label for nearly everything, or much "
            "unsure and neither, means that photos or camera have changed."
        ),
        table=Table(
            (
                Column(_("Answer")),
                Column(_("Photos"), tables.count),
                Column(_("Share"), tables.share),
            ),
            named,
        ),
        svg=charts.bars("answers", title, drawn) if rows else None,
        empty=str(_NO_PREDICTIONS),
    )


def confidence(asked: Asked) -> Plot:
    found = asked.of(figures.confidence)
    title = _("How sure the answers are")
    line = {"limit": in_percent(LOW_CONFIDENCE)}
    if found.low_share is None:
        reading = _(
            "Sure answers are at the right; the more stands at the left, the harder the photos: "
            "the line of the not very sure is %(limit)s."
        )
    else:
        line["share"] = tables.share(found.low_share)
        reading = _(
            "Sure answers are at the right; the more stands at the left, the harder the photos: "
            "the line of the not very sure is %(limit)s, %(share)s are below."
        )
    return Plot(
        name="confidence",
        title=title,
        reading=reading % line,
        table=_histogram_table(_("Confidence from"), found.bars),
        svg=charts.histogram(title, _from_first(found.bars), in_percent) if found.count else None,
        empty=str(_NO_PREDICTIONS),
    )


def novelty(asked: Asked) -> Plot:
    found = asked.of(figures.novelty)
    title = _("How new the photos are")
    return Plot(
        name="novelty",
        title=title,
        reading=_(
            "Photos like those of the training stand at the left; strange ones at the right, "
            "and the strangest are answered neither."
        ),
        table=_histogram_table(_("Novelty from"), found.bars),
        svg=charts.histogram(title, found.bars, in_percent) if found.count else None,
        empty=_("Nothing that measures novelty was answered in this time."),
    )


def _histogram_table(what: str, bars: tuple[Bar, ...]) -> Table:
    columns = (
        Column(what, in_percent),
        Column(pgettext("of an interval", "to"), in_percent),
        Column(_("Photos"), tables.count),
    )
    rows = [(bar.low, bar.high, bar.count) for bar in bars]
    return Table(columns, rows if any(bar.count for bar in bars) else [])


def _from_first(bars: tuple[Bar, ...]) -> tuple[Bar, ...]:
    """With two labels, nothing is less sure than a half: that half is not drawn."""
    half = len(bars) // 2
    return bars if any(bar.count for bar in bars[:half]) else bars[half:]
