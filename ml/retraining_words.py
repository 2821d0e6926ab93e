"""What people read of a retraining, said where a page finds it without loading a network."""

from ml.marked import gettext_noop

# What it is doing.
READING = gettext_noop("Reading the live version and its base")
LOOKING = gettext_noop("Looking at photos")
LOOKING_AGAIN = gettext_noop("Looking again")
LOOKED = gettext_noop("Looked at photos")
FITTING = gettext_noop("Fitting the heads")
JUDGING = gettext_noop("Judging what was learnt")
WRITING = gettext_noop("Writing the candidate")
MEASURING = gettext_noop("Measuring its speed")
DONE = gettext_noop("Done: the verdict is there")

# Why it cannot go on.
PREPARED_DIFFERENTLY = gettext_noop(
    "Version %(version)s prepares photos differently. Train a new version."
)
NONE_TO_TRAIN_ON = gettext_noop(
    "None of the %(photos)s photos falls into the train split, which is drawn by content. "
    "Approve some more."
)
NONE_TO_LEARN_FROM = gettext_noop(
    "None of %(photos)s photos can be learnt from. Approve some more."
)
NONE_LEFT = gettext_noop("No photo is left that versions are not judged by. Approve some more.")
NOT_MOVED = gettext_noop(
    "Version %(version)s could not be put beside the others (%(reason)s). "
    "If another training has just taken its name, start again."
)
BASE_UNREADABLE = gettext_noop("The base %(name)s cannot be read: %(reason)s.")
BASE_CHANGED = gettext_noop(
    "The base %(name)s is not the file that was saved. Get it anew, or make another one: "
    "python -m ml base --version VERSION --data DIR"
)
BASE_MISSING = gettext_noop("There is no base for version %(version)s in %(folder)s. %(advice)s")
BASE_ADVICE_ORIGIN = gettext_noop("It was refitted from %(name)s; put that file there.")
BASE_ADVICE_NEW = gettext_noop("Make one: python -m ml base --version %(version)s --data DIR")
NOT_FINITE = gettext_noop("Some features are not finite numbers; remove the feature cache.")

# Kinds of photos that are scored apart, as `ml.slices` calls them.
SLICES = (
    gettext_noop("label: %(label)s"),
    gettext_noop("shape: square"),
    gettext_noop("shape: oblong"),
    gettext_noop("short side: below 200"),
    gettext_noop("short side: 200 to 499"),
    gettext_noop("short side: 500 and more"),
    gettext_noop("brightness: dark"),
    gettext_noop("brightness: medium"),
    gettext_noop("brightness: bright"),
    gettext_noop("focus: blurred"),
    gettext_noop("focus: medium"),
    gettext_noop("focus: sharp"),
)

# Parts of a data set, as cards call them.
SPLITS = (gettext_noop("train"), gettext_noop("calibration"), gettext_noop("holdout"))
