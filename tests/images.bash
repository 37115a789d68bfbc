# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The images, and disks, that the suites, the matrix and the bench boot: each made in a root of tests/debian-root. Sourced
# with $top, the tree's folder.

# The stock kernel of a root.
kernel_of() {
    echo "$1"/boot/vmlinuz-*
}

# The configuration of that kernel: where it is in testing, or else where it was before.
config_of() {
    local kernel
    kernel=$(ls "$1/usr/lib/modules")
    ls "$1/usr/lib/modules/$kernel/config" 2> /dev/null || echo "$1/boot/config-$kernel"
}

# in_root ROOT DIRECTORY COMMAND…: in ROOT, where DIRECTORY is /var/tmp.
in_root() {
    # shellcheck disable=SC2154 # whoever sources this sets it
    "$top/tests/in-root" "$@"
}

# bake ROOT IMAGE [DRACUT.CONF-LINE…]: an image of dracut's, without what $spare has, a line of dracut.conf, if it is set.
bake() {
    "$top/tests/bake" "$1" "$2" ${spare:+"$spare"} "${@:3}" 2>&1
}

# bake_with_mkinitramfs IMAGE [NOPTRACE.CONF-LINE [ROOT [BUSYBOX]]]: with a configuration folder of its own.
bake_with_mkinitramfs() {
    local root=${3-$bookworm} confdir code=0
    confdir=$(mktemp -d)
    cp -a "$root/etc/initramfs-tools/." "$confdir"
    printf '%s\n' MODULES=list "BUSYBOX=${4-y}" COMPRESS=gzip > "$confdir/initramfs.conf"
    printf '%s\n' virtio_blk virtio_pci ext4 > "$confdir/modules"
    [[ $# == 1 ]] || echo "$2" > "$confdir/noptrace.conf"
    in_root "$root" "$confdir" mkinitramfs -d /var/tmp -o /var/tmp/image "$(ls "$root/usr/lib/modules")" 2>&1 || code=$?
    [[ ! -e $confdir/image ]] || mv "$confdir/image" "$1"
    rm -r "$confdir"
    return "$code"
}

# pack TREE IMAGE: an initramfs of what is in TREE, uncompressed.
pack() {
    (cd "$1" && find . | cpio --quiet -o -H newc -R 0:0) > "$2"
}

# add_modules TREE ROOT MODULE…: ROOT's busybox, and these modules with what they need, as an /init of it loads them: their names
# are said in that order.
add_modules() {
    local tree=$1 root=$2 kernel module
    kernel=$(ls "$root/lib/modules")
    mkdir -p "$tree"/{bin,modules}
    cp "$root/bin/busybox" "$tree/bin"
    for module in "${@:3}"; do
        modprobe -d "$root" -S "$kernel" --show-depends "$module"
    done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' > "$tree.modules"
    xargs -a "$tree.modules" cp -t "$tree/modules"
    sed 's,.*/,,' "$tree.modules" | tr '\n' ' '
}

# What README and the manual tell those to put into /init who have no generator.
handmade_line='/usr/sbin/noptrace apply || { poweroff -f; exit; }'

# handmade TREE ROOT PROGRAM: an initramfs of ROOT's busybox, PROGRAM and an /init with that line, which mounts
# the real root and switches to it: to /sbin/init or, as the kernel makes its parameter a variable, to what first=
# names. It loads and boots in a fraction of the time of a dracut image, where another would do.
handmade() {
    local tree=$1 root=$2 modules
    mkdir -p "$tree"/{bin,dev,proc,run,sys,root,usr/sbin,"usr/lib/modules/$(ls "$root/lib/modules")"}
    ln -s busybox "$tree/bin/sh"
    cp "$3" "$tree/usr/sbin/noptrace"
    # for a virtio disk with ext4
    modules=$(add_modules "$tree" "$root" virtio_pci virtio_blk ext4)
    cat > "$tree/init" << END
#!/bin/busybox sh
export PATH=/bin:/usr/sbin
/bin/busybox --install /bin
mount -t proc proc /proc
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs -o mode=755 tmpfs /run
$handmade_line
for module in $modules; do insmod /modules/\$module; done
until mount -o ro /dev/vda /root; do :; done
mount -o move /dev /root/dev
mount -o move /proc /root/proc
mount -o move /run /root/run
exec switch_root /root "\${first:-/sbin/init}"
END
    chmod +x "$tree/init"
}

# What dracut --sysroot would ask the machine's pkg-config for, and not that of the root: lines for dracut.conf.
# shellcheck disable=SC2034
sysroot_folders=('systemdutildir=/usr/lib/systemd' 'systemdsystemunitdir=/usr/lib/systemd/system' 'udevdir=/usr/lib/udev')

# variant_of ROOT DIRECTORY: a copy that shares ROOT's files: remove and replace them, never write to one.
variant_of() {
    cp -al "$1" "$2"
}

# reporting_disk DISK TREE [UNIT…]: a disk of the Debian in TREE, which is used up. When that is up it runs its /report, with
# the guest's answer as the output, and powers off. What nobody looks at, or fails without the kernel's modules, is
# masked, and so is each UNIT.
reporting_disk() {
    local disk=$1 tree=$2
    systemctl --quiet --root="$tree" mask serial-getty@ttyS0.service systemd-binfmt.service apt-daily.timer \
        apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer systemd-logind.service \
        systemd-udev-trigger.service getty@.service getty-static.service e2scrub_reap.service "${@:3}"
    cat > "$tree/etc/systemd/system/report.service" << 'END'
[Unit]
Description=Report to the test
After=multi-user.target

[Service]
Type=oneshot
ExecStart=/report
ExecStopPost=/usr/bin/systemctl poweroff --force --force
StandardOutput=file:/dev/ttyS1
StandardError=inherit
END
    chmod +x "$tree/report"
    ln -s ../report.service "$tree/etc/systemd/system/multi-user.target.wants/report.service"
    truncate -s 1400M "$disk"
    mke2fs -q -t ext4 -L debian -d "$tree" "$disk"
    rm -r "$tree"
}

# small_uki FILE [SECTIONS]: a UKI that boots nothing, with these sections as well, in perl, whose stub knows profiles.
small_uki() {
    perl -I "$top/tests" -MImages -e 'print pe(0x8664, sdmagic(257), [ ".linux", "x" ], [ ".initrd", "y" ], eval($ARGV[0] // ""))' "${@:2}" > "$1"
}

# The dracut.conf lines of the two flavours.
# shellcheck disable=SC2034
{
    systemd_flavour=(' add_dracutmodules+=" noptrace "')
    shell_flavour=('add_dracutmodules+=" noptrace busybox "'
        'omit_dracutmodules+=" systemd systemd-initrd dracut-systemd bash dash "')
}
