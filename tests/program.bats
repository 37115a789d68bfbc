#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The shipped binary on this host, with a /proc of its own (see fake-proc): files in $fake.

# run --separate-stderr sets stderr and stderr_lines.
# shellcheck disable=SC2154

# Those with the tag architecture are what differs between architectures: bytes and words, folders, calls.

# shellcheck source=tests/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

# One after the other: they are quick, and bats looks for a free core only once a second.
# shellcheck disable=SC2034
BATS_NO_PARALLELIZE_WITHIN_FILE=true

setup() {
    fake=$BATS_TEST_TMPDIR
    mkdir -p "$fake/proc/sys/kernel/yama" "$fake/proc/1" "$fake/run"
    scope_file=$fake/proc/sys/kernel/yama/ptrace_scope
    echo 1 > "$scope_file"
    echo quiet > "$fake/proc/cmdline"
    : > "$fake/kmsg"
    : > "$fake/console"
    trace=$fake/run/sysctl.d/zz-noptrace.conf
}

# noptrace_in_initramfs CALL: where the root is on a tmpfs.
noptrace_in_initramfs() {
    echo tmpfs > "$fake/initramfs"
    noptrace "$@"
    rm "$fake/initramfs"
}

# Somebody at a terminal, who is told on stderr.
at_terminal() {
    : > "$fake/tty"
}

assert_console() {
    assert_equal "$(cat "$fake/console")" "$1"
}

noptrace() {
    run --separate-stderr "$BATS_TEST_DIRNAME/fake-proc" "$fake" "$program" "$@"
}

# make check ARCH=… runs the program of another architecture here.
needs_strace() {
    [[ $program != *-emulated ]] || skip 'strace sees qemu-user, and not the program that it runs'
}

# With a fault injected: $1 is strace's, the rest is the call.
noptrace_with() {
    local fault=$1
    shift
    needs_strace
    run --separate-stderr "$BATS_TEST_DIRNAME/fake-proc" "$fake" \
        strace -qq -o "$fake/strace" -e inject="$fault" "$program" "$@"
}

assert_scope() {
    assert_equal "$(cat "$scope_file")" "$1"
}

assert_log() {
    assert_equal "$(cat "$fake/kmsg")" "$1"
}

locked_line='noptrace: locked: kernel.yama.ptrace_scope is 3 until reboot'
already_line='noptrace: locked already: kernel.yama.ptrace_scope is 3 until reboot'
scope_path=/proc/sys/kernel/yama/ptrace_scope

# bats test_tags=architecture
@test "a normal boot is locked, and says so in the kernel log as a notice" {
    noptrace apply
    assert_success
    assert_scope 3
    assert_output ''
    # which the journal reads, as it does stderr in our units
    assert_equal "$stderr" ''
    assert_log "<5>$locked_line"
    assert_console ''
}

@test "somebody at a terminal reads on stderr what the kernel log has" {
    at_terminal
    noptrace apply
    assert_success
    assert_equal "$stderr" "$locked_line"
    assert_log "<5>$locked_line"
    assert_equal "$(cat "$fake/tty")" ''
}

@test "a machine that is locked already is said to be, by each call" {
    echo 3 > "$scope_file"
    noptrace apply
    assert_success
    assert_log "<5>$already_line"
    : > "$fake/kmsg"
    noptrace lock
    assert_success
    assert_log "<5>$already_line"
    : > "$fake/kmsg"
    echo maintenance > "$fake/proc/cmdline"
    noptrace apply
    assert_success
    assert_log '<4>noptrace: maintenance boot, but locked already; kernel.yama.ptrace_scope is 3'
}

# bats test_tags=architecture
@test "what has locked leaves a sysctl.d file in /run that keeps the lock, is the last by name, and tells the stage" {
    noptrace_in_initramfs apply
    printf '%s\n' '# noptrace has locked, in the initramfs.' 'kernel.yama.ptrace_scope = 3' | cmp - "$trace"
    # of all names that begin with a letter or digit, this link's comes last
    assert_equal "$(readlink "$fake/run/sysctl.d/~noptrace.conf")" zz-noptrace.conf
    assert_equal "$(stat -c %a "$fake/run/sysctl.d" "$trace" | paste -s -d ' ')" '755 644'
    # whatever the call, the place is no initramfs; and everybody may read it
    local call
    for call in apply ensure lock; do
        rm -r "$fake/run/sysctl.d"
        echo 1 > "$scope_file"
        (umask 077 && noptrace "$call")
        printf '%s\n' '# noptrace has locked.' 'kernel.yama.ptrace_scope = 3' | cmp - "$trace"
        assert_equal "$(stat -c %a "$fake/run/sysctl.d" "$trace" | paste -s -d ' ')" '755 644'
    done
    # a real root may be on a tmpfs, too
    for call in ensure lock; do
        rm -rf "$fake/run/sysctl.d"
        echo 1 > "$scope_file"
        noptrace_in_initramfs "$call"
        assert_equal "$(head -n 1 "$trace")" '# noptrace has locked.'
    done
}

@test "an initramfs is a root on a ramfs or tmpfs, or one that says so as systemd's does" {
    needs_strace
    echo ramfs > "$fake/initramfs"
    noptrace apply
    assert_equal "$(head -n 1 "$trace")" '# noptrace has locked, in the initramfs.'
    # a squashed one, whose root is not the kernel's own; and one that cannot be asked
    rm -r "$fake/initramfs" "$fake/run/sysctl.d"
    mkdir "$fake/etc"
    : > "$fake/etc/initrd-release"
    noptrace apply
    assert_equal "$(head -n 1 "$trace")" '# noptrace has locked, in the initramfs.'
    rm -r "$fake/run/sysctl.d"
    noptrace_with statfs:error=EACCES:when=1 apply
    assert_equal "$(head -n 1 "$trace")" '# noptrace has locked, in the initramfs.'
    rm -r "$fake/run/sysctl.d" "${fake:?}/etc"
    noptrace_with statfs:error=EACCES:when=1 apply
    assert_equal "$(head -n 1 "$trace")" '# noptrace has locked.'
}

@test "what was not locked leaves no file in /run: a maintenance boot, a lock that failed, status" {
    echo maintenance > "$fake/proc/cmdline"
    noptrace apply
    noptrace ensure
    noptrace status
    assert_equal "$(ls -A "$fake/run")" ''
    rm "$scope_file"
    noptrace lock
    assert_failure 1
    assert_equal "$(ls -A "$fake/run")" ''
}

@test "the first that locks leaves the file, and no later call changes it" {
    noptrace_in_initramfs apply
    noptrace ensure
    noptrace lock
    assert_equal "$(head -n 1 "$trace")" '# noptrace has locked, in the initramfs.'
    rm "$trace"
    noptrace lock
    noptrace_in_initramfs apply
    assert_equal "$(head -n 1 "$trace")" '# noptrace has locked.'
}

@test "no /run, a read-only one, a full one, and a link or a folder in the file's place are no failure" {
    rm -r "$fake/run"
    noptrace apply # fake-proc then has an empty, read-only one
    assert_success
    assert_log "<5>$locked_line"

    mkdir -p "$fake/run/sysctl.d"
    ln -s "$fake/victim" "$trace"
    echo 1 > "$scope_file"
    noptrace apply
    assert_success
    assert [ ! -e "$fake/victim" ]
    rm "$trace"
    mkdir "$trace"
    noptrace apply
    assert_success
    rmdir "$trace"

    echo 1 > "$scope_file"
    noptrace_with write:error=ENOSPC:when=3 apply
    assert_success
    assert_scope 3
    noptrace status
    assert_failure 1
    # nothing half written keeps a later one from it
    assert [ ! -e "$trace" ]
    noptrace ensure
    assert_equal "$(head -n 1 "$trace")" '# noptrace has locked.'
}

@test "where no file may grow (RLIMIT_FSIZE) the file in /run is its end, but what it has done is said" {
    echo 3 > "$scope_file"
    # which is a file here, as stderr would be
    rm "$fake/kmsg"
    run bash -c '"$@" 2>&1 | cat' - "$BATS_TEST_DIRNAME/fake-proc" "$fake" prlimit --fsize=0 "$program" lock
    assert_output "$already_line"
}

@test "ensure says that the initramfs had locked" {
    noptrace_in_initramfs apply
    : > "$fake/kmsg"
    noptrace ensure
    assert_success
    assert_log '<5>noptrace: locked already, in the initramfs: kernel.yama.ptrace_scope is 3 until reboot'
}

@test "ensure locks where the initramfs had not, and warns" {
    noptrace ensure
    assert_success
    assert_scope 3
    assert_log '<4>noptrace: locked, but not in the initramfs, which must be rebuilt: kernel.yama.ptrace_scope is 3 until reboot'
    # and again, when the unit is started once more
    : > "$fake/kmsg"
    noptrace ensure
    assert_success
    assert_log '<4>noptrace: locked already, but not in the initramfs, which must be rebuilt: kernel.yama.ptrace_scope is 3 until reboot'
}

@test "ensure is not taken in by a file of the initramfs's on a machine that was open" {
    noptrace_in_initramfs apply
    echo 1 > "$scope_file"
    : > "$fake/kmsg"
    noptrace ensure
    assert_success
    assert_scope 3
    assert_log '<4>noptrace: locked, but not in the initramfs, which must be rebuilt: kernel.yama.ptrace_scope is 3 until reboot'
}

@test "ensure leaves a maintenance boot open, and fails where apply would" {
    echo maintenance > "$fake/proc/cmdline"
    noptrace ensure
    assert_success
    assert_scope 1
    assert_log '<4>noptrace: maintenance boot: not locking; kernel.yama.ptrace_scope is 1'
    echo quiet > "$fake/proc/cmdline"
    rm "$scope_file"
    noptrace ensure
    assert_failure 1
}

@test "the reason of a failed lock is on the console, whatever the kernel log's level hides" {
    rm "$scope_file"
    local call
    for call in apply ensure; do
        : > "$fake/console"
        noptrace "$call"
        assert_failure 1
        assert_console "noptrace: $no_yama; not locked"
        assert_equal "$stderr" ''
    done
    # what lock says on stderr may be read by nobody
    : > "$fake/console"
    noptrace lock
    assert_console "noptrace: $no_yama; not locked"
    assert_equal "$stderr" "noptrace: $no_yama; not locked"
    # who is at a terminal has it there
    at_terminal
    for call in apply lock; do
        : > "$fake/console"
        noptrace "$call"
        assert_console ''
        assert_equal "$stderr" "noptrace: $no_yama; not locked"
    done
}

@test "where the kernel log refuses the line (printk.devkmsg=off), stderr has it, once" {
    noptrace_with write:error=EPERM:when=2 apply
    assert_success
    assert_scope 3
    assert_log ''
    assert_equal "$stderr" "$locked_line"
    assert_console ''
    rm "$scope_file"
    noptrace_with write:error=EPERM:when=1 apply
    assert_failure 1
    assert_equal "$stderr" "noptrace: $no_yama; not locked"
    assert_console "noptrace: $no_yama; not locked"
}

@test "lock says nothing on stderr that is the journal's, which has it from the kernel log" {
    local other stderr_path=$fake/proc/self/fd/2
    mkdir -p "${stderr_path%/*}"
    perl -MSocket -e 'socket my $end, PF_UNIX, SOCK_STREAM, 0; bind $end, sockaddr_un($ARGV[0]) or die "$!"' "$stderr_path"
    JOURNAL_STREAM=8:78 noptrace lock
    assert_success
    assert_log "<5>$locked_line"
    assert_equal "$stderr" ''
    # no unit, or none that it reads
    noptrace lock
    assert_equal "$stderr" "$already_line"
    # the kernel log refuses it
    mv "$fake/kmsg" "$fake/kept"
    JOURNAL_STREAM=8:78 noptrace lock
    assert_equal "$stderr" "$already_line"
    mv "$fake/kept" "$fake/kmsg"
    # stderr went elsewhere
    for other in 'mkfifo' touch mkdir :; do
        rm -rf "$stderr_path"
        $other "$stderr_path"
        JOURNAL_STREAM=8:78 noptrace lock
        assert_equal "$other $stderr" "$other $already_line"
    done
}

# bats test_tags=architecture
@test "a maintenance boot leaves ptrace_scope alone, and warns in the kernel log" {
    echo 'quiet maintenance' > "$fake/proc/cmdline"
    noptrace apply
    assert_success
    assert_scope 1
    assert_log '<4>noptrace: maintenance boot: not locking; kernel.yama.ptrace_scope is 1'
}

@test "a maintenance boot without Yama is no failure" {
    echo maintenance > "$fake/proc/cmdline"
    rm "$scope_file"
    noptrace apply
    assert_success
    assert_log "<4>noptrace: maintenance boot: not locking; $no_yama"
}

@test "lock locks on a maintenance boot too" {
    echo maintenance > "$fake/proc/cmdline"
    noptrace lock
    assert_success
    assert_scope 3
    assert_log "<5>$locked_line"
}

# bats test_tags=architecture,slow
@test "every line of the table is read as the kernel reads it" {
    local want escaped rows=0 wrong=''
    while IFS=$'\t' read -r want escaped; do
        rows=$((rows + 1))
        printf '%b\n' "$escaped" > "$fake/proc/cmdline"
        echo 1 > "$scope_file"
        noptrace apply
        assert_success
        case $want$(cat "$scope_file") in
            Y1 | n3) ;;
            *) wrong+="$want $escaped"$'\n' ;;
        esac
    done < <(grep -v '^#' "$BATS_TEST_DIRNAME/command-lines")
    assert_equal "$wrong" ''
    [ "$rows" -ge 50 ]
}

# bats test_tags=architecture
@test "a command line may have any length from 0 to 64 KiB" {
    # In one namespace: 300 lines, each with the word at its end, cut by one byte, and one byte too long.
    cat > "$fake/lengths" << 'END'
program=$1
kibibyte=$(printf '%1024s' '' | tr ' ' x)
filler=$(for i in 0 1 2 3 4 5 6 7; do printf %s "$kibibyte$kibibyte$kibibyte$kibibyte$kibibyte$kibibyte$kibibyte$kibibyte"; done)
expect() {
    printf '1\n' > /proc/sys/kernel/yama/ptrace_scope
    "$program" apply 2> /dev/null || exit 1
    read -r scope < /proc/sys/kernel/yama/ptrace_scope
    [ "$scope" = "$1" ] || echo "length $length: scope $scope, not $1"
}
for length in 0 1 2 10 11 12 13 100 511 512 513 2046 2047 2048 4083 4084 4085 4086 4094 4095 4096 4097 4098 8191 8192 8193 16384 65523 65524; do
    line=$(printf %s "$filler" | head -c "$length")
    printf '%s maintenance\n' "$line" > /proc/cmdline
    expect 1
    printf '%s maintenanc\n' "$line" > /proc/cmdline
    expect 3
    printf '%s maintenances\n' "$line" > /proc/cmdline
    expect 3
    printf 'maintenance %s' "$line" > /proc/cmdline
    expect 1
done
: > /proc/cmdline
length=empty
expect 3
END
    run "$BATS_TEST_DIRNAME/fake-proc" "$fake" sh "$fake/lengths" "$program"
    assert_success
    assert_output ''
}

@test "a command line that arrives byte by byte is read as one" {
    needs_strace
    rm "$fake/proc/cmdline"
    mkfifo "$fake/proc/cmdline"
    # A pipe in packet mode hands out one write for each read.
    # shellcheck disable=SC2016 # perl's
    timeout 60 perl -MFcntl -e 'open my $f, ">", $ARGV[0]; fcntl($f, F_SETFL, O_WRONLY | 040000) or die "packet mode: $!";
        syswrite($f, $_) for split //, "quiet maintenance ro\n"' "$fake/proc/cmdline" &
    run --separate-stderr "$BATS_TEST_DIRNAME/fake-proc" "$fake" \
        timeout 20 strace -qq -o "$fake/strace" -e trace=read "$program" apply
    assert_success
    assert_scope 1
    assert_equal "$(grep -c 'read(.*= 1$' "$fake/strace")" 21
}

@test "maintenance= is not taken, and the log line names it" {
    echo 'maintenance=1' > "$fake/proc/cmdline"
    noptrace apply
    assert_success
    assert_scope 3
    assert_log "<5>$locked_line; maintenance= was not taken, only the bare word is"
}

@test "a command line that cannot be opened means lock, and the reason is said" {
    rm "$fake/proc/cmdline"
    noptrace apply
    assert_success
    assert_scope 3
    assert_log "<5>$locked_line; /proc/cmdline: ENOENT: not read, so this is no maintenance boot"
}

@test "a command line that cannot be read to its end means lock, even if the word was seen" {
    echo 'maintenance' > "$fake/proc/cmdline"
    noptrace_with read:error=EIO:when=2 apply
    assert_success
    assert_scope 3
    assert_log "<5>$locked_line; /proc/cmdline: errno 5: not read, so this is no maintenance boot"
}

@test "an EINTR is an error like any other: reading means lock, writing means not locked" {
    echo 'maintenance' > "$fake/proc/cmdline"
    noptrace_with read:error=EINTR:when=1 apply
    assert_success
    assert_scope 3
    echo 1 > "$scope_file"
    noptrace_with write:error=EINTR:when=1 lock
    assert_failure 1
    assert_equal "$stderr" "noptrace: $scope_path: errno 4: see errno(3); not locked"
}

@test "an error that has no remedy is said by its number, whatever digits it has" {
    local name number
    while read -r name number; do
        noptrace_with "write:error=$name:when=1" lock
        assert_failure 1
        assert_equal "$stderr" "noptrace: $scope_path: errno $number: see errno(3); not locked"
    done <<< $'ESRCH 3\nECHILD 10\nEADDRNOTAVAIL 99\nENETDOWN 100\nENETUNREACH 101\nECANCELED 125'
}

@test "no Yama: exit 1, and the kernel log says why as an error" {
    rm "$scope_file"
    noptrace apply
    assert_failure 1
    assert_log "<3>noptrace: $no_yama; not locked"
}

@test "no /proc: exit 1, and what to do" {
    rm -r "$fake/proc/sys" "$fake/proc/cmdline"
    noptrace apply
    assert_failure 1
    assert_log '<3>noptrace: /proc: ENOENT: not mounted; mount it first; not locked; /proc/cmdline: ENOENT: not read, so this is no maintenance boot'
}

@test "not root: EACCES, exit 1, and nothing is changed" {
    chmod 755 "$fake"
    run --separate-stderr "$BATS_TEST_DIRNAME/fake-proc" "$fake" \
        setpriv --reuid=65534 --regid=65534 --clear-groups "$program" lock
    assert_failure 1
    assert_scope 1
    assert_equal "$stderr" "noptrace: $scope_path: EACCES: run this as root; not locked"
}

@test "not root on a machine that is locked already: locked" {
    echo 3 > "$scope_file"
    run --separate-stderr "$BATS_TEST_DIRNAME/fake-proc" "$fake" \
        setpriv --reuid=65534 --regid=65534 --clear-groups "$program" lock
    assert_success
    assert_equal "$stderr" "$already_line"
}

@test "a read-only /proc/sys: EROFS, exit 1" {
    noptrace_with openat:error=EROFS:when=2 lock
    assert_failure 1
    assert_equal "$stderr" "noptrace: $scope_path: EROFS: read-only here; run this on the host; not locked"
}

@test "a container without the capability: EPERM, exit 1" {
    noptrace_with write:error=EPERM:when=1 lock
    assert_failure 1
    assert_scope 1
    assert_equal "$stderr" "noptrace: $scope_path: EPERM: needs CAP_SYS_PTRACE; run this on the host, not in a container; not locked"
}

@test "a refused value: EINVAL, exit 1" {
    noptrace_with write:error=EINVAL:when=1 lock
    assert_failure 1
    assert_equal "$stderr" "noptrace: $scope_path: EINVAL: 3 was refused; this is not Yama's file; not locked"
}

@test "a machine that is locked already is not written to" {
    local scope
    needs_strace
    for scope in 1 3; do
        echo "$scope" > "$scope_file"
        run "$BATS_TEST_DIRNAME/fake-proc" "$fake" strace -qq -e trace=write -o "$fake/strace" "$program" lock
        assert_success
        # an open one is
        assert_equal "$(grep -cF '"3\n"' "$fake/strace")" "$((scope == 1))"
    done
}

@test "a write that returns well and writes nothing is found out by reading back" {
    noptrace_with write:retval=0:when=1 lock
    assert_failure 1
    assert_log '<3>noptrace: kernel.yama.ptrace_scope is 1 after 3 was written; not locked'
    noptrace_with write:retval=2:when=1 lock
    assert_failure 1
    # nor is an error said that came before
    rm "$fake/proc/cmdline"
    noptrace_with write:retval=0:when=1 apply
    assert_failure 1
    assert_log '<3>noptrace: kernel.yama.ptrace_scope is 1 after 3 was written; not locked; /proc/cmdline: ENOENT: not read, so this is no maintenance boot'
}

@test "a scope that cannot be read back is not locked" {
    noptrace_with pread64:error=EIO:when=2 lock
    assert_failure 1
    assert_equal "$stderr" "noptrace: $scope_path: errno 5: see errno(3); not locked"
    echo 1 > "$scope_file"
    noptrace_with pread64:retval=0:when=2 lock
    assert_failure 1
    assert_equal "$stderr" 'noptrace: kernel.yama.ptrace_scope is not a number after 3 was written; not locked'
    # nor is that the error of before
    rm "$fake/proc/cmdline"
    echo 1 > "$scope_file"
    noptrace_with pread64:retval=0:when=2 apply
    assert_failure 1
    assert_log '<3>noptrace: kernel.yama.ptrace_scope is not a number after 3 was written; not locked; /proc/cmdline: ENOENT: not read, so this is no maintenance boot'
}

@test "of two errors the first is said, of which the second comes" {
    needs_strace
    run --separate-stderr "$BATS_TEST_DIRNAME/fake-proc" "$fake" strace -qq -o "$fake/strace" \
        -e inject=write:error=EPERM:when=1 -e inject=pread64:error=EIO:when=2 "$program" lock
    assert_failure 1
    assert_equal "$stderr" "noptrace: $scope_path: EPERM: needs CAP_SYS_PTRACE; run this on the host, not in a container; not locked"
}

@test "a scope that is anything but one digit is not known, and not locked" {
    local odd
    for odd in '' '\n' '12\n' '3 \n' '33' '/\n' ':\n' 'x' '3\n\n'; do
        printf %b "$odd" > "$scope_file"
        noptrace status
        assert_equal "$odd $status" "$odd 3"
        assert_output 'NOPTRACE UNKNOWN - kernel.yama.ptrace_scope is not a number'
    done
    noptrace lock
    assert_failure 1
    assert_equal "$stderr" 'noptrace: kernel.yama.ptrace_scope is not a number after 3 was written; not locked'
    echo maintenance > "$fake/proc/cmdline"
    noptrace apply
    assert_success
    assert_log '<4>noptrace: maintenance boot: not locking; kernel.yama.ptrace_scope is not a number'
    : > "$fake/proc/cmdline"
    for odd in 0 '0\n' 9 '9\n'; do
        printf %b "$odd" > "$scope_file"
        noptrace status
        assert_failure 2
        assert_output --partial ": kernel.yama.ptrace_scope is ${odd:0:1}"
    done
}

# bats test_tags=architecture
@test "without /dev/kmsg the line is on stderr" {
    rm "$fake/kmsg"
    noptrace apply
    assert_success
    assert_scope 3
    assert_equal "$stderr" "$locked_line"
}

@test "started with stdin, stdout and stderr closed it locks and writes to nothing else" {
    run "$BATS_TEST_DIRNAME/fake-proc" "$fake" sh -c "exec '$program' apply <&- >&- 2>&-"
    assert_success
    assert_scope 3
    assert_log "<5>$locked_line"
    assert_equal "$(cat "$fake/proc/cmdline")" quiet
    # nor does what is meant for stderr go into a file that took its number
    rm -r "$fake/run/sysctl.d"
    : > "$fake/kmsg"
    run "$BATS_TEST_DIRNAME/fake-proc" "$fake" sh -c "exec '$program' lock <&- >&- 2>&-"
    assert_success
    assert_log "<5>$already_line"
    assert_equal "$(wc -l < "$trace")" 2
    rm "$fake/kmsg"
    run "$BATS_TEST_DIRNAME/fake-proc" "$fake" sh -c "exec '$program' apply 2>&-"
    assert_success
    assert_equal "$(wc -l < "$trace")" 2
    assert_scope 3
}

# bats test_tags=architecture
@test "status of a machine that was locked in the initramfs is OK, 0" {
    noptrace_in_initramfs apply
    : > "$fake/kmsg"
    noptrace status
    assert_success
    assert_output 'NOPTRACE OK - locked since the initramfs: kernel.yama.ptrace_scope is 3'
    assert_log ''
}

@test "anybody may ask for the status, and what a maintenance boot says" {
    chmod 755 "$fake"
    noptrace_in_initramfs apply
    run --separate-stderr "$BATS_TEST_DIRNAME/fake-proc" "$fake" \
        setpriv --reuid=65534 --regid=65534 --clear-groups "$program" status
    assert_success
    assert_output 'NOPTRACE OK - locked since the initramfs: kernel.yama.ptrace_scope is 3'
    echo 1 > "$scope_file"
    echo maintenance > "$fake/proc/cmdline"
    run --separate-stderr "$BATS_TEST_DIRNAME/fake-proc" "$fake" \
        setpriv --reuid=65534 --regid=65534 --clear-groups "$program" apply
    assert_success
    assert_equal "$stderr" 'noptrace: maintenance boot: not locking; kernel.yama.ptrace_scope is 1'
}

@test "status of a machine that was locked later is WARNING, 1, for the whole boot" {
    local late='NOPTRACE WARNING - locked, but not since the initramfs: kernel.yama.ptrace_scope is 3'
    # by nobody that is known: sysctl, a kernel parameter, an initramfs whose /run was lost
    echo 3 > "$scope_file"
    noptrace status
    assert_failure 1
    assert_output "$late"
    local call
    for call in apply ensure lock; do
        rm -rf "$fake/run/sysctl.d"
        echo 1 > "$scope_file"
        noptrace "$call"
        noptrace_in_initramfs apply
        noptrace status
        assert_failure 1
        assert_output "$late"
    done
    # an open machine is open, whatever the file says
    rm -r "$fake/run/sysctl.d"
    noptrace_in_initramfs apply
    echo 0 > "$scope_file"
    noptrace status
    assert_failure 2
}

@test "status of an open machine is CRITICAL, 2" {
    noptrace status
    assert_failure 2
    assert_output "NOPTRACE CRITICAL - open, 'noptrace lock' locks: kernel.yama.ptrace_scope is 1"
    assert_scope 1
}

@test "status of an open machine is CRITICAL where maintenance= was not taken, and says so" {
    echo maintenance=yes > "$fake/proc/cmdline"
    noptrace status
    assert_failure 2
    assert_output --partial '; maintenance= was not taken, only the bare word is'
}

@test "status of an open machine is CRITICAL where its command line was not read to its end, and says so" {
    echo maintenance > "$fake/proc/cmdline"
    noptrace_with read:error=EIO:when=2 status
    assert_failure 2
    assert_output "NOPTRACE CRITICAL - open, 'noptrace lock' locks: kernel.yama.ptrace_scope is 1; /proc/cmdline: errno 5: not read, so this is no maintenance boot"
}

@test "status of a maintenance boot is WARNING, 1" {
    echo maintenance > "$fake/proc/cmdline"
    noptrace status
    assert_failure 1
    assert_output "NOPTRACE WARNING - open for maintenance, 'noptrace lock' ends it: kernel.yama.ptrace_scope is 1"
    echo '"maintenance"' > "$fake/proc/cmdline"
    noptrace status
    assert_failure 1
}

@test "status without Yama is UNKNOWN, 3, on a maintenance boot too" {
    rm "$scope_file"
    noptrace status
    assert_failure 3
    assert_output "NOPTRACE UNKNOWN - $no_yama"
    echo maintenance > "$fake/proc/cmdline"
    noptrace status
    assert_failure 3
}

@test "status without /proc is UNKNOWN, 3" {
    rm -r "$fake/proc/sys" "$fake/proc/cmdline"
    noptrace status
    assert_failure 3
    assert_output 'NOPTRACE UNKNOWN - /proc: ENOENT: not mounted; mount it first'
}

# A real tracer and tracee of this host, with their /proc/PID in the fake /proc. The tracee's name holds
# what must not reach a terminal, and what must not be taken for a field.
trace_something() {
    local name=$'\e\\TracerPid:\t0'
    cp "$(command -v sleep)" "$fake/$name"
    "$fake/$name" 600 &
    tracee=$!
    strace -qq -o /dev/null -p "$tracee" &
    tracer=$!
    timeout 20 sh -c "until grep -q '^TracerPid:.*[1-9]' /proc/$tracee/status; do :; done"
    mkdir "$fake/proc/$tracee" "$fake/proc/$tracer"
    cat > "$fake/with-real-pids" << END
for pid in $tracee $tracer; do mount --bind /proc/\$pid "$fake/proc/\$pid"; done
exec "\$@"
END
}

with_real_pids() {
    run --separate-stderr unshare --mount sh "$fake/with-real-pids" \
        "$BATS_TEST_DIRNAME/fake-proc" "$fake" "$program" "$@"
}

teardown() {
    [[ ! ${tracer-} ]] || {
        kill -KILL "$tracer" "$tracee" || true
        wait "$tracer" "$tracee" 2> /dev/null || true
    }
}

# bats test_tags=architecture
@test "lock names who is still traced, and by whom, and is locked all the same" {
    trace_something
    with_real_pids lock
    assert_success
    assert_scope 3
    assert_equal "${stderr_lines[1]}" "noptrace: still traced: PID $tracee (?\\\\TracerPid:?0) by PID $tracer (strace); end it or reboot"
    assert_log "<5>$locked_line"
}

@test "status of a locked machine with tracers left is WARNING, 1, and names them" {
    trace_something
    echo 3 > "$scope_file"
    with_real_pids status
    assert_failure 1
    assert_line -n 0 'NOPTRACE WARNING - locked, but processes are still traced: kernel.yama.ptrace_scope is 3'
    assert_line -n 1 "noptrace: still traced: PID $tracee (?\\\\TracerPid:?0) by PID $tracer (strace); end it or reboot"
}

# has_status PID LINES THREAD…: a process in the fake /proc, with that in the status of each thread.
has_status() {
    local thread
    for thread in "${@:3}"; do
        mkdir -p "$fake/proc/$thread" "$fake/proc/$1/task/$thread"
        printf %b "$2" > "$fake/proc/$thread/status"
    done
}

@test "a process is traced if one of its threads is, and named once" {
    has_status 41 'Name:\tidle\nTracerPid:\t0\n' 41
    has_status 41 'Name:\tworker\nTracerPid:\t9\n' 43 44
    has_status 9 'Name:\tgdb\nTracerPid:\t0\n' 9
    has_status 999 'Name:\tlast\nTracerPid:\t9\n' 999
    # not a process's, whatever it says
    mkdir -p "$fake/proc/0/task/9" "$fake/proc/:/task/43" "$fake/proc/self/task/43"
    noptrace lock
    assert_success
    run sort <<< "$stderr"
    assert_output "$locked_line
noptrace: still traced: PID 41 (worker) by PID 9 (gdb); end it or reboot
noptrace: still traced: PID 999 (last) by PID 9 (gdb); end it or reboot"
}

@test "however many processes are traced, each is named, with few descriptors" {
    local pid
    for pid in {1000..1099}; do
        has_status "$pid" 'Name:\tmany\nTracerPid:\t9\n' "$pid"
    done
    # shellcheck disable=SC2016 # the inner shell's
    run --separate-stderr "$BATS_TEST_DIRNAME/fake-proc" "$fake" sh -c 'ulimit -n 32 && exec "$0" lock' "$program"
    assert_success
    assert_equal "$(sort <<< "$stderr" | sed 1d)" \
        "$(printf 'noptrace: still traced: PID %s (many) by PID 9 (?); end it or reboot\n' {1000..1099})"
}

@test "a process of which nothing is known is not traced, and a name that is not known is a ?" {
    echo 3 > "$scope_file"
    has_status 41 '' 41
    has_status 42 'Name:\tonly\n' 42
    has_status 43 'Name:\tfar\nTracerPid:\t0\n' 43
    noptrace status
    assert_line -n 0 'NOPTRACE WARNING - locked, but not since the initramfs: kernel.yama.ptrace_scope is 3'
    assert_equal "${#lines[@]}" 1
    # beside it, in whichever order they are read, is one without any bytes; and one has more than are read
    has_status 48 '' 48
    has_status 44 'State:\tt\nTracerPid:\t9\n' 44
    has_status 45 '' 45
    has_status 46 "Name:\\tlong\\nTracerPid:\\t0\\n$(printf %2000s '')" 46
    noptrace status
    assert_failure 1
    assert_line -n 0 'NOPTRACE WARNING - locked, but processes are still traced: kernel.yama.ptrace_scope is 3'
    # its tracer has just ended
    assert_line -n 1 'noptrace: still traced: PID 44 (?) by PID 9 (?); end it or reboot'
    assert_equal "${#lines[@]}" 2
}

not_looked='NOPTRACE WARNING - locked, but could not look for tracers: kernel.yama.ptrace_scope is 3'

# assert_not_looked PATH ERROR: so status said, and of nothing else.
assert_not_looked() {
    assert_failure 1
    assert_output "$not_looked
noptrace: $1: $2: not read, so tracers may be left"
}

@test "where status may not look for tracers it is WARNING, 1, and says where, once" {
    noptrace_in_initramfs apply
    has_status 41 'Name:\thidden\nTracerPid:\t9\n' 41
    chmod 755 "$fake"
    local ask=(run --separate-stderr "$BATS_TEST_DIRNAME/fake-proc" "$fake"
        setpriv --reuid=65534 --regid=65534 --clear-groups "$program" status)
    local place
    for place in /proc /proc/41/task /proc/41/status; do
        chmod go-r "$fake$place"
        "${ask[@]}"
        chmod go+r "$fake$place"
        assert_not_looked "$place" EACCES
    done
    has_status 42 'Name:\tas well\nTracerPid:\t9\n' 42
    chmod go-r "$fake/proc/41/status" "$fake/proc/42/status"
    "${ask[@]}"
    assert_not_looked "/proc/$(cut -d / -f 3 <<< "${lines[1]}")/status" EACCES
    # whom it sees it names all the same
    chmod go+r "$fake/proc/42/status"
    "${ask[@]}"
    assert_failure 1
    assert_line -n 0 'NOPTRACE WARNING - locked, but processes are still traced: kernel.yama.ptrace_scope is 3'
    assert_line 'noptrace: still traced: PID 42 (as well) by PID 9 (?); end it or reboot'
    assert_line 'noptrace: /proc/41/status: EACCES: not read, so tracers may be left'
}

@test "where /proc hides its first process, and so others, status is WARNING, 1" {
    noptrace_in_initramfs apply
    rmdir "$fake/proc/1"
    noptrace status
    assert_not_looked /proc/1 ENOENT
}

@test "where lock could not look for tracers it is locked all the same, and says where" {
    has_status 41 'Name:\thidden\nTracerPid:\t9\n' 41
    # shellcheck disable=SC2016 # the inner shell's
    run --separate-stderr "$BATS_TEST_DIRNAME/fake-proc" "$fake" \
        sh -c 'exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; ulimit -n 9 && exec "$0" lock' "$program"
    assert_success
    assert_scope 3
    assert_log "<5>$locked_line"
    assert_equal "$stderr" "$locked_line
noptrace: /proc/41/status: errno 24: not read, so tracers may be left"
}

@test "of a process that ended while status looked for tracers it does not say that it could not be read" {
    needs_strace
    noptrace_in_initramfs apply
    has_status 41 'Name:\tidle\nTracerPid:\t0\n' 41
    local call fault
    # two of /proc/cmdline and one of the trace come before
    for call in read:PLACE:when=4 getdents64:PLACE:when=2; do
        for fault in ENOENT ESRCH; do
            noptrace_with "${call/PLACE/error=$fault}" status
            assert_success
            assert_output 'NOPTRACE OK - locked since the initramfs: kernel.yama.ptrace_scope is 3'
        done
        noptrace_with "${call/PLACE/error=EIO}" status
        assert_failure 1
        assert_line -n 0 "$not_looked"
    done
}

@test "where the trace of who had locked cannot be read, status is WARNING, 1, and ensure does not blame the initramfs" {
    echo 3 > "$scope_file"
    mkdir -p "$trace"
    noptrace status
    assert_failure 1
    assert_output 'NOPTRACE WARNING - locked, but since when is not known: kernel.yama.ptrace_scope is 3; /run/sysctl.d/zz-noptrace.conf: errno 21: not read'
    noptrace ensure
    assert_success
    assert_log '<4>noptrace: locked already, but whether in the initramfs is not known: kernel.yama.ptrace_scope is 3 until reboot'
    echo 1 > "$scope_file"
    noptrace status
    assert_failure 2
    assert_output "NOPTRACE CRITICAL - open, 'noptrace lock' locks: kernel.yama.ptrace_scope is 1"
    echo maintenance > "$fake/proc/cmdline"
    noptrace status
    assert_failure 1
    assert_output "NOPTRACE WARNING - open for maintenance, 'noptrace lock' ends it: kernel.yama.ptrace_scope is 1"
}

@test "a line of output is cut at 507 bytes, and holds no byte that a terminal would take for more than itself" {
    local long
    long=$(printf %600s '' | tr ' ' x)
    noptrace "$long"
    assert_equal "${stderr_lines[0]}" "$(printf %s "noptrace: not a call, or a word too many: $long" | head -c 507)"
    noptrace $'100% ~\x7f\x80\xff\ts %'
    assert_equal "${stderr_lines[0]}" 'noptrace: not a call, or a word too many: 100% ~????s %'
}

@test "no line has a NUL in it" {
    has_status 41 'Name:\tidle\nTracerPid:\t9\n' 41
    local call line
    for line in quiet maintenance; do
        echo "$line" > "$fake/proc/cmdline"
        for call in apply ensure status lock status unknown; do
            # shellcheck disable=SC2016 # the inner shell's
            "$BATS_TEST_DIRNAME/fake-proc" "$fake" sh -c '"$@"' - "$program" "$call" >> "$fake/said" 2>&1 || true
            echo 1 > "$scope_file"
        done
    done
    assert_equal "$(cat "$fake/said" "$fake/kmsg" | LC_ALL=C tr -dc '\0' | wc -c) $(grep -c noptrace: "$fake/said")" '0 6'
}

@test "the bare name, unknown words and words too many exit 64, name the word and change nothing" {
    local call
    for call in '' unknown 'apply now' 'status --help' --lock '-h' 'lock lock'; do
        # shellcheck disable=SC2086 # a list of words
        noptrace $call
        assert_failure 64
        assert_output ''
        assert_scope 1
        assert_log ''
        assert_equal "${stderr_lines[1]}" 'usage: noptrace apply|ensure|lock|status|--help|--version'
    done
    assert_equal "${stderr_lines[0]}" 'noptrace: not a call, or a word too many: lock'
    noptrace
    assert_equal "${stderr_lines[0]}" 'noptrace: no call given'
    noptrace $'\e[2Jx'
    assert_equal "${stderr_lines[0]}" 'noptrace: not a call, or a word too many: ?[2Jx'
}

# bats test_tags=architecture
@test "--help and --version go to stdout and exit 0, or 1 where stdout is full" {
    run --separate-stderr "$program" --help
    assert_success
    assert_output - << 'END'
usage: noptrace apply|ensure|lock|status|--help|--version

  apply   lock, unless the bare word 'maintenance' is on the kernel command line
    exit 0: decision carried out, 1: could not lock
  ensure  the same, in the real root: warn where the initramfs had not locked
  lock    lock now, on a maintenance boot too
    exit 0: locked, 1: could not lock
  status
    exit 0: OK, locked since the initramfs
         1: WARNING, open on purpose, locked later, tracers left, or not sure
         2: CRITICAL, open
         3: UNKNOWN, no Yama or no /proc

Any other call exits 64. See noptrace(8).
END
    assert_equal "$stderr" ''
    run --separate-stderr "$program" --version
    assert_success
    assert_output "noptrace $(sed -n 's/^VERSION = //p' "$top/Makefile")"
    assert_equal "$("$program" --help | wc -l) $("$program" --version | wc -l)" '14 1'
    run sh -c "'$program' --help > /dev/full"
    assert_failure 1
}

@test "--help, the manual and the README give the same exit codes" {
    local help
    help=$("$program" --help)
    assert_regex "$help" 'apply .*exit 0: decision carried out, 1: could not lock.*ensure  the same,'
    assert_regex "$help" 'lock .*exit 0: locked, 1: could not lock'
    assert_regex "$help" 'status[[:space:]]+exit 0: OK.*1: WARNING.*2: CRITICAL.*3: UNKNOWN'
    assert_regex "$help" 'Any other call exits 64'
    grep -qE 'ensure. \| 0 decision carried out, 1 could not lock \|' "$top/README.md"
    grep -qF ' lock` | 0 locked, 1 could not |' "$top/README.md"
    grep -qE ' status` \| 0 OK.* 1 WARNING.* 2 CRITICAL.* 3 UNKNOWN' "$top/README.md"
    grep -qF ' --version` | 0, or 1 if ' "$top/README.md"
    grep -qF '| anything else | 64, and nothing is changed |' "$top/README.md"
    # the manual's table, a row for each code, the call on its first
    run awk '/^EXIT STATUS/ { on = 1; next } /^[A-Z]/ { on = 0 }
        on && match($0, / [0-9]+ /) { codes = codes " " (substr($0, RSTART, RLENGTH) + 0) }
        END { print codes }' <(mandoc -T ascii "$top/src/noptrace.8" | sed 's/.\x08//g')
    assert_output ' 0 1 0 1 0 1 2 3 0 1 64'
}

# bats test_tags=size
@test "the program is small, static, and has no segment both writable and executable" {
    [[ $program != *-emulated ]] || skip 'it is of this machine that README says how large it is; make looks at each'
    local headers
    headers=$(LC_ALL=C readelf -lW "$top/build/noptrace")
    refute_regex "$headers" 'INTERP|DYNAMIC|RWE'
    assert_regex "$headers" 'GNU_STACK +[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ RW '
    [ "$(stat -c %s "$top/build/noptrace")" -le 12288 ]
    # what README says of it
    grep -qF "of $((($(stat -c %s "$top/build/noptrace") + 500) / 1000)) kB" "$top/README.md"
}

@test "no file that it opens becomes its terminal, or is left to a program that somebody starts" {
    needs_strace
    at_terminal
    local call
    for call in apply ensure lock status; do
        run "$BATS_TEST_DIRNAME/fake-proc" "$fake" strace -qq -e trace=openat,open -o "$fake/strace" "$program" "$call"
        assert [ -s "$fake/strace" ]
        run grep -v 'O_NOCTTY|.*O_CLOEXEC' "$fake/strace"
        assert_output ''
    done
}

# bats test_tags=size
@test "a locking apply takes at most 18 system calls after execve" {
    needs_strace
    echo tmpfs > "$fake/initramfs"
    run "$BATS_TEST_DIRNAME/fake-proc" "$fake" strace -o "$fake/strace" "$program" apply
    assert_success
    local calls
    calls=$(grep -vc '^execve\|^+++' "$fake/strace")
    [ "$calls" -le 18 ] || fail "$calls: $(cat "$fake/strace")"
}

# Not those of musl's start, which a kernel never refuses; glibc's has more of them.
# bats test_tags=musl,slow
@test "whichever system call fails, and however, it ends locked, or says why not, exit 1" {
    needs_strace
    local call errno calls fault number=0
    for call in apply ensure lock; do
        run "$BATS_TEST_DIRNAME/fake-proc" "$fake" strace -o "$fake/strace" "$program" "$call"
        assert_success
        calls=$(sed -n 's/^\([a-z0-9_]*\)(.*/\1/p' "$fake/strace" \
            | grep -vx 'execve\|arch_prctl\|set_tid_address\|exit_group\|exit' | awk '{ print $0 ":when=" ++n[$0] }')
        for fault in $calls; do
            for errno in EPERM ENOENT EINTR EIO EBADF EAGAIN ENOMEM EACCES EINVAL EMFILE ENOSPC EROFS; do
                echo 1 > "$scope_file"
                rm -f "$trace" "${trace%/*}/~noptrace.conf"
                : > "$fake/kmsg"
                noptrace_with "${fault%%:*}:error=$errno:${fault#*:}" "$call"
                ((++number))
                if [[ $status == 0 ]]; then
                    assert_equal "$fault $errno $(cat "$scope_file")" "$fault $errno 3"
                else
                    assert_equal "$fault $errno $status" "$fault $errno 1"
                    assert_regex "$(cat "$fake/kmsg")$stderr$(cat "$fake/console")" 'noptrace: [^ ]+: ([A-Z]+|errno [0-9]+): '
                fi
            done
        done
    done
    [ "$number" -ge 300 ] || fail "only $number"
}
