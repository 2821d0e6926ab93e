"""How good the answers are, and how far the world has moved from what the version learnt."""

from datetime import datetime, timedelta

from monitoring import charts, figures, tables
from monitoring.asked import Asked
from monitoring.charts.scales import in_percent
from monitoring.figures.drift import HOLDOUT, MIN_PHOTOS, Moved
from monitoring.figures.quality import Share
from monitoring.periods import Period, floor
from monitoring.plots.plot import Plot
from monitoring.rules import rules
from monitoring.tables import Cell, Column, Table

_NO_FEEDBACK = "Nobody has said yet whether an answer of this time was right."
_MOST_INTERVALS = 31
_STEPS = tuple(timedelta(minutes=m) for m in (5, 60, 12 * 60, 24 * 60, 7 * 24 * 60))
_MEASURES = {
    "answer": "Answers",
    "photo_format": "Formats",
    "confidence": "Confidence",
    "novelty": "Novelty",
    "pixels": "Photo sizes",
    "bytes": "File sizes",
}
_SHARE_COLUMNS = (
    Column("Right", tables.count),
    Column("Judged", tables.count),
    Column("Agreement", tables.share),
    Column("95 % from", tables.share),
    Column("to", tables.share),
)


def agreement(asked: Asked) -> Plot:
    found = _coarser(asked.of(figures.agreement_over_time), asked.period)
    of = [each.agreement for each in found]
    title = "Agreement over time"
    begins = tuple(each.begin for each in found)
    line = charts.Line("agreement", [share.share for share in of])
    around = [share.interval for share in of]
    is_empty = not any(share.count for share in of)
    rule = rules().get("agreement")
    limit = float(rule["limit"]) if rule else None
    return Plot(
        name="agreement",
        title=title,
        reading="How much of the feedback says that we were right; the bar behind each mark is "
        "what chance allows (95 %). Mistakes are told more often, so watch it fall or rise.",
        table=Table(
            (Column("Interval from"), *_SHARE_COLUMNS),
            [(each.begin, *_cells(each.agreement)) for each in found if each.agreement.count],
        ),
        svg=None if is_empty else charts.band(title, begins, line, around, limit),
        empty=_NO_FEEDBACK,
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
        ("All feedback", found.overall),
        *((f"Answered {answer}", share) for answer, share in found.by_answer.items()),
        *((f"Version {name}", share) for name, share in found.by_version.items()),
    ]
    title = "Agreement by answer and version"
    drawn = [_row(name, share) for name, share in named[:10]]
    return Plot(
        name="agreement-by",
        title=title,
        reading="The mark is the share that was right, the line what chance allows (95 %): "
        "where two lines do not meet, the difference is real.",
        table=Table(
            (Column("Of"), *_SHARE_COLUMNS),
            [(name, *_cells(share)) for name, share in named] if found.overall.count else [],
        ),
        svg=charts.shares(title, drawn) if found.overall.count else None,
        empty=_NO_FEEDBACK,
    )


def _row(name: str, share: Share) -> charts.Row:
    low, high = share.interval or (None, None)
    value = share.share or 0.0
    series = 0 if name.startswith("All") else 1 if name.startswith("Answered") else 3
    words = f"{tables.share(value)} of {tables.count(share.count)}"
    return charts.Row(name, value, words, series, low, high)


def _cells(share: Share) -> tuple[Cell, ...]:
    return share.part, share.count, share.share, *(share.interval or (None, None))


def calibration(asked: Asked) -> Plot:
    found = asked.of(figures.calibration)
    points = [
        charts.Reliability(each.mean_confidence, each.right.share or 0.0, *each.right.interval)
        for each in found.bins
        if each.right.interval
    ]
    title = "Is it as right as it is sure?"
    return Plot(
        name="calibration",
        title=title,
        reading="Each mark is a group of judged answers: across, how sure they were; up, how many "
        "were right. On the diagonal both are the same; below it, answers are too sure.",
        table=Table(
            (Column("Confidence from", in_percent), Column("to", in_percent),
             Column("Mean confidence", tables.share), *_SHARE_COLUMNS),
            [
                (each.low, each.high, each.mean_confidence, *_cells(each.right))
                for each in found.bins
            ],
        ),
        svg=charts.reliability(title, points) if points else None,
        empty=_NO_FEEDBACK,
    )  # fmt: skip


def drift(asked: Asked) -> Plot:
    found = asked.of(figures.drift)
    drawn = [
        charts.Row(
            _moved_name(each),
            each.index,
            f"{each.index:.2f} of {each.limit:.2f}" + (" !" if _is_alarm(each) else ""),
            limit=each.limit,
            is_alarm=_is_alarm(each),
        )
        for each in found.moved
    ]
    title = "Drift"
    photos = "1 photo" if found.photos == 1 else f"{tables.count(found.photos)} photos"
    of = f"Of {photos} of version {found.version}." if found.version else ""
    return Plot(
        name="drift",
        title=title,
        reading="How far photos and answers have moved; up to the dotted line it can be chance, "
        "what is marked “!” cannot. Of “since training” no alert is made: people may send "
        f"something else than the training photos from the first day on. {of}".strip(),
        table=Table(_DRIFT_COLUMNS, [_drift_cells(each) for each in found.moved]),
        svg=charts.limits(title, drawn) if drawn else None,
        empty=_why_no_drift(found),
    )


_DRIFT_COLUMNS = (
    Column("What"),
    Column("Index", tables.three_decimals),
    Column("Limit", tables.three_decimals),
    Column("Photos", tables.count),
    Column("Photos of the reference", tables.count),
    Column("Verdict"),
)


def _drift_cells(moved: Moved) -> tuple[Cell, ...]:
    verdict = "alarming" if _is_alarm(moved) else "beyond" if moved.is_alarm else "within"
    return (
        *(_moved_name(moved), moved.index, moved.limit),
        *(moved.photos, moved.reference_photos, verdict),
    )


def _is_alarm(moved: Moved) -> bool:
    return moved.is_alarm and moved.reference != HOLDOUT


def _why_no_drift(found: figures.Drift) -> str:
    if found.photos < MIN_PHOTOS:
        there = "is 1 photo" if found.photos == 1 else f"are {found.photos} photos"
        return (
            f"There {there} to compare, and {MIN_PHOTOS} are needed: of fewer, nothing would "
            "stand out from chance."
        )
    return (
        "This version has no reference yet: its card names none, and a thousand answers are "
        "needed for one of its own."
    )


def _moved_name(moved: Moved) -> str:
    """What has moved, and from where."""
    against = "since training" if moved.reference == HOLDOUT else "since it went live"
    return f"{_MEASURES.get(moved.measure, moved.measure)} {against}"
