#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# noptrace-image make: the stand-alone archive, behind images of dracut that know nothing of noptrace, and loaded by
# each boot loader that can load two.

# run --separate-stderr sets stderr; each test is a subshell, and sets what it uses.
# shellcheck disable=SC2154,SC2030,SC2031

# shellcheck source=tests/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

setup_file() {
    export files=$BATS_FILE_TMPDIR policy
    bake "$bookworm" "$files/image" > "$files/log" &
    bake "$trixie" "$files/image.106" > "$files/log.106"
    wait $!
    # compressed, and of a size that is no multiple of 4
    gzip -c "$files/image.106" > "$files/image.106.gz"
    (($(stat -c %s "$files/image.106.gz") % 4)) || printf '\0' >> "$files/image.106.gz"
    for policy in continue emergency poweroff reboot; do
        "$top/build/noptrace-image" make --on-failure "$policy" "$files/$policy.cpio"
    done
    handmade "$files/handmade" "$bookworm" "$program"
    rm -r "$files/handmade/usr/sbin"
    root_disk "$files/root.disk"
}

teardown() {
    stop_guest
}

make_archive() {
    run --separate-stderr "$top/build/noptrace-image" make "$@"
}

@test "the archive is the same bit for bit, whoever makes it, where and when" {
    mkdir "$BATS_TEST_TMPDIR/other"
    (umask 077 && cd "$BATS_TEST_TMPDIR/other" && TZ=Asia/Kathmandu LC_ALL=tr_TR.UTF-8 "$top/build/noptrace-image" make --on-failure reboot one.cpio)
    (umask 002 && TZ=America/Caracas LC_ALL=C SOURCE_DATE_EPOCH=1000000000 \
        "$top/build/noptrace-image" make "$BATS_TEST_TMPDIR/two.cpio" --on-failure reboot)
    cmp "$BATS_TEST_TMPDIR/other/one.cpio" "$BATS_TEST_TMPDIR/two.cpio"
    cmp "$BATS_TEST_TMPDIR/two.cpio" "$files/reboot.cpio"
    # as the umask has it, as any file
    assert_equal "$(cd "$BATS_TEST_TMPDIR" && stat -c %a other/one.cpio two.cpio)" $'600\n664'
    # continue is what is meant where nothing is said
    make_archive "$BATS_TEST_TMPDIR/two.cpio"
    assert_success
    assert_output ''
    assert_equal "$stderr" ''
    cmp "$BATS_TEST_TMPDIR/two.cpio" "$files/continue.cpio"
}

# What is in an archive: mode, owners, date and name, links with their targets.
listing() {
    cpio -itvn --quiet < "$1" | tr -s ' ' | cut -d ' ' -f 1,3,4,6-
}

@test "the archive has root's files and every folder that they are in, from 1970" {
    local units=usr/lib/systemd/system
    run listing "$files/continue.cpio"
    assert_output - << END
drwxr-xr-x 0 0 Jan 1 1970 usr/
drwxr-xr-x 0 0 Jan 1 1970 usr/lib/
drwxr-xr-x 0 0 Jan 1 1970 usr/lib/systemd/
drwxr-xr-x 0 0 Jan 1 1970 $units/
-rw-r--r-- 0 0 Jan 1 1970 $units/noptrace-initramfs.service
drwxr-xr-x 0 0 Jan 1 1970 $units/noptrace-initramfs.service.d/
-rw-r--r-- 0 0 Jan 1 1970 $units/noptrace-initramfs.service.d/before.conf
drwxr-xr-x 0 0 Jan 1 1970 $units/sysinit.target.wants/
lrwxrwxrwx 0 0 Jan 1 1970 $units/sysinit.target.wants/noptrace-initramfs.service -> ../noptrace-initramfs.service
drwxr-xr-x 0 0 Jan 1 1970 usr/sbin/
-rwxr-xr-x 0 0 Jan 1 1970 usr/sbin/noptrace
END
    # padded, so that what comes behind it is found
    assert_equal $(($(stat -c %s "$files/continue.cpio") % 512)) 0
}

@test "the archive has what the dracut module puts into a systemd image, file by file" {
    local kind path
    for kind in continue poweroff; do
        rm -rf "$BATS_TEST_TMPDIR"/{theirs,ours}
        bake "$bookworm" "$BATS_TEST_TMPDIR/image" "${systemd_flavour[@]}" "noptrace_on_failure=$kind" > /dev/null
        mkdir "$BATS_TEST_TMPDIR"/{theirs,ours}
        (cd "$BATS_TEST_TMPDIR/theirs" && cpio -id --quiet '*noptrace*' < ../image)
        (cd "$BATS_TEST_TMPDIR/ours" && cpio -id --quiet < "$files/$kind.cpio")
        # its program may be another build
        cp -p "$BATS_TEST_TMPDIR/ours/usr/sbin/noptrace" "$BATS_TEST_TMPDIR/theirs/usr/sbin"
        # what only the archive needs, which cannot look into the image
        rm -rf "$BATS_TEST_TMPDIR"/ours/usr/lib/systemd/system/noptrace-{instead.service,locked@*.target.d}
        find "$BATS_TEST_TMPDIR/theirs" -type d -empty -delete
        rm -rf "$BATS_TEST_TMPDIR/theirs/usr/lib/dracut"
        diff -r --no-dereference "$BATS_TEST_TMPDIR"/{theirs,ours}
        for path in theirs ours; do
            (cd "$BATS_TEST_TMPDIR/$path" && find . -printf '%p %m %l\n' | LC_ALL=C sort > "../$path.modes")
        done
        diff "$BATS_TEST_TMPDIR"/{theirs,ours}.modes
    done
}

# behind IMAGE ARCHIVE: as the manual has it; leaves $image.
behind() {
    image=$BATS_TEST_TMPDIR/behind
    cp "$1" "$BATS_TEST_TMPDIR/initramfs.img"
    cp "$2" "$BATS_TEST_TMPDIR/noptrace.cpio"
    # what it makes before, setup_file has made
    example noptrace-image.8 'An image that something else makes' | grep -v '^noptrace-image' > "$BATS_TEST_TMPDIR/commands"
    (cd "$BATS_TEST_TMPDIR" && bash -e ./commands)
    mv "$BATS_TEST_TMPDIR/locks.img" "$image"
}

@test "behind an image of dracut 059 the archive locks, and opens for maintenance" {
    behind "$files/image" "$files/continue.cpio"
    assert_locks "$image" "$bookworm"
}

@test "behind a compressed image of dracut 106 of an odd size, with the padding of the manual, it locks, and opens" {
    behind "$files/image.106.gz" "$files/poweroff.cpio"
    assert_locks "$image" "$trixie"
}

# boot_handmade: what is in $files/handmade, with an /init that ends unless LINE is true, and with the archive.
boot_handmade() {
    local tree=$BATS_TEST_TMPDIR/tree
    sed -i "s,^/usr/sbin/noptrace,$1 \\&\\& &," "$tree/init"
    pack "$tree" "$BATS_TEST_TMPDIR/image"
    cat "$BATS_TEST_TMPDIR/image" "$files/continue.cpio" > "$BATS_TEST_TMPDIR/behind"
    boot_guest answer "$bookworm" "$BATS_TEST_TMPDIR/behind" '' -drive "$(guest_disk "$files/root.disk")"
    assert_answered
    assert_equal "$(found "$answer" scope)" 3
}

# As on Arch, and on Fedora from 42 on.
@test "a /usr/sbin that is a link to another folder stays one, and the program is in that" {
    cp -a "$files/handmade" "$BATS_TEST_TMPDIR/tree"
    ln -s ../bin "$BATS_TEST_TMPDIR/tree/usr/sbin"
    boot_handmade '[ -L /usr/sbin ] \&\& [ -x /usr/sbin/busybox ] \&\& [ -x /bin/noptrace ]'
}

@test "an image without a /usr/sbin gets one" {
    cp -a "$files/handmade" "$BATS_TEST_TMPDIR/tree"
    boot_handmade '[ ! -L /usr/sbin ]'
}

# boot_behind IMAGE ARCHIVE ROOT [WORDS]: leaves $console, $answer and $code.
boot_behind() {
    cat "$1" "$2" > "$BATS_TEST_TMPDIR/behind"
    boot_guest answer "$3" "$BATS_TEST_TMPDIR/behind" "root=LABEL=noptrace ro rd.skipfsck $without_yama ${4-}" \
        -drive "$(guest_disk "$files/root.disk")"
}

@test "a boot that could not lock does what the archive's policy says" {
    local image root
    for image in image image.106; do
        root=$bookworm
        [[ $image != *.106 ]] || root=$trixie
        boot_behind "$files/$image" "$files/poweroff.cpio" "$root"
        assert_stopped 'powered off'
        boot_behind "$files/$image" "$files/reboot.cpio" "$root"
        assert_stopped rebooted
        boot_behind "$files/$image" "$files/emergency.cpio" "$root" 'rd.shell=0 rd.emergency=reboot'
        assert_stopped rebooted
    done
    boot_behind "$files/image" "$files/continue.cpio" "$bookworm"
    assert_answered
    assert_equal "$(found "$answer" log)" "3 $not_locked"
}

@test "an image that lacks what the policy needs, or has it masked, is stopped all the same and does not hang" {
    local tree=$BATS_TEST_TMPDIR/tree units
    mkdir "$tree"
    (cd "$tree" && cpio -id --quiet < "$files/image")
    units=$tree/usr/lib/systemd/system
    rm "$units/emergency.service" "$units/poweroff.target" "$units/systemd-reboot.service"
    pack "$tree" "$BATS_TEST_TMPDIR/bare"
    boot_behind "$BATS_TEST_TMPDIR/bare" "$files/emergency.cpio" "$bookworm"
    assert_stopped 'powered off'
    boot_behind "$BATS_TEST_TMPDIR/bare" "$files/poweroff.cpio" "$bookworm"
    assert_stopped 'powered off'
    boot_behind "$BATS_TEST_TMPDIR/bare" "$files/reboot.cpio" "$bookworm"
    assert_stopped rebooted
    ln -s /dev/null "$units/emergency.service"
    pack "$tree" "$BATS_TEST_TMPDIR/bare"
    boot_behind "$BATS_TEST_TMPDIR/bare" "$files/emergency.cpio" "$bookworm"
    assert_stopped 'powered off'
    # as systemctl does it, and a word on the command line
    mkdir -p "$BATS_TEST_TMPDIR/masks/etc/systemd/system"
    ln -s /dev/null "$BATS_TEST_TMPDIR/masks/etc/systemd/system/emergency.service"
    ln -s /dev/null "$BATS_TEST_TMPDIR/masks/etc/systemd/system/reboot.target"
    pack "$BATS_TEST_TMPDIR/masks" "$BATS_TEST_TMPDIR/masks.cpio"
    cat "$files/image" "$BATS_TEST_TMPDIR/masks.cpio" > "$BATS_TEST_TMPDIR/masked"
    boot_behind "$BATS_TEST_TMPDIR/masked" "$files/emergency.cpio" "$bookworm"
    assert_stopped 'powered off'
    boot_behind "$BATS_TEST_TMPDIR/masked" "$files/reboot.cpio" "$bookworm"
    assert_stopped rebooted
    boot_behind "$files/image" "$files/emergency.cpio" "$bookworm" rd.systemd.mask=emergency.target
    assert_stopped 'powered off'
    boot_behind "$files/image" "$files/poweroff.cpio" "$bookworm" rd.systemd.mask=poweroff.target
    assert_stopped 'powered off'
}

words='root=LABEL=noptrace ro console=ttyS0 panic=-1 rd.skipfsck rd.shell=0 rd.emergency=poweroff'

# Its menu is that of an administrator; that of the package is in grub.bats.
@test "GRUB loads the archive as its second initrd behind a compressed image of an odd size, and it locks, and opens" {
    local tree=$BATS_TEST_TMPDIR/tree
    mkdir -p "$tree/boot/grub"
    cp -r "$bookworm/usr/lib/grub/i386-pc" "$tree/boot/grub"
    cp "$(kernel_of "$trixie")" "$tree/boot/vmlinuz"
    cp "$files/image.106.gz" "$tree/boot/initramfs.img"
    cp "$files/continue.cpio" "$tree/boot/noptrace.cpio"
    {
        printf '%s\n' 'serial --unit=0 --speed=115200' 'terminal_input serial' 'terminal_output serial' 'set timeout=3'
        printf 'menuentry %s {\nlinux /boot/vmlinuz %s %s\n%s\n}\n' \
            normal "$words" '' "$(example noptrace-image.8 'GRUB')" \
            ptrace "$words" maintenance "$(example noptrace-image.8 'GRUB')"
    } > "$tree/boot/grub/grub.cfg"
    truncate -s 100M "$BATS_TEST_TMPDIR/disk"
    mke2fs -q -t ext4 -d "$tree" "$BATS_TEST_TMPDIR/disk"
    mkdir "$BATS_TEST_TMPDIR/core"
    in_root "$bookworm" "$BATS_TEST_TMPDIR/core" grub-mkimage -O i386-pc -p '(hd0)/boot/grub' -o /var/tmp/core.img biosdisk ext2
    cat "$bookworm/usr/lib/grub/i386-pc/lnxboot.img" "$BATS_TEST_TMPDIR/core/core.img" > "$BATS_TEST_TMPDIR/grub"
    set -- -drive "$(guest_disk "$BATS_TEST_TMPDIR/disk")" -kernel "$BATS_TEST_TMPDIR/grub" -drive "$(guest_disk "$files/root.disk")"

    guest_at_keyboard 300 '' "$@"
    assert_boots locked
    guest_at_keyboard 300 '' "$@"
    await 1 'The highlighted entry will be executed automatically'
    press Down Enter
    assert_boots open
}

# power_on_efi FOLDER: an EFI machine whose system partition has what is in it.
power_on_efi() {
    truncate -s 200M "$BATS_TEST_TMPDIR/esp"
    mkfs.vfat -F 32 -n ESP "$BATS_TEST_TMPDIR/esp" > /dev/null
    mcopy -s -i "$BATS_TEST_TMPDIR/esp" "$1"/* ::
    efi_machine
    guest_at_keyboard 300 '' "${efi[@]}" -drive "$(guest_disk "$BATS_TEST_TMPDIR/esp")" -drive "$(guest_disk "$files/root.disk")"
}

@test "systemd-boot loads the archive as an entry's second initrd behind a compressed image of an odd size, and it locks" {
    local boot=$BATS_TEST_TMPDIR/boot
    mkdir -p "$boot"/{EFI/BOOT,loader/entries}
    cp "$trixie/usr/lib/systemd/boot/efi/systemd-bootx64.efi" "$boot/EFI/BOOT/BOOTX64.EFI"
    cp "$(kernel_of "$trixie")" "$boot/vmlinuz"
    cp "$files/image.106.gz" "$boot/initramfs.img"
    cp "$files/continue.cpio" "$boot/noptrace.cpio"
    {
        printf '%s\n' 'title Linux' 'linux /vmlinuz' "options $words"
        example noptrace-image.8 'systemd-boot'
    } > "$boot/loader/entries/linux.conf"
    power_on_efi "$boot"
    assert_boots locked
}

@test "a UKI with the archive as ukify's second initrd locks, also where EFI boots it, and check passes it" {
    local boot=$BATS_TEST_TMPDIR/boot uki=$BATS_TEST_TMPDIR/linux.efi
    cp "$(kernel_of "$trixie")" "$BATS_TEST_TMPDIR/vmlinuz"
    cp "$files/image.106.gz" "$BATS_TEST_TMPDIR/initramfs.img"
    cp "$files/continue.cpio" "$BATS_TEST_TMPDIR/noptrace.cpio"
    {
        echo "words='$words'"
        example noptrace-image.8 'A UKI'
    } > "$BATS_TEST_TMPDIR/commands"
    in_root "$trixie" "$BATS_TEST_TMPDIR" bash -e -c 'cd /var/tmp; . ./commands' > /dev/null
    assert_locks "$uki" "$trixie"
    mkdir -p "$boot/EFI/BOOT"
    cp "$uki" "$boot/EFI/BOOT/BOOTX64.EFI"
    power_on_efi "$boot"
    assert_boots locked
}

@test "make names what is wrong, makes nothing, and exits 2" {
    local file
    mkdir "$BATS_TEST_TMPDIR/out"
    cd "$BATS_TEST_TMPDIR/out"
    assert_refused 2 "make needs an OUT; see 'noptrace-image --help'" make
    assert_refused 2 "two: one OUT at a time" make one two
    assert_refused 2 "--on-failure: has no value; see 'noptrace-image --help'" make one --on-failure
    assert_refused 2 '--on-failure halt: not one of continue, emergency, poweroff, reboot' make --on-failure halt one
    assert_refused 2 '--on-failure: has an empty value; give it one, or leave it out' make --on-failure '' one
    assert_refused 2 "--json: not an option of make; see 'noptrace-image --help'" make --json one
    assert_refused 2 '/nonexistent/one: cannot be written' make /nonexistent/one
    assert_refused 2 '.: not a file' make .
    assert_refused 2 '/dev/null: not a file' make /dev/null
    assert [ -c /dev/null ]
    assert_equal "$(ls)" ''
    # not even what is there, or leads there, by mistake: an image has no second copy
    echo image > image
    ln -s image link
    ln -s nothing dangling
    head -c 116 "$files/continue.cpio" | tr 1 2 > other
    for file in image other; do
        assert_refused 2 "$file: has something else in it, and would be lost; name another file, or remove it" make "$file"
    done
    for file in link dangling; do
        assert_refused 2 "$file: is a link; name the file that it leads to" make "$file"
    done
    assert_equal "$(cat image)" image
    assert_equal "$(LC_ALL=C ls)" $'dangling\nimage\nlink\nother'
    rm -- *
    # and an empty one, or an earlier one, is not lost
    touch -- --odd
    make_archive -- --odd
    assert_success
    make_archive --on-failure poweroff -- --odd
    assert_success
    make_archive -- --odd
    assert_success
    cmp ./--odd "$files/continue.cpio"
}

# make_with SETTING: make, of an installation with this setting; leaves $status and $stderr.
make_with() {
    sed -e "s,^lib=.*,lib=$top/build," -e "s,^${1%%=*}=.*,$1," "$top/build/noptrace-image" > "$BATS_TEST_TMPDIR/tool"
    chmod +x "$BATS_TEST_TMPDIR/tool"
    run --separate-stderr "$BATS_TEST_TMPDIR/tool" make "$BATS_TEST_TMPDIR/out/one"
}

@test "a program that could not lock there is refused, 1, and so is a module that is not whole" {
    mkdir "$BATS_TEST_TMPDIR/out"
    make_with program=/nonexistent
    assert_failure 1
    assert_equal "$stderr" 'noptrace-image: /nonexistent: no such program; install noptrace'
    make_with "program=$(command -v bash)"
    assert_failure 1
    assert_regex "$stderr" '^noptrace-image: .*/bash: needs a loader'
    make_with module=/nonexistent
    assert_failure 1
    assert_equal "$stderr" "noptrace-image: $BATS_TEST_TMPDIR/out/one: cannot be made: stat: cannot statx '/nonexistent/noptrace-initramfs.service': No such file or directory"
    assert_equal "$(ls "$BATS_TEST_TMPDIR/out")" ''
}

@test "the program of another architecture goes into its archive where it is named, and must be able to lock" {
    local out=$BATS_TEST_TMPDIR/out
    cp "$program" "$BATS_TEST_TMPDIR/aarch64"
    # e_machine
    printf '\267' | dd of="$BATS_TEST_TMPDIR/aarch64" bs=1 seek=18 conv=notrunc status=none
    make_archive --program "$BATS_TEST_TMPDIR/aarch64" "$out"
    assert_success
    cpio --quiet -i --to-stdout usr/sbin/noptrace < "$out" | cmp - "$BATS_TEST_TMPDIR/aarch64"
    rm "$out"
    # an installed one of another architecture is a mistake
    make_with "program=$BATS_TEST_TMPDIR/aarch64"
    assert_failure 1
    assert_regex "$stderr" ': for aarch64, and '
    assert_refused 1 "$(command -v env): needs a loader, which an initramfs may lack; build it static, with 'make'" make --program "$(command -v env)" "$out"
    assert_refused 2 '/nonexistent: cannot be read as a file' make --program /nonexistent "$out"
    assert_refused 2 'make needs a name for OUT, and has an empty one' make ''
    cp "$program" "$BATS_TEST_TMPDIR/program"
    assert_refused 2 "$BATS_TEST_TMPDIR/program: is in use here already, and would be lost; name another file" \
        make --program "$BATS_TEST_TMPDIR/program" "$BATS_TEST_TMPDIR/program"
    cmp "$program" "$BATS_TEST_TMPDIR/program"
    assert_refused 2 "--program: has no value; see 'noptrace-image --help'" make "$out" --program
    assert [ ! -e "$out" ]
}

@test "on a full disk make leaves no file, and the one that was there as it was" {
    mkdir "$BATS_TEST_TMPDIR/full"
    # shellcheck disable=SC2016 # the inner shell's
    run unshare --mount sh -c 'mount -t tmpfs -o size=8k tmpfs "$1" && cd "$1" && head -c 116 "$3" > old || exit
        "$2" make new; echo "code $?"; "$2" make old; echo "code $?"; ls; wc -c < old' - "$BATS_TEST_TMPDIR/full" "$top/build/noptrace-image" "$files/continue.cpio"
    assert_output --regexp - << 'END'
^noptrace-image: new: cannot be made: [a-z]+: write error: No space left on device
code 1
noptrace-image: old: cannot be made: [a-z]+: write error: No space left on device
code 1
old
116$
END
}

@test "an interrupt leaves the file that was there as it was, and nothing else" {
    mkdir "$BATS_TEST_TMPDIR"/{out,bin}
    head -c 200 "$files/continue.cpio" > "$BATS_TEST_TMPDIR/out/one"
    # the archive's writer waits in the middle of it
    printf '#!/bin/sh\ntouch %s/waits\nuntil [ -e %s/killed ]; do :; done\n' "$BATS_TEST_TMPDIR"{,} > "$BATS_TEST_TMPDIR/bin/cat"
    chmod +x "$BATS_TEST_TMPDIR/bin/cat"
    PATH=$BATS_TEST_TMPDIR/bin:$PATH "$top/build/noptrace-image" make "$BATS_TEST_TMPDIR/out/one" 3>&- &
    # shellcheck disable=SC2016 # the inner shell's
    timeout 20 sh -c 'until [ -e "$1" ]; do :; done' - "$BATS_TEST_TMPDIR/waits"
    kill $!
    touch "$BATS_TEST_TMPDIR/killed"
    run wait $!
    # what it had started comes to its end, too
    # shellcheck disable=SC2016 # the inner shell's
    timeout 20 sh -c 'while pgrep -f "noptrace-image make $1" > /dev/null; do :; done' - "$BATS_TEST_TMPDIR/out/one"
    assert_equal "$(ls "$BATS_TEST_TMPDIR/out")" one
    cmp "$BATS_TEST_TMPDIR/out/one" <(head -c 200 "$files/continue.cpio")
}
