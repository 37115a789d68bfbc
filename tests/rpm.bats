#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The rpms: what they hold, for which distributions, and what installing, upgrading and removing them does to a machine
# with two kernels. That is a Debian, with an rpm database beside dpkg's, whose dracut and GRUB are real: no other
# distribution is at hand.

# Each test is a subshell, and sets what it uses.
# shellcheck disable=SC2030,SC2031

# shellcheck source=tests/common.bash
source "$BATS_TEST_DIRNAME/common.bash"
# shellcheck source=tests/machine.bash
source "$BATS_TEST_DIRNAME/machine.bash"

version=$(sed -n 's/^VERSION = //p' "$BATS_TEST_DIRNAME/../Makefile")
spec=$top/build/rpm/SPECS/noptrace.spec
# as Fedora and openSUSE have them
menu=boot/grub2/grub.cfg
write_menu=(grub2-mkconfig -o /boot/grub2/grub.cfg)

setup_file() {
    make -s -C "$top" build/noptrace-list
    export packages=$BATS_FILE_TMPDIR/packages
    local suite
    mkdir -p "$packages"/{new,previous}
    keep_rpms "$top" new
    copy_tree "$BATS_FILE_TMPDIR/previous"
    sed -i 's/^VERSION = .*/VERSION = 0.0.1/' "$BATS_FILE_TMPDIR/previous/Makefile"
    sed -i "s/^## $version /## 0.0.1 /" "$BATS_FILE_TMPDIR/previous/NEWS.md"
    keep_rpms "$BATS_FILE_TMPDIR/previous" previous
    for suite in bookworm trixie; do
        make_machine "$suite"
        # Debian's scripts look at their own folder
        mkdir -p "$BATS_FILE_TMPDIR/$suite/upper"/{boot/grub,usr/share/licenses}
        # which is noptrace-dracut's, where nothing else is in it
        mount_and "$BATS_FILE_TMPDIR/$suite" rm -rf "$BATS_FILE_TMPDIR/$suite/root/etc/default/grub.d"
        ln -s grub-mkconfig "$BATS_FILE_TMPDIR/$suite/upper/usr/sbin/grub2-mkconfig"
    done
}

# keep_rpms TREE FOLDER: what make rpm makes of it, by the names of the packages.
keep_rpms() {
    local file
    make -s -C "$1" rpm > "$BATS_FILE_TMPDIR/log" 2>&1 || {
        cat "$BATS_FILE_TMPDIR/log" >&2
        return 1
    }
    for file in "$1"/build/rpm/RPMS/*/*.rpm; do
        cp "$file" "$packages/$2/$(rpm -qp --qf '%{NAME}' "$file").rpm"
    done
}

# rpm_on_machine ARGUMENT…: leaves $status and $output. There is no package there that ours could depend on.
rpm_on_machine() {
    touch "$BATS_TEST_TMPDIR/before"
    run mount_and "$debian" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C rpm --root "$debian/root" --dbpath /var/lib/rpm \
        --force-debian --nodeps "$@"
}

# rpms VERB VERSION PACKAGE…
rpms() {
    local package
    local -a files=()
    for package in "${@:3}"; do files+=("$packages/$2/$package.rpm"); done
    rpm_on_machine "$1" "${files[@]}"
}

# dracut, which is not told to be loud, has built so many images.
assert_built() {
    assert_success
    assert_equal "$(find "$tree/boot" -name 'initrd.img-*' -newer "$BATS_TEST_TMPDIR/before" | wc -l)" "$1"
}

# What another boot loader has a copy of is dracut's business there.
assert_same_elsewhere() {
    :
}

@test "an rpm of the opt-in locks every kernel's image, an upgrade and removal rebuild them, and nothing is left" {
    use trixie dracut
    everything > "$BATS_TEST_TMPDIR/everything"

    rpms -U previous noptrace
    assert_built 0
    assert_output ''
    assert_open
    rpms -U previous noptrace-dracut
    assert_built 2
    assert_locked
    run "$tree/usr/sbin/noptrace" --version
    assert_output 'noptrace 0.0.1'

    rpms -U new noptrace noptrace-dracut
    assert_built 2
    assert_locked
    run "$tree/usr/sbin/noptrace" --version
    assert_output "noptrace $version"

    rpm_on_machine -e noptrace-dracut
    assert_built 2
    assert_open
    rpm_on_machine -e noptrace
    assert_built 0
    everything | diff "$BATS_TEST_TMPDIR/everything" -
    run grep -c noptrace "$tree/$menu"
    assert_output 0
}

@test "an rpm that cannot have every image built says why, locks the others, and does it when it is installed again" {
    use bookworm dracut
    everything > "$BATS_TEST_TMPDIR/everything"
    leave_yama_out "$older"
    rpms -U new noptrace noptrace-dracut
    assert_line --partial "/boot/config-$older: no CONFIG_SECURITY_YAMA, so it cannot lock; use another kernel"
    assert_line 'noptrace-dracut: not every image could be built, see above; mend that, and install this package again'
    assert_line --regexp "%posttrans\(noptrace-dracut-.*\) scriptlet failed, exit status 1"
    check_image "$tree/boot/initrd.img-${kernels[0]}" --program "$tree/usr/sbin/noptrace"
    assert_success

    rm "$tree/boot/config-$older"
    rpms --reinstall new noptrace-dracut
    assert_built 2
    assert_locked

    # both at once
    rpm_on_machine -e noptrace noptrace-dracut
    assert_built 2
    assert_open
    everything | diff "$BATS_TEST_TMPDIR/everything" -
}

# rpm_where_boot_is_full ARGUMENT…
rpm_where_boot_is_full() {
    where_full boot rpm --root "$debian/root" --dbpath /var/lib/rpm --force-debian --nodeps "$@"
}

# assert_gone: the older kernel's image, which is kept in $copy; and the menu has it still.
assert_gone() {
    assert_line "noptrace-dracut: /boot/initrd.img-$older: is gone, and the old one, $copy, cannot be put back: do not reboot this machine before it is; or remove that, if its kernel is gone"
    assert_line "noptrace-dracut: GRUB's menu stays as it was, since an image is gone"
    assert_line --regexp "%posttrans\(noptrace-dracut-.*\) scriptlet failed, exit status 1"
    cmp "$BATS_TEST_TMPDIR"/boot{,-after}/"${menu#boot/}"
}

@test "where /boot has no room for the new images the old ones stay; one that cannot stay is named, in GRUB's menu, and put back later" {
    local kernel copy=/var/lib/noptrace/images/boot/initrd.img-$older
    use trixie dracut
    rpm_where_boot_is_full -U "$packages"/new/noptrace{,-dracut}.rpm
    for kernel in "${kernels[@]}"; do
        assert_line "noptrace-dracut: /boot/initrd.img-$kernel: could not be built, and is the old one, put back; it may lack the lock"
        cmp "$BATS_TEST_TMPDIR"/boot{,-after}/"initrd.img-$kernel"
        grep -q "initrd.*/boot/initrd.img-$kernel" "$BATS_TEST_TMPDIR/boot-after/${menu#boot/}"
    done
    assert_line --regexp "%posttrans\(noptrace-dracut-.*\) scriptlet failed, exit status 1"
    assert [ ! -e "$tree/var/lib/noptrace" ]

    # what an image left free is taken by another at once
    mkdir -p "$tree/usr/sbin"
    # shellcheck disable=SC2016 # the script's
    printf '#!/bin/sh\n/usr/bin/dracut "$@" && exit\ncat /dev/zero > /boot/other\nexit 1\n' > "$tree/usr/sbin/dracut"
    chmod 755 "$tree/usr/sbin/dracut"
    rpm_where_boot_is_full --reinstall "$packages"/new/noptrace-dracut.rpm
    assert_gone
    # and none but the first is tried
    cmp "$BATS_TEST_TMPDIR"/boot{,-after}/"initrd.img-${kernels[0]}"

    # as long as it is so, whatever is called
    rm "$tree/usr/sbin/dracut"
    mount_and "$debian" mv "$debian/root/boot/initrd.img-$older" "$debian/root/srv"
    rpm_where_boot_is_full --reinstall "$packages"/new/noptrace-dracut.rpm
    assert_gone
    assert_line 'noptrace-dracut: no image is built while one is gone'
    rpm_where_boot_is_full -e --noscripts noptrace-dracut
    cmp "$tree/srv/initrd.img-$older" "$tree$copy"

    # there is room again
    printf '#!/bin/sh\nexit 1\n' > "$tree/usr/sbin/dracut"
    chmod 755 "$tree/usr/sbin/dracut"
    rpms -U new noptrace-dracut
    assert_line "noptrace-dracut: /boot/initrd.img-$older: could not be built, and is the old one, put back; it may lack the lock"
    cmp "$tree/srv/initrd.img-$older" "$tree/boot/initrd.img-$older"
    assert [ ! -e "$tree/var/lib/noptrace" ]
}

@test "an rpm whose images were built without the program names them, and its scriptlet fails" {
    local kernel
    use trixie dracut
    echo 'omit_dracutmodules+=" noptrace "' > "$tree/etc/dracut.conf.d/omit.conf"
    rpms -U new noptrace noptrace-dracut
    for kernel in "${kernels[@]}"; do
        assert_line "noptrace-dracut: /boot/initrd.img-$kernel: lsinitrd finds no usr/sbin/noptrace in it, so it does not lock: look in /etc/dracut.conf and /etc/dracut.conf.d for what leaves the module noptrace out, mend that, and install this package again"
    done
    assert_line --regexp "%posttrans\(noptrace-dracut-.*\) scriptlet failed, exit status 1"
}

@test "a UKI that dracut built without the program is named, and so is one that lsinitrd cannot read" {
    use trixie dracut
    printf '%s\n' uefi=yes 'kernel_cmdline="root=LABEL=debian"' hostonly_cmdline=no > "$tree/etc/dracut.conf.d/uefi.conf"
    mkdir -p "$tree/boot/efi/EFI/Linux"
    # shellcheck disable=SC2016 # the inner shell's
    mount_and "$debian" sh -c 'rm -r "$1"/root/efi "$1"/root/boot/initrd.img-* "$1/root/usr/lib/modules/$2"' - "$debian" "$older"
    rpms -U new noptrace noptrace-dracut
    assert_success
    refute_output --partial lsinitrd

    echo 'omit_dracutmodules+=" noptrace "' > "$tree/etc/dracut.conf.d/zzz-omit.conf"
    rpms --reinstall new noptrace-dracut
    assert_line --regexp '^noptrace-dracut: /boot/efi/EFI/Linux/.*\.efi: lsinitrd finds no usr/sbin/noptrace in it, so it does not lock: '
    assert_line --regexp "%posttrans\(noptrace-dracut-.*\) scriptlet failed, exit status 1"

    # as where there is no objcopy
    mkdir -p "$tree/usr/sbin"
    printf '#!/bin/sh\nexit 1\n' > "$tree/usr/sbin/lsinitrd"
    chmod 755 "$tree/usr/sbin/lsinitrd"
    rpms --reinstall new noptrace-dracut
    assert_success
    assert_line --regexp '^noptrace-dracut: /boot/efi/EFI/Linux/.*\.efi: lsinitrd cannot read it, so it was not looked into, and may lack the lock: noptrace-image check tells$'
}

@test "rpms of noptrace and noptrace-image change no image, no menu and no unit" {
    use bookworm dracut
    rpms -U new noptrace noptrace-image
    assert_built 0
    assert_open
    run on "$debian" systemctl is-enabled noptrace
    assert_output disabled
    # as the next kernel's would be
    touch "$BATS_TEST_TMPDIR/before"
    run on "$debian" dracut --quiet --regenerate-all --force
    assert_built 2
    assert_open
    assert_tool_is_whole
}

# answer_for COMMAND: a small one in its place, which writes down how it was called.
answer_for() {
    mkdir -p "$tree${1%/*}"
    # shellcheck disable=SC2016 # the script's
    printf '#!/bin/sh\necho "${DRACUT_NO_XATTR:+DRACUT_NO_XATTR=$DRACUT_NO_XATTR }${0##*/} $*" >> /calls\n' > "$tree$1"
    chmod 755 "$tree$1"
}

@test "images are built where bootc and ostree have them, and with openSUSE's own script; those that stay are named" {
    local kernel
    use trixie dracut
    touch -d yesterday "$tree/boot/initramfs-0-rescue-1234.img" "$tree/boot/initrd-5.14.21-default" "$tree/boot/initramfs-5.14.0kdump.img"
    mkdir -p "$tree/usr/lib/modules/$older"
    touch "$tree/usr/lib/modules/$older/initramfs.img"
    rm -f "$tree/usr/bin/dracut"
    answer_for /usr/bin/dracut
    rpms -U new noptrace noptrace-dracut
    assert_success
    assert_line "$(left_line noptrace-dracut /boot/initramfs-0-rescue-1234.img 'may lack the lock')"
    assert_line "$(left_line noptrace-dracut /boot/initrd-5.14.21-default 'may lack the lock')"
    refute_output --partial kdump
    assert_equal "$(< "$tree/calls")" "DRACUT_NO_XATTR=1 dracut --quiet --force --no-hostonly /lib/modules/$older/initramfs.img $older
dracut --quiet --force --kver ${kernels[0]}"

    answer_for /usr/lib/module-init-tools/regenerate-initrd-posttrans
    rm "$tree/calls"
    mkdir -p "$tree/run" && touch "$tree/run/regenerate-initrd"
    rpms --reinstall new noptrace-dracut
    assert_line --partial 'mkdir: cannot create directory'
    assert_line 'noptrace-dracut: not every image could be built, see above; mend that, and install this package again'
    assert [ ! -e "$tree/calls" ]
    rm "$tree/run/regenerate-initrd"
    # which goes on to the next kernel where one fails: what it has built stays
    # shellcheck disable=SC2016 # the script's
    printf '#!/bin/sh\nfor image in /boot/initrd.img-*; do echo built > "$image"; done\nexit 1\n' \
        > "$tree/usr/lib/module-init-tools/regenerate-initrd-posttrans"
    rpms --reinstall new noptrace-dracut
    assert_line 'noptrace-dracut: not every image could be built, see above; mend that, and install this package again'
    for kernel in "${kernels[@]}"; do cmp <(echo built) "$tree/boot/initrd.img-$kernel"; done
    # and where it is killed, that may be any
    # shellcheck disable=SC2016 # the script's
    printf '#!/bin/sh\necho cut > "/boot/initrd.img-%s"\nkill -KILL $PPID\n' "$older" \
        > "$tree/usr/lib/module-init-tools/regenerate-initrd-posttrans"
    rpms --reinstall new noptrace-dracut
    cmp <(echo cut) "$tree/boot/initrd.img-$older"
    printf '#!/bin/sh\nexit 1\n' > "$tree/usr/lib/module-init-tools/regenerate-initrd-posttrans"
    rpms --reinstall new noptrace-dracut
    assert_line "noptrace-dracut: /boot/initrd.img-$older: could not be built, and is the old one, put back; it may lack the lock"
    cmp <(echo built) "$tree/boot/initrd.img-$older"
    answer_for /usr/lib/module-init-tools/regenerate-initrd-posttrans
    rpm_on_machine -e noptrace-dracut
    assert_success
    assert_equal "$(< "$tree/calls")" 'regenerate-initrd-posttrans '
    assert [ -e "$tree/run/regenerate-initrd/all" ]
}

# The names are systemd's.
@test "where kernel-install has put what boots, and dracut does not look, its command is named, and the scriptlet fails" {
    local image kernel id=0123456789abcdef0123456789abcdef failed="%posttrans\(noptrace-dracut-.*\) scriptlet failed, exit status 1"
    use trixie dracut
    kernel=${kernels[0]}
    rm -f "$tree/usr/bin/dracut"
    answer_for /usr/bin/dracut
    echo "$id" > "$tree/etc/machine-id"
    rpms -U new noptrace noptrace-dracut
    assert_success
    rm "$tree/calls"
    for image in boot/efi/EFI/Linux/{debian,$id}-"$kernel".efi efi/EFI/Linux/"$id-$kernel+2-1.efi" {boot,efi,boot/efi}/debian/"$kernel"/initrd; do
        mkdir -p "$tree/${image%/*}"
        touch -d yesterday "$tree/$image"
        rpms --reinstall new noptrace-dracut
        assert_line "noptrace-dracut: /$image: dracut does not build what kernel-install has put there: run kernel-install add $kernel /lib/modules/$kernel/vmlinuz in a normal boot"
        assert_line --regexp "$failed"
        refute_line 'noptrace-dracut: not every image could be built, see above; mend that, and install this package again'
        # the other kernel's image is built, and no other of this one's
        assert_equal "$(< "$tree/calls")" "dracut --quiet --force --kver $older"
        rm "$tree/calls" "$tree/$image"
    done

    # a vendor's is copied as it is, and says nothing of the image that is built
    mkdir -p "$tree/boot/efi/EFI/Linux" "$tree/usr/lib/modules/$kernel"
    touch -d yesterday "$tree/boot/efi/EFI/Linux/$id-$kernel.efi" "$tree/usr/lib/modules/$kernel/vmlinuz-virt.efi"
    rpms --reinstall new noptrace-dracut
    assert_success
    refute_line --regexp "$failed"
    assert_equal "$(wc -l < "$tree/calls")" 2
    rm "$tree/calls" "$tree/boot/efi/EFI/Linux/$id-$kernel.efi" "$tree/usr/lib/modules/$kernel/vmlinuz-virt.efi"

    # where dracut does look, and what is another kernel's, or dracut's own
    for image in boot/$id/"$kernel"/initrd efi/Default/"$kernel"/initrd boot/efi/EFI/Linux/{linux-"$kernel",linux-"$kernel-$id",debian-4.9.0}.efi \
        boot/initramfs-"$kernel".img; do
        mkdir -p "$tree/${image%/*}"
        touch -d yesterday "$tree/$image"
    done
    rpms --reinstall new noptrace-dracut
    assert_success
    refute_line --regexp "$failed"
    assert_equal "$(wc -l < "$tree/calls")" 2

    # what kernel-install would take is built, but is not what boots
    mkdir -p "$tree/usr/lib/modules/$kernel"
    touch -d yesterday "$tree/usr/lib/modules/$kernel/initrd"
    rpms --reinstall new noptrace-dracut
    assert_line "noptrace-dracut: /boot/initramfs-$kernel.img: dracut does not build what kernel-install has put there: run kernel-install add $kernel /lib/modules/$kernel/vmlinuz in a normal boot"
    assert_line --regexp "$failed"
    assert_equal "$(wc -l < "$tree/calls")" 4
}

@test "in a chroot without a kernel or a menu, and where entries are the plugin's, the rpms are installed and removed" {
    use trixie dracut
    mount_and "$debian" rm -r "$debian"/root/{boot,efi,usr/lib/modules}
    rpms -U new noptrace noptrace-dracut
    assert_built 0
    assert_output 'noptrace-dracut: no image was found in /boot, /efi or /lib/modules, so none locks yet; if /boot is not mounted, mount it, and install this package again'
    rpm_on_machine -e noptrace noptrace-dracut
    assert_success

    # whose grub2-mkconfig would take back what others have set
    use trixie dracut
    mkdir -p "$tree"/{boot/grub2,usr/sbin}
    echo blscfg > "$tree/$menu"
    rm -f "$tree/usr/sbin/grub2-mkconfig"
    answer_for /usr/sbin/grub2-mkconfig
    rpms -U new noptrace noptrace-dracut
    assert_success
    assert [ ! -e "$tree/calls" ]
}

@test "GRUB's menu is written again unless GRUB reads entries of the Boot Loader Specification, in whatever line it does" {
    local line
    use trixie dracut
    mkdir -p "$tree"/{boot/grub2,usr/sbin}
    rm -f "$tree/usr/sbin/grub2-mkconfig"
    answer_for /usr/sbin/grub2-mkconfig
    cp "$top/packaging/opt-in.sh" "$tree"
    for line in blscfg 'if true; then blscfg; fi' $'insmod blscfg\n\tblscfg non-default' bls_import '# blscfg' '   insmod blscfg' 'menuentry blscfg_not {'; do
        echo "$line" > "$tree/$menu"
        rm -f "$tree/calls"
        # nothing but that
        run on "$debian" env DPKG_MAINTSCRIPT_NAME=postrm sh /opt-in.sh purge
        assert_success
        case $line in
            '#'* | ' '* | menuentry*) assert_equal "$line: $(cat "$tree/calls")" "$line: grub2-mkconfig -o /boot/grub2/grub.cfg" ;;
            *) assert [ ! -e "$tree/calls" ] ;;
        esac
    done
}

@test "where GRUB's menu cannot be written the old one stays" {
    use trixie dracut
    rm -f "$tree/usr/sbin/grub2-mkconfig"
    mkdir -p "$tree/usr/sbin"
    # shellcheck disable=SC2016 # the script's
    printf '#!/bin/sh\necho new > "$2.new"\necho cut > "$2"\nexit 1\n' > "$tree/usr/sbin/grub2-mkconfig"
    chmod 755 "$tree/usr/sbin/grub2-mkconfig"
    cp "$(latest "$menu")" "$BATS_TEST_TMPDIR/menu"
    cp "$top/packaging/opt-in.sh" "$tree"
    run on "$debian" env DPKG_MAINTSCRIPT_NAME=postrm sh /opt-in.sh purge
    assert_success
    assert_output "noptrace-dracut: /$menu: could not be written, and is the old one, put back
noptrace-dracut: grub2-mkconfig failed: GRUB's menu stays as it was"
    cmp "$BATS_TEST_TMPDIR/menu" "$tree/$menu"
    run ls "$tree/${menu%/*}"
    assert_output grub.cfg
}

# files PACKAGE: the modes and names of an rpm's files and links.
files() {
    rpm -qp --qf '[%{FILEMODES:perms} %{FILENAMES}\n]' "$packages/new/$1.rpm" | grep -v '^d'
}

# debian_files PACKAGE: those that packaging/debian takes for the deb of that name, out of $BATS_TEST_TMPDIR/installed,
# or out of the tree.
debian_files() {
    local pattern folder file installed=$BATS_TEST_TMPDIR/installed
    while read -r pattern folder; do
        if [[ $folder ]]; then
            find "$top/$pattern" -printf "%M /$folder/%f\n"
            continue
        fi
        for file in "$installed"/$pattern; do
            find "$file" ! -type d -printf '%M %p\n'
        done
    done < "$top/packaging/debian/$1.install" | sed "s,$installed,,"
    [[ ! -e $top/packaging/debian/$1.links ]] || sed 's,.* ,lrwxrwxrwx /,' "$top/packaging/debian/$1.links"
}

@test "the rpms have the files of the debs, with the same modes, but for what this table has" {
    local package
    make -s -C "$top" install DESTDIR="$BATS_TEST_TMPDIR/installed"
    for package in noptrace noptrace-dracut noptrace-image; do
        comm -3 <(debian_files "$package" | LC_ALL=C sort -u) <(files "$package" | LC_ALL=C sort) | sed -e "s/^\t/$package rpm /;t" -e "s/^/$package deb /"
    done | LC_ALL=C sort > "$BATS_TEST_TMPDIR/differences"
    # manuals are compressed, as debhelper does it too; and nothing there makes images with initramfs-tools, but
    # noptrace-image looks at some
    diff - "$BATS_TEST_TMPDIR/differences" << END
noptrace deb -rw-r--r-- /usr/share/man/man7/noptrace-fleet.7
noptrace deb -rw-r--r-- /usr/share/man/man8/noptrace.8
noptrace deb -rwxr-xr-x /usr/share/initramfs-tools/hooks/noptrace
noptrace deb -rwxr-xr-x /usr/share/initramfs-tools/scripts/init-top/00-noptrace
noptrace rpm -rw-r--r-- /usr/share/doc/noptrace/NEWS.md
noptrace rpm -rw-r--r-- /usr/share/licenses/noptrace-$version/LICENSE
noptrace rpm -rw-r--r-- /usr/share/man/man7/noptrace-fleet.7.gz
noptrace rpm -rw-r--r-- /usr/share/man/man8/noptrace.8.gz
noptrace-image deb -rw-r--r-- /usr/share/man/man7/noptrace-recipes.7
noptrace-image deb -rw-r--r-- /usr/share/man/man8/noptrace-image.8
noptrace-image rpm -rw-r--r-- /usr/share/man/man7/noptrace-recipes.7.gz
noptrace-image rpm -rw-r--r-- /usr/share/man/man8/noptrace-image.8.gz
noptrace-image rpm -rwxr-xr-x /usr/share/initramfs-tools/scripts/init-top/00-noptrace
END

    # and what is in them, but for what other flags make of the programs
    mkdir "$BATS_TEST_TMPDIR/unpacked"
    for package in noptrace noptrace-dracut noptrace-image; do
        rpm2cpio "$packages/new/$package.rpm" | cpio --quiet -id -D "$BATS_TEST_TMPDIR/unpacked"
    done
    gunzip "$BATS_TEST_TMPDIR"/unpacked/usr/share/man/man[78]/*.gz
    run diff -rq "$BATS_TEST_TMPDIR/installed" "$BATS_TEST_TMPDIR/unpacked"
    assert_equal "$(grep '^Files .* differ$' <<< "$output" | grep -v '/usr/libexec/noptrace/noptrace-[a-z]* and \|/usr/sbin/noptrace and ')" ''
}

@test "rpmlint has nothing to say" {
    run rpmlint -c "$top/packaging/rpmlint.toml" "$top"/build/rpm/RPMS/*/*.rpm "$top"/build/rpm/SRPMS/*.rpm "$spec"
    assert_success
    assert_output --partial ' 4 packages and 1 specfiles checked; 0 errors, 0 warnings,'
}

@test "the rpms are the same, bit by bit, from another folder, at another time, with another umask and locale" {
    local elsewhere=$BATS_TEST_TMPDIR/else file
    copy_tree "$elsewhere"
    (
        umask 077
        cd "$elsewhere"
        chmod -R go= .
        env TZ=Asia/Kolkata LC_ALL=C.UTF-8 LANGUAGE=de make -s rpm
    ) > "$BATS_TEST_TMPDIR/log" 2>&1
    for file in "$top"/build/rpm/RPMS/*/*.rpm "$top"/build/rpm/SRPMS/*.rpm; do
        cmp "$file" "$elsewhere${file#"$top"}"
    done
}

@test "sources that tar cannot read to their end make no package, neither rpm nor deb" {
    local package
    copy_tree "$BATS_TEST_TMPDIR/else"
    cd "$BATS_TEST_TMPDIR/else"
    mkdir bin
    # shellcheck disable=SC2016 # the script's
    printf '#!/bin/sh\n%s "$@" || exit\n[ "$1" != -c ] || exit 2\n' "$(command -v tar)" > bin/tar
    chmod 755 bin/tar
    for package in rpm deb; do
        run env PATH="$PWD/bin:$PATH" make -s "$package"
        assert_failure 2
        assert_line --partial 'Error 2'
        run find build -name "*.$package"
        assert_output ''
    done
}

@test "the scriptlets are those of Debian's opt-in, each with its own name, and shellcheck has nothing to say" {
    local scriptlet tag
    for scriptlet in posttrans preun postun; do
        tag=${scriptlet^^}
        assert_equal "$(rpm -qp --qf "%{${tag}PROG}" "$packages/new/noptrace-dracut.rpm")" /bin/sh
        rpm -qp --qf "%{$tag}" "$packages/new/noptrace-dracut.rpm" > "$BATS_TEST_TMPDIR/$scriptlet.sh"
        run diff "$top/packaging/opt-in.sh" "$BATS_TEST_TMPDIR/$scriptlet.sh"
        assert_equal "$(grep '^[<>]' <<< "$output")" "< scriptlet=
> scriptlet=$scriptlet
< #DEBHELPER#"
        shellcheck "$BATS_TEST_TMPDIR/$scriptlet.sh"
    done
    # and no others
    run rpm -qp --scripts --triggers --filetriggers "$packages/new/noptrace.rpm" "$packages/new/noptrace-image.rpm"
    assert_output ''
    run bash -c 'rpm -qp --scripts --triggers --filetriggers "$0" | grep -c "scriptlet (using"' "$packages/new/noptrace-dracut.rpm"
    assert_output 3
}

@test "what the scriptlets call is there when they run" {
    local scriptlet package
    run rpm -qp --qf '[%{REQUIREFLAGS:deptype} %{REQUIRENAME}\n]' "$packages/new/noptrace-dracut.rpm"
    for scriptlet in posttrans postun; do
        for package in coreutils diffutils findutils grep sed; do assert_line "$scriptlet $package"; done
    done
}

# for_distribution MACRO VALUE DEPENDENCIES COMPILER RECOMMENDS: what the spec is there.
for_distribution() {
    local common='binutils gcc lzo-devel make pkgconfig(liblz4) pkgconfig(liblzma) pkgconfig(libzstd) pkgconfig(zlib) systemd-rpm-macros'
    assert_equal "$(rpmspec -q --buildrequires --define "$1 $2" "$spec" | LC_ALL=C sort | xargs)" \
        "$(tr ' ' '\n' <<< "$common $3" | LC_ALL=C sort | xargs)"
    run rpmspec -P --define "$1 $2" "$spec"
    assert_success
    assert_line --regexp "^/usr/bin/make .* CC=$4 "
    assert_line --regexp "^Recommends: +$5\$"
}

@test "for Fedora, RHEL 8 to 10 and openSUSE the spec asks for what they have, and knows where they have it" {
    local value
    for value in 41 43; do for_distribution fedora "$value" 'bzip2-devel musl-gcc musl-libc-static' musl-gcc qemu-system-x86; done
    for value in 8 9 10; do for_distribution rhel "$value" 'bzip2-devel glibc-static' gcc qemu-system-x86; done
    for value in 1500 1600 1699; do for_distribution suse_version "$value" 'glibc-devel-static libbz2-devel' gcc qemu-x86; done
    # EPEL has it from 10 on
    run rpmspec -q --buildrequires --define 'rhel 10' --with musl "$spec"
    assert_line musl-gcc

    # the programs of Fedora 42 are in /usr/bin, those that programs call are in /usr/lib on SLE 15
    run rpmspec -P --define 'fedora 42' --define '_sbindir /usr/bin' "$spec"
    assert_line --regexp '^ +prefix=/usr sbindir=/usr/bin bindir=/usr/bin libexecdir=/usr/libexec '
    assert_line /usr/bin/noptrace
    run rpmspec -P --define 'suse_version 1500' --define '_libexecdir /usr/lib' --define '_defaultdocdir /usr/share/doc/packages' "$spec"
    assert_line --regexp ' libexecdir=/usr/lib '
    assert_line --regexp ' docdir=/usr/share/doc/packages/noptrace '
    assert_line /usr/lib/noptrace/noptrace-judge
    assert_line '%dir /etc/grub.d'
}

@test "the version and the changelog of the rpms are those of the Makefile and of NEWS.md" {
    assert_equal "$(rpm -qp --qf '%{VERSION}' "$packages/new/noptrace.rpm")" "$version"
    run rpm -qp --changelog "$packages/new/noptrace.rpm"
    assert_line --index 0 --regexp "^\* [A-Z][a-z]{2} [A-Z][a-z]{2} [0-9]{2} 20[0-9]{2} .* <.*> - $version-1\$"
    assert_equal "$(grep -c '^- ' <<< "$output")" "$(grep -c '^- ' "$top/NEWS.md")"
}
