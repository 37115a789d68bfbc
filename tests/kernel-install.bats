#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The maintenance entries of the Boot Loader Specification: systemd's own kernel-install of Debian 12 (252) and
# 13 (257) in a scratch root, with our plugin.

# Each test is a subshell, and sets what it uses.
# shellcheck disable=SC2030,SC2031

# shellcheck source=tests/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

setup_file() {
    local suite
    for suite in bookworm trixie; do
        local tree=$BATS_FILE_TMPDIR/$suite
        variant_of "${!suite}" "$tree"
        rm -r "${tree:?}"/boot/* "$tree/usr/lib/modules"
        mkdir -p "$tree"/{boot/loader/entries,etc/kernel,usr/lib/modules/6.1.0-{9,10}-test}
        rm -f "$tree/etc/machine-id"
        echo 0123456789abcdef0123456789abcdef > "$tree/etc/machine-id"
        printf '%s\n' layout=bls BOOT_ROOT=/boot initrd_generator=none > "$tree/etc/kernel/install.conf"
        echo debian > "$tree/etc/kernel/entry-token"
        echo kernel > "$tree/vmlinuz"
        # only what writes entries
        rm -f "$tree"/usr/lib/kernel/install.d/{50-depmod,50-dracut,51-dracut-rescue,55-initrd,85-initrd}.install
    done
}

# use SUITE: a fresh machine of it, in $tree.
use() {
    tree=$BATS_TEST_TMPDIR/$1
    rm -rf "$tree"
    variant_of "$BATS_FILE_TMPDIR/$1" "$tree"
    entries=$tree/boot/loader/entries
    booted_with='root=LABEL=debian quiet'
    rm -f "$tree/etc/kernel/cmdline"
}

# kernel_install add|remove VERSION: on a machine that was booted with $booted_with.
kernel_install() {
    local arguments=("$1" "$2")
    [[ $1 == remove ]] || {
        arguments+=(/vmlinuz)
        mkdir -p "$tree/boot/debian/$2"
    }
    echo "$booted_with" > "$BATS_TEST_TMPDIR/cmdline"
    # shellcheck disable=SC2016 # the inner shell's
    run unshare --mount sh -e -c 'tree=$1; mount -t proc proc "$tree/proc"; mount --bind "$2" "$tree/proc/cmdline"
        mount --bind /dev/null "$tree/dev/null"; shift 2; TMPDIR=/tmp exec chroot "$tree" kernel-install "$@"' - \
        "$tree" "$BATS_TEST_TMPDIR/cmdline" "${arguments[@]}"
    assert_success
}

normal=debian-6.1.0-10-test.conf
maintenance=debian-6.1.0-10-test-maintenance.conf

listed() {
    (cd "$entries" && ls -A)
}

@test "a kernel's installation adds the maintenance entry, beside the normal one that it leaves alone" {
    local suite
    for suite in bookworm trixie; do
        use "$suite"
        kernel_install add 6.1.0-10-test
        run listed
        assert_output "$(printf '%s\n' "$maintenance" "$normal")"
        run cat "$entries/$normal"
        refute_output --partial maintenance
        # the same but for these lines
        run diff "$entries/$normal" "$entries/$maintenance"
        assert_line --regexp '^> title +Debian GNU/Linux 1[23] \([a-z]+\) \(maintenance\)$'
        assert_line --regexp '^> sort-key +debian-maintenance$'
        assert_line --regexp '^> options +maintenance root=LABEL=debian quiet( |$)'
        assert_equal "$(grep -c '^>' <<< "$output")" 4
        assert_equal "$(grep -c '^<' <<< "$output")" 3
    done
}

@test "adding twice changes nothing, and removing takes our entry with it" {
    local suite before
    for suite in bookworm trixie; do
        use "$suite"
        kernel_install add 6.1.0-9-test
        kernel_install add 6.1.0-10-test
        before=$(listed && cat "$entries"/*)
        kernel_install add 6.1.0-10-test
        assert_equal "$(listed && cat "$entries"/*)" "$before"
        assert_equal "$(listed | wc -l)" 4
        kernel_install remove 6.1.0-10-test
        run listed
        assert_output "$(printf '%s\n' debian-6.1.0-9-test-maintenance.conf debian-6.1.0-9-test.conf)"
        kernel_install remove 6.1.0-9-test
        assert_equal "$(listed)" ''
    done
}

@test "with /etc/kernel/cmdline the entry has its words" {
    local suite
    for suite in bookworm trixie; do
        use "$suite"
        echo 'root=LABEL=other ro -- single' > "$tree/etc/kernel/cmdline"
        kernel_install add 6.1.0-10-test
        grep -qxE 'options +maintenance root=LABEL=other ro -- single' "$entries/$maintenance"
    done
}

@test "with boot counting the maintenance entry does not count" {
    local suite
    for suite in bookworm trixie; do
        use "$suite"
        echo 3 > "$tree/etc/kernel/tries"
        kernel_install add 6.1.0-10-test
        run listed
        assert_output "$(printf '%s\n' debian-6.1.0-10-test+3.conf "$maintenance")"
        kernel_install remove 6.1.0-10-test
        assert_equal "$(listed)" ''
    done
}

@test "a kernel installed in a maintenance boot does not open its normal entry" {
    local suite
    for suite in bookworm trixie; do
        use "$suite"
        booted_with='root=LABEL=debian maintenance x="a maintenance b" -- maintenance'
        kernel_install add 6.1.0-10-test
        assert_line "noptrace: /boot/loader/entries/$normal: took out the word maintenance, which came from this boot's own command line"
        grep -qE '^options +root=LABEL=debian x="a maintenance b" -- maintenance( |$)' "$entries/$normal"
        grep -qE '^options +maintenance root=LABEL=debian x="a maintenance b" -- maintenance( |$)' "$entries/$maintenance"
    done
}

@test "where somebody wrote the word, or an earlier entry has it, that is said" {
    local suite
    for suite in bookworm trixie; do
        use "$suite"
        echo 'root=LABEL=debian maintenance' > "$tree/etc/kernel/cmdline"
        kernel_install add 6.1.0-9-test
        assert_line "noptrace: /etc/kernel/cmdline has the word maintenance: /boot/loader/entries/debian-6.1.0-9-test.conf would be open at every boot; take it out of both"
        grep -qE '^options +root=LABEL=debian maintenance$' "$entries/debian-6.1.0-9-test.conf"
        rm "$tree/etc/kernel/cmdline"
        kernel_install add 6.1.0-10-test
        assert_line "noptrace: /boot/loader/entries/debian-6.1.0-9-test.conf has the word maintenance: it would be open at every boot; take it out"
    done
}

@test "what cannot be done does not fail the kernel's installation" {
    use bookworm
    # no sort-key: ours could come first
    rm "$tree/usr/lib/os-release" "$tree/etc/os-release"
    echo NAME=x > "$tree/usr/lib/os-release"
    kernel_install add 6.1.0-10-test
    assert_line "noptrace: /boot/loader/entries/$normal has no sort-key: a maintenance entry could come before it, and is not written"
    assert_equal "$(listed)" "$normal"

    use bookworm
    rm "$tree/usr/sbin/noptrace"
    kernel_install add 6.1.0-10-test
    assert_equal "$(listed)" "$normal"
    use trixie
    rm "$tree/etc/default/grub.d/noptrace.cfg"
    echo NOPTRACE_MENU=no > "$tree/etc/default/grub.d/noptrace.cfg"
    kernel_install add 6.1.0-10-test
    assert_equal "$(listed)" "$normal"
}

# The entry that Fedora's 20-grub writes, whose GRUB reads these entries.
@test "where GRUB reads the entries, ours asks for a password and sorts below its normal entry" {
    use bookworm
    sed -i 's/^layout=.*/layout=other/' "$tree/etc/kernel/install.conf"
    cat > "$entries/0123-6.1.0-10-test.conf" << 'END'
title Fedora Linux (6.1.0-10-test) 40
version 6.1.0-10-test
linux /vmlinuz-6.1.0-10-test
initrd /initramfs-6.1.0-10-test.img
options root=UUID=1 ro rhgb
grub_users $grub_users
grub_arg --unrestricted
grub_class fedora
END
    kernel_install add 6.1.0-10-test
    run cat "$entries/0123-6.1.0-10-test~maintenance.conf"
    assert_output - << 'END'
# noptrace: maintenance entry
title Fedora Linux (6.1.0-10-test) 40 (maintenance)
version 6.1.0-10-test
linux /vmlinuz-6.1.0-10-test
initrd /initramfs-6.1.0-10-test.img
options    maintenance root=UUID=1 ro rhgb
grub_class fedora
grub_users root
END
    kernel_install remove 6.1.0-10-test
    assert_equal "$(listed)" 0123-6.1.0-10-test.conf
}

# blscfg sorts by the names of the files, without .conf, as rpm compares versions, the newest first.
@test "in Fedora's menu each maintenance entry comes right below its normal one" {
    local names=(0123-6.1.0-10-test 0123-6.1.0-9-test 0123-5.19.0-200-test) name sorted=() i
    for name in "${names[@]}"; do sorted+=("$name" "$name~maintenance"); done
    for ((i = 1; i < ${#sorted[@]}; i++)); do
        assert_equal "$(rpm --eval "%{lua: print(rpm.vercmp('${sorted[i - 1]}', '${sorted[i]}'))}")" 1
    done
    # the name that systemd's tools would take comes first there, and would be the default
    assert_equal "$(rpm --eval "%{lua: print(rpm.vercmp('${names[0]}-maintenance', '${names[0]}'))}")" 1
}
