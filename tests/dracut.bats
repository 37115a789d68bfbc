#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Real dracut images, booted to a real root: noptrace-image boot says what its first process found.

# shellcheck source=tests/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

# as dracut makes them
spare=

setup_file() {
    export images=$BATS_FILE_TMPDIR
    bake "$bookworm" "$images/systemd-059" "${systemd_flavour[@]}" > "$images/log.systemd" &
    bake "$bookworm" "$images/shell-059" "${shell_flavour[@]}" > "$images/log.shell"
    wait $!
    bake "$trixie" "$images/systemd-106" "${systemd_flavour[@]}" > "$images/log.systemd" &
    bake "$trixie" "$images/shell-106" "${shell_flavour[@]}" > "$images/log.shell"
    wait $!
}

# boot_once FLAVOUR ROOT: boots it both ways. Leaves what that printed in $output, and the consoles in $log.
boot_once() {
    log=$images/$1.log
    once "$1.boot" "$top/build/noptrace-image" boot --kernel "$(kernel_of "$2")" --log "$log" "$images/$1"
    assert_success
}

# boot_both FLAVOUR ROOT: everything refused on a normal boot, everything works on a maintenance boot.
boot_both() {
    local page row
    assert_passes "$images/$1" "$2"
    boot_once "$1" "$2"
    assert_output --regexp - << 'END'
 +normal boot +maintenance boot
ptrace_scope +3 +0
PTRACE_TRACEME +EPERM +ok
PTRACE_ATTACH +EPERM +ok
process_vm_readv +EPERM +ok
pidfd_getfd +EPERM +ok
strace +refused +ok
set to 0 +EINVAL +ok
set to 1 +EINVAL +ok
set to 2 +EINVAL +ok
outcome +locked +open
END
    assert_line 'normal boot: noptrace: locked: kernel.yama.ptrace_scope is 3 until reboot'
    assert_line 'maintenance boot: noptrace: maintenance boot: not locking; kernel.yama.ptrace_scope is 0'
    # README and the manual show this table
    for page in README.md src/noptrace-image.8; do
        sed '/^outcome/q' <<< "$output" | while IFS= read -r row; do
            grep -qF -- "$row" "$top/$page" || fail "$page does not show: $row"
        done
    done
    # exactly one line of ours in a boot
    assert_equal "$(grep -c '^normal boot: noptrace:' <<< "$output")" 1
    assert_equal "$(grep -c '^maintenance boot: noptrace:' <<< "$output")" 1
}

files_of() {
    cpio --quiet -t < "$images/$1" | grep -E 'noptrace' | sort
}

@test "dracut 059, systemd: a normal boot is locked before its real root, a maintenance boot is open" {
    boot_both systemd-059 "$bookworm"
}

@test "dracut 059, shell: a normal boot is locked before its real root, a maintenance boot is open" {
    boot_both shell-059 "$bookworm"
}

@test "dracut 106, systemd: a normal boot is locked before its real root, a maintenance boot is open" {
    boot_both systemd-106 "$trixie"
}

@test "dracut 106, shell: a normal boot is locked before its real root, a maintenance boot is open" {
    boot_both shell-106 "$trixie"
}

@test "a systemd image has the unit and no hook, and our program as it was built" {
    run files_of systemd-059
    assert_output - << 'END'
usr/lib/systemd/system/noptrace-initramfs.service
usr/lib/systemd/system/noptrace-initramfs.service.d
usr/lib/systemd/system/noptrace-initramfs.service.d/before.conf
usr/lib/systemd/system/sysinit.target.wants/noptrace-initramfs.service
usr/sbin/noptrace
END
    cmp <(cpio --quiet -i --to-stdout usr/sbin/noptrace < "$images/systemd-059") "$program"
}

@test "a shell image has the hook and no unit" {
    run files_of shell-059
    assert_output - << 'END'
usr/lib/dracut/hooks/cmdline/00-noptrace.sh
usr/lib/dracut/hooks/pre-pivot/99-noptrace-run.sh
usr/lib/noptrace
usr/lib/noptrace/on-failure.sh
usr/sbin/noptrace
END
}

@test "in a shell image it is the first of all hooks" {
    run bash -c "cpio --quiet -t < '$images/shell-059' | grep 'hooks/cmdline/' | sort | head -n 1"
    assert_output usr/lib/dracut/hooks/cmdline/00-noptrace.sh
}

@test "a shell image that has locked hands on /run, with what is mounted below it" {
    local mount
    mkdir -p "$BATS_TEST_TMPDIR/root/run"
    for mount in mount "$bookworm/bin/busybox mount"; do
        # shellcheck disable=SC2016 # the inner shell's
        run unshare --mount --propagation private sh -ec 'mount -t tmpfs tmpfs /run
            mkdir /run/live /run/sysctl.d
            mount -t tmpfs tmpfs /run/live
            NEWROOT=$1 mount=$3
            mount() { command $mount "$@"; }
            . "$2"
            ls "$NEWROOT/run"
            : > /run/live/medium
            : > /run/sysctl.d/zz-noptrace.conf
            . "$2"
            cd "$NEWROOT/run" && ls -d sysctl.d/* live/*' - "$BATS_TEST_TMPDIR/root" "$top/modules.d/50noptrace/noptrace-run.sh" "$mount"
        assert_success
        assert_output $'live/medium\nsysctl.d/zz-noptrace.conf'
    done
}

@test "in a systemd image no service starts before it is locked" {
    local dracut before
    for dracut in "059 $bookworm" "106 $trixie"; do
        boot_once "systemd-${dracut% *}" "${dracut#* }"
        before=$(sed '/^maintenance boot: /d; /noptrace: locked/,$d' "$log" \
            | grep -oE '(Start|Mount)(ing|ed) [a-zA-Z0-9@._-]+\.(service|mount)' | sort -u)
        assert_equal "$before" 'Starting noptrace-initramfs.service'
    done
}

@test "each service of dracut's modules that starts early comes after the lock, whether an image has it or not" {
    local root unit other known before count
    for root in "$bookworm" "$trixie"; do
        cd "$root/usr/lib/dracut/modules.d" || return
        # these are for what has failed
        known=" noptrace-initramfs.service emergency.service dracut-shutdown-onfailure.service $(sed -n 's/^Before=//p' "$top/modules.d/50noptrace/before.conf" | tr '\n' ' ')"
        # and what comes after one of them does too
        before=''
        while [[ $known != "$before" ]]; do
            before=$known
            for unit in */*.service; do
                while read -r other; do
                    [[ $known != *" $other "* ]] || known+="${unit##*/} "
                done < <(sed -n 's/^After=//p' "$unit" | tr ' ' '\n')
            done
            known=$(tr ' ' '\n' <<< "$known" | sort -u | tr '\n' ' ')
        done
        count=0
        while read -r unit; do
            count=$((count + 1))
            [[ $known == *" ${unit##*/} "* ]] || fail "$root: ${unit##*/}"
        done < <(grep -l '^DefaultDependencies=no' -- */*.service)
        ((count > 10)) || fail "$root: $count services"
    done
}

@test "an image without the module is found out" {
    bake "$bookworm" "$BATS_TEST_TMPDIR/without" > /dev/null
    run "$top/build/noptrace-image" boot --kernel "$(kernel_of "$bookworm")" "$BATS_TEST_TMPDIR/without"
    assert_failure 1
    assert_line --partial 'does not do its job: a normal boot is open, a maintenance boot open'
}

@test "two builds list the same files, and hold the same bytes of ours" {
    local build
    bake "$bookworm" "$BATS_TEST_TMPDIR/again" "${systemd_flavour[@]}" > /dev/null
    # dracut records its arguments, and with them the path of our dracut.conf
    cd "$BATS_TEST_TMPDIR"
    for build in "$images/systemd-059" again; do
        mkdir "${build##*/}.tree"
        cpio --quiet -t < "$build" > "${build##*/}.list"
        cpio --quiet -i -d -D "${build##*/}.tree" '*noptrace*' < "$build"
    done
    diff systemd-059.list again.list
    diff -r --no-dereference systemd-059.tree again.tree
    assert [ -s again.tree/usr/sbin/noptrace ]
}
