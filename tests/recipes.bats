#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The recipes of noptrace-recipes(7) that give a bootable disk, run as they are printed there, and the disks booted
# through their own boot loaders to a login. They take minutes, and are not a part of `make test`: `make recipes`.

# Each test is a subshell, and sets what it uses.
# shellcheck disable=SC2030,SC2031

# shellcheck source=tests/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

builders=$top/build/recipes/root

# A whole Debian, emulated, may take a while to its login on a busy machine.
# shellcheck disable=SC2034 # await's
patience=400

# cook NAME SUBSECTION [COMMAND…]: runs that recipe of the manual, whose files are in build/recipes/kitchen/NAME, which is
# left there with what the recipe made; after the commands, which stand for the machine that it is run on. The recipe's
# last line, its proof, is left in $proof.
cook() {
    local kitchen=$top/build/recipes/kitchen recipe
    recipe=$(example noptrace-recipes.7 "$2") || return
    proof=${recipe##*$'\n'}
    assert_regex "$proof" '^noptrace-image boot '
    printf '%s\n' 'set -e' "cd /var/tmp/$1" "${@:3}" "${recipe%$'\n'*}" > "$kitchen/$1/recipe"
    # mkosi wants a root that is a mount point, mmdebstrap's disk the machine's loop devices
    # shellcheck disable=SC2016 # the inner shell's
    unshare --mount --propagation private sh -e -c 'mount --bind "$1" "$1"
        mount -t devtmpfs devtmpfs "$1/dev"
        mount -t sysfs sysfs "$1/sys"
        exec "$2" "$1" "$3" bash "/var/tmp/$4/recipe"' - \
        "$builders" "$BATS_TEST_DIRNAME/in-root" "$kitchen" "$1" > "$kitchen/$1/log" 2>&1 \
        || fail "$(tail -n 40 "$kitchen/$1/log")"
}

# prove_it NAME: as the recipe's last line does, with this tree's noptrace-image.
prove_it() {
    cd "$top/build/recipes/kitchen/$1" || return
    # shellcheck disable=SC2086 # the words of a command
    run "$top/build/noptrace-image" ${proof#noptrace-image }
    assert_success
}

# kitchen NAME PACKAGE…: an empty folder with these packages of noptrace.
kitchen() {
    local kitchen=$top/build/recipes/kitchen/$1
    rm -rf "$kitchen"
    mkdir -p "$kitchen"
    shift
    while (($#)); do
        cp "$top/build/deb/$1"_*.deb "$kitchen/$2"
        shift 2
    done
}

# log_in: as root, on the guest's console; then assert_login says how it is there.
log_in() {
    await 1 ' login: '
    press root Enter
    await 1 'Password: '
    press secret Enter
    await 1 "root@"
}

# assert_login SCOPE STATUS: what whoever has logged in finds; the guest is off then.
assert_login() {
    log_in
    # what is typed is on the console, too
    # shellcheck disable=SC2016 # the guest's shell's
    press 'echo "scope: $(cat /proc/sys/kernel/yama/ptrace_scope)"' Enter
    await 1 "scope: $1"
    press 'noptrace status' Enter
    await 1 "NOPTRACE $2"
    press 'systemctl poweroff --force --force' Enter
    wait "$guest"
}

setup_file() {
    export mirror
    mirror=$(awk '$1 == "deb" { print $2; exit }' "$builders/etc/apt/sources.list")
}

teardown() {
    stop_guest
}

@test "mkosi: a UKI with its own initrd locks to a login, unattended, and its profile for maintenance opens" {
    local disk=$top/build/recipes/kitchen/mkosi
    kitchen mkosi noptrace noptrace_0_amd64.deb
    cp -r "$BATS_TEST_DIRNAME/recipes/mkosi/." "$disk"
    # mkosi's other mirrors may be out of reach, and what it knows of keys is not for this one
    printf '%s\n' '[Distribution]' "LocalMirror=$mirror" > "$disk/mkosi.local.conf"
    mkdir -p "$disk/mkosi.sandbox/etc/apt/trusted.gpg.d"
    cp -L "$builders/usr/share/keyrings/debian-archive-keyring.gpg" "$disk/mkosi.sandbox/etc/apt/trusted.gpg.d"
    cook mkosi mkosi
    prove_it mkosi

    disk+=/mkosi.output/image.raw
    power_on_efi "$disk"
    await 1 'Boot in'
    assert_login 3 'OK - locked since the initramfs'
    power_on_efi "$disk"
    await 1 'Maintenance (ptrace on)'
    press Down Enter
    assert_login 0 'WARNING - open for maintenance'
}

# power_on_efi DISK: a machine that was never on.
power_on_efi() {
    rm -f "$BATS_TEST_TMPDIR/variables"
    efi_machine
    guest_at_keyboard 600 '' "${efi[@]}" -drive "$(guest_disk "$1")"
}

@test "mmdebstrap with GRUB: the default entry locks to a login, unattended, and the maintenance menu opens" {
    losetup --find > /dev/null || skip 'this machine has no loop device'
    local disk=$top/build/recipes/kitchen/mmdebstrap
    kitchen mmdebstrap noptrace noptrace.deb noptrace-initramfs noptrace-initramfs.deb
    cp -r "$BATS_TEST_DIRNAME/recipes/mmdebstrap/." "$disk"
    cook mmdebstrap 'mmdebstrap with GRUB' \
        "mmdebstrap() { command mmdebstrap --customize-hook=./local \"\$@\" $mirror; }"
    prove_it mmdebstrap

    disk+=/disk.img
    power_on_bios "$disk"
    await 1 "$menu"
    assert_login 3 'OK - locked since the initramfs'
    power_on_bios "$disk"
    await 1 "$menu"
    choose 'Advanced options' 'Maintenance (ptrace on)'
    press Enter
    await 1 '(maintenance)'
    press Enter
    assert_login 0 'WARNING - open for maintenance'
}

menu='The highlighted entry will be executed automatically'

# power_on_bios DISK
power_on_bios() {
    guest_at_keyboard 600 '' -drive "$(guest_disk "$1")"
}

@test "the versions of the builders whose recipes are run here are those that the page has" {
    local builder release
    release=$(sed -n 's/^VERSION_ID="\(.*\)"/\1/p' "$builders/etc/os-release")
    for builder in mkosi mmdebstrap; do
        run grep "^\.It $builder Ta " "$top/src/noptrace-recipes.7"
        assert_output --regexp "^\.It $builder Ta $(upstream_version "$builders" "$builder") of Debian $release Ta "
    done
}
