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
# shellcheck source=src/image/guest.bash
source "$top/src/image/guest.bash"

# shellcheck source=tests/keyboard.bash
source "$top/tests/keyboard.bash"

# For a suite's teardown: the guest that a failed test left at its keyboard.
stop_guest() {
    [[ ! ${guest-} ]] || kill "$guest" 2> /dev/null || true
}

# assert_boots locked|open: how the guest at the keyboard, whose first process is the probe, comes up.
assert_boots() {
    wait "$guest"
    # firmware writes on every serial line, before the probe does
    plain "$answer" | LC_ALL=C sed 's/.*scope \([0-9]\)$/scope \1/' > "$answer.plain"
    assert_equal "$(ended "$answer.plain" "$console" 0)" answered
    if [[ $1 == locked ]]; then
        assert_equal "$(found "$answer.plain" scope) $(found "$answer.plain" strace)" '3 refused'
    else
        assert_equal "$(found "$answer.plain" scope) $(found "$answer.plain" strace)" '0 ok'
    fi
}

# root_disk DISK: the small real root of noptrace-image.
root_disk() {
    make_root "$1" "$top/build/noptrace-probe" "$(command -v strace)"
}

# The stock kernel of a root.
kernel_of() {
    echo "$1"/boot/vmlinuz-*
}

bake() {
    "$BATS_TEST_DIRNAME/bake" "$@" 2>&1
}

# assert_locks IMAGE ROOT [OPTION-OF-BOOT…]: what a good image must stand, with ROOT's kernel: check finds nothing,
# and boot agrees. Leaves what boot printed in $output.
assert_locks() {
    run "$top/build/noptrace-image" check --kernel-config "$(echo "$2"/boot/config-*)" "$1"
    assert_success
    refute_output --regexp '(FAIL|warn) '
    assert_line "$1: ok"
    run "$top/build/noptrace-image" boot --kernel "$(kernel_of "$2")" "${@:3}" "$1"
    assert_success
}

# pack TREE IMAGE: an initramfs of what is in TREE, uncompressed.
pack() {
    (cd "$1" && find . | cpio --quiet -o -H newc -R 0:0) > "$2"
}

# What README and the manual tell those to put into /init who have no generator.
handmade_line='/usr/sbin/noptrace apply || poweroff -f'

# handmade TREE ROOT PROGRAM: an initramfs of ROOT's busybox, PROGRAM and an /init with that line, which mounts
# the real root and switches to it.
handmade() {
    local tree=$1 root=$2 kernel module
    kernel=$(ls "$root/lib/modules")
    mkdir -p "$tree"/{bin,dev,proc,sys,root,modules,usr/sbin,"usr/lib/modules/$kernel"}
    cp "$root/bin/busybox" "$tree/bin"
    ln -s busybox "$tree/bin/sh"
    cp "$3" "$tree/usr/sbin/noptrace"
    # every module for a virtio disk with ext4, in the order in which they load
    for module in virtio_pci virtio_blk ext4; do
        modprobe -d "$root" -S "$kernel" --show-depends "$module"
    done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' > "$tree.modules"
    xargs -a "$tree.modules" cp -t "$tree/modules"
    cat > "$tree/init" << END
#!/bin/busybox sh
export PATH=/bin:/usr/sbin
/bin/busybox --install /bin
mount -t proc proc /proc
mount -t devtmpfs devtmpfs /dev
$handmade_line
for module in $(sed 's,.*/,,' "$tree.modules" | tr '\n' ' '); do insmod /modules/\$module; done
until mount -o ro /dev/vda /root; do :; done
mount -o move /dev /root/dev
mount -o move /proc /root/proc
exec switch_root /root /sbin/init
END
    chmod +x "$tree/init"
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
