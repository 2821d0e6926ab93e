"""Let another version answer, or the one before again, exactly as whoever asks was shown."""

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from classifier.models import ModelVersion, Server
from classifier.promoting import check_files
from classifier.versions import PromotionError

_OTHER_BEFORE = gettext_noop("Another version than %(version)s was live before %(live)s by now.")
_MEANWHILE = gettext_noop("Meanwhile %(now)s is live, no longer %(shown)s. Look again.")


@dataclass(frozen=True)
class Following:
    """Which servers answer with the live version.

    Attributes:
        servers: Those alive, each with its version and its problem.
        live: The live version's name.
    """

    servers: tuple[Server, ...]
    live: str

    @property
    def count(self) -> int:
        return sum(server.version == self.live for server in self.servers)

    @property
    def problems(self) -> list[Server]:
        return [server for server in self.servers if server.problem]

    @property
    def is_complete(self) -> bool:
        return self.count == len(self.servers)

    @property
    def mark(self) -> str:
        """Another one as soon as there is something else to tell."""
        return f"{self.count}-{len(self.servers)}-{len(self.problems)}"


def followers(live: str) -> Following:
    """The servers alive now, and how many of them answer with `live`."""
    return Following(tuple(Server.objects.alive(timezone.now())), live)


def make_live(version: ModelVersion, *, by: str, instead_of: str) -> bool:
    """Check a version's files and let it answer from now on.

    Args:
        version: To answer.
        by: Who says so.
        instead_of: The name of the version that was live when they were asked; empty: none was.

    Returns:
        Whether something changed: a second click finds it live already.

    Raises:
        VersionError: if a file is missing, changed, or not the one that was registered.
        PromotionError: if another version went live meanwhile.
    """
    check_files(version)
    with transaction.atomic():
        live = _hold_live()
        if live == version:
            return False
        _expect(instead_of, live)
        version.promote(by)
    return True


def version_before() -> ModelVersion | None:
    """Where a rollback would lead; None: the live version was the first one."""
    try:
        return ModelVersion.objects.before_live()
    except PromotionError:
        return None


def go_back(version: ModelVersion, *, by: str, instead_of: str) -> bool:
    """Check the files of the version before the live one and let it answer again.

    Args:
        version: The one before, as whoever asks was shown.
        by: Who says so.
        instead_of: The name of the live version, as they were shown.

    Returns:
        Whether something changed: a second click goes back no further.

    Raises:
        VersionError: if a file is missing, changed, or not the one that was registered.
        PromotionError: if by now another version is live, or another one was before it.
    """
    check_files(version)
    with transaction.atomic():
        live = _hold_live()
        if live == version:
            return False
        _expect(instead_of, live)
        if version_before() != version:
            raise PromotionError(_OTHER_BEFORE % {"version": version, "live": live})
        ModelVersion.objects.roll_back(by)
    return True


def _hold_live() -> ModelVersion | None:
    """The live version, which stays so until the transaction ends."""
    held = list(ModelVersion.objects.select_for_update().order_by("name"))
    return next((version for version in held if version.is_live), None)


def _expect(shown: str, live: ModelVersion | None) -> None:
    if shown != (live.name if live else ""):
        raise PromotionError(
            _MEANWHILE
            % {
                "now": live or gettext_noop("no version"),
                "shown": shown or gettext_noop("none"),
            }
        )
