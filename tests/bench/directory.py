# SPDX-License-Identifier: GPL-3.0-or-later
"""What the delegation costs beside a bare ldap3 loop that reads and writes the same bytes; ``make bench-directory``.

Both connect, log on, read the root, the class, the accounts and the access lists, write those that differ with 64
requests under way, and read all of them back. The bare loop is told beforehand which bytes to write. Each run is a
process of its own, turn and turn about; the time is taken behind the imports; the middle of the runs is shown.
ODJ_BENCH_RUNS sets how many runs.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import typing as t
from pathlib import Path

from contestants import (
    ACCOUNTS,
    Bare,
    account_names,
    load,
    parent_of,
    save,
    unit_names,
)

from odj_lab import directory as lab_directory
from odj_lab import directory_acl as acl
from odj_lab.settings import Lab

ROOT = Path(os.environ["ODJ_ROOT"])
COUNTS = (10, 100, 1000)
RUNS = int(os.environ.get("ODJ_BENCH_RUNS") or 5)
TOOL_RUNS = 30
LIMITS = {"converge": 1.3, "re-check": 1.2}
NOISE = 5000  # relative identifier of the account that only one unit knows


def main() -> int:
    os.environ.update(ODJ_LAB_NAME="bench", ODJ_LAB_NET=os.environ.get("ODJ_LAB_NET", "127.0.79"))
    lab_command = [ROOT / "tests" / "lab" / "lab"]
    if subprocess.run([*lab_command, "up"], check=False, stdout=subprocess.DEVNULL).returncode:
        return 1  # the lab has said why
    try:
        lab = Lab.from_environment()
        os.environ["PYTHONPATH"] = f"{collections_path(lab)}:{os.environ.get('PYTHONPATH', '')}"
        print(f"{ACCOUNTS} accounts on each unit, {RUNS} runs each, the middle of them, in seconds", flush=True)
        print(f"{'units':>5}  {'job':9} {'ours':>7} {'bare':>7} {'ratio':>6} {'limit':>6}  our requests", flush=True)
        memory = max(compare(lab, count) for count in COUNTS)
        print(f"memory of ours at most {memory:.0f} MB (limit 200)")
        tell_codec(lab)
        tell_samba_tool(lab)
    finally:
        subprocess.run([*lab_command, "wipe"], check=False, stdout=subprocess.DEVNULL)
    return 0


def collections_path(lab: Lab) -> Path:
    link = lab.home / "bench" / "ansible_collections" / "hybridjoin" / "odj"
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(ROOT)
    return lab.home / "bench"


def compare(lab: Lab, count: int) -> float:
    """Measure both jobs at one size, print a line for each, and return the megabytes that the collection took."""
    prepare(lab, count)
    times: dict[tuple[str, str], list[float]] = {}
    megabytes, requests = 0.0, ""
    for job in ("converge", "re-check"):
        for __ in range(RUNS):
            for who in ("bare", "ours"):
                if job == "converge":
                    Bare(lab).write(load(lab, count, "before"))
                outcome = run(who, job, count)
                times.setdefault((who, job), []).append(outcome["seconds"])
                if who == "ours":
                    megabytes = max(megabytes, outcome["megabytes"])
                    requests = ", ".join(f"{number} {kind}" for kind, number in outcome["operations"].items() if number)
        ours, bare = (statistics.median(times[who, job]) for who in ("ours", "bare"))
        limit = LIMITS[job] if count == COUNTS[-1] else ""  # a few units cost what one logon and one pause cost
        print(f"{count:5}  {job:9} {ours:7.3f} {bare:7.3f} {ours / bare:6.2f} {limit:>6}  {requests}", flush=True)
    return megabytes


def prepare(lab: Lab, count: int) -> None:
    """Make the units, each with an entry that no other unit has, and learn the access lists before and after."""
    domain, parent = lab.domains[0], parent_of(lab, count)
    with lab_directory.connected(domain, "Administrator") as connection:
        connection.add(parent, "organizationalUnit")
        automation = bytearray(acl.allow(lab_directory.sid_of(connection, domain, "odj-automation"), acl.WRITE_DAC))
        automation[1] = 0x02  # inherited by the units below
        acl.grant(connection, parent, bytes(automation))
        sid = lab_directory.sid_of(connection, domain, "odj-automation")
        for number, name in enumerate(unit_names(lab, count)):
            connection.add(name, "organizationalUnit")
            stranger = sid[:-4] + (NOISE + number).to_bytes(4, "little")
            acl.grant(connection, name, acl.allow(stranger, acl.WRITE_PROPERTY))
        for name in account_names():
            if lab_directory.find(connection, domain, f"{name}$") is None:
                attributes = {"sAMAccountName": f"{name}$", "userAccountControl": 4096}
                dn = f"CN={name},{domain.msa_container}"
                connection.add(dn, "msDS-ManagedServiceAccount", attributes)
    loop = Bare(lab)
    save(lab, count, "before", loop.read(lab, count))
    run("ours", "converge", count)
    save(lab, count, "after", loop.read(lab, count))


def run(who: str, job: str, count: int) -> dict[str, t.Any]:
    words = [sys.executable, str(Path(__file__).with_name("contestants.py")), who, job, str(count)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{who} {job} {count} failed:\n{done.stderr}")
    return t.cast("dict[str, t.Any]", json.loads(done.stdout))


def tell_codec(lab: Lab) -> None:
    del lab
    taken = statistics.median(run("codec", "after", COUNTS[-1])["seconds"] for __ in range(RUNS)) / COUNTS[-1]
    print(f"parse and serialise an access list: {taken * 1e6:.0f} µs (limit 40)")


def tell_samba_tool(lab: Lab) -> None:
    Bare(lab).write(load(lab, 10, "before"))
    each = run("samba-tool", "converge", TOOL_RUNS)["seconds"] / TOOL_RUNS
    print(f"samba-tool dsacl set: {each:.2f} s for each entry, measured on {TOOL_RUNS}; from that, extrapolated:")
    for count in COUNTS[:2]:
        print(f"{count:5}  converge  {each * count * ACCOUNTS:7.0f}")


if __name__ == "__main__":
    sys.exit(main())
