#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# noptrace-image boot: what it says of guests that do not come to a verdict, and of bad input. That good
# images pass is in the suites that make them.

# run --separate-stderr sets stderr and stderr_lines; each test is a subshell, and sets what it uses.
# shellcheck disable=SC2154,SC2030,SC2031

# shellcheck source=tests/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

setup_file() {
    export good=$BATS_FILE_TMPDIR/good tree=$BATS_FILE_TMPDIR/tree
    handmade "$tree" "$bookworm" "$program"
    pack "$tree" "$good"
}

setup() {
    kernel=$(kernel_of "$bookworm")
}

# boot_image OPTION… IMAGE: with the stock kernel.
boot_image() {
    run --separate-stderr "$top/build/noptrace-image" boot --kernel "$kernel" "$@"
}

# boot_init LINE [OPTION…]: boots a variant of the good image whose /init is this line after the mounts.
boot_init() {
    local variant=$BATS_TEST_TMPDIR/variant
    variant_of "$tree" "$variant"
    rm "$variant/init"
    sed "/^mount -t devtmpfs/q" "$tree/init" > "$variant/init"
    echo "$1" >> "$variant/init"
    chmod +x "$variant/init"
    pack "$variant" "$BATS_TEST_TMPDIR/image"
    boot_image "${@:2}" "$BATS_TEST_TMPDIR/image"
}

assert_said() {
    assert_equal "${stderr_lines[-1]}" "noptrace-image: $1"
}

@test "boot names the word that is wrong, and exits 2" {
    assert_refused 2 "no call given; see 'noptrace-image --help'"
    assert_refused 2 "proof: not a call; see 'noptrace-image --help'" proof
    assert_refused 2 "boot needs an IMAGE; see 'noptrace-image --help'" boot
    assert_refused 2 "boot needs --kernel, unless IMAGE is a UKI; see 'noptrace-image --help'" boot "$good"
    assert_refused 2 "--kernel: has no value; see 'noptrace-image --help'" boot "$good" --kernel
    assert_refused 2 "--fast: not an option of boot; see 'noptrace-image --help'" boot --fast "$good"
    assert_refused 2 "--cmdline: not an option of boot; see 'noptrace-image --help'" boot --cmdline quiet "$good"
    assert_refused 2 "$kernel: one IMAGE at a time" boot "$good" "$kernel"
    assert_refused 2 '--accel hvf: must be tcg or kvm' boot --kernel "$kernel" --accel hvf "$good"
    assert_refused 2 "--probe $kernel: not with --root, whose own is run" boot --kernel "$kernel" --root "$good" --probe "$kernel" --append root=x "$good"
    assert_refused 2 "--tap: one format at a time; see 'noptrace-image --help'" boot --kernel "$kernel" --json --json --tap "$good"
    assert_refused 2 "boot needs a name for IMAGE, and has an empty one" boot --kernel "$kernel" ''
    assert_refused 2 "boot: a word too many; see 'noptrace-image --help'" --help boot
    assert_refused 2 '--timeout soon: must be a number of seconds' boot --kernel "$kernel" --timeout soon "$good"
    assert_refused 2 '--root: has an empty value; give it one, or leave it out' boot --kernel "$kernel" --root '' "$good"
    assert_refused 2 "--root $good: nothing says what to mount there: --append root=…" \
        boot --kernel "$kernel" --root "$good" "$good"
}

@test "boot names the file that cannot be read or written, and exits 2" {
    assert_refused 2 "/nonexistent: cannot be read as a file" boot --kernel /nonexistent "$good"
    assert_refused 2 "$BATS_TEST_TMPDIR: cannot be read as a file" boot --kernel "$kernel" "$BATS_TEST_TMPDIR"
    assert_refused 2 "/nonexistent/log: cannot be written" boot --kernel "$kernel" --log /nonexistent/log "$good"
    assert_refused 2 "$good: not a kernel for x86-64, arm64 or riscv64" boot --kernel "$good" "$good"
    # which the other formats tell too, and what was there before stays until then
    echo 'normal boot: old' > "$BATS_TEST_TMPDIR/log"
    boot_image --json --kernel "$good" --log "$BATS_TEST_TMPDIR/log" --junit "$BATS_TEST_TMPDIR/junit" "$good"
    assert_failure 2
    assert_equal "$(jq -r '.images[] | "\(.verdict): \(.points[].text)"' <<< "$output")" "unreadable: $good: not a kernel for x86-64, arm64 or riscv64"
    xmllint --noout "$BATS_TEST_TMPDIR/junit"
    assert_equal "$(< "$BATS_TEST_TMPDIR/log")" 'normal boot: old'
}

@test "a boot that cannot begin leaves no empty report: no kernel is named, or TMPDIR is not there, or has no room" {
    local uki=$BATS_TEST_TMPDIR/uki.efi junit=$BATS_TEST_TMPDIR/junit
    assert_refused 2 "boot needs --kernel, unless IMAGE is a UKI; see 'noptrace-image --help'" boot --junit "$junit" --log "$junit.log" "$good"
    TMPDIR=/nonexistent assert_refused 3 '/nonexistent: no folder can be made there; see TMPDIR' boot --kernel "$kernel" --junit "$junit" "$good"
    small_uki "$uki"
    # shellcheck disable=SC2016 # the inner shell's
    run --separate-stderr unshare --mount bash -c 'mount -t tmpfs -o size=4k tmpfs "$1" && TMPDIR=$1 exec "$2" boot --junit "$3" "$4"' - \
        /mnt "$top/build/noptrace-image" "$junit" "$uki"
    assert_failure 3
    assert_equal "$stderr" 'noptrace-image: /mnt: linux: cannot be written: No space left on device; see TMPDIR'
    assert [ ! -e "$junit" ]
    assert [ ! -e "$junit.log" ]
    # nor of one whose name leads nowhere yet; what was there is left
    ln -s nowhere "$junit"
    : > "$junit.log"
    boot_image --junit "$junit" --log "$junit.log" --timeout never "$good"
    assert_failure 2
    assert [ -L "$junit" ]
    assert [ -e "$junit.log" ]
}

@test "results or a log that cannot be written are 2" {
    run bash -c '"$@" > /dev/full' - "$top/build/noptrace-image" boot --kernel "$kernel" --timeout 5 "$good"
    assert_failure 2
    assert_line 'noptrace-image: the results cannot be written'
    boot_image --timeout 5 --log /dev/full "$good"
    assert_failure 2
    assert_output ''
    assert_said '/dev/full: cannot be written'
    run bash -c '"$@" > /dev/full' - "$top/build/noptrace-image" --help
    assert_failure 2
    assert_output 'noptrace-image: the usage cannot be written'
}

@test "a file that boot reads, or that has something else than an earlier log in it, is not written to, 2" {
    local option copy=$BATS_TEST_TMPDIR/copy
    cp "$kernel" "$copy"
    for option in --log --junit; do
        assert_refused 2 "$option $good: is in use here already, and would be lost; name another file" \
            boot --kernel "$kernel" "$option" "$good" "$good"
        assert_refused 2 "$option $copy: is in use here already, and would be lost; name another file" \
            boot --kernel "$copy" "$option" "$copy" "$good"
        assert_refused 2 "$option $copy: is in use here already, and would be lost; name another file" \
            boot --kernel "$kernel" --root "$copy" "$option" "$copy" "$good"
        assert_refused 2 "$option $copy: is in use here already, and would be lost; name another file" \
            boot --kernel "$kernel" --probe "$copy" "$option" "$copy" "$good"
        assert_refused 2 "$option $copy: has something else in it, and would be lost; name another file, or remove it" \
            boot --kernel "$kernel" "$option" "$copy" "$good"
    done
    cmp "$kernel" "$copy"
    # nor is a disk
    copy=$BATS_TEST_TMPDIR/disk
    # of no driver
    mknod "$copy" b 0 1
    assert_refused 2 "--log $copy: is a disk, and would be lost; name a file" boot --kernel "$kernel" --log "$copy" "$good"
    # nor is one for both
    copy=$BATS_TEST_TMPDIR/both
    assert_refused 2 "--junit $copy: is in use here already, and would be lost; name another file" \
        boot --kernel "$kernel" --log "$copy" --junit "$copy" "$good"
}

@test "boot works in a folder whose name has a dash, a comma and a colon, which QEMU takes for options and protocols" {
    mkdir "$BATS_TEST_TMPDIR/-a,b:c"
    cd "$BATS_TEST_TMPDIR" || return
    # an earlier log is overwritten
    echo 'normal boot: old' > "$BATS_TEST_TMPDIR/log"
    # nor are the options of whoever calls it ours
    run --separate-stderr env TMPDIR=-a,b:c SHELLOPTS=noexec:nounset:errexit "$top/build/noptrace-image" boot --kernel "$kernel" \
        --log "$BATS_TEST_TMPDIR/log" "$good"
    assert_success
    assert_line --regexp '^strace +refused +ok$'
    assert_line --regexp '^outcome +locked +open$'
    run head -n 1 "$BATS_TEST_TMPDIR/log"
    assert_output --regexp '^(normal|maintenance) boot: '
    refute_output 'normal boot: old'
}

@test "a command line that is too long with what a test boot adds is not booted, 3" {
    local machine line
    boot_image --append "x=$(printf '%1900s' '' | tr ' ' a)" "$good"
    assert_failure 3
    assert_output ''
    assert_said "$good: a kernel for x86_64 has no room for its command line and the words of a test boot: not booted"
    # to the byte, of which a character may have several
    # shellcheck source=src/image/guest.bash
    source "$top/src/image/guest.bash"
    while read -r machine line; do
        guest_machine=$machine
        line=é$(printf "%$((line - 3 - $(guest_words | wc -c)))s" '')
        assert guest_fits "$line-"
        refute guest_fits "$line--"
    done << 'END'
x86_64 2047
aarch64 2047
riscv64 511
END
}

@test "a UKI boots its own kernel, whatever --kernel says, which is told" {
    local uki=$BATS_TEST_TMPDIR/uki
    # shellcheck disable=SC2016 # perl's
    perl -I "$BATS_TEST_DIRNAME" -MImages -e 'spit($ARGV[0], pe(0x8664, [ ".linux", bzimage("6.1.0", "") ], [ ".initrd", slurp($ARGV[1]) ]))' "$uki" "$good"
    boot_image --timeout 5 "$uki"
    assert_failure 3
    assert_line --regexp '^outcome +no console output +no console output$'
    assert_equal "${stderr_lines[0]}" "noptrace-image: --kernel $kernel: not booted, as $uki is a UKI, which has its own"
}

# boot_profiles SECTIONS: a UKI of the good image with these profiles, in perl.
boot_profiles() {
    local uki=$BATS_TEST_TMPDIR/uki
    # shellcheck disable=SC2016 # perl's
    perl -I "$BATS_TEST_DIRNAME" -MImages -e 'spit($ARGV[0], pe(0x8664, sdmagic(257),
        [ ".linux", slurp($ARGV[1]) ], [ ".initrd", slurp($ARGV[2]) ], eval $ARGV[3]))' "$uki" "$kernel" "$good" "$1"
    run --separate-stderr "$top/build/noptrace-image" boot "$uki"
}

@test "a maintenance boot of a UKI is that of its profile for maintenance, which the default one is not, whatever it is called" {
    boot_profiles '[ ".profile", "ID=maintenance" ], [ ".profile", "ID=other" ]'
    assert_success
    assert_line --regexp '^outcome +locked +open$'
    # that profile has not got the word, and so none is given
    boot_profiles '[ ".profile", "ID=main" ], [ ".profile", "ID=maintenance" ]'
    assert_failure 1
    assert_line --regexp '^outcome +locked +locked$'
}

@test "where there is no room to work in it is said, 3" {
    # shellcheck disable=SC2016 # the inner shell's
    run --separate-stderr unshare --mount sh -e -c 'mount -t tmpfs -o size=4k none "$0"; head -c 4096 /dev/zero > "$0/full"; TMPDIR=$0 exec "$@"' \
        "$BATS_TEST_TMPDIR" "$top/build/noptrace-image" boot --kernel "$good" "$good"
    assert_failure 3
    assert_output ''
    assert_regex "${stderr_lines[-1]}" "^noptrace-image: $BATS_TEST_TMPDIR/noptrace-image\.[^ ]*: is full; see TMPDIR$"
}

@test "a part of the tool that is not there is named, 2" {
    local lib=$BATS_TEST_TMPDIR/lib file
    for file in boot.bash guest.bash make.bash noptrace-check noptrace-cmdline noptrace-judge noptrace-report noptrace-uki; do
        mkdir "$lib"
        ln -s "$top"/build/* "$lib"
        rm "$lib/$file"
        run "$lib/noptrace-image" boot --kernel "$kernel" "$good"
        assert_failure 2
        assert_output "noptrace-image: $lib/$file: is not there; install noptrace-image again"
        rm -r "$lib"
    done
}

@test "without QEMU on the machine boot is skipped, 77, and says so" {
    local bin=$BATS_TEST_TMPDIR/bin tool
    mkdir "$bin"
    for tool in mktemp od tr rm cat iconv sed seq; do ln -s "$(command -v "$tool")" "$bin"; done
    run --separate-stderr env PATH="$bin" "$top/build/noptrace-image" boot --kernel "$kernel" "$good"
    assert_failure 77
    assert_output ''
    assert_said 'skipped: no qemu-system-x86_64 here; install it'
}

@test "a strace that cannot run in the guest has not been refused anything" {
    mkdir "$BATS_TEST_TMPDIR/bin"
    printf '#!/bin/sh\nexec strace "$@"\n' > "$BATS_TEST_TMPDIR/bin/strace"
    chmod +x "$BATS_TEST_TMPDIR/bin/strace"
    PATH=$BATS_TEST_TMPDIR/bin:$PATH boot_image "$good"
    assert_success
    assert_line --regexp '^strace +absent +absent$'
}

@test "a guest that hangs is timed out, 124" {
    boot_init 'sleep 1000' --timeout 15
    assert_failure 124
    assert_line --regexp '^outcome +timed out +timed out$'
    assert_said "$BATS_TEST_TMPDIR/image: no answer within 15 s; see its console (--log)"
}

@test "a guest that panics is said to have, 255" {
    boot_init 'exit 1'
    assert_failure 255
    assert_line --regexp '^outcome +panicked +panicked$'
    assert_said "$BATS_TEST_TMPDIR/image: the kernel panicked; see its console (--log)"
}

@test "a guest that powers off or reboots before its real root cannot be told, 3" {
    boot_init 'if grep -q " maintenance" /proc/cmdline; then reboot -f; else poweroff -f; fi'
    assert_failure 3
    assert_line --regexp '^outcome +powered off +rebooted$'
    assert_said "$BATS_TEST_TMPDIR/image: a normal boot: powered off, a maintenance boot: rebooted; see the consoles (--log)"
}

@test "an image that lacks drivers of the guest's is said to perhaps, where it ran noptrace and came to no real root" {
    local perhaps='; noptrace ran, but no real root came: it may lack drivers of the emulated machine, see noptrace-image(8)'
    sed '1,/^mount -t devtmpfs/d; /insmod/d' "$tree/init" > "$BATS_TEST_TMPDIR/without"
    boot_init "$(sed 's/^until .*/mount -o ro \/dev\/vda \/root || poweroff -f/' "$BATS_TEST_TMPDIR/without")"
    assert_failure 3
    assert_said "$BATS_TEST_TMPDIR/image: a normal boot: powered off, a maintenance boot: powered off; see the consoles (--log)$perhaps"
    rm -r "$BATS_TEST_TMPDIR/variant"
    # or as it waits for it
    boot_init "$(sed 's/^until .*/sleep 1000/' "$BATS_TEST_TMPDIR/without")" --timeout 15
    assert_failure 124
    assert_said "$BATS_TEST_TMPDIR/image: no answer within 15 s; see its console (--log)$perhaps"
    rm -r "$BATS_TEST_TMPDIR/variant"
    # not one that came there in one of its boots
    boot_init "$(sed '1,/^mount -t devtmpfs/d; s/^for module/grep -q " maintenance" \/proc\/cmdline || poweroff -f; &/' "$tree/init")"
    assert_failure 3
    assert_said "$BATS_TEST_TMPDIR/image: a normal boot: powered off, a maintenance boot: open; see the consoles (--log)"
}

@test "a guest that says more than anybody reads is not waited for, 3, nor read for ever" {
    local mode
    boot_init 'yes noptrace: locked & yes log 5 noptrace: locked > /dev/ttyS1' --timeout 600 --log "$BATS_TEST_TMPDIR/log"
    assert_failure 3
    assert_line --regexp '^outcome +no answer +no answer$'
    # so much of its log is told, of each boot
    assert [ "$(grep -c 'boot: noptrace: locked$' <<< "$output")" -gt 100 ]
    assert [ "${#output}" -lt 25000 ]
    for mode in normal maintenance; do
        assert_regex "$stderr" "$BATS_TEST_TMPDIR/image: the $mode boot says more than 4 MiB: not waited for"
    done
}

@test "a guest that says nothing at all cannot be told, 3" {
    # the machine's, but nothing that a PC could boot
    head -c 600 /dev/zero > "$BATS_TEST_TMPDIR/kernel"
    printf HdrS | dd of="$BATS_TEST_TMPDIR/kernel" bs=1 seek=514 conv=notrunc status=none
    kernel=$BATS_TEST_TMPDIR/kernel
    boot_image --timeout 5 "$good"
    assert_failure 3
    assert_line --regexp '^outcome +no console output +no console output$'
}

@test "an image that does not lock, and one that locks for maintenance too, do not do their job, 1" {
    sed '/noptrace apply/d' "$tree/init" > "$BATS_TEST_TMPDIR/unlocked"
    boot_init "$(sed '1,/^mount -t devtmpfs/d' "$BATS_TEST_TMPDIR/unlocked")"
    assert_failure 1
    assert_said "$BATS_TEST_TMPDIR/image: does not do its job: a normal boot is open, a maintenance boot open"
    rm -r "$BATS_TEST_TMPDIR/variant"
    boot_init "$(sed -e '1,/^mount -t devtmpfs/d' -e 's/noptrace apply/noptrace lock/' "$tree/init")"
    assert_failure 1
    assert_said "$BATS_TEST_TMPDIR/image: does not do its job: a normal boot is locked, a maintenance boot locked"
}

@test "an image that could not lock is said to have, 1" {
    boot_image --append lsm=landlock,lockdown "$good"
    assert_failure 1
    assert_line --regexp '^outcome +powered off +neither$'
    assert_said "$good: could not lock: noptrace: $no_yama; not locked"
    # and where there is no table
    boot_image --tap --append lsm=landlock,lockdown "$good"
    assert_failure 1
    assert_said "$good: could not lock: noptrace: $no_yama; not locked"
}

@test "what somebody else in the guest writes in the probe's place leaves no answer that is one" {
    # shellcheck source=src/image/guest.bash
    source "$top/src/image/guest.bash"
    # which would be cut off where the probe begins, and with no more than ends of lines behind the answer
    { echo 'scope 3' && yes 'scope ' | head -n 20000 && echo 'scope 0'; } > "$BATS_TEST_TMPDIR/answer"
    run found "$BATS_TEST_TMPDIR/answer" scope
    assert_line -n 0 3
    assert_line -n 1 -
}

@test "what a guest says steers no terminal" {
    # shellcheck source=src/image/guest.bash
    source "$top/src/image/guest.bash"
    printf 'log 5 noptrace: a\e]0;title\a\tb\e[2J\0c\xc2\x9b\r\n' | tee "$BATS_TEST_TMPDIR/answer" > "$BATS_TEST_TMPDIR/console"
    assert_equal "$(found "$BATS_TEST_TMPDIR/answer" log)" '5 noptrace: a?]0;title? b?[2J?c???'
    assert_equal "$(plain "$BATS_TEST_TMPDIR/console")" 'log 5 noptrace: a?]0;title? bc??'
}

# A record's unprintable bytes are read as four characters each: 900 of them do not fit into the probe's 1,023.
@test "a record in the kernel log that is too long to read does not hide noptrace's behind it" {
    boot_init "head -c 900 /dev/zero | tr '\\0' '\\1' > /dev/kmsg
$(sed '1,/^mount -t devtmpfs/d' "$tree/init")" --append quiet
    assert_success
    assert_line 'normal boot: noptrace: locked: kernel.yama.ptrace_scope is 3 until reboot'
    assert_line 'maintenance boot: noptrace: maintenance boot: not locking; kernel.yama.ptrace_scope is 0'
}

# line_in FILE LINE: waits for it, while the boots go on.
line_in() {
    # shellcheck disable=SC2016 # the inner shell's
    timeout 60 sh -c 'until grep -qx "$1" "$2"; do sleep 0.1; done' - "$2" "$1"
}

@test "--log has each console line by line as it comes, and the last word of one that waits for somebody" {
    local log=$BATS_TEST_TMPDIR/log
    # the maintenance boot ends at once, in a prompt without an end of its line, which a kernel that is late with
    # its own lines must not end; the normal one goes on
    boot_init 'echo 1 > /proc/sys/kernel/printk
grep -q " maintenance" /proc/cmdline && printf "\033[1mGive root\033[0m\nPress Enter for maintenance" && sleep 1000
echo "a word"; sleep 1000' --timeout 25 --log "$log" &
    line_in "$log" 'normal boot: a word'
    line_in "$log" 'maintenance boot: Give root'
    line_in "$log" 'maintenance boot: Press Enter for maintenance'
    assert kill -0 $!
    wait $!
    # nothing twice, and each line is one of the two
    assert_equal "$(grep -c 'Press Enter for maintenance' "$log")" 1
    assert_equal "$(grep -c '^normal boot: .*Linux version ' "$log")" 1
    run grep -v -e '^normal boot: ' -e '^maintenance boot: ' "$log"
    assert_output ''
}

@test "--accel kvm where /dev/kvm cannot be had is announced, and emulated" {
    local hide=true
    [[ ! -e /dev/kvm ]] || hide='mount --bind -o ro /etc/hostname /dev/kvm'
    run --separate-stderr unshare --mount sh -e -c "$hide"'; exec "$@"' - \
        "$top/build/noptrace-image" boot --kernel "$kernel" --accel kvm "$good"
    assert_success
    assert_said '--accel kvm: /dev/kvm is not there, or may not be written: emulating'
}

@test "an interrupt ends it, and leaves no guest behind" {
    local signal tool code
    cp "$good" "$BATS_TEST_TMPDIR/image"
    for signal in TERM INT; do
        # what is started in the background ignores INT
        env --default-signal=INT "$top/build/noptrace-image" boot --kernel "$kernel" "$BATS_TEST_TMPDIR/image" > /dev/null 2>&1 3>&- &
        tool=$! code=0
        # shellcheck disable=SC2016 # the inner shell's
        timeout 60 sh -c 'until [ "$(pgrep -c -f "^qemu-system.* -initrd $1")" = 2 ]; do :; done' - "$BATS_TEST_TMPDIR/image"
        kill -s "$signal" "$tool"
        wait "$tool" || code=$?
        assert_equal "$(kill -l "$code")" "$signal"
        # shellcheck disable=SC2016 # the inner shell's
        timeout 20 sh -c 'while pgrep -f "initrd $1" > /dev/null; do :; done' - "$BATS_TEST_TMPDIR/image"
    done
}

# of_another_architecture ARCH ROOT: a hand-made image for the stock kernel of ROOT, with our programs for ARCH, is
# checked and booted.
of_another_architecture() {
    local arch=$1 root=$2
    image=$BATS_TEST_TMPDIR/image
    handmade "$BATS_TEST_TMPDIR/tree" "$root" "$top/build/$arch/noptrace"
    pack "$BATS_TEST_TMPDIR/tree" "$image"
    known_program=$top/build/$arch/noptrace assert_locks "$image" "$root" --probe "$top/build/$arch/noptrace-probe"
    assert_line --regexp '^strace +absent +absent$'
}

@test "an arm64 image is checked and booted on this machine, emulated" {
    of_another_architecture arm64 "$top/build/bookworm-arm64/root"
    assert_line 'noptrace-image: no strace for aarch64 here: not tried'
    run "$top/build/noptrace-image" check "$image"
    assert_failure 1
    assert_line '  ok    architecture  aarch64, as /bin/sh'
    assert_line "  FAIL  identity      /usr/sbin/noptrace: not that of $program; build the image anew, or name the right one with --program"

    kernel=$(kernel_of "$top/build/bookworm-arm64/root")
    boot_image "$image"
    assert_failure 2
    assert_said "$top/build/noptrace-probe: no program for aarch64, as the kernel is; give that machine's noptrace-probe with --probe"
    boot_image --accel kvm --timeout 1 --probe "$top/build/arm64/noptrace-probe" "$image"
    assert_equal "${stderr_lines[0]}" "noptrace-image: --accel kvm: this machine is $(uname -m), the guest aarch64: emulating it"
}

@test "a riscv64 image is checked and booted on this machine, emulated" {
    of_another_architecture riscv64 "$top/build/testing-riscv64/root"
}
