#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Debian's packages: what they hold, and what installing, upgrading and removing them does to a machine of Debian 12
# and 13 with two kernels, the real generators and GRUB's own update-grub.

# Each test is a subshell, and sets what it uses.
# shellcheck disable=SC2030,SC2031

# shellcheck source=tests/common.bash
source "$BATS_TEST_DIRNAME/common.bash"
# shellcheck source=tests/machine.bash
source "$BATS_TEST_DIRNAME/machine.bash"

version=$(sed -n 's/^VERSION = //p' "$BATS_TEST_DIRNAME/../Makefile")

setup_file() {
    make -s -C "$top" build/noptrace-list
    export packages=$BATS_FILE_TMPDIR/packages
    local suite package
    mkdir -p "$packages"/{new,previous}
    make -s -C "$top" deb > "$BATS_FILE_TMPDIR/log" 2>&1 || {
        cat "$BATS_FILE_TMPDIR/log" >&2
        return 1
    }
    for package in noptrace noptrace-dracut noptrace-initramfs; do
        cp "$top/build/deb/${package}_"*.deb "$packages/new/$package.deb"
        make_previous "$package"
    done
    for suite in bookworm trixie; do make_machine "$suite"; done
}

# make_previous PACKAGE: as it was in version 0.0.1, whose program says so.
make_previous() {
    local tree=$BATS_FILE_TMPDIR/$1
    dpkg-deb -R "$packages/new/$1.deb" "$tree"
    sed -i "/^Version:\|^Depends:/s/$version/0.0.1/g" "$tree/DEBIAN/control"
    [[ ! -e $tree/usr/sbin/noptrace ]] || LC_ALL=C sed -i "s/$version/0.0.1/" "$tree/usr/sbin/noptrace"
    dpkg-deb -b -Znone "$tree" "$packages/previous/$1.deb" > /dev/null
    rm -r "$tree"
}

# packages VERB VERSION PACKAGE…: dpkg's verb; leaves $status and $output.
packages() {
    local package
    local -a files=()
    for package in "${@:3}"; do files+=("/mnt/$2/$package.deb"); done
    run on "$debian" dpkg "$1" "${files[@]}"
}

# assert_life SUITE GENERATOR PACKAGE: that of a machine that opts in.
assert_life() {
    local before
    use "$1" "$2"
    before=$(everything)

    packages -i previous noptrace
    assert_built 0
    assert_open
    packages -i previous "$3"
    assert_built 2
    assert_locked
    run "$tree/usr/sbin/noptrace" --version
    assert_output 'noptrace 0.0.1'

    packages -i new noptrace "$3"
    assert_built 2
    assert_locked
    run "$tree/usr/sbin/noptrace" --version
    assert_output "noptrace $version"
    # the program alone, as a rebuild without a new version
    packages -i new noptrace
    assert_built 2

    run on "$debian" dpkg -r "$3"
    assert_built 2
    assert_open

    run on "$debian" dpkg -P "$3" noptrace
    assert_built 0
    assert_equal "$(everything)" "$before"
    run grep -c noptrace "$tree/$menu"
    assert_output 0
}

@test "dracut of Debian 12: its package locks every kernel's image, upgrades and removal rebuild them, nothing is left" {
    assert_life bookworm dracut noptrace-dracut
}

@test "dracut of Debian 13: its package locks every kernel's image, upgrades and removal rebuild them, nothing is left" {
    assert_life trixie dracut noptrace-dracut
}

@test "initramfs-tools of Debian 12: its package locks every kernel's image, upgrades and removal rebuild them, nothing is left" {
    assert_life bookworm initramfs-tools noptrace-initramfs
}

@test "initramfs-tools of Debian 13: its package locks every kernel's image, upgrades and removal rebuild them, nothing is left" {
    assert_life trixie initramfs-tools noptrace-initramfs
}

@test "installing noptrace-image, and what it depends on, changes no image, no menu and no unit" {
    use bookworm initramfs-tools
    cp "$top"/build/deb/noptrace-image_*.deb "$BATS_TEST_TMPDIR/noptrace-image.deb"
    packages=$BATS_TEST_TMPDIR run on "$debian" dpkg -i /mnt/noptrace-image.deb
    assert_failure
    packages -i new noptrace
    assert_built 0
    packages=$BATS_TEST_TMPDIR run on "$debian" dpkg -i /mnt/noptrace-image.deb
    assert_built 0
    assert_open
    run on "$debian" systemctl is-enabled noptrace
    assert_output disabled
    # as the next kernel's would be
    run on "$debian" update-initramfs -u -k all
    assert_built 2
    assert_open
    assert_tool_is_whole
}

# assert_half_configured PACKAGE
assert_half_configured() {
    # shellcheck disable=SC2016 # dpkg-query's
    run on "$debian" dpkg-query -W -f '${db:Status-Status}' "$1"
    assert_output half-configured
}

@test "a package that cannot have every image built says why and is not configured, until that is mended" {
    use bookworm dracut
    leave_yama_out "$older"
    packages -i new noptrace noptrace-dracut
    assert_failure
    assert_line --partial "/boot/config-$older: no CONFIG_SECURITY_YAMA, so it cannot lock; use another kernel"
    assert_half_configured noptrace-dracut
    # the kernel boots as it did
    assert [ ! -e "$tree/boot/initrd.img-$older" ]

    rm "$tree/boot/config-$older"
    run on "$debian" dpkg --configure -a
    assert_built 2
    assert_locked
}

@test "where /boot has no room for the new images the old ones stay, and are named" {
    local kernel
    use bookworm dracut
    where_full boot chroot "$debian/root" dpkg -i /mnt/new/noptrace.deb /mnt/new/noptrace-dracut.deb
    assert_failure
    assert_line --partial 'No space left on device'
    for kernel in "${kernels[@]}"; do
        assert_line "noptrace-dracut: /boot/initrd.img-$kernel: could not be built, and is the old one, put back; it may lack the lock"
    done
    assert_half_configured noptrace-dracut
    diff -r "$BATS_TEST_TMPDIR"/boot{,-after}
    assert [ ! -e "$tree/var/lib/noptrace" ]

    run on "$debian" dpkg --configure -a
    assert_built 2
    assert_locked
    # and where the package is removed
    echo 'install_items+=" /usr/bin/perl "' > "$tree/etc/dracut.conf.d/larger.conf"
    where_full boot chroot "$debian/root" dpkg -r noptrace-dracut
    assert_success
    assert_line "noptrace-dracut: /boot/initrd.img-$older: could not be built, and is the old one, put back; it may still lock"
    cmp "$BATS_TEST_TMPDIR"/boot{,-after}/"initrd.img-$older"
}

# dracut_of_test COMMAND…: lines of a script in the place of dracut, whose $3 is the image.
dracut_of_test() {
    mkdir -p "$tree/usr/sbin"
    printf '%s\n' '#!/bin/sh' "$@" > "$tree/usr/sbin/dracut"
    chmod 755 "$tree/usr/sbin/dracut"
}

# assert_esp_is_full PACKAGE: the images there are whole, and what they were, and those in /boot are as good.
assert_esp_is_full() {
    local kernel
    where_full efi chroot "$debian/root" dpkg -i /mnt/new/noptrace.deb "/mnt/new/$1.deb"
    assert_failure
    assert_line --partial 'No space left on device'
    for kernel in "${kernels[@]}"; do
        assert_line "$1: /efi/debian/$kernel/initrd.img-$kernel: could not be built, and is the old one, put back; it may lack the lock"
        cmp "$BATS_TEST_TMPDIR"/efi{,-after}/"debian/$kernel/initrd.img-$kernel"
    done
    assert_half_configured "$1"
    assert [ ! -e "$tree/var/lib/noptrace" ]
}

@test "where a boot loader's partition has no room for its copies of the images the old ones stay, and are named" {
    local kernel
    use bookworm dracut
    assert_esp_is_full noptrace-dracut
    # what dracut has built for /boot is whole
    for kernel in "${kernels[@]}"; do
        check_image "$tree/boot/initrd.img-$kernel" --program "$tree/usr/sbin/noptrace"
        assert_success
    done
    use trixie initramfs-tools
    assert_esp_is_full noptrace-initramfs
}

# The single quotes have the scripts' own.
# shellcheck disable=SC2016
@test "images in a /boot that is a link to a folder are kept, built and looked into as well" {
    local kernel
    use bookworm dracut
    mount_and "$debian" sh -e -c 'cd "$1"; cp -a boot other; rm -r boot efi etc/initramfs/post-update.d; ln -s other boot' - "$debian/root"
    cp -a "$tree/other" "$BATS_TEST_TMPDIR/boot"
    dracut_of_test 'echo cut > "$3"' 'exit 1'
    packages -i new noptrace noptrace-dracut
    assert_failure
    for kernel in "${kernels[@]}"; do cmp {"$BATS_TEST_TMPDIR/boot","$tree/other"}/"initrd.img-$kernel"; done
    dracut_of_test 'echo built > "$3"'
    run on "$debian" dpkg --configure -a
    assert_failure
    for kernel in "${kernels[@]}"; do
        assert_line --partial "noptrace-dracut: /boot/initrd.img-$kernel: lsinitrd finds no usr/sbin/noptrace in it, so it does not lock"
    done
}

@test "where no copies of the images can be kept none is built" {
    use trixie initramfs-tools
    # shellcheck disable=SC2016 # the inner shell's
    where_full boot sh -c 'mkdir "$1/var/lib/noptrace" && mount -t tmpfs -o size=64k tmpfs "$1/var/lib/noptrace" && chroot "$1" dpkg -i /mnt/new/noptrace.deb /mnt/new/noptrace-initramfs.deb' - "$debian/root"
    assert_failure
    assert_line --partial 'No space left on device'
    assert_line 'noptrace-initramfs: no copies of the images can be kept, see above, so none is built again: make room there'
    refute_output --partial Generating
    assert_half_configured noptrace-initramfs
    diff -r "$BATS_TEST_TMPDIR"/boot{,-after}
    run on "$debian" dpkg -r noptrace-initramfs
    assert_built 2
    assert_open
}

@test "a package whose images were built without the program names them, and is not configured" {
    local kernel
    use bookworm dracut
    echo 'omit_dracutmodules+=" noptrace "' > "$tree/etc/dracut.conf.d/omit.conf"
    packages -i new noptrace noptrace-dracut
    assert_failure
    for kernel in "${kernels[@]}"; do
        assert_line "noptrace-dracut: /boot/initrd.img-$kernel: lsinitrd finds no usr/sbin/noptrace in it, so it does not lock: look in /etc/dracut.conf and /etc/dracut.conf.d for what leaves the module noptrace out, mend that, and install this package again"
    done
    assert_half_configured noptrace-dracut

    use trixie initramfs-tools
    packages -i new noptrace
    on "$debian" chmod 644 /usr/share/initramfs-tools/hooks/noptrace
    packages -i new noptrace-initramfs
    assert_failure
    for kernel in "${kernels[@]}"; do
        assert_line "noptrace-initramfs: /boot/initrd.img-$kernel: lsinitramfs finds no usr/sbin/noptrace in it, so it does not lock: look whether /usr/share/initramfs-tools/hooks/noptrace can be executed, mend that, and install this package again"
    done
    assert_half_configured noptrace-initramfs
    on "$debian" chmod 755 /usr/share/initramfs-tools/hooks/noptrace
    run on "$debian" dpkg --configure -a
    assert_built 2
    assert_locked
}

@test "a package whose images have the program, and nothing that calls it, names them" {
    local module
    use bookworm dracut
    module=$tree/usr/lib/dracut/modules.d/99zap/module-setup.sh
    mkdir -p "${module%/*}"
    # shellcheck disable=SC2016 # the script's
    printf '%s\n' '#!/bin/bash' 'check() { return 0; }' 'install() { rm -f "$initdir"/usr/lib/systemd/system/noptrace-initramfs.service; }' > "$module"
    chmod 755 "$module"
    packages -i new noptrace noptrace-dracut
    assert_failure
    assert_line --partial "noptrace-dracut: /boot/initrd.img-$older: lsinitrd finds nothing that calls usr/sbin/noptrace in it, so it does not lock: "
    # nor does a unit that nothing wants
    sed -i 's,system/noptrace,system/sysinit.target.wants/noptrace,' "$module"
    run on "$debian" dpkg --configure -a
    assert_failure
    assert_line --partial "noptrace-dracut: /boot/initrd.img-$older: lsinitrd finds nothing that calls usr/sbin/noptrace in it, so it does not lock: "

    use trixie initramfs-tools
    # shellcheck disable=SC2016 # the script's
    printf '#!/bin/sh\n[ "$1" = prereqs ] || rm -f "$DESTDIR/scripts/init-top/00-noptrace"\n' > "$tree/etc/initramfs-tools/hooks/zap"
    chmod 755 "$tree/etc/initramfs-tools/hooks/zap"
    packages -i new noptrace noptrace-initramfs
    assert_failure
    assert_line --partial "noptrace-initramfs: /boot/initrd.img-$older: lsinitramfs finds nothing that calls usr/sbin/noptrace in it, so it does not lock: "
}

@test "a package that cannot have every image built locks the others, and can be removed again" {
    local image
    use trixie initramfs-tools
    leave_yama_out "${kernels[0]}"
    packages -i new noptrace noptrace-initramfs
    assert_failure
    assert_line "noptrace: /boot/config-${kernels[0]}: no CONFIG_SECURITY_YAMA, so it cannot lock; use another kernel"
    assert_half_configured noptrace-initramfs
    check_image "$tree/boot/initrd.img-$older" --program "$tree/usr/sbin/noptrace"
    assert_success
    run on "$debian" dpkg -r noptrace-initramfs
    assert_built 2
    assert_open

    # on an ESP, too
    use bookworm dracut
    leave_yama_out "${kernels[0]}"
    packages -i new noptrace noptrace-dracut
    assert_failure
    for image in boot "efi/debian/$older"; do
        check_image "$tree/$image/initrd.img-$older" --program "$tree/usr/sbin/noptrace"
        assert_success
    done
}

@test "removal does not fail with an image that cannot be built, and names it" {
    use trixie initramfs-tools
    packages -i new noptrace noptrace-initramfs
    assert_built 2
    # shellcheck disable=SC2016 # the script's
    printf '#!/bin/sh\n[ "$1" = prereqs ] || { echo broken; exit 1; }\n' > "$tree/etc/initramfs-tools/hooks/broken"
    chmod 755 "$tree/etc/initramfs-tools/hooks/broken"
    run on "$debian" dpkg -r noptrace-initramfs
    assert_success
    assert_line broken
    assert_line 'noptrace-initramfs: an image could not be built, see above; it may still lock'
    assert_line "$(left_line noptrace-initramfs "/boot/initrd.img-$older" 'may still lock')"
}

@test "where /boot is read-only no image is built, and the package is not configured until it is not" {
    local suite kernel image
    # as it is without another root to be in
    local -a read_only=(sh -c 'mount --bind /boot /boot && mount -o remount,ro,bind /boot && "$@"' -)
    for suite in bookworm trixie; do
        use "$suite" initramfs-tools
        run on "$debian" "${read_only[@]}" dpkg -i /mnt/new/noptrace.deb /mnt/new/noptrace-initramfs.deb
        assert_failure
        for kernel in "${kernels[@]}"; do
            image=/boot/initrd.img-$kernel
            assert_line "noptrace-initramfs: $image: update-initramfs left it as it was: mount /boot read-write, and run dpkg --configure -a"
        done
        assert_half_configured noptrace-initramfs
    done
    run on "$debian" dpkg --configure -a
    assert_built 2
    assert_locked
    run on "$debian" "${read_only[@]}" dpkg -r noptrace-initramfs
    assert_built 0
    assert_line "noptrace-initramfs: $image: update-initramfs left it as it was: mount /boot read-write, and run update-initramfs -u -k all"
    assert_line 'noptrace-initramfs: an image could not be built, see above; it may still lock'
}

# assert_open_as_before: each image is the one in $BATS_TEST_TMPDIR/boot, and no copy is left.
assert_open_as_before() {
    local kernel
    for kernel in "${kernels[@]}"; do cmp "$BATS_TEST_TMPDIR/boot/initrd.img-$kernel" "$(latest "boot/initrd.img-$kernel")"; done
    run find "$tree" -name '.noptrace' -o -path "$tree/tmp/tmp.*" -o -path "$tree/var/lib/noptrace" -o -path "$tree/var/tmp/noptrace.*"
    assert_output ''
}

# The single quotes have the script's own.
# shellcheck disable=SC2016
@test "an image that a killed dracut has cut short is the old one again, also after a signal or a power cut" {
    local signal old kernel
    use bookworm dracut
    old="/boot/initrd.img-$older: could not be built, and is the old one, put back; it may lack the lock"
    cp -a "$(dirname "$(latest "boot/initrd.img-$older")")" "$BATS_TEST_TMPDIR/boot"
    # and where the caller's TMPDIR is not, which dracut would take
    dracut_of_test '[ ! "$TMPDIR" ] || exit 0' 'echo cut > "$3"' 'exit 1'
    run on "$debian" env TMPDIR=/nowhere dpkg -i /mnt/new/noptrace{,-dracut}.deb
    assert_failure
    assert_line "noptrace-dracut: $old"
    assert_open_as_before

    for signal in HUP INT TERM; do
        dracut_of_test 'echo cut > "$3"' "kill -$signal \$PPID"
        # whatever runs the tests ignores some
        run on "$debian" env --default-signal dpkg --configure -a
        assert_failure
        assert_line "noptrace-dracut: $old"
        assert_line --regexp 'script subprocess was (killed by signal|interrupted)'
        assert_open_as_before
    done

    # where that folder is read-only, as it is to the scriptlets of rpm-ostree
    dracut_of_test 'echo cut > "$3"' 'exit 1'
    cp "$top/packaging/opt-in.sh" "$tree"
    run on "$debian" sh -c 'mount --bind /var/lib /var/lib && mount -o remount,ro,bind /var/lib
        DPKG_MAINTSCRIPT_NAME=postinst DPKG_MAINTSCRIPT_PACKAGE=noptrace-dracut sh /opt-in.sh configure'
    assert_failure
    assert_line "noptrace-dracut: $old"
    assert_open_as_before

    # what was built stays where somebody's hook fails behind it
    dracut_of_test 'echo built > "$3"'
    mkdir -p "$tree/etc/initramfs/post-update.d"
    printf '#!/bin/sh\nexit 1\n' > "$tree/etc/initramfs/post-update.d/zz"
    chmod 755 "$tree/etc/initramfs/post-update.d/zz"
    run on "$debian" dpkg --configure -a
    assert_half_configured noptrace-dracut
    for kernel in "${kernels[@]}"; do
        cmp <(echo built) "$tree/boot/initrd.img-$kernel"
        cp -a "$BATS_TEST_TMPDIR/boot/initrd.img-$kernel" "$tree/boot"
    done
    rm "$tree/etc/initramfs/post-update.d/zz"

    dracut_of_test 'rm "$3"' 'kill -KILL $PPID'
    run on "$debian" dpkg --configure -a
    assert_failure
    assert_equal "$(stat -c %a "$tree/var/lib/noptrace")" 700
    # of which nobody can clean up
    rm "$tree"/tmp/tmp.*
    # and in the middle of the next copies
    mkdir "$tree/var/lib/noptrace/images.new"
    # what somebody has built meanwhile is there
    on "$debian" sh -c "echo newer > /boot/initrd.img-${kernels[0]}"
    dracut_of_test 'exit 1'
    run on "$debian" dpkg -r noptrace-dracut
    assert_success
    assert_line "noptrace-dracut: $old"
    cmp <(echo newer) "$(latest "boot/initrd.img-${kernels[0]}")"
    cp "$BATS_TEST_TMPDIR/boot/initrd.img-${kernels[0]}" "$tree/boot"
    assert_open_as_before

    # and where it could not be put back at first
    dracut_of_test 'echo cut > "$3"' 'mount --bind /boot /boot' 'mount -o remount,ro,bind /boot' 'exit 1'
    packages -i new noptrace-dracut
    assert_failure
    assert_line --partial "noptrace-dracut: /boot/initrd.img-$older: is gone, and the old one, /var/lib/noptrace/images/boot/initrd.img-$older, cannot be put back: do not reboot this machine before it is"
    dracut_of_test 'exit 1'
    run on "$debian" dpkg -r noptrace-dracut
    assert_line --partial "noptrace-dracut: /boot/initrd.img-$older: could not be built, and is the old one, put back; it "
    assert_open_as_before

    # of an image that is there, and cut short, too
    dracut_of_test 'echo cut > "$3"' 'kill -KILL $PPID'
    packages -i new noptrace-dracut
    assert_failure
    cmp <(echo cut) "$tree/boot/initrd.img-$older"
    rm "$tree"/tmp/tmp.*
    dracut_of_test 'exit 1'
    packages -i new noptrace-dracut
    assert_line "noptrace-dracut: $old"
    assert_open_as_before
}

# keep_copy IMAGE: one that reads old, as a script that was killed leaves it.
keep_copy() {
    mkdir -p "$tree/var/lib/noptrace/images/${1%/*}"
    echo old > "$tree/var/lib/noptrace/images/$1"
}

# begin PACKAGE: what each of its scripts begins with; there is no more to this one. No copy is left.
begin() {
    cp "$top/packaging/opt-in.sh" "$tree"
    run on "$debian" env DPKG_MAINTSCRIPT_NAME=prerm DPKG_MAINTSCRIPT_PACKAGE="$1" sh /opt-in.sh upgrade
    assert_success
    assert [ ! -e "$tree/var/lib/noptrace" ]
}

@test "a UKI that a generator's hook gives the word, as kernel-install does in a maintenance boot, fails the package" {
    local suite generator package efi
    while read -r suite generator package; do
        use "$suite" "$generator"
        efi=/efi/EFI/Linux/debian-$older.efi
        mkdir -p "$tree/efi/EFI/Linux" "$tree/etc/initramfs/post-update.d"
        printf '#!/bin/sh\ncp /srv/uki.efi %s\ncp /srv/second.efi %s\n' "$efi" /efi/EFI/Linux/linux-maintenance.efi \
            > "$tree/etc/initramfs/post-update.d/uki"
        chmod 755 "$tree/etc/initramfs/post-update.d/uki"
        mkdir -p "$tree/srv"
        small_uki "$tree/srv/uki.efi" '[ ".cmdline", "root=x maintenance" ]'
        cp "$tree/srv/uki.efi" "$tree/srv/second.efi"
        packages -i new noptrace "$package"
        assert_failure
        assert_equal "$(grep "^$package: .*has the word" <<< "$output")" "$package: $efi has the word maintenance: it would be open at every boot:\
 put the command line without it into /etc/kernel/cmdline, and install this package again"
        assert_half_configured "$package"

        small_uki "$tree/srv/uki.efi" '[ ".cmdline", "root=x rd.maintenance" ]'
        run on "$debian" dpkg --configure -a
        assert_success
        refute_output --regexp "$package: .*has the word"
    done << END
bookworm initramfs-tools noptrace-initramfs
trixie dracut noptrace-dracut
END
}

@test "an image that was being written when a script was killed is the old one again, unless it is whole" {
    local suite generator package size image=boot/initrd.img-$older
    for generator in dracut initramfs-tools; do
        package=noptrace-${generator%-tools}
        for suite in bookworm trixie; do
            use "$suite" "$generator"
            cp "$(latest "$image")" "$BATS_TEST_TMPDIR/image"
            keep_copy "$image"
            echo "$older" > "$tree/var/lib/noptrace/images.building"
            begin "$package"
            assert_output ''
            cmp "$BATS_TEST_TMPDIR/image" "$(latest "$image")"
            for size in 100 1M -4K; do
                head -c "$size" "$BATS_TEST_TMPDIR/image" > "$tree/$image"
                keep_copy "$image"
                echo "$older" > "$tree/var/lib/noptrace/images.building"
                begin "$package"
                assert_output "$package: /$image: could not be built, and is the old one, put back; it may lack the lock"
                cmp <(echo old) "$tree/$image"
            done
        done
    done
}

@test "a UKI that was being written stays where it is whole, or its boots are counted since, for which it has another name" {
    local package was is unfinished kept=$BATS_TEST_TMPDIR/whole.efi folder linux=efi/EFI/Linux
    small_uki "$kept" '[ ".other", "x" x 9_999 ]'
    for package in noptrace-dracut noptrace-initramfs; do
        use bookworm "$([[ $package == *dracut ]] && echo dracut || echo initramfs-tools)"
        folder=$tree/$linux
        mkdir -p "$folder"
        install -D "$top/build/noptrace-uki" "$tree/usr/libexec/noptrace/noptrace-uki"
        # that of another version is none of its names
        cp "$kept" "$folder/debian-$older+b1.efi"
        for was in "debian-$older.efi" "debian-$older+3.efi"; do
            for is in "debian-$older.efi" "debian-$older"{+3,+2-1}.efi; do
                cp "$kept" "$folder/$is"
                keep_copy "$linux/$was"
                echo "$older" > "$tree/var/lib/noptrace/images.building"
                begin "$package"
                assert_output ''
                assert_equal "$(cd "$folder" && ls --ignore='*+b1.efi')" "$is"
                cmp "$kept" "$folder/$is"
                # of another version than that which was being written, as of this one where it is cut short
                for unfinished in 9.9.9 "$older"; do
                    head -c 5000 "$kept" > "$folder/$is"
                    keep_copy "$linux/$was"
                    echo "$unfinished" > "$tree/var/lib/noptrace/images.building"
                    begin "$package"
                    if [[ $unfinished == 9.9.9 ]]; then
                        assert_output ''
                        assert [ -s "$folder/$is" ]
                    else
                        assert_output "$package: /$linux/$was: could not be built, and is the old one, put back; it may lack the lock"
                        cmp <(echo old) "$folder/$was"
                    fi
                    rm "$folder/debian-$older"{,+3,+2-1}.efi 2> /dev/null || true
                done
            done
        done
    done
}

@test "no image is put back of a kernel that was removed after a script was killed" {
    local image
    # one without modules, a rescue image, and one that has a folder of its own
    local -a there=(boot/initramfs-0-rescue-1234.img "boot/initrd.img-$older" boot/initrd.img-7.1.0 boot/initrd.img-9.1.0-1 lib/modules/8.0/initramfs.img)
    use bookworm dracut
    mkdir -p "$tree/usr/lib/modules"/{5.1.0-removed,8.0/kernel}
    # a kernel of another name, and one whose name begins as another's
    touch "$tree/boot/Image-9.1.0-1" "$tree/boot/vmlinuz-4.9.0-1"
    touch "$tree/usr/lib/modules/5.1.0-removed/modules.dep" "$tree/boot/vmlinuz-7.1.0"
    mount_and "$debian" rm "$debian/root/boot/initrd.img-$older"
    for image in boot/initrd.img-{4.9.0,4.9.0-10,5.1.0-removed} {efi/debian/4.9.0,boot/0123456789abcdef/4.9.0}/initrd efi/EFI/Linux/debian-4.9.0.efi \
        lib/modules/4.9.0/initramfs.img "${there[@]}"; do
        keep_copy "$image"
    done
    begin noptrace-dracut
    assert_equal "$(LC_ALL=C sort <<< "$output")" \
        "$(printf 'noptrace-dracut: /%s: could not be built, and is the old one, put back; it may lack the lock\n' "${there[@]}")"
    for image in "${there[@]}"; do cmp <(echo old) "$tree/${image/#lib/usr\/lib}"; done
    run find "$tree" -type f ! -name modules.dep ! -name 'vmlinuz*' \( -path '*4.9.0*' -o -path '*removed*' \)
    assert_output ''
}

# write_menu_there: what each of the package's scripts does with GRUB's menu, and nothing but that; in a /boot that is full, but
# for a file that is taken away.
# shellcheck disable=SC2120 # an argument is what is done before
write_menu_there() {
    cp "$top/packaging/opt-in.sh" "$tree"
    head -c 200K /dev/zero > "$tree/boot/room"
    where_full boot chroot "$debian/root" sh -c "rm /boot/room; ${1-:}; DPKG_MAINTSCRIPT_NAME=postrm sh /opt-in.sh purge"
}

# update_grub_of_test COMMAND…: lines of a script in its place.
update_grub_of_test() {
    mkdir -p "$tree/usr/sbin"
    printf '%s\n' '#!/bin/sh' "$@" > "$tree/usr/sbin/update-grub"
    chmod 755 "$tree/usr/sbin/update-grub"
}

# The single quotes have the script's own.
# shellcheck disable=SC2016
@test "where /boot has no room for GRUB's menu the old one stays" {
    local old=$BATS_TEST_TMPDIR/boot/grub/grub.cfg new=$BATS_TEST_TMPDIR/boot-after/grub/grub.cfg
    use bookworm dracut
    # there is room for the file that the menu is made in, and no more
    mkdir -p "$tree/etc/grub.d"
    printf '%s\n' '#!/bin/sh' 'seq -f "# %g" 2000' 'cat /dev/zero > /boot/full 2> /dev/null' \
        'truncate -s -4096 /boot/full' > "$tree/etc/grub.d/zz_full"
    chmod 755 "$tree/etc/grub.d/zz_full"
    write_menu_there
    assert_success
    assert_line --partial 'No space left on device'
    assert_line 'noptrace-dracut: /boot/grub/grub.cfg: could not be written, and is the old one, put back'
    assert_line "noptrace-dracut: update-grub failed: GRUB's menu stays as it was"
    cmp "$old" "$new"
    assert [ ! -e "$new.new" ]
    assert [ ! -e "$tree/var/lib/noptrace" ]

    # and where there is none for a copy of it
    write_menu_there 'mkdir /var/lib/noptrace; mount -t tmpfs -o size=4k tmpfs /var/lib/noptrace'
    assert_success
    assert_line "noptrace-dracut: no copy of GRUB's menu can be kept, see above, so it stays as it was: make room there, and run update-grub"
    refute_output --partial 'update-grub failed'
    cmp "$old" "$new"

    # a menu of which nothing was written is not put back
    rmdir "$tree/var/lib/noptrace"
    update_grub_of_test 'echo cut > /boot/grub/grub.cfg.new' 'exit 1'
    write_menu_there
    assert_equal "$output" "noptrace-dracut: update-grub failed: GRUB's menu stays as it was"
    cmp "$old" "$new"
    # nor is what came of it taken away: grub-mkconfig tells whoever reads why to look there
    assert_equal "$(< "$new.new")" cut
}

# kill_script: which is not the first process of the machine, as that would live.
kill_script() {
    # whatever runs the tests ignores some signals
    run on "$debian" env --default-signal sh -c 'DPKG_MAINTSCRIPT_NAME=postrm sh /opt-in.sh purge || exit'
    assert_failure
}

# The single quotes have the script's own.
# shellcheck disable=SC2016
@test "GRUB's menu that was being written when a script was killed is the old one again, unless it is whole" {
    local signal cut='cd /boot/grub && echo new > grub.cfg.new && echo cut > grub.cfg && cd /'
    use bookworm dracut
    cp "$top/packaging/opt-in.sh" "$tree"
    cp "$(latest "$menu")" "$BATS_TEST_TMPDIR/menu"
    for signal in HUP KILL; do
        update_grub_of_test "$cut" "kill -$signal \$PPID"
        kill_script
        [[ $signal == KILL ]] || cmp "$BATS_TEST_TMPDIR/menu" "$tree/$menu"
    done
    cmp <(echo cut) "$tree/$menu"
    begin noptrace-dracut
    assert_output 'noptrace-dracut: /boot/grub/grub.cfg: could not be written, and is the old one, put back'
    cmp "$BATS_TEST_TMPDIR/menu" "$tree/$menu"
    # one that somebody has written since
    kill_script
    echo newer > "$tree/$menu"
    rm "$tree/$menu.new"
    begin noptrace-dracut
    assert_output ''
    cmp <(echo newer) "$tree/$menu"

    # where it cannot be put back, the package is not configured
    cp "$BATS_TEST_TMPDIR/menu" "$tree/$menu"
    update_grub_of_test "$cut" 'mount --bind /boot /boot' 'mount -o remount,ro,bind /boot' 'exit 1'
    packages -i new noptrace noptrace-dracut
    assert_failure
    assert_line --partial 'noptrace-dracut: /boot/grub/grub.cfg: is gone, and the old one, /var/lib/noptrace/images/boot/grub/grub.cfg, cannot be put back: do not reboot this machine'
    refute_output --partial 'stays as it was'
    assert_half_configured noptrace-dracut
    rm "$tree/usr/sbin/update-grub"
    run on "$debian" dpkg --configure -a
    assert_built 2
    assert_line 'noptrace-dracut: /boot/grub/grub.cfg: could not be written, and is the old one, put back'
    assert_locked
    assert [ ! -e "$tree/var/lib/noptrace" ]
}

@test "no name of an image steers a terminal" {
    use bookworm dracut
    keep_copy $'boot/initrd.img-\e[2J\302\233x'
    begin noptrace-dracut
    assert_output 'noptrace-dracut: /boot/initrd.img-?[2J??x: could not be built, and is the old one, put back; it may lack the lock'
}

# The single quotes have the script's own.
# shellcheck disable=SC2016
@test "where a generator succeeds and leaves no image the old one is put back" {
    local kernel
    use bookworm dracut
    cp -a "$(dirname "$(latest "boot/initrd.img-$older")")" "$BATS_TEST_TMPDIR/boot"
    # which would fail without one
    mount_and "$debian" rm -r "$debian/root/etc/initramfs/post-update.d"
    dracut_of_test 'rm "$3"'
    packages -i new noptrace noptrace-dracut
    assert_failure
    for kernel in "${kernels[@]}"; do
        assert_line "noptrace-dracut: /boot/initrd.img-$kernel: could not be built, and is the old one, put back; it may lack the lock"
    done
    assert_half_configured noptrace-dracut
    assert_open_as_before

    # a UKI whose boots are counted anew has another name
    dracut_of_test 'mv /efi/EFI/Linux/debian-$4.efi /efi/EFI/Linux/debian-$4+3.efi'
    mkdir -p "$tree/efi/EFI/Linux"
    for kernel in "${kernels[@]}"; do echo image > "$tree/efi/EFI/Linux/debian-$kernel.efi"; done
    packages -i new noptrace-dracut
    assert_success
    refute_output --partial 'put back'
    for kernel in "${kernels[@]}"; do assert [ ! -e "$tree/efi/EFI/Linux/debian-$kernel.efi" ]; done
    # also where another kernel's cannot be built
    rm "$tree"/efi/EFI/Linux/*
    for kernel in "${kernels[@]}"; do echo image > "$tree/efi/EFI/Linux/debian-$kernel.efi"; done
    dracut_of_test 'n=$(cat /run/builds 2> /dev/null); echo x$n > /run/builds; [ "$n" != x ] || exit 1; mv /efi/EFI/Linux/debian-$4.efi /efi/EFI/Linux/debian-$4+3.efi'
    packages -i new noptrace-dracut
    assert_failure
    assert_equal "$(find "$tree/efi/EFI/Linux" -name '*.efi' | wc -l) $(find "$tree/efi/EFI/Linux" -name '*+3.efi' | wc -l)" '2 1'
    refute_line --partial 'EFI/Linux'

    # what update-initramfs has while it builds is no image
    use trixie initramfs-tools
    echo old | tee "$tree/boot/initrd.img-$older.dpkg-bak" > "$tree/boot/initrd.img-$older.new"
    packages -i new noptrace noptrace-initramfs
    assert_built 2
    refute_output --partial dpkg-bak
    refute_output --partial .new
    assert [ ! -e "$tree/boot/initrd.img-$older.dpkg-bak" ]
}

@test "a removal that fails has the boot entries again, and a package whose plugin is gone says so" {
    local kernel plugin=/usr/lib/kernel/install.d/95-noptrace.install
    use bookworm dracut
    packages -i new noptrace noptrace-dracut
    assert_built 2
    echo exit 1 >> "$tree/var/lib/dpkg/info/noptrace-dracut.prerm"
    run on "$debian" dpkg -r noptrace-dracut
    assert_failure
    for kernel in "${kernels[@]}"; do assert [ -e "$tree/efi/loader/entries/debian-$kernel-maintenance.conf" ]; done

    # as make uninstall does it
    rm "$tree$plugin"
    packages -i new noptrace
    assert_failure
    assert_line "noptrace-dracut: $plugin is gone: install this package again"
}

@test "a package in another root, whose scripts run outside of it, builds no image of this machine" {
    use trixie dracut
    packages -i new noptrace
    on "$debian" mkdir -p /other/var/lib/dpkg/info /other/var/lib/dpkg/updates
    on "$debian" touch /other/var/lib/dpkg/status
    run on "$debian" dpkg --root=/other --force-script-chrootless --force-depends -i /mnt/new/noptrace-dracut.deb
    assert_built 0
    assert_line "noptrace-dracut: /other: another root's images are not built from here, nor its boot menus written: install this package again in it"
    refute_output --partial grub
}

@test "an image that is left as it was is named" {
    use bookworm initramfs-tools
    local image
    # by initramfs-tools, kernel-install, ostree; and in a UKI, on an ESP in either place
    local -a images=(/boot/initrd.img-4.9.0-gone /boot/0123456789abcdef/4.9.0/initrd /boot/ostree/debian-0123/initramfs-4.9.0.img
        /boot/efi/0123456789abcdef/4.9.0/initrd /boot/efi/EFI/Linux/debian-4.9.0.efi /efi/EFI/Linux/debian-4.9.0+3.efi
        '/boot/initrd.img-4.9.0 copy ' /boot/initramfs-0-rescue-0123.img)
    for image in "${images[@]}" $'/boot/initrd.img-4.9.0\nline' /efi/EFI/Linux/debian-4.9.0.efi.extra.d/words.addon.efi /boot/efi/EFI/debian/grubx64.efi; do
        mkdir -p "$tree${image%/*}"
        echo image > "$tree$image"
        touch -d yesterday "$tree$image"
    done
    packages -i new noptrace noptrace-initramfs
    assert_built 2
    assert_equal "$(grep 'not built again' <<< "$output" | LC_ALL=C sort)" "$(for image in "${images[@]}"; do
        left_line noptrace-initramfs "$image" 'may lack the lock'
    done | LC_ALL=C sort)"
    echo 'update_initramfs="no"' > "$tree/etc/initramfs-tools/update-initramfs.conf"
    run on "$debian" env TMPDIR=/nowhere dpkg -i /mnt/new/noptrace-initramfs.deb
    assert_built 0
    assert_line 'noptrace-initramfs: update_initramfs=no in /etc/initramfs-tools/update-initramfs.conf, so no image was built: to have all of them built, run update-initramfs -c -k all'
    assert_line "$(left_line noptrace-initramfs "/boot/initrd.img-$older" 'may lack the lock')"
    run on "$debian" update-initramfs -c -k all
    assert_built 2
    on "$debian" rm -r /tmp
    packages -i new noptrace-initramfs
    assert_failure
    assert_line 'noptrace-initramfs: no temporary file can be made: which images were not built again is not known; each of them may lack the lock'
}

@test "in a chroot without a kernel, a menu, or an update-initramfs that does something the packages are installed and removed" {
    use trixie dracut
    mount_and "$debian" rm -r "$debian"/root/{boot,efi,usr/lib/modules}
    packages -i new noptrace noptrace-dracut
    assert_built 0
    assert_line 'noptrace-dracut: no image was found in /boot, /efi or /lib/modules, so none locks yet; if /boot is not mounted, mount it, and install this package again'
    assert_equal "$(grep -c '/boot\|Generating grub' <<< "$output")" 1
    run on "$debian" dpkg -P noptrace-dracut noptrace
    assert_success
    assert_line 'noptrace-dracut: no image was found in /boot, /efi or /lib/modules; if /boot is not mounted, mount it, and build its images again: they still lock'

    use bookworm initramfs-tools
    run on "$debian" dpkg-divert --rename --add /usr/sbin/update-initramfs
    on "$debian" ln -s /bin/true /usr/sbin/update-initramfs
    packages -i new noptrace noptrace-initramfs
    assert_built 0
    on "$debian" rm /usr/sbin/update-initramfs
    run on "$debian" dpkg -P noptrace-initramfs noptrace
    assert_success

    use trixie initramfs-tools
    mount_and "$debian" rm -r "$debian"/root/{boot,efi,usr/lib/modules}
    packages -i new noptrace noptrace-initramfs
    assert_built 0
}

@test "one opt-in takes the other's place, with the knobs as they were set" {
    local knobs=etc/default/grub.d/noptrace.cfg
    use bookworm initramfs-tools
    packages -i new noptrace noptrace-initramfs
    sed -i 's/^NOPTRACE_MENU_TITLE=.*/NOPTRACE_MENU_TITLE=Ours/' "$tree/$knobs"
    cp "$tree/$knobs" "$BATS_TEST_TMPDIR/knobs"
    packages -i new noptrace-dracut
    assert_failure
    assert_line --partial 'conflicting packages - not installing noptrace-dracut'
    run on "$debian" dpkg -r noptrace-initramfs initramfs-tools
    run on "$debian" dpkg -i /srv/dracut.deb
    packages -i new noptrace-dracut < /dev/null
    assert_built 2
    assert_locked
    run on "$debian" dpkg -P noptrace-initramfs
    assert_success
    cmp "$tree/$knobs" "$BATS_TEST_TMPDIR/knobs"
    grep -q "^submenu 'Ours'" "$tree/$menu"
}

@test "an administrator's policy goes before the package's" {
    use trixie initramfs-tools
    echo noptrace_on_failure=poweroff > "$tree/etc/initramfs-tools/noptrace.conf"
    packages -i new noptrace noptrace-initramfs
    assert_built 2
    check_image "$tree/boot/initrd.img-$older"
    assert_line --regexp '^  ok    policy        poweroff: '
    use trixie dracut
    # a name that the package's own file had once, and would have lost its place by
    echo noptrace_on_failure=reboot > "$tree/etc/dracut.conf.d/noptrace.conf"
    packages -i new noptrace noptrace-dracut
    assert_built 2
    check_image "$tree/boot/initrd.img-$older"
    assert_line --regexp '^  ok    policy        reboot: '
}

@test "removal names the files of an administrator that still ask for the lock" {
    use trixie initramfs-tools
    packages -i new noptrace noptrace-initramfs
    assert_built 2
    refute_output --partial 'still names'
    echo noptrace_on_failure=poweroff > "$tree/etc/initramfs-tools/noptrace.conf"
    run on "$debian" dpkg -r noptrace-initramfs
    assert_built 2
    assert_line 'noptrace-initramfs: /etc/initramfs-tools/noptrace.conf still names noptrace: take that out, and build the images again'
    use bookworm dracut
    packages -i new noptrace noptrace-dracut
    assert_built 2
    echo noptrace_on_failure=reboot > "$tree/etc/dracut.conf.d/policy.conf"
    run on "$debian" dpkg -r noptrace-dracut
    assert_built 2
    assert_line 'noptrace-dracut: /etc/dracut.conf.d/policy.conf still names noptrace: take that out, and build the images again'
}

@test "a machine with the package boots locked, and open again once that was removed" {
    local image
    use bookworm initramfs-tools
    image=$tree/boot/initrd.img-${kernels[0]}
    packages -i new noptrace noptrace-initramfs
    known_program=$tree/usr/sbin/noptrace assert_locks "$image" "$root"
    run on "$debian" dpkg -r noptrace-initramfs
    run "$top/build/noptrace-image" boot --kernel "$(kernel_of "$root")" "$image"
    assert_failure 1
    assert_line --regexp '^outcome +open +open$'
}

# contents PACKAGE: its files and links.
contents() {
    dpkg-deb --fsys-tarfile "$top/build/deb/$1_"*.deb | tar -t | sed -n 's,^\./\(.*[^/]\)$,\1,p' | LC_ALL=C sort
}

@test "each package has what it is for, and together they have all that make install installs" {
    local package
    run contents noptrace-dracut
    assert_output - << 'END'
etc/default/grub.d/noptrace.cfg
etc/grub.d/000_noptrace
etc/grub.d/99_noptrace
usr/lib/dracut/dracut.conf.d/zz-noptrace-opt-in.conf
usr/lib/kernel/install.d/00-noptrace.install
usr/lib/kernel/install.d/20-noptrace.install
usr/lib/kernel/install.d/90-noptrace.install
usr/lib/kernel/install.d/95-noptrace.install
usr/lib/systemd/system/sysinit.target.wants/noptrace.service
usr/share/doc/noptrace-dracut/changelog.Debian.gz
usr/share/doc/noptrace-dracut/changelog.gz
usr/share/doc/noptrace-dracut/copyright
usr/share/lintian/overrides/noptrace-dracut
END
    assert_equal "$(contents noptrace-initramfs)" "$(contents noptrace-dracut | sed -e 's/noptrace-dracut/noptrace-initramfs/' \
        -e 's,lib/dracut/dracut.conf.d/zz-noptrace-opt-in,share/initramfs-tools/noptrace,' | LC_ALL=C sort)"
    # what opts in, and what only a builder needs
    run contents noptrace
    refute_output --regexp 'etc/|\.wants/|dracut\.conf\.d|initramfs-tools/noptrace\.conf|noptrace-(image|check|probe|report)'

    make -s -C "$top" install DESTDIR="$BATS_TEST_TMPDIR/installed"
    (cd "$BATS_TEST_TMPDIR/installed" && find . -type f -printf '%P %m\n' | grep -v /LICENSE | LC_ALL=C sort) > "$BATS_TEST_TMPDIR/expected"
    for package in noptrace noptrace-dracut noptrace-image; do
        dpkg-deb -x "$top/build/deb/${package}_"*.deb "$BATS_TEST_TMPDIR/tree"
    done
    find "$BATS_TEST_TMPDIR/tree" -name '*.gz' -exec gunzip {} +
    (cd "$BATS_TEST_TMPDIR/tree" && find . -type f -printf '%P %m\n' \
        | grep -v '/lintian/\|/changelog\|/copyright\|dracut.conf.d' | LC_ALL=C sort) > "$BATS_TEST_TMPDIR/actual"
    diff "$BATS_TEST_TMPDIR"/{expected,actual}
}

@test "lintian has nothing to say" {
    # which Debian 12's does not know yet, and later ones ask for: Static-Built-Using
    run lintian --allow-root --fail-on error,warning --suppress-tags unknown-field "$top"/build/deb/*.changes
    assert_success
    assert_output ''
}

@test "packages and programs are the same, bit by bit, from another folder, at another time, with another umask and locale" {
    local elsewhere=$BATS_TEST_TMPDIR/else file
    copy_tree "$elsewhere"
    (
        umask 077
        cd "$elsewhere"
        chmod -R go= .
        env TZ=Asia/Kolkata LC_ALL=C.UTF-8 LANGUAGE=de make -s deb build/noptrace build/noptrace-judge build/noptrace-probe
    ) > "$BATS_TEST_TMPDIR/log" 2>&1
    for file in "$top"/build/deb/*.{deb,dsc,tar.xz} "$top"/build/noptrace{,-judge,-probe}; do
        cmp "$file" "$elsewhere${file#"$top"}"
    done
}

@test "what is released is the same, bit by bit, from another clone and with another umask" {
    [[ -e $top/.git ]] || skip 'not a clone'
    git clone -q "$top" "$BATS_TEST_TMPDIR/clone"
    make -s -C "$top" dist
    (umask 077 && make -s -C "$BATS_TEST_TMPDIR/clone" dist)
    cmp {"$top","$BATS_TEST_TMPDIR/clone"}"/build/noptrace-$version.tar.gz"
}

@test "the newest release of NEWS.md is the version that is built" {
    run "$top/packaging/changelog" deb "$version" 'A <a@example.org>' < "$top/NEWS.md"
    assert_success
    assert_line --index 0 "noptrace ($version) unstable; urgency=medium"
    run "$top/packaging/changelog" deb 9.9.9 'A <a@example.org>' < "$top/NEWS.md"
    assert_failure
    assert_output "changelog: this is 9.9.9, and the newest release of NEWS.md is $version"
}
