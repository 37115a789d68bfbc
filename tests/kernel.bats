#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A stock kernel with an initramfs of busybox and our program: what the kernel itself does.

# shellcheck source=tests/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

# busybox_image IMAGE [FILE…]: an initramfs of busybox, the program and these files at its top.
busybox_image() {
    local image=$1 tree
    shift
    tree=$(mktemp -d -p "$BATS_FILE_TMPDIR")
    chmod 755 "$tree"
    mkdir -p "$tree"/{bin,dev,proc,sys,root,usr/sbin,etc}
    cp "$bookworm/bin/busybox" "$tree/bin/busybox"
    cp "$program" "$tree/usr/sbin/noptrace"
    [[ $# == 0 ]] || cp -a "$@" "$tree"
    pack "$tree" "$image"
}

setup_file() {
    export image=$BATS_FILE_TMPDIR/image
    # Says which words the kernel hands to init, in their order, and which it does not know.
    cat > "$BATS_FILE_TMPDIR/words" << 'END'
#!/bin/busybox sh
export PATH=/bin:/usr/sbin
/bin/busybox --install /bin
mount -t proc proc /proc
mount -t devtmpfs devtmpfs /dev
for word; do echo "word $word"; done > /dev/ttyS1
dmesg | grep -o 'Unknown kernel command line parameters ".*", will be passed' > /dev/ttyS1
echo end > /dev/ttyS1
poweroff -f
END
    # Meets every errno that a real Yama can return.
    cat > "$BATS_FILE_TMPDIR/errors" << 'END'
#!/bin/busybox sh
export PATH=/bin:/usr/sbin
/bin/busybox --install /bin
mount -t devtmpfs devtmpfs /dev
exec > /dev/ttyS1 2>&1
try() { echo "== $*"; "$@"; echo "exit $?"; }
try noptrace apply
mount -t proc proc /proc
cd /proc/sys/kernel/yama 2> /dev/null || {
    try noptrace lock
    try noptrace status
    echo end
    poweroff -f
}
echo nobody:x:65534:65534::/:/bin/sh > /etc/passwd
try su nobody -c 'noptrace lock'
try unshare -U -r noptrace lock
mount -o bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
try noptrace lock
umount /proc/sys
cd /proc/sys/kernel/yama
try noptrace status
try noptrace lock
try noptrace lock
for value in 0 1 2; do try sh -c "echo $value > ptrace_scope"; done
try noptrace status
dmesg -r | sed -n 's/\[.*\] noptrace: /noptrace: /p'
echo end
poweroff -f
END
    chmod +x "$BATS_FILE_TMPDIR"/{words,errors}
    busybox_image "$image" "$BATS_FILE_TMPDIR"/{words,errors}
}

# ask NAME COMMAND-LINE: boots it, and leaves the answer in NAME.
ask() {
    boot_guest "$1" "$bookworm" "$image" "$2"
    assert_answered
}

# The kernel hands a parameter that it does not know to init, as a word. Rows whose quotes are closed and
# that have no "--" do not touch each other: they share a boot, each behind a word that marks it. What
# follows a "--" comes to init as well, so there the kernel's own list of unknown parameters tells.
@test "the kernel reads every line of the table as noptrace does" {
    local want escaped line number=0 boots=0 batch='' rows=0 alone=() lines=() wants=() batches=()
    local dashes=' "?--"? ' quotes i
    while IFS=$'\t' read -r want escaped; do
        printf -v line '%b' "$escaped"
        number=$((number + 1))
        wants[number]=$want
        lines[number]=$line
        quotes=${line//[!\"]/}
        if [[ " $line " =~ $dashes || $((${#quotes} % 2)) == 1 || $line == '"maintenance""' ]]; then
            alone+=("$number")
        else
            batch+=" row$number $line"
            rows=$((rows + 1))
            if ((rows % 7 == 0)); then
                batches[boots++]=$batch
                batch=''
            fi
        fi
    done < <(grep -v '^#' "$BATS_TEST_DIRNAME/command-lines")
    batches[boots++]=$batch

    # Two at a time, one for each core.
    local pid pids=()
    for ((i = 0; i < boots; i++)); do
        ask "batch$i" "rdinit=/words ${batches[i]}" &
        pids+=($!)
        ((i % 2 == 0)) || wait "${pids[@]}"
    done
    for number in "${alone[@]}"; do
        ask "alone$number" "rdinit=/words ${lines[number]}" &
        pids+=($!)
        ((${#pids[@]} % 2)) || wait "${pids[@]}"
    done
    for pid in "${pids[@]}"; do wait "$pid"; done

    local got wrong='' judged=0
    for ((i = 0; i < boots; i++)); do
        while read -r number got; do
            judged=$((judged + 1))
            [[ $got == "${wants[number]}" ]] || wrong+="$got ${lines[number]}"$'\n'
        done < <(awk '$1 != "word" { next }
            $2 ~ /^row[0-9]+$/ { if (n) print n, got; n = substr($2, 4); got = "n"; next }
            $0 == "word maintenance" { got = "Y" }
            END { if (n) print n, got }' "$BATS_TEST_TMPDIR/batch$i")
    done
    for number in "${alone[@]}"; do
        judged=$((judged + 1))
        got=n
        if [[ " ${lines[number]} " =~ $dashes ]]; then
            ! sed -n 's/^Unknown kernel command line parameters "\(.*\)", will be passed/ \1 /p' \
                "$BATS_TEST_TMPDIR/alone$number" | grep -q ' maintenance ' || got=Y
        else
            ! grep -qx 'word maintenance' "$BATS_TEST_TMPDIR/alone$number" || got=Y
        fi
        [[ $got == "${wants[number]}" ]] || wrong+="$got ${lines[number]}"$'\n'
    done
    assert_equal "$wrong" ''
    assert_equal "$judged" "${#lines[@]}"
}

# One guest, in which a kernel boots the next one: it is slow, and `make kernel-lines` tries hundreds.
@test "odd command lines: noptrace, and whatever else here reads them, reads each as the kernel does that was booted with it" {
    local tree=$BATS_TEST_TMPDIR/tree count=${LINES_OF_KERNEL:-12}
    make -s -C "$top" build/guest-lines
    mkdir -p "$tree"/{dev,proc,usr/sbin}
    cp "$top/build/guest-lines" "$tree/init"
    cp "$program" "$tree/usr/sbin/noptrace"
    cp "$bookworm"/boot/vmlinuz-* "$tree/vmlinuz"
    "$BATS_TEST_DIRNAME/odd-lines" "$count" > "$tree/lines"
    pack "$tree" "$BATS_TEST_TMPDIR/image"
    # for a busy machine
    run_guest "$BATS_TEST_TMPDIR/answer" $((60 + 20 * count)) tcg line=0 -kernel "$(kernel_of "$bookworm")" \
        -initrd "$BATS_TEST_TMPDIR/image" < /dev/null > "$BATS_TEST_TMPDIR/console" 2>&1
    ln -s /usr/lib/dracut/dracut-util "$BATS_TEST_TMPDIR/dracut-getarg"
    run "$BATS_TEST_DIRNAME/compare-lines" "$top/build/noptrace-cmdline" "$BATS_TEST_TMPDIR/dracut-getarg" < "$BATS_TEST_TMPDIR/answer"
    assert_output "$count lines"
}

@test "a real Yama: each errno has its outcome, and a locked scope cannot be lowered" {
    ask errors rdinit=/errors
    run cat "$BATS_TEST_TMPDIR/errors"
    local path=/proc/sys/kernel/yama/ptrace_scope
    assert_output - << END
== noptrace apply
exit 1
== su nobody -c noptrace lock
noptrace: $path: EACCES: run this as root; not locked
exit 1
== unshare -U -r noptrace lock
noptrace: $path: EPERM: needs CAP_SYS_PTRACE; run this on the host, not in a container; not locked
exit 1
== noptrace lock
noptrace: $path: EROFS: read-only here; run this on the host; not locked
exit 1
== noptrace status
NOPTRACE CRITICAL - open, 'noptrace lock' locks: kernel.yama.ptrace_scope is 0
exit 2
== noptrace lock
noptrace: locked: kernel.yama.ptrace_scope is 3 until reboot
exit 0
== noptrace lock
noptrace: locked already: kernel.yama.ptrace_scope is 3 until reboot
exit 0
== sh -c echo 0 > ptrace_scope
sh: write error: Invalid argument
exit 1
== sh -c echo 1 > ptrace_scope
sh: write error: Invalid argument
exit 1
== sh -c echo 2 > ptrace_scope
sh: write error: Invalid argument
exit 1
== noptrace status
NOPTRACE WARNING - locked, but not since the initramfs: kernel.yama.ptrace_scope is 3
exit 1
<11>noptrace: /proc: ENOENT: not mounted; mount it first; not locked; /proc/cmdline: ENOENT: not read, so this is no maintenance boot
<11>noptrace: $path: EPERM: needs CAP_SYS_PTRACE; run this on the host, not in a container; not locked
<11>noptrace: $path: EROFS: read-only here; run this on the host; not locked
<13>noptrace: locked: kernel.yama.ptrace_scope is 3 until reboot
<13>noptrace: locked already: kernel.yama.ptrace_scope is 3 until reboot
end
END
}

@test "a kernel without Yama: not locked, and status is UNKNOWN" {
    ask errors 'rdinit=/errors lsm=landlock,lockdown'
    run cat "$BATS_TEST_TMPDIR/errors"
    assert_line "noptrace: $no_yama; not locked"
    assert_line 'exit 3'
}

@test "a hand-made busybox initramfs locks with one line in its /init" {
    grep -qF "$handmade_line" "$top/README.md"
    grep -qF "$handmade_line" "$top/src/noptrace.8"
    handmade "$BATS_TEST_TMPDIR/tree" "$bookworm" "$program"
    pack "$BATS_TEST_TMPDIR/tree" "$BATS_TEST_TMPDIR/handmade"
    assert_locks "$BATS_TEST_TMPDIR/handmade" "$bookworm"
}
