"""The command `ganpo-cloud`. Heavy imports happen inside the commands."""

import datetime
import re
import sys
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import click

from ganpo_cloud.cli import opening
from ganpo_cloud.cli.alarm import alarm
from ganpo_cloud.cli.declaring import declare
from ganpo_cloud.cli.quarantine import quarantine
from ganpo_service import words
from ganpo_service.commands import Group, say, version_option


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@version_option
def main() -> None:
    """The collector of Ganpo: takes what gateways observed, and shows what it comes to."""


main.add_command(alarm)
main.add_command(declare)
main.add_command(quarantine)


@main.command()
@opening.process
def run(config: Path | None, log_format: str, log_level: str) -> None:
    """Collect, compute and serve until SIGTERM or Ctrl-C."""
    import asyncio
    import signal
    from importlib.metadata import entry_points

    from ganpo_service import log
    from ganpo_service.clock import SystemClock

    log.set_up(log_format, log_level)
    settings, _ = opening.loaded(config)

    async def until_stopped() -> None:
        this = asyncio.current_task()
        if this is not None:
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, this.cancel)
        with suppress(asyncio.CancelledError):
            run = entry_points(group="ganpo.processes")["collector"].load()
            await run(settings, SystemClock(), log_settings=(log_format, log_level))

    asyncio.run(until_stopped())


@main.command()
@opening.process
def web(config: Path | None, log_format: str, log_level: str) -> None:
    """Serve page and API once more, until SIGTERM or Ctrl-C.

    For more readers than the pages of `ganpo-cloud run` answer: at an http.listen of its own, behind a proxy that
    shares them out. It reads the database and never writes.
    """
    from ganpo_cloud.web.process import Serving, serve
    from ganpo_service import http, log

    log.set_up(log_format, log_level)
    settings, _ = opening.loaded(config)
    with http.listen(settings.http.listen, "http.listen") as sock:
        serve(Serving.of(settings, settings.http.inlet), sock)


@main.group()
def gateway() -> None:
    """Whose gateways are."""


@gateway.command("add")
@click.argument("number", metavar="ID")
@click.option("--enterprise", required=True, metavar="CODE", help="unified social credit code")
@click.option("--site", required=True, metavar="ID", help="id of the site in the enterprise")
@click.option(
    "--since", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="the first day of its facts there"
)
@opening.config
def gateway_add(
    number: str, enterprise: str, site: str, since: datetime.datetime | None, config: Path | None
) -> None:
    """Register a gateway; frames that waited for it are applied.

    One that is given to another enterprise needs the day: facts of that day and later move there, also those that are
    stored already.
    """
    from ganpo_cloud.imports import registry
    from ganpo_cloud.inlet.ingest import retry

    with opening.database(config) as (database, _, now):
        registry.add(database, number, enterprise, site, since.date() if since is not None else None, now)
        applied = retry(database, now, number)
        say(f"{number} belongs to {enterprise}, site {site}; {applied} waiting frames applied")


@main.command()
@click.argument("enterprise", metavar="CODE")
@click.argument("asset_no", required=False, metavar="ASSET_NO")
@opening.config
def why(enterprise: str, asset_no: str | None, config: Path | None) -> None:
    """Say why something is not counted.

    What is missing of an enterprise, or of one of its devices, since when, and the command that closes it.
    """
    from ganpo_cloud.days.reasons import STEPS
    from ganpo_cloud.province import divisions
    from ganpo_cloud.province.why import why as reasons_of
    from ganpo_cloud.web import i18n
    from ganpo_service.pages import spoken

    lang = words.language()
    t = i18n.translator(lang)
    with opening.database(config) as (database, settings, now), database.read() as connection:
        holidays = divisions.load(settings.province.folder).holidays
        found = reasons_of(connection, enterprise, asset_no, now, holidays)
        for reason in found:
            when = "" if reason.since is None else f" ({spoken.instant(reason.since, lang)})"
            say(f"- {reason.told(t)}{when}")
            say(f"    {t('step: {step}', step=t(STEPS[reason.step]))}")
            if reason.command:
                say(f"    {reason.command}")
        if not found:
            say(t("nothing is missing: it is counted"))


@main.command("import")
@click.argument("kind")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE")
@click.option("--preview", is_flag=True, help="show what it would change, and change nothing")
@click.option("--withdraw", is_flag=True, help="take its rows back: they never held")
@opening.config
def import_list(kind: str, file: Path, preview: bool, withdraw: bool, config: Path | None) -> None:
    """Take a list into the registry, a CSV file or a workbook (.xlsx), or take its rows back.

    All of it is taken, or nothing while a row is refused. A wrong KIND is told all that there are: enterprises, ...
    """
    from ganpo_cloud.imports import report
    from ganpo_cloud.imports.kinds import KINDS

    if kind not in KINDS:
        raise click.UsageError(f"{kind}: no such list ({', '.join(KINDS)})")
    with opening.database(config) as (database, settings, now):
        folder, means = settings.province.folder, {"apply": not preview, "withdraw": withdraw}
        found = report.take(database, folder, kind, file, now, **means)
        for line in report.lines(found, file.name, applied=not preview):
            say(line)
        if found.errors:
            sys.exit(1)


@main.command()
@click.argument("what", nargs=-1, metavar="YYYY-MM | assessment AREA YEAR")
@click.option("--by", default="", metavar="NAME", help="who signs an assessment")
@opening.config
def publish(what: tuple[str, ...], by: str, config: Path | None) -> None:
    """Publish the report of a month that is over, or the assessment of a city or county.

    It is stored with a checksum and never changed; the collector publishes months by itself on the 5th. Of an
    assessment the scheme is stored too.
    """
    from ganpo_cloud.province import divisions, publishing

    if what[:1] == ("assessment",):
        _publish_assessment(what[1:], by, config)
        return
    if len(what) != 1 or by:
        raise click.UsageError("one month like 2026-11, or: assessment AREA YEAR --by NAME")
    month = what[0]
    if re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", month, re.ASCII) is None:
        raise click.UsageError(f"{month}: no month like 2026-11")
    with opening.database(config) as (database, settings, now):
        found = publishing.publish(database, divisions.load(settings.province.folder), month, now)
        say(f"{month} is published: {len(found.lines)} rows, SHA-256 {found.checksum}")


@main.command("verify-export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE")
def verify_export(file: Path) -> None:
    """Say whether the rows of an exported workbook were changed.

    Works out the checksums of its rows, and of their heads and sums, and compares them with those on its second
    sheet; it ends with 1 where they differ.
    """
    from ganpo_cloud.cli.verifying import verify

    found = verify(file)
    if not found.unchanged:
        say(f"{file.name}: its rows were changed, moved or taken out since it was exported")
        say(f"it says SHA-256 {found.told}, its rows have {found.found}")
        sys.exit(1)
    if found.around is False:
        say(
            f"{file.name}: its rows are unchanged; its heads or sums are not: a filter changes sums,"
            " and a program that works out no formulas leaves them empty"
        )
        sys.exit(1)
    say(f"{file.name}: {found.rows} rows, unchanged since it was exported; SHA-256 {found.told}")


def _publish_assessment(what: tuple[str, ...], by: str, config: Path | None) -> None:
    from ganpo_cloud.province import divisions, signing

    if len(what) != 2 or re.fullmatch(r"20\d\d", what[1], re.ASCII) is None:
        raise click.UsageError("assessment AREA YEAR --by NAME: an area by its id, a year like 2026")
    with opening.database(config) as (database, settings, now):
        lights = (Fraction(settings.province.limit_near), Fraction(settings.province.limit_above))
        province = divisions.load(settings.province.folder, lights)
        found = signing.publish(database, province, what[0], int(what[1]), by, now)
        points = f"{found.tenths // 10}.{found.tenths % 10}"
        say(
            f"the assessment of {found.area} for {found.year} is published: {points} points, SHA-256 {found.checksum}"
        )


@main.group("projection")
def projection_group() -> None:
    """The time-series store."""


@projection_group.command("rebuild")
@opening.config
def projection_rebuild(config: Path | None) -> None:
    """Write everything that is stored again, from the beginning; repetition is harmless."""
    from ganpo_cloud.projection import writing
    from ganpo_model.errors import StorageError

    to = opening.loaded(config)[0].projection
    if to is None:
        raise click.ClickException("no [projection] in cloud.toml: nothing to rebuild")
    with opening.database(config) as (database, *_):
        try:
            points = writing.rebuild(database, to)
        except writing.FAILED as error:
            what = f"the store refuses: {writing.sentence(error)}"
            hint = "is it running, and are token, bucket and org right?"
            raise StorageError(what, where=f"projection.url = {to.url}", hint=hint) from error
        say(f"{points} points written to {to.url}")


@main.command()
def schema() -> None:
    """Print the JSON Schema of what a frame unpacks to."""
    import json

    from ganpo_cloud.inlet.decode import json_schema

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
