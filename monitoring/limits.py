"""From when on a figure is worth a sentence at the top of the insights page."""

from datetime import timedelta

# Of the feedback, so much should say that we were right; all of its interval is below: look.
AGREEMENT_BELOW = 0.85
# Of all answers; all of the interval above: look.
UNSURE_OR_NEITHER_ABOVE = 0.30
# Of the photos that got a label, none should have less or more than this.
LABEL_BETWEEN = (0.20, 0.80)
# The slowest twentieth against its usual time, and at any time.
SLOWER_THAN_USUAL = 1.5
SLOW_MS = 2000.0
# Of all that was sent, and at least so many.
REFUSED_ABOVE = 0.20
REFUSED_AT_LEAST = 10
# Of fewer photos, no share and no percentile is worth a sentence.
ENOUGH_PHOTOS = 50
# So many photos were usual at this time of the day: then none is silence.
EXPECTED_PHOTOS = 10
BACKLOG_ABOVE = 200
MODEL_OLDER_THAN = timedelta(days=180)
DATABASE_SLOW_MS = 500.0
