#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A whole Debian 12 and 13, booted through a real dracut image, with noptrace installed and enabled as README
# says, and with sysctl.d files that set lower scopes: Ubuntu's, Fedora's, and two of an administrator's, of
# which the last by name comes after ours. A unit of ours reports.

# shellcheck source=tests/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

setup_file() {
    export files=$BATS_FILE_TMPDIR
    local suite
    for suite in bookworm trixie; do
        bake "${!suite}" "$files/$suite" "${systemd_flavour[@]}" > "$files/log.$suite" &
        make_disk "$suite"
        # what comes behind an initramfs is told from what is in it, and comes sooner behind a small one
        handmade "$files/$suite.tree" "${!suite}" "$program"
        pack "$files/$suite.tree" "$files/$suite.handmade"
        sed -i '/noptrace apply/d' "$files/$suite.tree/init"
        pack "$files/$suite.tree" "$files/$suite.without"
        wait
    done
}

# make_disk SUITE
make_disk() {
    local tree=$files/tree
    variant_of "${!1}" "$tree"
    rm -r "${tree:?}"/{usr/lib/modules,boot}
    # not through the links that a variant shares
    rm -f "$tree/etc/sysctl.d/99-sysctl.conf"
    echo 'kernel.yama.ptrace_scope = 1' > "$tree/etc/sysctl.d/10-ptrace.conf"
    echo 'kernel.yama.ptrace_scope = 0' > "$tree/usr/lib/sysctl.d/10-default-yama-scope.conf"
    echo 'kernel.yama.ptrace_scope = 2' > "$tree/etc/sysctl.d/99-sysctl.conf"
    echo 'kernel.yama.ptrace_scope = 1' > "$tree/etc/sysctl.d/zzz-local.conf"
    systemctl --quiet --root="$tree" enable noptrace.service
    # a unit that is as early, and of no use without the kernel's modules
    systemctl --quiet --root="$tree" enable nftables.service
    mkdir "$tree/etc/systemd/system/nftables.service.d"
    printf '[Service]\nExecStart=\nExecStart=/bin/true\n' > "$tree/etc/systemd/system/nftables.service.d/true.conf"
    cat > "$tree/report" << 'END'
#!/bin/sh
# The first time, with that word, it does not report and does not power off, but has systemd start all of this anew.
again=/run/systemd/system/report.service.d
if [ -e "$again" ]; then
    rm -r "$again"
    systemctl daemon-reload
    echo again
elif grep -q soft-reboot /proc/cmdline; then
    mkdir -p "$again"
    printf '[Service]\nExecStopPost=\n' > "$again/go-on.conf"
    systemctl daemon-reload
    systemctl --no-block start soft-reboot.target
    exit
fi
# is-system-running waits for the jobs that are queued, of which this unit is one: go by failed units.
echo "failed $(systemctl --failed --plain --no-legend | awk '{ print $1 }' | xargs)"
echo "sysctl $(systemctl is-active systemd-sysctl.service) $(systemctl show -P Result systemd-sysctl.service)"
echo "unit $(systemctl is-active noptrace.service)"
echo "timeout $(systemctl show -P TimeoutStartUSec noptrace.service)"
journalctl -b -t noptrace -o cat | sed 's/^noptrace: //' | sort | uniq -c | sed 's/^ */journal /'
noptrace status
echo "status $?"
for hidden in noaccess invisible ptraceable; do
    mount -o "remount,hidepid=$hidden" /proc
    setpriv --reuid=65534 --regid=65534 --clear-groups noptrace status | sed "s/^/$hidden /"
done
mount -o remount,hidepid=off /proc
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
    systemctl restart systemd-sysctl.service
    echo "sysctl again $(systemctl is-active systemd-sysctl.service)"
    printf '[Service]\nType=oneshot\nExecStart=/usr/sbin/noptrace lock\n' > /run/systemd/system/lock.service
    systemctl daemon-reload
    systemctl start lock.service
    journalctl --sync
    echo "lock by a unit $(journalctl -b -o cat | grep -c 'locked already: ')"
fi
/usr/libexec/noptrace/noptrace-probe lower
END
    reporting_disk "$files/$1.disk" "$tree"
}

# boot_debian SUITE [IMAGE-SUFFIX [WORDS]]
boot_debian() {
    boot_guest answer "${!1}" "$files/$1${2-}" "root=LABEL=debian rw rd.skipfsck ${3-}" -drive "$(guest_disk "$files/$1.disk")"
    assert_answered
    run cat "$answer"
}

# What each call says, and how often it is in the journal, is all that the journal has of us.
assert_journal() {
    assert_equal "$(found "$answer" journal)" "$1"
}

locked='kernel.yama.ptrace_scope is 3 until reboot'

locked_debian() {
    boot_debian "$@"
    assert_line 'failed '
    assert_line 'sysctl active success'
    assert_line 'unit active'
    # it never holds a boot up
    assert_line 'timeout 10s'
    assert_journal "1 locked already, in the initramfs: $locked
1 locked: $locked"
    assert_line 'NOPTRACE OK - locked since the initramfs: kernel.yama.ptrace_scope is 3'
    assert_line 'status 0'
    # nobody may look where processes are hidden from him
    local hidden
    for hidden in noaccess invisible ptraceable; do
        assert_line "$hidden NOPTRACE WARNING - locked, but could not look for tracers: kernel.yama.ptrace_scope is 3"
    done
    assert_line 'scope 3'
    assert_line 'strace refused'
    assert_line 'write-0 EINVAL'
    assert_line 'scope-afterwards 3'
}

@test "Debian 12: locked, and no unit fails, whatever sysctl.d files say; one line for each stage in the journal" {
    locked_debian bookworm
}

@test "Debian 13, with the SELinux module in place of AppArmor's, and no policy: the same" {
    locked_debian trixie '' security=selinux
    plain "$console" | grep -q 'SELinux: *Initializing'
}

@test "Debian 12 behind a hand-made initramfs that hands on /run: locked since the initramfs" {
    boot_debian bookworm .handmade
    assert_line 'sysctl active success'
    assert_line 'NOPTRACE OK - locked since the initramfs: kernel.yama.ptrace_scope is 3'
}

@test "Debian 12 behind a shell image of dracut, whose switch_root is busybox's: the same" {
    bake "$bookworm" "$files/bookworm.shell" "${shell_flavour[@]}" > "$files/log.shell"
    boot_debian bookworm .shell
    assert_line 'failed '
    assert_line 'sysctl active success'
    assert_line 'NOPTRACE OK - locked since the initramfs: kernel.yama.ptrace_scope is 3'
}

@test "Debian 12 behind an image of initramfs-tools: the same, and one line for each stage in the journal" {
    bake_with_mkinitramfs "$files/bookworm.initramfs-tools" noptrace_on_failure=poweroff > "$files/log.initramfs-tools"
    boot_debian bookworm .initramfs-tools
    assert_line 'failed '
    assert_line 'sysctl active success'
    assert_line 'NOPTRACE OK - locked since the initramfs: kernel.yama.ptrace_scope is 3'
    assert_journal "1 locked already, in the initramfs: $locked
1 locked: $locked"
}

opened_debian() {
    boot_debian "$1" .handmade maintenance
    assert_line 'failed '
    assert_line 'sysctl active success'
    assert_line 'unit active'
    # the scope is what sysctl.d says: the last by name
    assert_line "NOPTRACE WARNING - open for maintenance, 'noptrace lock' ends it: kernel.yama.ptrace_scope is 1"
    assert_line "noptrace: locked: $locked"
    assert_line 'noptrace: still traced: PID TRACEE (sleep) by PID TRACER (strace); end it or reboot'
    assert_line 'NOPTRACE WARNING - locked, but not since the initramfs: kernel.yama.ptrace_scope is 3'
    assert_line 'sysctl again active'
    assert_line 'lock by a unit 1'
    assert_line 'scope 3'
    # before the lock, after it with a tracer, after the tracer
    assert_equal "$(found "$answer" status | xargs)" '1 1 1'
}

@test "Debian 12 on a maintenance boot: open, at the scope of sysctl.d; lock ends it and names the tracer that was left" {
    opened_debian bookworm
}

@test "Debian 13 on a maintenance boot: the same" {
    opened_debian trixie
}

# The kernel goes on, and so does /run.
@test "Debian 13 after a soft reboot: still locked, and status says since when" {
    boot_debian trixie .handmade soft-reboot
    assert_line -n 0 again
    assert_line 'failed '
    assert_line 'sysctl active success'
    assert_line 'unit active'
    assert_journal "2 locked already, in the initramfs: $locked
1 locked: $locked"
    assert_line 'NOPTRACE OK - locked since the initramfs: kernel.yama.ptrace_scope is 3'
    assert_line 'scope 3'
    assert_line 'strace refused'
}

# Everything that hides a line of the kernel log: the reason is on the console, and in the journal once for
# each stage. The disk's unit, which has no terminal, calls lock, and has another do so: their reason is on the console, too.
unlocked_debian() {
    boot_debian "$1" '' 'lsm=landlock,lockdown quiet loglevel=3 printk.devkmsg=off'
    assert_line --regexp '^failed .*noptrace\.service'
    assert_line 'unit failed'
    assert_line 'status 3'
    assert_journal "2 $no_yama; not locked"
    assert_equal "$(plain "$console" | grep -cF "noptrace: $no_yama; not locked")" 4
}

@test "Debian 12 without Yama and policy continue: boots, the unit has failed, and the reason is never hidden" {
    unlocked_debian bookworm
}

@test "Debian 13 without Yama and policy continue: the same" {
    unlocked_debian trixie
}

late_debian() {
    boot_debian "$1" .without
    assert_line 'failed '
    assert_line 'sysctl active success'
    assert_journal "1 locked, but not in the initramfs, which must be rebuilt: $locked"
    assert_equal "$(found "$answer" log)" "4 noptrace: locked, but not in the initramfs, which must be rebuilt: $locked"
    assert_line 'NOPTRACE WARNING - locked, but not since the initramfs: kernel.yama.ptrace_scope is 3'
    assert_line 'status 1'
    assert_line 'scope 3'
    # nothing but systemd itself has come before it in the real root
    local before
    before=$(plain "$console" | sed '/noptrace: locked/,$d' \
        | grep -oE '(Start|Mount)(ing|ed) [a-zA-Z0-9@._-]+\.(service|mount)' | sort -u)
    assert_equal "$before" 'Starting noptrace.service'
}

@test "Debian 12 whose initramfs has no noptrace is locked by its own unit, first of all, with a warning that stays" {
    late_debian bookworm
}

@test "Debian 13 whose initramfs has no noptrace: the same" {
    late_debian trixie
}

@test "noptrace that is installed and no more changes no scope" {
    boot_debian bookworm .without systemd.mask=noptrace.service
    assert_line 'failed '
    assert_line "NOPTRACE CRITICAL - open, 'noptrace lock' locks: kernel.yama.ptrace_scope is 1"
    assert_equal "$(found "$answer" status | head -n 1)" 2
    assert_journal ''
}

@test "noptrace-image boots an image against a disk of one's own, which it leaves alone" {
    local sum
    sum=$(md5sum < "$files/bookworm.disk")
    run "$top/build/noptrace-image" boot --kernel "$(kernel_of "$bookworm")" --append root=LABEL=debian \
        --root "$files/bookworm.disk" "$files/bookworm"
    assert_success
    assert_line --regexp '^outcome +locked +open$'
    assert_equal "$(md5sum < "$files/bookworm.disk")" "$sum"

    # a qcow2 image, on which noptrace is not installed
    root_disk "$BATS_TEST_TMPDIR/without"
    qemu-img create -q -f qcow2 -F raw -b "$BATS_TEST_TMPDIR/without" "$BATS_TEST_TMPDIR/disk,2"
    run "$top/build/noptrace-image" boot --kernel "$(kernel_of "$bookworm")" --append root=LABEL=noptrace \
        --root "$BATS_TEST_TMPDIR/disk,2" "$files/bookworm"
    assert_failure 3
    assert_line --partial "what answers there is /usr/libexec/noptrace/noptrace-probe: is noptrace-image installed on it?"
}
