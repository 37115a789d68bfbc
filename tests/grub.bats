#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# GRUB's maintenance menu: its real menu driven over the serial line, from a disk whose grub.cfg its own
# grub-mkconfig wrote (see grub-disk); and what the generator makes of other machines.

# run --separate-stderr sets stderr; each test is a subshell, and sets what it uses; the scripts that edit
# 10_linux name its variables.
# shellcheck disable=SC2154,SC2030,SC2031,SC2016

# shellcheck source=tests/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

setup_file() {
    export disk=$BATS_FILE_TMPDIR/disk
    bake "$bookworm" "$BATS_FILE_TMPDIR/image" "${shell_flavour[@]}" > "$BATS_FILE_TMPDIR/log"
    "$BATS_TEST_DIRNAME/grub-disk" "$bookworm" "$BATS_FILE_TMPDIR/image" "$disk" >> "$BATS_FILE_TMPDIR/log" 2>&1
}

# power_on [DRIVE-OPTION [QEMU-ARGUMENT…]]: the disk, as it was made, and its GRUB, or other arguments that
# start one; leaves $answer, $console and $guest.
power_on() {
    answer=$BATS_TEST_TMPDIR/answer
    rm -f "$answer"
    (($# > 1)) || set -- "${1-$(guest_disk "$disk")}" -kernel "$BATS_FILE_TMPDIR/disk.grub"
    at_keyboard "$BATS_TEST_TMPDIR" run_guest "$answer" 120 tcg '' -drive "$@"
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
    press Down Down Enter
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
    press Down Enter
    assert_boots open
    await 1 'Loading Linux 5.0.0-older'
}

@test "a GRUB of grub-mkrescue, on a CD: the default entry locks, and the maintenance entry opens" {
    local iso=$BATS_TEST_TMPDIR/iso
    mkdir -p "$bookworm/var/tmp/cd/boot/grub"
    debugfs -R 'dump boot/grub/grub.cfg /dev/stdout' "$disk" 2> /dev/null > "$bookworm/var/tmp/cd/boot/grub/grub.cfg"
    TMPDIR=/tmp chroot "$bookworm" grub-mkrescue -o /var/tmp/cd.iso /var/tmp/cd > "$BATS_TEST_TMPDIR/log" 2>&1
    mv "$bookworm/var/tmp/cd.iso" "$iso"
    rm -r "$bookworm/var/tmp/cd"

    power_on "$(guest_disk "$disk")" -cdrom "$iso" -boot d
    assert_boots locked
    power_on "$(guest_disk "$disk")" -cdrom "$iso" -boot d
    await 1 "$menu"
    press Down Down Enter
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
}

# choose_once DISK ENTRY: what grub-reboot does on a machine whose /boot is on DISK.
choose_once() {
    mkdir -p "$bookworm/var/tmp/boot/grub"
    chroot "$bookworm" grub-editenv /var/tmp/boot/grub/grubenv create
    chroot "$bookworm" grub-reboot --boot-directory=/var/tmp/boot "$2"
    put "$1" "$bookworm/var/tmp/boot/grub/grubenv" boot/grub/grubenv
    rm -r "$bookworm/var/tmp/boot"
}

@test "maintenance for one boot: open, and then locked again" {
    cp --sparse=always "$disk" "$BATS_TEST_TMPDIR/disk"
    choose_once "$BATS_TEST_TMPDIR/disk" 'noptrace-maintenance>noptrace-maintenance-5.0.0-older'
    power_on "file=$BATS_TEST_TMPDIR/disk,format=raw,if=virtio"
    assert_boots open
    await 1 'Loading Linux 5.0.0-older'
    power_on "file=$BATS_TEST_TMPDIR/disk,format=raw,if=virtio"
    assert_boots locked
}

@test "maintenance for one boot where GRUB cannot write: locked, with the reason" {
    cp --sparse=always "$disk" "$BATS_TEST_TMPDIR/disk"
    choose_once "$BATS_TEST_TMPDIR/disk" 'noptrace-maintenance>noptrace-maintenance-5.0.0-older'
    power_on "file=$BATS_TEST_TMPDIR/disk,format=raw,if=virtio,readonly=on"
    assert_boots locked
    await 1 'noptrace: GRUB cannot write here, so this would be maintenance at every boot'
}

# generate SUITE LAYOUT [LINE…]: our part of grub.cfg, $section, and the others', $normal, on a machine of this
# layout (plain, lvm, btrfs) with two kernels and these lines in /etc/default/grub. 10_linux and grub-mkconfig
# are the release's own; only what would look at a disk says what it would have found there.
generate() {
    local root=${!1} layout=$2 tree=$BATS_TEST_TMPDIR/tree version
    rm -rf "$tree"
    variant_of "$root" "$tree"
    rm "$tree"/usr/sbin/grub-probe "$tree"/usr/bin/grub-mkrelpath "$tree"/boot/* \
        "$tree"/etc/grub.d/{05_debian_theme,20_linux_xen,30_*}
    cp "$BATS_TEST_DIRNAME/grub.d/probe" "$tree/usr/sbin/grub-probe"
    cp "$BATS_TEST_DIRNAME/grub.d/probe" "$tree/usr/bin/grub-mkrelpath"
    echo "$layout" > "$tree/layout"
    for version in 6.1.0-9-amd64 6.1.0-10-amd64; do
        echo kernel > "$tree/boot/vmlinuz-$version"
        echo initramfs > "$tree/boot/initrd.img-$version"
    done
    echo early > "$tree/boot/intel-uc.img"
    mkdir -p "$tree"/dev/{mapper,disk/by-uuid}
    touch "$tree"/dev/disk/by-uuid/{01234567-89ab-cdef-0123-456789abcdef,11111111-2222-3333-4444-555555555555}
    touch "$tree/dev/mapper/vg-root"
    rm -f "$tree/etc/default/grub"
    printf '%s\n' GRUB_DEFAULT=0 GRUB_DISTRIBUTOR=Debian GRUB_CMDLINE_LINUX_DEFAULT=quiet "${@:3}" > "$tree/etc/default/grub"
    [[ ! ${unrestricted-} ]] || {
        sed 's/^CLASS="/CLASS="--unrestricted /' "$root/etc/grub.d/10_linux" > "$BATS_TEST_TMPDIR/10_linux"
        rm "$tree/etc/grub.d/10_linux"
        install -m 755 "$BATS_TEST_TMPDIR/10_linux" "$tree/etc/grub.d/10_linux"
    }
    [[ ! ${prepare-} ]] || "$prepare" "$tree"
    run --separate-stderr unshare --mount sh -e -c 'mount -t proc proc "$1/proc"; mount --bind /dev/null "$1/dev/null"
        exec chroot "$1" grub-mkconfig -o /grub.cfg' - "$tree"
    assert_success
    section=$(sed -n '/^### BEGIN .*45_noptrace/,/^### END .*45_noptrace/p' "$tree/grub.cfg")
    normal=$(sed '/^### BEGIN .*45_noptrace/,/^### END .*45_noptrace/d' "$tree/grub.cfg")
}

golden=$BATS_TEST_DIRNAME/grub.d

@test "the menu of Debian 12 and 13, on a plain disk, LVM and btrfs" {
    local suite layout
    for suite in bookworm trixie; do
        for layout in plain lvm btrfs; do
            generate "$suite" "$layout"
            diff "$golden/$suite-$layout.cfg" - <<< "$section"
        done
    done
}

# The menu's own number depends on how many entries come before it.
numberless() {
    sed 's/|[0-9]*)(>/|N)(>/'
}

@test "it does not change with submenus, recovery entries, a saved default or unrestricted normal entries" {
    local suite line unrestricted
    for suite in bookworm trixie; do
        for line in GRUB_DISABLE_SUBMENU=true GRUB_DISABLE_RECOVERY=true GRUB_SAVEDEFAULT=true GRUB_DEFAULT=saved \
            GRUB_DISABLE_OS_PROBER=false; do
            generate "$suite" plain "$line"
            diff <(numberless < "$golden/$suite-plain.cfg") <(numberless <<< "$section")
        done
        unrestricted=1
        generate "$suite" plain
        diff <(numberless < "$golden/$suite-plain.cfg") <(numberless <<< "$section")
        unrestricted=
    done
}

without_ours() {
    rm "$1/etc/grub.d/45_noptrace"
}

@test "the normal entries are the same with it and without it" {
    local suite with prepare
    for suite in bookworm trixie; do
        generate "$suite" plain GRUB_SAVEDEFAULT=true
        with=$normal
        prepare=without_ours
        generate "$suite" plain GRUB_SAVEDEFAULT=true
        prepare=
        assert_equal "$normal" "$with"
        refute_regex "$normal" maintenance
    done
}

@test "an apostrophe in the distributor's name is quoted" {
    generate bookworm plain "GRUB_DISTRIBUTOR=\"Bob's\""
    assert_regex "$section" "menuentry 'Bob'\\\\''s GNU/Linux, with Linux 6.1.0-10-amd64 \\(maintenance\\)' --class bob_s"
}

# set_knob LINE: in noptrace.cfg, of the tree that generate makes.
knob=
set_knob() {
    sed "s/^${knob%%=*}=.*/$knob/" "$1/etc/default/grub.d/noptrace.cfg" > "$BATS_TEST_TMPDIR/cfg"
    rm "$1/etc/default/grub.d/noptrace.cfg"
    cp "$BATS_TEST_TMPDIR/cfg" "$1/etc/default/grub.d/noptrace.cfg"
}

@test "the knobs: title, users, hotkey, and no menu" {
    local prepare=set_knob
    knob="NOPTRACE_MENU_TITLE=\"Bob's workshop\""
    generate bookworm plain
    assert_regex "$section" $'\n'"submenu 'Bob'\\\\''s workshop' \\\$menuentry_id_option 'noptrace-maintenance' --users '' \\{"
    knob="NOPTRACE_MENU_USERS='alice bob'"
    generate bookworm plain
    assert_equal "$(grep -c -- "--users 'alice bob' {" <<< "$section")" 3
    knob=NOPTRACE_MENU_HOTKEY=x
    generate bookworm plain
    assert_equal "$(grep -c -- '--hotkey=x' <<< "$section")" 1
    knob=NOPTRACE_MENU=no
    generate bookworm plain
    assert_equal "$(grep -vc '^###' <<< "$section")" 0
    assert_equal "$(grep noptrace <<< "$stderr")" ''
}

# assert_refuses TEXT: no menu, and this line on stderr.
assert_refuses() {
    assert_equal "$(grep -vc '^###' <<< "$section")" 0
    assert_equal "$(grep noptrace <<< "$stderr")" "noptrace: $1; no maintenance menu written"
}

@test "what is not sure to be right is not written, and the reason is" {
    local prepare=''
    generate bookworm plain 'GRUB_CMDLINE_LINUX="quiet maintenance"'
    assert_refuses 'GRUB_CMDLINE_LINUX has the word maintenance: every normal boot is open; take it out'
    generate bookworm plain GRUB_DEFAULT=noptrace-maintenance
    assert_refuses 'GRUB_DEFAULT names it: every boot would be open; choose a normal entry'
    # 0 and 1 are 10_linux's two
    generate bookworm plain GRUB_DEFAULT=1
    assert_regex "$section" submenu
    generate bookworm plain GRUB_DEFAULT=2
    assert_refuses 'GRUB_DEFAULT is 2, which would be its number: every boot would be open; choose an entry that is there'
    prepare=set_knob
    knob=NOPTRACE_MENU=maybe
    generate bookworm plain
    assert_refuses 'NOPTRACE_MENU=maybe: is yes or no'
    knob=NOPTRACE_MENU_HOTKEY=F2
    generate bookworm plain
    assert_refuses 'NOPTRACE_MENU_HOTKEY=F2: is one letter or digit'
    knob="NOPTRACE_MENU_USERS='a;b'"
    generate bookworm plain
    assert_refuses 'NOPTRACE_MENU_USERS=a;b: names of GRUB users, separated by spaces'
}

# edit_10_linux TREE: with the sed script $edit.
edit=
edit_10_linux() {
    sed "$edit" "$1/etc/grub.d/10_linux" > "$BATS_TEST_TMPDIR/10_linux"
    rm "$1/etc/grub.d/10_linux"
    install -m 755 "$BATS_TEST_TMPDIR/10_linux" "$1/etc/grub.d/10_linux"
}

@test "a 10_linux that does something else is not trusted" {
    local prepare=edit_10_linux word='/etc/grub.d/10_linux did not give an entry for each kernel with the word maintenance once on its command line'
    # the word is lost, behind a --, twice, in a value, and not of the kernel at all
    for edit in 's/^\(\tlinux\t.*\) \${args}$/\1/' 's/ ro \${args}$/ ro -- ${args}/' 's/ ro \${args}$/ ro ${args} ${args}/' \
        's/ ro \${args}$/ ro x=${args}/' 's/^\tlinux\t/\tmultiboot\t/'; do
        generate bookworm plain
        assert_refuses "$word"
    done
    # only when it is run by ours
    edit='s/^\tinitrd\t/\t${GRUB_DISABLE_RECOVERY:+if }initrd\t/'
    generate bookworm plain
    assert_refuses 'grub-script-check does not take it'
    edit='2i[ -z "$GRUB_DISABLE_RECOVERY" ] || exit 3'
    generate bookworm plain
    assert_refuses '/etc/grub.d/10_linux failed'
}

remove_program() {
    rm "$1/usr/sbin/noptrace"
}

@test "it is silent where 10_linux is Fedora's, and where the program was removed" {
    local prepare=edit_10_linux
    edit='2i# update_bls_cmdline'
    generate bookworm plain
    assert_equal "$(grep -vc '^###' <<< "$section")" 0
    assert_equal "$(grep noptrace <<< "$stderr")" ''
    prepare=remove_program
    generate bookworm plain
    assert_equal "$(grep -vc '^###' <<< "$section")" 0
    assert_equal "$(grep noptrace <<< "$stderr")" ''
}
