#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# GRUB's maintenance menu: its real menu driven over the serial line, from a disk whose grub.cfg its own
# grub-mkconfig wrote (see grub-disk). What it makes of other machines is in grub-mkconfig.bats.

# run --separate-stderr sets stderr; each test is a subshell, and sets what it uses; the scripts that edit
# 10_linux name its variables.
# shellcheck disable=SC2154,SC2030,SC2031,SC2016

# shellcheck source=tests/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

setup_file() {
    export disk=$BATS_FILE_TMPDIR/disk grub=$BATS_FILE_TMPDIR/disk.grub
    handmade "$BATS_FILE_TMPDIR/tree" "$bookworm" "$program"
    pack "$BATS_FILE_TMPDIR/tree" "$BATS_FILE_TMPDIR/image"
    "$BATS_TEST_DIRNAME/grub-disk" "$bookworm" "$BATS_FILE_TMPDIR/image" "$disk" > "$BATS_FILE_TMPDIR/log" 2>&1
}

# power_on [DRIVE-OPTION [QEMU-ARGUMENT…]]: the disk, as it was made, and its GRUB, or other arguments that
# start one.
power_on() {
    (($# > 1)) || set -- "${1-$(guest_disk "$disk")}" -kernel "$grub"
    guest_at_keyboard 300 '' -drive "$@"
}

teardown() {
    stop_guest
}

menu='The highlighted entry will be executed automatically'

@test "the default entry locks, unattended" {
    power_on
    assert_boots locked
    await 1 '*Debian GNU/Linux'
    await 1 'Maintenance (ptrace on)'
}

@test "the maintenance entry, chosen with the arrow keys, opens" {
    power_on
    await 1 "$menu"
    choose 'Advanced options' 'Maintenance (ptrace on)'
    press Enter
    await 1 "with Linux $(ls "$bookworm/usr/lib/modules") (maintenance)"
    await 1 'with Linux 5.0.0-older (maintenance)'
    press Enter
    assert_boots open
}

@test "the hotkey opens the maintenance menu" {
    power_on
    await 1 "$menu"
    press m
    await 1 'with Linux 5.0.0-older (maintenance)'
    choose 'Debian GNU/Linux, with Linux 5.0.0-older (maintenance)'
    press Enter
    assert_boots open
    await 1 'Loading Linux 5.0.0-older'
}

@test "a GRUB of grub-mkrescue, on a CD: the default entry locks, and the maintenance entry opens" {
    local iso=$BATS_TEST_TMPDIR/iso
    mkdir -p "$BATS_TEST_TMPDIR/cd/boot/grub"
    debugfs -R 'dump boot/grub/grub.cfg /dev/stdout' "$disk" 2> /dev/null > "$BATS_TEST_TMPDIR/cd/boot/grub/grub.cfg"
    in_root "$bookworm" "$BATS_TEST_TMPDIR" grub-mkrescue -o /var/tmp/iso /var/tmp/cd > "$BATS_TEST_TMPDIR/log" 2>&1

    power_on "$(guest_disk "$disk")" -cdrom "$iso" -boot d
    assert_boots locked
    power_on "$(guest_disk "$disk")" -cdrom "$iso" -boot d
    await 1 "$menu"
    choose 'Advanced options' 'Maintenance (ptrace on)'
    press Enter
    await 1 'with Linux 5.0.0-older (maintenance)'
    press Enter
    assert_boots open
}

# put DISK FILE PATH: FILE as PATH on DISK, which nobody has to mount for that.
put() {
    debugfs -w -f - "$1" > /dev/null 2>&1 << END
rm $3
write $2 $3
END
}

@test "with a GRUB password, normal entries boot unattended, and maintenance asks for it" {
    cp --sparse=always "$disk" "$BATS_TEST_TMPDIR/disk"
    disk=$BATS_TEST_TMPDIR/disk
    debugfs -R 'dump boot/grub/grub.cfg.password /dev/stdout' "$disk" 2> /dev/null > "$BATS_TEST_TMPDIR/cfg"
    put "$disk" "$BATS_TEST_TMPDIR/cfg" boot/grub/grub.cfg
    power_on
    assert_boots locked

    power_on
    await 1 "$menu"
    press m
    await 1 'Enter username:'
    press root Enter
    await 1 'Enter password:'
    press wrong Enter
    await 1 'access denied'
    await 2 'GNU GRUB  version'
    press m
    await 2 'Enter username:'
    press root Enter
    await 2 'Enter password:'
    press secret Enter
    await 1 'with Linux 5.0.0-older (maintenance)'
    press Enter
    assert_boots open

    # one who may open the menu alone may not type at GRUB there
    sed -i -e '1i password operator word' -e "/^submenu .*noptrace-maintenance/s/--users ''/--users operator/" "$BATS_TEST_TMPDIR/cfg"
    put "$disk" "$BATS_TEST_TMPDIR/cfg" boot/grub/grub.cfg
    power_on
    await 1 "$menu"
    press m
    await 1 'Enter username:'
    press operator Enter
    await 1 'Enter password:'
    press word Enter
    await 1 'with Linux 5.0.0-older (maintenance)'
    press c
    await 2 'Enter username:'
}

# choose_once DISK: what the manual's grub-reboot does on a machine whose /boot is on DISK, for its older kernel.
choose_once() {
    local command
    command=$(example noptrace.8 'Maintenance for one boot' \
        | sed -n 's/^\(grub-reboot .*\) && reboot$/\1/; s/6\.1\.0-50-amd64/5.0.0-older/; /^grub-reboot /p')
    assert_regex "$command" '^grub-reboot .*-5\.0\.0-older'
    mkdir -p "$BATS_TEST_TMPDIR/boot/grub"
    in_root "$bookworm" "$BATS_TEST_TMPDIR" grub-editenv /var/tmp/boot/grub/grubenv create
    in_root "$bookworm" "$BATS_TEST_TMPDIR" sh -e -c "${command/grub-reboot/grub-reboot --boot-directory=/var/tmp/boot}"
    put "$1" "$BATS_TEST_TMPDIR/boot/grub/grubenv" boot/grub/grubenv
}

@test "maintenance for one boot: open, and then locked again" {
    cp --sparse=always "$disk" "$BATS_TEST_TMPDIR/disk"
    choose_once "$BATS_TEST_TMPDIR/disk"
    power_on "file=$BATS_TEST_TMPDIR/disk,format=raw,if=virtio"
    assert_boots open
    await 1 'Loading Linux 5.0.0-older'
    power_on "file=$BATS_TEST_TMPDIR/disk,format=raw,if=virtio"
    assert_boots locked
}

@test "maintenance for one boot where GRUB cannot write: locked, with the reason" {
    cp --sparse=always "$disk" "$BATS_TEST_TMPDIR/disk"
    choose_once "$BATS_TEST_TMPDIR/disk"
    power_on "file=$BATS_TEST_TMPDIR/disk,format=raw,if=virtio,readonly=on"
    assert_boots locked
    await 1 'noptrace: GRUB cannot write here, so this would be maintenance at every boot'
}

# set_grubenv DISK SETTING…
set_grubenv() {
    rm -f "$BATS_TEST_TMPDIR/grubenv"
    in_root "$bookworm" "$BATS_TEST_TMPDIR" grub-editenv /var/tmp/grubenv create
    in_root "$bookworm" "$BATS_TEST_TMPDIR" grub-editenv /var/tmp/grubenv set "${@:2}"
    put "$1" "$BATS_TEST_TMPDIR/grubenv" boot/grub/grubenv
}

@test "where a saved default names maintenance, the menu waits at a normal entry" {
    cp --sparse=always "$disk" "$BATS_TEST_TMPDIR/disk"
    set_grubenv "$BATS_TEST_TMPDIR/disk" saved_entry=noptrace-maintenance
    power_on "file=$BATS_TEST_TMPDIR/disk,format=raw,if=virtio"
    await 1 "$menu"
    await 1 '*Debian GNU/Linux'
    press Enter
    assert_boots locked
}

# assert_declines_numbers: on this disk, one that is chosen for one boot, and then the one that is saved there.
assert_declines_numbers() {
    local why='noptrace: nobody picked maintenance, nor named it for this boot alone'
    set_grubenv "$BATS_TEST_TMPDIR/disk" saved_entry=0 next_entry=2
    power_on "file=$BATS_TEST_TMPDIR/disk,format=raw,if=virtio"
    assert_boots locked
    await 1 "$why"
    set_grubenv "$BATS_TEST_TMPDIR/disk" saved_entry=2
    power_on "file=$BATS_TEST_TMPDIR/disk,format=raw,if=virtio"
    assert_boots locked
    await 1 "$why"
}

@test "by its number it is opened neither for one boot, nor by a saved default that was set after the menu was written" {
    cp --sparse=always "$disk" "$BATS_TEST_TMPDIR/disk"
    assert_declines_numbers
}

@test "so it is with GRUB of Debian 13" {
    handmade "$BATS_TEST_TMPDIR/tree" "$trixie" "$program"
    pack "$BATS_TEST_TMPDIR/tree" "$BATS_TEST_TMPDIR/image"
    "$BATS_TEST_DIRNAME/grub-disk" "$trixie" "$BATS_TEST_TMPDIR/image" "$BATS_TEST_TMPDIR/disk" > "$BATS_TEST_TMPDIR/log" 2>&1
    grub=$BATS_TEST_TMPDIR/disk.grub
    assert_declines_numbers
    await 1 'GNU GRUB  version 2.12'
}
