#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What our script for grub-mkconfig makes of other machines and settings, and what GRUB boots there by itself.

# run --separate-stderr sets stderr; each test is a subshell, and sets what it uses; the scripts that edit 10_linux name
# its variables.
# shellcheck disable=SC2154,SC2030,SC2031,SC2016,SC1003

# shellcheck source=tests/common.bash
source "$BATS_TEST_DIRNAME/common.bash"
# shellcheck source=tests/grub.bash
source "$BATS_TEST_DIRNAME/grub.bash"

golden=$BATS_TEST_DIRNAME/grub.d

@test "the menu of Debian 12 and 13, on a plain disk, LVM and btrfs" {
    local suite layout
    for suite in bookworm trixie; do
        for layout in plain lvm btrfs; do
            make_machine "$suite" "$layout"
            configure
            diff "$golden/$suite-$layout.cfg" - <<< "$section"
        done
    done
}

@test "it does not change with submenus, recovery entries, a saved default, another init or unrestricted normal entries" {
    local suite line
    for suite in bookworm trixie; do
        make_machine "$suite" plain
        for line in GRUB_DISABLE_RECOVERY=true GRUB_SAVEDEFAULT=true GRUB_DEFAULT=saved GRUB_DISABLE_OS_PROBER=false; do
            configure "$line"
            diff "$golden/$suite-plain.cfg" - <<< "$section"
        done
        # without a submenu there is no entry above it, and the first one has the version in its title and id
        configure GRUB_DISABLE_SUBMENU=true
        diff <(sed '/^\telse/,$d; /^\t*default=/d' "$golden/$suite-plain.cfg") \
            <(sed '/^\telse/,$d; /^\t*default=/d' <<< "$section")
        # of which Debian 13's knows nothing any more
        if [[ $suite == bookworm ]]; then
            edit_10_linux 's/^SUPPORTED_INITS=.*/SUPPORTED_INITS="other:\/bin\/sh"/'
            configure
            assert_regex "$normal" '-init-other-'
            diff "$golden/$suite-plain.cfg" - <<< "$section"
        fi
        edit_10_linux 's/^CLASS="/CLASS="--unrestricted /'
        configure
        diff <(sed '/^\telse/,$d' "$golden/$suite-plain.cfg") <(sed '/^\telse/,$d' <<< "$section")
    done
}

@test "the normal entries are the same with it and without it" {
    local suite with
    for suite in bookworm trixie; do
        make_machine "$suite" plain
        configure GRUB_SAVEDEFAULT=true
        with=$normal
        rm "$tree"/etc/grub.d/*_noptrace
        configure GRUB_SAVEDEFAULT=true
        assert_equal "$normal" "$with"
        refute_regex "$normal" maintenance
    done
}

@test "a choice of maintenance is not remembered with GRUB_SAVEDEFAULT" {
    make_machine bookworm plain
    configure GRUB_SAVEDEFAULT=true
    assert_regex "$normal" savedefault
    refute_regex "$section" savedefault
}

@test "titles and kernels of any name keep them" {
    local id
    make_machine bookworm plain
    add_kernel vmlinuz-6.2-advanced-x initrd.img-6.2-advanced-x
    add_kernel 'vmlinuz-6.3+local~rc1' 'initrd.img-6.3+local~rc1'
    # the same version twice
    add_kernel kernel-6.1.0-9-amd64 initrd-6.1.0-9-amd64.img
    configure 'GRUB_DISTRIBUTOR="Bob'\''s >\\\\{box}; \$x \\\`|\" #1"'
    for id in 6.1.0-10-amd64 6.1.0-9-amd64 '6.1.0-9-amd64 \(2\)' 6.2-advanced-x '6\.3\+local~rc1'; do
        assert_regex "$section" "menuentry 'Bob'\\\\''s [^"$'\n'"]* \\(maintenance\\)' --class [^']* \\\$menuentry_id_option 'noptrace-maintenance-$id' --users ''"
    done
    assert_equal "$(grep -c $'^\t\tmenuentry .*(maintenance)' <<< "$section")" 5
    start_grub bookworm writable 'next_entry=noptrace-maintenance>noptrace-maintenance-6.3+local~rc1'
    assert_regex "$loaded" '^/boot/vmlinuz-6\.3\+local~rc1 maintenance '
    start_grub bookworm
    assert_locked
}

# set_knob LINE: in noptrace.cfg, of the machine.
set_knob() {
    rm -f "$tree/etc/default/grub.d/noptrace.cfg"
    sed "s/^${1%%=*}=.*/$1/" "$top/hooks/grub.d/noptrace.cfg" > "$tree/etc/default/grub.d/noptrace.cfg"
}

# edit_mkconfig SCRIPT: the machine's grub-mkconfig, with sed.
edit_mkconfig() {
    sed "$1" "$tree/usr/sbin/grub-mkconfig" > "$BATS_TEST_TMPDIR/grub-mkconfig"
    refute cmp -s "$BATS_TEST_TMPDIR/grub-mkconfig" "$tree/usr/sbin/grub-mkconfig"
    rm "$tree/usr/sbin/grub-mkconfig"
    install -m 755 "$BATS_TEST_TMPDIR/grub-mkconfig" "$tree/usr/sbin/grub-mkconfig"
}

# it reads /etc/default/grub alone, as upstream's does
upstream='/^for x in .*\/default\/grub\.d\//,/^done/d'

# assert_heeded: a title that is refused, and users.
assert_heeded() {
    set_knob $'NOPTRACE_MENU_TITLE=\'one\\nend\''
    configure
    assert_equal "$(grep '^noptrace:' <<< "$stderr")" 'noptrace: NOPTRACE_MENU_TITLE: must be one line without control characters, and must not begin with -; no maintenance menu written'
    set_knob "NOPTRACE_MENU_USERS='alice bob'"
    configure
    assert_equal "$(grep -c -- "--users 'alice bob' {" <<< "$section")" 3
}

@test "the knobs: title, users, hotkey, and no menu" {
    make_machine bookworm plain
    set_knob "NOPTRACE_MENU_TITLE=\"Bob's workshop\""
    # and a variable of the caller's that is none
    wrong=not configure
    assert_regex "$section" $'\n'"submenu 'Bob'\\\\''s workshop' \\\$menuentry_id_option 'noptrace-maintenance' --users '' \\{"
    # as GRUB's regexp takes it
    set_knob "NOPTRACE_MENU_TITLE='a>b [x] (y|z) {1}.*+?^\$'"
    configure
    assert_equal "$(grep '^if regexp .*noptrace-maintenance' <<< "$section")" \
        "if regexp '^(noptrace-maintenance|a>>b [[]x[]] [(]y[|]z[)] [{]1[}][.][*][+][?]\\^[\$])(>[^>]|>?\$)' \"\${default}\"; then"
    assert_heeded
    set_knob NOPTRACE_MENU_HOTKEY=x
    configure
    assert_equal "$(grep -c -- '--hotkey=x' <<< "$section")" 1
    # what a file behind it says counts
    echo NOPTRACE_MENU=no > "$tree/etc/default/grub.d/zz.cfg"
    configure
    assert_silent
    rm "$tree/etc/default/grub.d/zz.cfg"
    set_knob NOPTRACE_MENU=no
    configure
    assert_silent
    # and where grub-mkconfig does not read that folder
    edit_mkconfig "$upstream"
    configure
    assert_silent
    assert_heeded
    rm "$tree/etc/default/grub.d/noptrace.cfg"
    configure
    assert_regex "$section" $'\n'"submenu 'Maintenance"
}

@test "knobs that the shell cannot read to their end, or that print, cost the menu at most where grub-mkconfig leaves them to us" {
    local knob shell
    make_machine bookworm plain
    edit_mkconfig "$upstream"
    for shell in dash bash; do
        ln -sf "$shell" "$tree/usr/bin/sh"
        for knob in 'exit 0' 'exit 1' false 'NOPTRACE_MENU = no' if 'nosuch() {' "NOPTRACE_MENU_USERS='alice"; do
            set_knob ''
            echo "$knob" >> "$tree/etc/default/grub.d/noptrace.cfg"
            configure
            echo "$shell: $knob"
            assert_equal "$(grep -vc '^###' <<< "$section")" 0
            assert_equal "$(grep '^noptrace:' <<< "$stderr")" \
                'noptrace: /etc/default/grub.d/noptrace.cfg could not be read to its end; no maintenance menu written'
        done
        for knob in /nowhere /etc; do
            ln -sfn "$knob" "$tree/etc/default/grub.d/noptrace.cfg"
            configure
            assert_refuses '/etc/default/grub.d/noptrace.cfg could not be read to its end'
            rm "$tree/etc/default/grub.d/noptrace.cfg"
        done
        set_knob ''
        printf '%s\n' 'echo no' cat >> "$tree/etc/default/grub.d/noptrace.cfg"
        configure
        assert_equal "$(grep -cx no <<< "$section")" 0
        assert_regex "$section" $'\n'"submenu 'Maintenance"
    done
}

@test "the manual, the sample and the script know the same knobs" {
    local knobs
    knobs=$(sed -n 's/^\(NOPTRACE_[A-Z_]*\)=.*/\1/p' "$top/hooks/grub.d/noptrace.cfg" | sort)
    assert_equal "$(sed -n 's/^\.It Ev \(NOPTRACE_[A-Z_]*\)$/\1/p' "$top/src/noptrace.8" | sort)" "$knobs"
    assert_equal "$(sed -n 's/^ *settings "$file" //p' "$top/hooks/knobs.sh" | tr ' ' '\n' | sort)" "$knobs"
    assert_equal "$(sed -n 's/^export //p' "$top/hooks/grub.d/noptrace.cfg" | tr ' ' '\n' | sort)" "$knobs"
}

# assert_refuses TEXT: no menu, and this line on stderr.
assert_refuses() {
    assert_equal "$(grep -vc '^###' <<< "$section")" 0
    assert_equal "$(grep noptrace <<< "$stderr")" "noptrace: $1; no maintenance menu written"
}

# assert_silent: no menu, and no line.
assert_silent() {
    assert_equal "$(grep -vc '^###' <<< "$section")" 0
    assert_equal "$(grep noptrace <<< "$stderr")" ''
}

@test "what is not sure to be right is not written, and the reason is" {
    local default key
    make_machine bookworm plain
    for default in noptrace-maintenance 'noptrace-maintenance>0' 'Maintenance (ptrace on)' 'Maintenance (ptrace on)>0'; do
        configure "GRUB_DEFAULT='$default'"
        assert_refuses 'GRUB_DEFAULT names it, which is for one boot only; choose a normal entry'
    done
    mkdir -p "$tree/sys/firmware/opal"
    configure
    assert_refuses "Petitboot reads GRUB's menu here, and not all of what keeps this one from booting by itself"
    rmdir "$tree/sys/firmware/opal"
    set_knob NOPTRACE_MENU=maybe
    configure
    assert_refuses 'NOPTRACE_MENU=maybe: must be yes or no'
    set_knob NOPTRACE_MENU_HOTKEY=F2
    configure
    assert_refuses 'NOPTRACE_MENU_HOTKEY=F2: must be one lower-case letter or digit'
    # which its main loop takes before any entry's
    for key in c e v; do
        set_knob "NOPTRACE_MENU_HOTKEY=$key"
        configure
        assert_refuses "NOPTRACE_MENU_HOTKEY=$key: is a key of GRUB's own"
    done
    set_knob "NOPTRACE_MENU_USERS='a;b'"
    configure
    assert_refuses 'NOPTRACE_MENU_USERS=a;b: names of GRUB users, separated by spaces'
    set_knob NOPTRACE_MENU_TITLE=--id
    configure
    assert_refuses 'NOPTRACE_MENU_TITLE: must be one line without control characters, and must not begin with -'
    set_knob ''
    # grub-mkconfig's own check, of the whole file, is content
    rm "$tree/usr/bin/grub-script-check"
    printf '#!/bin/sh\n[ $# != 0 ]\n' | install -m 755 /dev/stdin "$tree/usr/bin/grub-script-check"
    configure
    assert_refuses 'grub-script-check does not take it'
    rm "$tree/usr/bin/grub-script-check"
    edit_mkconfig 's/grub-script-check/true/'
    configure
    assert_refuses 'no grub-script-check here to check it with'
}

@test "without a file that could be read, and without a kernel, there is no menu, which is said" {
    make_machine bookworm plain
    configure
    run unshare --mount sh -e -c 'mount -t proc proc "$1/proc"; mount --bind /dev/null "$1/dev/null"
        chroot "$1" grub-mkconfig | cat' - "$tree"
    assert_success
    assert_line 'noptrace: the configuration is not written to a file (grub-mkconfig -o) whose entries could be read, or /proc is not mounted; no maintenance menu written'
    refute_line --partial '(maintenance)'
    rm "$tree"/boot/vmlinuz-*
    configure
    assert_refuses '10_linux wrote no entry for a kernel'
}

# As the kernel reads it, and not as it looks: GRUB drops quotes, and adds some.
@test "normal entries that are open are named, whatever made them so, and others are not" {
    local words title="Debian GNU/Linux"
    make_machine bookworm plain
    for words in maintenance '\"maintenance\"' "'maintenance'" 'main\\tenance' 'a=\"b c\" maintenance' 'x maintenance -- y' \
        "'maintenance '"; do
        configure "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet $words\""
        [[ $words != "'maintenance '" ]] || {
            # with a blank in it, it is a word of its own in quotes, and no maintenance
            assert_equal "$(grep noptrace <<< "$stderr")" ''
            continue
        }
        assert_regex "$stderr" "noptrace: the entry '$title' has the word maintenance: whenever it boots, it is open; take the word out"
        assert_regex "$stderr" "noptrace: line [0-9]+ of the configuration: the first entry has the word maintenance; no maintenance menu written"
        assert_equal "$(grep -vc '^###' <<< "$section")" 0
        start_grub bookworm
        assert_open
    done
    for words in maintenance=1 nomaintenance -- '-- maintenance' '\"a maintenance b\"' 'x=\"maintenance\"'; do
        configure "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet $words\""
        assert_equal "$(grep noptrace <<< "$stderr")" ''
        start_grub bookworm
        assert_locked
        start_grub bookworm writable next_entry=noptrace-maintenance
        assert_open
    done
    # an administrator's own
    put_script 40_own << 'END'
#!/bin/sh
echo "menuentry 'My rescue' { linux /vmlinuz root=/dev/vda1 single maintenance; initrd /initrd.img; }"
END
    put_script 20_linux_xen << 'END'
#!/bin/sh
echo "menuentry 'Debian, with Xen' { multiboot2 /boot/xen.gz; module2 /boot/vmlinuz placeholder root=/dev/vda1 maintenance; }"
END
    configure
    assert_equal "$(grep noptrace <<< "$stderr")" "$(printf '%s\n' \
        "noptrace: the entry 'Debian, with Xen' has the word maintenance: whenever it boots, it is open; take the word out" \
        "noptrace: the entry 'My rescue' has the word maintenance: whenever it boots, it is open; take the word out")"
    assert_regex "$section" submenu
    # what is in no entry, too, and whatever menu is wanted
    rm "$tree/etc/grub.d/20_linux_xen"
    put_script 40_own << 'END'
#!/bin/sh
printf '%s\n' 'if true; then' 'linux /vmlinuz root=/dev/vda1 maintenance' 'fi'
END
    local setting said="noptrace: the entry 'line [0-9]+' has the word maintenance: whenever it boots, it is open; take the word out"
    for setting in NOPTRACE_MENU=yes NOPTRACE_MENU=no NOPTRACE_MENU=x NOPTRACE_MENU_HOTKEY=F2; do
        set_knob "$setting"
        configure
        assert_regex "$stderr" "$said"
        case $setting in
            *yes) assert_regex "$section" submenu ;;
            *) assert_equal "$(grep -vc '^###' <<< "$section")" 0 ;;
        esac
    done
    set_knob NOPTRACE_MENU=yes
    configure 'export GRUB_ENABLE_BLSCFG=true'
    assert_regex "$stderr" "$said"
    assert_equal "$(grep -vc '^###' <<< "$section")" 0
}

@test "where a configuration cannot be read, that open entries are not named is said, whatever menu is wanted" {
    local setting said='noptrace: line [0-9]+ of the configuration cannot be read; entries that have the word maintenance are not named'
    make_machine bookworm plain
    put_script 40_own << 'END'
#!/bin/sh
printf 'menuentry x { linux /vmlinuz root=/dev/vda1 maintenance; }\n%.0s' $(seq 1025)
END
    for setting in NOPTRACE_MENU=no NOPTRACE_MENU=yes; do
        set_knob "$setting"
        configure
        assert_regex "$stderr" "$said"
        assert_equal "$(grep -vc '^###' <<< "$section")" 0
    done
    configure 'export GRUB_ENABLE_BLSCFG=true'
    assert_regex "$stderr" "$said"
}

# edit_10_linux SCRIPT: with sed, from the release's own.
edit_10_linux() {
    [[ -e $tree/10_linux ]] || cp "$tree/etc/grub.d/10_linux" "$tree/10_linux"
    sed "$1" "$tree/10_linux" | put_script 10_linux
    refute cmp -s "$tree/10_linux" "$tree/etc/grub.d/10_linux"
}

@test "a 10_linux that writes what is not known is not trusted" {
    local line='line [0-9]+ of the configuration'
    make_machine bookworm plain
    edit_10_linux 's/^\(\tlinux\t.*\)$/\tmultiboot\tx/'
    configure
    assert_refuses '10_linux wrote no entry for a kernel'
    edit_10_linux 's/ \${CLASS} / --new-option ${CLASS} /'
    configure
    assert_regex "$stderr" "noptrace: $line: an entry that is not understood; no maintenance menu written"
    # in the last entry alone: nothing of the others is shown for a reason
    edit_10_linux '/^  version="\$2"$/a\  case $2 in 6.1.0-9-*) CLASS="--new-option $CLASS" ;; esac'
    configure
    assert_regex "$normal" new-option
    assert_equal "$(grep -c -e noptrace -e menuentry <<< "$stderr")" 1
    assert_regex "$stderr" "noptrace: $line: an entry that is not understood; no maintenance menu written"
    edit_10_linux "s/ [^ ]*menuentry_id_option 'gnulinux-simple-[^']*'//"
    configure
    assert_regex "$stderr" "noptrace: $line: the first entry has no id; no maintenance menu written"
    edit_10_linux 's,^\tlinux\t[^ ]*,\tlinux\t$kernel,; s,^\tlinux\t\$kernel,\tlinux\t\\$kernel,'
    configure
    assert_regex "$stderr" "noptrace: $line: an entry that is not understood; no maintenance menu written"
}

# What the menu, which is entry 2 here or 3 behind a firmware's, can be called.
numbers=(2 3 02 0x2 ' 2' '2 ' 2.1-x 3rd '2>0' '3>1' '2>noptrace-maintenance-6.1.0-9-amd64')
names=(noptrace-maintenance 'noptrace-maintenance>0' 'noptrace-maintenance>noptrace-maintenance-6.1.0-9-amd64'
    'noptrace-maintenance>no such' 'Maintenance (ptrace on)' 'Maintenance (ptrace on)>1')
# and what cannot name it
others=(0 1 '1>2' 99 -1 6.1.0-18-amd64 noptrace-maintenance-6.1.0-9-amd64 'Maintenance (ptrace on)>>1' '' ' ')

# An entry that is there at boot and does not stand at the start of its line, as 30_uefi-firmware's.
add_firmware() {
    put_script 15_firmware << 'END'
#!/bin/sh
cat << 'MENU'
if true; then
	menuentry 'UEFI Firmware Settings' $menuentry_id_option 'uefi-firmware' {
		echo 'goes to the firmware'
		halt
	}
fi
MENU
END
}

@test "no default that is set in /etc/default/grub opens it, in any form that GRUB takes" {
    local suite firmware default count=0
    for suite in bookworm trixie; do
        make_machine "$suite" plain
        for firmware in '' yes; do
            [[ ! $firmware ]] || add_firmware
            for default in "${numbers[@]}" "${names[@]}" "${others[@]}"; do
                configure "GRUB_DEFAULT='$default'" GRUB_SAVEDEFAULT=true
                start_grub "$suite"
                refute_open
                ((++count))
            done
        done
    done
    assert_equal "$count" 108
}

@test "no saved entry opens it, whenever it was set, and whatever else grubenv says" {
    local suite saved also state count=0
    for suite in bookworm trixie; do
        make_machine "$suite" plain
        configure GRUB_DEFAULT=saved GRUB_SAVEDEFAULT=true
        for saved in "${numbers[@]}" "${names[@]}"; do
            for also in boot_once=true "noptrace_chosen=$saved" noptrace_once=yes timeout=5 prev_saved_entry=0; do
                for state in writable unwritable; do
                    start_grub "$suite" "$state" "saved_entry=$saved" "$also"
                    assert_locked
                    ((++count))
                done
            done
        done
    done
    assert_equal "$count" 340
}

@test "a saved entry that names it is said on the screen, with what boots instead" {
    make_machine bookworm plain
    configure GRUB_DEFAULT=saved
    start_grub bookworm writable saved_entry=noptrace-maintenance
    assert_locked
    assert_regex "$output" 'noptrace: nobody picked maintenance, nor named it for this boot alone'
    assert_regex "$output" 'noptrace: booting the first normal entry; pick maintenance in the menu'
    # another entry is as good a default as ever
    start_grub bookworm writable 'saved_entry=Advanced options for Debian GNU/Linux>Debian GNU/Linux, with Linux 6.1.0-9-amd64'
    assert_locked
    assert_regex "$loaded" '^/boot/vmlinuz-6\.1\.0-9-amd64 root='
    refute_regex "$output" 'noptrace:'
    # nor is a number one of its names, if its title begins with that
    set_knob "NOPTRACE_MENU_TITLE='0 times'"
    configure GRUB_DEFAULT=saved
    start_grub bookworm writable 'saved_entry=0 times'
    assert_locked
    refute_regex "$output" 'noptrace:'
    # whatever comes first
    put_script 05_other <<< "#!/bin/sh
echo 'menuentry Windows { halt; }'"
    configure GRUB_DEFAULT=saved
    start_grub bookworm writable saved_entry=noptrace-maintenance
    assert_locked
    assert_regex "$loaded" '^/boot/vmlinuz-6\.1\.0-10-amd64 root='
    start_grub bookworm writable saved_entry=3
    assert_locked
    assert_regex "$output" 'noptrace: nobody picked maintenance, nor named it for this boot alone'
    assert_regex "$loaded" '^/boot/vmlinuz-6\.1\.0-10-amd64 root='
}

# assert_once SUITE ENTRY: open for one boot, and locked in the next; locked where GRUB cannot write.
assert_once() {
    start_grub "$1" unwritable "next_entry=$2"
    assert_locked
    assert_regex "$output" 'noptrace: GRUB cannot write here, so this would be maintenance at every boot'
    start_grub "$1" writable "next_entry=$2"
    assert_open
    assert_equal "$grubenv" next_entry=
    start_grub "$1" writable "$grubenv"
    assert_locked
}

# assert_declined SUITE ENTRY: a choice for one boot that is none of maintenance to GRUB, and why.
assert_declined() {
    start_grub "$1" writable "next_entry=$2"
    assert_locked
    assert_regex "$output" 'noptrace: nobody picked maintenance, nor named it for this boot alone'
    assert_regex "$output" 'noptrace: booting the first normal entry; pick maintenance in the menu'
    assert_regex "$loaded" '^/boot/vmlinuz-6\.1\.0-10-amd64 root='
}

@test "a choice for one boot by its name opens it where GRUB can take that back, and only there" {
    local suite entry title
    for suite in bookworm trixie; do
        make_machine "$suite" plain
        configure
        for entry in "${names[@]}"; do
            assert_once "$suite" "$entry"
        done
        for entry in "${others[@]}"; do
            start_grub "$suite" writable "next_entry=$entry"
            assert_locked
        done
        add_firmware
        for title in "Bob's workshop" 'a>b' '[x] (y|z) {1,2}.*+?^$\\' 'x 3'; do
            set_knob "NOPTRACE_MENU_TITLE=$(sed "s/'/'\\\\''/g; s/[\\/&\\\\]/\\\\&/g; s/.*/'&'/" <<< "$title")"
            configure
            assert_regex "$(grep '^submenu' <<< "$section")" submenu
            assert_once "$suite" "${title//>/>>}"
            assert_once "$suite" "${title//>/>>}>noptrace-maintenance-6.1.0-9-amd64"
            assert_regex "$loaded" 6.1.0-10
        done
        # what is a number to GRUB is no name
        for title in '3 times' ' 3' 3; do
            set_knob "NOPTRACE_MENU_TITLE='$title'"
            configure
            assert_declined "$suite" "$title"
            assert_once "$suite" 'noptrace-maintenance>noptrace-maintenance-6.1.0-9-amd64'
        done
    done
}

@test "a choice for one boot by a number does not open it, and the reason is said" {
    local suite entry
    for suite in bookworm trixie; do
        make_machine "$suite" plain
        configure
        for entry in 2 02 0x2 '2>1' 2nd '2>noptrace-maintenance-6.1.0-9-amd64'; do
            assert_declined "$suite" "$entry"
        done
        # that of another entry, which is not shown at this boot
        put_script 30_uefi-firmware < "${!suite}/etc/grub.d/30_uefi-firmware"
        configure
        assert_regex "$normal" uefi-firmware
        assert_declined "$suite" 2
        # nor does one of a normal entry for what a later script makes the default, nor one's name
        put_script 99_z_local <<< "#!/bin/sh
echo 'set default=noptrace-maintenance'"
        configure
        for entry in 0 1 '1>2' gnulinux-simple-01234567-89ab-cdef-0123-456789abcdef; do
            assert_declined "$suite" "$entry"
        done
    done
}

@test "what custom.cfg and later scripts set as the default or to fall back to does not open it" {
    local suite default setting
    for suite in bookworm trixie; do
        make_machine "$suite" plain
        # GRUB falls back from an entry that boots nothing
        put_script 05_broken <<< "#!/bin/sh
echo 'menuentry Broken { false; }'"
        for default in 3 noptrace-maintenance 'Maintenance (ptrace on)'; do
            for setting in default fallback; do
                for script in 41_custom 50_later; do
                    rm -f "$tree"/etc/grub.d/{41_custom,50_later}
                    put_script "$script" <<< "#!/bin/sh
echo \"set $setting='$default'\""
                    configure
                    start_grub "$suite"
                    refute_open
                    # a choice for one boot of what does not boot
                    start_grub "$suite" writable next_entry=Broken
                    refute_open
                    start_grub "$suite" writable boot_once=true
                    refute_open
                    start_grub "$suite" writable next_entry=0
                    refute_open
                done
            done
        done
        # one to a normal entry is what it was
        put_script 50_later <<< "#!/bin/sh
echo 'set fallback=1'"
        configure
        start_grub "$suite" writable next_entry=0
        assert_locked
    done
}

# an administrator's submenu, whose entry anybody may boot
put_site() {
    put_script 06_site << 'END'
#!/bin/sh
cat << 'MENU'
set superusers="root"
password root secret
submenu 'Site' --unrestricted --id site {
	menuentry 'X' --id x { echo; }
	menuentry 'Y' --id y {
		linux /y root=/dev/y
	}
}
MENU
END
}

@test "where GRUB has superusers, others' submenus boot as they would without our menu" {
    local suite
    for suite in bookworm trixie; do
        make_machine "$suite" plain
        put_site
        configure "GRUB_DEFAULT='site>y'"
        assert_regex "$section" submenu
        start_grub "$suite"
        assert_equal "$loaded" '/y root=/dev/y'
        refute_regex "$output" 'Enter username'
    done
}

@test "where GRUB has superusers, the menu asks for the password and so do its entries, whatever grubenv says" {
    local suite also
    for suite in bookworm trixie; do
        make_machine "$suite" plain
        put_site
        configure
        for also in '' noptrace_superusers= noptrace_superusers=nobody; do
            start_grub "$suite" writable next_entry=noptrace-maintenance ${also:+"$also"}
            assert_equal "$loaded" ''
            assert_regex "$output" 'Enter username'
        done
        # one that anybody opens: the entry in it asks
        sed -i "/^submenu .*noptrace-maintenance/s/--users ''/--unrestricted/" "$tree/boot/grub/grub.cfg"
        for also in '' noptrace_superusers= noptrace_superusers=nobody; do
            start_grub "$suite" writable next_entry=noptrace-maintenance ${also:+"$also"}
            assert_equal "$loaded" ''
            assert_regex "$output" 'Enter username'
        done
        # without any, nothing asks
        rm "$tree/etc/grub.d/06_site"
        configure
        start_grub "$suite" writable next_entry=noptrace-maintenance noptrace_superusers=root
        assert_open
    done
}

# bats test_tags=direct
@test "whatever the configuration is, its reader ends with an exit code of its own" {
    local size at call code=0
    make_machine bookworm plain
    configure
    size=$(stat -c %s "$tree/boot/grub/grub.cfg")
    for ((at = 0; at < size; at += 61)); do
        for call in open normal 'maintenance id users'; do
            # cut short, and with a byte of it replaced
            # shellcheck disable=SC2086 # its arguments
            head -c "$at" "$tree/boot/grub/grub.cfg" | "$top/build/noptrace-grub" $call > /dev/null 2>&1 || code=$?
            assert [ "$code" -le 2 ]
            # shellcheck disable=SC2086
            { head -c "$at" "$tree/boot/grub/grub.cfg" && printf '%b' "\\0$((at % 8))\\0$((at % 7))'" \
                && tail -c "+$((at + 1))" "$tree/boot/grub/grub.cfg"; } \
                | "$top/build/noptrace-grub" $call > /dev/null 2>&1 || code=$?
            assert [ "$code" -le 2 ]
        done
    done
    head -c 5000000 /dev/zero | tr '\0' '\n' > "$BATS_TEST_TMPDIR/huge"
    run "$top/build/noptrace-grub" open < "$BATS_TEST_TMPDIR/huge"
    assert_failure 2
    assert_output 'the configuration cannot be read, or is longer than 4 MiB'
    run "$top/build/noptrace-grub" open < /
    assert_failure 2
    assert_output 'the configuration cannot be read, or is longer than 4 MiB'
    # with as many entries as there may be, it counts its lines once
    printf "menuentry \$x {\\n$(printf %3800s '')\\nlinux /v maintenance\\n}\\n%.0s" {1..1024} > "$BATS_TEST_TMPDIR/huge"
    run sh -c 'ulimit -t 1 && exec "$0" open < "$1"' "$top/build/noptrace-grub" "$BATS_TEST_TMPDIR/huge"
    assert_success
    assert_line -n 1023 'line 4093'
    for call in normal 'maintenance id users'; do
        # shellcheck disable=SC2086 # its arguments
        run "$top/build/noptrace-grub" $call < "$BATS_TEST_TMPDIR/huge"
        assert_failure 1
    done
    run bash -c '"$0" normal < "$1" > /dev/full' "$top/build/noptrace-grub" "$tree/boot/grub/grub.cfg"
    assert_failure 2
    for call in close 'other id users'; do
        # shellcheck disable=SC2086 # its arguments
        run "$top/build/noptrace-grub" $call
        assert_failure 64
        assert_output 'usage: noptrace-grub open|normal|id|maintenance ID USERS'
    done
}

# grub CALL [ARGUMENT…]: what noptrace-grub says of the configuration on stdin.
grub() {
    run "$top/build/noptrace-grub" "$@"
}

# by_10_linux TEXT: as if 10_linux had written it, in the second line and on; %b.
by_10_linux() {
    printf '### BEGIN /etc/grub.d/10_linux ###\n%b\n### END /etc/grub.d/10_linux ###\n' "$1" > "$BATS_TEST_TMPDIR/cfg"
}

# bats test_tags=direct
@test "the word is found in a kernel's line as GRUB reads that, and hands it on" {
    local want words
    # open or locks, and what is behind the kernel's path, in which ~ is the end of a line
    while IFS='|' read -r want words; do
        printf 'menuentry t {\n\tlinux /v %s\n}\n' "${words//\~/$'\n'}" > "$BATS_TEST_TMPDIR/cfg"
        grub open < "$BATS_TEST_TMPDIR/cfg"
        case $want in
            open) assert_equal "$words: $status $output" "$words: 0 t" ;;
            locks) assert_equal "$words: $status $output" "$words: 1 " ;;
        esac
    done << 'END'
open|a "maintenance"
open|'main'tenance
open|\main\tenan\ce
open|main\~tenance
open|"main\~tenance"
locks|'main\~tenance'
open|$x"maintenance"
open|"${x}maintenance"
open|maintenance$azAZ_09$z$A$Z0$_9
open|maintenance$a
open|maintenance$109$0
locks|maintenance$1:
locks|maintenance$x[
locks|"maintenance$x{"
locks|maintenance$
locks|"maintenance$["
locks|"maintenance${}"
open|$1maintenance
open|${12}maintenance
open|$? maintenance
open|"$@"maintenance
open|${A_9}maintenance
open|"$_"maintenance
open|$"maintenance"
open|main$"ten"ance
open|$"${x}maintenance"
locks|$"a maintenance"
locks|$"\"maintenance\""
open|\~# maintenance
open|\~ a \~~ linux /w \~ maintenance
locks|\~ # maintenance
locks|a \~~ maintenance
locks|$x:maintenance
locks|"${x:}maintenance"
locks|"$[maintenance"
locks|"$|maintenance"
open|if maintenance
locks|$maintenance
locks|\$maintenance
locks|"\$maintenance"
locks|"a maintenance"
locks|"\"maintenance\""
locks|"\\maintenance"
locks|"\maintenance"
locks|x='a "maintenance" b'
locks|x=\"a maintenance
locks|maintenance=1
locks|# maintenance
locks|; maintenance
open|a~ if true; then linux16 /w maintenance; fi
open|a~ linuxefi /w maintenance
open|a~ module2 /w maintenance
open|a~ xen_module /w maintenance
open|a~ xen_linux /w maintenance
open|a~ chainloader /w.efi maintenance
open|a~ legacy_kernel --type=linux /w maintenance
open|a~ time linux /w maintenance
open|a~ if x; then y; elif linux /w maintenance; then z; fi
open|a~ if x; then y; else linux /w maintenance; fi
open|a~ while linux /w maintenance; do x; done
open|a~ while x; do linux /w maintenance; done
locks|"a maintenance b"
locks|'"'$x a maintenance
locks|a~ a-command-of-more-than-32-characters /w maintenance
open|"a b" maintenance
open|x\' maintenance
open|a~ until linux /w maintenance; do x; done
open|a~ ! linux /w maintenance
open|a~ module /w maintenance
open|a~ ${x}if maintenance
locks|a~ "if" linux /w maintenance
locks|a~ \if linux /w maintenance
locks|a~ chainloader maintenance
locks|a~ initrd /w maintenance
open|a~ eval "linux /v maintenance"
open|a~ eval linux /v maintenance
open|a~ eval "linux /v 'mainten'ance; boot"
open|a~ eval "linux /v a;maintenance"
open|a~ eval "{ linux /v maintenance}"
open|a~ eval 'linux /v main\tenance'
open|a~ if eval "linux /v maintenance"; then boot; fi
locks|a~ eval "linux /v maintenance=1 -- maintenance"
locks|a~ eval "linux /v maintenances"
open|a~ l=linux; $l /v maintenance
open|a~ ${l} maintenance
open|a~ "x$l" /v "a maintenance b"
locks|a~ $l /v nomaintenance
locks|a~ echo maintenance
locks|a~ eval "x"~ echo maintenance
END
    # a function, which an entry may call
    while IFS='|' read -r want words; do
        printf '%b\n' "$words" > "$BATS_TEST_TMPDIR/cfg"
        grub open < "$BATS_TEST_TMPDIR/cfg"
        assert_equal "$words: $output" "$words: $want"
    done << 'END'
function f|function f {\nlinux /v maintenance\n}\nmenuentry t {\nf\n}
function f|submenu s {\nfunction f {\nif true; then linux /v maintenance; fi\n}\n}
function f|function f {\nmenuentry t {\nlinux /v maintenance\n}\n}
t|menuentry t {\nfunction f {\nlinux /v maintenance\n}\n}
|function f {\nlinux /v\n}
|function f {\necho maintenance\n}
line 2|if true; then\n\tlinux /v maintenance\nboot\nfi
line 1|submenu s { linux /v maintenance; boot; }
line 3|menuentry t {\nlinux /v\n}; linux /v maintenance
line 1|hiddenentry t { linux /v maintenance; }
line 3|linux /v\n\n$x /v maintenance
|if true; then linux /v; echo maintenance; fi
END
    # and which is none of 10_linux's entries
    by_10_linux 'function f {\nlinux /v maintenance\n}\nmenuentry a --id x {\nlinux /w\n}'
    grub id < "$BATS_TEST_TMPDIR/cfg"
    assert_success
    assert_output x
    # of Xen, whose kernel is a module
    by_10_linux 'menuentry t {\nmultiboot2 /xen\nmodule2 /v maintenance\n}'
    grub open < "$BATS_TEST_TMPDIR/cfg"
    assert_success
    assert_output t
    grub normal < "$BATS_TEST_TMPDIR/cfg"
    assert_failure 1
    by_10_linux 'menuentry u {\nchainloader /EFI/Linux/l.efi maintenance\n}'
    grub open < "$BATS_TEST_TMPDIR/cfg"
    assert_success
    assert_output u
    # those without a kernel are not counted
    printf 'menuentry t {\nx\n}\n%.0s' {1..1025} > "$BATS_TEST_TMPDIR/cfg"
    grub open < "$BATS_TEST_TMPDIR/cfg"
    assert_failure 1
    # a byte that is escaped may be the last one
    printf 'menuentry t {\nlinux /v maintenance\n}\n\\x' > "$BATS_TEST_TMPDIR/cfg"
    grub open < "$BATS_TEST_TMPDIR/cfg"
    assert_success
    # and a line that is to go on ends with the file
    printf 'menuentry t {\nlinux /v maintenance\n}\n\\\n' > "$BATS_TEST_TMPDIR/cfg"
    grub open < "$BATS_TEST_TMPDIR/cfg"
    assert_success
    assert_output t
    # one whose title is not known is named by its line, and no title steers a terminal
    by_10_linux 'menuentry "$x" {\nlinux /v maintenance\n}\nmenuentry "a\0033b\0177 \0302\0233c\0303\0244" {\nlinux /v maintenance\n}'
    grub open < "$BATS_TEST_TMPDIR/cfg"
    assert_success
    assert_output $'line 2\na?b? ?cä'
}

# bats test_tags=direct
@test "a configuration that GRUB would not read, or that is larger than any, is refused with the line, 2" {
    local line text long
    long=$(printf '%8000s' '' | tr ' ' x)
    # the line, and what is on it and on those before
    while IFS='|' read -r line text; do
        printf %b "$text" > "$BATS_TEST_TMPDIR/cfg"
        grub open < "$BATS_TEST_TMPDIR/cfg"
        assert_equal "${text::60}: $status $output" "${text::60}: 2 line $line of the configuration cannot be read"
    done << END
3|\n\nset x=\\\\
1|set x="a\n
2|\nset x='a
2|a b\n}\n
2|\n{ a\n}
2|a {\n
1|set x="a\\\\
1|set x="a\\\\"
1|set x="a\\\\\0000"
2|menuentry a {\nlinux /v \$
2|\na \$\0000
1|a & b
2|a\na\0000b
3|\na \${x\n
1|set x=$long$long
1|set $long$(printf '%0192d' 0)
1|linux /v $long $long $long $long $long
33|$(printf 'menuentry a {\\n%.0s' {1..33})
3075|$(printf 'menuentry a {\\nlinux /v maintenance\\n}\\n%.0s' {1..1025})
2|menuentry a {\nlinux /v $long $long $long $long $long\n}
END
}

# bats test_tags=direct
@test "the first entry of 10_linux is the normal one, with what names it to GRUB, or the reason why not is given" {
    local why entry
    by_10_linux "menuentry 'Bob'\\\\''s' --class a --class=b \$menuentry_id_option 'a>b' {\n\tsavedefault x\n\tlinux /vmlinuz-6.1.efi.signed q\n\tinitrd /i\n}"
    grub normal < "$BATS_TEST_TMPDIR/cfg"
    assert_success
    assert_output $'\t\tmenuentry \'Bob\'\\\'\'s\' --class a --class=b $menuentry_id_option \'a>b\' {\n\t\t\tlinux /vmlinuz-6.1.efi.signed q\n\t\t\tinitrd /i\n\t\t}'
    # where > divides the names of a menu and its entry
    grub id < "$BATS_TEST_TMPDIR/cfg"
    assert_success
    assert_output 'a>>b'
    assert_equal "$("$top/build/noptrace-grub" id < "$BATS_TEST_TMPDIR/cfg" | wc -l)" 1
    grub maintenance n 'root bob' < "$BATS_TEST_TMPDIR/cfg"
    assert_success
    assert_output $'\t\tmenuentry \'Bob\'\\\'\'s (maintenance)\' --class a --class=b $menuentry_id_option \'n-6.1\' --users \'root bob\' {\n\t\t\tlinux /vmlinuz-6.1.efi.signed maintenance q\n\t\t\tinitrd /i\n\t\t}'

    # whatever else is said of it
    by_10_linux 'menuentry a --users u --hotkey x --source=s --class c --unrestricted --id i {\nlinux /v\n}'
    grub id < "$BATS_TEST_TMPDIR/cfg"
    assert_success
    assert_output i
    # what it had left out takes no comment with it, its normal entry may be booted by all, and its kernel is in GRUB's own folder
    by_10_linux 'menuentry a --unrestricted ${menuentry_id_option} b {\n\tsavedefault\n\t# why\n\tlinux v-6.1\n}'
    grub id < "$BATS_TEST_TMPDIR/cfg"
    assert_success
    assert_output b
    grub maintenance n root < "$BATS_TEST_TMPDIR/cfg"
    assert_success
    assert_output $'\t\tmenuentry \'a (maintenance)\' $menuentry_id_option \'n-6.1\' --users \'root\' {\n\t\t\t# why\n\t\t\tlinux v-6.1 maintenance\n\t\t}'
    # a $ that begins no variable
    by_10_linux 'menuentry "a$[${x:}" --id "$(x)" {\n\tlinux /v-6.1\n}'
    grub id < "$BATS_TEST_TMPDIR/cfg"
    assert_output '$(x)'
    grub maintenance n root < "$BATS_TEST_TMPDIR/cfg"
    assert_success
    assert_line --partial "menuentry 'a\$[\${x:} (maintenance)'"
    # one line
    by_10_linux 'menuentry a { linux /v-6.1; }'
    grub maintenance n root < "$BATS_TEST_TMPDIR/cfg"
    assert_success
    assert_output $'\t\tmenuentry \'a (maintenance)\' $menuentry_id_option \'n-6.1\' --users \'root\' { linux /v-6.1 maintenance; }'
    # a line that is continued: the word is behind the path all the same
    by_10_linux 'menuentry a {\n\tlinux \\\n\t\t/v-6.1 \\\n\t\tq\n}'
    grub maintenance n root < "$BATS_TEST_TMPDIR/cfg"
    assert_success
    assert_output $'\t\tmenuentry \'a (maintenance)\' $menuentry_id_option \'n-6.1\' --users \'root\' {\n\t\t\tlinux \\\n\t\t\t\t/v-6.1 maintenance \\\n\t\t\t\tq\n\t\t}'

    by_10_linux 'menuentry a {\n\tlinux \\\n\\\n /v-6.1 q\n}'
    grub maintenance n root < "$BATS_TEST_TMPDIR/cfg"
    assert_success
    assert_output --partial $'linux \\\n\t\t\\\n\t\t /v-6.1 maintenance q'
    # in a submenu it stands deeper, and so does what is in it
    by_10_linux 'submenu s {\n\t\tmenuentry a {\n\t\t\tlinux /v-6.1\n\t\t\tif x; then\n\t\t\t\ty\n\t\t\tfi\n\t\t}\n}'
    grub maintenance n root < "$BATS_TEST_TMPDIR/cfg"
    assert_success
    assert_output $'\t\tmenuentry \'a (maintenance)\' $menuentry_id_option \'n-6.1\' --users \'root\' {\n\t\t\tlinux /v-6.1 maintenance\n\t\t\tif x; then\n\t\t\t\ty\n\t\t\tfi\n\t\t}'

    while IFS='|' read -r why entry; do
        by_10_linux "$entry"
        grub id < "$BATS_TEST_TMPDIR/cfg"
        assert_equal "$entry: $status $output" "$entry: 2 line 2 of the configuration: the first entry $why"
    done << 'END'
has the word maintenance|menuentry a --id x {\nlinux /v maintenance\n}
is in a submenu|submenu s { menuentry a --id x {\nlinux /v\n} }
has no id|menuentry a {\nlinux /v\n}
has no id|menuentry a --id {\nlinux /v\n}
has no id|menuentry a --id $x {\nlinux /v\n}
has no id|menuentry a --id=x {\nlinux /v\n}
has no id|menuentry $x --id x {\nlinux /v\n}
END
    # without a kernel, or handed to another command, it is none, and one of another script is not 10_linux's
    for entry in 'menuentry a --id x {\ninitrd /i\n}' 'x { menuentry a --id x {\nlinux /v\n} }' '### END x ###\nmenuentry a --id x {\nlinux /v\n}'; do
        by_10_linux "$entry"
        for call in normal id 'maintenance n root'; do
            # shellcheck disable=SC2086 # its arguments
            grub $call < "$BATS_TEST_TMPDIR/cfg"
            assert_failure 1
            assert_output ''
        done
    done
    # nor is one whose section is another, or has no name, or of which a comment only looks as if it began
    for entry in '### BEGIN /etc/grub.d/30_other ###' '# 3456789 /10_linux ###' '### BEGIN 10_linux\n# ###' '### BEGIN ###'; do
        printf '%b\nmenuentry a --id x {\nlinux /v\n}\n' "$entry" > "$BATS_TEST_TMPDIR/cfg"
        grub id < "$BATS_TEST_TMPDIR/cfg"
        assert_failure 1
    done
    # whatever else is said in its own
    by_10_linux '# kernelopts\nmenuentry a --id x {\nlinux /v\n}'
    grub id < "$BATS_TEST_TMPDIR/cfg"
    assert_success
    # whatever folder that is in
    printf '### BEGIN 10_linux ###\nmenuentry a --id x {\nlinux /v\n}' > "$BATS_TEST_TMPDIR/cfg"
    grub id < "$BATS_TEST_TMPDIR/cfg"
    assert_success
    assert_output x
    # and a section without a name is nobody's
    printf 'menuentry a --id x {\nlinux /v\n}\n### BEGIN ###' > "$BATS_TEST_TMPDIR/cfg"
    grub id < "$BATS_TEST_TMPDIR/cfg"
    assert_failure 1
    # entries that are not in it, 3; there may be open ones beside them
    for entry in blscfg 'menuentry a {\nlinux /v $kernelopts\n}'; do
        by_10_linux "$entry"
        grub id < "$BATS_TEST_TMPDIR/cfg"
        assert_failure 3
        assert_output ''
        printf 'menuentry b {\nlinux /v maintenance\n}\n' >> "$BATS_TEST_TMPDIR/cfg"
        grub open < "$BATS_TEST_TMPDIR/cfg"
        assert_success
        assert_output b
    done
}

# bats test_tags=direct
@test "an entry that 10_linux does not write gets none for maintenance, nor does any other" {
    local header kernel long
    long=$(printf '%8190s' '' | tr ' ' x)
    for header in '"$t"' -x '-x a' '--classes a' 'a b' --class "--class ${long::8183} a" "--class ${long::5000} --class ${long::5000} a" '' 'a --users u --hotkey=x --source'; do
        by_10_linux "menuentry a {\nlinux /v\n}\nmenuentry $header {\nlinux /w\n}"
        grub maintenance n root < "$BATS_TEST_TMPDIR/cfg"
        assert_equal "${header::60}: $status $output" "${header::60}: 2 line 5 of the configuration: an entry that is not understood"
    done
    by_10_linux "menuentry a --class ${long::8182} --id x$long {\nlinux /v\n}"
    grub maintenance n root < "$BATS_TEST_TMPDIR/cfg"
    assert_success
    grub id < "$BATS_TEST_TMPDIR/cfg"
    assert_success
    assert_output "x$long"
    by_10_linux "menuentry a {\nlinux /v\n}\nmenuentry b {\nlinux /v-${long::495}\n}"
    grub maintenance n root < "$BATS_TEST_TMPDIR/cfg"
    assert_success
    assert_equal "$(grep -o "'.* (maintenance)'" <<< "$output")" "'a (maintenance)'"$'\n'"'b (maintenance)'"
    grub maintenance "${long::495}" root < "$BATS_TEST_TMPDIR/cfg"
    assert_failure 2
    for kernel in '$x' '"/v$x"' "/v-${long::496}"; do
        by_10_linux "menuentry a {\nlinux /v\n}\nmenuentry b {\nlinux $kernel\n}"
        grub maintenance n root < "$BATS_TEST_TMPDIR/cfg"
        assert_equal "${kernel::60}: $status $output" "${kernel::60}: 2 line 5 of the configuration: an entry that is not understood"
    done
    # older states of a ZFS, below a submenu's submenu, are none of its entries
    by_10_linux 'menuentry a {\nlinux /v-1\n}\nsubmenu s {\nsubmenu t {\nmenuentry b {\nlinux /v-2\n}\n}\n}'
    grub maintenance n root < "$BATS_TEST_TMPDIR/cfg"
    assert_success
    assert_line --partial "'a (maintenance)'"
    refute_output --partial "'b (maintenance)'"
    # of those of one kernel the first counts, and rather one of a submenu, whose title has the version
    by_10_linux 'menuentry a {\nlinux /v-1\n}\nmenuentry a2 {\nlinux /v-1\n}\nsubmenu s {\nmenuentry b {\nlinux /v-1\n}\nmenuentry c {\nlinux /v-1\n}\n}'
    grub maintenance n root < "$BATS_TEST_TMPDIR/cfg"
    assert_success
    assert_equal "$(grep -o "'.* (maintenance)'" <<< "$output")" "'b (maintenance)'"
    by_10_linux 'menuentry a {\nlinux /v-1\n}\nmenuentry a2 {\nlinux /v-1\n}'
    grub maintenance n root < "$BATS_TEST_TMPDIR/cfg"
    assert_equal "$(grep -o "'.* (maintenance)'" <<< "$output")" "'a (maintenance)'"
    # those of one version are told apart
    by_10_linux "$(printf 'menuentry t {\\nlinux %s\\n}\\n' /v-10 /v-1 /boot/v-1 "'/boot/v-1'" /v-0-1 /v-9-1 /v-:-2 /1-x /.efi.signed)"
    grub maintenance n root < "$BATS_TEST_TMPDIR/cfg"
    assert_success
    assert_equal "$(sed -n "s/.* '\(n-.*\)' --users.*/\1/p" <<< "$output")" $'n-10\nn-1\nn-1 (2)\nn-1 (3)\nn-0-1\nn-9-1\nn-2\nn-1-x\nn-.efi.signed'
}

# Settings that hurt: each is tried on each of the other 10_linux.
hurtful=(GRUB_DEFAULT=saved GRUB_DEFAULT=2 "GRUB_DEFAULT='1>0'" GRUB_DEFAULT=99 GRUB_SAVEDEFAULT=true GRUB_DISABLE_SUBMENU=y
    GRUB_DISABLE_RECOVERY=true "GRUB_DISTRIBUTOR=\"Bob's\"" 'GRUB_CMDLINE_LINUX="maintenance=1 a=\"b c\""'
    'GRUB_CMDLINE_LINUX="-- x"' "GRUB_DEFAULT=\$'2\t'")

# try_10_linux NAME COMMAND…: with each of these settings; the command looks at what came out. 10_linux was run once.
try_10_linux() {
    local setting
    make_machine bookworm plain
    mkdir -p "$tree/boot/loader/entries"
    put_script 10_linux < "$golden/10_linux.$1"
    for setting in "${hurtful[@]}"; do
        rm -f "$tree/runs"
        printf '%s\n' 'title RHEL' 'linux /vmlinuz' 'options root=/dev/vda1 ro' > "$tree/boot/loader/entries/rhel.conf"
        in_root "$bookworm" "$tree/boot/grub" grub-editenv /var/tmp/grubenv create
        configure "${bls-}" "$setting"
        assert_equal "$(cat "$tree/runs")" run
        "${@:2}"
    done
}

nothing_learnt_the_word() {
    assert_silent
    run "$top/build/noptrace-cmdline" has maintenance "$(sed -n 's/^kernelopts=//p' "$tree/boot/grub/grubenv")"
    assert_failure 1
    run "$top/build/noptrace-cmdline" has maintenance "$(sed -n 's/^options //p' "$tree/boot/loader/entries/rhel.conf")"
    assert_failure 1
}

@test "where the entries are Boot Loader Specification ones it is silent, and nothing is run twice" {
    # as their grub-mkconfig exports it
    local bls='export GRUB_ENABLE_BLSCFG=true'
    try_10_linux rhel8 nothing_learnt_the_word
    # nor has anybody to be told where they are as yet
    try_10_linux none nothing_learnt_the_word
    bls=''
    try_10_linux rhel8-expanded nothing_learnt_the_word
    try_10_linux fedora nothing_learnt_the_word
}

no_kernel() {
    assert_equal "$(grep -vc '^###' <<< "$section")" 0
    assert_regex "$(grep noptrace <<< "$stderr")" '^noptrace: (10_linux wrote no entry for a kernel|GRUB_DEFAULT .*); no maintenance menu written$'
}

@test "a 10_linux that has nothing to offer gets no menu, which is said" {
    try_10_linux none no_kernel
}

# menu_of ENTRIES LINES: so many entries, each with so many lines that load a kernel, each with the word first; normal
# boots lock, and a choice for one boot opens.
menu_of() {
    assert_equal "$(grep -c '(maintenance)' <<< "$section")" "$1"
    run grep -E $'^\t+linux' <<< "$(sed '/^\telse/,$d' <<< "$section")"
    assert_equal "${#lines[@]}" "$(($1 * $2))"
    assert_equal "$(grep -cE $'linux(efi)?[ \t]+[^ ]+ maintenance ' <<< "$output")" "$(($1 * $2))"
    refute_regex "$section" savedefault
    refute_regex "$section" 'Revert|recovery'
    start_grub bookworm
    assert_locked
    start_grub bookworm writable saved_entry=noptrace-maintenance
    assert_locked
    start_grub bookworm writable 'next_entry=noptrace-maintenance>noptrace-maintenance-6.1.0-10-amd64'
    assert_open
    assert_regex "$loaded" 6.1.0-10
}

@test "the entries of RHEL 8 without Boot Loader Specification, of Ubuntu and of its ZFS are taken as they are" {
    try_10_linux rhel8 menu_of 2 1
    try_10_linux ubuntu menu_of 2 2
    try_10_linux zfs menu_of 1 1
}

@test "a copy of the script under another name writes no second menu, and calls no entry of the first open" {
    make_machine bookworm plain
    put_script 99_noptrace.bak < "$top/hooks/grub.d/99_noptrace"
    configure
    assert_equal "$(grep -c '^submenu .*noptrace-maintenance' "$tree/boot/grub/grub.cfg")" 1
    assert_equal "$(grep '^noptrace:' <<< "$stderr")" \
        'noptrace: it is there already, by a copy of this script in /etc/grub.d: remove that; no maintenance menu written'
}

@test "it is silent where the programs were removed" {
    local file
    for file in libexec/noptrace/noptrace-grub libexec/noptrace/knobs.sh sbin/noptrace; do
        make_machine bookworm plain
        rm "$tree/usr/$file"
        configure
        assert_silent
    done
}
