# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's command line. Exit codes: 0 done, 1 the lab says why not, 2 wrong usage, 3 status of a lab that is down."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Callable

from odj_lab import cli_state, inventory, world
from odj_lab.processes import LabError
from odj_lab.product import join, sign_in
from odj_lab.settings import Lab, home_in_environment
from odj_lab.world_daemon import serve
from odj_lab.world_status import report

EPILOG = """environment:
  ODJ_LAB_NAME       name of the lab (default lab); two labs at once need two names and two nets
  ODJ_LAB_NET        first three octets of its addresses (default 127.0.77)
  ODJ_LAB_DOMAINS    the domains, as --domains of "lab up" takes them (default contoso.test)
  ODJ_LAB_HOME       directory that holds the labs (default odj-lab in the directory for temporary files; keep it short)
  ODJ_LAB_CACHE      directory of provisioned templates, shared by all labs
  ODJ_LAB_MAXRUN     seconds after which a forgotten lab ends by itself (default 10800)
  ODJ_LAB_HEARTBEAT  seconds between two heartbeats of a connector (default 5)
  ODJ_LAB_PYTHON     the Python that runs it (default python3)
"""
DOMAINS_HELP = (
    "domains with their number of servers (default contoso.test:3); a lab that is there gets what it lacks, and a "
    "further domain has 2 servers unless told"
)
SERVER_HELP = "its name: odj01, odj02 ... in the first domain, odj11 ... in the second"
STAND_INS = """
Active Directory       real domains: Samba 4, one domain controller and one forest each
connector installer    dummies of four builds; quiet installation, upgrade, removal with Burn's exit codes
connector wizard       `lab sign-in`: account and OU rights really made in the directory, as intune-admin
connector service      heartbeats to the lab's Intune while it runs; no other work
device                 `lab enrol-device`: computer really made in the directory, as the connector's service account
Entra and Intune       https with the lab's CA: token endpoint, and the few resources of Graph beta that we read"""
Verb = Callable[[Lab, argparse.Namespace], int]


def main(arguments: list[str]) -> int:
    """Do what a command line says; return the exit code."""
    given = _parser().parse_args(arguments)
    verb: Verb = given.run
    try:
        return verb(_lab(given), given)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1


def _lab(given: argparse.Namespace) -> Lab:
    """Return the lab of the environment; for wiping, also one whose lab.json cannot be read."""
    try:
        return Lab.from_environment(getattr(given, "domains", ""))
    except LabError:
        if given.run is not _wipe:
            raise
        home = home_in_environment()
        return Lab.new(home.name, "", home)


def _say(line: str) -> None:
    # Who reads only the first lines ("lab status | head") must not end a command half-way.
    with contextlib.suppress(BrokenPipeError):
        print(line, flush=True)


def _up(lab: Lab, given: argparse.Namespace) -> int:
    world.up(lab.with_domains(given.domains or os.environ.get("ODJ_LAB_DOMAINS", "")), _say)
    return 0


def _down(lab: Lab, __: argparse.Namespace) -> int:
    world.down(lab, _say)
    return 0


def _reset(lab: Lab, __: argparse.Namespace) -> int:
    world.reset(lab, _say)
    return 0


def _wipe(lab: Lab, __: argparse.Namespace) -> int:
    world.wipe(lab, _say)
    return 0


def _status(lab: Lab, __: argparse.Namespace) -> int:
    _say("\n".join(report(lab)))
    return 0 if world.is_up(lab) else 3


def _serve(lab: Lab, __: argparse.Namespace) -> int:
    return serve(lab)


def _sign_in(lab: Lab, given: argparse.Namespace) -> int:
    world.require(lab)
    account = sign_in.sign_in(lab, given.server, _say, with_ou_rights=given.with_ou_rights)
    _say(f"service account {lab.domain_of(given.server).netbios}\\{account['name']}$  {account['sid']}")
    return 0


def _enrol_device(lab: Lab, given: argparse.Namespace) -> int:
    world.require(lab)
    joined = join.enrol(lab, given.name, _say, profile=given.profile, unit=given.ou, via=given.via)
    return 0 if joined.dn else 1


def _inventory(lab: Lab, given: argparse.Namespace) -> int:
    if not lab.path.exists():
        raise LabError("There is no lab yet: bring it up first.")
    print(inventory.write(lab, given.servers or None), end="")
    return 0


def _stand_ins(lab: Lab, __: argparse.Namespace) -> int:
    from odj_lab import windows

    _say(str(windows.describe()))
    _say(STAND_INS)
    return 0


def _get(lab: Lab, given: argparse.Namespace) -> int:
    _say(json.dumps(cli_state.get(lab, given.target, given.path), indent=1, sort_keys=True))
    return 0


def _set(lab: Lab, given: argparse.Namespace) -> int:
    cli_state.put(lab, given.target, given.path, given.value)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lab",
        description="An estate in miniature on loopback: Active Directory, connector servers, Entra, Intune, a device.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    def verb(name: str, text: str, run: Verb) -> argparse.ArgumentParser:
        made = verbs.add_parser(name, help=text, description=text)
        made.set_defaults(run=run)
        return made

    start = verb(
        "up", "bring the lab up, or complete it: with what has ended, and with domains and servers that it lacks", _up
    )
    start.add_argument("--domains", default="", metavar="NAME[:SERVERS],...", help=DOMAINS_HELP)
    verb("down", "stop it; its data stay", _down)
    verb("status", "what runs, and what state it is in; exit code 3 when it is down", _status)
    verb("reset", "back to the first state, and up", _reset)
    verb("wipe", "stop it and delete its directory", _wipe)
    server = verb("sign-in", "sign in at a connector server's wizard, as an Intune Administrator would", _sign_in)
    server.add_argument("server", help=SERVER_HELP)
    server.add_argument("--with-ou-rights", action="store_true", help="the person may also write the OUs' permissions")
    device = verb("enrol-device", "join a device through a healthy connector", _enrol_device)
    device.add_argument("name", help="name of the computer")
    device.add_argument("--profile", default="", help="display name of the domain join profile (default: the first)")
    device.add_argument(
        "--ou", default=None, help="another OU than the profile's; an empty text is the default container"
    )
    device.add_argument("--via", default="", choices=("net", "ldap"), help="how the computer is created")
    listed = verb("inventory", "write inventory.yml and print it; it holds the lab's passwords", _inventory)
    listed.add_argument("servers", nargs="*", help="which ones (default: the first two of each domain)")
    verb("stand-ins", "print what stands in for what", _stand_ins)
    for name, text, run in (("get", "print a value of a state", _get), ("set", "change a value of a state", _set)):
        made = verb(name, text, run)
        made.add_argument("target", help="a server, or cloud")
        made.add_argument("path", nargs="?" if name == "get" else None, default="", help=cli_state.PATH_HELP)
        if name == "set":
            made.add_argument("value", help="JSON, or else taken as text")
    verb("serve", "internal: be the background process", _serve)
    return parser
