#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# noptrace-image check: images that are broken on purpose, each in one way, and good ones of every kind, which
# boot as well. The broken ones are made from real images, unpacked.

# run --separate-stderr sets stderr; each test is a subshell, and sets what it uses.
# shellcheck disable=SC2154,SC2030,SC2031

# shellcheck source=tests/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

setup_file() {
    export images=$BATS_FILE_TMPDIR flavour
    bake "$bookworm" "$images/systemd" "${systemd_flavour[@]}" 'noptrace_on_failure=emergency' > "$images/log" &
    bake "$bookworm" "$images/shell" "${shell_flavour[@]}" > "$images/log.shell"
    wait $!
    for flavour in systemd shell; do
        mkdir "$images/$flavour.tree"
        cpio --quiet -i -d -D "$images/$flavour.tree" < "$images/$flavour"
    done
    handmade "$images/handmade.tree" "$bookworm" "$program"
    pack "$images/handmade.tree" "$images/handmade"
}

setup() {
    config=$(echo "$bookworm"/boot/config-*)
    image=$BATS_TEST_TMPDIR/image
    units=usr/lib/systemd/system
    unit=noptrace-initramfs.service
}

# tree_of FLAVOUR: a copy of that image's files to break, in $tree.
tree_of() {
    tree=$BATS_TEST_TMPDIR/tree
    rm -rf "$tree"
    variant_of "$images/$1.tree" "$tree"
}

check() {
    run --separate-stderr "$top/build/noptrace-image" check --kernel-config "$config" "$@"
}

check_tree() {
    pack "$tree" "$image"
    check "$@" "$image"
}

# assert_fails POINT TEXT: of all points this one alone fails, with this text, and the exit code is 1.
assert_fails() {
    assert_failure 1
    assert_line "$image: FAIL"
    assert_line "  FAIL  $(printf %-12s "$1")  $2"
    assert_equal "$(grep -c '^  FAIL' <<< "$output")" 1
    assert_equal "$stderr" "noptrace-image: $image: fails: $1"
}

assert_point() {
    assert_line "  $(printf %-4s "$1")  $(printf %-12s "$2")  $3"
}

@test "the kernel's command line is read as the kernel does" {
    local want line got
    # shellcheck source=src/image/check.bash
    source "$top/src/image/check.bash"
    while IFS=$'\t' read -r want line; do
        printf -v line %b "$line"
        got=n
        ! parameters "$line" | grep -qx maintenance || got=Y
        assert_equal "$got $line" "$want $line"
    done < <(grep -v '^#' "$BATS_TEST_DIRNAME/command-lines")
    assert_equal "$(value 'lsm=a x="lsm=b" lsm="c d" -- lsm=e' lsm)" 'c d'
}

@test "a good image of dracut with systemd passes in every point" {
    check "$images/systemd"
    assert_success
    assert_equal "$stderr" ''
    assert_output - << END
$images/systemd: ok
  ok    image         dracut, systemd
  ok    program       /usr/sbin/noptrace
  ok    executable    mode 755
  ok    static        needs no loader and no library
  ok    architecture  x86_64, as /bin/sh
  ok    runs          $("$program" --version)
  ok    wired         by the unit noptrace-initramfs.service
  ok    order         in sysinit.target, before the pivot
  ok    masks         no mask, and every link leads to the unit
  ok    policy        emergency: a boot that could not lock is stopped
  ok    yama          $config has it
  n/a   lsm           no command line is built in, and none is given with --cmdline
  ok    maintenance   no command line is built in
  ok    sysctl        /usr/lib/sysctl.d/zz-noptrace.conf leaves a locked machine alone
END
}

@test "an image that dracut was told to omit the module from fails, with what to do" {
    bake "$bookworm" "$image" "${systemd_flavour[@]}" 'omit_dracutmodules+=" noptrace "' > /dev/null
    check "$image"
    assert_failure 1
    assert_point FAIL program '/usr/sbin/noptrace: not in the image; build it with dracut --add noptrace, and let no omit_dracutmodules name it'
    assert_point FAIL wired 'nothing calls the program; build it with dracut --add noptrace, and let no omit_dracutmodules name it'
    assert_equal "$stderr" "noptrace-image: $image: fails: program, wired"
}

@test "a program that is cut short fails" {
    tree_of systemd
    rm "$tree/usr/sbin/noptrace"
    head -c 4000 "$program" > "$tree/usr/sbin/noptrace"
    chmod 755 "$tree/usr/sbin/noptrace"
    check_tree
    assert_failure 1
    assert_line --regexp '^  FAIL  static        /usr/sbin/noptrace: cut short, 4000 bytes of [0-9]+; install noptrace again$'
    assert_line --regexp '^  FAIL  runs  '
}

@test "a program that is empty fails" {
    tree_of shell
    rm "$tree/usr/sbin/noptrace"
    install -m 755 /dev/null "$tree/usr/sbin/noptrace"
    check_tree
    assert_failure 1
    assert_point FAIL static '/usr/sbin/noptrace: not an ELF program, or cut short; install noptrace again'
}

@test "a dynamic program fails" {
    tree_of shell
    rm "$tree/usr/sbin/noptrace"
    echo 'int puts(const char *); int main(void) { puts("noptrace 1"); return 0; }' > "$BATS_TEST_TMPDIR/main.c"
    gcc -o "$tree/usr/sbin/noptrace" "$BATS_TEST_TMPDIR/main.c"
    check_tree
    assert_fails static "/usr/sbin/noptrace: needs a loader that an initramfs may lack; build it with 'make'"
}

@test "a program of another architecture fails" {
    tree_of shell
    # the number of the machine in its header, made AArch64's
    sed 's/^\(\x7fELF.\{14\}\)\x3e\x00/\1\xb7\x00/' "$program" > "$BATS_TEST_TMPDIR/foreign"
    rm "$tree/usr/sbin/noptrace"
    install -m 755 "$BATS_TEST_TMPDIR/foreign" "$tree/usr/sbin/noptrace"
    check_tree
    assert_failure 1
    assert_point FAIL architecture '/usr/sbin/noptrace: for aarch64, and /bin/sh is for x86_64; install noptrace for x86_64'
}

@test "a program that is not executable fails" {
    tree_of systemd
    rm "$tree/usr/sbin/noptrace"
    install -m 644 "$program" "$tree/usr/sbin/noptrace"
    check_tree
    assert_failure 1
    assert_point FAIL executable '/usr/sbin/noptrace: mode 644; make it 755 before the image is built'
}

@test "another program in its place fails" {
    tree_of shell
    rm "$tree/usr/sbin/noptrace"
    cp "$bookworm/bin/busybox" "$tree/usr/sbin/noptrace"
    check_tree
    assert_failure 1
    assert_line --regexp '^  FAIL  runs  .*it is not noptrace, or broken'
}

@test "a hook and a unit in one image fail" {
    tree_of systemd
    install -D -m 755 "$top/hooks/dracut/noptrace.sh" "$tree/usr/lib/dracut/hooks/cmdline/00-noptrace.sh"
    check_tree
    assert_fails wired "more than once: the unit noptrace-initramfs.service,dracut's hook cmdline/00-noptrace.sh; build the image anew with one"
}

@test "a hook in a systemd image, and a unit in a shell image, do not run and fail" {
    tree_of systemd
    rm "$tree/$units/$unit" "$tree/$units"/*.{wants,requires}/"$unit"
    install -D -m 755 "$top/hooks/dracut/noptrace.sh" "$tree/usr/lib/dracut/hooks/cmdline/00-noptrace.sh"
    check_tree
    assert_fails wired "by dracut's hook cmdline/00-noptrace.sh, which does not run where init is systemd; build the image anew"
    tree_of shell
    rm "$tree/usr/lib/dracut/hooks/cmdline/00-noptrace.sh"
    install -D -m 644 "$top/hooks/dracut/$unit" "$tree/$units/$unit"
    check_tree
    assert_fails wired 'by the unit noptrace-initramfs.service, which does not run where init is dracut; build the image anew'
}

@test "a hook that is empty calls nothing, and fails" {
    tree_of shell
    rm "$tree/usr/lib/dracut/hooks/cmdline/00-noptrace.sh"
    touch "$tree/usr/lib/dracut/hooks/cmdline/00-noptrace.sh"
    check_tree
    assert_fails wired 'nothing calls the program; build it with dracut --add noptrace, and let no omit_dracutmodules name it'
}

@test "a hook that runs earlier and exits fails, one that does not is a warning" {
    tree_of shell
    echo 'exit 0' > "$tree/usr/lib/dracut/hooks/cmdline/00-aaa.sh"
    check_tree
    assert_fails order 'the hook 00-aaa.sh runs before it, and its exit would skip it; rename that'
    echo ': nothing' > "$tree/usr/lib/dracut/hooks/cmdline/00-aaa.sh"
    check_tree
    assert_success
    assert_point warn order 'the hook 00-aaa.sh runs before it; rename that'
    echo 'exit 0' > "$tree/usr/lib/dracut/hooks/cmdline/00-bbb.sh"
    check_tree
    assert_fails order 'the hook 00-bbb.sh runs before it, and its exit would skip it; rename that'
}

@test "a link that leads nowhere fails" {
    tree_of systemd
    ln -sf ../nowhere.service "$tree/$units/sysinit.target.wants/$unit"
    check_tree
    assert_fails masks "/$units/sysinit.target.wants/$unit leads nowhere; build the image anew"
}

@test "a masked unit fails" {
    tree_of systemd
    mkdir -p "$tree/etc/systemd/system"
    ln -s /dev/null "$tree/etc/systemd/system/$unit"
    check_tree
    assert_failure 1
    assert_point FAIL masks "/etc/systemd/system/$unit masks the unit, or leads nowhere; remove it"
}

@test "a unit that nothing starts, that is told to be late, or told to do something else fails" {
    tree_of systemd
    rm "$tree/$units/sysinit.target.wants/$unit"
    check_tree
    assert_fails order "no sysinit.target.wants/$unit: nothing starts it; build the image anew"

    local line
    for line in 'After=network.target' 'ConditionPathExists=/nowhere' 'ExecStart=' 'DefaultDependencies=yes'; do
        tree_of systemd
        mkdir -p "$tree/etc/systemd/system/$unit.d"
        printf '[Unit]\n%s\n' "$line" > "$tree/etc/systemd/system/$unit.d/10-late.conf"
        check_tree
        assert_fails order "$unit has $line, and need not run in time; remove that"
    done
    # one for all services
    mkdir -p "$tree/$units/service.d"
    mv "$tree/etc/systemd/system/$unit.d/10-late.conf" "$tree/$units/service.d"
    check_tree
    assert_fails order "$unit has $line, and need not run in time; remove that"

    tree_of systemd
    sed '/^ExecStart/d' "$images/systemd.tree/$units/$unit" > "$BATS_TEST_TMPDIR/unit"
    rm "$tree/$units/$unit"
    cp "$BATS_TEST_TMPDIR/unit" "$tree/$units/$unit"
    check_tree
    assert_fails order "$unit is not noptrace's: it need not lock before the pivot; install noptrace again"
}

@test "a failure policy that is broken fails" {
    tree_of systemd
    rm "$tree/$units/initrd-switch-root.service.requires/$unit"
    check_tree
    assert_fails policy 'emergency, but initrd-switch-root.service does not require the unit; build the image anew'
    tree_of systemd
    rm "$tree/$units/emergency.service"
    check_tree
    assert_fails policy 'emergency, but there is no emergency.service: the boot would hang; build the image anew'
    tree_of shell
    rm "$tree/usr/lib/noptrace/on-failure.sh"
    check_tree
    assert_fails policy 'not one of continue, emergency, poweroff, reboot; build the image anew'
}

@test "a kernel without Yama, or whose own list leaves it out, fails" {
    image=$images/handmade
    config=$BATS_TEST_TMPDIR/config
    echo '# CONFIG_SECURITY_YAMA is not set' > "$config"
    check "$image"
    assert_fails yama "$config: no CONFIG_SECURITY_YAMA=y: this kernel cannot lock; use another"
    printf '%s\n' CONFIG_SECURITY_YAMA=y 'CONFIG_LSM="landlock,lockdown"' > "$config"
    check "$image"
    assert_fails yama "$config: CONFIG_LSM leaves yama out; boot with an lsm= that has it, or use another kernel"
    check --cmdline 'quiet lsm=lockdown,yama' "$image"
    assert_success
    assert_point ok yama "$config has it, and lsm= names it"
}

@test "without a kernel configuration check cannot tell, 3" {
    run --separate-stderr "$top/build/noptrace-image" check "$images/handmade"
    assert_failure 3
    assert_line "$images/handmade: cannot tell"
    assert_point n/a yama 'cannot tell: no kernel configuration is at hand; give --kernel-config'
    assert_equal "$stderr" "noptrace-image: $images/handmade: cannot tell: yama"
}

@test "the kernel configuration is found beside the image, and may be compressed" {
    cp "$images/handmade" "$image"
    gzip < "$config" > "$BATS_TEST_TMPDIR/${config##*/}"
    run "$top/build/noptrace-image" check "$image"
    assert_success
    assert_point ok yama "$BATS_TEST_TMPDIR/${config##*/} has it"
}

@test "what the command line says is found wherever it is built in" {
    image=$images/handmade
    check --cmdline 'root=/dev/vda maintenance' "$image"
    assert_fails maintenance '--cmdline: has the word maintenance: each boot would be open; take it out'
    check --cmdline 'x="a maintenance b" rd.maintenance maintenance=1 -- maintenance' "$image"
    assert_success
    check --cmdline 'lsm=landlock,lockdown' "$image"
    assert_fails lsm '--cmdline: lsm=landlock,lockdown leaves yama out; add it'
    check --cmdline 'lsm=lockdown lsm=yama,lockdown' "$image"
    assert_success
    check --cmdline 'sysctl.kernel.yama.ptrace_scope=3' "$image"
    assert_fails sysctl '--cmdline: sysctl.kernel.yama.ptrace_scope=3 locks maintenance boots as well; take it out'

    check --cmdline 'rdinit=/bin/sh' "$image"
    assert_fails masks '--cmdline: rdinit=/bin/sh keeps it from running; take that out'

    cp "$config" "$BATS_TEST_TMPDIR/config"
    config=$BATS_TEST_TMPDIR/config
    sed -i '/^CONFIG_CMDLINE/d' "$config"
    echo 'CONFIG_CMDLINE="quiet foo=\"a b\" maintenance"' >> "$config"
    check "$image"
    assert_fails maintenance "CONFIG_CMDLINE of $config: has the word maintenance: each boot would be open; take it out"

    image=$images/systemd
    check --cmdline "systemd.mask=$unit" "$image"
    assert_failure 1
    assert_point FAIL masks "--cmdline: systemd.mask=$unit keeps it from running; take that out"
}

@test "the word in etc/cmdline.d, which the kernel does not read, is a warning" {
    tree_of shell
    mkdir -p "$tree/etc/cmdline.d"
    echo maintenance > "$tree/etc/cmdline.d/10-open.conf"
    check_tree
    assert_success
    assert_point warn maintenance '/etc/cmdline.d/10-open.conf: has the word maintenance, which dracut reads and the kernel does not: it opens nothing; remove it'
}

@test "a sysctl.d file that locks maintenance boots fails, one that systemd-sysctl will fail on is a warning" {
    tree_of systemd
    mkdir -p "$tree/etc/sysctl.d"
    echo 'kernel.yama.ptrace_scope = 3' > "$tree/etc/sysctl.d/zzz.conf"
    check_tree
    assert_fails sysctl '/etc/sysctl.d/zzz.conf: sets the scope to 3 in maintenance boots as well; remove that, or let zz-noptrace.conf come after it'
    echo 'kernel/yama/ptrace_scope=1' > "$tree/etc/sysctl.d/zzz.conf"
    check_tree
    assert_success
    assert_point warn sysctl '/etc/sysctl.d/zzz.conf: sets the scope to 1: systemd-sysctl fails in a locked boot; write -kernel.yama.ptrace_scope, or install zz-noptrace.conf'
    # a file of the same name in /etc replaces that of /usr
    ln -s /dev/null "$tree/etc/sysctl.d/zz-noptrace.conf"
    mv "$tree/etc/sysctl.d/zzz.conf" "$tree/etc/sysctl.d/10-ptrace.conf"
    check_tree
    assert_line --regexp '^  warn  sysctl +/etc/sysctl.d/10-ptrace.conf: '
}

@test "of several archives the last one wins, as it does in the kernel" {
    # a second one that overwrites the program, plain behind compressed, and compressed behind plain
    mkdir -p "$BATS_TEST_TMPDIR/later/usr/sbin"
    printf '#!/bin/sh\nexit 0\n' > "$BATS_TEST_TMPDIR/later/usr/sbin/noptrace"
    chmod 755 "$BATS_TEST_TMPDIR/later/usr/sbin/noptrace"
    pack "$BATS_TEST_TMPDIR/later" "$BATS_TEST_TMPDIR/later.cpio"
    local command
    for command in cat 'gzip -n' 'xz --check=crc32' zstd 'lz4 -l' lzop bzip2; do
        $command < "$images/handmade" > "$image"
        truncate -s %4096 "$image"
        check "$image"
        assert_success
        cat "$BATS_TEST_TMPDIR/later.cpio" >> "$image"
        check "$image"
        assert_failure 1
        assert_point FAIL static '/usr/sbin/noptrace: not an ELF program, or cut short; install noptrace again'
        { cat "$images/handmade" && $command < "$BATS_TEST_TMPDIR/later.cpio"; } > "$image"
        check "$image"
        assert_failure 1
    done
    # boot agrees
    run "$top/build/noptrace-image" boot --kernel "$(kernel_of "$bookworm")" "$image"
    assert_failure 1
    # and the other way round
    cat "$BATS_TEST_TMPDIR/later.cpio" "$images/handmade" > "$image"
    assert_locks "$image" "$bookworm"
}

@test "a link in one archive does not let the next write outside of the image" {
    mkdir -p "$BATS_TEST_TMPDIR"/{outside,first/usr,second/usr/sbin}
    ln -s "$BATS_TEST_TMPDIR/outside" "$BATS_TEST_TMPDIR/first/usr/sbin"
    echo > "$BATS_TEST_TMPDIR/second/usr/sbin/noptrace"
    pack "$BATS_TEST_TMPDIR/first" "$BATS_TEST_TMPDIR/1"
    (cd "$BATS_TEST_TMPDIR/second" && echo usr/sbin/noptrace | cpio --quiet -o -H newc) > "$BATS_TEST_TMPDIR/2"
    cat "$BATS_TEST_TMPDIR"/{1,2} > "$image"
    check "$image"
    assert_failure
    assert_equal "$(ls "$BATS_TEST_TMPDIR/outside")" ''
}

@test "an image that cannot be read is said to be, 2" {
    : > "$image"
    check "$image"
    assert_failure 2
    assert_line "$image: unreadable"
    assert_point FAIL image 'an empty file'
    assert_equal "$stderr" "noptrace-image: $image: unreadable: an empty file"

    head -c 100000 "$images/handmade" > "$image"
    check "$image"
    assert_failure 2
    assert_point FAIL image 'byte 0: not a whole cpio archive: cpio: premature end of file'

    gzip < "$images/handmade" | head -c 100000 > "$image"
    check "$image"
    assert_failure 2
    assert_point FAIL image 'byte 0: gzip cannot decompress it: gzip: stdin: unexpected end of file'

    { cat "$images/handmade" && echo something; } > "$image"
    check "$image"
    assert_failure 2
    assert_line --regexp '^  FAIL  image +byte [0-9]+: neither a cpio archive \(newc\) nor gzip, xz, zstd, lz4 \(legacy\), lzop or bzip2$'

    { cat "$images/handmade" && printf 'key = value\n\0\0\0\0\0\0\0\0#BOOTCONFIG\n'; } > "$image"
    check "$image"
    assert_failure 2
    assert_point FAIL image 'a boot configuration is attached (#BOOTCONFIG), which may add kernel parameters; check it without'

    printf MZ > "$image"
    check "$image"
    assert_failure 2
    assert_equal "$stderr" "noptrace-image: $image: unreadable: byte 0: neither a cpio archive (newc) nor gzip, xz, zstd, lz4 (legacy), lzop or bzip2"

    check "$(kernel_of "$bookworm")"
    assert_failure 2
    assert_point FAIL image 'a PE file without .linux and .initrd: a kernel, or a UKI without an initramfs'
}

# assert_refused MESSAGE ARGUMENT…: one line on stderr, nothing on stdout, and 2.
assert_refused() {
    run --separate-stderr "$top/build/noptrace-image" check "${@:2}"
    assert_failure 2
    assert_output ''
    assert_equal "$stderr" "noptrace-image: $1"
}

@test "bad input gets one line, and 2" {
    assert_refused "check needs an IMAGE; see 'noptrace-image --help'"
    assert_refused '/nonexistent: cannot be read as a file' "$images/handmade" /nonexistent
    assert_refused "$images: cannot be read as a file" "$images"
    assert_refused "--timeout: not an option of check; see 'noptrace-image --help'" --timeout 3 "$images/handmade"
    assert_refused '/nonexistent: cannot be read as a file' --kernel-config /nonexistent "$images/handmade"
    assert_refused '/nonexistent/report: cannot be written' --junit /nonexistent/report "$images/handmade"
}

@test "of several images the most serious decides the exit code" {
    tree_of handmade
    rm "$tree/usr/sbin/noptrace"
    check_tree "$images/systemd" "$images/handmade"
    assert_failure 1
    assert_line "$images/systemd: ok"
    assert_line "$images/handmade: ok"
    assert_line "$image: FAIL"
    : > "$BATS_TEST_TMPDIR/empty"
    check "$image" "$BATS_TEST_TMPDIR/empty" "$images/handmade"
    assert_failure 2
}

@test "images of every compression, with microcode in front, pass and boot" {
    mkdir -p "$BATS_TEST_TMPDIR/early/kernel/x86/microcode"
    echo microcode > "$BATS_TEST_TMPDIR/early/kernel/x86/microcode/GenuineIntel.bin"
    pack "$BATS_TEST_TMPDIR/early" "$BATS_TEST_TMPDIR/early.cpio"
    local command
    for command in cat 'gzip -n' 'xz --check=crc32' zstd 'lz4 -l' lzop bzip2; do
        { cat "$BATS_TEST_TMPDIR/early.cpio" && $command < "$images/handmade"; } > "$image"
        assert_locks "$image" "$bookworm"
    done
}

@test "dracut's own images of every compression pass" {
    local compress
    for compress in gzip xz zstd lz4 lzo bzip2; do
        bake "$bookworm" "$image.$compress" "${shell_flavour[@]}" "compress=$compress" > /dev/null &
        [[ $compress != xz && $compress != lz4 ]] || wait
    done
    wait
    for compress in gzip xz zstd lz4 lzo bzip2; do
        image=$BATS_TEST_TMPDIR/image.$compress
        check "$image"
        assert_success
        assert_line "$image: ok"
        assert [ "$(stat -c %s "$image")" -lt "$(stat -c %s "$images/shell")" ]
    done
    # the last of them, for all: what they hold is the same
    assert_locks "$image" "$bookworm"
}

@test "dracut's squash image passes and boots" {
    bake "$bookworm" "$image" "${systemd_flavour[@]}" 'add_dracutmodules+=" squash "' > "$BATS_TEST_TMPDIR/log"
    cpio --quiet -t < "$image" | grep -qx squash-root.img
    assert_locks "$image" "$bookworm"
}

@test "a UKI of dracut's own passes, and boots without --kernel" {
    bake "$bookworm" "$image" "${shell_flavour[@]}" 'uefi=yes' 'kernel_cmdline="quiet"' > "$BATS_TEST_TMPDIR/log"
    assert_locks_uki
    check "$image"
    assert_point ok image 'UKI: dracut, shell'
    assert_point ok maintenance 'the word is in no command line that is built in for normal boots'
}

# assert_locks_uki: as assert_locks does, with the kernel that is in it.
assert_locks_uki() {
    check "$image"
    assert_success
    assert_line "$image: ok"
    run "$top/build/noptrace-image" boot "$image"
    assert_success
    assert_line --regexp '^outcome +locked +open$'
}

# make_uki IMAGE OPTION…: with Debian 13's ukify, of its kernel and the hand-made image.
make_uki() {
    local inside=/var/tmp/${1##*/}
    cp "$images/handmade.trixie" "$trixie/var/tmp/initrd"
    chroot "$trixie" ukify build --output "$inside" "${@:2}" > /dev/null
    mv "$trixie$inside" "$1"
}

# profile ID LINE: a profile to join, as $trixie's /var/tmp/ID.efi.
make_profile() {
    chroot "$trixie" ukify build --output "/var/tmp/$1.efi" --profile "ID=$1" --cmdline "$2" > /dev/null
}

@test "a UKI whose maintenance profile alone has the word passes, and its profile boots open" {
    local kernel
    handmade "$BATS_TEST_TMPDIR/handmade" "$trixie" "$program"
    pack "$BATS_TEST_TMPDIR/handmade" "$images/handmade.trixie"
    config=$(echo "$trixie"/boot/config-*)
    kernel=$(kernel_of "$trixie")
    local -a parts=(--linux "${kernel#"$trixie"}" --initrd /var/tmp/initrd --cmdline 'quiet x=1')

    make_uki "$image" "${parts[@]}"
    assert_locks_uki
    check "$image"
    assert_point ok image 'UKI: hand-made'

    make_uki "$image" "${parts[@]:0:4}" --cmdline 'quiet maintenance'
    check "$image"
    assert_fails maintenance '.cmdline: has the word maintenance: each boot would be open; take it out'
    run "$top/build/noptrace-image" boot "$image"
    assert_failure 1

    make_profile maintenance 'quiet x=2 maintenance'
    make_uki "$image" "${parts[@]}" --profile ID=main --join-profile /var/tmp/maintenance.efi
    assert_locks_uki

    make_profile rescue 'quiet maintenance'
    make_uki "$image" "${parts[@]}" --profile ID=main --join-profile /var/tmp/rescue.efi
    check "$image"
    assert_fails maintenance 'profile rescue: has the word maintenance: each boot would be open; take it out'

    make_profile maintenance 'quiet maintenance=1'
    make_uki "$image" "${parts[@]}" --profile ID=main --join-profile /var/tmp/maintenance.efi
    check "$image"
    assert_fails maintenance 'profile maintenance: lacks the word maintenance, and would lock; add it'
    run "$top/build/noptrace-image" boot "$image"
    assert_failure 1
    assert_line --regexp '^outcome +locked +locked$'
    rm "$trixie"/var/tmp/{initrd,maintenance.efi,rescue.efi}
}
