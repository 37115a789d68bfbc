#!/bin/sh
# SPDX-License-Identifier: MIT
# Locks in a shell initramfs: dracut sources this as its first hook. on-failure.sh is the image's policy.

# shellcheck source=modules.d/50noptrace/on-failure/poweroff.sh
/usr/sbin/noptrace apply || . /usr/lib/noptrace/on-failure.sh
