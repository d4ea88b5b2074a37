# SPDX-License-Identifier: GPL-3.0-or-later
"""odj_server_info and odj_prereqs: the states of a connector server, each verdict, and what a look costs."""

from __future__ import annotations

import base64
import typing as t

import pytest

from ansible_collections.hybridjoin.odj.tests.integration.modules.scenery import (
    NEW,
    PROBE,
    SET_UP,
    Person,
    Stage,
    Step,
    check,
    content,
    present,
    task,
    unchanged,
)
from odj_lab.product import builds, host, layout
from odj_lab.windows.first_state import CURRENT_VERSION, NET_FRAMEWORK

INFO, PREREQS = "odj_server_info", "odj_prereqs"
UNIT = r"OU=Lab\, North,DC=contoso,DC=test"
LOGIN, MANAGE, PORTAL = "login.microsoftonline.com:443", "manage.microsoft.com:443", "portal.manage.microsoft.com:443"
PROXY = "http://proxy.contoso.test:8080"
SECRET = b'<system.net><defaultProxy><proxy proxyaddress="http://a:Pa55w0rd@b:8080" /></defaultProxy></system.net>'


def verdicts(step: Step) -> dict[str, str]:
    return {one["name"]: one["verdict"] for one in step.result["prerequisites"]}


def found(step: Step, name: str) -> dict[str, str]:
    return next(one for one in step.result["prerequisites"] if one["name"] == name)


def test_each_state_of_a_server(stage: Stage, person: Person) -> None:
    stage.install(builds.LEGACY, "odj02")
    stage.install(NEW, "odj03")
    tasks = [check(task(INFO)), task(INFO)]
    before = {name: stage.state(name) for name in ("odj01", "odj02", "odj03")}
    seen = stage.run([{"hosts": "all", "gather_facts": False, "tasks": tasks}])
    for name, state in {"odj01": "absent", "odj02": "legacy", "odj03": "awaiting_sign_in"}.items():
        for step in seen[name]:
            assert step.result["server"]["state"] == state
            assert (step.changed, step.ran, step.result["server"]["errors"]) == (False, (PROBE,), {})
            assert unchanged(before[name], step.state)
    server = seen["odj03"][1].result["server"]
    assert server["connector"]["version"] == NEW
    assert server["service"]["account_kind"] == "local_system"
    assert len(server["enrollment"]["missing"]) == 1
    assert server["config"]["organizational_units"] == []
    assert (server["host"]["fqdn"], server["host"]["domain_role_name"]) == ("odj03.contoso.test", "member server")

    account = person.signs_in("odj03")
    server = stage.tasks("odj03", [task(INFO)])[0].result["server"]
    assert (server["state"], server["service"]["account"]) == ("healthy", account)
    assert server["enrollment"]["certificate"]["expired"] is False


def test_joins_in_the_event_log_count(stage: Stage, person: Person) -> None:
    stage.install()
    person.signs_in()
    with stage.change() as state:
        for event_id in (30130, 30130, 30132):
            host.log_event(
                state, layout.CHANNELS[1], event_id, level=4, user_sid="S-1-5-18", provider=layout.PROVIDER, text="x"
            )
    (step,) = stage.tasks("odj01", [task(INFO, gather_subset=["events"])])
    events = step.result["server"]["events"]
    assert (events["successes"], events["failures"]) == (2, 1)
    assert set(step.result["server"]) == {"events", "errors"}


def test_a_join_in_both_channels_of_the_log_counts_once(stage: Stage) -> None:
    stage.install()
    with stage.change() as state:
        for event_id, device in ((30130, "PC-1"), (30130, "PC-2"), (30132, "PC-3")):
            text = f"EventType: x\nDeviceName: {device}\nDiagnosticCode: 0x00000000"
            for channel in layout.CHANNELS:
                host.log_event(
                    state, channel, event_id, level=4, user_sid="S-1-5-18", provider=layout.PROVIDER, text=text
                )
    (step,) = stage.tasks("odj01", [task(INFO, gather_subset=["events"])])
    events = step.result["server"]["events"]
    assert (events["successes"], events["failures"], events["last_failure"]["device"]) == (2, 1, "PC-3")


def test_a_question_without_an_answer_makes_the_state_unknown(stage: Stage) -> None:
    stage.install()
    with stage.change() as state:
        state["faults"] = [{"kind": "probe_certificate"}]
    seen, not_installed = stage.tasks(
        "odj01", [task(INFO), task("odj_connector_install", **present(path=SET_UP, state="latest"))]
    )
    assert seen.result["server"]["state"] == "unknown"
    assert "Access is denied" in str(seen.result["server"]["errors"]["certificate"])
    assert "which connector is installed" in not_installed.message


def test_a_sound_server_meets_all(stage: Stage) -> None:
    before = stage.state()
    sound = task(PREREQS, domain="contoso.test")
    checked, done = stage.tasks("odj01", [check(sound), sound])
    for step in (checked, done):
        assert set(verdicts(step).values()) == {"met"}
        assert (step.changed, step.result["unmet"], step.ran) == (False, [], (PROBE,))
        assert unchanged(before, step.state)
    assert list(verdicts(done)) == [
        *(
            "operating_system",
            "domain_membership",
            "dotnet_framework",
            "single_connector",
            "connector_build",
            "connector_state",
        ),
        *(f"endpoint:{target}" for target in (LOGIN, MANAGE, PORTAL)),
    ]


@pytest.fixture
def unsound(stage: Stage) -> Stage:
    """A server that meets none of them, each endpoint failing at another stage."""
    stage.install(builds.LEGACY)
    with stage.change() as state:
        registry = state["registry"]
        second = next(key for key in registry if key.endswith(layout.bundle_code(builds.LEGACY)))
        registry[second + "2"] = registry[second]
        registry[CURRENT_VERSION]["values"]["CurrentBuild"]["data"] = "9600"
        registry[NET_FRAMEWORK]["values"]["Release"]["data"] = 461807
        state["domain_role"] = 2
        state["network"][LOGIN]["addresses"] = []
        state["network"][MANAGE]["connect"] = "timeout"
        state["network"][PORTAL]["tls"] = None
    return stage


def test_an_unsound_server_hears_everything_at_once(unsound: Stage) -> None:
    failed, told = unsound.tasks("odj01", [task(PREREQS), task(PREREQS, fail_on_unmet=False)])
    assert set(verdicts(failed).values()) == {"unmet"}
    assert failed.result["prerequisites"] == told.result["prerequisites"]
    assert (told.outcome, told.changed) == ("ok", False)
    for one in told.result["unmet"]:
        assert one["name"] in failed.message
        assert one["cure"] in failed.message
    assert "9600" in found(told, "operating_system")["found"]
    assert "461807" in found(told, "dotnet_framework")["found"]
    assert builds.LEGACY in found(told, "connector_build")["found"]
    causes = [found(told, f"endpoint:{target}")["cause"] for target in (LOGIN, MANAGE, PORTAL)]
    assert [cause.split()[1] for cause in causes] == ["name", "TCP", "TLS"]


def test_other_ways_not_to_meet_them(stage: Stage) -> None:
    with stage.change() as state:
        state["proxies"] = {PROXY: {"connect": True, "status_of": {MANAGE: 407}}}
        state["domain_role"] = 5
    with stage.change("odj02") as state:
        state["os"]["product_type"] = 1
        del state["registry"][NET_FRAMEWORK]
    with stage.change("odj03") as state:
        state["faults"] = [{"kind": f"probe_{kind}"} for kind in ("registry", "host", "endpoint")]
    options: dict[str, t.Any] = {"fail_on_unmet": False, "domain": "fabrikam.test", "proxy": PROXY}
    tasks = [task(PREREQS, **options), task(PREREQS, fail_on_unmet=True)]
    seen = stage.run([{"hosts": "all", "gather_facts": False, "tasks": tasks}])

    foreign, own = seen["odj01"]
    assert "fabrikam.test" in found(foreign, "domain_membership")["cure"]
    assert "407" in found(foreign, f"endpoint:{MANAGE}")["found"]
    assert verdicts(foreign)[f"endpoint:{PORTAL}"] == "met"
    assert verdicts(own)["domain_membership"] == "met"
    assert "domain controller" in " ".join(own.result["warnings"])

    client = seen["odj02"][0]
    assert found(client, "operating_system")["cause"] == "It is not a server."
    assert found(client, "dotnet_framework")["found"] == "no .NET Framework 4"

    silent = seen["odj03"][1]
    assert silent.outcome == "ok"
    assert set(verdicts(silent).values()) == {"unknown"}
    assert all("Access is denied" in one["cause"] for one in silent.result["prerequisites"])


def test_bad_options_are_named_before_anything_is_asked(stage: Stage) -> None:
    tasks = [task(PREREQS, proxy="proxy:8080"), task(INFO, endpoints=["https://manage.microsoft.com"])]
    proxy, endpoint = stage.tasks("odj01", tasks)
    assert "proxy:8080" in proxy.message
    assert "https://manage.microsoft.com" in endpoint.message
    assert proxy.ran == endpoint.ran == ()


def test_a_converged_server_costs_one_execution_a_module(stage: Stage, person: Person) -> None:
    stage.install()
    person.signs_in()
    stage.tasks("odj01", [task("odj_ou_config", organizational_units=[UNIT])])
    src = str(builds.installer_path(stage.lab, NEW))
    tasks = [
        task(PREREQS, domain="contoso.test"),
        task("odj_connector_install", **present(src=src)),
        task("odj_connector_install", **present(src=src, state="latest")),
        task("odj_ou_config", organizational_units=[UNIT], state="exact"),
        task(INFO),
    ]
    for step in stage.tasks("odj01", tasks):
        assert (step.outcome, step.changed, step.ran) == ("ok", False, (PROBE,))


def test_one_look_serves_all_tasks_of_a_converged_server(stage: Stage, person: Person) -> None:
    stage.install()
    person.signs_in()
    stage.tasks("odj01", [task("odj_ou_config", organizational_units=[UNIT])])
    src = str(builds.installer_path(stage.lab, NEW))
    look = {**task(INFO, return_snapshot=True), "register": "look"}
    given = {"snapshot": "{{ look['snapshot'] }}"}
    tasks = [
        look,
        task(PREREQS, domain="contoso.test", **given),
        task("odj_connector_install", **present(src=src), **given),
        task("odj_ou_config", organizational_units=[UNIT], state="exact", **given),
        task(INFO, **given),
        check(task("odj_ou_config", organizational_units=[UNIT], state="absent", **given)),
    ]
    first, *others, last = stage.tasks("odj01", tasks)
    assert first.ran == last.ran == (PROBE,)
    for step in others:
        assert (step.outcome, step.changed, step.ran) == ("ok", False, ())
    assert last.changed  # which no snapshot alone is believed to need


def test_a_snapshot_is_never_printed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANSIBLE_INJECT_INVOCATION", "ANSIBLE_DISPLAY_ARGS_TO_STDOUT"):
        monkeypatch.setenv(name, "true")  # Ansible is to print all that it can
    stage.install()
    before = content(stage.state())
    assert before is not None
    stage.put(layout.WIZARD_CONFIG, before.replace(b"</configuration>", SECRET + b"</configuration>"))
    tasks = [
        {**task(INFO, return_snapshot=True), "register": "look"},
        task(INFO, gather_subset=["connector"], snapshot="{{ look['snapshot'] }}"),
        task("odj_ou_config", organizational_units=["no DN"], snapshot="{{ look['snapshot'] }}"),
    ]
    seen = stage.run([{"hosts": "odj01", "gather_facts": False, "tasks": tasks}], "-vvv", "--diff")["odj01"]
    assert [step.outcome for step in seen] == ["ok", "ok", "failed"]
    assert NEW in stage.output  # the second task's result is printed
    held = content(stage.state())
    assert held is not None
    assert SECRET in held
    for text in (SECRET.decode(), base64.b64encode(held).decode()[:80]):
        assert text not in stage.output
