#!/bin/sh
# SPDX-License-Identifier: MIT
# noptrace_on_failure=poweroff

warn "noptrace: could not lock, see above: poweroff (noptrace_on_failure=poweroff); boot with the word maintenance to get past this"
poweroff -f
# Only where that failed.
die "noptrace: could not power off"
