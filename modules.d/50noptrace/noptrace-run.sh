#!/bin/sh
# SPDX-License-Identifier: MIT
# Hands /run on from a shell initramfs, with what says that it has locked: busybox's switch_root does not, and
# that of util-linux leaves one alone that is there. With what is mounted below it, as a live system's medium is.

[ ! -e /run/sysctl.d/zz-noptrace.conf ] || mount -o rbind /run "$NEWROOT/run"
