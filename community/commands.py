"""The command line: `flask --app wsgi …`. Commands are doors: they parse, open the transaction, call a verb, answer."""

from __future__ import annotations

import json
import os
import secrets
import sys
from pathlib import Path
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

from . import demo as demo_content
from .accounts import actions as accounts
from .accounts.access import account_named, has_accounts
from .accounts.models import ROLES, Account
from .accounts.passwords import hash_password
from .background import refuse_demo_in_production
from .beginnings import first_steps
from .core import audit, db, jobs
from .core.clock import now
from .core.errors import Refused
from .lexicon import actions as lexicon
from .lexicon import packfiles, packs
from .lexicon.queries import current_lexicon
from .rooms.actions import look_after_everything
from .safety import CONCERNS, Lexicon, scan_lines, starter_rules
from .training.actions import certify, tell_certified

HERE = Path(__file__).parent

people = AppGroup("people", help="Add people and give them roles.")
safety = AppGroup("safety", help="The safety rules.")
pack = AppGroup("pack", help="Rules as files.")
safety.add_command(pack)
audit_log = AppGroup("audit", help="The audit log.")


def init_app(app: Flask) -> None:
    for command in (people, safety, audit_log, start, demo, run_jobs):
        app.cli.add_command(command)


@click.command()
@with_appcontext
def start() -> None:
    """Bring the database up to date, fill in demo content the first time (demo mode), and serve."""
    config = current_app.config["KITH"]
    config.data_dir.mkdir(parents=True, exist_ok=True)
    upgrade()
    if config.mode == "demo" and not has_accounts():
        _load_demo()
    refuse_demo_in_production(config)
    _say_where(config)
    sys.stdout.flush()
    server = Path(sys.executable).with_name("gunicorn")
    os.execv(server, [str(server), "--config", str(HERE.parent / "gunicorn.conf.py")])  # nosec B606: our own server


def upgrade() -> None:
    """Migrations, then the starter house rules and lexicon where there are none."""
    current_app.extensions["alembic"].upgrade()
    first_steps()


def _say_where(config: Any) -> None:
    signins = config.data_dir / demo_content.SIGN_INS
    if config.mode == "demo" and signins.is_file():
        click.echo(f"\nDemo sign-ins (name, password), also in {signins}:\n")
        click.echo(signins.read_text())
    click.echo(f"{config.site_name} is at {config.public_url}   (stop with Ctrl-C)\n")


@click.command()
@with_appcontext
def demo() -> None:
    """Fill an empty community with demo people, rooms and conversations."""
    if current_app.config["KITH"].mode == "production":
        raise click.ClickException("Demo content is not for production: its people have printed passwords.")
    upgrade()
    if has_accounts():
        raise click.ClickException(
            "There are people here already. Demo content goes only into an empty community (another DATA_DIR)."
        )
    _load_demo()
    _say_where(current_app.config["KITH"])


def _load_demo() -> None:
    passwords = {name: secrets.token_urlsafe(9) for name in demo_content.CAST}
    hashes = {name: hash_password(password) for name, password in passwords.items()}
    with db.write():
        demo_content.load(hashes)
    demo_content.keep_sign_ins(current_app.config["KITH"].data_dir, passwords)


@click.command("jobs")
@with_appcontext
def run_jobs() -> None:
    """Run the timers (deadlines, e-mail) in a process of their own; set JOBS=outside for the servers."""
    from gevent import get_hub

    app = current_app._get_current_object()  # type: ignore[attr-defined]
    jobs.start(app)
    click.echo(f"{len(jobs.SWEEPS)} timers run; stop with Ctrl-C.")
    get_hub().join()


@people.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="member")
@click.option("--email")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of making one.")
def add_person(name: str, role: str, email: str | None, password_stdin: bool) -> None:
    """Make an account. Prints its password once."""
    password = sys.stdin.readline().rstrip("\n") if password_stdin else secrets.token_urlsafe(12)
    hashed, config = hash_password(password), current_app.config["KITH"]
    with _refusals(), db.write():
        checked = accounts.checked_name(name, current_lexicon())
        account = accounts.add_account(accounts.NewAccount(checked, hashed, config.default_country, email, role))
        _settle_staff(account, ())
        audit.record(None, "account.added", f"account:{account.id}", role=role)
    click.echo(f"{checked} can sign in." if password_stdin else f"{checked} can sign in with the password {password}")


@people.command("grant")
@click.argument("name")
@click.argument("role", type=click.Choice(ROLES))
@click.option(
    "--concern", "concerns", multiple=True, type=click.Choice((*CONCERNS, "all")), help="Certify for a concern; may be repeated."
)
def grant(name: str, role: str, concerns: tuple[str, ...]) -> None:
    """Give somebody a role; staff get every room in scope. `--concern` certifies them."""
    with _refusals(), db.write():
        account = account_named(accounts.name_key(name))
        if account is None:
            raise click.ClickException(f"There is nobody called {name}. Make the account first: people add {name}")
        accounts.set_role(None, account, role)
        _settle_staff(account, CONCERNS if "all" in concerns else concerns)
    click.echo(f"{name} is now {role}{' for ' + ', '.join(concerns) if concerns else ''}.")


def _settle_staff(account: Account, concerns: tuple[str, ...]) -> None:
    if account.is_staff:
        look_after_everything(account)
    for concern in concerns:
        certify(None, account, concern, days=current_app.config["KITH"].certificate_days)
    tell_certified(account, concerns)


class _refusals:
    """A refusal on the command line is its sentence."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, Refused):
            raise click.ClickException(error.sentence) from error


@safety.command("scan")
@click.option("--packs", is_flag=True, help="The starter packs as shipped; needs no database.")
def scan_stdin(packs: bool) -> None:
    """JSON lines {"text": …} on standard input, one JSON line of findings each on standard output."""
    lexicon = Lexicon.compile(starter_rules()) if packs else current_lexicon()
    for line in scan_lines(iter(sys.stdin.readline, ""), lexicon):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


@pack.command("check")
@click.argument("file", type=click.File("rb"))
def check_pack(file: Any) -> None:
    """Read a pack and say what is wrong with it, by line and rule. Asks no database."""
    found = _pack_in(file)
    click.echo(f"{found.pack.name} {found.pack.version}: {len(found.pack.rules)} rules, all sound. {found.standing}")


@pack.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--by", required=True, help="The admin who answers for it.")
@click.option("--take", type=click.Choice(("mine", "theirs")), help="For rules that were changed or retired here as well.")
def import_pack(file: Any, by: str, take: str | None) -> None:
    """Put a pack in force as one revision, or nothing of it. A crisis rule may wait for another admin, as on the page."""
    found = _pack_in(file)
    with _refusals():
        incoming = packs.sort_out(found.pack)
        asked = [entry.theirs.key for entry in incoming if entry.is_asked]
        if asked and not take:
            raise click.ClickException(f"Changed or retired here as well: {', '.join(asked)}. Say --take mine or --take theirs.")
        change = packs.change_of(incoming, dict.fromkeys(asked, take or ""))
        checked = lexicon.check_change(put=change.put)
        with db.write():
            actor, note = _admin_called(by), packs.usual_note(found.pack)
            outcome = lexicon.import_pack(actor, found, change, note=note, seen=None, checked_against=checked)
    click.echo(found.standing)
    done = f"{len(change.put)} rules are in force in revision {outcome.revision}."
    click.echo(done if outcome.in_force else f"It waits for another admin as draft {outcome.draft_id}; nothing has changed yet.")


@pack.command("export")
@click.argument("file", type=click.File("w", encoding="utf-8"))
@click.option("--name", default="Our rules")
@click.option("--version", default="1.0")
@click.option("--language", default="en")
@click.option("--note", default="")
@click.option("--by", required=True, help="Who signs it off.")
@click.option("--concern", "concerns", multiple=True, type=click.Choice(CONCERNS), help="Only these; may be repeated.")
@click.option("--origin", type=click.Choice(packs.ORIGINS), default="all")
@click.option("--members-words", is_flag=True, help="Also the sentences that rules learned from cases.")
def export_pack(file: Any, by: str, members_words: bool, **chosen: Any) -> None:
    """Write rules in force to a file (- for standard output). Rules of single rooms stay here."""
    made = packs.packed(packs.Choice(**chosen, learned=members_words))
    if not made.pack.rules:
        raise click.ClickException("No rule fits what you chose.")
    with db.write():
        lexicon.note_export(None, made, learned=members_words)
    file.write(packfiles.write(made.pack, by=by, at=now().date().isoformat()))
    click.echo(
        f"{len(made.pack.rules)} rules; {made.of_rooms} of single rooms and {made.lines_left_out} lines from cases stay.",
        err=True,
    )


def _pack_in(file: Any) -> packfiles.PackFile:
    try:
        return packfiles.read(file.read().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise click.ClickException("This file is no text in UTF-8.") from error
    except packfiles.BrokenPack as broken:
        raise click.ClickException("\n".join(broken.sentences)) from broken


def _admin_called(name: str) -> Account:
    account = account_named(accounts.name_key(name))
    if account is None or not account.is_admin:
        raise click.ClickException(f"There is no admin called {name}.")
    return account


@audit_log.command("verify")
def verify() -> None:
    """Recompute the chain of the audit log."""
    broken = list(audit.verify())
    for sentence in broken:
        click.echo(sentence)
    if broken:
        raise click.ClickException(f"The audit log is broken in {len(broken)} places.")
    click.echo(json.dumps({"ok": True}) + "  The audit log is whole.")
