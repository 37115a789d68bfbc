#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Images of Debian's other generator, booted to a real root.

# Each test is a subshell, and sets what it uses.
# shellcheck disable=SC2030,SC2031

# shellcheck source=tests/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

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
    boot_guest answer "$bookworm" "$images/$1" "root=LABEL=noptrace ro fastboot $without_yama quiet loglevel=3 printk.devkmsg=off" \
        -drive "$(guest_disk "$images/root.disk")"
    assert_on_console "$not_locked"
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

# What ends a boot, or waits, is told here by the functions that the script sources.
@test "initramfs-tools: the script does nothing where it is not to, says what it does, and waits before it tries again" {
    local tree=$BATS_TEST_TMPDIR/tree work=$BATS_TEST_TMPDIR/work policy script=/usr/share/initramfs-tools/scripts/init-top/00-noptrace
    local again='noptrace: could not lock, see above; leave this shell to try again, or boot with the word maintenance (noptrace_on_failure='
    variant_of "$bookworm" "$tree"
    rm "$tree/usr/sbin/noptrace"
    mkdir "$work" "$tree/conf" "$tree/scripts"
    # it locks at the third time
    # shellcheck disable=SC2016 # the script's
    printf '%s\n' '#!/bin/sh' 'echo >> /var/tmp/tries' '[ "$(wc -l < /var/tmp/tries)" = 3 ]' \
        | install -m 755 /dev/stdin "$tree/usr/sbin/noptrace"
    # shellcheck disable=SC2016 # the functions'
    printf '%s\n' 'panic() { echo "$*"; }' 'sleep() { echo "sleep $*"; }' 'poweroff() { echo "poweroff $*"; }' > "$tree/scripts/functions"
    run in_root "$tree" "$work" "$script"
    assert_success
    assert_output ''
    echo noptrace_on_failure=continue > "$tree/conf/noptrace.conf"
    run in_root "$tree" "$work" "$script" prereqs
    assert_success
    assert_output ''
    refute [ -e "$work/tries" ]
    run in_root "$tree" "$work" "$script"
    assert_success
    assert_output 'noptrace: booting on without the lock (noptrace_on_failure=continue)'
    rm "$work/tries"
    for policy in emergency poweroff; do
        echo "noptrace_on_failure=$policy" > "$tree/conf/noptrace.conf"
        run in_root "$tree" "$work" "$script"
        assert_success
        rm "$work/tries"
        [[ $policy != emergency ]] || assert_output "$again$policy)
sleep 1
$again$policy)
sleep 1"
    done
    assert_output "noptrace: could not lock, see above: poweroff (noptrace_on_failure); boot with the word maintenance to get past this
poweroff -f
$again$policy)
sleep 1
noptrace: could not lock, see above: poweroff (noptrace_on_failure); boot with the word maintenance to get past this
poweroff -f
$again$policy)
sleep 1"
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

@test "initramfs-tools, reboot: one that fails is tried again, and never reaches the real root, with panic= as well" {
    local tree=$BATS_TEST_TMPDIR/tree folder
    for folder in usr/sbin usr/bin; do
        mkdir -p "$tree/$folder"
        printf '#!/bin/sh\necho reboot fails\nexit 1\n' > "$tree/$folder/reboot"
        chmod +x "$tree/$folder/reboot"
    done
    pack "$tree" "$BATS_TEST_TMPDIR/archive"
    # without busybox, whose shell takes its own reboot
    bake_with_mkinitramfs "$BATS_TEST_TMPDIR/klibc" noptrace_on_failure=reboot "$bookworm" n > "$BATS_TEST_TMPDIR/log"
    # a kernel finds the second archive at a multiple of 4 only
    truncate -s %4 "$BATS_TEST_TMPDIR/klibc"
    cat "$BATS_TEST_TMPDIR/klibc" "$BATS_TEST_TMPDIR/archive" > "$BATS_TEST_TMPDIR/image"
    guest_at_keyboard 240 'root=LABEL=noptrace ro fastboot lsm=landlock,lockdown' -kernel "$(kernel_of "$bookworm")" \
        -initrd "$BATS_TEST_TMPDIR/image" -drive "$(guest_disk "$images/root.disk")"
    await 3 'noptrace: could not lock, see above: reboot (noptrace_on_failure); boot with the word maintenance to get past this'
    assert_equal "$(cat "$BATS_TEST_TMPDIR/answer")" ''
}

teardown() {
    stop_guest
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
    run "$top/build/noptrace-image" check --kernel-config "$(config_of "$bookworm")" "$@"
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
    assert_line '  FAIL  order         not in scripts/init-top/ORDER, so the script is never run; build the image anew'

    {
        # shellcheck disable=SC2016 # the caller's
        echo '/scripts/init-top/udev "$@"'
        cat "$BATS_TEST_TMPDIR/order"
    } > "$order"
    pack "$tree" "$BATS_TEST_TMPDIR/image"
    check "$BATS_TEST_TMPDIR/image"
    assert_failure 1
    assert_line '  FAIL  order         not the first script of init-top: what runs before it may undo what it needs; rename that'

    cp "$BATS_TEST_TMPDIR/order" "$order"
    chmod -x "$tree/scripts/init-top/00-noptrace"
    pack "$tree" "$BATS_TEST_TMPDIR/image"
    check "$BATS_TEST_TMPDIR/image"
    assert_failure 1
    assert_line --partial '00-noptrace: not executable, so the script is never run'
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
    assert_line '  FAIL  policy        /conf/noptrace.conf:1: noptrace_on_failure=panic: not one of continue, emergency, poweroff, reboot; build the image anew'
}
