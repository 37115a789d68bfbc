#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Builds of an image that could not lock: each ends with one line that says why, and leaves no image.

# Each test is a subshell, and sets what it uses; scripts that it writes name their own variables.
# shellcheck disable=SC2030,SC2031,SC2016

# shellcheck source=tests/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

setup() {
    root=$BATS_TEST_TMPDIR/root image=$BATS_TEST_TMPDIR/image
}

teardown() {
    rm -rf "$root"
}

# assert_no_image TEXT [DRACUT.CONF-LINE]: neither generator makes an image of $root, and both say the same.
assert_no_image() {
    run bake "$root" "$image" "${systemd_flavour[@]}" "${@:2}"
    assert_failure
    assert_line --partial "noptrace: $1"
    assert [ ! -e "$image" ]
    run bake_with_mkinitramfs "$image" noptrace_on_failure=continue "$root"
    assert_failure
    assert_line "noptrace: $1"
    assert [ ! -s "$image" ]
    rm -f "$image"
}

# with_program FILE: the root with another program in noptrace's place.
with_program() {
    rm -rf "$root"
    variant_of "$bookworm" "$root"
    install -m 755 "$1" "$root/usr/sbin/noptrace"
}

@test "no program, or one that is not executable: no image" {
    variant_of "$bookworm" "$root"
    rm "$root/usr/sbin/noptrace"
    assert_no_image '/usr/sbin/noptrace: no such program; install noptrace'
    install -m 644 "$program" "$root/usr/sbin/noptrace"
    assert_no_image '/usr/sbin/noptrace: not executable; install noptrace again'
}

@test "a program that needs a loader, a script, and an empty file: no image" {
    with_program "$bookworm/usr/bin/true"
    assert_no_image "/usr/sbin/noptrace: needs a loader, which an initramfs may lack; build it static, with 'make'"
    printf '#!/bin/sh\nexit 0\n' > "$BATS_TEST_TMPDIR/script"
    with_program "$BATS_TEST_TMPDIR/script"
    assert_no_image '/usr/sbin/noptrace: not an ELF program, or cut short; install noptrace again'
    gcc -shared -Wl,-e,f -o "$BATS_TEST_TMPDIR/library" -x c - <<< 'int f(void) { return 0; }'
    with_program "$BATS_TEST_TMPDIR/library"
    assert_no_image "/usr/sbin/noptrace: needs a loader, which an initramfs may lack; build it static, with 'make'"
    with_program /dev/null
    assert_no_image '/usr/sbin/noptrace: not an ELF program, or cut short; install noptrace again'
}

@test "a program that is cut short, be it by a byte: no image" {
    head -c -1 "$program" > "$BATS_TEST_TMPDIR/cut"
    with_program "$BATS_TEST_TMPDIR/cut"
    assert_no_image '/usr/sbin/noptrace: cut short; install noptrace again'
    head -c 4000 "$program" > "$BATS_TEST_TMPDIR/cut"
    with_program "$BATS_TEST_TMPDIR/cut"
    assert_no_image '/usr/sbin/noptrace: cut short; install noptrace again'
}

@test "a program of another architecture: no image" {
    # e_machine: aarch64
    cp "$program" "$BATS_TEST_TMPDIR/foreign"
    printf '\267' | dd of="$BATS_TEST_TMPDIR/foreign" bs=1 seek=18 conv=notrunc status=none
    with_program "$BATS_TEST_TMPDIR/foreign"
    assert_no_image '/usr/sbin/noptrace: for aarch64, and /bin/sh is for x86_64; install noptrace for that'
}

@test "no judge: no image" {
    variant_of "$bookworm" "$root"
    rm "$root/usr/libexec/noptrace/noptrace-judge"
    assert_no_image '/usr/libexec/noptrace/noptrace-judge: cannot be run; install noptrace'
}

# with_config SED-SCRIPT: the root whose kernel was configured otherwise. Leaves the configuration's name in $config.
with_config() {
    rm -rf "$root"
    variant_of "$bookworm" "$root"
    config=$(cd "$root" && ls boot/config-*)
    sed "$1" "$bookworm/$config" > "$BATS_TEST_TMPDIR/config"
    install -m 644 "$BATS_TEST_TMPDIR/config" "$root/$config"
    config=/$config
}

@test "a kernel that was built without Yama, or does not start it: no image" {
    with_config 's/^CONFIG_SECURITY_YAMA=y/# CONFIG_SECURITY_YAMA is not set/'
    assert_no_image "$config: no CONFIG_SECURITY_YAMA, so it cannot lock; use another kernel"
    # SLE 15's
    with_config 's/^CONFIG_LSM=.*/CONFIG_LSM="integrity,apparmor,selinux,bpf"/'
    assert_no_image "$config: CONFIG_LSM leaves yama out, so it cannot lock; name yama in an lsm= that is built in, or use another kernel"
    with_config 's/^CONFIG_CMDLINE_BOOL.*/CONFIG_CMDLINE="quiet \\"x\\" lsm=landlock"/; s/^# CONFIG_CMDLINE_BOOL.*/CONFIG_CMDLINE="quiet lsm=landlock"/'
    assert_no_image "$config: its lsm= leaves yama out, so it cannot lock; add yama there"
}

@test "a command line that goes into the image decides about Yama, as the kernel reads it" {
    with_config 's/^CONFIG_LSM=.*/CONFIG_LSM="integrity,bpf"/'
    local -a uki=("${shell_flavour[@]}" uefi=yes)
    run bake "$root" "$image" "${uki[@]}" 'kernel_cmdline="quiet lsm=integrity,yama maintenance=1"'
    assert_success
    refute_line --partial 'has the word'
    # as a second UKI is to have it
    run bake "$root" "$image" "${uki[@]}" 'kernel_cmdline="quiet lsm=integrity,yama maintenance"'
    assert_success
    assert_line --partial 'noptrace: the command line of this UKI has the word maintenance: it never locks'
    rm "$image"
    # not a UKI: dracut reads that, and the kernel does not
    run bake "$root" "$image" "${shell_flavour[@]}" 'kernel_cmdline="quiet lsm=integrity,yama"'
    assert_failure
    assert_line --partial 'CONFIG_LSM leaves yama out'
    # the last one counts, and what is behind a -- does not
    run bake "$root" "$image" "${uki[@]}" 'kernel_cmdline="lsm=yama lsm=bpf -- lsm=yama"'
    assert_failure
    assert_line --partial 'its lsm= leaves yama out'
    assert [ ! -e "$image" ]
}

# judged BUILT-IN OPTION LINE: a kernel whose CONFIG_LSM lacks yama, with that CONFIG_CMDLINE, booted with LINE.
judged() {
    printf '%s\n' CONFIG_SECURITY_YAMA=y 'CONFIG_LSM="bpf"' "CONFIG_CMDLINE=\"$1\"" "$2" > "$BATS_TEST_TMPDIR/config"
    run "$top/build/noptrace-judge" kernel "$BATS_TEST_TMPDIR/config" "$3"
}

# bats test_tags=direct
@test "a command line that the kernel has built in counts as its configuration says" {
    judged lsm=yama '' ''
    assert_success
    judged lsm=yama '' lsm=bpf
    assert_failure 1
    judged lsm=bpf '' lsm=yama
    assert_success
    judged quiet CONFIG_CMDLINE_OVERRIDE=y lsm=yama
    assert_failure 1
    judged lsm=yama CONFIG_CMDLINE_FORCE=y lsm=bpf
    assert_success
    judged lsm=yama CONFIG_CMDLINE_FROM_BOOTLOADER=y ''
    assert_failure 1
    judged lsm=yama CONFIG_CMDLINE_EXTEND=y lsm=bpf
    assert_success
}

# judge WANT TEXT ARGUMENT…: noptrace-judge ends with WANT, and says this.
judge() {
    run --separate-stderr "$top/build/noptrace-judge" "${@:3}"
    assert_equal "${*:3}: $status $output" "${*:3}: $1 $2"
}

# bats test_tags=direct
@test "the judge says of each file what is wrong with it, in one line, and of what cannot be judged that, 2" {
    local none='no such program; install noptrace' path
    mkdir -p "$root/lib/modules/v/build"
    cd "$root"
    ln -s loop loop
    cp "$program" foreign
    printf '\267' | dd of=foreign bs=1 seek=18 conv=notrunc status=none
    echo text > text
    truncate -s 4M large
    for path in nothing text/x . /dev/null; do
        judge 1 "$none" program "$path" "$program"
    done
    mkfifo fifo
    run timeout 10 "$top/build/noptrace-judge" program fifo "$program"
    assert_failure 1
    assert_output "$none"
    # with stdin closed what it opens is descriptor 0
    # shellcheck disable=SC2016 # the inner shell's
    run bash -c 'exec "$0" program "$1" "$1" <&-' "$top/build/noptrace-judge" "$program"
    assert_success
    # in the words of musl, or glibc
    run "$top/build/noptrace-judge" program loop "$program"
    assert_failure 2
    assert_output --regexp '^(Symbolic link loop|Too many levels of symbolic links)$'
    : > empty
    chmod +x empty
    judge 1 'not an ELF program, or cut short; install noptrace again' program empty "$program"
    judge 1 'not executable; install noptrace again' program text "$program"
    cp "$program" mode
    for path in 4755 2755; do
        chmod "$path" mode
        judge 1 'not of mode 755: it would run as somebody else; install noptrace again' program mode "$program"
    done
    for path in 100 010 001; do
        chmod "$path" mode
        judge 0 '' program mode "$program"
    done
    chmod 666 mode
    judge 1 'not executable; install noptrace again' program mode "$program"
    judge 0 '' program "$program" "$program"
    for path in nothing text . empty; do
        judge 2 "cannot be compared with $path, which is no ELF program here" program "$program" "$path"
    done
    judge 1 'for x86_64, and foreign is for aarch64; install noptrace for that' program "$program" foreign
    # of what its table of sections, or a program header, says is there, a program of either class has the last byte
    for path in '"\2\1\1" . "\0" x 9 . pack("v2 V Q<3 V v6", 2, 62, 1, 1, 64, 120, 0, 64, 56, 1, 64, 2, 0) . pack("V x28 Q< x16 x128", 1, 64)' \
        '"\2\1\1" . "\0" x 9 . pack("v2 V Q<3 V v6", 2, 62, 1, 1, 64, 0, 0, 64, 56, 1, 0, 0, 0) . pack("V x4 Q< x16 Q< x16 x128", 1, 120, 128)' \
        '"\1\1\1" . "\0" x 9 . pack("v2 V V3 V v6", 2, 3, 1, 1, 52, 84, 0, 52, 32, 1, 40, 2, 0) . pack("V x12 V x12 x80", 1, 52)' \
        '"\1\1\1" . "\0" x 9 . pack("v2 V V3 V v6", 2, 3, 1, 1, 52, 0, 0, 52, 32, 1, 0, 0, 0) . pack("V2 x8 V x12 x80", 1, 84, 80)'; do
        perl -e 'print "\x7fELF" . eval $ARGV[0]' "$path" > small
        chmod +x small
        judge 0 '' program small small
        truncate -s -1 small
        judge 1 'cut short; install noptrace again' program small small
    done

    judge 2 'No such file or directory' kernel nothing ''
    judge 2 "not a file; put the kernel's own there, or remove it" kernel . ''
    judge 2 "larger than any kernel configuration; put the kernel's own there, or remove it" kernel large ''
    judge 2 "no kernel configuration; put the kernel's own there, or remove it" kernel text ''
    judge 2 "no kernel configuration; put the kernel's own there, or remove it" kernel empty ''
    echo CONFIG_SECURITY_YAMA=y > config
    judge 0 '' kernel config 'quiet lsm=,yama'
    judge 1 'its lsm= leaves yama out, so it cannot lock; add yama there' kernel config 'lsm=,yam'
    run "$top/build/noptrace-judge" --help
    assert_success
    assert_output - << 'END'
usage: noptrace-judge program FILE LIKE   can FILE run in an initramfs, beside LIKE?
       noptrace-judge kernel CONFIG LINE  has that kernel Yama, booted with LINE?
       noptrace-judge config ROOT VERSION where is the CONFIG of a kernel below ROOT?
       noptrace-judge policy WORD         is that a failure policy?

exit 0: yes, 1: no, and stdout says why (config: nothing), 2: cannot be read, 64: usage
END

    judge 1 '' config . v
    # each place comes before the one above it
    for path in usr/src/linux-v/.config lib/modules/v/{source,build}/.config {usr/,}lib/modules/v/config boot/config-v; do
        mkdir -p "${path%/*}"
        touch "$path"
        judge 0 "./$path" config . v
    done
    # a root whose name is longer than any path
    judge 1 '' config "$(printf '%4090s' '' | tr ' ' /)" v
    # or by a byte
    judge 1 '' config ".$(printf '%4080s' '' | tr ' ' /)" vw

    judge 0 '' policy reboot
    judge 1 'not one of continue, emergency, poweroff, reboot' policy panic
    run bash -c '"$0" policy panic > /dev/full' "$top/build/noptrace-judge"
    assert_failure 2
}

# bats test_tags=direct
@test "the judge that is called otherwise says how, 64" {
    local call help
    help=$("$top/build/noptrace-judge" --help)
    assert_regex "$help" '^usage: noptrace-judge program FILE LIKE '
    for call in '' judge policy 'policy reboot now' 'program a' 'kernel a' 'config /' 'config / v w' '--help policy'; do
        # shellcheck disable=SC2086 # its arguments
        judge 64 '' $call
        assert_equal "$stderr" "$help"
    done
    run bash -c '"$0" --help > /dev/full' "$top/build/noptrace-judge"
    assert_failure 2
}

@test "a kernel without a configuration at hand: an image, since only the boot can tell" {
    variant_of "$bookworm" "$root"
    rm "$root"/boot/config-*
    run bake "$root" "$image" "${systemd_flavour[@]}"
    assert_success
}

@test "an image without a kernel's modules is not judged by the kernel that is at hand" {
    with_config 's/^CONFIG_SECURITY_YAMA=y/# CONFIG_SECURITY_YAMA is not set/'
    run bake "$root" "$image" "${systemd_flavour[@]}" no_kernel=yes
    assert_success
    assert [ -s "$image" ]
}

@test "an unknown failure policy, or a part of one: no image" {
    local policy
    for policy in panic power poweroffs 'continue ' Reboot; do
        run bake "$bookworm" "$image" "${systemd_flavour[@]}" "noptrace_on_failure=\"$policy\""
        assert_failure
        assert_line --partial "noptrace: noptrace_on_failure=$policy: not one of continue, emergency, poweroff, reboot"
        assert [ ! -e "$image" ]
        run bake_with_mkinitramfs "$image" "noptrace_on_failure=\"$policy\""
        assert_failure
        assert_line --partial "/noptrace.conf: noptrace_on_failure=$policy: not one of continue, emergency, poweroff, reboot"
        assert [ ! -s "$image" ]
        rm -f "$image"
    done
}

@test "a noptrace.conf of initramfs-tools that is no shell: no image" {
    run bake_with_mkinitramfs "$image" 'noptrace_on_failure="reboot'
    assert_failure
    assert_line --partial '/noptrace.conf: noptrace_on_failure=: not one of continue, emergency, poweroff, reboot'
    assert [ ! -s "$image" ]
}

@test "without the opt-in there is nothing of noptrace in an image" {
    bake "$bookworm" "$image" > /dev/null
    run bash -c "cpio --quiet -t < '$image' | grep noptrace"
    assert_output ''
    # whose script mkinitramfs takes by itself
    bake_with_mkinitramfs "$image" > /dev/null
    zcat "$image" > "$BATS_TEST_TMPDIR/archive"
    run bash -c "cpio --quiet -t < '$BATS_TEST_TMPDIR/archive' | grep noptrace"
    assert_output ''
}

# run_hook [ARGUMENT]: the hook of initramfs-tools in $root, as mkinitramfs runs it, for an image of which $made is what
# there is so far, and then has its scripts, too. Its /etc/initramfs-tools is $made/etc.
run_hook() {
    [[ $# -gt 0 ]] || cp -r "$root/usr/share/initramfs-tools/scripts" "$made"
    run in_root "$root" "$made" env CONFDIR=/var/tmp/etc DESTDIR=/var/tmp "version=$(ls "$root/usr/lib/modules")" \
        verbose=n "BUSYBOX=${busybox-auto}" /usr/share/initramfs-tools/hooks/noptrace "$@"
}

@test "initramfs-tools: the conf file in /usr/share counts where /etc has none, and the environment never" {
    local made=$BATS_TEST_TMPDIR/made
    variant_of "$bookworm" "$root"
    mkdir -p "$made"/{etc,conf}
    echo noptrace_on_failure=reboot > "$root/usr/share/initramfs-tools/noptrace.conf"
    # asked for what must run before it, it does nothing else
    run_hook prereqs
    assert_success
    assert_output ''
    run find "$made" -type f
    assert_output ''
    run_hook
    assert_success
    assert_equal "$(cat "$made/conf/noptrace.conf")" noptrace_on_failure=reboot
    cmp "$made/usr/sbin/noptrace" "$root/usr/sbin/noptrace"
    echo noptrace_on_failure=poweroff > "$made/etc/noptrace.conf"
    run_hook
    assert_success
    assert_equal "$(cat "$made/conf/noptrace.conf")" noptrace_on_failure=poweroff
    echo '#' > "$made/etc/noptrace.conf"
    noptrace_on_failure=reboot run_hook
    assert_failure 1
    assert_output 'noptrace: /var/tmp/etc/noptrace.conf: noptrace_on_failure=: not one of continue, emergency, poweroff, reboot'
}

@test "initramfs-tools: a conf file that ends the shell, or that a link leads to in vain, is no image without the lock" {
    local made=$BATS_TEST_TMPDIR/made end
    variant_of "$bookworm" "$root"
    mkdir -p "$made"/{etc,conf}
    for end in 'exit 0' 'exec true' 'exec echo reboot'; do
        printf '%s\n' noptrace_on_failure=reboot "$end" > "$made/etc/noptrace.conf"
        run_hook
        assert_failure 1
        assert_line 'noptrace: /var/tmp/etc/noptrace.conf: noptrace_on_failure=: not one of continue, emergency, poweroff, reboot'
    done
    # what else it says or ends with is its own business
    printf '%s\n' noptrace_on_failure=reboot 'echo word' false > "$made/etc/noptrace.conf"
    run_hook
    assert_success
    assert_output word
    assert_equal "$(cat "$made/conf/noptrace.conf")" noptrace_on_failure=reboot
    rm "$made/conf/noptrace.conf"
    ln -sf nowhere "$made/etc/noptrace.conf"
    run_hook
    assert_failure 1
    assert_output 'noptrace: /var/tmp/etc/noptrace.conf: a link that leads nowhere; mend it, or remove it'
    rm "$made/etc/noptrace.conf"
    ln -s nowhere "$root/usr/share/initramfs-tools/noptrace.conf"
    run_hook
    assert_failure 1
    assert_output 'noptrace: /usr/share/initramfs-tools/noptrace.conf: a link that leads nowhere; mend it, or remove it'
}

@test "initramfs-tools: an image that something of ours cannot be put into is not made" {
    local made=$BATS_TEST_TMPDIR/made busybox policy
    variant_of "$bookworm" "$root"
    mkdir -p "$made"/{etc,usr,conf/noptrace.conf}
    echo noptrace_on_failure=poweroff > "$made/etc/noptrace.conf"
    touch "$made/usr/sbin"
    run_hook
    assert_failure 1
    assert_line 'noptrace: /usr/sbin/noptrace: cannot be put into the image'
    rm "$made/usr/sbin"
    run_hook
    assert_failure 1
    assert_line 'noptrace: /var/tmp/etc/noptrace.conf: cannot be put into the image as /conf/noptrace.conf'
    rmdir "$made/conf/noptrace.conf"
    mv "$root/usr/share/initramfs-tools/scripts/init-top/00-noptrace" "$BATS_TEST_TMPDIR"
    run_hook
    assert_failure 1
    assert_output 'noptrace: /usr/share/initramfs-tools/scripts/init-top/00-noptrace: no such script; install noptrace again'
    mv "$BATS_TEST_TMPDIR/00-noptrace" "$root/usr/share/initramfs-tools/scripts/init-top"
    # klibc's is enough; and then busybox has it, and is not taken
    busybox=n run_hook
    assert_success
    for policy in poweroff reboot; do
        rm "$root/usr/lib/klibc/bin/$policy"
        echo "noptrace_on_failure=$policy" > "$made/etc/noptrace.conf"
        busybox=n run_hook
        assert_failure 1
        assert_output "noptrace: noptrace_on_failure=$policy: no $policy to put into the image; install it, or choose another policy"
    done
}

@test "initramfs-tools: of the conf file the policy goes into the image, and nothing else" {
    bake_with_mkinitramfs "$image" $'noptrace_on_failure="poweroff" # at once\n. /etc/os-release' > /dev/null
    zcat "$image" > "$BATS_TEST_TMPDIR/archive"
    run bash -c "cpio --quiet -i --to-stdout conf/noptrace.conf < '$BATS_TEST_TMPDIR/archive'"
    assert_output noptrace_on_failure=poweroff
}

@test "dracut: another program of our name that another module has put into the image ends the build" {
    local module=$root/usr/lib/dracut/modules.d/40another
    variant_of "$bookworm" "$root"
    mkdir "$module"
    printf '%s\n' 'check() { return 255; }' 'install() { inst_simple /bin/true /usr/sbin/noptrace; }' > "$module/module-setup.sh"
    run bake "$root" "$image" "${systemd_flavour[@]}" 'add_dracutmodules+=" another "'
    assert_failure
    assert_line --partial 'noptrace: /usr/sbin/noptrace: another module has put another one into the image; remove that module'
    assert [ ! -e "$image" ]
}

@test "initramfs-tools: a program that another hook has put into the image already is no error, if it is the same" {
    variant_of "$bookworm" "$root"
    install -m 755 /dev/stdin "$root/usr/share/initramfs-tools/hooks/another" << 'END'
#!/bin/sh
[ "${1-}" != prereqs ] || exit 0
. /usr/share/initramfs-tools/hook-functions
copy_exec /usr/sbin/noptrace
END
    run bake_with_mkinitramfs "$image" noptrace_on_failure=continue "$root"
    assert_success
    zcat "$image" > "$BATS_TEST_TMPDIR/archive"
    run bash -c "cpio --quiet -t < '$BATS_TEST_TMPDIR/archive' | grep -x -e conf/noptrace.conf -e usr/sbin/noptrace | sort"
    assert_output $'conf/noptrace.conf\nusr/sbin/noptrace'
    rm "$image"
    echo 'cp /bin/true "$DESTDIR/usr/sbin/noptrace"' >> "$root/usr/share/initramfs-tools/hooks/another"
    run bake_with_mkinitramfs "$image" noptrace_on_failure=continue "$root"
    assert_failure
    assert_line --partial 'noptrace: /usr/sbin/noptrace: another hook has put another one into the image; remove that hook'
    assert [ ! -s "$image" ]
    # nor another script in the place of ours
    rm "$root/usr/share/initramfs-tools/hooks/another"
    mkdir -p "$root/etc/initramfs-tools/scripts/init-top"
    for mode in 755 644; do
        install -m "$mode" "$top/hooks/initramfs-tools/init-top" "$root/etc/initramfs-tools/scripts/init-top/00-noptrace"
        [[ $mode == 644 ]] || echo : >> "$root/etc/initramfs-tools/scripts/init-top/00-noptrace"
        run bake_with_mkinitramfs "$image" noptrace_on_failure=continue "$root"
        assert_failure
        assert_line --partial 'noptrace: /scripts/init-top/00-noptrace: another one is in the image; remove '
        assert [ ! -s "$image" ]
    done
}

# run_module [LINE…]: dracut's module in $root puts its files into an image with systemd, of which $made/image is what there
# is so far: with dracut's own functions, and without the rest of it. The lines are bash, and come before.
run_module() {
    printf '%s\n' 'dracutbasedir=/usr/lib/dracut initdir=/var/tmp/image mods_to_load=" systemd "' \
        'moddir=$dracutbasedir/modules.d/50noptrace systemdutildir=/usr/lib/systemd' \
        'source $dracutbasedir/dracut-init.sh' "$@" 'source $moddir/module-setup.sh' install > "$made/run"
    run in_root "$root" "$made" bash -o pipefail /var/tmp/run
}

@test "dracut: an image that something of ours cannot be put into is not made" {
    local made=$BATS_TEST_TMPDIR/made units hooks
    units=$made/image/usr/lib/systemd/system hooks=$made/image/usr/lib/dracut/hooks
    variant_of "$bookworm" "$root"
    mkdir -p "$made/image/usr/lib"
    ln -s usr/lib "$made/image/lib"
    # where nothing else has made its folder, it is made
    run_module
    assert_success
    assert_equal "$(readlink "$units/sysinit.target.wants/noptrace-initramfs.service")" ../noptrace-initramfs.service
    rm -r "$units/sysinit.target.wants"
    touch "$units/sysinit.target.wants"
    run_module
    assert_failure 1
    assert_line --partial 'noptrace: /usr/lib/systemd/system/sysinit.target.wants/noptrace-initramfs.service: cannot be made in the image'
    mkdir -p "$hooks"
    touch "$hooks/cmdline"
    run_module mods_to_load=
    assert_failure 1
    assert_line --partial 'noptrace.sh: cannot be installed as a hook; install noptrace again'
    rm "$hooks/cmdline"
    touch "$hooks/pre-pivot"
    run_module mods_to_load=
    assert_failure 1
    assert_line --partial 'noptrace-run.sh: cannot be installed as a hook; install noptrace again'
    # a judge that was killed
    rm "$root/usr/libexec/noptrace/noptrace-judge"
    printf '#!/bin/sh\n[ "$1" = --help ]\n' | install -m 755 /dev/stdin "$root/usr/libexec/noptrace/noptrace-judge"
    run_module
    assert_failure 1
    assert_line --partial 'noptrace: noptrace_on_failure=continue: noptrace-judge failed; install noptrace again'
}

@test "dracut: each unit that a policy needs is put into the image, or there is none" {
    local made=$BATS_TEST_TMPDIR/made policy file
    variant_of "$bookworm" "$root"
    mkdir -p "$made"
    for policy in poweroff reboot; do
        for file in system/{"$policy",shutdown,umount,final}.target "system/systemd-$policy.service" systemd-shutdown; do
            mkdir "$made/image"
            mv "$root/usr/lib/systemd/$file" "$made/file"
            run_module "noptrace_on_failure=$policy"
            assert_failure 1
            assert_line --partial "noptrace: noptrace_on_failure=$policy: no /usr/lib/systemd/$file to put into the image; install it, or choose another policy"
            mv "$made/file" "$root/usr/lib/systemd/$file"
            rm -r "$made/image"
        done
    done
}

@test "dracut: the policy emergency is poweroff where nothing brings an emergency.service" {
    local made=$BATS_TEST_TMPDIR/made with wants
    wants=$made/image/usr/lib/systemd/system/sysinit.target.wants
    variant_of "$bookworm" "$root"
    mkdir -p "$made/image"
    run_module noptrace_on_failure=emergency
    assert_success
    assert_line --partial 'noptrace: this image has no emergency.service: a failed lock will power off'
    assert_equal "$(ls "$wants")" $'noptrace-initramfs.service\nnoptrace-locked@poweroff.target'
    for with in mods_to_load+='"dracut-systemd "' mods_to_load+='"systemd-emergency "' 'inst $systemdutildir/system/emergency.service'; do
        rm -r "$made/image"
        mkdir "$made/image"
        run_module noptrace_on_failure=emergency "$with"
        assert_success
        assert_output ''
        assert_equal "$(ls "$wants")" $'noptrace-initramfs.service\nnoptrace-locked@emergency.target'
    done
}

@test "dracut --sysroot judges by what is there, and not by what is here" {
    local made=$BATS_TEST_TMPDIR/made sysroot config=boot/config-6.1.0-test
    sysroot=$made/sysroot
    variant_of "$bookworm" "$root"
    mkdir -p "$made/image/bin" "$sysroot"/{bin,boot,usr/{sbin,libexec/noptrace}}
    cp "$root/usr/sbin/noptrace" "$sysroot/usr/sbin"
    cp "$root/usr/libexec/noptrace/noptrace-judge" "$sysroot/usr/libexec/noptrace"
    rm "$root/usr/libexec/noptrace/noptrace-judge" "$root/usr/sbin/noptrace"
    # a link that leads out of it
    ln -s /nowhere/sh "$sysroot/bin/sh"
    cp "$root/usr/bin/sh" "$made/image/bin/sh"
    echo CONFIG_SECURITY_YAMA=n > "$sysroot/$config"
    run_module dracutsysrootdir=/var/tmp/sysroot kernel=6.1.0-test
    assert_failure 1
    assert_line --partial "noptrace: /var/tmp/sysroot/$config: no CONFIG_SECURITY_YAMA, so it cannot lock; use another kernel"
    # without a shell in the image so far, the root's is what the program is for
    rm "$sysroot/$config" "$sysroot/bin/sh" "$made/image/bin/sh"
    cp "$root/usr/bin/sh" "$sysroot/bin/sh"
    printf '\267' | dd of="$sysroot/bin/sh" bs=1 seek=18 conv=notrunc status=none
    run_module dracutsysrootdir=/var/tmp/sysroot
    assert_failure 1
    assert_line --partial 'noptrace: /var/tmp/sysroot/usr/sbin/noptrace: for x86_64, and /var/tmp/sysroot/bin/sh is for aarch64; install noptrace for that'
}

@test "dracut says that an opt-in for initramfs-tools is none for dracut, and nothing where it is opted in" {
    variant_of "$bookworm" "$root"
    echo noptrace_on_failure=continue > "$root/etc/initramfs-tools/noptrace.conf"
    local said='noptrace: /etc/initramfs-tools/noptrace.conf does not count for dracut, which makes this image: it will not lock; opt in with a file in /etc/dracut.conf.d'
    run bake "$root" "$image"
    assert_success
    assert_line --partial "$said"
    run bake "$root" "$image" "${systemd_flavour[@]}"
    assert_success
    refute_line --partial "$said"
}

@test "dracut's sample file opts in, and where noptrace was removed it builds an image all the same" {
    local sample debian
    sample=$(cat "$top/modules.d/50noptrace/zz-noptrace-opt-in.conf")
    bake "$bookworm" "$image" "$sample" > /dev/null
    cpio --quiet -t < "$image" | grep -qx usr/sbin/noptrace
    rm "$image"
    for debian in "$bookworm" "$trixie"; do
        variant_of "$debian" "$BATS_TEST_TMPDIR/removed"
        make -s -C "$top" uninstall DESTDIR="$BATS_TEST_TMPDIR/removed"
        run bake "$BATS_TEST_TMPDIR/removed" "$image" "$sample"
        assert_success
        assert_line --partial 'noptrace is not installed: this image does not lock; remove /var/tmp/dracut.conf'
        assert [ -s "$image" ]
        rm -r "$BATS_TEST_TMPDIR/removed" "$image"
    done
}

# build_with_dracut [ARGUMENT…]: $image, of $root with its own conf files.
build_with_dracut() {
    image=$BATS_TEST_TMPDIR/made/image
    rm -f "$image"
    mkdir -p "${image%/*}"
    run in_root "$root" "${image%/*}" dracut "$@" /var/tmp/image "$(ls "$root/usr/lib/modules")"
}

# assert_in_image COUNT: so many programs of ours.
assert_in_image() {
    assert_success
    assert_equal "$(cpio --quiet -t < "$image" | grep -cx usr/sbin/noptrace)" "$1"
}

@test "dracut: where another file takes back what the package's asks for: no image; and a policy for nothing is named" {
    local debian conf set opt_in=dracut.conf.d/zz-noptrace-opt-in.conf module
    set='noptrace: noptrace_on_failure=poweroff is set, and nothing asks for the module noptrace: this image will not lock; put add_dracutmodules+=" noptrace " into a file of /etc/dracut.conf.d, or remove that setting'
    for debian in "$bookworm" "$trixie"; do
        rm -rf "$root"
        variant_of "$debian" "$root"
        conf=$root/etc/dracut.conf.d module=$root/usr/lib/dracut/modules.d/40another
        printf '%s\n' hostonly=no compress=cat early_microcode=no 'drivers="virtio_blk virtio_pci ext4"' "$spare" > "$conf/small.conf"
        echo noptrace_on_failure=poweroff > "$conf/noptrace.conf"
        build_with_dracut
        assert_in_image 0
        assert_line --partial "$set"
        # who names modules has named them all
        build_with_dracut --modules base
        assert_in_image 0
        refute_line --partial "$set"
        build_with_dracut --force-add noptrace
        assert_in_image 1
        mkdir "$module"
        printf '%s\n' 'check() { return 0; }' 'depends() { echo noptrace; }' 'install() { :; }' > "$module/module-setup.sh"
        build_with_dracut
        assert_in_image 1
        rm -r "$module"

        install -D -m 644 "$top/modules.d/50noptrace/zz-noptrace-opt-in.conf" "$root/usr/lib/dracut/$opt_in"
        build_with_dracut
        assert_in_image 1
        # read behind it
        echo 'add_dracutmodules="dm"' > "$conf/zz-other.conf"
        rm "$conf/noptrace.conf"
        build_with_dracut
        assert_failure
        assert_line --partial "noptrace: /usr/lib/dracut/$opt_in asks for the module noptrace, and another file takes that back: look for add_dracutmodules= there, and write +="
        assert [ ! -e "$image" ]
        # one folder more of such files, which Debian 12's does not know
        if [[ $debian == "$trixie" ]]; then
            mkdir "$root/etc/another"
            build_with_dracut --add-confdir /etc/another
            assert_failure
            assert_line --partial "/usr/lib/dracut/$opt_in asks for the module noptrace, and another file takes that back"
            ln -s /dev/null "$root/etc/another/${opt_in##*/}"
            build_with_dracut --add-confdir /etc/another
            assert_in_image 0
            rm "$image"
        fi
        mv "$conf/zz-other.conf" "$conf/other.conf"
        build_with_dracut
        assert_in_image 1
        # on purpose
        ln -s /dev/null "$root/etc/$opt_in"
        build_with_dracut
        assert_in_image 0
    done
}

@test "dracut: an image of this module alone has an /init that calls it, and one without base can be built" {
    local debian
    for debian in "$bookworm" "$trixie"; do
        run bake "$debian" "$image" 'dracutmodules="noptrace"'
        assert_success
        run bash -c "cpio --quiet -t < '$image' | sed 's,.*/hooks/,hooks/,' | grep -xE 'init|usr/sbin/noptrace|hooks/cmdline/00-noptrace.sh' | sort"
        assert_output $'hooks/cmdline/00-noptrace.sh\ninit\nusr/sbin/noptrace'
        rm "$image"
        run bake "$debian" "$image" 'dracutmodules="noptrace systemd systemd-initrd"' 'omit_dracutmodules="base"'
        assert_in_image 1
        rm "$image"
    done
}

@test "what a policy needs and the system lacks: no image" {
    variant_of "$bookworm" "$root"
    rm "$root/usr/lib/systemd/system/systemd-poweroff.service"
    run bake "$root" "$image" "${systemd_flavour[@]}" noptrace_on_failure=poweroff
    assert_failure
    assert_line --partial 'noptrace: noptrace_on_failure=poweroff: no /usr/lib/systemd/system/systemd-poweroff.service to put into the image; install it, or choose another policy'
    # klibc's, and busybox where it is taken
    mv "$root/usr/lib/klibc/bin/reboot" "$BATS_TEST_TMPDIR"
    run bake_with_mkinitramfs "$image" noptrace_on_failure=reboot "$root"
    assert_success
    rm -f "$image" "$root"/{usr/,}bin/busybox
    run bake_with_mkinitramfs "$image" noptrace_on_failure=reboot "$root" auto
    assert_failure
    assert_line 'noptrace: noptrace_on_failure=reboot: no reboot to put into the image; install it, or choose another policy'
    assert [ ! -s "$image" ]
    rm -f "$image" "$root"/{usr/,}{s,}bin/reboot
    run bake "$root" "$image" 'add_dracutmodules+=" noptrace "' \
        'omit_dracutmodules+=" systemd systemd-initrd dracut-systemd busybox "' noptrace_on_failure=reboot
    assert_failure
    assert_line --partial 'noptrace: noptrace_on_failure=reboot: no reboot to put into the image; install it, or choose another policy'
    assert [ ! -e "$image" ]
}

@test "a shell image without busybox has the command of its policy" {
    local policy
    for policy in poweroff reboot; do
        bake "$bookworm" "$image" 'add_dracutmodules+=" noptrace "' \
            'omit_dracutmodules+=" systemd systemd-initrd dracut-systemd busybox shutdown "' "noptrace_on_failure=$policy" > /dev/null
        cpio --quiet -t < "$image" | grep -qx "usr/sbin/$policy"
        rm "$image"
    done
}

@test "a file of ours that is missing: no image" {
    variant_of "$bookworm" "$root"
    local module=/usr/lib/dracut/modules.d/50noptrace file
    for file in noptrace-initramfs.service before.conf noptrace-locked@.target switch-root.conf; do
        mv "$root$module/$file" "$BATS_TEST_TMPDIR"
        run bake "$root" "$image" "${systemd_flavour[@]}" noptrace_on_failure=emergency
        assert_failure
        assert_line --partial "noptrace: $module/$file: cannot be put into the image"
        assert [ ! -e "$image" ]
        mv "$BATS_TEST_TMPDIR/$file" "$root$module"
    done
    for file in noptrace.sh noptrace-run.sh on-failure/continue.sh; do
        mv "$root$module/$file" "$BATS_TEST_TMPDIR"
        run bake "$root" "$image" "${shell_flavour[@]}"
        assert_failure
        # of a hook it is dracut that says so
        assert_line --partial "$module/$file"
        assert [ ! -e "$image" ]
        mv "$BATS_TEST_TMPDIR/${file##*/}" "$root$module/$file"
    done
}

@test "dracut --sysroot puts the same files into an image, from outside" {
    printf '%s\n' "${sysroot_folders[@]}" > "$BATS_TEST_TMPDIR/dracut.conf"
    mkdir "$BATS_TEST_TMPDIR/conf.d"
    run dracut --sysroot "$bookworm" --conf "$BATS_TEST_TMPDIR/dracut.conf" --confdir "$BATS_TEST_TMPDIR/conf.d" \
        --no-hostonly --no-compress --no-early-microcode --tmpdir "$BATS_TEST_TMPDIR" --drivers ext4 \
        --add noptrace "$image" "$(ls "$bookworm/usr/lib/modules")"
    assert_success
    run bash -c "cpio --quiet -t < '$image' | grep -E 'systemd.*noptrace|sbin/noptrace' | sort"
    assert_output - << 'END'
usr/lib/systemd/system/noptrace-initramfs.service
usr/lib/systemd/system/noptrace-initramfs.service.d
usr/lib/systemd/system/noptrace-initramfs.service.d/before.conf
usr/lib/systemd/system/sysinit.target.wants/noptrace-initramfs.service
usr/sbin/noptrace
END
}

# steps FIRST-WORDS: README's command that begins so, and those that stand below it.
steps() {
    awk -v first="    $1" 'index($0, first) == 1 { on = 1 } on && !/^    / { exit } on { print substr($0, 5) }' "$top/README.md"
}

# with_two_kernels: a root whose generators make small images, and whose second kernel is as good as the first.
with_two_kernels() {
    local kernel
    kernel=$(ls "$bookworm/usr/lib/modules")
    variant_of "$bookworm" "$root"
    cp -al "$root/usr/lib/modules/$kernel" "$root/usr/lib/modules/5.0.0-older"
    cp -l "$root/boot/vmlinuz-$kernel" "$root/boot/vmlinuz-5.0.0-older"
    configuration_of 5.0.0 "$root/boot/config-$kernel" > "$root/boot/config-5.0.0-older"
    printf '%s\n' 'drivers="virtio_blk virtio_pci ext4"' "$spare" compress=cat early_microcode=no > "$root/etc/dracut.conf.d/small.conf"
    printf '%s\n' MODULES=list BUSYBOX=y COMPRESS=gzip > "$BATS_TEST_TMPDIR/initramfs.conf"
    install "$BATS_TEST_TMPDIR/initramfs.conf" "$root/etc/initramfs-tools/initramfs.conf"
}

# assert_every_image: both are there, and check has nothing to say of them.
assert_every_image() {
    local images
    images=("$root"/boot/initrd.img-*)
    assert_equal "${#images[@]}" 2
    for image in "${images[@]}"; do
        assert_passes "$image"
    done
}

@test "README's steps for dracut put the lock into every image, in a chroot, and enable the unit" {
    with_two_kernels
    steps 'cp /usr/lib/dracut' > "$BATS_TEST_TMPDIR/steps"
    steps 'systemctl enable' >> "$BATS_TEST_TMPDIR/steps"
    assert_equal "$(wc -l < "$BATS_TEST_TMPDIR/steps")" 3
    run in_root "$root" "$BATS_TEST_TMPDIR" sh -e -x /var/tmp/steps
    assert_success
    assert_every_image
    assert [ -L "$root/etc/systemd/system/sysinit.target.wants/noptrace.service" ]
}

@test "README's steps for initramfs-tools put the lock into every image, in a chroot" {
    with_two_kernels
    # as the kernels' installation had left them
    in_root "$root" "$BATS_TEST_TMPDIR" update-initramfs -c -k all
    steps 'echo noptrace_on_failure' > "$BATS_TEST_TMPDIR/steps"
    assert_equal "$(wc -l < "$BATS_TEST_TMPDIR/steps")" 2
    run in_root "$root" "$BATS_TEST_TMPDIR" sh -e -x /var/tmp/steps
    assert_success
    assert_every_image
}
