# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job, end to end, in the lab: ``make demo`` runs it. KEEP=1 leaves the lab up."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(os.environ["ODJ_ROOT"])
COLLECTIONS = os.environ["ANSIBLE_COLLECTIONS_PATH"]  # what this checkout depends on
sys.path.insert(0, str(ROOT / "tests" / "lab"))

import nets
from processes import Failed

from odj_lab import audit, plays, population
from odj_lab.settings import Lab

FIRST_NET = 76
OTHER_NETS = range(150, 160)
LAB = ROOT / "tests" / "lab" / "lab"
DEVICE = "LAB-PILOT01"


class DemoFailed(Exception):
    """The demo did not do what it says; the text tells what."""


@contextmanager
def phase(name: str) -> Iterator[None]:
    begin = time.monotonic()
    print(f"==> {name}", flush=True)
    yield
    print(f"    {name}: {time.monotonic() - begin:.1f} s", flush=True)


def say(text: str, indent: str = "    ") -> None:
    print("\n".join(f"{indent}{line[:150]}" for line in text.splitlines()), flush=True)


def lab(*words: str) -> str:
    """Run a command of the lab; return what it printed."""
    done = subprocess.run([LAB, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise DemoFailed(f"lab {' '.join(words)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def collections_path(home: Path) -> str:
    """Return a search path on which ansible finds this checkout as the collection, and what it depends on."""
    link = home / "collections" / "ansible_collections" / "hybridjoin" / "odj"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(ROOT)
    return f"{home / 'collections'}:{COLLECTIONS}"


class Person:
    """Watches a play, shows what each task did, and signs in at each server at which the play asks for it."""

    def __init__(self) -> None:
        self._task = ""
        self._results: list[str] = []
        self._ready: list[str] = []
        self._told = False

    def on_line(self, line: str) -> None:
        if heading := re.match(r"(?:TASK \[(?:hybridjoin\.odj\.)?(.*?)\]|PLAY )", line):
            self._show_task()
            self._sign_in()
            self._task = heading[1] or ""
        elif result := re.match(r"(ok|changed|fatal|failed): \[(\w+)", line):
            self._results.append(f"{result[1]} {result[2]}")
        elif self._task.endswith("Say what a person has to do at the server") and (
            said := re.match(r'\s+"(.*)",?$', line)
        ):
            self._listen(said[1].replace('\\"', '"'))
        elif re.match(r"FAILED - RETRYING|\[ERROR\]|\[odj\d+\]: waiting|odj\d+ +: ok=", line):
            say(line)

    def _listen(self, sentence: str) -> None:
        if ready := re.match(r"(odj\d+) is ready to sign in", sentence):
            self._told = bool(self._ready)
            self._ready.append(ready[1])
        if not self._told:
            say(sentence, "      ")

    def _sign_in(self) -> None:
        for server in self._ready:
            say(f"a person signs in at {server}:")
            say(lab("sign-in", server), "      ")
        self._ready = []

    def _show_task(self) -> None:
        if self._results and "Validating arguments" not in self._task:
            say(f"{self._task}: {', '.join(self._results)}")
        self._results = []


def play(here: Lab, log: Path) -> plays.Play:
    """Run site.yml and sign in wherever it says so."""
    os.environ["ANSIBLE_COLLECTIONS_PATH"] = collections_path(here.home)
    done = plays.run(here, "hybridjoin.odj.site", variables={"odj_poll_interval": 2}, on_line=Person().on_line)
    log.write_text(done.output, encoding="utf-8")
    if done.code:
        raise DemoFailed(f"site.yml ended with {done.code}; see {log}\n{done.output[-3000:]}")
    return done


def aces(descriptor: str) -> list[str]:
    """Return the explicit and inherited ACEs of a descriptor in SDDL, in order."""
    return re.findall(r"\([^)]*\)", descriptor)


def check_delegation(before: dict[str, str], after: dict[str, str], sids: list[str]) -> list[str]:
    """See that each OU got exactly one ACE for each account and is otherwise as before; return the ACEs."""
    wanted = sorted(f"(OA;;CC;bf967a86-0de6-11d0-a285-00aa003049e2;;{sid})" for sid in sids)
    for unit, old in before.items():
        rest = aces(after[unit])
        added = sorted(ace for ace in rest if ace in wanted)
        for ace in added:
            rest.remove(ace)
        if added != wanted or rest != aces(old) or old.partition("D:")[0] != after[unit].partition("D:")[0]:
            raise DemoFailed(f"{unit} is not as it should be\nbefore: {old}\nafter:  {after[unit]}")
    return wanted


def demo(here: Lab) -> list[str]:
    """Do the main job; return the lines of the summary."""
    domain = here.domains[0]
    units = domain.organizational_units
    before = {unit: audit.descriptor(domain, unit) for unit in units}
    with phase("site.yml, first run: two servers from nothing to active in Intune"):
        play(here, here.home / "site-1.log")
    with phase("site.yml, second run: nothing may change"):
        changed = play(here, here.home / "site-2.log").changed()
    if not changed or any(changed.values()):
        raise DemoFailed(f"the second run changed something: {changed}")
    after = {unit: audit.descriptor(domain, unit) for unit in units}
    accounts = population.service_accounts(domain)
    granted = check_delegation(before, after, [account["sid"] for account in accounts])
    with phase(f"a pilot device joins: {DEVICE}"):
        say(lab("enrol-device", DEVICE))
    computer = population.computer(domain, DEVICE)
    if not computer or computer["owner"] not in {account["sid"] for account in accounts}:
        raise DemoFailed(f"the computer object is not as it should be: {computer}")
    creator = next(a["name"] for a in accounts if a["sid"] == computer["owner"])
    return [
        f"Connector servers   {', '.join(changed)}: installed, signed in, active in Intune",
        f"Second run          changed=0 on {len(changed)} hosts",
        f"Delegated OUs       {len(units)}, each with one ACE for each service account and otherwise as before:",
        *(f"                    {ace}" for ace in granted),
        f"Pilot device        {computer['dn']}",
        f"                    created by {creator}",
    ]


def name_the_lab() -> nets.Reservation:
    """Name a lab that no other demo has; that of an earlier KEEP=1 is taken over."""
    held = nets.Reservation((FIRST_NET, *OTHER_NETS), lambda number: number != FIRST_NET and nets.in_use(number))
    os.environ.setdefault("ODJ_LAB_NAME", "demo" if held.number == FIRST_NET else f"demo-{held.number}")
    os.environ.setdefault("ODJ_LAB_NET", held.net)
    return held


def main() -> int:
    try:
        held = name_the_lab()
    except Failed as failure:
        print(f"Stopped: {failure}", file=sys.stderr)
        return 1
    with held:
        return show()


def show() -> int:
    """Bring the lab up, do the main job, say what happened; return the exit code."""
    begin = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends the demo wants the lab gone, too
    here = Lab.from_environment()
    try:
        with phase("lab up: a domain controller, connector servers, a cloud"):
            lab("wipe")  # what an earlier KEEP=1 left
            say(lab("up"))
        here = Lab.from_environment()
        summary = demo(here)
    except DemoFailed as failure:
        print(f"The demo failed: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    finally:
        if not os.environ.get("KEEP"):
            subprocess.run([LAB, "wipe"], stdout=subprocess.DEVNULL, check=False)
    print("\nWhat happened")
    print("\n".join(f"  {line}" for line in summary))
    print(f"  Took                {time.monotonic() - begin:.0f} s")
    if os.environ.get("KEEP"):
        name = os.environ["ODJ_LAB_NAME"]
        print(f"\nThe lab is still up. Look around in {here.home}, or play with it:")
        for words in ("status", "enrol-device LAB-PILOT02", "wipe"):
            print(f"  ODJ_LAB_NAME={name} tests/tools/run lab {words}")
        ansible = Path(sys.executable).with_name("ansible-playbook")
        print(f"  export ANSIBLE_COLLECTIONS_PATH={os.environ['ANSIBLE_COLLECTIONS_PATH']}")
        print(f"  {ansible} hybridjoin.odj.site -i {here.home}/inventory.yml --check --diff")
    else:
        print("\nNothing is left running. KEEP=1 make demo leaves the lab up to look around in.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
