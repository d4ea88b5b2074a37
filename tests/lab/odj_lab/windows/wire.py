# SPDX-License-Identifier: GPL-3.0-or-later
"""WS-Man on the wire: read the few requests that a remote shell needs, write their answers and faults.

Source: MS-WSMV sections 3.1.4 and 2.2.4; what clients send was measured with pywinrm.
"""

from __future__ import annotations

import base64
import re
import typing as t
import uuid
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

SOAP = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
COMMAND_URI = f"{SHELL}/cmd"

OPERATION_TIMEOUT = 2150858793
SHELL_NOT_FOUND = 2150858843
NOT_SUPPORTED = 2150858817
GENERAL_FAILURE = 0x80004005


class BadRequest(Exception):
    """The request is no WS-Man envelope."""


class Fault(Exception):
    """A WS-Man fault: subcode, number and text that the client shows."""

    def __init__(self, code: int, subcode: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.subcode = subcode


@dataclass(frozen=True, slots=True)
class Request:
    """One request: the last word of its action, its ids, its own time limit in seconds, and its body."""

    action: str
    message_id: str
    shell_id: str
    command_id: str
    timeout: float
    options: dict[str, str]
    body: ElementTree.Element


def parse(envelope: bytes) -> Request:
    """Read an envelope.

    Raises:
        BadRequest: It is not XML, or not a SOAP envelope with an action.

    """
    try:
        root = ElementTree.fromstring(envelope)  # noqa: S314 (the lab's own clients on loopback)
    except ElementTree.ParseError as error:
        raise BadRequest(str(error)) from error
    header, body = root.find(f"{{{SOAP}}}Header"), root.find(f"{{{SOAP}}}Body")
    if header is None or body is None:
        raise BadRequest("no SOAP envelope")
    action = header.findtext(f"{{{ADDRESSING}}}Action", "")
    selectors = header.iter(f"{{{WSMAN}}}Selector")
    command = next((node.get("CommandId", "") for node in body.iter() if node.get("CommandId")), "")
    return Request(
        action=action.rpartition("/")[2],
        message_id=header.findtext(f"{{{ADDRESSING}}}MessageID", ""),
        shell_id=next((node.text or "" for node in selectors if node.get("Name") == "ShellId"), ""),
        command_id=command,
        timeout=_seconds(header.findtext(f"{{{WSMAN}}}OperationTimeout", "PT20S")),
        options={node.get("Name", ""): node.text or "" for node in header.iter(f"{{{WSMAN}}}Option")},
        body=body,
    )


def _seconds(duration: str) -> float:
    found = re.fullmatch(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?", duration)
    hours, minutes, seconds = found.groups() if found else (None, None, "20")
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds or 0)


def _envelope(request: Request | None, action: str, body: str) -> bytes:
    relates = f"<a:RelatesTo>{escape(request.message_id)}</a:RelatesTo>" if request else ""
    return (
        f'<s:Envelope xmlns:s="{SOAP}" xmlns:a="{ADDRESSING}" xmlns:w="{WSMAN}" xmlns:rsp="{SHELL}" '
        f'xmlns:x="{TRANSFER}" xmlns:f="{FAULT}"><s:Header>'
        f"<a:Action>{escape(action)}</a:Action><a:MessageID>uuid:{uuid.uuid4()}</a:MessageID>"
        f"<a:To>{ADDRESSING}/role/anonymous</a:To>{relates}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def created(request: Request, shell_id: str) -> bytes:
    """Answer Create with the id of the new shell."""
    body = (
        f"<x:ResourceCreated><a:Address>http://localhost/wsman</a:Address><a:ReferenceParameters>"
        f"<w:ResourceURI>{COMMAND_URI}</w:ResourceURI><w:SelectorSet>"
        f'<w:Selector Name="ShellId">{escape(shell_id)}</w:Selector></w:SelectorSet>'
        f"</a:ReferenceParameters></x:ResourceCreated>"
    )
    return _envelope(request, f"{TRANSFER}/CreateResponse", body)


def started(request: Request, command_id: str) -> bytes:
    """Answer Command with the id of the started command."""
    body = f"<rsp:CommandResponse><rsp:CommandId>{escape(command_id)}</rsp:CommandId></rsp:CommandResponse>"
    return _envelope(request, f"{SHELL}/CommandResponse", body)


def done(request: Request) -> bytes:
    """Answer Send, Signal and Delete."""
    inside = {"Send": "<rsp:SendResponse/>", "Signal": "<rsp:SignalResponse/>"}.get(request.action, "")
    base = TRANSFER if request.action == "Delete" else SHELL
    return _envelope(request, f"{base}/{request.action}Response", inside)


def received(request: Request, streams: t.Sequence[tuple[str, bytes]], rc: int | None) -> bytes:
    """Answer Receive: output so far, and the exit code when the command is done."""
    command = quoteattr(request.command_id)
    nodes = "".join(
        f"<rsp:Stream Name={quoteattr(name)} CommandId={command}>{base64.b64encode(data).decode()}</rsp:Stream>"
        for name, data in streams
    )
    if rc is None:
        state = f'<rsp:CommandState CommandId={command} State="{SHELL}/CommandState/Running"/>'
    else:
        ends = "".join(
            f'<rsp:Stream Name="{name}" CommandId={command} End="true"></rsp:Stream>' for name in ("stdout", "stderr")
        )
        state = (
            f'{ends}<rsp:CommandState CommandId={command} State="{SHELL}/CommandState/Done">'
            f"<rsp:ExitCode>{rc}</rsp:ExitCode></rsp:CommandState>"
        )
    return _envelope(request, f"{SHELL}/ReceiveResponse", f"<rsp:ReceiveResponse>{nodes}{state}</rsp:ReceiveResponse>")


def faulted(request: Request | None, fault: Fault) -> bytes:
    """Write a fault (to be sent with HTTP status 500)."""
    text = escape(str(fault))
    body = (
        f"<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>w:{escape(fault.subcode)}</s:Value>"
        f'</s:Subcode></s:Code><s:Reason><s:Text xml:lang="en-US">{text}</s:Text></s:Reason><s:Detail>'
        f'<f:WSManFault Code="{fault.code}" Machine="localhost"><f:Message>{text}</f:Message></f:WSManFault>'
        f"</s:Detail></s:Fault>"
    )
    return _envelope(request, "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault", body)
