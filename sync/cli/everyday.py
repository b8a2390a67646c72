"""The commands by which one begins: the demo, files, checks, set-up, the local CRM."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from sync.cli.options import SETTINGS, ConnectionName, CrmName, Machine, SettingsFile, app, leave, talking

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

    with talking(machine) as talk:
        leave(run_demo(talk, crm=crm, data=data, serve=serve))


@app.command(epilog="Example: foretag init && $EDITOR foretag.yaml")
def init(
    folder: Annotated[Path, typer.Argument(help="Where to put the files.")] = Path(),
    crm: CrmName = "salesforce",
    machine: Machine = False,
) -> None:
    """Write starter files: foretag.yaml, rules.yaml and its tests.

    The first says which CRM, the second how you prioritise, the third tests the second. Nothing is overwritten.
    """
    from sync.starter import write_starter

    with talking(machine) as talk:
        write_starter(talk, folder, crm)


@app.command(epilog="Example: foretag schema    Run it again after an upgrade.")
def schema(
    folder: Annotated[Path, typer.Argument(help="Where to put them: beside your files.")] = Path(),
    machine: Machine = False,
) -> None:
    """Write the JSON Schemas by which editors check the files.

    An editor finds them, without a network, by a file's first line, as in the starter files. `foretag init` writes
    them, too.
    """
    from sync.starter import write_schemas

    with talking(machine) as talk:
        leave(write_schemas(talk, folder))


@app.command("new-key", epilog="Example: (umask 077; foretag new-key > encryption_key)")
def new_key(machine: Machine = False) -> None:
    """Make a key by which tokens are kept encrypted; it goes where secrets are kept.

    Needed where a connection signs in by a refresh token: name the key's place under encryption_key in the settings.
    To replace a key, put the new one before the old one, apart by a blank, until each connection has run once.
    """
    from cryptography.fernet import Fernet

    key = Fernet.generate_key().decode()
    # Past `Talk`, which would hide it.
    typer.echo(json.dumps({"key": key}) if machine else key)


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

    Every problem is named at once, with its place and what to do; warnings never stop. Without a connection's name all
    are checked, and one that cannot be reached hides nothing of the others. Files that are named are checked alone,
    in a second, without a CRM. With --json every problem has file, line, column, end_column, severity, rule, message
    and fix, as editors want them.
    """
    from sync.checking import check_files

    with talking(machine) as talk:
        if files:
            leave(check_files(talk, files))
        from sync.commands.checks import check as run_check

        leave(run_check(talk, settings, connection))


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

    with talking(machine) as talk:
        leave(test_rules(talk, files or [Path("rules.test.yaml")]))


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
    """Make our fields in the CRM (HubSpot: properties).

    And the permissions by which people use them. Shows what is missing first; may be repeated, and then makes only
    what is missing.

    The worker itself has no rights to make them: give an admin's credentials for this once, as FORETAG_ADMIN_TOKEN
    (for HubSpot a service key; for Salesforce a session id, as `sf org display` shows it) or, for Salesforce, as
    FORETAG_ADMIN_CLIENT_ID and FORETAG_ADMIN_CLIENT_SECRET.
    """
    from sync.commands.checks import setup as run_setup

    with talking(machine) as talk:
        leave(run_setup(talk, settings, connection, yes=yes, print_to=print_to))


@app.command(epilog="Example: foretag sandbox --data synthetic:1000:5000 --port 8443")
def sandbox(
    crm: CrmName = "salesforce",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free port.")] = 8443,
    data: Annotated[str, typer.Option(help=DATA)] = "pipeline",
    faults: Annotated[Path | None, typer.Option(help="A YAML file of faults to show.")] = None,
    keys: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="For other programs: write ca.pem, credentials.env and a file for each credential.",
        ),
    ] = None,
    production: Annotated[
        bool, typer.Option("--production", help="Play an org or portal in production, to rehearse a rollout.")
    ] = False,
    machine: Machine = False,
) -> None:
    """Run the local CRM alone, on this machine only.

    To try rules, faults, or other clients on it.
    """
    from sync.local_crm import serve_sandbox

    with talking(machine) as talk:
        leave(
            serve_sandbox(
                talk, crm=crm, port=port, data=data, faults=faults, keys=keys, production=production
            )
        )
