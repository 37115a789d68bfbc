# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# grub-mkconfig on machines that are none, and GRUB with what it wrote, as a program. Sourced after common.bash.

# shellcheck source=tests/common.bash
[[ ${top-} ]] || source "$BATS_TEST_DIRNAME/common.bash"

# make_machine SUITE LAYOUT: leaves $tree, a Debian of this layout (plain, lvm, btrfs) with two kernels, for configure.
# 10_linux and grub-mkconfig are the release's own; only what would look at a disk says what it would have found there.
make_machine() {
    local root=${!1} version
    tree=$BATS_TEST_TMPDIR/tree
    rm -rf "$tree"
    variant_of "$root" "$tree"
    rm "$tree"/usr/sbin/grub-probe "$tree"/usr/bin/grub-mkrelpath "$tree"/boot/* \
        "$tree"/etc/grub.d/{05_debian_theme,20_linux_xen,30_*}
    cp "$BATS_TEST_DIRNAME/grub.d/probe" "$tree/usr/sbin/grub-probe"
    cp "$BATS_TEST_DIRNAME/grub.d/probe" "$tree/usr/bin/grub-mkrelpath"
    echo "$2" > "$tree/layout"
    for version in 6.1.0-9-amd64 6.1.0-10-amd64; do
        add_kernel "vmlinuz-$version" "initrd.img-$version"
    done
    echo early > "$tree/boot/intel-uc.img"
    mkdir -p "$tree"/dev/{mapper,disk/by-uuid} "$tree/boot/grub"
    touch "$tree"/dev/disk/by-uuid/{01234567-89ab-cdef-0123-456789abcdef,11111111-2222-3333-4444-555555555555}
    touch "$tree/dev/mapper/vg-root"
}

# add_kernel NAME INITRAMFS: in the machine's /boot.
add_kernel() {
    echo kernel > "$tree/boot/$1"
    echo initramfs > "$tree/boot/$2"
}

# put_script NAME: an executable of the machine's /etc/grub.d, from stdin.
put_script() {
    rm -f "$tree/etc/grub.d/$1"
    install -m 755 /dev/stdin "$tree/etc/grub.d/$1"
}

# configure [LINE…]: has the machine's grub-mkconfig write its grub.cfg with these lines in /etc/default/grub; sets
# $section, our part of it, $normal, the others', and $stderr.
configure() {
    rm -f "$tree/etc/default/grub" "$tree/boot/grub/grub.cfg"
    printf '%s\n' GRUB_DEFAULT=0 GRUB_DISTRIBUTOR=Debian GRUB_TERMINAL=console GRUB_CMDLINE_LINUX_DEFAULT=quiet "$@" \
        > "$tree/etc/default/grub"
    # shellcheck disable=SC2016 # the inner shell's
    run --separate-stderr unshare --mount sh -e -c 'mount -t proc proc "$1/proc"; mount --bind /dev/null "$1/dev/null"
        exec chroot "$1" grub-mkconfig -o /boot/grub/grub.cfg' - "$tree"
    assert_success
    # shellcheck disable=SC2034 # for the suites
    {
        section=$(sed -n '/^### BEGIN .*99_noptrace/,/^### END .*99_noptrace/p' "$tree/boot/grub/grub.cfg")
        normal=$(sed '/^### BEGIN .*_noptrace/,/^### END .*_noptrace/d; /^$/d' "$tree/boot/grub/grub.cfg")
    }
}

# start_grub SUITE [writable|unwritable [SETTING…]]: what GRUB does with the machine's grub.cfg and nobody at the
# keyboard; $loaded is the command line of the kernel that it loads first, and $output its screen. The settings are in
# its grubenv, which is left as $grubenv. GRUB runs as a program (grub-emu), does not wait, and never loads a kernel: that
# would be the host's kexec.
start_grub() {
    local root=${!1} work=$BATS_TEST_TMPDIR/emulated
    rm -rf "$work"
    mkdir -p "$work/disk/boot/grub" "$work/emu"
    sed -e 's/^\([[:space:]]*\)linux\(efi\)\{0,1\}\([[:space:]]\)/\1would_load\3/' -e 's/^\([[:space:]]*\)sleep .*/\1true/' \
        -e 's/^\([[:space:]]*\)set timeout=.*/\1set timeout=0/' "$tree/boot/grub/grub.cfg" > "$work/disk/boot/grub/grub.cfg"
    # as grub-editenv writes it
    {
        echo '# GRUB Environment Block'
        (($# < 3)) || printf '%s\n' "${@:3}" | sed 's/\\/&&/g'
        head -c 1024 /dev/zero | tr '\0' '#'
    } | head -c 1024 > "$work/disk/boot/grub/grubenv"
    truncate -s 1M "$work/hd0"
    mke2fs -q -t ext2 -d "$work/disk" "$work/hd0"
    echo '(hd0) /var/tmp/hd0' > "$work/map"
    cat > "$work/emu/grub.cfg" << 'END'
function would_load {
	echo
	for word in "$@"; do echo "loads: $word"; done
	halt
}
set root=hd0
set prefix=(hd0)/boot/grub
source (hd0)/boot/grub/grub.cfg
END
    # GRUB writes only where the file system's blocks are those of a disk
    [[ ${2-writable} == writable ]] || sed -i 's,^set prefix=.*,set prefix=(host)/var/tmp/disk/boot/grub,' "$work/emu/grub.cfg"
    "$BATS_TEST_DIRNAME/in-root" "$root" "$work" env TERM=dumb grub-emu -m /var/tmp/map -d /var/tmp/emu \
        < /dev/null > "$work/screen" 2>&1 3>&- &
    # where it waits for a person, nothing else will come, and nothing less would end it
    # shellcheck disable=SC2016 # the inner shell's
    timeout 60 sh -c 'while kill -0 "$1" 2> /dev/null && ! grep -aq "Failed to boot both\|GNU GRUB  version\|Enter username" "$2"
        do sleep 0.02; done' - $! "$work/screen"
    kill -KILL $! 2> /dev/null || true
    wait $! 2> /dev/null || true
    output=$(sed -e 's/\r//g' -e 's/\x1b\[[0-9;?]*[A-Za-z]//g' "$work/screen")
    # shellcheck disable=SC2034 # for the suites
    {
        # GRUB hands a word with a blank in it on in quotes
        loaded=$(sed -n '/^loads: /{ s///; / /s/.*/"&"/; p; }' <<< "$output" | paste -s -d ' ')
        grubenv=$(debugfs -R 'cat boot/grub/grubenv' "$work/hd0" 2> /dev/null | sed '/^#/d')
    }
}

# assert_locked, assert_open, refute_open: whether that kernel would have locked. The last is content with no kernel at
# all: where GRUB waits at its menu, or went to the firmware.
assert_locked() {
    [[ $loaded ]] || fail "nothing was loaded: $output"
    refute_open
}

refute_open() {
    local code=0
    [[ $loaded ]] || grep -q 'Failed to boot both\|GNU GRUB  version\|goes to the firmware' <<< "$output" || fail "nothing was decided: $output"
    "$top/build/noptrace-cmdline" has maintenance "$loaded" || code=$?
    # and not that nobody can tell
    [[ $code == 1 ]] || fail "open: $loaded: exit code $code"
}

assert_open() {
    "$top/build/noptrace-cmdline" has maintenance "$loaded" || fail "not open: ${loaded:-$output}"
}
