#!/bin/sh
# SPDX-License-Identifier: MIT
# noptrace_on_failure=continue: boot on; the program has logged the error.

warn "noptrace: booting on without the lock (noptrace_on_failure=continue)"
