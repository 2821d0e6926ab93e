"""Let another version answer, once its files have been checked: for commands and the admin."""

import getpass

from django.conf import settings
from django.utils.translation import gettext_noop

from classifier.models import ModelVersion
from ml.registry import Card, VersionError, load_version

_NOT_REGISTERED = gettext_noop(
    "Version %(version)s: %(file)s is not the file that was registered under this name."
)


def promote_version(name: str, *, by: str) -> ModelVersion:
    """Let a version under `settings.MODELS_DIR` answer from now on.

    Args:
        name: Its folder's name.
        by: Who says so, for the record.

    Raises:
        VersionError: if its files are not those that were saved and registered.
    """
    card = load_version(settings.MODELS_DIR / name)
    version = ModelVersion.objects.register(card)
    check_registered(card, version)
    version.promote(by)
    return version


def roll_back_version(*, by: str) -> ModelVersion:
    """Let the version before the live one answer again.

    Args:
        by: Who says so, for the record.

    Returns:
        The version that is live now.

    Raises:
        PromotionError: if there is none to go back to.
        VersionError: if its files are not those that were saved and registered.
    """
    before = ModelVersion.objects.before_live()
    # Before the transaction: reading megabytes within it would keep others waiting.
    check_files(before)
    return ModelVersion.objects.roll_back(by, to=before)


def check_files(version: ModelVersion) -> None:
    """Check the files of a version that is registered.

    Raises:
        VersionError: if one is missing, changed, or not the one that was registered.
    """
    check_registered(load_version(settings.MODELS_DIR / version.name), version)


def check_registered(card: Card, version: ModelVersion) -> None:
    """A folder whose files agree with its card may still be another version of the same name.

    Raises:
        VersionError: if the card lists other files than those that were registered.
    """
    registered = version.files or {card.networks[0]: version.weights_sha256}
    for name, sha256 in registered.items():
        if card.files.get(name) != sha256:
            raise VersionError(_NOT_REGISTERED % {"version": version, "file": name})


def this_user(otherwise: str) -> str:
    """The name of the user of this machine who runs the command; some containers have none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return otherwise
