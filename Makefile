# SPDX-License-Identifier: GPL-3.0-or-later
# Every target sets up by itself what it needs, see tests/tools/run.
.PHONY: demo test nightly bench-directory bench-startup newer-samba lab-up lab-status lab-down lab-reset

demo test nightly bench-directory bench-startup newer-samba:
	@tests/tools/run $@

lab-up lab-status lab-down lab-reset:
	@tests/tools/run lab $(@:lab-%=%)
