"""The command line. Each command imports what it needs when it runs, so that `--help` is quick."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from config.crms import NAMES
from sync.stopping import cause, listen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sync.talk import Talk

app = typer.Typer(
    name="foretag",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="A worker beside your CRM: it decides who deserves a rep's time next, and writes the answer where"
    " reps already work.",
    epilog="Exit codes: 0 done · 1 bug · 2 fix your configuration · 3 done with refusals or unknowns"
    " · 4 stopped by a guard, or rule tests failed · 69 CRM unavailable · 75 parked, run again later · 130 Ctrl-C",
)

SettingsFile = Annotated[
    Path, typer.Option("--settings", "-s", help="The settings file.", envvar="FORETAG_SETTINGS")
]
ConnectionName = Annotated[
    str | None, typer.Option("--connection", "-c", help="Which connection, if there are several.")
]
Machine = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, for machines.")]
CrmName = Annotated[str, typer.Option("--crm", help=f"Which CRM: {NAMES}.")]
MaxChanges = Annotated[int | None, typer.Option(min=1, help="Most records that may change, for this once.")]
SETTINGS = Path("foretag.yaml")
DATA = (
    "pipeline, showcase, cdnow, cdnow_sample, "
    "synthetic:ACCOUNTS:OPPORTUNITIES or planted:ACCOUNTS:OPPORTUNITIES."
)


@app.command(epilog="Example: foretag demo --crm hubspot --serve")
def demo(
    crm: CrmName = "salesforce",
    data: Annotated[str, typer.Option(help=DATA)] = "pipeline",
    serve: Annotated[
        bool, typer.Option("--serve", help="Keep the local CRM running, to look at its pages.")
    ] = False,
    machine: Machine = False,
) -> None:
    """Run the whole job on a local CRM with real data."""
    from sync.demo import demo as run_demo

    with _talking(machine) as talk:
        _exit(run_demo(talk, crm=crm, data=data, serve=serve))


@app.command(epilog="Example: foretag init && $EDITOR foretag.yaml")
def init(
    folder: Annotated[Path, typer.Argument(help="Where to put the files.")] = Path(),
    crm: CrmName = "salesforce",
    machine: Machine = False,
) -> None:
    """Write starter files, foretag.yaml, rules.yaml and rules.test.yaml.

    The first says which CRM, the second how you prioritise, the third tests the second. Nothing is overwritten.
    """
    from sync.starter import write_starter

    with _talking(machine) as talk:
        write_starter(talk, folder, crm)


@app.command(epilog="Example: foretag schema    Run it again after an upgrade.")
def schema(
    folder: Annotated[Path, typer.Argument(help="Where to put them: beside your files.")] = Path(),
    machine: Machine = False,
) -> None:
    """Write the JSON Schemas by which editors complete, explain and check the files.

    An editor finds them, without a network, by a file's first line, as in the starter files. `foretag init` writes
    them, too.
    """
    from sync.starter import write_schemas

    with _talking(machine) as talk:
        _exit(write_schemas(talk, folder))


@app.command(epilog="Example: foretag check    Example, without a CRM: foretag check rules.yaml --json")
def check(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE]...", help="Check these files alone: rules, settings or tests of rules."
        ),
    ] = None,
    settings: SettingsFile = SETTINGS,
    connection: ConnectionName = None,
    machine: Machine = False,
) -> None:
    """Check files, sign-in, permissions and fields.

    Every problem is named at once, with its place and what to do; warnings never stop. Files that are named are
    checked alone, in a second, without a CRM. With --json every problem has file, line, column, end_column,
    severity, rule, message and fix, as editors want them.
    """
    from sync.checking import check_files

    with _talking(machine) as talk:
        if files:
            _exit(check_files(talk, files))
        from sync.commands import check as run_check

        _exit(run_check(talk, settings, connection))


@app.command("test", epilog="Example: foretag test rules.test.yaml")
def run_tests(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", help="Files of tests.  [default: rules.test.yaml]"),
    ] = None,
    machine: Machine = False,
) -> None:
    """Test the rules on records that you write down.

    Each test says some records, a day, and what the rules should make of them; every difference is told with its
    line. Exit code 4 if any test fails, 2 if a file is wrong.
    """
    from sync.rule_tests import test_rules

    with _talking(machine) as talk:
        _exit(test_rules(talk, files or [Path("rules.test.yaml")]))


@app.command(epilog="Example: foretag setup --print metadata/   (for an admin who makes it himself)")
def setup(
    settings: SettingsFile = SETTINGS,
    connection: ConnectionName = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Make it without asking.")] = False,
    print_to: Annotated[
        Path | None,
        typer.Option(
            "--print", help="Write all that is needed, for an admin to make by hand, to this folder."
        ),
    ] = None,
    machine: Machine = False,
) -> None:
    """Make our fields (HubSpot: properties) in the CRM, and what lets people use them.

    Shows what is missing first; may be repeated, and then makes only what is missing.

    The worker itself has no rights to make them: give an admin's credentials for this once, as FORETAG_ADMIN_TOKEN
    (for HubSpot a service key; for Salesforce a session id, as `sf org display` shows it) or, for Salesforce, as
    FORETAG_ADMIN_CLIENT_ID and FORETAG_ADMIN_CLIENT_SECRET.
    """
    from sync.commands import setup as run_setup

    with _talking(machine) as talk:
        _exit(run_setup(talk, settings, connection, yes=yes, print_to=print_to))


@app.command(
    epilog="Example: foretag plan -o friday.plan   ·   foretag plan --rules new.yaml --html new.html"
)
def plan(
    settings: SettingsFile = SETTINGS,
    connection: ConnectionName = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Keep the plan in this file.")] = None,
    rules: Annotated[
        Path | None, typer.Option(help="Show what these rules would do to the book, beside the present ones.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="With --rules: draw it on one page, in this file.")
    ] = None,
    machine: Machine = False,
) -> None:
    """Show what a run would change; write nothing.

    With --rules: who would move to another tier or segment under other rules, and why, before they are put to use.
    """
    from sync.commands import compare
    from sync.commands import plan as run_plan

    if rules is None and html is not None:
        raise typer.BadParameter("only with --rules", param_hint="--html")
    if rules is not None and output is not None:
        raise typer.BadParameter("not with --rules: put the rules to use first", param_hint="--output")
    with _talking(machine) as talk:
        if rules is not None:
            _exit(compare(talk, settings, connection, rules, html))
        _exit(run_plan(talk, settings, connection, output))


@app.command(epilog="Example: foretag apply friday.plan --max-changes 2000")
def apply(
    file: Annotated[Path, typer.Argument(help="A plan file.")],
    settings: SettingsFile = SETTINGS,
    connection: ConnectionName = None,
    max_changes: MaxChanges = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write without asking.")] = False,
    machine: Machine = False,
) -> None:
    """Do exactly what a plan file says.

    Records that changed since the plan was made are left alone and listed as stale. The first plan applied ends
    a connection's preview: from then on `run` writes.
    """
    from sync.commands import apply as run_apply

    with _talking(machine) as talk:
        _exit(run_apply(talk, settings, connection, file, max_changes=max_changes, yes=yes))


@app.command(epilog="Example: foretag run --json")
def run(
    settings: SettingsFile = SETTINGS,
    connection: ConnectionName = None,
    max_changes: MaxChanges = None,
    machine: Machine = False,
) -> None:
    """Plan and apply once: for a scheduler.

    Writes nothing while the connection is in preview.
    """
    from sync.commands import run as run_once

    with _talking(machine) as talk:
        _exit(run_once(talk, settings, connection, max_changes))


@app.command(epilog='Example: foretag explain "Acme Corporation"')
def explain(
    record: Annotated[
        str, typer.Argument(help="Name or id of an account (company), or id of an opportunity (deal).")
    ],
    settings: SettingsFile = SETTINGS,
    connection: ConnectionName = None,
    machine: Machine = False,
) -> None:
    """Show why a record has its score, point by point.

    As of the last `plan` or `run`.
    """
    from sync.commands import explain as run_explain

    with _talking(machine) as talk:
        _exit(run_explain(talk, settings, connection, record))


@app.command(epilog='Example: foretag book --owner "Ann Example"')
def book(
    settings: SettingsFile = SETTINGS,
    connection: ConnectionName = None,
    owner: Annotated[str | None, typer.Option(help="Only this owner's book: a name or an id.")] = None,
    machine: Machine = False,
) -> None:
    """Show the book: who spends most, most often, could grow; what hangs on whom; who looks after whom.

    As of the last `plan` or `run`. Quotas, territories and capacities come from the CRM or from files beside the
    rules.
    """
    from sync.commands import book as show_book

    with _talking(machine) as talk:
        _exit(show_book(talk, settings, connection, owner))


@app.command(epilog="Example: foretag runs 20261122-051527-1")
def runs(
    run_id: Annotated[
        str | None, typer.Argument(metavar="RUN", help="Show this run and all it did not do.")
    ] = None,
    settings: SettingsFile = SETTINGS,
    connection: ConnectionName = None,
    machine: Machine = False,
) -> None:
    """List the latest runs, or tell all about one.

    With RUN: counts, refusals with reasons, what was sent and not confirmed.
    """
    from sync.history import runs as list_runs

    with _talking(machine) as talk:
        _exit(list_runs(talk, settings, connection, run_id))


@app.command(epilog="Example: foretag sandbox --data synthetic:1000:5000 --port 8443")
def sandbox(
    crm: CrmName = "salesforce",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free port.")] = 8443,
    data: Annotated[str, typer.Option(help=DATA)] = "pipeline",
    faults: Annotated[Path | None, typer.Option(help="A YAML file of faults to show.")] = None,
    production: Annotated[
        bool, typer.Option("--production", help="Play an org or portal in production, to rehearse a rollout.")
    ] = False,
    machine: Machine = False,
) -> None:
    """Run the local CRM alone, on this machine only.

    To try rules, faults, or other clients on it.
    """
    from sync.local_crm import serve_sandbox

    with _talking(machine) as talk:
        _exit(serve_sandbox(talk, crm=crm, port=port, data=data, faults=faults, production=production))


def main() -> None:
    """The `foretag` command."""
    listen()
    app()


def _exit(code: int) -> NoReturn:
    raise typer.Exit(code)


@contextmanager
def _talking(machine: bool) -> Iterator[Talk]:
    """Turns whatever ends a command into a clear message and the right exit code."""
    from sync.talk import Talk

    talk = Talk(machine=machine)
    try:
        yield talk
    except (typer.Exit, typer.Abort, BrokenPipeError):
        # A reader that has seen enough, as `| head`, is no error; typer ends quietly.
        raise
    except BaseException as error:
        from sync.commands import explain_error

        raise typer.Exit(explain_error(talk, cause(error))) from error


if __name__ == "__main__":
    main()
