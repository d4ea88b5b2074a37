# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t
import uuid

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import (
    CONTAINER_INHERIT,
    CREATE_CHILD,
    FULL_CONTROL,
    INHERIT_ONLY,
    INHERITED,
    AccessRule,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.organizational_unit import TargetError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import (
    DACL_PRESENT,
    SELF_RELATIVE,
    Acl,
    SecurityDescriptor,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import ADMINISTRATORS, EVERYONE, Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.rights import COMPUTER_CLASS
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import delegation_info, ou_delegate
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory import (
    BASE,
    COMPUTER_CHAIN,
    CONFIGURATION,
    DOMAIN_SID,
    MSA_CONTAINER,
    FakeDirectory,
)
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory_task import run

UNIT, BELOW, OTHER = f"OU=Autopilot,{BASE}", f"OU=Kiosk,OU=Autopilot,{BASE}", f"OU=Lab\\, North,{BASE}"
MSA_CHAIN = (*COMPUTER_CHAIN, "msDS-ManagedServiceAccount")
DELEGATED_CLASS = uuid.UUID("11111111-2222-3333-4444-555555555555")


class Scene:
    """A domain with three units, a service account on a host, and a group that it is in."""

    def __init__(self) -> None:
        self.directory = FakeDirectory()
        domain = Sid(5, DOMAIN_SID.sub_authorities[:-1])
        self.directory.put(BASE, objectSid=domain.to_bytes(), nTSecurityDescriptor=listed())
        self.directory.put(BASE, **{"ms-DS-MachineAccountQuota": "10"})
        self.msa = self.service_account("msaODJ1", hosted=True)
        self.group = self.directory.account("odj-connectors", cls=("top", "group"))
        self.groups("msaODJ1", self.group)
        for dn in (UNIT, BELOW, OTHER):
            self.unit(dn)

    def service_account(self, name: str, *, hosted: bool) -> Sid:
        sid = self.directory.account(f"{name}$", cls=MSA_CHAIN, parent=MSA_CONTAINER)
        host = f"CN={name}-HOST,{BASE}"
        self.directory.put(host, objectClass=COMPUTER_CHAIN)
        if hosted:
            self.directory.put(host, **{"msDS-HostServiceAccount": f"CN={name},{MSA_CONTAINER}"})
        self.groups(name)
        return sid

    def groups(self, name: str, *sids: Sid) -> None:
        every = (DOMAIN_SID.sibling(515), *sids)
        self.directory.put(f"CN={name},{MSA_CONTAINER}", tokenGroups=[sid.to_bytes() for sid in every])

    def unit(self, dn: str, *rules: AccessRule, owner: Sid = ADMINISTRATORS) -> None:
        self.directory.unit(dn)
        self.directory.put(dn, nTSecurityDescriptor=listed(*rules, owner=owner))

    def audit(self, *units: str, accounts: t.Sequence[str] = ("msaODJ1",), **options: t.Any) -> dict[str, t.Any]:
        options |= {"organizational_units": list(units), "accounts": list(accounts)}
        return run(delegation_info, self.directory, check=True, **options)

    def found(self, *units: str, **options: t.Any) -> dict[str, dict[str, t.Any]]:
        return {finding["code"]: finding for finding in self.audit(*units, **options)["findings"]}


@pytest.fixture
def scene() -> Scene:
    return Scene()


def listed(*rules: AccessRule, owner: Sid = ADMINISTRATORS) -> bytes:
    acl = Acl(4, tuple(rule.to_ace() for rule in rules))
    return SecurityDescriptor(SELF_RELATIVE | DACL_PRESENT, owner=owner.to_bytes(), dacl=acl).to_bytes()


def create(trustee: Sid, flags: int = 0, *, allow: bool = True) -> AccessRule:
    return AccessRule(allow, CREATE_CHILD, trustee, COMPUTER_CLASS, flags=flags)


def test_the_exact_entry_is_the_proof_and_no_finding(scene: Scene) -> None:
    scene.unit(UNIT, create(scene.msa))
    done = scene.audit(UNIT)
    ace = f"(OA;;CC;{COMPUTER_CLASS};;{scene.msa})"
    assert done["access"] == [
        {"organizational_unit": UNIT, "account": "CONTOSO\\msaODJ1$", "sid": str(scene.msa), "can_create": "true",
         "reason": "allowed", "through": "CONTOSO\\msaODJ1$", "inherited_from": "", "ace": ace},
    ]  # fmt: skip
    assert done["organizational_units"] == [
        {"dn": UNIT, "object_class": "organizationalUnit", "readable": True, "owner": str(ADMINISTRATORS),
         "canonical": True, "entries": [
            {"account": "CONTOSO\\msaODJ1$", "sid": str(scene.msa), "kind": "standalone_service_account",
             "type": "allow", "classes": "computer", "reach": "this_object", "heirs": "all", "conditional": False,
             "inherited": False, "inherited_from": "", "ace": ace}]},
    ]  # fmt: skip
    assert done["findings"] == []
    assert done["summary"] == {
        "can_create": {"true": 1, "false": 0, "unknown": 0}, "findings": {"high": 0, "medium": 0, "low": 0}
    }  # fmt: skip
    assert not done["changed"]
    (account,) = done["accounts"]
    assert (account["kind"], account["hosts"], account["groups_known"]) == ("standalone_service_account", 1, True)
    assert str(scene.group) in account["groups"]
    assert {"Everyone", "Authenticated Users", "This Organization"} <= set(account["groups"])


def test_one_bind_and_few_searches(scene: Scene) -> None:
    units = [f"OU=x{number},{UNIT}" for number in range(60)]
    for dn in units:
        scene.unit(dn, create(scene.msa))
    done = scene.audit(search_base=UNIT)
    assert len(done["access"]) == 62
    assert done["directory"]["operations"] == {"bind": 1, "search": 12, "modify": 0, "add": 0, "delete": 0}


@pytest.mark.parametrize(
    ("quota", "meaning"),
    [("10", "joins may work 10 times"), ("0", "a join fails at once"), ("", "is not set or may not be read")],
)
def test_what_is_missing_is_told_with_the_meaning_of_the_quota(scene: Scene, quota: str, meaning: str) -> None:
    scene.directory.put(BASE, **{"ms-DS-MachineAccountQuota": [quota] if quota else []})
    scene.unit(UNIT, create(scene.group, allow=False))
    done = scene.audit(UNIT, OTHER)
    assert [(f["code"], f["severity"], f["organizational_units"]) for f in done["findings"]] == [
        ("missing", "high", [UNIT]), ("missing", "high", [OTHER])
    ]  # fmt: skip
    denied, nothing = done["findings"]
    assert "an entry for CONTOSO\\odj-connectors denies it" in denied["cause"]
    assert "no entry allows it" in nothing["cause"]
    assert all(meaning in finding["cause"] for finding in done["findings"])
    assert all("odj_ou_delegate with state=present" in finding["cure"] for finding in done["findings"])
    assert ["Deny" in finding["cure"] for finding in done["findings"]] == [True, False]
    assert done["machine_account_quota"]["value"] == (int(quota) if quota else None)
    assert meaning in done["machine_account_quota"]["meaning"]


def test_a_deny_that_comes_first_is_named(scene: Scene) -> None:
    scene.unit(UNIT, create(scene.group, allow=False), create(scene.msa))
    finding = scene.found(UNIT)["deny_shadow"]
    assert finding["ace"] == f"(OD;;CC;{COMPUTER_CLASS};;{scene.group})"
    assert "missing" not in scene.found(UNIT)
    scene.unit(UNIT, create(scene.msa), create(scene.group, allow=False))
    assert set(scene.found(UNIT)) == {"not_canonical"}
    assert "canonicalize=true" in scene.found(UNIT)["not_canonical"]["cure"]


def test_a_right_from_above_is_told_with_its_origin_and_once(scene: Scene) -> None:
    scene.unit(UNIT, create(scene.msa, CONTAINER_INHERIT))
    scene.unit(BELOW, create(scene.msa, CONTAINER_INHERIT | INHERITED))
    done = scene.audit(BELOW)
    assert [(a["can_create"], a["inherited_from"]) for a in done["access"]] == [("true", UNIT)]
    assert done["organizational_units"][0]["entries"][0]["inherited_from"] == UNIT
    assert [(f["code"], f["organizational_units"], f["inherited_by"]) for f in done["findings"]] == [
        ("broader", [UNIT], [BELOW]), ("inherited", [BELOW], [])
    ]  # fmt: skip
    assert done["findings"][0]["ace"] == f"(OA;CI;CC;{COMPUTER_CLASS};;{scene.msa})"
    assert [scene.found(search_base=UNIT)["broader"][name] for name in ("organizational_units", "inherited_by")] == [
        [UNIT], [BELOW]
    ]  # fmt: skip


def test_what_is_the_same_on_many_units_is_one_finding(scene: Scene) -> None:
    units = [f"OU=x{number},{OTHER}" for number in range(30)]
    orphan, other = DOMAIN_SID.sibling(9999), scene.service_account("msaODJab2cd", hosted=False)
    for dn in units:
        deny = create(scene.group, allow=False)
        scene.unit(dn, deny, create(other, CONTAINER_INHERIT), create(orphan), AccessRule(False, 2, EVERYONE))
    scene.unit(OTHER, create(scene.msa), create(other))
    scene.directory.put(units[0], nTSecurityDescriptor=())
    done = scene.audit(search_base=OTHER, accounts=["msaODJ1", "msaODJab2cd"])
    found = {(f["code"], f["account"].rpartition("\\")[2]): f for f in done["findings"]}
    assert len(found) == len(done["findings"])
    told = {key: (len(f["organizational_units"]), f["inherited_by"]) for key, f in found.items()}
    assert told == {
        ("missing", "msaODJ1$"): (29, []), ("broader", "msaODJab2cd$"): (29, []),
        ("orphaned_sid", str(orphan)): (29, []),
        ("not_canonical", ""): (29, []), ("unreadable", ""): (1, []), ("without_host", "msaODJab2cd$"): (30, []),
    }  # fmt: skip
    assert found["missing", "msaODJ1$"]["organizational_units"] == units[1:]


def test_rights_from_two_places_above_are_two_findings_for_one_account(scene: Scene) -> None:
    below = f"OU=Kiosk,{OTHER}"
    for above, unit in ((UNIT, BELOW), (OTHER, below)):
        scene.unit(above, create(scene.msa, CONTAINER_INHERIT))
        scene.unit(unit, create(scene.msa, CONTAINER_INHERIT | INHERITED))
    found = scene.audit(BELOW, below)["findings"]
    assert [(f["code"], f["organizational_units"], f["inherited_by"]) for f in found] == [
        ("broader", [UNIT, OTHER], [BELOW, below]), ("inherited", [BELOW], []), ("inherited", [below], []),
    ]  # fmt: skip
    assert [f"by an entry of {above}:" in f["cause"] for above, f in zip((UNIT, OTHER), found[1:], strict=True)] == [
        True, True
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("mask", "kind", "flags", "excess", "severity"),
    [
        (FULL_CONTROL, None, 0, ["full_control"], "high"),
        (0x10000000, None, CONTAINER_INHERIT, ["full_control", "whole_tree"], "high"),
        (0x40000, None, 0, ["change_permissions"], "high"),
        (0x80000, None, CONTAINER_INHERIT | INHERIT_ONLY, ["take_ownership"], "high"),
        (0xC0001, None, 0, ["change_permissions", "take_ownership", "every_class"], "high"),
        (CREATE_CHILD, None, 0, ["every_class"], "medium"),
        (CREATE_CHILD, COMPUTER_CLASS, CONTAINER_INHERIT, ["whole_tree"], "low"),
    ],
)
def test_what_is_too_much(
    scene: Scene, mask: int, kind: uuid.UUID | None, flags: int, excess: list[str], severity: str
) -> None:
    scene.unit(UNIT, create(scene.msa), AccessRule(True, mask, scene.msa, kind, flags=flags))
    finding = scene.found(UNIT)["broader"]
    assert (finding["excess"], finding["severity"], finding["account"]) == (excess, severity, "CONTOSO\\msaODJ1$")
    scene.unit(UNIT, create(scene.msa), AccessRule(True, mask, scene.group, kind, flags=flags))
    assert "CONTOSO\\odj-connectors, which" not in scene.found(UNIT)["broader"]["cause"]
    assert "which CONTOSO\\msaODJ1$ is in" in scene.found(UNIT)["broader"]["cause"]
    stranger = scene.directory.account("stranger")
    scene.unit(UNIT, create(scene.msa), AccessRule(True, mask, stranger, kind, flags=flags))
    assert scene.found(UNIT) == {}


def test_harmless_rights_are_no_finding(scene: Scene) -> None:
    read = AccessRule(True, 0x20094, EVERYONE)
    on_class = AccessRule(True, FULL_CONTROL & ~CREATE_CHILD, scene.msa, COMPUTER_CLASS)
    scene.unit(UNIT, create(scene.msa), read, on_class)
    assert scene.found(UNIT) == {}


def test_ownership_is_too_much_unless_owner_rights_take_it_away(scene: Scene) -> None:
    scene.unit(UNIT, create(scene.msa), owner=scene.group)
    finding = scene.found(UNIT)["broader"]
    assert (finding["excess"], finding["account"]) == (["ownership"], "CONTOSO\\odj-connectors")
    scene.unit(UNIT, create(scene.msa), AccessRule(True, 0x20000, Sid(3, (4,))), owner=scene.group)
    assert scene.found(UNIT) == {}


def test_the_computer_of_a_legacy_connector_is_told_from_service_accounts(scene: Scene) -> None:
    computer = scene.directory.account("ODJ01$", cls=COMPUTER_CHAIN, parent=f"CN=Computers,{BASE}")
    on_computers = AccessRule(True, FULL_CONTROL, computer, None, COMPUTER_CLASS, CONTAINER_INHERIT | INHERIT_ONLY)
    scene.unit(UNIT, create(scene.msa), create(computer), on_computers)
    found = [f for f in scene.audit(UNIT)["findings"] if f["code"] == "legacy_computer_account"]
    assert [(f["severity"], f["account"], f["excess"]) for f in found] == [
        ("high", "CONTOSO\\ODJ01$", ["full_control"]), ("medium", "CONTOSO\\ODJ01$", [])
    ]  # fmt: skip
    assert "broader" not in scene.found(UNIT)
    assert scene.audit(UNIT)["organizational_units"][0]["entries"][1]["kind"] == "computer"


def test_rights_to_create_service_accounts_are_found_for_everybody(scene: Scene) -> None:
    name = "msDS-DelegatedManagedServiceAccount"
    scene.directory.put(f"CN=Delegated,CN=Schema,{CONFIGURATION}", lDAPDisplayName=name,
                        schemaIDGUID=DELEGATED_CLASS.bytes_le, objectClass="classSchema")  # fmt: skip
    stranger = scene.directory.account("stranger")
    scene.unit(UNIT, create(scene.msa), AccessRule(True, CREATE_CHILD, stranger, DELEGATED_CLASS))
    finding = scene.found(UNIT)["creates_service_accounts"]
    assert (finding["severity"], finding["account"]) == ("high", "CONTOSO\\stranger")
    assert "msDS-DelegatedManagedServiceAccount" in finding["cause"]


def test_orphans_are_of_this_domain_and_not_its_own_groups(scene: Scene) -> None:
    orphan, of_windows, elsewhere = DOMAIN_SID.sibling(9999), DOMAIN_SID.sibling(527), Sid(5, (21, 7, 7, 7, 9999))
    scene.unit(UNIT, create(scene.msa), create(orphan), create(of_windows), create(elsewhere))
    done = scene.audit(UNIT)
    assert [(f["code"], f["sid"]) for f in done["findings"]] == [("orphaned_sid", str(orphan))]
    assert done["findings"][0]["cure"] == "Remove the entry: odj_ou_delegate with purge_orphans=true does it."
    assert [e["kind"] for e in done["organizational_units"][0]["entries"][1:]] == ["orphan", "foreign", "foreign"]


def test_accounts_without_a_host_or_disabled(scene: Scene) -> None:
    """Only an account as the sign-in makes them: one that was made by hand for a later day is nobody's business."""
    lonely = scene.service_account("msaODJab2cd", hosted=False)
    by_hand = scene.service_account("msaODJ-pilot", hosted=False)
    scene.directory.put(f"CN=msaODJ1,{MSA_CONTAINER}", userAccountControl="4098")
    scene.unit(UNIT, create(scene.msa), create(lonely), create(by_hand))
    found = scene.found(UNIT)
    assert (found["without_host"]["account"], found["disabled"]["account"]) == (
        "CONTOSO\\msaODJab2cd$",
        "CONTOSO\\msaODJ1$",
    )
    assert len(found) == 2
    assert "name=msaODJab2cd, state=absent and remove_delegations" in found["without_host"]["cure"]
    assert "name=msaODJ1, kind=standalone and enabled=true" in found["disabled"]["cure"]
    assert found["without_host"]["organizational_units"] == [UNIT]


def test_without_accounts_the_service_accounts_on_the_units_are_judged(scene: Scene) -> None:
    scene.unit(UNIT, create(scene.msa), create(scene.directory.account("stranger")))
    done = scene.audit(UNIT, OTHER, accounts=())
    assert [(a["organizational_unit"], a["account"], a["can_create"]) for a in done["access"]] == [
        (UNIT, "CONTOSO\\msaODJ1$", "true"), (OTHER, "CONTOSO\\msaODJ1$", "false")
    ]  # fmt: skip
    assert done["findings"] == []


def test_what_cannot_be_read_is_unknown(scene: Scene) -> None:
    scene.directory.put(UNIT, nTSecurityDescriptor=())
    scene.unit(OTHER, create(scene.group))
    scene.directory.put(f"CN=msaODJ1,{MSA_CONTAINER}", tokenGroups=())
    done = scene.audit(UNIT, OTHER)
    assert [(a["can_create"], a["reason"]) for a in done["access"]] == [
        ("unknown", "unreadable"), ("unknown", "membership")
    ]  # fmt: skip
    assert [(f["code"], f["severity"]) for f in done["findings"]] == [("unreadable", "medium"), ("undecided", "medium")]
    assert not done["accounts"][0]["groups_known"]
    assert done["organizational_units"][0]["readable"] is False


@pytest.mark.parametrize("doubt", ["condition", "membership"])
def test_an_entry_for_the_account_itself_ends_the_doubt(scene: Scene, doubt: str) -> None:
    kind = b"\x0b" if doubt == "condition" else b"\x05"
    entry = kind + create(scene.group).to_ace()[1:]
    value = SecurityDescriptor.parse(listed()).with_dacl((entry,)).to_bytes()
    scene.directory.put(UNIT, nTSecurityDescriptor=value, sDRightsEffective="4")
    if doubt == "membership":
        scene.directory.put(f"CN=msaODJ1,{MSA_CONTAINER}", tokenGroups=())
    assert scene.audit(UNIT)["access"][0]["reason"] == doubt
    assert "odj_ou_delegate with state=present adds an entry" in scene.found(UNIT)["undecided"]["cure"]
    assert run(ou_delegate, scene.directory, organizational_units=[UNIT], accounts=["msaODJ1"])["changed"]
    assert "undecided" not in scene.found(UNIT)
    assert scene.audit(UNIT)["access"][0]["can_create"] == "true"


def test_no_access_list_is_the_worst(scene: Scene) -> None:
    nothing = SecurityDescriptor(SELF_RELATIVE | DACL_PRESENT, owner=ADMINISTRATORS.to_bytes()).to_bytes()
    scene.directory.put(UNIT, nTSecurityDescriptor=nothing)
    assert scene.found(UNIT)["no_access_list"]["severity"] == "high"
    assert scene.audit(UNIT)["access"][0]["can_create"] == "true"


def test_groups_that_everybody_is_in_are_followed(scene: Scene) -> None:
    users, local = Sid(5, (32, 545)), DOMAIN_SID.sibling(7001)
    everybody, outer = f"CN=S-1-5-11,CN=ForeignSecurityPrincipals,{BASE}", f"CN=Users,CN=Builtin,{BASE}"
    scene.directory.put(everybody, objectSid=Sid(5, (11,)).to_bytes(), memberOf=[outer])
    scene.directory.put(outer, objectSid=users.to_bytes(), memberOf=[f"CN=local,{BASE}"], objectClass="group")
    scene.directory.put(f"CN=local,{BASE}", objectSid=local.to_bytes(), memberOf=[outer], objectClass="group")
    scene.unit(UNIT, create(users))
    scene.unit(OTHER, create(local))
    assert [(a["can_create"], a["reason"]) for a in scene.audit(UNIT, OTHER)["access"]] == [
        ("true", "allowed"), ("unknown", "membership")
    ]  # fmt: skip


def test_units_are_taken_below_above_and_by_name_and_each_once(scene: Scene) -> None:
    def dns(*units: str, **options: t.Any) -> list[str]:
        return [unit["dn"] for unit in scene.audit(*units, **options)["organizational_units"]]

    assert dns(search_base=BASE) == [UNIT, BELOW, OTHER]
    assert dns(search_base=UNIT.upper()) == [UNIT, BELOW]
    assert dns(search_base=BELOW, search_direction="above") == [BELOW, UNIT]
    assert dns(BELOW, f"CN=Computers,{BASE}", search_base=UNIT) == [BELOW, f"CN=Computers,{BASE}", UNIT]


def test_bad_names_are_refused(scene: Scene) -> None:
    with pytest.raises(TargetError, match=r"OU=no,.*; the nearest object above that exists is OU=Autopilot.*OU=nor,"):
        scene.audit(f"OU=no,{UNIT}", search_base=f"OU=nor,{BASE}")
    with pytest.raises(DirectoryError, match="nobody"):
        scene.audit(UNIT, accounts=["nobody"])
    for options in ({"search_base": "Autopilot"}, {"accounts": ["a\\b\\c"]}):
        with pytest.raises(InvalidInput):
            scene.audit(UNIT, **options)
    with pytest.raises(InvalidInput):
        scene.audit("Autopilot")
