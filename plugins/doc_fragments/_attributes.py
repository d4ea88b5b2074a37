# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.

from __future__ import annotations


class ModuleDocFragment:
    # What a module that changes things in the directory promises.
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    support: full
    description: Reads and plans as in a real run, then stops before the first write.
  diff_mode:
    support: full
    description: Shows what stands there before and after.
  action_group:
    support: full
    membership: [hybridjoin.odj.odj_directory]
    description: >-
      Use the group C(hybridjoin.odj.odj_directory) in C(module_defaults) to set the options of the connection once.
  platform:
    support: full
    platforms: posix
    description: Where the module runs. The directory is Active Directory.
"""

    # What a module that only reads the directory promises.
    READ_ONLY = r"""
options: {}
attributes:
  check_mode:
    support: full
    description: Reads only.
  diff_mode:
    support: none
    description: Changes nothing.
  action_group:
    support: full
    membership: [hybridjoin.odj.odj_directory]
    description: >-
      Use the group C(hybridjoin.odj.odj_directory) in C(module_defaults) to set the options of the connection once.
  platform:
    support: full
    platforms: posix
    description: Where the module runs. The directory is Active Directory.
"""
