"""Look at the rules once: for a timer, or to see what is wrong."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from monitoring import alerts
from monitoring.incidents import Incident, Silence
from monitoring.rules import RulesError
from monitoring.saying import later
from monitoring.telling import News, NotTold, channels, tell


class Command(BaseCommand):
    help = (
        "Looks at all rules of monitoring/rules.toml, says what is wrong, and sends the mails "
        "that are due: one when something begins, one when it is over. For a timer, once a minute, "
        "where CATSDOGS_ALERTS_EVERY is 0; beside the server's own checks it does no harm. Exit "
        "status: 0 all is well; 1 something is wrong, has lasted, and is not silenced; 2 the rules "
        "cannot be read, or a test message was not sent."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="only look: nothing is noted, nobody is told; 1 if anything is wrong at all",
        )
        parser.add_argument(
            "--test-message",
            action="store_true",
            help="look at nothing: send a message by each channel that is set up",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["test_message"]:
            self._send_test()
            return
        now = timezone.now()
        try:
            found = alerts.evaluate(now) if options["dry_run"] else alerts.check(now)
        except RulesError as error:
            raise CommandError(str(error), returncode=2) from error
        for finding in found:
            self.stdout.write(f"{finding.severity}: {finding.title}. {finding.words}")
            self.stdout.write(f"    {finding.do}")
        if not found:
            self.stdout.write("All is well.")
        away = any(finding.rule == alerts.DATABASE for finding in found)
        is_wrong = bool(found) if options["dry_run"] or away else self._is_going_on()
        if is_wrong:
            raise SystemExit(1)

    def _is_going_on(self) -> bool:
        silenced = set(Silence.objects.in_force(timezone.now()).values_list("rule", flat=True))
        going_on = Incident.objects.going_on()
        for incident in going_on:
            note = " (silenced)" if silenced & {"", incident.rule} else ""
            since = timezone.localtime(incident.noticed_at)
            self.stdout.write(f"Going on since {since:%Y-%m-%d %H:%M}: {incident.title}{note}")
        return "" not in silenced and going_on.exclude(rule__in=silenced).exists()

    def _send_test(self) -> None:
        if not channels():
            raise CommandError(
                "Nobody is told: set CATSDOGS_ALERT_MAIL_TO or CATSDOGS_ALERT_WEBHOOK.",
                returncode=2,
            )
        now = timezone.now()
        news = News(
            key=f"test.{now:%Y%m%d%H%M%S%f}",
            is_over=False,
            severity="test",
            title=later(lambda: _("Nothing is wrong")),
            words=later(lambda: _("This message shows that alerts reach you.")),
            do=later(lambda: _("Nothing.")),
            rule="test",
            since=now,
        )
        for channel in channels():
            try:
                tell(channel, news)
            except NotTold as error:
                raise CommandError(f"{channel}: not sent: {error}", returncode=2) from error
            self.stdout.write(f"{channel}: sent.")
