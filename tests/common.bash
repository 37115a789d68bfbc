# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What all suites use.

bats_require_minimum_version 1.5.0
bats_load_library bats-support
bats_load_library bats-assert

top=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
# shellcheck disable=SC2034 # the suites use these
{
    program=${PROGRAM:-$top/build/noptrace}
    bookworm=$top/build/bookworm/root
    trixie=$top/build/trixie/root
}

# run_guest and its helpers, from the one file that starts QEMU
# shellcheck source=src/noptrace-image
source "$top/build/noptrace-image"

# The stock kernel of a root.
kernel_of() {
    echo "$1"/boot/vmlinuz-*
}

bake() {
    "$BATS_TEST_DIRNAME/bake" "$@" 2>&1
}

# variant_of ROOT DIRECTORY: a copy that shares ROOT's files: remove and replace them, never write to one.
variant_of() {
    cp -al "$1" "$2"
}

# The dracut.conf lines of the two flavours.
# shellcheck disable=SC2034
{
    systemd_flavour=(' add_dracutmodules+=" noptrace "')
    shell_flavour=('add_dracutmodules+=" noptrace busybox "'
        'omit_dracutmodules+=" systemd systemd-initrd dracut-systemd bash dash "')
}
