#!/bin/sh
# SPDX-License-Identifier: MIT
# noptrace_on_failure=reboot

warn "noptrace: could not lock, see above: reboot (noptrace_on_failure=reboot); boot with the word maintenance to get past this"
reboot -f
# Only where that failed.
die "noptrace: could not reboot"
