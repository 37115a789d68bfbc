# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# A machine of Debian 12 or 13 with two kernels, a real generator, GRUB's own grub-mkconfig and systemd-boot's entries,
# for the suites that install packages on it. Sourced after common.bash. They set $packages, the folder that is /mnt there.

# bats and the suites set some of these, and use others; each test is a subshell, and sets what it uses.
# shellcheck disable=SC2154,SC2034,SC2030,SC2031

older=5.0.0-older
# Where GRUB's menu is, and what writes it, as Debian has them.
menu=boot/grub/grub.cfg
write_menu=(update-grub)

# make_machine SUITE: a Debian without noptrace that has a second kernel, and GRUB.
make_machine() {
    local lower=${!1} file
    new_machine "$BATS_FILE_TMPDIR/$1" "$lower"
    mount_and "$BATS_FILE_TMPDIR/$1" make -s -C "$top" uninstall DESTDIR="$BATS_FILE_TMPDIR/$1/root"
    # what an earlier tree had there
    mount_and "$BATS_FILE_TMPDIR/$1" rm -rf "$BATS_FILE_TMPDIR/$1/root/usr/libexec/noptrace"
    tree=$BATS_FILE_TMPDIR/$1/upper
    mkdir -p "$tree/${menu%/*}" "$tree/usr/lib/modules/$older" "$tree"/usr/sbin "$tree"/usr/bin "$tree"/etc/{default,dracut.conf.d,initramfs-tools}
    for file in vmlinuz config System.map; do cp "$lower/boot/$file"-* "$tree/boot/$file-$older"; done
    touch "$tree/usr/lib/modules/$older"/modules.{builtin,dep,order} "$tree/$menu"
    printf '%s\n' 'hostonly=no' 'compress=cat' 'early_microcode=no' 'drivers="virtio_blk virtio_pci ext4"' "$spare" \
        > "$tree/etc/dracut.conf.d/test.conf"
    printf '%s\n' MODULES=list BUSYBOX=y COMPRESS=gzip > "$tree/etc/initramfs-tools/initramfs.conf"
    printf '%s\n' virtio_blk virtio_pci ext4 > "$tree/etc/initramfs-tools/modules"
    echo 'GRUB_DISTRIBUTOR=Debian' > "$tree/etc/default/grub"
    echo plain > "$tree/layout"
    install -m 755 "$top/tests/grub.d/probe" "$tree/usr/sbin/grub-probe"
    install -m 755 "$top/tests/grub.d/probe" "$tree/usr/bin/grub-mkrelpath"
    # and systemd-boot, with the script of its package that has an image copied
    mkdir -p "$tree"/{efi/loader/entries,"efi/debian/$older","efi/debian/$(ls "$lower/usr/lib/modules")",etc/kernel,etc/initramfs/post-update.d}
    printf '%s\n' layout=bls BOOT_ROOT=/efi initrd_generator=none > "$tree/etc/kernel/install.conf"
    echo debian > "$tree/etc/kernel/entry-token"
    echo root=LABEL=debian > "$tree/etc/kernel/cmdline"
    # shellcheck disable=SC2016 # the script's
    printf '#!/bin/sh\nkernel-install add "$1" "/boot/vmlinuz-$1" "$2"\n' > "$tree/etc/initramfs/post-update.d/systemd-boot"
    chmod 755 "$tree/etc/initramfs/post-update.d/systemd-boot"
}

# new_machine DIRECTORY LOWER: for on; what it writes is in DIRECTORY/upper.
new_machine() {
    mkdir -p "$1"/{upper,work,root}
    echo "$2" > "$1/lower"
}

# mount_and MACHINE COMMAND…: with the machine's root in MACHINE/root.
mount_and() {
    # shellcheck disable=SC2016 # the inner shell's
    unshare --mount --pid --fork --kill-child --propagation private sh -e -c 'machine=$1; shift
        mount -t overlay -o "lowerdir=$(cat "$machine/lower"),upperdir=$machine/upper,workdir=$machine/work" overlay "$machine/root"
        mount -t proc proc "$machine/root/proc"
        exec "$@"' - "$@"
}

# on MACHINE COMMAND…: in its root, with the packages in /mnt.
on() {
    # shellcheck disable=SC2016 # the inner shell's
    mount_and "$1" sh -e -c 'mount --bind "$1" "$2/root/mnt"; root=$2/root; shift 2
        exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"' \
        - "$packages" "$@"
}

# install_generator: what it would have done when the kernels were installed.
install_generator() {
    local kernel
    if [[ $generator == dracut ]]; then
        on "$1" dpkg -r initramfs-tools
        on "$1" dpkg -i /srv/dracut.deb
        for kernel in "${kernels[@]}"; do
            on "$1" run-parts --arg="$kernel" --arg="/boot/initrd.img-$kernel" /etc/initramfs/post-update.d
        done
    else
        on "$1" update-initramfs -c -k all
    fi
    # a while ago: what a package builds is told by its time, to two seconds
    on "$1" find /boot /efi -name 'initrd*' -exec touch -d '1 minute ago' {} +
    on "$1" "${write_menu[@]}"
}

# use SUITE GENERATOR: a fresh machine, with open images and menus. Leaves $debian, $tree for what it has written,
# $root for what it stands on, and its kernels in $kernels.
use() {
    local generator=$2 base=$BATS_FILE_TMPDIR/$1-$2 lock
    root=${!1} debian=$BATS_TEST_TMPDIR/debian tree=$BATS_TEST_TMPDIR/debian/upper
    kernels=("$(ls "$root/usr/lib/modules")" "$older")
    exec {lock}> "$base.lock"
    flock "$lock"
    if [[ ! -e $base.done ]]; then
        new_machine "$base" "$BATS_FILE_TMPDIR/$1/upper:$root"
        install_generator "$base" > "$base.log" 2>&1
        touch "$base.done"
    fi
    exec {lock}>&-
    rm -rf "$debian"
    new_machine "$debian" "$base/upper:$(< "$base/lower")"
    # so that a test can put files there
    mkdir -p "$tree"/{boot,etc/{dracut.conf.d,initramfs-tools/hooks}}
}

# latest FILE: that of the machine, which may be one that it has not written since.
latest() {
    local layer
    while IFS= read -r -d : layer; do
        [[ ! -e $layer/$1 ]] || break
    done <<< "$tree:$(< "$debian/lower"):"
    echo "$layer/$1"
}

# where_full FOLDER COMMAND…: with this folder of the machine's root a file system of its own that is full. Leaves
# $status, $output, and what was there before and after in $BATS_TEST_TMPDIR/FOLDER and FOLDER-after.
where_full() {
    rm -rf "${BATS_TEST_TMPDIR:?}/$1"{,-after}
    # shellcheck disable=SC2016 # the inner shell's
    run mount_and "$debian" bash -e -c 'root=$1/root packages=$2 full=$1/root/$3 copy=$4/$3; shift 4
        cp -a "$full" "$copy"
        mount -t tmpfs tmpfs "$full"
        cp -a "$copy/." "$full"
        mount -o "remount,size=$(df --output=used -k "$full" | tail -n 1)k" "$full"
        mount --bind "$packages" "$root/mnt"
        status=0
        env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@" || status=$?
        cp -a "$full" "$copy-after"
        exit "$status"' - "$debian" "$packages" "$1" "$BATS_TEST_TMPDIR" "${@:2}"
}

# left_line PACKAGE IMAGE MAY: that of an image that was not built again, and what to do.
left_line() {
    local remedy='build it by its name, or remove it and its boot entry'
    case $2 in
        *-0-rescue*) remedy="remove it and its boot entry, or run dracut --force --no-hostonly --add rescue $2 VERSION" ;;
        *.efi) remedy='run kernel-install add VERSION KERNEL in a normal boot, or remove it' ;;
    esac
    echo "$1: $2: not built again; it $3: $remedy; see noptrace(8), PACKAGES"
}

# everything: what is on the machine, but for the notes of what installs.
everything() {
    # shellcheck disable=SC2016 # the inner shell's
    mount_and "$debian" sh -c 'cd "$1/root" && find . -xdev -path ./proc -prune -o -path ./var/lib/dpkg -prune \
        -o -path ./var/lib/rpm -prune -o -path ./var/log -prune -o -print | LC_ALL=C sort' - "$debian"
}

# copy_tree DIRECTORY: the sources, without what was built of them.
copy_tree() {
    mkdir "$1"
    tar -C "$top" -c --exclude=./build --exclude=./.git . | tar -C "$1" -x
}

# leave_yama_out KERNEL: of its configuration.
leave_yama_out() {
    sed 's/^CONFIG_SECURITY_YAMA=y/# CONFIG_SECURITY_YAMA is not set/' "$root/boot/config-${kernels[0]}" > "$tree/boot/config-$1"
}

# check_image FILE: with the configuration of the machine's kernel, which the older one has as well, and the program that is
# installed.
check_image() {
    configuration_of "${1##*initrd.img-}" "$root/boot/config-${kernels[0]}" > "$BATS_TEST_TMPDIR/config"
    run "$top/build/noptrace-image" check --kernel-config "$BATS_TEST_TMPDIR/config" "${@:2}" "$1"
}

# assert_same_elsewhere KERNEL: the copy of its image that systemd-boot has is that image.
assert_same_elsewhere() {
    local name=initrd.img-$1
    cmp "$(latest "boot/$name")" "$(latest "efi/debian/$1/$name")"
}

# assert_locked: each kernel's image, the copy for systemd-boot included, has the program that is installed; and there
# are boot entries for maintenance.
assert_locked() {
    local kernel
    for kernel in "${kernels[@]}"; do
        check_image "$tree/boot/initrd.img-$kernel" --program "$tree/usr/sbin/noptrace"
        assert_success
        refute_output --regexp '(FAIL|warn) '
        assert_same_elsewhere "$kernel"
        grep -q "noptrace-maintenance-$kernel'" "$tree/$menu"
        assert [ -e "$tree/efi/loader/entries/debian-$kernel-maintenance.conf" ]
    done
    assert_equal "$(readlink "$tree/usr/lib/systemd/system/sysinit.target.wants/noptrace.service")" ../noptrace.service
}

# assert_open: nothing of that.
assert_open() {
    local kernel
    for kernel in "${kernels[@]}"; do
        check_image "$(latest "boot/initrd.img-$kernel")"
        assert_failure 1
        assert_line --partial 'FAIL  program       /usr/sbin/noptrace: not in the image'
        run "$top/build/noptrace-list" "$(latest "boot/initrd.img-$kernel")"
        assert_success
        refute_output --partial noptrace
        assert_same_elsewhere "$kernel"
    done
    run grep -c noptrace-maintenance "$(latest "$menu")"
    assert_output 0
    run on "$debian" ls /efi/loader/entries
    assert_output "$(printf 'debian-%s.conf\n' "${kernels[@]}" | LC_ALL=C sort)"
    assert [ ! -e "$tree/usr/lib/systemd/system/sysinit.target.wants/noptrace.service" ]
    # nor a link to what is not there
    assert [ ! -L "$tree/usr/lib/systemd/system/sysinit.target.wants/noptrace.service" ]
}

# assert_built COUNT: so many images were.
assert_built() {
    assert_success
    assert_equal "$(grep -c ': Generating /boot/initrd.img-' <<< "$output")" "$1"
}

# Where nothing opted in: noptrace-image does its work.
assert_tool_is_whole() {
    run on "$debian" noptrace-image check "/boot/initrd.img-$older"
    assert_failure 1
    assert_line --partial 'FAIL  program       /usr/sbin/noptrace: not in the image'
    run on "$debian" noptrace-image make /tmp/noptrace.cpio
    assert_success
}
