#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A whole Debian with systemd, booted through a real dracut image, with Ubuntu's sysctl.d file, which
# sets a lower scope, and with noptrace installed and enabled as README says. A unit of ours reports.

# shellcheck source=tests/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

setup_file() {
    export files=$BATS_FILE_TMPDIR
    bake "$bookworm" "$files/image" "${systemd_flavour[@]}" > "$files/log" &

    local tree=$files/tree
    variant_of "$bookworm" "$tree"
    rm -r "${tree:?}"/{usr/lib/modules,boot}
    printf 'kernel.yama.ptrace_scope = 1\n' > "$tree/etc/sysctl.d/10-ptrace.conf"
    systemctl --quiet --root="$tree" enable noptrace.service
    ln -s /dev/null "$tree/etc/systemd/system/serial-getty@ttyS0.service"
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
    cat > "$tree/report" << 'END'
#!/bin/sh
# is-system-running waits for the jobs that are queued, of which this unit is one: go by failed units.
echo "failed $(systemctl --failed --plain --no-legend | awk '{ print $1 }' | xargs)"
echo "sysctl $(systemctl is-active systemd-sysctl.service) $(systemctl show -P Result systemd-sysctl.service)"
echo "unit $(systemctl is-active noptrace.service)"
echo "journal $(journalctl -b -o cat --grep 'ptrace_scope is' | sort | uniq -c | sed 's/^ *//' | paste -s -d '|')"
noptrace status
echo "status $?"
if [ "$(cat /proc/sys/kernel/yama/ptrace_scope)" != 3 ]; then
    sleep 1000 &
    tracee=$!
    strace -qq -o /dev/null -p "$tracee" &
    tracer=$!
    until grep -q '^TracerPid:.*[1-9]' "/proc/$tracee/status"; do :; done
    noptrace lock 2>&1 | sed -e "s/PID $tracee /PID TRACEE /" -e "s/PID $tracer /PID TRACER /"
    noptrace status > /dev/null
    echo "status $?"
    kill -KILL "$tracer" "$tracee"
    noptrace status
    echo "status $?"
fi
/usr/libexec/noptrace/noptrace-probe
END
    chmod +x "$tree/report"
    ln -s ../report.service "$tree/etc/systemd/system/multi-user.target.wants/report.service"
    truncate -s 1G "$files/disk"
    mke2fs -q -t ext4 -L debian -d "$tree" "$files/disk"
    rm -r "$tree"
    wait $!
}

# boot_debian IMAGE [WORDS]
boot_debian() {
    answer=$BATS_TEST_TMPDIR/answer console=$BATS_TEST_TMPDIR/console
    run_guest "$answer" 300 tcg "root=LABEL=debian rw rd.skipfsck ${2-}" -kernel "$(kernel_of "$bookworm")" \
        -initrd "$files/$1" -drive "$(guest_disk "$files/disk")" < /dev/null > "$console" 2>&1
    sed -i 's/\r$//' "$answer"
    grep -qx end "$answer" || fail "$(
        cat "$answer"
        plain "$console" | tail -n 40
    )"
    run cat "$answer"
}

@test "Debian with Ubuntu's 10-ptrace.conf: locked, nothing failed, and one line a boot and program run in the journal" {
    boot_debian image
    assert_line 'failed '
    assert_line 'sysctl active success'
    assert_line 'unit active'
    # once from the initramfs, once from the real root; journald takes our name for the identifier
    assert_line 'journal 2 locked: kernel.yama.ptrace_scope is 3 until reboot'
    assert_line 'NOPTRACE OK - locked: kernel.yama.ptrace_scope is 3'
    assert_line 'status 0'
    assert_line 'scope 3'
    assert_line 'strace refused'
    assert_line 'write-0 EINVAL'
    assert_line 'scope-afterwards 3'
}

@test "Debian on a maintenance boot: open, strace works, lock ends it and names the tracer that was left" {
    boot_debian image maintenance
    assert_line 'failed '
    assert_line 'unit active'
    assert_line "NOPTRACE WARNING - open for maintenance, 'noptrace lock' ends it: kernel.yama.ptrace_scope is 1"
    assert_line 'noptrace: locked: kernel.yama.ptrace_scope is 3 until reboot'
    assert_line 'noptrace: still traced: PID TRACEE (sleep) by PID TRACER (strace); end it or reboot'
    assert_line 'NOPTRACE OK - locked: kernel.yama.ptrace_scope is 3'
    assert_line 'scope 3'
    # before the lock, after it with a tracer, after the tracer
    assert_equal "$(found "$answer" status | xargs)" '1 1 0'
}

@test "Debian without Yama and policy continue: boots, and the unit of the real root has failed" {
    boot_debian image lsm=landlock,lockdown
    assert_line --regexp '^failed .*noptrace\.service'
    assert_line 'unit failed'
    assert_line 'status 3'
}

@test "Debian whose initramfs has no noptrace is locked by its own unit before sysinit.target" {
    bake "$bookworm" "$files/image.without" > /dev/null
    boot_debian image.without
    assert_line 'journal 1 locked: kernel.yama.ptrace_scope is 3 until reboot'
    assert_line 'scope 3'
    # nothing but systemd itself has come before it in the real root
    local before
    before=$(plain "$console" | sed '1,/initrd-switch-root.service/d; /noptrace: locked/,$d' \
        | grep -oE 'Start(ing|ed) [a-zA-Z0-9@._-]+\.service' | sort -u)
    assert_equal "$before" 'Starting noptrace.service'
}

@test "noptrace-image boots an image against a disk of one's own, which it leaves alone" {
    local sum
    sum=$(md5sum < "$files/disk")
    run "$top/build/noptrace-image" boot --kernel "$(kernel_of "$bookworm")" --append root=LABEL=debian \
        --root "$files/disk" "$files/image"
    assert_success
    assert_line --regexp '^outcome +locked +open$'
    assert_equal "$(md5sum < "$files/disk")" "$sum"

    # a qcow2 image, on which noptrace is not installed
    root_disk "$BATS_TEST_TMPDIR/without"
    qemu-img create -q -f qcow2 -F raw -b "$BATS_TEST_TMPDIR/without" "$BATS_TEST_TMPDIR/disk,2"
    run "$top/build/noptrace-image" boot --kernel "$(kernel_of "$bookworm")" --append root=LABEL=noptrace \
        --timeout 60 --root "$BATS_TEST_TMPDIR/disk,2" "$files/image"
    assert_failure 3
    assert_line --partial "what answers there is /usr/libexec/noptrace/noptrace-probe: is noptrace installed on it?"
}
