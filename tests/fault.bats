#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a boot may meet: too little memory, an initramfs that lacks something, words of the kernel command line, an oops, a
# tracer that came first, kexec, hibernation. In hand-made images, which boot in two or three seconds. What the first
# process of the real root finds tells, or that there was none.

# shellcheck source=tests/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

setup_file() {
    export files=$BATS_FILE_TMPDIR
    handmade "$files/tree" "$bookworm" "$program"
    # and tell which exit code the line has met
    # shellcheck disable=SC2016 # the guest's
    sed -i '/noptrace apply/s#|| \(.*\)#|| { echo "exit $?" > /dev/ttyS1; \1; }#' "$files/tree/init"
    pack "$files/tree" "$files/image"
    root_disk "$files/disk"
}

# with_init IMAGE SED-ARGUMENT…: one whose /init sed has changed.
with_init() {
    local variant=$BATS_TEST_TMPDIR/$1.tree
    variant_of "$files/tree" "$variant"
    rm "$variant/init"
    sed "${@:2}" "$files/tree/init" > "$variant/init"
    chmod +x "$variant/init"
    pack "$variant" "$BATS_TEST_TMPDIR/$1"
}

# put PROGRAM TREE: with the libraries that it needs.
put() {
    {
        echo "$1"
        ldd "$1" | sed -n 's,[^/]*\(/[^ ]*\).*,\1,p'
    } | xargs cp -L --parents --remove-destination -t "$2"
}

# boot_image IMAGE WORDS [QEMU-ARGUMENT…]: with the real root on $disk, or the small one. Leaves $answer, $console and $code.
boot_image() {
    boot_guest answer "$bookworm" "$1" "$2" -drive "$(guest_disk "${disk:-$files/disk}")" "${@:3}"
}

# assert_real_root locked|open: the first process of the real root was there, and what it found.
assert_real_root() {
    local answers
    assert_answered
    answers="$(found "$answer" scope) $(found "$answer" traceme) $(found "$answer" strace) $(found "$answer" write-0)"
    if [[ $1 == locked ]]; then
        assert_equal "$answers" '3 EPERM refused EINVAL'
    else
        assert_equal "$answers" '0 ok ok ok'
    fi
}

# assert_no_real_root REASON: the lock failed with the exit code of that, and said why.
assert_no_real_root() {
    assert_on_console "noptrace: $1"
    assert_equal "$(cat "$answer")" 'exit 1'
    assert_equal "$(ended "$answer" "$console" "$code")" 'powered off'
}

@test "an initramfs without /dev: locked, and the line is on the console" {
    with_init image -e '/^mount -t devtmpfs/d' -e '/noptrace apply/a mount -t devtmpfs devtmpfs /dev'
    boot_image "$BATS_TEST_TMPDIR/image" ro
    assert_real_root locked
    assert_on_console 'noptrace: locked: kernel.yama.ptrace_scope is 3 until reboot'
    assert_equal "$(found "$answer" log)" ''
}

@test "a hand-made /init that finds no poweroff goes no further, and the kernel panics behind the reason" {
    with_init image -e '/noptrace apply/s,poweroff -f,nosuch -f,'
    boot_image "$BATS_TEST_TMPDIR/image" "ro $without_yama"
    assert_on_console "$not_locked"
    assert_on_console 'nosuch: not found'
    assert_on_console 'Kernel panic - not syncing: Attempted to kill init!'
    assert_equal "$(cat "$answer")" 'exit 1'
}

@test "an initramfs without /run: locked, and status does not know of the initramfs" {
    with_init image -e '/^mount .* \/run/d' -e '/noptrace apply/s,^,rmdir /run; ,' \
        -e '/^until mount/i noptrace status > /dev/ttyS1'
    boot_image "$BATS_TEST_TMPDIR/image" ro
    assert_real_root locked
    assert_equal "$(head -n 1 "$answer")" 'NOPTRACE WARNING - locked, but not since the initramfs: kernel.yama.ptrace_scope is 3'
}

@test "a /proc of processes alone (subset=pid): no real root, and the reason on the console" {
    # mount finds no type there
    with_init image -e 's/^mount -t proc/& -o subset=pid/' -e 's/^until mount/& -t ext4/'
    boot_image "$BATS_TEST_TMPDIR/image" ro
    assert_no_real_root '/proc: ENOENT: not mounted; mount it first; not locked; /proc/cmdline: ENOENT: not read, so this is no maintenance boot'
}

@test "a read-only /proc/sys: no real root, and the reason on the console" {
    with_init image '/noptrace apply/i mount -o bind /proc/sys /proc/sys; mount -o remount,bind,ro /proc/sys'
    boot_image "$BATS_TEST_TMPDIR/image" ro
    assert_no_real_root '/proc/sys/kernel/yama/ptrace_scope: EROFS: read-only here; run this on the host; not locked'
}

# Without root= a kernel has half of the memory for it, and goes on with what it has unpacked until then.
@test "an initramfs that does not fit into the memory, so that the program is missing: no real root" {
    local parts=$BATS_TEST_TMPDIR part
    variant_of "$files/tree" "$parts/1"
    rm "$parts/1/usr/sbin/noptrace"
    mkdir -p "$parts/2" "$parts/3/usr/sbin"
    truncate -s 200M "$parts/2/large"
    cp "$program" "$parts/3/usr/sbin"
    for part in 1 2 3; do
        pack "$parts/$part" "$parts/$part.cpio"
        cat "$parts/$part.cpio"
    done | gzip -1 > "$parts/image"
    boot_image "$parts/image" ro -m 512
    assert_real_root locked
    boot_image "$parts/image" ro -m 256
    assert_on_console 'Initramfs unpacking failed: write error'
    assert_equal "$(cat "$answer")" 'exit 127'
    assert_equal "$(ended "$answer" "$console" "$code")" 'powered off'
}

@test "with ever less memory: locked, and at last no real root, but never an open one" {
    local enough=128 little=48 middle
    while ((enough - little > 2)); do
        middle=$(((enough + little) / 2))
        boot_image "$files/image" ro -m "$middle"
        case $(found "$answer" scope) in
            3) enough=$middle ;;
            '') little=$middle ;;
            *) fail "open with $middle MB" ;;
        esac
    done
    [[ $enough != 128 && $little != 48 ]]
}

@test "an lsm= locks with yama in it, in whatever order, and has no real root without; check knows which" {
    local words
    for words in lsm=yama,apparmor 'lsm=apparmor lsm="selinux,yama" security=selinux'; do
        boot_image "$files/image" "$words"
        assert_real_root locked
        run "$top/build/noptrace-image" check --cmdline "$words" "$files/image"
        assert_failure 3
        refute_output --partial 'leaves yama out'
    done
    for words in lsm=apparmor 'lsm=yama lsm= security=apparmor' lsm=YAMA,yamax; do
        boot_image "$files/image" "$words"
        assert_no_real_root "$no_yama; not locked"
        run "$top/build/noptrace-image" check --cmdline "$words" "$files/image"
        assert_output --partial 'leaves yama out'
    done
}

# oopses_in ADDRESS WORDS: a boot in which gdb(1) makes the kernel jump to nowhere when it first comes to ADDRESS.
oopses_in() {
    local socket=$BATS_TEST_TMPDIR/gdb
    rm -f "$socket"
    {
        # shellcheck disable=SC2016 # its own
        timeout 60 sh -c 'until [ -S "$0" ]; do sleep 0.1; done' "$socket"
        # shellcheck disable=SC2016 # gdb's
        gdb -nx --batch -ex 'set architecture i386:x86-64' -ex "target remote $socket" -ex "hbreak *0x$1" -ex continue \
            -ex 'set $rip = 0' -ex detach > "$socket.log" 2>&1
    } 3>&- &
    local gdb=$!
    boot_image "$files/image" "nokaslr $2" -S -gdb "unix:$socket,server=on,wait=off"
    wait "$gdb"
    grep -q '^Breakpoint 1, ' "$socket.log"
}

@test "a kernel that oopses within the program's own calls: no real root, whether or not that is a panic" {
    local functions function
    with_init image "/noptrace apply/i { grep ' cmdline_proc_show$' /proc/kallsyms; grep ' yama_dointvec_minmax$' /proc/kallsyms; } > /dev/ttyS1; poweroff -f"
    boot_image "$BATS_TEST_TMPDIR/image" nokaslr
    mapfile -t functions < "$answer"
    assert_equal ${#functions[@]} 2
    for function in "${functions[@]}"; do
        oopses_in "${function%% *}" sysctl.kernel.panic_on_oops=0
        assert_on_console 'BUG: kernel NULL pointer dereference'
        assert_on_console 'Comm: noptrace'
        assert_equal "$(cat "$answer")" 'exit 137'
        assert_equal "$(ended "$answer" "$console" "$code")" 'powered off'
    done
    oopses_in "${function%% *}" oops=panic
    assert_on_console 'Comm: noptrace'
    assert_equal "$(cat "$answer")" ''
    assert_equal "$(ended "$answer" "$console" "$code")" panicked
}

@test "rdinit= starts something else, without the lock, as noptrace(8) says; one that is not there starts nothing" {
    local variant=$BATS_TEST_TMPDIR/tree
    variant_of "$files/tree" "$variant"
    sed '/noptrace apply/d' "$files/tree/init" > "$variant/other"
    chmod +x "$variant/other"
    pack "$variant" "$BATS_TEST_TMPDIR/image"
    boot_image "$BATS_TEST_TMPDIR/image" rdinit=/other
    assert_real_root open
    boot_image "$BATS_TEST_TMPDIR/image" 'rdinit=/nowhere root=/dev/vda'
    assert_equal "$(ended "$answer" "$console" "$code")" panicked
}

@test "who traces in the initramfs before the lock keeps what it traces, and status and lock name both" {
    local strace
    strace=$(command -v strace)
    # shellcheck disable=SC2016 # the guest's
    with_init image -e "/noptrace apply/i tracer=$strace"'\
sleep 1000 & tracee=$!\
$tracer -qq -o /dev/null -p $tracee & tracer=$!\
until grep -q "^TracerPid:.*[1-9]" /proc/$tracee/status; do :; done' \
        -e '/^until mount/i { noptrace status; echo "exit $?"; noptrace lock 2>\&1; } | sed -e "s/PID $tracee /PID TRACEE /" -e "s/PID $tracer /PID TRACER /" > /dev/ttyS1'
    put "$strace" "$BATS_TEST_TMPDIR/image.tree"
    pack "$BATS_TEST_TMPDIR/image.tree" "$BATS_TEST_TMPDIR/image"
    boot_image "$BATS_TEST_TMPDIR/image" ro
    assert_real_root locked
    run head -n 5 "$answer"
    assert_output - << 'END'
NOPTRACE WARNING - locked, but processes are still traced: kernel.yama.ptrace_scope is 3
noptrace: still traced: PID TRACEE (sleep) by PID TRACER (strace); end it or reboot
exit 1
noptrace: locked already: kernel.yama.ptrace_scope is 3 until reboot
noptrace: still traced: PID TRACEE (sleep) by PID TRACER (strace); end it or reboot
END
}

# There the first process of the real root is a perl, which can make kexec's calls, as root and at scope 3.
@test "kexec from a locked machine into the same image: locked again, open with the word, refused by kexec_load_disabled" {
    local tree=$BATS_TEST_TMPDIR/root disk=$BATS_TEST_TMPDIR/disk
    variant_of "$files/disk.tree" "$tree"
    put "$(command -v perl)" "$tree"
    cp "$(kernel_of "$bookworm")" "$tree/vmlinuz"
    cp "$files/image" "$tree/image"
    cat > "$tree/kexec" << 'END'
#!/usr/bin/perl
open STDOUT, '>', '/dev/ttyS1';
$| = 1;
open my $scope, '<', '/proc/sys/kernel/yama/ptrace_scope';
print 'kexec at scope ', <$scope>;
open my $line, '<', '/proc/cmdline';
my $words = <$line> =~ s/ first=.* then=(.*)\n/ $1\0/r;
open my $kernel, '<', '/vmlinuz';
open my $image, '<', '/image';
my ($kexec_file_load, $reboot) = (320, 169);
if (syscall($kexec_file_load, fileno $kernel, fileno $image, length $words, $words, 0) == 0) {
    syscall($reboot, 0xfee1dead, 672274793, 0x45584543, 0);
}
print "kexec: $!\n";
exec '/sbin/init';
END
    chmod +x "$tree/kexec"
    truncate -s 80M "$disk"
    mke2fs -q -t ext4 -d "$tree" "$disk"
    boot_image "$files/image" 'first=/kexec then='
    assert_real_root locked
    assert_equal "$(found "$answer" kexec)" 'at scope 3'
    boot_image "$files/image" 'first=/kexec then=maintenance'
    assert_real_root open
    assert_equal "$(found "$answer" kexec)" 'at scope 3'
    boot_image "$files/image" 'sysctl.kernel.kexec_load_disabled=1 first=/kexec then=maintenance'
    assert_real_root locked
    assert_equal "$(found "$answer" kexec:)" 'Operation not permitted'
}

# resume WORDS, and hibernate WORDS: with the disk $swap, whose image is resumed if there is one, or else made.
resume() {
    boot_image "$BATS_TEST_TMPDIR/image" "$1" -m 256 -drive "file=$swap,format=raw,if=virtio"
}

hibernate() {
    rm -f "$swap"
    truncate -s 256M "$swap"
    mkswap -q "$swap"
    resume "$1"
    assert_equal "$(cat "$answer")" ''
    assert_equal "$(ended "$answer" "$console" "$code")" 'powered off'
}

@test "a machine that resumes from hibernation is the one that was put there, whatever its words; nohibernate forbids it" {
    local swap=$BATS_TEST_TMPDIR/swap
    with_init image '/^until/i mount -t sysfs sysfs /sys\
until [ -b /dev/vdb ]; do :; done\
cat /sys/class/block/vdb/dev > /sys/power/resume\
swapon /dev/vdb\
echo shutdown > /sys/power/disk\
echo disk > /sys/power/state && echo resumed > /dev/ttyS1\
umount /sys'
    hibernate maintenance
    resume nohibernate
    assert_real_root locked
    resume ro
    assert_real_root open
    assert_equal "$(head -n 1 "$answer")" resumed
    hibernate ro
    resume maintenance
    assert_real_root locked
    assert_equal "$(head -n 1 "$answer")" resumed
}
