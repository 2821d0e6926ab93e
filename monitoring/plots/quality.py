"""How good the answers are, and how far the world has moved from what the version learnt."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from classifier.naming import label_name
from classifier.numerals import number
from monitoring import charts, figures, tables
from monitoring.asked import Asked
from monitoring.charts.scales import in_percent
from monitoring.figures.drift import HOLDOUT, MIN_PHOTOS, Moved
from monitoring.figures.quality import Share
from monitoring.periods import Period, floor
from monitoring.plots.plot import Plot
from monitoring.rules import rules
from monitoring.tables import Cell, Column, Table

_NO_FEEDBACK = gettext_lazy("Nobody has said yet whether an answer of this time was right.")
_MOST_INTERVALS = 31
# Which colour and mark each kind of row has.
_OF_ALL, _OF_AN_ANSWER, _OF_A_VERSION = 0, 1, 3
_STEPS = tuple(timedelta(minutes=m) for m in (5, 60, 12 * 60, 24 * 60, 7 * 24 * 60))


def agreement(asked: Asked) -> Plot:
    found = _coarser(asked.of(figures.agreement_over_time), asked.period)
    of = [each.agreement for each in found]
    title = _("Agreement over time")
    begins = tuple(each.begin for each in found)
    line = charts.Line(_("agreement"), [share.share for share in of])
    around = [share.interval for share in of]
    is_empty = not any(share.count for share in of)
    rule = rules().get("agreement")
    limit = float(rule["limit"]) if rule else None
    return Plot(
        name="agreement",
        title=title,
        reading=_(
            "How much of the feedback says that we were right; the bar behind each mark is "
            "what chance allows (95 %). Mistakes are told more often, so watch it fall or rise."
        ),
        table=Table(
            (Column(_("Interval from")), *_share_columns()),
            [(each.begin, *_cells(each.agreement)) for each in found if each.agreement.count],
        ),
        svg=None if is_empty else charts.band(title, begins, line, around, limit),
        empty=str(_NO_FEEDBACK),
    )


def _coarser(
    found: tuple[figures.AgreementInterval, ...], period: Period
) -> list[figures.AgreementInterval]:
    """Fewer, longer intervals: feedback is rarer than photos, and of little there is no share."""
    fitting = (step for step in _STEPS if period.length <= _MOST_INTERVALS * step)
    step = max(next(fitting, _STEPS[-1]), period.step)
    sums: dict[datetime, Share] = {}
    for each in found:
        begin, share = floor(each.begin, step), each.agreement
        before = sums.get(begin, Share(0, 0))
        sums[begin] = Share(before.part + share.part, before.count + share.count)
    return [figures.AgreementInterval(begin, share) for begin, share in sums.items()]


def agreement_by(asked: Asked) -> Plot:
    found = asked.of(figures.agreement)
    named = [
        (_OF_ALL, _("All feedback"), found.overall),
        *(
            (_OF_AN_ANSWER, _("Answered %(answer)s") % {"answer": label_name(answer)}, share)
            for answer, share in found.by_answer.items()
        ),
        *(
            (_OF_A_VERSION, _("Version %(version)s") % {"version": name}, share)
            for name, share in found.by_version.items()
        ),
    ]
    title = _("Agreement by answer and version")
    drawn = [_row(*each) for each in named[:10]]
    return Plot(
        name="agreement-by",
        title=title,
        reading=_(
            "The mark is the share that was right, the line what chance allows (95 %): "
            "where two lines do not meet, the difference is real."
        ),
        table=Table(
            (Column(pgettext("feedback", "Of")), *_share_columns()),
            [(name, *_cells(share)) for _series, name, share in named]
            if found.overall.count
            else [],
        ),
        svg=charts.shares(title, drawn) if found.overall.count else None,
        empty=str(_NO_FEEDBACK),
    )


def _row(series: int, name: str, share: Share) -> charts.Row:
    low, high = share.interval or (None, None)
    value = share.share or 0.0
    words = _("%(share)s of %(count)s") % {
        "share": tables.share(value),
        "count": tables.count(share.count),
    }
    return charts.Row(name, value, words, series, low, high)


def _share_columns() -> tuple[Column, ...]:
    return (
        Column(pgettext("number of opinions", "Right"), tables.count),
        Column(pgettext("number of opinions", "Judged"), tables.count),
        Column(_("Agreement"), tables.share),
        Column(_("%(level)s from") % {"level": "95 %"}, tables.share),
        Column(pgettext("of an interval", "to"), tables.share),
    )


def _cells(share: Share) -> tuple[Cell, ...]:
    return share.part, share.count, share.share, *(share.interval or (None, None))


def calibration(asked: Asked) -> Plot:
    found = asked.of(figures.calibration)
    points = [
        charts.Reliability(each.mean_confidence, each.right.share or 0.0, *each.right.interval)
        for each in found.bins
        if each.right.interval
    ]
    title = _("Is it as right as it is sure?")
    return Plot(
        name="calibration",
        title=title,
        reading=_(
            "Each mark is a group of judged answers: across, how sure they were; up, how many "
            "were right. On the diagonal both are the same; below it, answers are too sure."
        ),
        table=Table(
            (
                Column(_("Confidence from"), in_percent),
                Column(pgettext("of an interval", "to"), in_percent),
                Column(_("Mean confidence"), tables.share),
                *_share_columns(),
            ),
            [
                (each.low, each.high, each.mean_confidence, *_cells(each.right))
                for each in found.bins
            ],
        ),
        svg=charts.reliability(title, points) if points else None,
        empty=str(_NO_FEEDBACK),
    )


def drift(asked: Asked) -> Plot:
    found = asked.of(figures.drift)
    drawn = [
        charts.Row(
            _moved_name(each),
            each.index,
            _of_its_limit(each),
            limit=each.limit,
            is_alarm=_is_alarm(each),
        )
        for each in found.moved
    ]
    title = _("Drift")
    return Plot(
        name="drift",
        title=title,
        reading=" ".join(_how_to_read_drift(found)),
        table=Table(_drift_columns(), [_drift_cells(each) for each in found.moved]),
        svg=charts.limits(title, drawn) if drawn else None,
        empty=_why_no_drift(found),
    )


def _how_to_read_drift(found: figures.Drift) -> Iterator[str]:
    yield _(
        "How far photos and answers have moved; up to the dotted line it can be chance, what is "
        "marked “!” cannot. Of “since training” no alert is made: people may send something else "
        "than the training photos from the first day on."
    )
    if found.version:
        yield ngettext(
            "Of %(count)s photo of version %(version)s.",
            "Of %(count)s photos of version %(version)s.",
            found.photos,
        ) % {"count": tables.count(found.photos), "version": found.version}


def _of_its_limit(moved: Moved) -> str:
    words = _("%(index)s of %(limit)s") % {
        "index": number(f"{moved.index:.2f}"),
        "limit": number(f"{moved.limit:.2f}"),
    }
    return f"{words} !" if _is_alarm(moved) else words


def _drift_columns() -> tuple[Column, ...]:
    return (
        Column(pgettext("measure", "What")),
        Column(_("Index"), tables.three_decimals),
        Column(_("Limit"), tables.three_decimals),
        Column(_("Photos"), tables.count),
        Column(_("Photos of the reference"), tables.count),
        Column(_("Verdict")),
    )


def _drift_cells(moved: Moved) -> tuple[Cell, ...]:
    verdict = _("within")
    if moved.is_alarm:
        verdict = _("alarming") if _is_alarm(moved) else _("beyond")
    return (
        *(_moved_name(moved), moved.index, moved.limit),
        *(moved.photos, moved.reference_photos, verdict),
    )


def _is_alarm(moved: Moved) -> bool:
    return moved.is_alarm and moved.reference != HOLDOUT


def _why_no_drift(found: figures.Drift) -> str:
    if found.photos < MIN_PHOTOS:
        return ngettext(
            "There is %(count)s photo to compare, and %(needed)s are needed: of fewer, nothing "
            "would stand out from chance.",
            "There are %(count)s photos to compare, and %(needed)s are needed: of fewer, nothing "
            "would stand out from chance.",
            found.photos,
        ) % {"count": found.photos, "needed": MIN_PHOTOS}
    return _(
        "This version has no reference yet: its card names none, and a thousand answers are "
        "needed for one of its own."
    )


def _moved_name(moved: Moved) -> str:
    """What has moved, and from where."""
    measures = {
        "answer": _("Answers"),
        "photo_format": _("Formats"),
        "confidence": _("Confidence"),
        "novelty": _("Novelty"),
        "pixels": _("Photo sizes"),
        "bytes": _("File sizes"),
    }
    of = {"measure": measures.get(moved.measure, moved.measure)}
    if moved.reference == HOLDOUT:
        return _("%(measure)s since training") % of
    return _("%(measure)s since it went live") % of
