#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Images of Debian's other generator, booted to a real root.

# Each test is a subshell, and sets what it uses.
# shellcheck disable=SC2030,SC2031

# shellcheck source=tests/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

# bake_with_mkinitramfs IMAGE [NOPTRACE.CONF-LINE [ROOT]]: with a configuration folder of its own.
bake_with_mkinitramfs() {
    local root=${3-$bookworm} confdir code=0
    confdir=$(mktemp -d "$root/var/tmp/mkinitramfs.XXXXXX")
    cp -a "$root/etc/initramfs-tools/." "$confdir"
    printf '%s\n' 'MODULES=list' 'BUSYBOX=y' 'COMPRESS=gzip' > "$confdir/initramfs.conf"
    printf '%s\n' virtio_blk virtio_pci ext4 > "$confdir/modules"
    [[ $# == 1 ]] || echo "$2" > "$confdir/noptrace.conf"
    unshare --mount --pid --fork --kill-child --mount-proc --root="$root" \
        mkinitramfs -d "${confdir#"$root"}" -o "${confdir#"$root"}/image" \
        "$(ls "$root/usr/lib/modules")" 2>&1 || code=$?
    [[ ! -e $confdir/image ]] || mv "$confdir/image" "$1"
    rm -r "$confdir"
    return "$code"
}

setup_file() {
    local policy
    export images=$BATS_FILE_TMPDIR
    for policy in continue emergency poweroff reboot; do
        bake_with_mkinitramfs "$images/$policy" "noptrace_on_failure=$policy" > "$images/log.$policy"
    done
    root_disk "$images/root.disk"
}

# A boot without Yama; leaves how it ended in $output.
boot_without_yama() {
    answer=$BATS_TEST_TMPDIR/answer
    local console=$BATS_TEST_TMPDIR/console code=0
    run_guest "$answer" 120 tcg 'root=LABEL=noptrace ro fastboot lsm=landlock,lockdown' \
        -kernel "$(kernel_of "$bookworm")" -initrd "$images/$1" -drive "$(guest_disk "$images/root.disk")" \
        < /dev/null > "$console" 2>&1 || code=$?
    sed -i 's/\r$//' "$answer"
    plain "$console" | grep -q 'noptrace: .*ENOENT: this kernel has no Yama .*; not locked'
    run ended "$answer" "$console" "$code"
}

@test "initramfs-tools: a normal boot is locked before its real root, a maintenance boot is open" {
    assert_locks "$images/continue" "$bookworm"
    assert_line 'normal boot: noptrace: locked: kernel.yama.ptrace_scope is 3 until reboot'
}

@test "initramfs-tools of Debian 13: a normal boot is locked before its real root, a maintenance boot is open" {
    bake_with_mkinitramfs "$BATS_TEST_TMPDIR/image" noptrace_on_failure=poweroff "$trixie" > "$BATS_TEST_TMPDIR/log"
    assert_locks "$BATS_TEST_TMPDIR/image" "$trixie"
}

@test "initramfs-tools: the script is the first of init-top" {
    run bash -c "zcat '$images/continue' | cpio --quiet -i --to-stdout scripts/init-top/ORDER | head -n 1"
    # shellcheck disable=SC2016 # the file's
    assert_output '/scripts/init-top/00-noptrace "$@"'
}

@test "initramfs-tools, continue: boots on" {
    boot_without_yama continue
    assert_output answered
    assert_equal "$(found "$answer" scope)" ENOENT
}

@test "initramfs-tools, emergency: with panic= it reboots, and never reaches the real root" {
    boot_without_yama emergency
    assert_output rebooted
    assert_equal "$(cat "$answer")" ''
}

@test "initramfs-tools, poweroff: powers off and never reaches the real root" {
    boot_without_yama poweroff
    assert_output 'powered off'
    assert_equal "$(cat "$answer")" ''
}

@test "initramfs-tools, reboot: reboots and never reaches the real root" {
    boot_without_yama reboot
    assert_output rebooted
    assert_equal "$(cat "$answer")" ''
}

@test "initramfs-tools: an unknown failure policy ends the build, and there is nothing in the image" {
    run bake_with_mkinitramfs "$BATS_TEST_TMPDIR/image" noptrace_on_failure=panic
    assert_failure
    assert_line --partial 'noptrace_on_failure=panic: not one of continue, emergency, poweroff, reboot'
    assert [ ! -s "$BATS_TEST_TMPDIR/image" ]
}

@test "initramfs-tools: without the opt-in there is nothing of noptrace in an image" {
    bake_with_mkinitramfs "$BATS_TEST_TMPDIR/image" > /dev/null
    run "$top/build/noptrace-image" boot --kernel "$(kernel_of "$bookworm")" "$BATS_TEST_TMPDIR/image"
    assert_failure 1
    check "$BATS_TEST_TMPDIR/image"
    assert_failure 1
    assert_line '  FAIL  program       /usr/sbin/noptrace: not in the image; opt in with /etc/initramfs-tools/noptrace.conf, and build it anew'
}

check() {
    run "$top/build/noptrace-image" check --kernel-config "$(echo "$bookworm"/boot/config-*)" "$@"
}

@test "initramfs-tools: check finds a script that is not run, or not first, and a policy that is none" {
    local tree=$BATS_TEST_TMPDIR/tree order
    mkdir "$tree"
    zcat "$images/continue" | cpio --quiet -i -d -D "$tree"
    order=$tree/scripts/init-top/ORDER
    cp "$order" "$BATS_TEST_TMPDIR/order"

    sed -i '/noptrace/d' "$order"
    pack "$tree" "$BATS_TEST_TMPDIR/image"
    check "$BATS_TEST_TMPDIR/image"
    assert_failure 1
    assert_line '  FAIL  order         not in scripts/init-top/ORDER, or not executable, so it is never run; build the image anew'

    {
        echo /scripts/init-top/udev
        cat "$BATS_TEST_TMPDIR/order"
    } > "$order"
    pack "$tree" "$BATS_TEST_TMPDIR/image"
    check "$BATS_TEST_TMPDIR/image"
    assert_success
    assert_line '  warn  order         not the first script of init-top'

    cp "$BATS_TEST_TMPDIR/order" "$order"
    chmod -x "$tree/scripts/init-top/00-noptrace"
    pack "$tree" "$BATS_TEST_TMPDIR/image"
    check "$BATS_TEST_TMPDIR/image"
    assert_failure 1
    assert_line --partial 'or not executable, so it is never run'
    chmod +x "$tree/scripts/init-top/00-noptrace"

    echo 'noptrace_on_failure="reboot" # quoted' > "$tree/conf/noptrace.conf"
    pack "$tree" "$BATS_TEST_TMPDIR/image"
    check "$BATS_TEST_TMPDIR/image"
    assert_success
    assert_line '  ok    policy        reboot: a boot that could not lock is stopped'

    echo noptrace_on_failure=panic > "$tree/conf/noptrace.conf"
    pack "$tree" "$BATS_TEST_TMPDIR/image"
    check "$BATS_TEST_TMPDIR/image"
    assert_failure 1
    assert_line '  FAIL  policy        not one of continue, emergency, poweroff, reboot; build the image anew'
}
