"""The numbers: each one documented query, shared by the page, the API, metrics and alerts.

Every figure of predictions is a function of a `Period` and, if wanted, one version; it counts the
predictions that were made in the period, and the feedback on these predictions whenever it was
given. Where there is nothing to divide by, a figure is None: no share is made up.
"""

from monitoring.figures.drift import Drift, Moved, drift
from monitoring.figures.photos import Photos, photos
from monitoring.figures.quality import (
    Agreement,
    AgreementInterval,
    Calibration,
    EstimatedAccuracy,
    FeedbackShare,
    ReliabilityBin,
    Share,
    agreement,
    agreement_over_time,
    calibration,
    estimated_accuracy,
    feedback_share,
)
from monitoring.figures.refusals import (
    Refusals,
    RefusalsInterval,
    refusals,
    refusals_over_time,
)
from monitoring.figures.service import (
    Database,
    ModelAge,
    ReviewBacklog,
    Spool,
    database,
    model_age,
    review_backlog,
    spool,
)
from monitoring.figures.sureness import Confidence, Novelty, confidence, novelty
from monitoring.figures.traffic import (
    Answers,
    AnswersInterval,
    Latency,
    LatencyInterval,
    Percentiles,
    answers,
    answers_over_time,
    latency,
    latency_over_time,
)
from monitoring.periods import Period

__all__ = [
    "Agreement",
    "AgreementInterval",
    "Answers",
    "AnswersInterval",
    "Calibration",
    "Confidence",
    "Database",
    "Drift",
    "EstimatedAccuracy",
    "FeedbackShare",
    "Latency",
    "LatencyInterval",
    "ModelAge",
    "Moved",
    "Novelty",
    "Percentiles",
    "Period",
    "Photos",
    "Refusals",
    "RefusalsInterval",
    "ReliabilityBin",
    "ReviewBacklog",
    "Share",
    "Spool",
    "agreement",
    "agreement_over_time",
    "answers",
    "answers_over_time",
    "calibration",
    "confidence",
    "database",
    "drift",
    "estimated_accuracy",
    "feedback_share",
    "latency",
    "latency_over_time",
    "model_age",
    "novelty",
    "photos",
    "refusals",
    "refusals_over_time",
    "review_backlog",
    "spool",
]
