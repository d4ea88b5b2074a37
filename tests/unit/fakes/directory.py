# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory in a dictionary: what the directory side sees of Active Directory, and no more.

directory_contract.py says how it behaves; the same contract runs against a real domain controller.
"""

from __future__ import annotations

import struct
import typing as t
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import (
    ANYTHING,
    NO_SUCH_OBJECT,
    AllOf,
    AnyOf,
    Attributes,
    Entry,
    Equals,
    Filter,
    Procedure,
    Read,
    T,
    Write,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError, refused
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.pipeline import Pipeline
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import (
    DACL_PRESENT,
    SELF_RELATIVE,
    Acl,
    SecurityDescriptor,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import Clock
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.rights import COMPUTER_CLASS, RIGHTS
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.tests.unit.fakes.clock import StandingClock
from ansible_collections.hybridjoin.odj.tests.unit.fakes.standard_order import standardised

BASE = "DC=contoso,DC=test"
CONFIGURATION = f"CN=Configuration,{BASE}"
MSA_CONTAINER = f"CN=Managed Service Accounts,{BASE}"
DOMAIN_CONTROLLERS = f"OU=Domain Controllers,{BASE}"
EXTENDED_RIGHTS = f"CN=Extended-Rights,{CONFIGURATION}"
COMPUTERS = f"CN=Computers,{BASE}"
DOMAIN_SID = Sid(5, (21, 1, 2, 3, 0))
COMPUTER_CHAIN = ("top", "person", "organizationalPerson", "user", "computer")


def dacl(*aces: bytes) -> bytes:
    """Return a descriptor with an access list alone, as the SD flags control yields it."""
    return SecurityDescriptor(SELF_RELATIVE | DACL_PRESENT, dacl=Acl(4, aces)).to_bytes()


class FakeDirectory:
    """Set up with put(); ``read_only`` makes any write fail the test that tries it."""

    def __init__(self, *, read_only: bool = False) -> None:
        self.clock: Clock = StandingClock()
        self.read_only = read_only
        self.counts: Counter[str] = Counter(bind=1)
        self.refuse: dict[str, BaseException] = {}
        self.refuse_reading: dict[str, DirectoryError] = {}
        self._objects: dict[object, Entry] = {}
        self._next_id = 1100
        self.put("", defaultNamingContext=BASE, configurationNamingContext=CONFIGURATION,
                 schemaNamingContext=f"CN=Schema,{CONFIGURATION}", currentTime="20261124030000.0Z")  # fmt: skip
        self.put(BASE, objectClass=("top", "domain", "domainDNS"),
                 objectSid=Sid(5, DOMAIN_SID.sub_authorities[:-1]).to_bytes(),
                 wellKnownObjects=(f"B:32:AA312825768811D1ADED00C04FD8D5CD:{COMPUTERS}",
                                   f"B:32:A361B2FFFFD211D1AA4B00C04FD7D83A:{DOMAIN_CONTROLLERS}"),
                 otherWellKnownObjects=f"B:32:1EB93889E40C45DF9F0C64D23BBB6237:{MSA_CONTAINER}")  # fmt: skip
        self.put(f"CN=CONTOSO,CN=Partitions,{CONFIGURATION}", nCName=BASE, nETBIOSName="CONTOSO",
                 dnsRoot="contoso.test", objectClass="crossRef")  # fmt: skip
        self.put(f"CN=Computer,CN=Schema,{CONFIGURATION}", lDAPDisplayName="computer",
                 schemaIDGUID=COMPUTER_CLASS.bytes_le, objectClass="classSchema")  # fmt: skip
        for part in RIGHTS["reuse_computer"].parts:
            self.put(f"CN={part.name},{EXTENDED_RIGHTS}", rightsGuid=str(part.object_type).upper(),
                     validAccesses=str(part.mask), appliesTo=str(COMPUTER_CLASS))  # fmt: skip
        for container in (MSA_CONTAINER, COMPUTERS):
            self.put(container, objectClass=("top", "container"), nTSecurityDescriptor=dacl(), sDRightsEffective="4")

    def put(self, dn: str, **values: str | bytes | Sequence[str] | Sequence[bytes]) -> None:
        """Place an object, or set attributes of one that is there; nothing is checked."""
        lists = {name: [value] if isinstance(value, (str, bytes)) else value for name, value in values.items()}
        encoded: dict[str, tuple[bytes, ...]] = {
            n.lower(): tuple(v.encode() if isinstance(v, str) else v for v in vs) for n, vs in lists.items()
        }
        known = self._objects.get(_key(dn))
        merged: dict[str, tuple[bytes, ...]] = {**(known.values if known else {}), **encoded}
        if "ntsecuritydescriptor" in encoded and "replpropertymetadata" not in encoded:
            merged[_COUNTS] = (write_counts(_writes(merged.get(_COUNTS, ())) + 1),)
        self._objects[_key(dn)] = Entry(known.dn if known else dn, merged)

    def unit(self, dn: str, *aces: bytes, writable: bool = True) -> str:
        """Place an organizational unit with this access list."""
        self.put(dn, objectClass=("top", "organizationalUnit"), nTSecurityDescriptor=dacl(*aces),
                 sDRightsEffective="4" if writable else "0")  # fmt: skip
        return dn

    def account(self, name: str, *, cls: Sequence[str] = ("top", "user"), parent: str = f"CN=Users,{BASE}") -> Sid:
        """Place an account; a trailing dollar sign is kept out of its CN."""
        sid = self._new_sid()
        self.put(f"CN={name.removesuffix('$')},{parent}", objectClass=cls, sAMAccountName=name,
                 objectSid=sid.to_bytes(), primaryGroupID="515",
                 tokenGroups=DOMAIN_SID.sibling(515).to_bytes())  # fmt: skip
        return sid

    def value(self, dn: str, attribute: str) -> bytes | None:
        """Return what is stored, for assertions."""
        return self._objects[_key(dn)].one(attribute)

    def root(self) -> Entry:
        return self._objects[()]

    def search(
        self,
        base: str,
        where: Filter,
        attributes: Sequence[str],
        *,
        scope: str = "subtree",
        dacl: bool = False,
        owner: bool = False,
    ) -> list[Entry]:
        self.counts["search"] += 1
        if base in self.refuse_reading:
            raise self.refuse_reading[base]
        if scope != "subtree" and base and not any(_under(e.dn, base) for e in self._objects.values()):
            raise refused("search the directory", base, 32, "noSuchObject", "")
        found = [e for e in self._objects.values() if _in_scope(e.dn, base, scope) and self._matches(e, where)]
        return [self._shown(entry, attributes, dacl) for entry in found]

    def entries(
        self,
        base: str,
        where: Filter,
        attributes: Sequence[str],
        *,
        scope: str = "subtree",
        dacl: bool = False,
        owner: bool = False,
    ) -> Iterator[Entry]:
        yield from self.search(base, where, attributes, scope=scope, dacl=dacl, owner=owner)

    def run_all(self, procedures: Iterable[Procedure[T]]) -> Iterator[T | OdjError]:
        return Pipeline[T](OneAtATime(self)).run_all(procedures)

    def modify(self, dn: str, changes: Mapping[str, tuple[str, Sequence[bytes]]], *, dacl: bool = False) -> None:
        entry = self._for_write("modify", dn)
        values = dict(entry.values)
        for name, (verb, given) in changes.items():
            if name == "nTSecurityDescriptor" and not (dacl and (entry.number("sDRightsEffective") or 0) & 4):
                raise refused("change", dn, 50, "insufficientAccessRights", "")
            present = values.get(name.lower(), ())
            if verb == "add" and set(given) & set(present):
                raise refused("change", dn, 20, "attributeOrValueExists", "")
            if verb == "delete" and not set(given) <= set(present):
                raise refused("change", dn, 16, "noSuchAttribute", "")
            if name == "nTSecurityDescriptor":
                given = [standardised(value) for value in given]
                differs = int(tuple(given) != present)
                values[_COUNTS] = (write_counts(_writes(values.get(_COUNTS, ())) + differs),)
            kept = () if verb == "replace" else tuple(value for value in present if value not in given)
            values[name.lower()] = kept + (() if verb == "delete" else tuple(given))
        self._objects[_key(dn)] = Entry(entry.dn, {name: items for name, items in values.items() if items})

    def add(self, dn: str, object_class: str, attributes: Attributes) -> None:
        parent = Dn.parse(dn).parent
        self._for_write("add", str(parent))
        if _key(dn) in self._objects:
            raise refused("create", dn, 68, "entryAlreadyExists", "")
        chain: tuple[str, ...] = ("top", object_class) if object_class == "organizationalUnit" else COMPUTER_CHAIN
        chain += (object_class,) if object_class not in chain else ()
        values: dict[str, t.Any] = {name: tuple(items) for name, items in attributes.items()}
        made = {"objectClass": chain, "nTSecurityDescriptor": dacl(), "sDRightsEffective": "4"}
        sid = {"objectSid": self._new_sid().to_bytes(), "primaryGroupID": "515"} if "sAMAccountName" in values else {}
        self.put(dn, **{**made, **sid, **values})

    def delete(self, dn: str) -> None:
        entry = self._for_write("delete", dn)
        del self._objects[_key(entry.dn)]

    def facts(self) -> dict[str, t.Any]:
        names = ("bind", "search", "modify", "add", "delete")
        return {"server": "fake", "operations": {name: self.counts[name] for name in names}}

    def _for_write(self, operation: str, dn: str) -> Entry:
        assert not self.read_only, f"{operation} {dn} in check mode"
        self.counts[operation] += 1
        if dn in self.refuse:
            raise self.refuse[dn]
        if _key(dn) not in self._objects:
            raise refused(operation, dn, 32, "noSuchObject", "")
        return self._objects[_key(dn)]

    def _new_sid(self) -> Sid:
        self._next_id += 1
        return DOMAIN_SID.sibling(self._next_id)

    def _matches(self, entry: Entry, where: Filter) -> bool:
        if isinstance(where, (AllOf, AnyOf)):
            return (all if isinstance(where, AllOf) else any)(self._matches(entry, part) for part in where.parts)
        if not isinstance(where, Equals):
            return bool(entry.all(where.attribute)) or where.attribute == "objectClass"
        if where.attribute == "distinguishedName":
            return bool(entry.dn) and _key(entry.dn) == _key(str(where.value))
        wanted = where.value if isinstance(where.value, bytes) else where.value.encode()
        return _folded(wanted) in map(_folded, entry.all(where.attribute))

    def _shown(self, entry: Entry, attributes: Sequence[str], dacl: bool) -> Entry:
        values = {name.lower(): entry.all(name) for name in attributes}
        if "ntsecuritydescriptor" in values and not dacl:
            values["ntsecuritydescriptor"] = ()
        if "msds-hostserviceaccountbl" in values:
            links = (e for e in self._objects.values() if entry.dn.encode() in e.all("msDS-HostServiceAccount"))
            values["msds-hostserviceaccountbl"] = tuple(e.dn.encode() for e in links)
        return Entry(entry.dn, values)


class OneAtATime:
    """Answers the steps of procedures in the order in which they come."""

    def __init__(self, directory: FakeDirectory) -> None:
        self._directory = directory
        self._answers: dict[int, Entry | DirectoryError | None] = {}
        self._last = 0

    def ask(self, step: Read | Write) -> int:
        self._last += 1
        try:
            self._answers[self._last] = self._do(step)
        except DirectoryError as problem:
            self._answers[self._last] = problem
        return self._last

    def first_answered(self, numbers: Collection[int]) -> int:
        return min(numbers)

    def answer(self, number: int, step: Read | Write) -> Entry | None:
        answer = self._answers.pop(number)
        if isinstance(answer, DirectoryError):
            raise answer
        return answer

    def _do(self, step: Read | Write) -> Entry | None:
        if isinstance(step, Write):
            self._directory.modify(step.dn, step.changes, dacl=step.dacl)
            return None
        try:
            found = self._directory.search(
                step.dn, ANYTHING, step.attributes, scope="base", dacl=step.dacl, owner=step.owner
            )
        except DirectoryError as problem:
            if problem.code != NO_SUCH_OBJECT:
                raise
            found = []
        return next(iter(found), None)


_COUNTS = "replpropertymetadata"


def write_counts(number: int) -> bytes:
    """Return a value of replPropertyMetaData that tells of so many writes of the descriptor, beside another one."""
    items = ((0x00020000, 7), (0x00020119, number))
    return struct.pack("<IIII", 1, 0, len(items), 0) + b"".join(
        struct.pack("<IIQ16sQQ", kind, version, 0, bytes(16), 1, 1) for kind, version in items
    )


def _writes(values: Sequence[bytes]) -> int:
    number: int = struct.unpack_from("<I", values[0], 16 + 48 + 4)[0] if values and values[0] else 0
    return number


def _folded(value: bytes) -> bytes:
    """Return a value without the difference of case, for text of whatever alphabet."""
    try:
        return value.decode().lower().encode()
    except UnicodeDecodeError:
        return value


def _key(dn: str) -> object:
    return Dn.parse(dn).key if dn else ()


def _under(dn: str, base: str) -> bool:
    return bool(dn) and Dn.parse(dn).is_within(Dn.parse(base))


def _in_scope(dn: str, base: str, scope: str) -> bool:
    if scope == "base" or not base:
        return _key(dn) == _key(base)
    depth = len(Dn.parse(dn).parts) - len(Dn.parse(base).parts) if dn else -1
    return _under(dn, base) and (scope == "subtree" or depth == 1)
