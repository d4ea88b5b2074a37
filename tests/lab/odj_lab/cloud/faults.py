# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on request: what the cloud does instead of answering.

A rule is a dictionary in ``faults.rules`` of the state:
    do: "throttle" (429), "unavailable" (503), "drop" (close the connection), "revoke" (forget all tokens, then answer).
    kind: Only requests of this kind (token, read, ...); absent for all.
    skip: How many matching requests pass before it begins; 0 when absent.
    count: How many it then strikes; 1 when absent.
    retry_after: Text of the Retry-After header; absent for none.
    nested_retry_after: Text of RetryAfter in the body of Intune; absent for none.
"""

from __future__ import annotations

import time
import typing as t

from odj_lab.cloud.answers import Answer, Request, graph_error, intune_message
from odj_lab.cloud.state import now, store
from odj_lab.settings import Lab
from odj_lab.store import State

REFUSALS = {
    "throttle": (429, "TooManyRequests", "Too many requests"),
    "unavailable": (503, "ServiceUnavailable", "The service is not available"),
}


class Dropped(Exception):
    """The connection is to be closed without an answer, as a rule wants it."""

    def __init__(self, rule: State) -> None:
        super().__init__("as a rule wants it")
        self.rule = rule


def due(lab: Lab, state: State, kind: str) -> State | None:
    """Wait the latency of the state, and return the rule that strikes this request, counted down; None for most."""
    time.sleep(state["faults"]["latency_ms"] / 1000)
    if not state["faults"]["rules"]:
        return None
    with store(lab).edit(f"fault for a {kind} request") as fresh:
        return _take(fresh["faults"]["rules"], kind)


def strike(lab: Lab, state: State, rule: State, request: Request) -> Answer | None:
    """Return the answer that the rule demands, or None when the request is then answered as always.

    Raises:
        Dropped: The rule says so.

    """
    if rule["do"] == "drop":
        raise Dropped(rule)
    if rule["do"] == "revoke":
        with store(lab).edit("revoke all tokens") as fresh:
            fresh["tokens"] = {}
        return None
    status, code, text = REFUSALS[rule["do"]]
    headers = {"Retry-After": rule["retry_after"]} if "retry_after" in rule else {}
    message = intune_message(text, "Lab/FaultService", request, rule.get("nested_retry_after"))
    return graph_error(status, code, message, request, now(state), headers)


def _take(rules: list[State], kind: str) -> State | None:
    for rule in rules:
        if rule.get("kind", kind) != kind or rule.get("count", 1) < 1:
            continue
        if rule.get("skip", 0):
            rule["skip"] -= 1
            continue
        rule["count"] = rule.get("count", 1) - 1
        return t.cast(State, dict(rule))
    return None
