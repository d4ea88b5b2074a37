# SPDX-License-Identifier: GPL-3.0-or-later
"""Those who delegate in the benchmark: the collection, a bare ldap3 loop that is told every byte, and samba-tool.

``contestants.py NAME JOB COUNT`` runs one in a process of its own and prints what it took as JSON.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import ssl
import sys
import time
import typing as t
from collections import deque
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "lab"))

import ldap3

from odj_lab import directory as lab_directory
from odj_lab import directory_acl as acl
from odj_lab import inventory
from odj_lab.directory_acl import DACL_ONLY
from odj_lab.settings import Lab

ACCOUNTS = 10
WINDOW = 64
PAGE = 1000
PAGED_RESULTS = "1.2.840.113556.1.4.319"
UNIT_ATTRIBUTES = ["objectClass", "sDRightsEffective", "nTSecurityDescriptor"]
Lists: t.TypeAlias = dict[str, bytes]


def parent_of(lab: Lab, count: int) -> str:
    return f"OU=Bench{count},{lab.domains[0].base_dn}"


def unit_names(lab: Lab, count: int) -> list[str]:
    return [f"OU=Unit{number:04},{parent_of(lab, count)}" for number in range(count)]


def account_names() -> list[str]:
    return [f"msaBench{number:02}" for number in range(ACCOUNTS)]


def lists_path(lab: Lab, count: int, state: str) -> Path:
    """Return where the access lists are kept that the bare loop is to write."""
    return lab.home / f"bench-{count}-{state}.json"


def load(lab: Lab, count: int, state: str) -> Lists:
    text = lists_path(lab, count, state).read_text(encoding="utf-8")
    return {dn: bytes.fromhex(data) for dn, data in json.loads(text).items()}


def save(lab: Lab, count: int, state: str, lists: Lists) -> None:
    text = json.dumps({dn: data.hex() for dn, data in lists.items()})
    lists_path(lab, count, state).write_text(text, encoding="utf-8")


class Bare:
    """One asynchronous connection, one paged search, a window of requests under way: nothing is looked at."""

    def __init__(self, lab: Lab) -> None:
        domain = lab.domains[0]
        tls = ldap3.Tls(ssl.CERT_REQUIRED, ca_certs_file=str(lab.ca_path), valid_names=[domain.dc])
        server = ldap3.Server(domain.dc_address, 636, use_ssl=True, tls=tls, get_info=ldap3.NONE)
        user, password = f"{domain.netbios}\\odj-automation", domain.passwords["odj-automation"]
        self.connection = ldap3.Connection(
            server, user, password, client_strategy=ldap3.ASYNC, auto_bind=True, auto_referrals=False, check_names=False
        )

    def search(self, base: str, where: str, scope: t.Any, attributes: list[str], **more: t.Any) -> tuple[t.Any, t.Any]:
        number = self.connection.search(base, where, scope, attributes=attributes, **more)
        return t.cast("tuple[t.Any, t.Any]", self.connection.get_response(number))

    def look(self, lab: Lab, count: int) -> Lists:
        """Read what the collection has to read: the root, the class, the accounts, the units."""
        self.search("", "(objectClass=*)", ldap3.BASE, ["defaultNamingContext", "schemaNamingContext"])
        schema = f"CN=Schema,CN=Configuration,{lab.domains[0].base_dn}"
        self.search(schema, "(lDAPDisplayName=computer)", ldap3.LEVEL, ["schemaIDGUID"])
        names = "".join(f"(sAMAccountName={name}$)" for name in account_names())
        self.search(lab.domains[0].base_dn, f"(|{names})", ldap3.SUBTREE, ["objectSid"])
        return self.read(lab, count)

    def read(self, lab: Lab, count: int) -> Lists:
        lists: Lists = {}
        cookie = None
        while True:
            found, result = self.search(
                parent_of(lab, count), "(objectClass=organizationalUnit)", ldap3.LEVEL, UNIT_ATTRIBUTES,
                controls=DACL_ONLY, paged_size=PAGE, paged_cookie=cookie,
            )  # fmt: skip
            entries = (entry for entry in found if entry["type"] == "searchResEntry")
            lists |= {entry["dn"]: entry["raw_attributes"]["nTSecurityDescriptor"][0] for entry in entries}
            cookie = result["controls"][PAGED_RESULTS]["value"]["cookie"]
            if not cookie:
                return lists

    def write(self, lists: Lists) -> None:
        waiting: deque[int] = deque()
        for dn, data in lists.items():
            change: t.Any = {"nTSecurityDescriptor": [(ldap3.MODIFY_REPLACE, [data])]}
            waiting.append(t.cast(int, self.connection.modify(dn, change, controls=DACL_ONLY)))
            if len(waiting) == WINDOW:
                self._take(waiting)
        while waiting:
            self._take(waiting)

    def _take(self, waiting: deque[int]) -> None:
        __, result = t.cast("tuple[t.Any, t.Any]", self.connection.get_response(waiting.popleft()))
        if result["result"]:
            raise RuntimeError(f"the bare loop was refused: {result}")


def bare(lab: Lab, job: str, count: int) -> dict[str, t.Any]:
    lists = load(lab, count, "after") if job == "converge" else {}
    begin = time.perf_counter()
    loop = Bare(lab)
    loop.look(lab, count)
    if lists:
        loop.write(lists)
        if loop.read(lab, count) != lists:
            raise RuntimeError("the directory does not hold what the bare loop wrote")
    loop.connection.unbind()
    return {"seconds": time.perf_counter() - begin}


def ours(lab: Lab, job: str, count: int) -> dict[str, t.Any]:
    from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import carry_out
    from ansible_collections.hybridjoin.odj.plugins.module_utils._module import ou_delegate

    given = {
        **inventory.access(lab.domains[0]),
        "organizational_units": unit_names(lab, count),
        "accounts": account_names(),
    }
    defaults = {name: option.get("default") for name, option in ou_delegate.SPEC["argument_spec"].items()}
    gc.freeze()  # as run_module does
    begin = time.perf_counter()
    with ou_delegate.open_job({**defaults, **given}) as opened:
        result = carry_out(opened, check_mode=False)
    seconds = time.perf_counter() - begin
    if (
        result["changed"] != (job == "converge")
        or len(t.cast("list[t.Any]", result["delegations"])) != count * ACCOUNTS
    ):
        raise RuntimeError(f"the collection did something else than {job}")
    return {"seconds": seconds, **t.cast("dict[str, t.Any]", result["directory"])}


def samba_tool(lab: Lab, job: str, count: int) -> dict[str, t.Any]:
    """Run the first ``count`` of the commands that the job takes; each one adds one entry to one unit."""
    del job
    domain = lab.domains[0]
    with lab_directory.connected(domain, "Administrator") as connection:
        sids = [acl.sid_text(lab_directory.sid_of(connection, domain, f"{name}$")) for name in account_names()]
    entry = "(OA;;CC;bf967a86-0de6-11d0-a285-00aa003049e2;;{})"
    runs = [(unit, sid) for unit in unit_names(lab, 10) for sid in sids][:count]
    user = f"Administrator%{domain.passwords['Administrator']}"
    begin = time.perf_counter()
    for unit, sid in runs:
        lab_directory.script(
            domain, "run", "samba-tool", "dsacl", "set", f"--objectdn={unit}", "--action=allow",
            f"--sddl={entry.format(sid)}", "-H", f"ldap://{domain.dc}", "-U", user,
        )  # fmt: skip
    return {"seconds": time.perf_counter() - begin}


def codec(lab: Lab, job: str, count: int) -> dict[str, t.Any]:
    """Parse and serialise every access list once, as a fresh process does."""
    from ansible_collections.hybridjoin.odj.plugins.module_utils._model.security_descriptor import SecurityDescriptor

    lists = list(load(lab, count, job).values())
    begin = time.perf_counter()
    same = [SecurityDescriptor.parse(data).to_bytes() for data in lists] == lists
    seconds = time.perf_counter() - begin
    if not same:
        raise RuntimeError("a descriptor did not come back as it was")
    return {"seconds": seconds}


CONTESTANTS: dict[str, t.Callable[[Lab, str, int], dict[str, t.Any]]] = {
    "ours": ours,
    "bare": bare,
    "samba-tool": samba_tool,
    "codec": codec,
}

if __name__ == "__main__":
    os.environ.setdefault("ODJ_LAB_NAME", "bench")
    outcome = CONTESTANTS[sys.argv[1]](Lab.from_environment(), sys.argv[2], int(sys.argv[3]))
    outcome["megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    json.dump(outcome, sys.stdout)
