#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# noptrace_on_failure=: what an image does that cannot lock, because its kernel was booted with an lsm=
# that leaves Yama out. A boot was stopped only if our line is there and the real root's answer is not.

# Each test is a subshell, and sets what it uses.
# shellcheck disable=SC2030,SC2031

# shellcheck source=tests/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

setup_file() {
    export images=$BATS_FILE_TMPDIR policy
    for policy in continue emergency poweroff reboot; do
        bake "$bookworm" "$images/systemd-$policy" "${systemd_flavour[@]}" \
            "noptrace_on_failure=$policy" > "$images/log.systemd" &
        bake "$bookworm" "$images/shell-$policy" "${shell_flavour[@]}" \
            "noptrace_on_failure=$policy" > "$images/log.shell"
        wait $!
    done
    for policy in emergency poweroff reboot; do
        bake "$trixie" "$images/systemd-$policy.106" "${systemd_flavour[@]}" \
            "noptrace_on_failure=$policy" > "$images/log.106"
    done
    for policy in emergency poweroff; do
        bake "$bookworm" "$images/bare-$policy" "${systemd_flavour[@]}" \
            'omit_dracutmodules+=" dracut-systemd "' "noptrace_on_failure=$policy" > "$images/log.bare-$policy"
    done
    # whose poweroff is systemd's
    bake "$bookworm" "$images/without-busybox" 'add_dracutmodules+=" noptrace "' \
        'omit_dracutmodules+=" systemd systemd-initrd dracut-systemd busybox shutdown "' \
        noptrace_on_failure=poweroff > "$images/log.without-busybox"
    root_disk "$images/root.disk"
}

# boot_image IMAGE [WORDS [QEMU-ARGUMENT…]]: boots it without Yama; leaves $console and $answer.
boot_image() {
    local root=$bookworm
    [[ $1 != *.106* ]] || root=$trixie
    boot_guest answer "$root" "$images/$1" "root=LABEL=noptrace ro rd.skipfsck $without_yama ${2-}" \
        -drive "$(guest_disk "$images/root.disk")" "${@:3}"
}

boots_on() {
    boot_image "$1"
    assert_on_console "$not_locked"
    assert_equal "$(found "$answer" scope)" ENOENT
    assert_equal "$(found "$answer" log)" "3 $not_locked"
    assert_equal "$(found "$answer" traceme)" ok
}

@test "systemd, continue: boots on, with one error in the kernel log" {
    boots_on systemd-continue
}

@test "shell, continue: boots on, with one error in the kernel log" {
    boots_on shell-continue
    assert_on_console 'noptrace: booting on without the lock (noptrace_on_failure=continue)'
}

@test "systemd, poweroff: powers off and never reaches the real root" {
    boot_image systemd-poweroff
    assert_stopped 'powered off'
    assert_on_console 'Locked, or else poweroff (boot with the word maintenance to get past this)'
}

@test "shell, poweroff: powers off and never reaches the real root" {
    boot_image shell-poweroff
    assert_stopped 'powered off'
    assert_on_console 'noptrace: could not lock, see above: poweroff (noptrace_on_failure=poweroff); boot with the word maintenance to get past this'
}

@test "systemd, reboot: reboots and never reaches the real root" {
    boot_image systemd-reboot
    assert_stopped rebooted
}

@test "shell without busybox, poweroff: powers off and never reaches the real root" {
    boot_image without-busybox
    assert_stopped 'powered off'
}

@test "shell, reboot: reboots and never reaches the real root" {
    boot_image shell-reboot
    assert_stopped rebooted
    assert_on_console 'noptrace: could not lock, see above: reboot (noptrace_on_failure=reboot); boot with the word maintenance to get past this'
}

# fails_to COMMAND WORDS: in an image where that fails, which is said in these.
fails_to() {
    local tree=$BATS_TEST_TMPDIR/tree
    mkdir -p "$tree/usr/sbin" "$tree/usr/lib/noptrace"
    printf '%s\n' '#!/bin/sh' 'exit 1' | install -m 755 /dev/stdin "$tree/usr/sbin/$1"
    cp "$bookworm/usr/lib/dracut/modules.d/50noptrace/on-failure/$1.sh" "$tree/usr/lib/noptrace/on-failure.sh"
    pack "$tree" "$BATS_TEST_TMPDIR/archive"
    cat "$images/without-busybox" "$BATS_TEST_TMPDIR/archive" > "$images/fails-to-$1"
    boot_image "fails-to-$1" rd.shell=0
    assert_stopped panicked
    assert_on_console "noptrace: could not $2"
}

@test "shell without busybox, poweroff: one that fails ends the boot all the same" {
    fails_to poweroff 'power off'
}

@test "shell without busybox, reboot: one that fails ends the boot all the same" {
    fails_to reboot reboot
}

@test "systemd, emergency with rd.shell=0 rd.emergency=poweroff: never reaches the real root" {
    boot_image systemd-emergency 'rd.shell=0 rd.emergency=poweroff'
    assert_stopped 'powered off'
}

@test "shell, emergency with rd.shell=0: dracut 059 ends in a panic and never reaches the real root" {
    boot_image shell-emergency rd.shell=0
    assert_stopped panicked
}

skipped=$'[Unit]\nConditionPathExists=/nowhere\n'

# assert_held IMAGE HOW [WORDS [QEMU-ARGUMENT…]]: a kernel that could lock, and a unit that is skipped, which counts
# as started for all that merely requires it.
assert_held() {
    without_yama=''
    boot_image "$1" "${@:3}"
    assert_on_console 'ConditionPathExists=/nowhere'
    assert_on_console 'noptrace-locked@'
    assert_equal "$(cat "$answer")" ''
    assert_equal "$(ended "$answer" "$console" "$code")" "$2"
}

# with_condition IMAGE: with one more archive, which drops in a condition that is false.
with_condition() {
    local drop_in=$BATS_TEST_TMPDIR/$1/usr/lib/systemd/system/noptrace-initramfs.service.d/zz.conf
    mkdir -p "${drop_in%/*}"
    printf %s "$skipped" > "$drop_in"
    pack "$BATS_TEST_TMPDIR/$1" "$BATS_TEST_TMPDIR/archive"
    cat "$images/$1" "$BATS_TEST_TMPDIR/archive" > "$images/$1.skipped"
}

@test "a policy holds although the unit is skipped for a condition in a drop-in" {
    local image
    for image in systemd-{poweroff,reboot,emergency}{,.106} bare-poweroff; do with_condition "$image"; done
    assert_held bare-poweroff.skipped 'powered off'
    for image in '' .106; do
        assert_held "systemd-poweroff$image.skipped" 'powered off'
        assert_held "systemd-reboot$image.skipped" rebooted
        assert_held "systemd-emergency$image.skipped" 'powered off' 'rd.shell=0 rd.emergency=poweroff'
    done
}

@test "a program that never ends counts as one that could not lock" {
    local tree=$BATS_TEST_TMPDIR/tree
    mkdir -p "$tree/usr/sbin"
    printf '%s\n' '#!/bin/sh' 'exec sleep infinity' | install -m 755 /dev/stdin "$tree/usr/sbin/noptrace"
    pack "$tree" "$BATS_TEST_TMPDIR/archive"
    cat "$images/systemd-poweroff" "$BATS_TEST_TMPDIR/archive" > "$images/hangs"
    without_yama=''
    boot_image hangs
    assert_on_console 'noptrace-initramfs.service: start operation timed out'
    assert_equal "$(cat "$answer")" ''
    assert_equal "$(ended "$answer" "$console" "$code")" 'powered off'
}

@test "a policy holds although systemd 257 is given such a drop-in as a credential, by SMBIOS" {
    local -a smbios
    smbios=(-smbios "type=11,value=io.systemd.credential.binary:systemd.unit-dropin.noptrace-initramfs.service=$(base64 -w 0 <<< "$skipped")")
    assert_held systemd-poweroff.106 'powered off' '' "${smbios[@]}"
    assert_held systemd-reboot.106 rebooted '' "${smbios[@]}"
    assert_held systemd-emergency.106 'powered off' 'rd.shell=0 rd.emergency=poweroff' "${smbios[@]}"
}

@test "the reason is on the console although the kernel log is hidden, in both flavours" {
    local image
    for image in systemd-poweroff shell-poweroff systemd-poweroff.106; do
        boot_image "$image" 'quiet loglevel=3 printk.devkmsg=off'
        assert_stopped 'powered off'
    done
}

# boot_with_keyboard IMAGE: boots it in the background ($guest), for press and await.
boot_with_keyboard() {
    guest_at_keyboard 240 "root=LABEL=noptrace ro rd.skipfsck $without_yama" \
        -kernel "$(kernel_of "$bookworm")" -initrd "$images/$1" -drive "$(guest_disk "$images/root.disk")"
}

teardown() {
    stop_guest
}

@test "systemd, emergency: leaving the shell comes back to it, and never to the real root" {
    boot_with_keyboard systemd-emergency
    await 1 'Press Enter for maintenance'
    press Enter
    await 1 ':/root# '
    press exit Enter
    await 2 'Press Enter for maintenance'
    press Enter
    await 2 ':/root# '
    press 'poweroff -f' Enter
    wait "$guest"
    assert_stopped 'powered off'
}

@test "shell, emergency: leaving the shell ends in a panic, and never in the real root" {
    boot_with_keyboard shell-emergency
    await 1 'dracut:/#'
    press exit Enter
    wait "$guest"
    assert_stopped panicked
    assert_on_console 'noptrace: could not lock, see above (noptrace_on_failure=emergency); boot with the word maintenance to get past this'
}

@test "systemd without dracut-systemd, poweroff: powers off and never reaches the real root" {
    boot_image bare-poweroff
    assert_stopped 'powered off'
}

@test "systemd without an emergency service, emergency: powers off instead of hanging, and the build said so" {
    grep -q 'noptrace: this image has no emergency.service: a failed lock will power off' "$images/log.bare-emergency"
    boot_image bare-emergency
    assert_stopped 'powered off'
}

@test "an image whose failure must stop it locks once, opens for maintenance, and logs one line each" {
    local policy
    for policy in emergency poweroff; do
        assert_locks "$images/systemd-$policy" "$bookworm"
        assert_equal "$(grep -c ' boot: noptrace: ' <<< "$output")" 2
    done
}

@test "noptrace-image does not wait for somebody at an emergency shell" {
    run "$top/build/noptrace-image" boot --kernel "$(kernel_of "$bookworm")" \
        --append "$without_yama rd.shell=1" "$images/systemd-emergency"
    assert_failure 1
    assert_line --regexp '^outcome +emergency shell +neither$'
    assert_line --partial "could not lock: noptrace: $no_yama"
    run "$top/build/noptrace-image" boot --kernel "$(kernel_of "$bookworm")" \
        --append 'rd.break=cmdline rd.shell=1' "$images/shell-continue"
    assert_failure 3
    assert_line --regexp '^outcome +emergency shell +emergency shell$'
}

@test "another module's hook that exits early leaves nothing open, in both flavours" {
    local root=$BATS_TEST_TMPDIR/root module
    variant_of "$bookworm" "$root"
    module=$root/usr/lib/dracut/modules.d/40early-exit
    mkdir "$module"
    printf 'echo "the early hook ran" > /dev/kmsg\nexit 0\n' > "$module/aaa.sh"
    # shellcheck disable=SC2016 # dracut's
    printf '%s\n' 'check() { return 255; }' 'install() { inst_hook cmdline 00 "$moddir/aaa.sh"; }' \
        > "$module/module-setup.sh"
    bake "$root" "$images/systemd-exit" "${systemd_flavour[@]}" 'add_dracutmodules+=" early-exit "' > /dev/null
    bake "$root" "$images/shell-exit" "${shell_flavour[@]}" 'add_dracutmodules+=" early-exit "' > /dev/null
    rm -r "$root"

    without_yama=''
    boot_image systemd-exit
    assert_on_console 'the early hook ran'
    assert_equal "$(found "$answer" scope)" 3
    # There it is /init itself that ends.
    boot_image shell-exit 'rd.shell=0'
    assert_on_console 'the early hook ran'
    assert_on_console 'Kernel panic'
    assert_equal "$(cat "$answer")" ''
}
