# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The module side of an action plugin: it holds documentation and spec, and can only say that it must not run."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible.module_utils.basic import AnsibleModule


def run_stub(spec: Mapping[str, t.Any]) -> None:
    """Check the arguments against the spec and fail; does not return.

    Args:
        spec: Keyword arguments of AnsibleModule, the same that the action plugin checks its arguments with.
    """
    module = AnsibleModule(supports_check_mode=True, **spec)
    module.fail_json(msg="This module is an action plugin: Ansible must be able to load it on the controller.")
