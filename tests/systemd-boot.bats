#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# systemd-boot on an EFI machine (OVMF), with the entries that kernel-install and our plugin wrote, and UKIs with
# a profile for maintenance.

# Each test is a subshell, and sets what it uses.
# shellcheck disable=SC2030,SC2031

# shellcheck source=tests/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

setup_file() {
    export files=$BATS_FILE_TMPDIR
    export version
    version=$(ls "$trixie/usr/lib/modules")
    handmade "$files/handmade" "$trixie" "$program"
    pack "$files/handmade" "$files/image"

    # The machine: a Debian 13, its /boot the EFI system partition, and its disk.
    local tree=$files/tree
    variant_of "$trixie" "$tree"
    mkdir -p "$tree/etc/kernel"
    rm -f "$tree/etc/machine-id"
    echo 0123456789abcdef0123456789abcdef > "$tree/etc/machine-id"
    printf '%s\n' layout=bls BOOT_ROOT=/boot initrd_generator=none > "$tree/etc/kernel/install.conf"
    echo debian > "$tree/etc/kernel/entry-token"
    echo "root=LABEL=machine ro console=ttyS0 panic=-1 no_timer_check rd.skipfsck rd.shell=0 rd.emergency=poweroff quiet" \
        "init=/usr/libexec/noptrace/noptrace-probe first=/usr/libexec/noptrace/noptrace-probe" > "$tree/etc/kernel/cmdline"
    cp "$files/image" "$tree/initramfs"
    cp "$(kernel_of "$trixie")" "$tree/vmlinuz"
    rm -f "$tree"/usr/lib/kernel/install.d/{50-depmod,50-dracut,51-dracut-rescue,55-initrd}.install
    # /boot is another file system, as that partition is: the paths in entries begin there
    # shellcheck disable=SC2016 # the inner shell's
    unshare --mount sh -e -c 'tree=$1 version=$2
        mount -t proc proc "$tree/proc"
        mount -t tmpfs tmpfs "$tree/boot"
        mount --bind /dev/null "$tree/dev/null"
        mkdir -p "$tree/boot/debian/$version" "$tree/boot/EFI/BOOT" "$tree/boot/loader"
        TMPDIR=/tmp chroot "$tree" kernel-install add "$version" /vmlinuz /initramfs
        cp "$tree/usr/lib/systemd/boot/efi/systemd-bootx64.efi" "$tree/boot/EFI/BOOT/BOOTX64.EFI"
        echo "timeout 4" > "$tree/boot/loader/loader.conf"
        cp -r "$tree/boot" "$3"
        # then a newer kernel, in a maintenance boot, with boot counting
        { echo "maintenance"; cat "$tree/etc/kernel/cmdline"; } | tr "\n" " " > "$4"
        mv "$tree/etc/kernel/cmdline" "$5"
        mount --bind "$4" "$tree/proc/cmdline"
        echo 3 > "$tree/etc/kernel/tries"
        mkdir -p "$tree/boot/debian/9-$version" "$tree/usr/lib/modules/9-$version"
        TMPDIR=/tmp chroot "$tree" kernel-install add "9-$version" /vmlinuz /initramfs
        cp -r "$tree/boot" "$3/upgraded"
        TMPDIR=/tmp chroot "$tree" kernel-install remove "$2"
        cp -r "$tree/boot" "$3/alone"' - \
        "$tree" "$version" "$files/boot" "$files/cmdline" "$files/words"
    make_esp "$files/esp" EFI loader debian
    # For one boot, with bootctl: what chooses it is the first process of an entry of its own.
    cat > "$tree/setup" << 'END'
#!/bin/sh
export PATH=/usr/sbin:/usr/bin
[ -e /dev/ttyS1 ] || mount -t devtmpfs devtmpfs /dev
[ -e /proc/self ] || mount -t proc proc /proc
[ -e /sys/class ] || mount -t sysfs sysfs /sys
exec > /dev/ttyS1 2>&1
mount -t efivarfs efivarfs /sys/firmware/efi/efivars
bootctl --no-pager set-oneshot "$(cat /oneshot)"
echo end
poweroff -f
END
    chmod +x "$tree/setup"
    # the entry by the name that the manual gives it
    example noptrace.8 'Maintenance for one boot' \
        | sed -n "s/^bootctl set-oneshot \(.*\) && reboot$/\1/; s/TOKEN-6.1.0-50-amd64/debian-$version/p" | grep '\.conf$' > "$tree/oneshot"
    rm -r "${tree:?}"/boot/* "$tree"/usr/share/{doc,locale,man} "$tree"/{initramfs,vmlinuz}
    truncate -s 1400M "$files/disk"
    mke2fs -q -t ext4 -L machine -d "$tree" "$files/disk"
}

# make_esp FILE PATH…: an EFI system partition with these of the machine's /boot.
make_esp() {
    local path
    truncate -s 200M "$1"
    mkfs.vfat -F 32 -n ESP "$1" > /dev/null
    for path in "${@:2}"; do
        mcopy -s -i "$1" "$files/boot/$path" ::
    done
}

# power_on [ESP]: its EFI variables are kept for the rest of the test. The first disk is the one that hand-made images mount.
power_on() {
    efi_machine
    guest_at_keyboard 300 '' "${efi[@]}" -drive "$(guest_disk "$files/disk")" -drive "$(guest_disk "${1-$files/esp}")"
}

teardown() {
    stop_guest
}

@test "systemd-boot: the default entry locks, unattended" {
    power_on
    await 1 'Boot in'
    assert_boots locked
}

@test "systemd-boot: the maintenance entry, chosen below the normal one, opens" {
    power_on
    await 1 'Boot in'
    press Down Enter
    assert_boots open
}

@test "systemd-boot: maintenance for one boot, chosen with bootctl, and then locked again" {
    cp "$files/esp" "$BATS_TEST_TMPDIR/esp"
    sed 's,first=[^ ]*,first=/setup,' "$files/boot/loader/entries/debian-$version.conf" > "$BATS_TEST_TMPDIR/setup.conf"
    mcopy -i "$BATS_TEST_TMPDIR/esp" "$BATS_TEST_TMPDIR/setup.conf" ::loader/entries/setup.conf
    printf '%s\n' 'timeout 1' 'default setup.conf' > "$BATS_TEST_TMPDIR/loader.conf"
    mcopy -o -i "$BATS_TEST_TMPDIR/esp" "$BATS_TEST_TMPDIR/loader.conf" ::loader/loader.conf
    power_on "$BATS_TEST_TMPDIR/esp"
    wait "$guest"
    plain "$answer" | grep -a 'end$'

    power_on
    assert_boots open
    power_on
    assert_boots locked
}

@test "systemd-boot: a kernel installed in a maintenance boot locks, unattended, and still does when its tries are used up" {
    local entries=$files/boot/upgraded/loader/entries
    run ls "$entries"
    assert_output "$(printf '%s\n' "debian-$version-maintenance.conf" "debian-$version.conf" \
        "debian-9-$version+3.conf" "debian-9-$version-maintenance.conf")"
    grep -q '^options  *root=' "$entries/debian-9-$version+3.conf"
    make_esp "$BATS_TEST_TMPDIR/esp" upgraded/{EFI,loader,debian}
    power_on "$BATS_TEST_TMPDIR/esp"
    await 1 'Boot in'
    assert_boots locked

    # the older one is gone, and the tries of the newer one are used up
    entries=$files/boot/alone/loader/entries
    assert_equal "$(ls "$entries")" "debian-9-$version+3.conf"
    mv "$entries/debian-9-$version+3.conf" "$entries/debian-9-$version+0-3.conf"
    make_esp "$BATS_TEST_TMPDIR/esp" alone/{EFI,loader,debian}
    power_on "$BATS_TEST_TMPDIR/esp"
    await 1 'Boot in'
    assert_boots locked
}

# with_ukis UKI…: an EFI system partition with systemd-boot and these instead of other entries.
with_ukis() {
    cp "$files/esp" "$BATS_TEST_TMPDIR/esp"
    mdeltree -i "$BATS_TEST_TMPDIR/esp" ::debian ::loader/entries
    mmd -i "$BATS_TEST_TMPDIR/esp" ::EFI/Linux
    mcopy -i "$BATS_TEST_TMPDIR/esp" "$@" ::EFI/Linux
}

# example_commands SUBSECTION: the commands of that subsection of the manual's examples, with the machine's own words.
example_commands() {
    local commands
    commands=$(example noptrace.8 "$1")
    assert_regex "$commands" "^words='[^']*'"$'\n'
    echo "words='$(cat "$files/words")'"
    sed 1d <<< "$commands"
}

# In the root of the machine that has the files.
@test "a UKI with a profile for maintenance, built as the manual says: the first profile locks, unattended, and that one opens" {
    cp "$files/image" "$BATS_TEST_TMPDIR/initramfs.img"
    cp "$(kernel_of "$trixie")" "$BATS_TEST_TMPDIR/vmlinuz"
    example_commands 'A UKI with a profile for maintenance' > "$BATS_TEST_TMPDIR/commands"
    in_root "$trixie" "$BATS_TEST_TMPDIR" bash -e -c 'cd /var/tmp; . ./commands' > /dev/null

    with_ukis "$BATS_TEST_TMPDIR/linux.efi"
    power_on "$BATS_TEST_TMPDIR/esp"
    await 1 'Boot in'
    assert_boots locked
    power_on "$BATS_TEST_TMPDIR/esp"
    await 1 'Maintenance (ptrace on)'
    press Down Enter
    assert_boots open
    # behind an older systemd-boot, which hands the last command line to the stub
    cp "$bookworm/usr/lib/systemd/boot/efi/systemd-bootx64.efi" "$BATS_TEST_TMPDIR/BOOTX64.EFI"
    mcopy -o -i "$BATS_TEST_TMPDIR/esp" "$BATS_TEST_TMPDIR/BOOTX64.EFI" ::EFI/BOOT
    power_on "$BATS_TEST_TMPDIR/esp"
    await 1 'Boot in'
    assert_boots locked
    # and check says the same of it
    run "$top/build/noptrace-image" check --kernel-config "$(config_of "$trixie")" "$BATS_TEST_TMPDIR/linux.efi"
    assert_success
    # as it does of what the stub adds
    mkdir "$BATS_TEST_TMPDIR/linux.efi.extra.d"
    in_root "$trixie" "$BATS_TEST_TMPDIR/linux.efi.extra.d" ukify build --output /var/tmp/words.addon.efi --cmdline maintenance > /dev/null 2>&1
    with_ukis -s "$BATS_TEST_TMPDIR"/linux.efi{,.extra.d}
    power_on "$BATS_TEST_TMPDIR/esp"
    await 1 'Boot in'
    assert_boots open
    run "$top/build/noptrace-image" check --kernel-config "$(config_of "$trixie")" "$BATS_TEST_TMPDIR/linux.efi"
    assert_failure 1
    assert_line --partial '  FAIL  maintenance   profile main, with its addons: has the word maintenance'
}

# Its dracut.conf has what bake's has: for a guest with virtio disks, and quick.
@test "a second UKI for maintenance, built as the manual says with dracut of Debian 12: the first locks, unattended, and that one opens" {
    example_commands 'A second UKI for maintenance' > "$BATS_TEST_TMPDIR/commands"
    mkdir "$BATS_TEST_TMPDIR/conf.d"
    printf '%s\n' hostonly=no compress=cat early_microcode=no 'drivers="virtio_blk virtio_pci ext4"' "$spare" tmpdir=/var/tmp \
        "${shell_flavour[@]}" > "$BATS_TEST_TMPDIR/dracut.conf"
    # shellcheck disable=SC2016 # the inner shell's
    in_root "$bookworm" "$BATS_TEST_TMPDIR" bash -e -c 'cd /var/tmp
        dracut() { command dracut --conf /var/tmp/dracut.conf --confdir /var/tmp/conf.d "$@" "$kernel"; }
        kernel=$(ls /usr/lib/modules)
        . ./commands' > "$BATS_TEST_TMPDIR/log" 2>&1
    # and check says of each what the manual says
    run "$top/build/noptrace-image" check --kernel-config "$(config_of "$bookworm")" "$BATS_TEST_TMPDIR/linux.efi"
    assert_success
    run "$top/build/noptrace-image" check --kernel-config "$(config_of "$bookworm")" "$BATS_TEST_TMPDIR/linux-maintenance.efi"
    assert_failure 1
    assert_equal "$(grep -o 'FAIL  *[a-z]*' <<< "$output" | tr -s ' ')" 'FAIL maintenance'

    with_ukis "$BATS_TEST_TMPDIR"/linux{,-maintenance}.efi
    power_on "$BATS_TEST_TMPDIR/esp"
    await 1 'Boot in'
    assert_boots locked
    power_on "$BATS_TEST_TMPDIR/esp"
    await 1 'Boot in'
    press Down Enter
    assert_boots open
}
