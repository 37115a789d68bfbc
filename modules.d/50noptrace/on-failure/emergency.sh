#!/bin/sh
# SPDX-License-Identifier: MIT
# noptrace_on_failure=emergency: dracut's own way to give up. It comes back from the shell, if there
# is one, to end /init, and with it the boot.

die "noptrace: could not lock, see above (noptrace_on_failure=emergency); boot with the word maintenance to get past this"
