"""What is sent: formats and sizes of photos."""

from dataclasses import dataclass

from monitoring.bins import Bar, histogram, percentiles
from monitoring.counting import count_answers, count_bins
from monitoring.periods import Period
from monitoring.reach import Scope


@dataclass(frozen=True)
class Photos:
    """What was sent.

    Attributes:
        count: Photos answered; the same photo counts as often as it was sent.
        by_format: Format to how many, the most frequent first.
        pixels: A histogram of width times height; each bar is 1.19 times as high as its low end.
        bytes: A histogram of the file sizes, likewise.
        median_pixels: Good to a tenth.
        median_bytes: Likewise.
    """

    count: int
    by_format: dict[str, int]
    pixels: tuple[Bar, ...]
    bytes: tuple[Bar, ...]
    median_pixels: float | None
    median_bytes: float | None


def photos(period: Period, version: str | None = None) -> Photos:
    """Formats and sizes of the photos that were answered; refused ones are in `refusals`.

    Query: count of predictions by `photo_format`; by bin of `photo_width * photo_height`; by bin
    of `photo_bytes`.
    """
    scope = Scope(period, version)
    formats = {
        photo_format: totals.number
        for (photo_format,), totals in count_answers(scope, "photo_format").items()
    }
    bins = count_bins(scope, "pixels", "bytes")
    return Photos(
        count=sum(formats.values()),
        by_format=dict(sorted(formats.items(), key=lambda pair: (-pair[1], pair[0]))),
        pixels=histogram(bins["pixels"], "pixels"),
        bytes=histogram(bins["bytes"], "bytes"),
        median_pixels=percentiles(bins["pixels"], "pixels", [0.5])[0],
        median_bytes=percentiles(bins["bytes"], "bytes", [0.5])[0],
    )
