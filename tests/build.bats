#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Builds of an image that could not lock: each ends with one line that says why, and leaves no image.

# Each test is a subshell, and sets what it uses.
# shellcheck disable=SC2030,SC2031

# shellcheck source=tests/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

setup() {
    root=$BATS_TEST_TMPDIR/root image=$BATS_TEST_TMPDIR/image
}

teardown() {
    rm -rf "$root"
}

assert_refused() {
    run bake "$root" "$image" "${systemd_flavour[@]}" "${@:2}"
    assert_failure
    assert_line --partial "noptrace: $1"
    assert [ ! -e "$image" ]
}

@test "no program: no image" {
    variant_of "$bookworm" "$root"
    rm "$root/usr/sbin/noptrace"
    assert_refused '/usr/sbin/noptrace: no such program; install noptrace'
}

@test "a program that is not executable: no image" {
    variant_of "$bookworm" "$root"
    rm "$root/usr/sbin/noptrace"
    install -m 644 "$program" "$root/usr/sbin/noptrace"
    assert_refused '/usr/sbin/noptrace: no such program; install noptrace'
}

@test "a dynamic program: no image" {
    variant_of "$bookworm" "$root"
    rm "$root/usr/sbin/noptrace"
    cp "$root/usr/bin/true" "$root/usr/sbin/noptrace"
    assert_refused "/usr/sbin/noptrace: not a static ELF program; build it with 'make'"
}

@test "a program of another architecture: no image, and not if it is dynamic either" {
    variant_of "$bookworm" "$root"
    # e_machine: aarch64
    cp --remove-destination "$program" "$root/usr/sbin/noptrace"
    printf '\267' | dd of="$root/usr/sbin/noptrace" bs=1 seek=18 conv=notrunc status=none
    assert_refused '/usr/sbin/noptrace: not of the architecture of /bin/sh; build it for that'
    cp --remove-destination "$root/usr/bin/true" "$root/usr/sbin/noptrace"
    printf '\267' | dd of="$root/usr/sbin/noptrace" bs=1 seek=18 conv=notrunc status=none
    assert_refused "/usr/sbin/noptrace: not a static ELF program; build it with 'make'"
}

@test "a script in the program's place: no image" {
    variant_of "$bookworm" "$root"
    rm "$root/usr/sbin/noptrace"
    printf '#!/bin/sh\n' > "$root/usr/sbin/noptrace"
    chmod 755 "$root/usr/sbin/noptrace"
    assert_refused "/usr/sbin/noptrace: not a static ELF program; build it with 'make'"
}

@test "a kernel whose configuration lacks Yama: no image" {
    variant_of "$bookworm" "$root"
    local config
    config=$(echo "$root"/boot/config-*)
    sed 's/^CONFIG_SECURITY_YAMA=y/# CONFIG_SECURITY_YAMA is not set/' "$config" > "$config.new"
    mv "$config.new" "$config"
    assert_refused "kernel $(ls "$root/usr/lib/modules") has no CONFIG_SECURITY_YAMA and could not lock; use another kernel"
}

@test "a kernel without a configuration at hand: an image, since only the boot can tell" {
    variant_of "$bookworm" "$root"
    rm "$root"/boot/config-*
    run bake "$root" "$image" "${systemd_flavour[@]}"
    assert_success
}

@test "an unknown failure policy: no image" {
    root=$bookworm
    assert_refused 'noptrace_on_failure=panic: not one of continue, emergency, poweroff, reboot' noptrace_on_failure=panic
    root=
}

@test "without the opt-in there is nothing of noptrace in an image but the sysctl.d file that dracut takes" {
    bake "$bookworm" "$image" > /dev/null
    run bash -c "cpio --quiet -t < '$image' | grep noptrace"
    assert_output usr/lib/sysctl.d/zz-noptrace.conf
}

@test "a module of which a file is missing: no image" {
    variant_of "$bookworm" "$root"
    rm "$root/usr/lib/dracut/modules.d/50noptrace/noptrace-initramfs.service"
    assert_refused '/usr/lib/dracut/modules.d/50noptrace/noptrace-initramfs.service: cannot be put into the image'
}

@test "dracut --sysroot puts the same files into an image, from outside" {
    # what dracut would ask pkg-config for, which is about this host
    printf '%s\n' 'systemdutildir=/usr/lib/systemd' 'systemdsystemunitdir=/usr/lib/systemd/system' \
        'udevdir=/usr/lib/udev' > "$BATS_TEST_TMPDIR/dracut.conf"
    mkdir "$BATS_TEST_TMPDIR/conf.d"
    run dracut --sysroot "$bookworm" --conf "$BATS_TEST_TMPDIR/dracut.conf" --confdir "$BATS_TEST_TMPDIR/conf.d" \
        --no-hostonly --no-compress --no-early-microcode --tmpdir "$BATS_TEST_TMPDIR" --drivers ext4 \
        --add noptrace "$image" "$(ls "$bookworm/usr/lib/modules")"
    assert_success
    run bash -c "cpio --quiet -t < '$image' | grep -E 'systemd.*noptrace|sbin/noptrace' | sort"
    assert_output - << 'END'
usr/lib/systemd/system/noptrace-initramfs.service
usr/lib/systemd/system/sysinit.target.wants/noptrace-initramfs.service
usr/sbin/noptrace
END
}
