# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What all suites use.

bats_require_minimum_version 1.5.0
bats_load_library bats-support
bats_load_library bats-assert

top=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
# shellcheck disable=SC2034 # the suites use these
{
    program=${PROGRAM:-$top/build/noptrace}
    bookworm=$top/build/bookworm/root
    trixie=$top/build/trixie/root
}

# run_guest and its helpers, from the one file that starts QEMU
# shellcheck source=src/image/guest.bash
source "$top/src/image/guest.bash"

# shellcheck source=tests/images.bash
source "$top/tests/images.bash"

# What no suite asks about: modules of dracut without which a guest is up in three quarters of the time. The images of
# dracut.bats, and those of `make matrix`, have them.
# shellcheck disable=SC2034 # bake uses it
spare='omit_dracutmodules+=" crypt dm kernel-modules-extra lunmask nvdimm overlay-root qemu resume virtiofs "'

# shellcheck source=tests/keyboard.bash
source "$top/tests/keyboard.bash"

# shellcheck source=tests/manual.bash
source "$top/tests/manual.bash"

# For a suite's teardown: the guest that a failed test left at its keyboard.
stop_guest() {
    local shell
    # Not $guest: it has ended as a rule, and its number may be another's. And not the shell alone that waits for it.
    for shell in $(jobs -rp); do
        pkill -P "$shell" || true
    done
}

# boot_guest NAME ROOT IMAGE WORDS [QEMU-ARGUMENT…]: IMAGE with ROOT's kernel, and nobody at its console. Leaves
# $answer, which is NAME in the test's folder, $console and $code, of run_guest.
boot_guest() {
    answer=$BATS_TEST_TMPDIR/$1 console=$BATS_TEST_TMPDIR/$1.console code=0
    run_guest "$answer" 300 tcg "$4" -kernel "$(kernel_of "$2")" -initrd "$3" "${@:5}" \
        < /dev/null > "$console" 2>&1 || code=$?
}

# assert_answered: the guest told all that it had to tell.
assert_answered() {
    grep -qx end "$answer" || fail "$(
        cat "$answer"
        plain "$console" | tail -n 40
    )"
}

# assert_on_console TEXT
assert_on_console() {
    plain "$console" | grep -qF -- "$1" || fail "not on the console: $1"$'\n'"$(plain "$console" | tail -n 40)"
}

# For the kernel's command line of a guest that must not lock, and what is said there.
# shellcheck disable=SC2034 # for the suites
without_yama='lsm=landlock,lockdown'

# assert_stopped HOW: the reason is on the console, and nothing of a real root has run.
assert_stopped() {
    assert_on_console "$not_locked"
    assert_equal "$(cat "$answer")" ''
    assert_equal "$(ended "$answer" "$console" "${code-0}")" "$1"
}

# assert_refused CODE TEXT ARGUMENT…: noptrace-image says so in one line, and nothing else.
assert_refused() {
    run --separate-stderr "$top/build/noptrace-image" "${@:3}"
    assert_failure "$1"
    assert_output ''
    # shellcheck disable=SC2154 # of run
    assert_equal "$stderr" "noptrace-image: $2"
}

# efi_machine: leaves in $efi what QEMU needs to be an EFI machine, whose variables are kept for the rest of the test.
efi_machine() {
    [[ -e $BATS_TEST_TMPDIR/variables ]] || cp /usr/share/OVMF/OVMF_VARS_4M.fd "$BATS_TEST_TMPDIR/variables"
    # shellcheck disable=SC2034 # for the caller
    efi=(-M q35 -drive 'if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd'
        -drive "if=pflash,format=raw,file=$BATS_TEST_TMPDIR/variables")
}

# guest_at_keyboard SECONDS WORDS QEMU-ARGUMENT…: a guest with these words on its kernel's command line, or none where a boot
# loader has its own; leaves $answer, $console and $guest.
guest_at_keyboard() {
    answer=$BATS_TEST_TMPDIR/answer
    rm -f "$answer"
    at_keyboard "$BATS_TEST_TMPDIR" run_guest "$answer" "$1" tcg "${@:2}"
}

# assert_boots locked|open: how the guest at the keyboard, whose first process is the probe, comes up.
assert_boots() {
    wait "$guest"
    # firmware writes on every serial line, before the probe does
    plain "$answer" | LC_ALL=C sed 's/.*scope \([0-9]\)$/scope \1/' > "$answer.plain"
    assert_equal "$(ended "$answer.plain" "$console" 0)" answered
    if [[ $1 == locked ]]; then
        assert_equal "$(found "$answer.plain" scope) $(found "$answer.plain" strace)" '3 refused'
    else
        assert_equal "$(found "$answer.plain" scope) $(found "$answer.plain" strace)" '0 ok'
    fi
}

# root_disk DISK: the small real root of noptrace-image.
root_disk() {
    make_root "$1" "$top/build/noptrace-probe" "$(command -v strace)"
}

# What each call says of a kernel without Yama, or one that was booted with an lsm= that leaves it out.
# shellcheck disable=SC2034 # for the suites
no_yama='/proc/sys/kernel/yama/ptrace_scope: ENOENT: this kernel lacks Yama (use one with CONFIG_SECURITY_YAMA), or leaves it out (add yama to lsm=)'
# shellcheck disable=SC2034 # for the suites
not_locked="noptrace: $no_yama; not locked"

# configuration_of VERSION CONFIG: that configuration, as one of a kernel of this version.
configuration_of() {
    sed "s/^\(# Linux[^ ]* \)[^ ]*/\1$1/" "$2"
}

# assert_passes IMAGE [ROOT]: check finds nothing in it, with the kernel of ROOT, or that whose configuration is beside it;
# the noptrace in it is $known_program, if set.
assert_passes() {
    run "$top/build/noptrace-image" check ${2:+--kernel-config "$(config_of "$2")"} \
        ${known_program:+--program "$known_program"} "$1"
    assert_success
    refute_output --regexp '(FAIL|warn) '
    assert_line "$1: ok"
}

# assert_locks IMAGE ROOT [OPTION-OF-BOOT…]: what a good image must stand: check passes it, and boot agrees. Leaves
# what boot printed in $output.
assert_locks() {
    assert_passes "$1" "$2"
    run "$top/build/noptrace-image" boot --kernel "$(kernel_of "$2")" "${@:3}" "$1"
    assert_success
}

# once NAME COMMAND…: as run does, but for all tests of a suite the first that asks for NAME runs it, and the others
# wait for what it leaves in $status, $output and $lines.
once() {
    local result=$BATS_FILE_TMPDIR/$1 lock
    exec {lock}> "$result.lock"
    flock "$lock"
    if [[ ! -e $result.status ]]; then
        run "${@:2}"
        printf %s "$output" > "$result.output"
        echo "$status" > "$result.status"
    fi
    exec {lock}>&-
    # shellcheck disable=SC2034 # for bats-assert
    {
        status=$(< "$result.status")
        output=$(< "$result.output")
        mapfile -t lines < "$result.output"
    }
}

# assert_stands_failures COMMAND…: with any one of its allocations failed, or of the system calls that it makes with files
# and processes, COMMAND says what it says otherwise, or ends with 2 or 3 and a line that says why, and is not killed. So it
# is with the file that it writes, where $written names one.
assert_stands_failures() {
    local want=$BATS_TEST_TMPDIR/want out=$BATS_TEST_TMPDIR/out count=$BATS_TEST_TMPDIR/count expected=0 tried=0 calls=0 i call failure
    "$@" > "$want" 2> "$want.err" || expected=$?
    [[ ! ${written+x} ]] || cp "$written" "$want.written"
    FAILING_COUNT=$count LD_PRELOAD=$top/build/failing.so "$@" > "$out" 2> "$out.err" || true
    for ((i = 1; i <= $(< "$count"); i++)); do
        assert_stands "allocation $i" env "FAILING=$i" "LD_PRELOAD=$top/build/failing.so" "$@"
    done
    strace -qq -e trace=openat,newfstatat,read,pread64,write,pwrite64,ftruncate,clone,wait4 -o "$count" "$@" > "$out" 2> "$out.err" || true
    while read -r i call; do
        calls=$((calls + 1))
        assert_stands "$call $i" strace -qq -o "$count.one" -e inject="$call:error=EIO:when=$i" "$@"
        # a signal, and an image that is cut meanwhile
        for failure in pread64:error=EINTR pwrite64:error=EINTR pread64:retval=0; do
            [[ $failure != "$call":* ]] || assert_stands "$call $i" strace -qq -o "$count.one" -e inject="$failure:when=$i" "$@"
        done
    done < <(sed -n '/\.gcda"/q; s/^\([a-z0-9]*\)(.*/\1/p' "$count" | awk '{ print ++times[$0], $0 }')
    ((calls)) || fail "$*: strace saw no system call"
    ((tried > 20)) || fail "$*: no more than $tried failures"
}

# One of them: in variables of the above.
assert_stands() {
    local code=0
    rm -f ${written+"$written"}
    "${@:2}" > "$out" 2> "$out.err" || code=$?
    # libraries that cannot be loaded; and the file with what tests/coverage counts, which needs memory
    if [[ $code == 127 || ($code == 139 && ${GCOV_ERROR_FILE-}) ]] || { [[ $code == "$expected" ]] && cmp -s "$out" "$want" \
        && cmp -s "${written-$out}" "$want${written+.written}"; }; then return; fi
    tried=$((tried + 1))
    # of one that does not lock a point may not be told
    [[ $code == [23] && $(grep -vxFf "$want.err" "$out.err") =~ ^[^$'\n']*[^:\ $'\n']$ ]] || [[ $code == 1 && $expected == 1 ]] \
        || fail "${*:2}: $1: exit code $code: $(< "$out.err")"
}
