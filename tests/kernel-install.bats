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
        # many copies are made of it
        rm -r "${tree:?}"/boot/* "$tree"/usr/lib/{modules,dracut,grub,udev} \
            "$tree"/usr/share/{bash-completion,doc,locale,man,perl5,zoneinfo}
        mkdir -p "$tree"/{boot/loader/entries,etc/kernel,usr/lib/modules/6.1.0-{9,10}-test}
        rm -f "$tree/etc/machine-id"
        echo 0123456789abcdef0123456789abcdef > "$tree/etc/machine-id"
        printf '%s\n' layout=bls BOOT_ROOT=/boot initrd_generator=none > "$tree/etc/kernel/install.conf"
        echo debian > "$tree/etc/kernel/entry-token"
        echo kernel > "$tree/vmlinuz"
        # only what writes entries
        mkdir "$tree/plugins"
        mv "$tree"/usr/lib/kernel/install.d/{50-depmod,50-dracut,51-dracut-rescue,55-initrd,85-initrd}.install \
            "$tree/plugins" 2> /dev/null || true
    done
}

# use SUITE: a fresh machine of it, in $tree.
use() {
    tree=$BATS_TEST_TMPDIR/$1
    rm -rf "$tree"
    variant_of "$BATS_FILE_TMPDIR/$1" "$tree"
    entries=$tree/boot/loader/entries
    booted_with='root=LABEL=debian quiet' token=debian
}

# empty: the machine with nothing in its boot partition, and no variables.
empty() {
    rm -rf "$tree"/boot/loader "$tree/sys/firmware"
    mkdir -p "$entries"
}

# kernel_install add|remove VERSION: on a machine that was booted with $booted_with.
kernel_install() {
    try_kernel_install "$@"
    assert_success
}

# The same, which may fail.
try_kernel_install() {
    local arguments=("$1" "$2")
    [[ $1 == remove ]] || {
        arguments+=(/vmlinuz)
        mkdir -p "$tree/boot/$token/$2"
    }
    echo "$booted_with" > "$BATS_TEST_TMPDIR/cmdline"
    # shellcheck disable=SC2016 # the inner shell's
    run unshare --mount sh -e -c 'tree=$1; mount -t proc proc "$tree/proc"; mount --bind "$2" "$tree/proc/cmdline"
        mount --bind /dev/null "$tree/dev/null"; shift 2; TMPDIR=/tmp exec chroot "$tree" kernel-install "$@"' - \
        "$tree" "$BATS_TEST_TMPDIR/cmdline" "${arguments[@]}"
}

# plugin NAME: what stdin says, as a plugin of kernel-install, a shell script with its $boot.
plugin() {
    {
        printf '#!/bin/sh\nboot=/boot/loader/entries\n'
        cat
    } > "$tree/usr/lib/kernel/install.d/$1.install"
    chmod +x "$tree/usr/lib/kernel/install.d/$1.install"
}

# look_again [clean|add VERSION]: the plugin is called by hand, with an environment that has its variables' names.
look_again() {
    # shellcheck disable=SC2016 # the inner shell's
    run unshare --mount sh -e -c 'tree=$1; shift; mount -t proc proc "$tree/proc"
        exec env line=0123456789abcdef0123456789abcdef grub=odd environment=odd unread=/odd chroot "$tree" /usr/lib/kernel/install.d/95-noptrace.install "$@"' - "$tree" "${@:-add}"
    assert_success
}

# default_entry: what systemd-boot boots when nobody picks anything, as bootctl has it.
default_entry() {
    # shellcheck disable=SC2016 # the inner shell's
    unshare --mount sh -e -c 'mount -t proc proc "$1/proc"; mount -t tmpfs tmpfs "$1/mnt"; cp -r "$1/boot/." "$1/mnt"
        mount --bind "$1/mnt" "$1/boot"; SYSTEMD_RELAX_ESP_CHECKS=1 exec chroot "$1" bootctl --esp-path=/boot list' - "$tree" \
        | awk '/^ *title: .*\(default\)/ { found = 1 } found && $1 == "id:" { print $2; exit }'
}

# efi_variable NAME VALUE: one of the boot loader's.
efi_variable() {
    mkdir -p "$tree/sys/firmware/efi/efivars"
    { printf '\7\0\0\0' && printf '%s\0' "$2" | iconv -t UTF-16LE; } > \
        "$tree/sys/firmware/efi/efivars/$1-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
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
        rm "$entries/$maintenance"
        (umask 077 && look_again)
        assert_equal "$(stat -c %a "$entries/$maintenance")" 644
    done
}

@test "adding twice changes nothing, and removing takes our entry with it" {
    local suite before files
    for suite in bookworm trixie; do
        use "$suite"
        kernel_install add 6.1.0-9-test
        kernel_install add 6.1.0-10-test
        before=$(listed && cat "$entries"/*)
        kernel_install add 6.1.0-10-test
        assert_equal "$(listed && cat "$entries"/*)" "$before"
        # not even written again, where no kernel is installed
        files=$(stat -c %i "$entries"/*-maintenance.conf)
        look_again
        assert_equal "$(listed && cat "$entries"/*)" "$before"
        assert_equal "$(stat -c %i "$entries"/*-maintenance.conf)" "$files"
        assert_equal "$(listed | wc -l)" 4
        kernel_install remove 6.1.0-10-test
        run listed
        assert_output "$(printf '%s\n' debian-6.1.0-9-test-maintenance.conf debian-6.1.0-9-test.conf)"
        kernel_install remove 6.1.0-9-test
        assert_equal "$(listed)" ''
    done
}

@test "called by hand, it knows this system's entries by the id of the machine where there is no token" {
    local suite other ours
    for suite in bookworm trixie; do
        use "$suite"
        rm "$tree/etc/kernel/entry-token"
        token=0123456789abcdef0123456789abcdef
        kernel_install add 6.1.0-10-test
        ours=$token-6.1.0-10-test-maintenance.conf
        rm "$entries/$ours"
        look_again
        assert [ -e "$entries/$ours" ]
        # and is no other's, with or without an id
        # machines share the file
        rm "$tree/etc/machine-id"
        for other in other none; do
            echo "$other" > "$tree/etc/machine-id"
            look_again clean
            assert [ -e "$entries/$ours" ]
        done
        rm "$tree/etc/machine-id"
        look_again clean
        assert [ -e "$entries/$ours" ]
        echo "$token" > "$tree/etc/machine-id"
        # nor does it know any other call, which is no failure
        look_again inspect
        assert_output ''
        assert [ -e "$entries/$ours" ]
        look_again clean
        refute [ -e "$entries/$ours" ]
        # and where nobody says where the entries are, it looks wherever they may be
        mkdir -p "$tree/efi"
        mv "$tree/boot/loader" "$tree/efi"
        look_again
        assert [ -e "$tree/efi/loader/entries/$ours" ]
    done
}

@test "what a call by hand has written on another partition goes when a default or a setting is against it" {
    local suite there
    for suite in bookworm trixie; do
        use "$suite"
        for there in efi boot/efi esp; do
            mkdir -p "$tree/$there"
            kernel_install add 6.1.0-10-test
            rm -rf "${tree:?}/$there/loader"
            mv "$tree/boot/loader" "$tree/$there"
            mkdir -p "$entries"
            rm "$tree/$there/loader/entries/$maintenance"
            KERNEL_INSTALL_BOOT_ROOT=/$there look_again
            assert [ -e "$tree/$there/loader/entries/$maintenance" ]
            echo 'default @saved' > "$tree/boot/loader/loader.conf"
            SYSTEMD_ESP_PATH=/esp kernel_install add 6.1.0-9-test
            assert_line "noptrace: /$there/loader/entries/$maintenance is not there: default @saved would boot it again after somebody picked it"
            refute [ -e "$tree/$there/loader/entries/$maintenance" ]
            rm "$tree/boot/loader/loader.conf"
            SYSTEMD_ESP_PATH=/esp kernel_install add 6.1.0-9-test
            assert [ -e "$tree/$there/loader/entries/$maintenance" ]
            rm "$tree/etc/default/grub.d/noptrace.cfg"
            echo NOPTRACE_MENU=no > "$tree/etc/default/grub.d/noptrace.cfg"
            SYSTEMD_ESP_PATH=/esp kernel_install remove 6.1.0-9-test
            refute [ -e "$tree/$there/loader/entries/$maintenance" ]
            : > "$tree/etc/default/grub.d/noptrace.cfg"
            rm -r "${tree:?}/$there/loader"
        done
    done
}

@test "where a plugin fails, or says that it was the last, no maintenance entry is left, and no word of a maintenance boot" {
    local suite code
    for suite in bookworm trixie; do
        for code in 1 77; do
            use "$suite"
            kernel_install add 6.1.0-9-test
            echo 3 > "$tree/etc/kernel/tries"
            kernel_install add 6.1.0-10-test
            assert [ -e "$entries/$maintenance" ]
            mv "$entries/debian-6.1.0-10-test+3.conf" "$entries/debian-6.1.0-10-test+0-3.conf"
            plugin 91-last <<< "exit $code"
            try_kernel_install remove 6.1.0-9-test
            refute_output --partial noptrace
            assert_equal "$(listed)" debian-6.1.0-10-test+0-3.conf
            # nor of those behind an entry that is written anew
            rm "$tree/usr/lib/kernel/install.d/91-last.install" "$tree/etc/kernel/tries"
            kernel_install add 6.1.0-9-test
            assert [ -e "$entries/debian-6.1.0-9-test-maintenance.conf" ]
            plugin 91-last <<< "exit $code"
            booted_with='root=LABEL=debian maintenance quiet'
            try_kernel_install add 6.1.0-9-test
            assert_line 'noptrace: /boot/loader/entries/debian-6.1.0-9-test.conf: took out the word maintenance, which came from this boot'"'"'s own command line'
            assert_equal "$(grep -rl maintenance "$entries")" ''
            assert_equal "$(listed)" $'debian-6.1.0-10-test+0-3.conf\ndebian-6.1.0-9-test.conf'
            # once it goes on to the end they are there again
            rm "$tree/usr/lib/kernel/install.d/91-last.install"
            kernel_install add 6.1.0-9-test
            assert [ -e "$entries/debian-6.1.0-9-test-maintenance.conf" ]
        done
    done
    # Fedora's writer is another, and images are built behind it
    use trixie
    rm "$tree/usr/lib/kernel/install.d/90-loaderentry.install"
    # shellcheck disable=SC2016 # that script's
    plugin 20-grub <<< 'printf "title x\nversion %s\nlinux /vmlinuz\noptions %s\n" "$2" "$(cat /proc/cmdline)" > "$boot/debian-$2.conf"'
    plugin 51-rescue <<< 'exit 1'
    booted_with='root=LABEL=debian maintenance quiet'
    try_kernel_install add 6.1.0-10-test
    assert_failure
    assert_line --partial 'took out the word maintenance'
    assert_equal "$(grep options "$entries/$normal")" 'options root=LABEL=debian quiet'
}

@test "an entry that nothing would find later, by its token, is not written, and what to do is said" {
    local suite
    for suite in bookworm trixie; do
        use "$suite"
        # machines share these files
        rm "$tree/etc/machine-id" "$tree/etc/kernel/entry-token"
        echo uninitialized > "$tree/etc/machine-id"
        kernel_install add 6.1.0-10-test
        token=$(listed | sed -n 's/-6.1.0-10-test.conf//p')
        assert_equal "$(listed)" "$token-6.1.0-10-test.conf"
        assert_line "noptrace: /boot/loader/entries/$token-6.1.0-10-test-maintenance.conf is not there: nothing would find it later; put $token into /etc/kernel/entry-token"
        echo "$token" > "$tree/etc/kernel/entry-token"
        look_again
        assert [ -e "$entries/$token-6.1.0-10-test-maintenance.conf" ]
        look_again clean
        assert_equal "$(listed)" "$token-6.1.0-10-test.conf"
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

@test "where somebody wrote the word, or an earlier entry has it, that is said, also if it has no title" {
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
        # once, by whichever names the plugin is there
        assert_equal "$(grep -c '^noptrace: .*-9-test.conf has' <<< "$output")" 1
        sed -i '/^title/d' "$entries/debian-6.1.0-9-test.conf"
        look_again
        assert_line "noptrace: /boot/loader/entries/debian-6.1.0-9-test.conf has the word maintenance: it would be open at every boot; take it out"
        # nor is a file blamed that does not have it
        echo root=LABEL=debian > "$tree/etc/kernel/cmdline"
        plugin 93-open <<< "sed -i 's/^options.*/& maintenance/' \"\$boot/debian-\$2.conf\""
        kernel_install add 6.1.0-10-test
        assert_line "noptrace: /boot/loader/entries/$normal has the word maintenance: it would be open at every boot; take it out"
        # nor is it taken out where it is not from this boot's command line
        booted_with='root=LABEL=debian maintenance'
        kernel_install add 6.1.0-10-test
        assert_line "noptrace: /boot/loader/entries/$normal has the word maintenance: it would be open at every boot; take it out"
        rm "$tree/etc/kernel/cmdline"
        booted_with='root=LABEL=debian'
        kernel_install add 6.1.0-10-test
        assert_line "noptrace: /boot/loader/entries/$normal has the word maintenance: it would be open at every boot; take it out"
    done
}

# What systemd-boot makes of names and sort-keys is read in its sources, and asked of bootctl.
@test "a maintenance entry is there only behind an entry that counts no tries, and so never the default" {
    local suite older=debian-6.1.0-9-test
    for suite in bookworm trixie; do
        use "$suite"
        echo 3 > "$tree/etc/kernel/tries"
        kernel_install add 6.1.0-9-test
        assert_line "noptrace: /boot/loader/entries/$older-maintenance.conf is not there: the default of a boot whose tries are used up could be this one: no entry whose kernel is there, without boot counting, comes before it"
        assert_equal "$(listed)" "$older+3.conf"
        # another system's may be removed
        sed 's/\(^title\).*/\1 Other/' "$entries/$older+3.conf" > "$entries/other-1.conf"
        look_again
        assert_equal "$(listed)" "$(printf '%s\n' "$older+3.conf" other-1.conf)"
        rm "$entries/other-1.conf"
        # it has booted, and was blessed
        mv "$entries/$older+3.conf" "$entries/$older.conf"
        look_again
        assert_equal "$(listed)" "$(printf '%s\n' "$older-maintenance.conf" "$older.conf")"

        # the tries of another are used up one by one
        kernel_install add 6.1.0-10-test
        mv "$entries/debian-6.1.0-10-test+3.conf" "$entries/debian-6.1.0-10-test+1-2.conf"
        assert_equal "$(default_entry | sed 's/+1-2//')" "$normal"
        mv "$entries/debian-6.1.0-10-test+1-2.conf" "$entries/debian-6.1.0-10-test+0-3.conf"
        assert_equal "$(default_entry)" "$older.conf"
        assert [ -e "$entries/$maintenance" ]
        look_again
        assert [ -e "$entries/$maintenance" ]

        # the one that was there for all is gone
        kernel_install remove 6.1.0-9-test
        assert_line --partial "$maintenance is not there: the default of a boot whose tries are used up could be this one"
        assert_equal "$(listed)" debian-6.1.0-10-test+0-3.conf
        # what would be if not
        printf '%s\n' 'title X' 'sort-key debian-maintenance' 'version 6.1.0-10-test' 'linux /debian/6.1.0-10-test/linux' \
            > "$entries/$maintenance"
        assert_equal "$(default_entry)" "$maintenance"
    done
}

# Whose kernel was deleted to have room, and what is not for this machine: systemd-boot leaves them out.
@test "a maintenance entry is not there behind an entry that systemd-boot does not show" {
    local suite older=debian-6.1.0-9-test kernel=/boot/debian/6.1.0-9-test/linux line
    for suite in bookworm trixie; do
        use "$suite"
        kernel_install add 6.1.0-9-test
        echo 3 > "$tree/etc/kernel/tries"
        kernel_install add 6.1.0-10-test
        assert [ -e "$entries/$maintenance" ]
        cp "$entries/$older.conf" "$tree/normal"
        while IFS= read -r line; do
            sed "$line" "$tree/normal" > "$entries/$older.conf"
            look_again
            assert_line "noptrace: /boot/loader/entries/$maintenance is not there: the default of a boot whose tries are used up could be this one: no entry whose kernel is there, without boot counting, comes before it"
            refute [ -e "$entries/$maintenance" ]
            cp "$tree/normal" "$entries/$older.conf"
            look_again
            assert [ -e "$entries/$maintenance" ]
        done << 'END'
s,^linux.*,linux /boot/nothing,
s,^linux.*,linux /boot/debian,
s,^linux.*,linux boot/debian/6.1.0-9-test/linux,
s,^linux.*,linux /../boot/debian/6.1.0-9-test/linux,
s,^linux.*,linux /boot/loader/../debian/6.1.0-9-test/linux,
s,^linux.*,&\n&,
s,^linux,architecture nothing\n&,
s,^linux,efi /x.efi\n&,
$a sort-key zzz
END
        rm "$tree$kernel"
        look_again
        assert_equal "$(listed)" "$(printf '%s\n' debian-6.1.0-10-test+3.conf "$older.conf")"
    done
}

@test "where the boot partition is one of its own, a kernel's path begins there" {
    local suite
    for suite in bookworm trixie; do
        use "$suite"
        plugin 10-mount << 'END'
mount -t tmpfs tmpfs /boot && mkdir -p "$boot" "$3"
END
        plugin 96-show << 'END'
ls "$boot"
grep ^linux "$boot"/*-test.conf
END
        kernel_install add 6.1.0-10-test
        assert_line "$maintenance"
        assert_line --regexp '^linux +/debian/6.1.0-10-test/linux$'
    done
}

@test "an entry that is installed again, and counts its tries once more, is no longer one to stand behind" {
    local suite
    for suite in bookworm trixie; do
        use "$suite"
        kernel_install add 6.1.0-10-test
        assert [ -e "$entries/$maintenance" ]
        echo 3 > "$tree/etc/kernel/tries"
        # systemd 252 leaves the one without tries there
        rm "$entries/$normal"
        kernel_install add 6.1.0-10-test
        assert_equal "$(listed)" debian-6.1.0-10-test+3.conf
    done
}

@test "where a default of systemd-boot could find a maintenance entry, there is none, and the reason is said" {
    local suite set
    for suite in bookworm trixie; do
        use "$suite"
        # in loader.conf: what finds the first of many, and what finds another kernel
        for set in 'debian-*' "$normal" 'DEBIAN-6.1.0-1?-test*' windows.conf "debian-6.1.0-9-test.conf" ''; do
            empty
            printf 'timeout 3\ndefault %s\n' "$set" > "$tree/boot/loader/loader.conf"
            kernel_install add 6.1.0-10-test
            assert [ -e "$entries/$maintenance" ]
            assert_equal "$(default_entry)" "$normal"
        done
        for set in '*maintenance*' "$maintenance" 'DEBIAN-*-Maintenance.conf' 'debian-6.1.0-10-test-?*'; do
            empty
            kernel_install add 6.1.0-10-test
            printf 'timeout 3\r\n\tdefault\t%s \r\n' "$set" > "$tree/boot/loader/loader.conf"
            assert_equal "$(default_entry)" "$maintenance"
            look_again
            assert_line "noptrace: /boot/loader/entries/$maintenance is not there: the default ${set,,} could be this one: no entry whose kernel is there, without boot counting, comes before it"
            assert_equal "$(listed) $(default_entry)" "$normal $normal"
        done
        for set in '[cd]ebian-*' '"debian-*"'; do
            empty
            echo "default $set" > "$tree/boot/loader/loader.conf"
            kernel_install add 6.1.0-10-test
            assert_line --partial "it cannot be told whether the default $set finds it"
            assert_equal "$(listed)" "$normal"
        done
        # by a variable, which comes first
        empty
        kernel_install add 6.1.0-10-test
        efi_variable LoaderEntryDefault "$maintenance"
        assert_equal "$(default_entry)" "$maintenance"
        look_again
        assert_equal "$(listed) $(default_entry)" "$normal $normal"
        efi_variable LoaderEntryDefault "$normal"
        look_again
        assert [ -e "$entries/$maintenance" ]
        # or by another, behind that
        efi_variable LoaderEntryPreferred "$maintenance"
        look_again
        assert_equal "$(listed)" "$normal"
        rm "$tree"/sys/firmware/efi/efivars/LoaderEntryPreferred-*
        # what was picked last
        efi_variable LoaderEntryLastBooted "$maintenance"
        for set in variable file; do
            case $set in
                variable) efi_variable LoaderEntryDefault @saved ;;
                file)
                    rm "$tree"/sys/firmware/efi/efivars/LoaderEntryDefault-*
                    echo 'default @saved' > "$tree/boot/loader/loader.conf"
                    ;;
            esac
            kernel_install add 6.1.0-10-test
            assert_line "noptrace: /boot/loader/entries/$maintenance is not there: default @saved would boot it again after somebody picked it"
            assert_equal "$(listed)" "$normal"
        done
        # what cannot be seen, in a boot by systemd-boot
        rm "$tree/boot/loader/loader.conf"
        efi_variable LoaderInfo 'systemd-boot 252.39'
        # whatever the environment says
        esp=/efi kernel_install add 6.1.0-10-test
        assert_line "noptrace: /boot/loader/entries/$maintenance is not there: the ESP is not mounted, and its loader.conf could name it"
        assert_equal "$(listed)" "$normal"
        efi_variable LoaderInfo 'GRUB 2.12'
        look_again
        assert [ -e "$entries/$maintenance" ]
        efi_variable LoaderInfo 'systemd-boot 252.39'
        for set in systemd BOOT; do
            look_again
            assert_equal "$(listed)" "$normal"
            mkdir -p "$tree/efi/EFI/$set"
            look_again
            assert [ -e "$entries/$maintenance" ]
            rmdir "$tree/efi/EFI/$set"
        done
        rm "$tree"/sys/firmware/efi/efivars/LoaderInfo-*
        # what cannot be read
        printf 'default x\0\n' > "$tree/boot/loader/loader.conf"
        look_again
        assert_line "noptrace: /boot/loader/entries/$maintenance is not there: it cannot be told whether the default @/boot/loader/loader.conf finds it"
        assert_equal "$(listed)" "$normal"
        rm "$tree"/boot/loader/loader.conf
    done
}

# bootctl goes by what the environment says of the ESP.
@test "a default is found in the loader.conf of whatever partition there is one on" {
    use trixie
    kernel_install add 6.1.0-10-test
    mkdir -p "$tree/esp/loader"
    echo 'default *maintenance*' > "$tree/esp/loader/loader.conf"
    KERNEL_INSTALL_BOOT_ROOT=/boot SYSTEMD_ESP_PATH=/esp look_again
    assert_line --partial "/boot/loader/entries/$maintenance is not there: the default *maintenance* could be this one"

    # the kernels stay where the entries say
    mkdir "$tree/my boot"
    mv "$tree/boot/loader" "$tree/my boot"
    mv "$tree/esp/loader/loader.conf" "$tree/my boot/loader"
    KERNEL_INSTALL_BOOT_ROOT='/my boot' look_again
    assert_line --partial "/my boot/loader/entries/$maintenance is not there: the default *maintenance* could be this one"
}

@test "an entry is on the disk before it has its name" {
    use trixie
    kernel_install add 6.1.0-10-test
    rm "$entries/$maintenance" "$tree/usr/bin/sync"
    # shellcheck disable=SC2016 # that script's
    printf '#!/bin/sh\ngrep "^options" "$1" && ls /boot/loader/entries\n' > "$tree/usr/bin/sync"
    chmod +x "$tree/usr/bin/sync"
    look_again
    assert_line --regexp '^options +maintenance '
    refute_line "$maintenance"
    assert [ -e "$entries/$maintenance" ]
}

@test "what is no file is not waited for" {
    use_grub
    rm -rf "$tree/etc/default/grub"
    mkdir -p "$tree/boot/loader" "$tree/boot/grub2"
    mkfifo "$tree/boot/loader/loader.conf" "$tree/boot/grub2/grubenv" "$tree/etc/default/grub" "$entries/debian-1.conf"
    # shellcheck disable=SC2016 # the inner shell's
    run timeout 20 unshare --mount sh -e -c 'mount -t proc proc "$1/proc"; exec chroot "$1" /usr/lib/kernel/install.d/95-noptrace.install add' - "$tree"
    assert_success
    assert [ -e "$ours" ]
}

# GRUB as Debian's next has it; Fedora's has the other name as well.
@test "where GRUB reads entries of any kind, there is no maintenance entry for systemd-boot, and the reason is said" {
    local config there line
    use trixie
    kernel_install add 6.1.0-10-test
    mkdir -p "$tree/boot/grub" "$tree/boot/grub2" "$tree/boot/efi/EFI/debian" "$tree/efi/EFI/debian" "$tree/boot/EFI/debian"
    for config in /boot/grub /boot/grub2 /boot/efi/EFI/debian /efi/EFI/debian /boot/EFI/debian; do
        echo blscfg > "$tree$config/grub.cfg"
        look_again
        assert_line --partial 'GRUB reads these entries too, and would boot it first'
        assert_equal "$(listed)" "$normal"
        rm "$tree$config/grub.cfg"
    done
    while IFS='|' read -r there line; do
        printf %b "$line\n" > "$tree/boot/grub/grub.cfg"
        look_again
        case $there in
            yes) assert [ -e "$entries/$maintenance" ] ;;
            no) assert_equal "$line: $(listed)" "$line: $normal" ;;
        esac
    done << 'END'
yes|insmod blscfg
no|insmod blscfg\nblscfg
no|insmod  blscfg; blscfg
no|\tbls_import
no|if true; then blscfg; fi
no|if [ x ]; then\n  blscfg non-default\nfi
no|function x {blscfg}
yes|  # blscfg
yes|blscfgs x_blscfg
END
}

# systemd-boot 252 takes double quotes off, 257 any; ours would come before a normal entry whose quotes stay.
@test "a sort-key in quotes has ours behind it, and one of other characters none" {
    local suite key
    for suite in bookworm trixie; do
        use "$suite"
        kernel_install add 6.1.0-10-test
        for key in '"debian"' "'debian'" De_b.1-n; do
            sed -i "s/^sort-key .*/sort-key $key/; s/^version .*/version \"6.1.0-10-test\"/" "$entries/$normal"
            look_again
            assert_equal "$(grep ^sort-key "$entries/$maintenance")" "sort-key $(tr -d "\"'" <<< "$key")-maintenance"
        done
        for key in '"debian' "\"debian'" ' "debian" x' déb 'de"b' 'a b' 'd~b'; do
            sed -i "s/^sort-key .*/sort-key $key/" "$entries/$normal"
            look_again
            assert_line "noptrace: /boot/loader/entries/$maintenance is not there: the sort-key of its normal entry has other characters than letters, digits and ._-"
            assert_equal "$(listed)" "$normal"
        done
    done
}

@test "where somebody else's file has the name, it is left" {
    use trixie
    echo 'title X' > "$entries/$maintenance"
    kernel_install add 6.1.0-10-test
    assert_line "noptrace: /boot/loader/entries/$maintenance is somebody else's, and is left"
    assert_equal "$(cat "$entries/$maintenance")" 'title X'
    # nor is one looked into that is no file
    mkdir "$entries/debian-6.1.0-9-test.conf"
    look_again
    refute_output --partial 6.1.0-9-test
    # nor does one of no kernel get an entry
    printf '%s\n' 'title X' 'version 1' 'sort-key debian' 'efi /x.efi' > "$entries/debian-1.conf"
    look_again
    assert_line 'noptrace: /boot/loader/entries/debian-1.conf gets no entry for maintenance: it has not one linux, or efi, uki or architecture'
    refute [ -e "$entries/debian-1-maintenance.conf" ]
}

@test "a normal entry that somebody made anew from ours is no maintenance entry to remove, and is named" {
    use trixie
    kernel_install add 6.1.0-10-test
    sed '/^sort-key/s/-maintenance$//' "$entries/$maintenance" > "$tree/anew"
    cp "$tree/anew" "$entries/debian-6.1.0-9-test.conf"
    look_again
    assert_line "noptrace: /boot/loader/entries/debian-6.1.0-9-test.conf has the line '# noptrace: maintenance entry' and another's name: take the line out"
    assert_line 'noptrace: /boot/loader/entries/debian-6.1.0-9-test.conf has the word maintenance: it would be open at every boot; take it out'
    cmp "$tree/anew" "$entries/debian-6.1.0-9-test.conf"
    sed -i '/^options/d' "$entries/debian-6.1.0-9-test.conf"
    look_again
    refute_output --partial 'has the word'
    look_again clean
    assert_equal "$(listed)" "$(printf '%s\n' "$normal" debian-6.1.0-9-test.conf)"
}

# systemd-boot takes any case; GRUB does not, nor kernel-install.
@test "an entry whose name ends otherwise than in small letters counts as the others" {
    use trixie
    kernel_install add 6.1.0-10-test
    mv "$entries/$normal" "$entries/${normal%.conf}.CONF"
    sed -i 's/^options.*/& maintenance/' "$entries/${normal%.conf}.CONF"
    look_again
    assert_line "noptrace: /boot/loader/entries/${normal%.conf}.CONF has the word maintenance: it would be open at every boot; take it out"
    assert_equal "$(listed)" "$(printf '%s\n' "$maintenance" "${normal%.conf}.CONF")"
    # it is one to stand behind, by its name too
    echo 'default debian-*-test.conf' > "$tree/boot/loader/loader.conf"
    look_again
    assert [ -e "$entries/$maintenance" ]
    use_grub
    mv "$entries/0123456789abcdef0123456789abcdef-6.1.0-9-test".{conf,Conf}
    kernel_install add 6.1.0-10-test
    assert_line --partial "is not there: with fewer than two kernels of this system, GRUB's entry 1 could be the one for maintenance"
}

@test "a boot partition may have a blank in its name, and is looked at once" {
    use trixie
    kernel_install add 6.1.0-10-test
    sed -i 's/^options.*/& maintenance/' "$entries/$normal"
    look_again
    assert_output "noptrace: /boot/loader/entries/$normal has the word maintenance: it would be open at every boot; take it out"
    rm "$entries/$maintenance"
    mkdir "$tree/my boot"
    mv "$tree/boot/loader" "$tree/my boot"
    KERNEL_INSTALL_BOOT_ROOT='/my boot' look_again
    assert_output "noptrace: /my boot/loader/entries/$normal has the word maintenance: it would be open at every boot; take it out"
    assert [ -e "$tree/my boot/loader/entries/$maintenance" ]
}

@test "another system's entries on the same partition are left, and named where they are open" {
    use trixie
    printf '%s\n' 'title Other' 'version 6.1.0-10-test' 'machine-id 123' 'sort-key other' 'linux /x' 'options maintenance' > "$entries/other-6.1.0-10-test.conf"
    printf '%s\n' '# noptrace: maintenance entry' 'version 6.1.0-10-test' 'linux /x' > "$entries/other-6.1.0-10-test-maintenance.conf"
    kernel_install add 6.1.0-10-test
    assert_line "noptrace: /boot/loader/entries/other-6.1.0-10-test.conf has the word maintenance, and is another system's"
    run listed
    assert_output "$(printf '%s\n' "$maintenance" "$normal" other-6.1.0-10-test-maintenance.conf other-6.1.0-10-test.conf)"
    # whose whole name reads as a count of tries
    printf '%s\n' 'title X' 'version 1' 'sort-key debian' 'linux /x' > "$entries/3.conf"
    look_again
    refute [ -e "$entries/debian-1-maintenance.conf" ]
    rm "$entries/3.conf"
    # as a package does before it takes the plugin away
    look_again clean
    run listed
    assert_output "$(printf '%s\n' "$normal" other-6.1.0-10-test-maintenance.conf other-6.1.0-10-test.conf)"
}

@test "an open entry that is not known to be another system's is to be changed" {
    local entry
    use trixie
    kernel_install add 6.1.0-10-test
    for entry in 'version 1|machine-id "0123456789abcdef0123456789abcdef"|linux /x|options maintenance' \
        'title x|linux /x|options maintenance'; do
        tr '|' '\n' <<< "$entry" > "$entries/debian-mine.conf"
        look_again
        assert_output 'noptrace: /boot/loader/entries/debian-mine.conf has the word maintenance: it would be open at every boot; take it out'
    done
    look_again remove
    assert_output ''
    echo 'machine-id 0123456789abcdef0123456789abcdee' >> "$entries/debian-mine.conf"
    look_again
    assert_output "noptrace: /boot/loader/entries/debian-mine.conf has the word maintenance, and is another system's"
}

@test "a system whose token begins with another's keeps its entries" {
    local id=0123456789abcdef0123456789abcdef theirs
    use trixie
    kernel_install add 6.1.0-10-test
    for theirs in debian-testing "$id-b"; do
        sed 's/6\.1\.0-10-test/6.1/' "$entries/$maintenance" > "$entries/$theirs-6.1-maintenance.conf"
        printf '%s\n' '# noptrace: maintenance entry' 'version 6.1' 'linux /x' > "$entries/~maintenance-$theirs-6.1.conf"
        # of which nothing can be said
        printf 'version "6.1"\nlinux /x\noptions a\xff\n' > "$entries/$theirs-6.1.conf"
    done
    printf "version '6.1'\nlinux /x\noptions a\xff\n" > "$entries/debian-6.1+3.conf"
    printf 'version 0-rescue-%s\nlinux /x\noptions a\xff\n' "$id" > "$entries/debian-0-rescue.conf"
    printf 'version 0-rescue-%s\nlinux /x\noptions a\xff\n' "$id" > "$entries/$id-0-rescue.conf"
    printf 'version "6.2"\nlinux /x\noptions a\xff\n' > "$entries/$id-6.2.conf"
    look_again
    assert_equal "$(sed -n 's/: it cannot be told .*//p' <<< "$output" | sort -u)" "$(printf 'noptrace: /boot/loader/entries/%s.conf\n' \
        "$id-0-rescue" "$id-6.2" debian-0-rescue debian-6.1+3)"
    assert [ -e "$entries/$maintenance" ]
    look_again clean
    refute [ -e "$entries/$maintenance" ]
    for theirs in debian-testing "$id-b"; do
        assert [ -e "$entries/$theirs-6.1-maintenance.conf" ]
        assert [ -e "$entries/~maintenance-$theirs-6.1.conf" ]
    done
    # and that system takes them
    KERNEL_INSTALL_ENTRY_TOKEN=debian-testing look_again clean
    refute [ -e "$entries/debian-testing-6.1-maintenance.conf" ]
    refute [ -e "$entries/~maintenance-debian-testing-6.1.conf" ]
    assert [ -e "$entries/$id-b-6.1-maintenance.conf" ]
}

@test "what others wrote steers no terminal" {
    use trixie
    mkdir -p "$tree/boot/loader"
    printf 'default \033[2J\\c\001\302\233x*\n' > "$tree/boot/loader/loader.conf"
    kernel_install add 6.1.0-10-test
    assert_line --partial "/boot/loader/entries/$maintenance is not there: it cannot be told whether the default ?[2j\c???x* finds it"
}

@test "versions that differ in a +, or end as a count does, keep their entries apart" {
    local suite version
    for suite in bookworm trixie; do
        use "$suite"
        for version in 6.1.0 6.1.0+ 6.1.0+3 6.1.0+deb12; do
            mkdir -p "$tree/usr/lib/modules/$version"
            kernel_install add "$version"
        done
        run listed
        assert_output "$(printf '%s\n' debian-6.1.0+-maintenance.conf debian-6.1.0+.conf debian-6.1.0+3-maintenance.conf debian-6.1.0+3.conf \
            debian-6.1.0+deb12-maintenance.conf debian-6.1.0+deb12.conf debian-6.1.0-maintenance.conf debian-6.1.0.conf)"
        for version in + +3 +deb12 ''; do
            grep -qx "version  *6.1.0$version" "$entries/debian-6.1.0$version-maintenance.conf"
        done
        # systemd 257 takes all along that begin with that
        kernel_install remove 6.1.0+
        run listed
        refute_line debian-6.1.0+-maintenance.conf
        assert_line debian-6.1.0-maintenance.conf
        assert_equal "$(grep -c maintenance <<< "$output")" "$(grep -vc maintenance <<< "$output")"
        # systemd-boot counts the tries of this one, which are in its version: alone it is none to stand behind
        rm "$entries"/*
        kernel_install add 6.1.0+3
        assert_equal "$(listed)" debian-6.1.0+3.conf
        # and not of these
        for version in 6.1.0+ 6.1.0+deb12; do
            rm "$entries"/*
            kernel_install add "$version"
            assert [ -e "$entries/debian-$version-maintenance.conf" ]
        done
        # what is called by a count alone is nobody's
        mv "$entries/debian-$version.conf" "$entries/5.conf"
        look_again
        assert_equal "$(listed)" 5.conf
    done
}

# about TEXT ARGUMENT…: what noptrace-entry says of an entry with that text, to which nothing is added at the end.
about() {
    printf %s "$1" > "$BATS_TEST_TMPDIR/entry"
    "$top/build/noptrace-entry" "${@:2}" "$BATS_TEST_TMPDIR/entry"
}

# bats test_tags=direct
@test "the word is found in an entry as each boot loader joins its options, and is taken out" {
    local entry want
    # open or locks, the entry, and what is left of it
    while IFS='|' read -r want entry left; do
        printf -v entry %b "$entry"
        printf -v left %b "$left"
        assert_equal "$entry: $(about "$entry" about | sed -n 2p)" "$entry: $want"
        assert_equal "$(about "$entry" without && echo .)" "${left:-$entry}."
        assert_equal "$(about "${left:-$entry}" about | sed -n 2p)" locks
    done << 'END'
open|options maintenance|options 
open|options a maintenance b\n|options a b\n
open|options "maintenance" b\n|options b\n
open|options a "maintenance|options a 
open|options\ta\tmaintenance\tb\r\n|options\ta\tb\r\n
open|options a\noptions maintenance b\noptions c\n|options a\noptions b\noptions c\n
open|options a maintenance b maintenance\n|options a b \n
open|options "a maintenance"\n|options "a "\n
open|linux /v maintenance\noptions a\ngrub_class x\n|linux /v \noptions a\ngrub_class x\n
open|options a\n  options  x="b c" maintenance\n|options a\n  options  x="b c" \n
open|\noptions maintenance|\noptions 
open|\n\r\n#\n \noptions maintenance|\n\r\n#\n \noptions 
open|options "\noptions a maintenance b\n|options "\noptions a b\n
open|options 'a b maintenance'\n|options 'a b '\n
open|options 'maintenance'\noptions b\n|options ''\noptions b\n
open|options '-- x'\noptions "a maintenance b"\n|options '-- x'\noptions "a b"\n
open|options x\noptions "a" maintenance "b"\n|options x\noptions "a" "b"\n
locks|options x="a\noptions maintenance"\n|
locks|options maintenance=1 rd.maintenance\n|
locks|options xmaintenancex\n|
locks|options a -- maintenance\n|
locks|options a --\noptions maintenance\n|
locks|options x="a maintenance b"\n|
locks|# options maintenance\ntitle maintenance\noption maintenance\n|
locks||
END
}

# bats test_tags=direct
@test "an entry is open where an initrd of systemd-boot's has the word behind a blank, and that is not taken out" {
    local entry want call reason='its initrd has the word maintenance behind a blank'
    while IFS='|' read -r want entry; do
        printf -v entry %b "linux /l\n$entry"
        assert_equal "$entry: $(about "$entry" about | sed -n 2p)" "$entry: $want"
        for call in without 'maintenance root'; do
            # shellcheck disable=SC2086 # its arguments
            run about "$entry" $call
            if [[ $want == open ]]; then
                assert_failure 2
                assert_output "$reason"
            else
                assert_success
                refute_output --partial "$reason"
            fi
        done
    done << 'END'
open|initrd /i maintenance\noptions a\n
open|initrd\t/i\tmaintenance
open|initrd "/i maintenance"\noptions a\n
open|initrd /u\ninitrd /i maintenance x\noptions a\n
open|initrd /a-much-longer-one-than-the-next\ninitrd /i maintenance\noptions a\n
open|initrd /i maintenance\noptions a maintenance\n
open|initrd /i"\noptions a" maintenance\n
open|initrd /i "b\noptions "a" maintenance"\n
locks|initrd /i\noptions a\n
locks|initrd /maintenance\noptions a\n
locks|initrd maintenance\noptions a\n
locks|initrd /i rd.maintenance maintenance=1\noptions a\n
locks|initrd /i "maintenance x"\noptions a\n
locks|initrd /i -- maintenance\noptions a\n
locks|initrd /i\xff maintenance\ngrub_class x\n
locks|initrd /i maintenance\noptions a\ngrub_class x\n
locks|#initrd /i maintenance\noptions a\n
END
    # whatever stands where, and however long
    for entry in $'initrd /i maintenance\nlinux /l\n' "$(printf 'initrd\n%.0s' {1..1022})"$'\n'"initrd /i$(printf '%58372s' ' maintenance')"; do
        assert_equal "$(about "$entry" about | sed -n 2p)" open
    done
    # what is in the options alone is taken out
    run about $'linux /l\ninitrd /i\noptions maintenance a' without
    assert_success
    assert_line 'options a'
    # of other bytes nothing is known
    run about $'linux /l\ninitrd /i\xa0main\xfftenance\n' about
    assert_failure 2
    assert_output 'it cannot be told whether it is open: its command line has bytes that are not printable ASCII'
}

@test "an entry whose initrd has the word is named, also where this boot's has come into its options, and is left" {
    use trixie
    booted_with='root=LABEL=debian maintenance quiet'
    plugin 90-mine <<< "echo 'initrd /i maintenance' >> \"\$boot/debian-\$2.conf\""
    kernel_install add 6.1.0-10-test
    assert_line "noptrace: /boot/loader/entries/$normal has the word maintenance: it would be open at every boot; take it out: this could not, since its initrd has the word maintenance behind a blank"
    assert_line "noptrace: /boot/loader/entries/$normal gets no entry for maintenance: its initrd has the word maintenance behind a blank"
    assert_equal "$(listed)" "$normal"
    assert_equal "$(grep -c maintenance "$entries/$normal")" 2
    booted_with='root=LABEL=debian quiet'
    look_again
    assert_line "noptrace: /boot/loader/entries/$normal has the word maintenance: it would be open at every boot; take it out"
}

# bats test_tags=direct
@test "an entry is open where GRUB, which runs it as a script, has the word, and that is not taken out" {
    local options kind
    while IFS='|' read -r kind options; do
        assert_equal "$options: $(about $'linux /l\n'"options $options"$'\ngrub_class x' about | sed -n 2p)" "$options: $kind"
    done << 'END'
open|root=x 'maintenance'
open|main\tenance
open|main"ten"ance b
open|a\\ maintenance
open|x="a;" maintenance
open|; linux /l maintenance
open|}; menuentry y { linux /l 'maintenance'
locks|a 'b c'maint
locks|-- 'maintenance'
locks|main\\tenance
END
    for kind in '' $'\ngrub_class x'; do
        run about $'linux /l\n'"options root=x 'maintenance'$kind" about
        assert_line open
        run about $'linux /l\n'"options root=x 'maintenance'$kind" without
        assert_failure 2
        assert_output 'GRUB finds the word maintenance by its quotes or backslashes'
        # the word in front of that is none of those
        run about $'linux /l\n'"options root=x 'no' maintenance$kind" without
        assert_success
        assert_line "options root=x 'no' "
    done
    # what is no script is none of GRUB's entries, and may be systemd-boot's
    for options in 'a "b' "don't" '}' 'a {'; do
        run about $'linux /l\n'"options $options"$'\ngrub_class x' about
        assert_failure 2
        assert_output 'it cannot be told whether it is open: its command line is none to GRUB'
        run about $'linux /l\n'"options $options" about
        assert_success
        assert_line locks
    done
}

# bats test_tags=direct
@test "of an entry whose command line is not printable ASCII nothing is said but that it is open" {
    local options
    for options in 'main\xfftenance' 'x=\xc3"a maintenance' '\xc0\xb1' 'ä' 'a\x01b' 'a\x7f'; do
        printf 'linux /l\noptions %b' "$options" > "$BATS_TEST_TMPDIR/entry"
        run "$top/build/noptrace-entry" about "$BATS_TEST_TMPDIR/entry"
        assert_failure 2
        assert_output 'it cannot be told whether it is open: its command line has bytes that are not printable ASCII'
        run "$top/build/noptrace-entry" maintenance root "$BATS_TEST_TMPDIR/entry"
        assert_failure 2
        assert_output 'its command line has bytes that are not printable ASCII'
    done
    run about $'linux /lä' about
    assert_failure 2
    # a tab is a blank, and what is in no command line counts for none
    run about $'title ä\nlinux /l\noptions a\tb' about
    assert_success
    assert_line locks
    # the word that everybody finds is open, and goes
    run about $'linux /l\noptions root=LABEL=ä maintenance b' about
    assert_line open
    run about $'linux /l\noptions root=LABEL=ä maintenance b' without
    assert_output $'linux /l\noptions root=LABEL=ä b'
}

@test "an entry of which it cannot be told whether it is open is named, and gets none for maintenance" {
    local suite
    for suite in bookworm trixie; do
        use "$suite"
        kernel_install add 6.1.0-10-test
        printf 'options main\xfftenance\n' >> "$entries/$normal"
        look_again
        assert_line "noptrace: /boot/loader/entries/$normal: it cannot be told whether it is open: its command line has bytes that are not printable ASCII; it is left as it is"
        assert_equal "$(listed)" "$normal"
        # nor does the word of this boot stay in one
        booted_with='root=LABEL=ä maintenance quiet'
        kernel_install add 6.1.0-10-test
        assert_line "noptrace: /boot/loader/entries/$normal: took out the word maintenance, which came from this boot's own command line"
        assert_line "noptrace: /boot/loader/entries/$normal: it cannot be told whether it is open: its command line has bytes that are not printable ASCII; it is left as it is"
        grep -q '^options  *root=LABEL=ä quiet' "$entries/$normal"
        assert_equal "$(listed)" "$normal"
    done
}

# bats test_tags=direct
@test "the maintenance entry keeps all that the normal one has, and its word comes first" {
    run about $'title A\r\nversion 1\r\nsort-key k\r\nlinux /l\r\ninitrd /u\r\ninitrd /i\r\ndevicetree /d\r\noptions\ta  "b c"\r\noptions d -- e' maintenance root
    assert_output - << 'END'
# noptrace: maintenance entry
title A (maintenance)
version 1
sort-key k-maintenance
linux /l
initrd /u
initrd /i
devicetree /d
options    maintenance a  "b c"
options d -- e
END
    # as systemd-boot reads a value in quotes
    run about $'linux /l\noptions "a b"' maintenance root
    assert_line 'options    maintenance a b'
    run about $'linux /l\n' maintenance root
    assert_line 'options    maintenance'
    assert_equal "$(about $'linux /l\n' maintenance root | wc -l)" 3
    # no kernel
    run about $'efi /x.efi\noptions a' maintenance root
    assert_failure 2
    # it is known again
    assert_equal "$(about "$(about $'linux /l\n' maintenance root)" about | head -n 2)" $'maintenance\nopen'
}

# bats test_tags=direct
@test "quotes round a value are no part of it, and ours goes where they end" {
    local quote
    for quote in '"' "'"; do
        run about "title ${quote}A b$quote"$'\n'"version ${quote}6.12$quote"$'\n'"sort-key  ${quote}debian$quote "$'\nlinux /l' about
        assert_output $'plain\nlocks\n6.12\ndebian\n/l\nA b'
        run about "title ${quote}A b$quote"$'\n'"sort-key  ${quote}debian$quote "$'\nlinux /l' maintenance root
        assert_line 'title A b (maintenance)'
        assert_line 'sort-key debian-maintenance'
        # one that stands alone is both
        run about "sort-key $quote"$'\n'"version a$quote"$'\n'"title ${quote}b" about
        assert_output "plain"$'\nlocks\n'"a$quote"$'\n\n\n'"${quote}b"
    done
    # those that are no pair stay
    run about $'sort-key "debian\'' about
    assert_line $'"debian\''
}

# bats test_tags=direct
@test "of a key that is there twice the value counts that the boot loader takes" {
    local twice=$'version 1\ntitle A\nsort-key k\nlinux /l\nversion 2\nversion\nsort-key z\ntitle B\nsort-key \n'
    run about "$twice" about
    assert_output $'plain\nlocks\n2\nz\n/l\nB'
    run about "$twice"grub_class about
    assert_output $'grub\nlocks\n1\nk\n/l\nA'
}

# bats test_tags=direct
@test "what is not of one kernel, whatever the boot loader and the machine, gets no maintenance entry" {
    local line entry
    for line in 'efi /x' 'uki /x' 'uki-url http://x' 'architecture x64' 'linux /m'; do
        for entry in $'linux /l\n'"$line" "$line"$'\nlinux /l'; do
            run about "$entry" maintenance root
            assert_failure 2
            assert_output 'it has not one linux, or efi, uki or architecture'
            assert_equal "$(about "$entry"$'\nversion 1\ntitle x' about)" $'plain\nlocks\n1\n\n\nx'
        done
    done
}

# bats test_tags=direct
@test "GRUB's entry that has an empty line, or a key without a value, before its linux is none" {
    local line
    for line in '' ' ' grub_users 'id ' $'grub_hotkey\t' linux; do
        run about $'title A\n'"$line"$'\nlinux /l\ngrub_class c\nversion 1' about
        assert_output $'grub\nlocks\n1\n\n\nA'
        run about $'title A\n'"$line"$'\nlinux /l\ngrub_class c\nversion 1' maintenance root
        assert_failure 2
        [[ $line == linux ]] || assert_output 'GRUB reads no further than to the empty line, or key without a value, before its linux'
        # behind that, or for systemd-boot, it is nothing
        [[ $line != linux ]] || continue
        run about $'title A\n#\nlinux /l\n'"$line"$'\ngrub_class c\nversion 1' about
        assert_output $'grub\nlocks\n1\n\n/l\nA'
        run about $'title A\n'"${line/grub_/}"$'\nlinux /l\nversion 1' about
        assert_output $'plain\nlocks\n1\n\n/l\nA'
    done
}

# bats test_tags=direct
@test "what an entry says of itself is printed without what would steer a terminal" {
    run about $'title \e[31mred\x7f\tä\nversion 1\nsort-key k' about
    assert_output $'plain\nlocks\n1\nk\n\n?[31mred??ä'
}

# bats test_tags=direct
@test "the maintenance entry for GRUB is for its users alone, and has the word behind the kernel's path" {
    run about $'title A\nid x\nversion 1\nsort-key k\ngrub_users $grub_users\ngrub_hotkey a\ngrub_arg --unrestricted\ngrub_arg --x\ngrub_class c\nlinux /l maintenance\ninitrd /i\noptions a -- b\n' \
        maintenance 'root bob'
    assert_output - << 'END'
# noptrace: maintenance entry
grub_users root bob
title A (maintenance)
version 1
sort-key k-maintenance
grub_arg --x
grub_class c
linux /l  maintenance
initrd /i
options a -- b
END
    run about $'grub_class c\nlinux /l\n' maintenance root
    assert_output $'# noptrace: maintenance entry\ngrub_users root\ngrub_class c\nlinux /l maintenance'
    # where GRUB would find nobody, and ask for no password
    local users
    for users in 'a|a a' ' a |a a' '|root' '  |root' ',|, ,' 'ab|ab' 'a b|a b'; do
        run about $'grub_class c\nlinux /l\n' maintenance "${users%|*}"
        assert_line "grub_users ${users#*|}"
    done
}

# bats test_tags=direct
@test "of loader.conf each value that a key has is given, in order" {
    run about $'timeout 3\n#default x\ndefault  debian-* \ndefaults y\nDefault z\ndefault\n\tdefault\t@saved\r\nno default' values default
    assert_success
    assert_output $'debian-*\n\n@saved'
    run about $'default a\ntimeout 3' values default
    assert_success
    assert_output a
    run about 'timeout 3' values default
    assert_success
    assert_output ''
}

# bats test_tags=direct
@test "noptrace-entry that is called otherwise says how, 64, and 2 where it cannot read or write" {
    local call
    for call in '' about values 'values x' 'about x y' 'values x y z' 'show x' 'maintenance x'; do
        # shellcheck disable=SC2086 # its arguments
        run "$top/build/noptrace-entry" $call
        assert_failure 64
        assert_output 'usage: noptrace-entry about|without FILE | values KEY FILE | maintenance USERS FILE'
    done
    for call in nothing .; do
        run "$top/build/noptrace-entry" about "$BATS_TEST_TMPDIR/$call"
        assert_failure 2
        assert_output ''
    done
    echo 'options a' > "$BATS_TEST_TMPDIR/entry"
    run bash -c '"$0" about "$1" > /dev/full' "$top/build/noptrace-entry" "$BATS_TEST_TMPDIR/entry"
    assert_failure 2
    # on a disk that was full for a while; leaks are not looked for under strace
    printf 'options %9000s\n' x > "$BATS_TEST_TMPDIR/entry"
    ASAN_OPTIONS=detect_leaks=0 run strace -qq -o /dev/null -e inject=write:error=ENOSPC:when=1 "$top/build/noptrace-entry" without "$BATS_TEST_TMPDIR/entry"
    assert_failure 2
}

# bats test_tags=direct
@test "an entry that boot loaders would break into lines differently, or that is too long, is left as it is" {
    local content reason
    while IFS='|' read -r reason content; do
        printf %b "$content" > "$BATS_TEST_TMPDIR/entry"
        run "$top/build/noptrace-entry" about "$BATS_TEST_TMPDIR/entry"
        assert_failure 2
        assert_output "$reason"
    done << END
it has a carriage return that does not end a line|options a\rmaintenance
it has a NUL|a\0b
it has 64 KiB or more|$(printf '%70000s' x)
it has 1024 lines or more|$(printf 'a\\n%.0s' {1..1100})
END
    # what is one byte, or one line, shorter, is read to its end
    for content in "$(printf 'options maintenance%65515sx' '')|#" "options maintenance$(printf '\n#%.0s' {1..1022})|"$'\n#'; do
        printf %s "${content%|*}" > "$BATS_TEST_TMPDIR/entry"
        run "$top/build/noptrace-entry" about "$BATS_TEST_TMPDIR/entry"
        assert_success
        assert_line -n 1 open
        printf %s "${content##*|}" >> "$BATS_TEST_TMPDIR/entry"
        run "$top/build/noptrace-entry" about "$BATS_TEST_TMPDIR/entry"
        assert_failure 2
    done
    use trixie
    kernel_install add 6.1.0-9-test
    head -c 100000 /dev/urandom > "$entries/debian-6.1.0-9-test.conf"
    cp "$entries/debian-6.1.0-9-test.conf" "$entries/other.conf"
    kernel_install add 6.1.0-10-test
    assert_line 'noptrace: /boot/loader/entries/debian-6.1.0-9-test.conf: it has 64 KiB or more; it is left as it is'
    # nor is it taken for as open as the entry before it
    refute_output --partial 'debian-6.1.0-9-test.conf has the word'
    cmp "$entries/debian-6.1.0-9-test.conf" "$entries/other.conf"
    run listed
    assert_output "$(printf '%s\n' "$maintenance" "$normal" debian-6.1.0-9-test.conf other.conf)"
}

# Fedora's 20-grub copies an entry for debugging; dracut's own plugin writes that of the rescue image.
@test "a maintenance boot's word is taken out of debug and rescue entries too" {
    use trixie
    token=0123456789abcdef0123456789abcdef
    rm "$tree/etc/kernel/entry-token"
    echo "$token" > "$tree/etc/kernel/entry-token"
    cp "$tree/plugins/51-dracut-rescue.install" "$tree/usr/lib/kernel/install.d"
    mkdir -p "$tree/boot/$token/0-rescue" "$tree/etc/dracut.conf.d"
    echo dracut_rescue_image=yes > "$tree/etc/dracut.conf.d/rescue.conf"
    echo initrd > "$tree/boot/$token/0-rescue/initrd"
    sed -i '/^initrd_generator/d' "$tree/etc/kernel/install.conf"
    echo initrd_generator=dracut >> "$tree/etc/kernel/install.conf"
    plugin 90-mine << 'END'
sed 's/^options.*/& debug/; s/^version.*/&~debug/' "$boot/$KERNEL_INSTALL_ENTRY_TOKEN-$2.conf" > "$boot/$KERNEL_INSTALL_ENTRY_TOKEN-$2~debug.conf"
END
    booted_with='root=LABEL=debian "maintenance" quiet'
    kernel_install add 6.1.0-10-test
    local entry
    for entry in "$token"-{0-rescue,6.1.0-10-test,6.1.0-10-test~debug}; do
        assert_line "noptrace: /boot/loader/entries/$entry.conf: took out the word maintenance, which came from this boot's own command line"
        grep -q '^options  *root=LABEL=debian quiet' "$entries/$entry.conf"
    done
    assert_equal "$(listed | grep -c maintenance)" 1
}

@test "the folder of kernel-install's configuration is where the command line is looked for, if it is another" {
    local suite
    for suite in bookworm trixie; do
        use "$suite"
        mkdir "$tree/etc/other"
        cp "$tree/etc/kernel"/{install.conf,entry-token} "$tree/etc/other"
        echo 'root=x maintenance' > "$tree/etc/other/cmdline"
        KERNEL_INSTALL_CONF_ROOT=/etc/other kernel_install add 6.1.0-10-test
        assert_line "noptrace: /etc/other/cmdline has the word maintenance: /boot/loader/entries/$normal would be open at every boot; take it out of both"
        rm -r "$tree/etc/other"
        echo 'root=x maintenance' > "$tree/usr/lib/kernel/cmdline"
        kernel_install add 6.1.0-10-test
        assert_line "noptrace: /usr/lib/kernel/cmdline has the word maintenance: /boot/loader/entries/$normal would be open at every boot; take it out of both"
    done
}

# bats test_tags=direct
@test "a UKI that kernel-install has built with the word in it is named" {
    use trixie
    sed -i 's/^layout=.*/layout=uki/' "$tree/etc/kernel/install.conf"
    rm "$tree/vmlinuz"
    cp "$(kernel_of "$trixie")" "$tree/vmlinuz"
    booted_with='root=LABEL=debian maintenance'
    kernel_install add 6.1.0-10-test
    assert_line 'noptrace: /boot/EFI/Linux/debian-6.1.0-10-test.efi has the word maintenance: it would be open at every boot; put the command line without it into /etc/kernel/cmdline, and install the kernel again'
    # by hand, whatever kernel it is of; but not a second one that is to have it
    cp "$tree/boot/EFI/Linux/debian-6.1.0-10-test"{,-maintenance}.efi
    look_again
    assert_output 'noptrace: /boot/EFI/Linux/debian-6.1.0-10-test.efi has the word maintenance: it would be open at every boot; put the command line without it into /etc/kernel/cmdline, and install the kernel again'
    rm "$tree/boot/EFI/Linux/debian-6.1.0-10-test"{,-maintenance}.efi
    # where another plugin says that it was the last
    plugin 91-last <<< 'exit 77'
    kernel_install add 6.1.0-10-test
    assert_line --regexp '^noptrace: /[^ ]*/uki.efi has the word maintenance: it would be open at every boot; '
    assert [ -e "$tree/boot/EFI/Linux/debian-6.1.0-10-test.efi" ]
    rm "$tree/usr/lib/kernel/install.d/91-last.install"
    echo 'root=LABEL=debian -- maintenance' > "$tree/etc/kernel/cmdline"
    kernel_install add 6.1.0-10-test
    refute_output --partial noptrace
    assert_equal "$("$top/build/noptrace-uki" line "$tree/boot/EFI/Linux/debian-6.1.0-10-test.efi")" 'root=LABEL=debian -- maintenance'
    # one of which stubs make different lines
    echo 'root=LABEL=debian mainñtenance' > "$tree/etc/kernel/cmdline"
    kernel_install add 6.1.0-10-test
    assert_line 'noptrace: /boot/EFI/Linux/debian-6.1.0-10-test.efi: its command line could not be read: .cmdline has bytes that are not printable ASCII, of which stubs make different lines, with the word in them or not; take them out'
    echo quiet > "$tree/etc/kernel/cmdline"
    # one that cannot be read, as with tries
    plugin 93-other << 'END'
echo x > /boot/EFI/Linux/debian-6.1.0-10-test+3.efi
END
    kernel_install add 6.1.0-10-test
    assert_line 'noptrace: /boot/EFI/Linux/debian-6.1.0-10-test+3.efi: its command line could not be read: no UKI'
    # by hand, with the token and without
    look_again add 6.1.0-10-test
    assert_line --partial '/boot/EFI/Linux/debian-6.1.0-10-test+3.efi: its command line'
    rm "$tree/etc/kernel/entry-token"
    mv "$tree/boot/EFI/Linux/"{debian,0123456789abcdef0123456789abcdef}-6.1.0-10-test+3.efi
    look_again add 6.1.0-10-test
    assert_line --partial '/boot/EFI/Linux/0123456789abcdef0123456789abcdef-6.1.0-10-test+3.efi: its command line'
    # and where nothing can be said
    # shellcheck disable=SC2016 # the inner shell's
    run unshare --mount sh -e -c 'mount -t proc proc "$1/proc"
        exec chroot "$1" /usr/lib/kernel/install.d/95-noptrace.install add 6.1.0-10-test 2> /dev/full' - "$tree"
    assert_success
}

@test "what cannot be done does not fail the kernel's installation" {
    use bookworm
    # no sort-key: ours could come first
    rm "$tree/usr/lib/os-release" "$tree/etc/os-release"
    echo NAME=x > "$tree/usr/lib/os-release"
    kernel_install add 6.1.0-10-test
    assert_line "noptrace: /boot/loader/entries/$maintenance is not there: its normal entry has no sort-key, and would not come before it"
    assert_equal "$(listed)" "$normal"

    use bookworm
    kernel_install add 6.1.0-10-test
    rm "$tree/usr/sbin/noptrace"
    kernel_install add 6.1.0-10-test
    assert_equal "$(listed)" "$normal"
    local needed
    for needed in noptrace-entry noptrace-cmdline noptrace-uki knobs.sh; do
        use bookworm
        rm "$tree/usr/libexec/noptrace/$needed"
        kernel_install add 6.1.0-10-test
        assert_line "noptrace: /usr/libexec/noptrace/$needed is missing: nothing is done about maintenance entries"
        assert_equal "$(listed)" "$normal"
    done
}

@test "knobs that are wrong, or that the shell cannot read, give no maintenance entry, and a reason" {
    local suite knob reason
    for suite in bookworm trixie; do
        use "$suite"
        while IFS='|' read -r knob reason; do
            empty
            rm "$tree/etc/default/grub.d/noptrace.cfg"
            echo "$knob" > "$tree/etc/default/grub.d/noptrace.cfg"
            kernel_install add 6.1.0-10-test
            [[ ! $reason ]] || assert_line "noptrace: $reason; no maintenance entry written"
            assert_equal "$knob: $(listed)" "$knob: $normal"
        done << 'END'
NOPTRACE_MENU=no|
NOPTRACE_MENU=no; NOPTRACE_MENU_USERS='a;b'|
NOPTRACE_MENU=maybe|NOPTRACE_MENU=maybe: must be yes or no
NOPTRACE_MENU=|NOPTRACE_MENU=: must be yes or no
NOPTRACE_MENU_USERS='root;reboot'|NOPTRACE_MENU_USERS=root;reboot: names of GRUB users, separated by spaces
exit 0|/etc/default/grub.d/noptrace.cfg could not be read to its end
exit 1|/etc/default/grub.d/noptrace.cfg could not be read to its end
NOPTRACE_MENU = no|/etc/default/grub.d/noptrace.cfg could not be read to its end
NOPTRACE_MENU=yes; if|/etc/default/grub.d/noptrace.cfg could not be read to its end
NOPTRACE_MENU_USERS='root|/etc/default/grub.d/noptrace.cfg could not be read to its end
nosuch() {|/etc/default/grub.d/noptrace.cfg could not be read to its end
END
        # what is no file, but for the one that is empty
        for knob in /nowhere /etc; do
            empty
            ln -sfn "$knob" "$tree/etc/default/grub.d/noptrace.cfg"
            kernel_install add 6.1.0-10-test
            assert_line 'noptrace: /etc/default/grub.d/noptrace.cfg could not be read to its end; no maintenance entry written'
            assert_equal "$knob: $(listed)" "$knob: $normal"
        done
        ln -sfn /dev/null "$tree/etc/default/grub.d/noptrace.cfg"
        kernel_install add 6.1.0-10-test
        assert [ -e "$entries/$maintenance" ]
        # what it prints, and what it does not say; and what only the caller's environment says
        rm "$tree/etc/default/grub.d/noptrace.cfg"
        echo 'echo no; cat' > "$tree/etc/default/grub.d/noptrace.cfg"
        NOPTRACE_MENU=no NOPTRACE_MENU_USERS='alice;bob' kernel_install add 6.1.0-10-test
        assert [ -e "$entries/$maintenance" ]
    done
}

# What the file system holds is shown before it is gone.
@test "on a boot partition that is full or read-only nothing is left half done, and what was not done is said" {
    local suite
    for suite in bookworm trixie; do
        use "$suite"
        plugin 10-mount << 'END'
mount -t tmpfs -o size=40k tmpfs /boot && mkdir -p "$boot" "$3"
END
        plugin 90-mine << 'END'
! dd if=/dev/zero of=/boot/fill bs=4k 2> /dev/null
END
        plugin 99-show << 'END'
ls -A "$boot"
cat "$boot"/*.conf
END
        kernel_install add 6.1.0-10-test
        assert_line "noptrace: /boot/loader/entries/$maintenance: could not be written"
        assert_equal "$(grep '\.conf$\|^\.' <<< "$output")" "$normal"
        booted_with='root=LABEL=debian maintenance'
        kernel_install add 6.1.0-10-test
        assert_line "noptrace: /boot/loader/entries/$normal has the word maintenance: it would be open at every boot; take it out: this could not"
        refute_line --partial 'took out'
        assert_line --regexp '^options .* maintenance'
        assert_equal "$(grep '\.conf$\|^\.' <<< "$output")" "$normal"

        plugin 90-mine << 'END'
mount -o remount,ro /boot
END
        booted_with='root=LABEL=debian'
        kernel_install add 6.1.0-10-test
        assert_line "noptrace: /boot/loader/entries/$maintenance: could not be written"
        assert_equal "$(grep '\.conf$\|^\.' <<< "$output")" "$normal"

        plugin 90-mine << 'END'
printf '%s\n' '# noptrace: maintenance entry' 'version 6.1.0-9-test' 'linux /x' > "$boot/debian-6.1.0-9-test-maintenance.conf"
mount -o remount,ro /boot
END
        kernel_install add 6.1.0-10-test
        assert_line "noptrace: /boot/loader/entries/debian-6.1.0-9-test-maintenance.conf could not be removed, and may boot by itself"
    done
}

# grub_entry VERSION: one that Fedora's 20-grub writes, whose GRUB reads these entries.
grub_entry() {
    cat > "$entries/0123456789abcdef0123456789abcdef-$1.conf" << END
title Fedora Linux ($1) 40
version $1
linux /vmlinuz-$1
initrd /initramfs-$1.img
options root=UUID=1 ro rhgb
grub_users \$grub_users
grub_arg --unrestricted
grub_class fedora
END
}

# use_grub: a machine of Fedora's kind, as far as its entries go, with two kernels.
use_grub() {
    use bookworm
    sed -i 's/^layout=.*/layout=other/' "$tree/etc/kernel/install.conf"
    rm "$tree/etc/kernel/entry-token"
    mkdir -p "$tree/boot/grub2"
    rm -f "$tree/etc/default/grub"
    grub_entry 0-rescue-0123456789abcdef0123456789abcdef
    grub_entry 6.1.0-9-test
    grub_entry 6.1.0-10-test
    ours=$entries/~maintenance-0123456789abcdef0123456789abcdef-6.1.0-10-test.conf
}

@test "where GRUB reads the entries, ours has the word where no tool writes new options, and asks for a password" {
    use_grub
    kernel_install add 6.1.0-10-test
    run cat "$ours"
    assert_output - << 'END'
# noptrace: maintenance entry
grub_users root
title Fedora Linux (6.1.0-10-test) 40 (maintenance)
version 6.1.0-10-test
linux /vmlinuz-6.1.0-10-test maintenance
initrd /initramfs-6.1.0-10-test.img
options root=UUID=1 ro rhgb
grub_class fedora
END
    assert_equal "$(listed | grep -c '~')" 2
    # as grub2-mkconfig of Fedora does to each entry
    sed -i 's/^options.*/options root=UUID=2 ro/' "$entries"/*.conf
    assert_equal "$("$top/build/noptrace-entry" about "$ours" | head -n 2)" $'maintenance\nopen'
    rm "$entries/0123456789abcdef0123456789abcdef-6.1.0-10-test.conf"
    kernel_install remove 6.1.0-10-test
    assert_equal "$(listed)" "$(printf '0123456789abcdef0123456789abcdef-%s.conf\n' 0-rescue-0123456789abcdef0123456789abcdef 6.1.0-9-test)"
}

@test "where GRUB reads the entries, a maintenance boot's word is taken out of the rescue entry too" {
    use_grub
    booted_with='root=UUID=1 maintenance ro'
    sed -i 's/^options.*/options root=UUID=1 maintenance ro/' "$entries"/*-{0-rescue-*,10-test}.conf
    kernel_install add 6.1.0-10-test
    run grep -h '^options' "$entries"/0*-{0-rescue-*,10-test}.conf
    assert_output "$(printf '%s\n' 'options root=UUID=1 ro' 'options root=UUID=1 ro')"
    assert_equal "$(grep -h '^linux' "$ours")" 'linux /vmlinuz-6.1.0-10-test maintenance'
}

@test "where GRUB reads the entries, the maintenance entry is for the users that the administrator has named" {
    use_grub
    kernel_install add 6.1.0-10-test
    assert_equal "$(grep '^grub_users' "$ours")" 'grub_users root'
    rm "$tree/etc/default/grub.d/noptrace.cfg"
    echo "NOPTRACE_MENU_USERS='alice bob'" > "$tree/etc/default/grub.d/noptrace.cfg"
    look_again
    assert_equal "$(grep '^grub_users' "$ours")" 'grub_users alice bob'
}

# blscfg compares names as rpm does packages: name, version, release; the newest first.
@test "in Fedora's menu all maintenance entries come behind all normal ones, which keep their numbers" {
    local id=0123456789abcdef0123456789abcdef version other
    local versions=(6.1.0-10-test 6.1.0-9.fc40.x86_64 5.19.0-200.fc39.x86_64+debug 0-rescue 6.1.0~debug)
    for version in "${versions[@]}"; do
        for other in "${versions[@]}"; do
            assert_equal "$(rpm --eval "%{lua: print(rpm.vercmp('~maintenance-$id', '$id'))}")" -1
            assert_equal "$(rpm --eval "%{lua: print(rpm.vercmp('~maintenance-$id-$version', '$id-$other'))}")" -1
        done
    done
    # the name that systemd's tools would take comes first there, and would be the default
    assert_equal "$(rpm --eval "%{lua: print(rpm.vercmp('$id-6.1.0-10-test-maintenance', '$id-6.1.0-10-test'))}")" 1
}

@test "entries with the id of the machine are this system's, also where there is a token" {
    local id=0123456789abcdef0123456789abcdef
    use_grub
    echo fedora > "$tree/etc/kernel/entry-token"
    printf 'a\0' > "$entries/$id-2.conf"
    printf '%s\n' '# noptrace: maintenance entry' 'version 1' 'linux /x' > "$entries/$id-1-maintenance.conf"
    kernel_install add 6.1.0-10-test
    assert [ -e "$ours" ]
    assert_line "noptrace: /boot/loader/entries/$id-2.conf: it has a NUL; it is left as it is"
    refute [ -e "$entries/$id-1-maintenance.conf" ]
    mv "$entries/$id-6.1.0-10-test.conf" "$entries/fedora-6.1.0-10-test.conf"
    kernel_install add 6.1.0-10-test
    refute [ -e "$ours" ]
    assert [ -e "$entries/~maintenance-fedora-6.1.0-10-test.conf" ]
    rm "$entries/fedora-6.1.0-10-test.conf"
    # a variable of whoever calls is not heeded
    wanted=$'/boot/loader/entries/~maintenance-fedora-6.1.0-10-test.conf\n' kernel_install remove 6.1.0-10-test
    refute [ -e "$entries/~maintenance-fedora-6.1.0-10-test.conf" ]
}

@test "where a default of GRUB could name a maintenance entry, there is none, and the reason is said" {
    local set reason
    use_grub
    for set in '' 0 1 0123456789abcdef0123456789abcdef-6.1.0-10-test 'Fedora Linux (6.1.0-10-test) 40'; do
        printf '# GRUB Environment Block\nsaved_entry=%s\n#####' "$set" > "$tree/boot/grub2/grubenv"
        echo GRUB_DEFAULT=saved > "$tree/etc/default/grub"
        kernel_install add 6.1.0-10-test
        assert [ -e "$ours" ]
    done
    for set in 2 02 ' 3' 0x2 "${ours##*/}" '~maintenance-0123456789abcdef0123456789abcdef-6.1.0-10-test' \
        'Fedora Linux (6.1.0-10-test) 40 (maintenance)' 0123456789abcdef0123456789abcdef-5.0; do
        printf '# GRUB Environment Block\nsaved_entry=%s\n#####' "$set" > "$tree/boot/grub2/grubenv"
        kernel_install add 6.1.0-10-test
        assert_line --partial "is not there: the default is ${set# }, which is no normal entry"
        assert [ ! -e "$ours" ]
    done
    rm "$tree/boot/grub2/grubenv"
    while IFS='|' read -r set reason; do
        echo "$set" > "$tree/etc/default/grub"
        kernel_install add 6.1.0-10-test
        assert_line --partial "is not there: $reason"
        assert [ ! -e "$ours" ]
    done << 'END'
GRUB_DEFAULT=2|the default is 2, which is no normal entry
GRUB_SAVEDEFAULT=true|GRUB_SAVEDEFAULT would boot it again after somebody picked it
exit|/etc/default/grub could not be read to its end
END
    # nor where GRUB's own files have another default, fall back to one, or remember what was picked
    rm "$tree/etc/default/grub"
    for set in fallback=2 prev_saved_entry=2 default=2 'fallback=2 x=0' saved_entry=a=0 default=2=; do
        printf '# GRUB Environment Block\n%s\n#####' "$set" > "$tree/boot/grub2/grubenv"
        kernel_install add 6.1.0-10-test
        assert_line --partial "is not there: the default is ${set#*=}, which is no normal entry"
        assert [ ! -e "$ours" ]
    done
    for set in save_default=true blsuki_save_default=true blsuki_save_default=1; do
        printf '# GRUB Environment Block\n%s\n#####' "$set" > "$tree/boot/grub2/grubenv"
        kernel_install add 6.1.0-10-test
        assert_line --partial "is not there: $set would boot it again after somebody picked it"
        assert [ ! -e "$ours" ]
    done
    # or where that cannot be seen: on an ESP that is not mounted
    ln -sf ../efi/EFI/redhat/grubenv "$tree/boot/grub2/grubenv"
    kernel_install add 6.1.0-10-test
    assert_line --partial 'is not there: /boot/grub2/grubenv cannot be read, and could name it'
    assert [ ! -e "$ours" ]
    rm "$tree/boot/grub2/grubenv"
    local file
    for file in boot/grub2/grub.cfg boot/grub2/custom.cfg boot/grub/custom.cfg boot/grub2/user.cfg boot/efi/EFI/fedora/grub.cfg; do
        mkdir -p "$tree/${file%/*}"
        # shellcheck disable=SC1010 # GRUB's
        for set in 'set default=2' 'set default="2"' "set default='~m n'" 'default=2;' 'if x; then set fallback="0 2"; fi' 'set fallback=2'; do
            echo "$set" > "$tree/$file"
            kernel_install add 6.1.0-10-test
            assert_line --regexp 'is not there: the default is (2|~m n|0 2), which is no normal entry$'
            assert [ ! -e "$ours" ]
        done
        for set in 'set save_default=true' 'if x; then blsuki_save_default="true"; fi' '  set blsuki_save_default=1'; do
            echo "$set" > "$tree/$file"
            kernel_install add 6.1.0-10-test
            assert_line --regexp 'is not there: (blsuki_)?save_default=(true|1) would boot it again after somebody picked it$'
            assert [ ! -e "$ours" ]
        done
        # as 00_header has it
        # shellcheck disable=SC1010,SC2016 # GRUB's
        printf '%s\n' 'if [ "${next_entry}" ] ; then' '   set default="${next_entry}"' else '   set default="${saved_entry}"' fi 'set default="0"' \
            'set fallback=1' 'set save_default=false' 'set blsuki_save_default=' 'saved_entry="${prev_saved_entry}"' 'if [ "${default}" = 2 ]; then menu_default=2; fi' '# default=2' \
            "set default='Fedora Linux (6.1.0-10-test) 40'" > "$tree/$file"
        kernel_install add 6.1.0-10-test
        assert [ -e "$ours" ]
        rm "$tree/$file"
    done
    # wherever it is
    for file in boot/EFI/x/{grub,custom}.cfg boot/grub/{grub,user}.cfg boot/efi/EFI/x/custom.cfg efi/EFI/x/{grub,custom}.cfg; do
        mkdir -p "$tree/${file%/*}"
        echo 'set default=2' > "$tree/$file"
        kernel_install add 6.1.0-10-test
        assert_line --partial 'is not there: the default is 2, which is no normal entry'
        rm "$tree/$file"
    done
    # where there are no settings, none is taken from whoever calls
    default=2 kernel_install add 6.1.0-10-test
    assert [ -e "$ours" ]
    echo > "$tree/etc/zipl.conf"
    kernel_install add 6.1.0-10-test
    assert_line --partial 'is not there: zipl is not known to take words behind the path of a kernel'
    assert [ ! -e "$ours" ]
    rm "$tree/etc/zipl.conf"
    mkdir -p "$tree/sys/firmware/opal"
    kernel_install add 6.1.0-10-test
    assert_line --partial 'is not there: Petitboot has another order of these entries, by its source, in which it comes first'
    assert [ ! -e "$ours" ]
}

# It is what GRUB's boot counting falls back to, and what a default of 1 means.
@test "where GRUB's entry 1 could come to be one for maintenance, there is none" {
    local id=0123456789abcdef0123456789abcdef other
    use_grub
    # the rescue entry, which people remove to have room
    rm "$entries/$id-6.1.0-9-test.conf"
    kernel_install add 6.1.0-10-test
    assert_line --partial "is not there: with fewer than two kernels of this system, GRUB's entry 1 could be the one for maintenance"
    refute [ -e "$ours" ]
    # another system's, which that removes; what has no kernel; what has none of GRUB's keys
    while IFS= read -r other; do
        printf %b "${other#*|}" > "$entries/${other%%|*}.conf"
        kernel_install add 6.1.0-10-test
        assert_equal "$other: $(listed | grep -c '~')" "$other: 0"
        rm "$entries/${other%%|*}.conf"
    done << END
fedora-6.1|version 6.1\nlinux /x\ngrub_class x\n
$id-6.1|version 6.1\ngrub_class x\n
$id-6.1|version 6.1\nlinux /x\n
END
    # what GRUB does not show, for what is before its linux
    grub_entry 6.1.0-9-test
    for other in '' ' \t' grub_users 'id ' 'grub_hotkey \t' '\r'; do
        sed -i "s/^linux.*/$other\\n&/" "$entries/$id-6.1.0-9-test.conf"
        kernel_install add 6.1.0-10-test
        assert_equal "$other: $(listed | grep -c '~')" "$other: 0"
        grub_entry 6.1.0-9-test
    done
    # nor is there one for that itself
    grub_entry 6.1.0-8-test
    sed -i 's/^linux.*/grub_hotkey\n&/' "$entries/$id-6.1.0-9-test.conf"
    kernel_install add 6.1.0-10-test
    assert_line "noptrace: /boot/loader/entries/$id-6.1.0-9-test.conf gets no entry for maintenance: GRUB reads no further than to the empty line, or key without a value, before its linux"
    assert_equal "$(listed | grep '~')" "$(printf "~maintenance-$id-%s.conf\n" 6.1.0-10-test 6.1.0-8-test)"
    # and such a line behind it is none
    grub_entry 6.1.0-9-test
    sed -i 's/^linux.*/#\n&\n\ngrub_hotkey/' "$entries/$id-6.1.0-9-test.conf"
    kernel_install add 6.1.0-10-test
    assert_equal "$(listed | grep -c '~')" 3
}

# A file that is there, and fails to be read.
@test "what chooses a default and cannot be read could choose a maintenance entry, of which there is none then" {
    local file
    use trixie
    kernel_install add 6.1.0-10-test
    for file in LoaderEntryDefault LoaderEntryPreferred LoaderEntrySysFail; do
        mkdir -p "$tree/sys/firmware/efi/efivars/$file-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
        look_again
        assert_line "noptrace: /boot/loader/entries/$maintenance is not there: it cannot be told whether the default @${file,,} finds it"
        assert_equal "$(listed)" "$normal"
        rm -r "$tree/sys"
        mkdir "$tree/sys"
        look_again
        assert [ -e "$entries/$maintenance" ]
    done
    for file in grub2/grub.cfg grub/custom.cfg efi/EFI/x/grub.cfg; do
        mkdir -p "$tree/boot/${file%/*}"
        ln -s /proc/self/mem "$tree/boot/$file"
        look_again
        assert_line "noptrace: /boot/loader/entries/$maintenance is not there: /boot/$file cannot be read, and could name it"
        assert_equal "$(listed)" "$normal"
        rm "$tree/boot/$file"
    done
    use_grub
    kernel_install add 6.1.0-10-test
    for file in grub2/grubenv grub2/grub.cfg; do
        assert [ -e "$ours" ]
        ln -s /proc/self/mem "$tree/boot/$file"
        look_again
        assert_line "noptrace: /boot/loader/entries/${ours##*/} is not there: /boot/$file cannot be read, and could name it"
        refute [ -e "$ours" ]
        rm "$tree/boot/$file"
        look_again
    done
}

@test "a token is read as kernel-install reads it: the first line, without the blanks round it" {
    local suite text
    for suite in bookworm trixie; do
        use "$suite"
        kernel_install add 6.1.0-10-test
        for text in 'debian \n' '\tdebian\nother\n' debian; do
            printf %b "$text" > "$tree/etc/kernel/entry-token"
            rm "$entries/$maintenance"
            look_again
            assert_output ''
            assert [ -e "$entries/$maintenance" ]
        done
        # systemd 257 keeps the blanks
        printf 'debian\nother\n' > "$tree/etc/kernel/entry-token"
        kernel_install add 6.1.0-10-test
        assert_output ''
        assert [ -e "$entries/$maintenance" ]
    done
}

@test "what a run has left that was killed is removed by the next, and in the end" {
    use trixie
    kernel_install add 6.1.0-10-test
    for call in add clean; do
        echo half > "$entries/.noptrace.4711"
        look_again "$call"
        refute [ -e "$entries/.noptrace.4711" ]
    done
}

@test "a default with so many * that it would be tried for ever is one that cannot be told" {
    local stars='*?*?*?*?*?*?*?*?*?*?*?*?*?*?*z'
    use trixie
    kernel_install add 6.1.0-10-test
    echo 'default *debian*test*conf*' > "$tree/boot/loader/loader.conf"
    look_again
    assert [ -e "$entries/$maintenance" ]
    echo "default $stars" > "$tree/boot/loader/loader.conf"
    # shellcheck disable=SC2016 # the inner shell's
    run timeout 20 unshare --mount sh -e -c 'mount -t proc proc "$1/proc"; exec chroot "$1" /usr/lib/kernel/install.d/95-noptrace.install add' - "$tree"
    assert_success
    assert_line "noptrace: /boot/loader/entries/$maintenance is not there: it cannot be told whether the default $stars finds it"
    assert_equal "$(listed)" "$normal"
}

@test "an entry keeps its mode, which ours has as well, and is not put in the place of a link" {
    local suite
    for suite in bookworm trixie; do
        use "$suite"
        booted_with='root=LABEL=debian maintenance quiet'
        # shellcheck disable=SC2016 # that script's
        plugin 90-mine <<< 'chmod 640 "$boot/debian-$2.conf"'
        kernel_install add 6.1.0-10-test
        assert_line --partial 'took out the word maintenance'
        assert_equal "$(stat -c %a "$entries/$normal" "$entries/$maintenance")" $'640\n640'
        # one that is there already, too
        chmod 600 "$entries/$normal"
        look_again
        assert_equal "$(stat -c %a "$entries/$maintenance")" 600
        # nor does it fail where there are none
        printf '#!/bin/sh\nexit 1\n' > "$tree/chmod"
        chmod +x "$tree/chmod"
        plugin 90-mine <<< 'mount --bind /chmod /bin/chmod'
        kernel_install add 6.1.0-10-test
        assert_line --partial 'took out the word maintenance'
        assert_equal "$(stat -c %a "$entries/$maintenance")" 600
        # shellcheck disable=SC2016 # that script's
        plugin 90-mine <<< 'mv "$boot/debian-$2.conf" /boot/entry; ln -s /boot/entry "$boot/debian-$2.conf"'
        kernel_install add 6.1.0-10-test
        assert_line "noptrace: /boot/loader/entries/$normal has the word maintenance: it would be open at every boot; take it out: this could not, since it is a link"
        assert [ -L "$entries/$normal" ]
        # said as well where a plugin behind ours is the last, or one is to have the word
        plugin 91-last <<< 'exit 77'
        rm "$entries/$normal"
        kernel_install add 6.1.0-10-test
        assert_line "noptrace: /boot/loader/entries/$normal has the word maintenance: it would be open at every boot; take it out: this could not, since it is a link"
        rm "$entries/$normal"
        echo 'root=x maintenance' > "$tree/etc/kernel/cmdline"
        kernel_install add 6.1.0-10-test
        assert_line "noptrace: /etc/kernel/cmdline has the word maintenance: /boot/loader/entries/$normal would be open at every boot; take it out of both"
        rm "$entries/$normal"
    done
}

# What is set, in all combinations, and what happens then: in one chroot, all in one shell there, which prints a line
# where what bootctl names as the default is an entry of ours, or has the word.
table() {
    cat << 'END'
export SYSTEMD_RELAX_ESP_CHECKS=1
lib=/usr/libexec/noptrace entries=/boot/loader/entries
variables=/sys/firmware/efi/efivars
default_variable=$variables/LoaderEntryDefault-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f
set_variable() {
    { printf '\7\0\0\0' && printf '%s\0' "$1" | iconv -t UTF-16LE; } > "$default_variable"
}
judge() {
    local id options
    id=$(bootctl --esp-path=/boot list 2> /dev/null | awk '/^ *title: .*\(default\)/ { found = 1 } found && $1 == "id:" { print $2; exit }')
    checked=$((checked + 1))
    [ "$id" ] || { [ ! "$(ls "$entries")" ] || echo "$settings, $1: no default"; return; }
    # 257 has it without the tries
    set -- "$1" "$entries/${id%.conf}"*.conf
    [ ! -e "$entries/$id" ] || set -- "$1" "$entries/$id"
    ! grep -qx '# noptrace: maintenance entry' "$2" || echo "$settings, $1: $id is ours"
    options=$(sed -n 's/^options *//p' "$2")
    [ "$words" = willed ] || ! $lib/noptrace-cmdline has maintenance "$options" || echo "$settings, $1: $id is open"
    there=$((there + $(ls "$entries" | grep -c 'maintenance')))
}
checked=0 there=0
mkdir -p "$variables"
for tries in '' 3; do
for words in stuck file willed; do
for key in debian ''; do
for default in '' 'debian-*' '*maintenance*' @saved 'variable *-maintenance.conf' 'variable debian-6.1.0-9-test*'; do
    settings="tries '$tries', words $words, key '$key', default '$default'"
    rm -rf /boot/loader /etc/kernel/tries /etc/kernel/cmdline "$variables"/*
    mkdir -p "$entries" /boot/debian/6.1.0-9-test /boot/debian/6.1.0-10-test
    [ ! "$tries" ] || echo "$tries" > /etc/kernel/tries
    echo 'root=LABEL=debian quiet' > /cmdline
    case $words in
        stuck) echo 'root=LABEL=debian "maintenance" quiet' > /cmdline ;;
        file) echo 'root=LABEL=debian x="maintenance' > /etc/kernel/cmdline ;;
        willed) echo 'root=LABEL=debian maintenance' > /etc/kernel/cmdline ;;
    esac
    printf 'PRETTY_NAME=Debian\n%s\n' "${key:+ID=$key}" > /etc/os-release
    case $default in
        variable*) set_variable "${default#variable }" ;;
        ?*) echo "default $default" > /boot/loader/loader.conf ;;
    esac
    kernel-install add 6.1.0-9-test /vmlinuz 2> /dev/null || echo "$settings: failed"
    judge 'one kernel'
    for entry in "$entries"/*+3.conf; do [ ! -e "$entry" ] || mv "$entry" "${entry%+3.conf}.conf"; done
    judge 'it has booted'
    kernel-install add 6.1.0-10-test /vmlinuz 2> /dev/null || echo "$settings: failed"
    judge 'another kernel'
    for entry in "$entries"/*+3.conf; do [ ! -e "$entry" ] || mv "$entry" "${entry%+3.conf}+0-3.conf"; done
    judge 'its tries are used up'
    kernel-install remove 6.1.0-9-test 2> /dev/null || echo "$settings: failed"
    judge 'the first is removed'
    kernel-install add 6.1.0-9-test /vmlinuz 2> /dev/null || echo "$settings: failed"
    for entry in "$entries"/*+3.conf; do [ ! -e "$entry" ] || mv "$entry" "${entry%+3.conf}+0-3.conf"; done
    judge 'all tries are used up'
done
done
done
done
echo "checked $checked, $there times with a maintenance entry"
END
}

# look_at_table SUITE
look_at_table() {
    use "$1"
    table > "$tree/table"
    echo > "$tree/cmdline"
    rm -f "$tree/etc/os-release"
    # shellcheck disable=SC2016 # the inner shell's
    run unshare --mount sh -e -c 'tree=$1; mount -t proc proc "$tree/proc"; mount --bind "$tree/cmdline" "$tree/proc/cmdline"
        mount --bind /dev/null "$tree/dev/null"; mount -t tmpfs tmpfs "$tree/boot"
        TMPDIR=/tmp exec chroot "$tree" bash /table' - "$tree"
    assert_output --regexp '^checked 432, [1-9][0-9]+ times with a maintenance entry$'
}

@test "whatever is set, used up, added and removed, what boots unattended locks: Debian 12" {
    look_at_table bookworm
}

@test "whatever is set, used up, added and removed, what boots unattended locks: Debian 13" {
    look_at_table trixie
}
