"""Make the versions under models/ known to the database; one of them is live afterwards."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from classifier.models import ModelVersion, Promotion
from ml.registry import VersionError, list_versions, load_version


class Command(BaseCommand):
    help = (
        "Registers each version under models/ that the database does not know yet. Where no "
        "version is live, or the live one's folder is gone, one goes live: the last that was live "
        "before, else the newest. So a fresh site answers, and so does one whose release replaced "
        "its version. A broken version is named and left out. Harmless to repeat."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        names = list_versions(settings.MODELS_DIR)
        versions = [version for version in map(self._register, names) if version]
        if names and not versions:
            raise CommandError("No version could be registered.")
        live = ModelVersion.objects.live().first()
        if versions and (live is None or live.name not in names):
            live = _last_live(versions) or versions[-1]
            live.promote(by="register_models")
        self.stdout.write(f"{len(versions)} versions, live: {live or 'none'}")

    def _register(self, name: str) -> ModelVersion | None:
        try:
            return ModelVersion.objects.register(load_version(settings.MODELS_DIR / name))
        except VersionError as error:
            # One bad folder, which may never have been live, must not keep a site from starting.
            self.stderr.write(str(error))
            return None


def _last_live(versions: list[ModelVersion]) -> ModelVersion | None:
    """The one among these that was live last; the newest may be one that was refused."""
    known = {version.name: version for version in versions}
    promoted = Promotion.objects.in_force().values_list("version_id", flat=True)
    return next((known[name] for name in promoted if name in known), None)
