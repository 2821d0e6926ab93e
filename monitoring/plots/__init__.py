"""Each plot of the insights page: one figure as a chart, with how to read it and its table."""

from collections.abc import Callable

from monitoring.asked import Asked
from monitoring.plots.plot import Plot
from monitoring.plots.quality import agreement, agreement_by, calibration, drift
from monitoring.plots.sent import formats, refusals, refused, sizes, weights
from monitoring.plots.traffic import answers, confidence, latency, novelty, predictions

__all__ = ["PLOTS", "Plot"]

# In the order of the page; the keys are part of addresses.
PLOTS: dict[str, Callable[[Asked], Plot]] = {
    "predictions": predictions,
    "latency": latency,
    "answers": answers,
    "formats": formats,
    "agreement": agreement,
    "calibration": calibration,
    "agreement-by": agreement_by,
    "drift": drift,
    "refused": refused,
    "refusals": refusals,
    "confidence": confidence,
    "novelty": novelty,
    "sizes": sizes,
    "weights": weights,
}
