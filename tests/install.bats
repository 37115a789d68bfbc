#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# make install and uninstall, below DESTDIR.

# shellcheck source=tests/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

# One after the other: they are quick, and bats looks for a free core only once a second.
# shellcheck disable=SC2034
BATS_NO_PARALLELIZE_WITHIN_FILE=true

setup() {
    destination=$BATS_TEST_TMPDIR/destination
}

installed() {
    (cd "$destination" && find . ! -type d -printf '%M %P' \( -type l -printf ' -> %l\n' -o -printf '\n' \) | LC_ALL=C sort -k 2)
}

@test "install puts exactly the documented files in place, as dracut and systemd want them, whatever the umask" {
    (umask 077 && make -s -C "$top" install DESTDIR="$destination")
    run installed
    assert_output - << 'END'
-rw-r--r-- etc/default/grub.d/noptrace.cfg
-rwxr-xr-x etc/grub.d/000_noptrace
-rwxr-xr-x etc/grub.d/99_noptrace
-rwxr-xr-x usr/bin/noptrace-image
-rw-r--r-- usr/lib/dracut/modules.d/50noptrace/before.conf
-rwxr-xr-x usr/lib/dracut/modules.d/50noptrace/module-setup.sh
-rw-r--r-- usr/lib/dracut/modules.d/50noptrace/noptrace-initramfs.service
-rw-r--r-- usr/lib/dracut/modules.d/50noptrace/noptrace-locked@.target
-rwxr-xr-x usr/lib/dracut/modules.d/50noptrace/noptrace-run.sh
-rwxr-xr-x usr/lib/dracut/modules.d/50noptrace/noptrace.sh
-rwxr-xr-x usr/lib/dracut/modules.d/50noptrace/on-failure/continue.sh
-rwxr-xr-x usr/lib/dracut/modules.d/50noptrace/on-failure/emergency.sh
-rwxr-xr-x usr/lib/dracut/modules.d/50noptrace/on-failure/poweroff.sh
-rwxr-xr-x usr/lib/dracut/modules.d/50noptrace/on-failure/reboot.sh
-rw-r--r-- usr/lib/dracut/modules.d/50noptrace/switch-root.conf
-rw-r--r-- usr/lib/dracut/modules.d/50noptrace/zz-noptrace-opt-in.conf
lrwxrwxrwx usr/lib/kernel/install.d/00-noptrace.install -> 95-noptrace.install
lrwxrwxrwx usr/lib/kernel/install.d/20-noptrace.install -> 95-noptrace.install
lrwxrwxrwx usr/lib/kernel/install.d/90-noptrace.install -> 95-noptrace.install
-rwxr-xr-x usr/lib/kernel/install.d/95-noptrace.install
-rw-r--r-- usr/lib/systemd/system/noptrace.service
-rw-r--r-- usr/lib/systemd/system/noptrace.service.d/before.conf
-rw-r--r-- usr/libexec/noptrace/boot.bash
-rw-r--r-- usr/libexec/noptrace/guest.bash
-rw-r--r-- usr/libexec/noptrace/instead/emergency.service
-rw-r--r-- usr/libexec/noptrace/instead/instead.conf
-rw-r--r-- usr/libexec/noptrace/instead/poweroff.service
-rw-r--r-- usr/libexec/noptrace/instead/reboot.service
-rw-r--r-- usr/libexec/noptrace/knobs.sh
-rw-r--r-- usr/libexec/noptrace/make.bash
-rwxr-xr-x usr/libexec/noptrace/noptrace-check
-rwxr-xr-x usr/libexec/noptrace/noptrace-cmdline
-rwxr-xr-x usr/libexec/noptrace/noptrace-entry
-rwxr-xr-x usr/libexec/noptrace/noptrace-grub
-rwxr-xr-x usr/libexec/noptrace/noptrace-judge
-rwxr-xr-x usr/libexec/noptrace/noptrace-probe
-rwxr-xr-x usr/libexec/noptrace/noptrace-report
-rwxr-xr-x usr/libexec/noptrace/noptrace-uki
-rwxr-xr-x usr/sbin/noptrace
-rw-r--r-- usr/share/bash-completion/completions/noptrace
-rw-r--r-- usr/share/bash-completion/completions/noptrace-image
-rw-r--r-- usr/share/doc/noptrace/LICENSE
-rw-r--r-- usr/share/doc/noptrace/README.md
-rw-r--r-- usr/share/doc/noptrace/SECURITY.md
-rwxr-xr-x usr/share/initramfs-tools/hooks/noptrace
-rwxr-xr-x usr/share/initramfs-tools/scripts/init-top/00-noptrace
-rw-r--r-- usr/share/man/man7/noptrace-fleet.7
-rw-r--r-- usr/share/man/man7/noptrace-recipes.7
-rw-r--r-- usr/share/man/man8/noptrace-image.8
-rw-r--r-- usr/share/man/man8/noptrace.8
END
}

@test "uninstall removes exactly what install put there" {
    install -D -m 644 "$top/LICENSE" "$destination/usr/share/doc/noptrace/other"
    make -s -C "$top" install DESTDIR="$destination"
    make -s -C "$top" uninstall DESTDIR="$destination"
    run installed
    assert_output '-rw-r--r-- usr/share/doc/noptrace/other'
    assert [ ! -e "$destination/usr/lib/dracut/modules.d/50noptrace" ]
}

@test "a folder that the shell would take apart is refused, and nothing is removed" {
    local root precious=$BATS_TEST_TMPDIR/my/precious
    for root in "$BATS_TEST_TMPDIR/my root" "$BATS_TEST_TMPDIR/my;root" "$BATS_TEST_TMPDIR/my*" "\$\$(echo $BATS_TEST_TMPDIR/my)" \
        "$BATS_TEST_TMPDIR/my'" "$BATS_TEST_TMPDIR/my#root" $'my\troot' "$BATS_TEST_TMPDIR/my "; do
        install -D -m 644 "$top/LICENSE" "$precious"
        run make -s -C "$top" install ARCH=arm64 DESTDIR="$root"
        assert_failure 2
        assert_output --partial ': may have no blank and none of '
        run make -s -C "$top" uninstall DESTDIR="$root"
        assert_failure 2
        run make -s -C "$top" uninstall DESTDIR="$destination" prefix="$root"
        assert_failure 2
        assert_output --partial 'prefix='
        assert [ -e "$precious" ]
        assert [ ! -e "$destination" ]
    done
    # and what goes through it is none of that
    make -s -C "$top" uninstall DESTDIR="$destination/a~b_c+d=e@f:g%h-i.j,k" sysconfdir=/x/etc
}

@test "a folder that scripts and units could not be told is refused" {
    local folder
    for folder in prefix=/opt/a,b prefix=/opt/%x prefix=usr sbindir=/opt/%x libexecdir=./lib sysconfdir=etc,d; do
        run make -s -C "$top" install ARCH=arm64 DESTDIR="$destination" "$folder"
        assert_failure 2
        assert_output --partial " $folder: must begin with /, and may have neither , nor % in it"
        assert_equal "${#lines[@]}" 1
        assert [ ! -e "$destination" ]
    done
}

@test "uninstall takes the maintenance entries away first, where it is no DESTDIR's" {
    local plugin=$destination/usr/lib/kernel/install.d/95-noptrace.install
    make -s -C "$top" install DESTDIR="$destination"
    printf '#!/bin/sh\necho "$@"; ls "%s"\n' "$destination/usr/libexec/noptrace/noptrace-entry" > "$plugin"
    # as if below / were below there
    run make -s -C "$top" uninstall prefix="$destination/usr" sysconfdir="$destination/etc"
    assert_success
    assert_line -n 0 clean
    assert_line -n 1 "$destination/usr/libexec/noptrace/noptrace-entry"
    assert [ ! -e "$plugin" ]
}

@test "install and uninstall leave the knobs of GRUB's menu as they were set" {
    local knobs=$destination/etc/default/grub.d/noptrace.cfg
    make -s -C "$top" install DESTDIR="$destination"
    echo NOPTRACE_MENU=no > "$knobs"
    make -s -C "$top" install DESTDIR="$destination"
    run make -s -C "$top" uninstall DESTDIR="$destination"
    assert_success
    assert_output "$knobs is not as it was installed: it stays; remove it unless packages of noptrace are to read it"
    assert_equal "$(cat "$knobs")" NOPTRACE_MENU=no
}

@test "a prefix of one's own is told to all that names our programs" {
    local file
    make -s -C "$top" install DESTDIR="$destination" prefix=/opt/noptrace
    # but for manuals, and what is in images, where it stays as it is
    run grep -rn --exclude-dir={man,instead} --exclude=noptrace-initramfs.service \
        '=/usr/\(sbin/noptrace\|libexec\|lib/dracut\|lib/systemd\|share/initramfs\)' "$destination"
    assert_failure 1
    assert_output ''
    grep -qx 'ExecStart=/opt/noptrace/sbin/noptrace ensure' \
        "$destination/opt/noptrace/lib/systemd/system/noptrace.service"
    for file in etc/grub.d/99_noptrace opt/noptrace/lib/kernel/install.d/95-noptrace.install; do
        grep -qx 'program=/opt/noptrace/sbin/noptrace' "$destination/$file"
        grep -qx 'libexec=/opt/noptrace/libexec/noptrace' "$destination/$file"
    done
    grep -qx 'lib=/opt/noptrace/libexec/noptrace' "$destination/opt/noptrace/bin/noptrace-image"
    grep -qx 'module=/opt/noptrace/lib/dracut/modules.d/50noptrace' "$destination/opt/noptrace/bin/noptrace-image"
    grep -qx 'init_top=/opt/noptrace/share/initramfs-tools/scripts/init-top/00-noptrace' "$destination/opt/noptrace/bin/noptrace-image"
    grep -qx 'units=/opt/noptrace/lib/systemd/system' "$destination/opt/noptrace/bin/noptrace-image"
    grep -qx 'noptrace_program=/opt/noptrace/sbin/noptrace' \
        "$destination/opt/noptrace/lib/dracut/modules.d/50noptrace/module-setup.sh"
}

@test "a checkout in a folder whose name a script or a command would read otherwise is refused, and one that was moved is its own" {
    local odd
    for odd in 'a b' 'a&b' "a'b"; do
        mkdir "$BATS_TEST_TMPDIR/$odd"
        cp "$top/Makefile" "$BATS_TEST_TMPDIR/$odd"
        run make -s -C "$BATS_TEST_TMPDIR/$odd" clean
        assert_failure 2
        assert_output --partial "CURDIR=$BATS_TEST_TMPDIR/$odd: may have no blank"
    done
    # nor does what was built name the folder that it was built in
    run grep -rlF "$top" "$top"/build/{noptrace-image,boot.bash,guest.bash,make.bash}
    assert_failure 1
}

@test "an upgrade takes away what a former version had installed, and is not installed any more" {
    local former
    # all of 0.1's that has another name now
    local -a names=(lib/sysctl.d/zz-noptrace.conf share/doc/noptrace/noptrace.conf
        lib/dracut/modules.d/50noptrace/on-failure/{emergency,poweroff,reboot}.conf)
    for former in "${names[@]}"; do install -D -m 644 /dev/null "$destination/usr/$former"; done
    make -s -C "$top" install DESTDIR="$destination"
    for former in "${names[@]}"; do assert [ ! -e "$destination/usr/$former" ]; done
}

@test "the module's folder is installed as it is in the tree" {
    make -s -C "$top" install DESTDIR="$destination"
    diff -r "$top/modules.d/50noptrace" "$destination/usr/lib/dracut/modules.d/50noptrace"
}

@test "an install that fails leaves what may be run meanwhile as it was" {
    local file
    make -s -C "$top" install DESTDIR="$destination"
    cp -a "$destination" "$BATS_TEST_TMPDIR/before"
    mkdir "$BATS_TEST_TMPDIR/bin"
    printf '#!/bin/sh\necho cut\nexit 1\n' > "$BATS_TEST_TMPDIR/bin/sed"
    chmod 755 "$BATS_TEST_TMPDIR/bin/sed"
    # as if each of them were the one that a full disk stops
    run env PATH="$BATS_TEST_TMPDIR/bin:$PATH" make -i -C "$top" install DESTDIR="$destination"
    assert_success
    assert_output --partial ' (ignored)'
    for file in etc/grub.d/99_noptrace usr/bin/noptrace-image usr/lib/kernel/install.d/95-noptrace.install \
        usr/lib/systemd/system/noptrace.service usr/share/bash-completion/completions/noptrace-image usr/share/initramfs-tools/hooks/noptrace; do
        cmp "$BATS_TEST_TMPDIR/before/$file" "$destination/$file"
    done
    # and the next has all of it
    make -s -C "$top" install DESTDIR="$destination"
    diff -r "$BATS_TEST_TMPDIR/before" "$destination"
}

@test "uninstall names the files of an administrator that still ask for noptrace" {
    make -s -C "$top" install DESTDIR="$destination"
    install -D -m 644 "$top/modules.d/50noptrace/zz-noptrace-opt-in.conf" "$destination/etc/dracut.conf.d/lock.conf"
    echo '# not noptrace' > "$destination/etc/dracut.conf.d/other.conf"
    run make -s -C "$top" uninstall DESTDIR="$destination"
    assert_success
    assert_output "$destination/etc/dracut.conf.d/lock.conf still names noptrace: take that out, and build the images again"
    rm "$destination/etc/dracut.conf.d/lock.conf"
}

@test "uninstall names what packages, or systemctl enable, left that still opts in" {
    local file
    local -a left=(usr/lib/dracut/dracut.conf.d/zz-noptrace-opt-in.conf usr/share/initramfs-tools/noptrace.conf)
    make -s -C "$top" install DESTDIR="$destination"
    for file in "${left[@]}"; do
        install -D -m 644 "$top/modules.d/50noptrace/zz-noptrace-opt-in.conf" "$destination/$file"
    done
    left+=({usr/lib,etc}/systemd/system/sysinit.target.wants/noptrace.service)
    for file in "${left[@]:2}"; do
        mkdir -p "$destination/${file%/*}"
        ln -s /usr/lib/systemd/system/noptrace.service "$destination/$file"
    done
    run make -s -C "$top" uninstall DESTDIR="$destination"
    assert_success
    assert_output "$(printf "$destination/%s still opts in: remove the package that has it, or the file, and build the images again\n" "${left[@]}")"
}

@test "systemd takes the units, with each failure policy, without a complaint" {
    local policy units=$destination/usr/lib/systemd/system module=$top/modules.d/50noptrace
    make -s -C "$top" install DESTDIR="$destination"
    install -m 644 "$module/noptrace-initramfs.service" "$module/noptrace-locked@.target" "$units"
    install -D -m 644 "$module/before.conf" "$units/noptrace-initramfs.service.d/before.conf"
    install -D -m 644 "$module/switch-root.conf" "$units/initrd-switch-root.service.d/noptrace.conf"
    # verify wants the programs and the targets on this host, where noptrace is not installed
    sed -i "s,^ExecStart=,&$destination," "$units"/noptrace*.service
    for policy in emergency poweroff reboot; do
        run env SYSTEMD_UNIT_PATH="$units:" systemd-analyze verify --man=no "$units/noptrace.service" \
            "$units/noptrace-initramfs.service" "noptrace-locked@$policy.target" initrd-switch-root.service
        assert_success
        refute_output --partial noptrace
    done
}

@test "in a container, which has no scope of its own, the unit does nothing" {
    run in_root "$bookworm" "$BATS_TEST_TMPDIR" sh -c 'mount -t tmpfs tmpfs /run
        systemd-analyze condition --unit=noptrace.service
        mkdir /run/host && echo docker > /run/host/container-manager
        systemd-analyze condition --unit=noptrace.service'
    assert_failure
    assert_line 'Conditions succeeded.'
    assert_line 'noptrace.service: ConditionVirtualization=!container failed.'
}

# completed NAME WORD…: what bash offers for the last word.
completed() {
    # shellcheck disable=SC2016 # the inner shell's
    bash -c 'source /dev/stdin; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); set -- "${@: -2}"
        function=_${COMP_WORDS[0]//-/_}
        "$function" "${COMP_WORDS[0]}" "$2" "$1"
        printf "%s\n" "${COMPREPLY[@]}"' - "$@" \
        < <(sed "s,=/usr/libexec/noptrace/,=$top/build/," "$top/src/completion/$1") | LC_ALL=C sort
}

# options_of CALL: those that the help of noptrace-image has for it.
options_of() {
    "$top/build/noptrace-image" --help | awk -v call="$1" '
        /^[^ ].*:$/ { of_call = " " $0 ~ " " call "( and |:)" }
        of_call && /^  --/ { for (i = 1; $i ~ /^--/; i++) { sub(/,/, "", $i); print $i } }' | LC_ALL=C sort
}

@test "bash completes the calls and options that --help has, and no others" {
    local call
    run "$program" --help
    assert_equal "usage: noptrace $(completed noptrace '' | paste -s -d '|')" \
        "$(sed -n '1s/\(usage: noptrace \)\(.*\)|--help|--version/\1--help|--version|\2/p' <<< "$output")"
    assert_equal "$(completed noptrace lock '')" ''
    run completed noptrace-image ''
    assert_output "$("$top/build/noptrace-image" --help | sed -n 's/.*noptrace-image \([a-z]*\).*/\1/p; $a --help' | LC_ALL=C sort)"
    for call in make check boot; do
        run completed noptrace-image "$call" -
        assert_output "$(options_of "$call")"
    done
    run completed noptrace-image boot --accel ''
    assert_output "$(printf '%s\n' kvm tcg)"
    run completed noptrace-image make --on-failure p
    assert_output poweroff
}

@test "it builds with glibc's static library too, and does the same" {
    local tree=$BATS_TEST_TMPDIR/tree
    mkdir "$tree"
    cp -r "$top/Makefile" "$top/src" "$tree"
    make -s -C "$tree" CC=gcc build/noptrace build/noptrace-judge build/noptrace-probe
    # static as well, and all that the program's own suite says of it but its size
    PROGRAM=$tree/build/noptrace run bats --filter-tags '!size,!musl' "$BATS_TEST_DIRNAME/program.bats"
    assert_success
    assert_equal "$(LC_ALL=C readelf -lW "$tree/build/noptrace" | grep -c INTERP)" 0
}

@test "noptrace-probe tries nothing for whoever calls it to look what it is" {
    local word fake=$BATS_TEST_TMPDIR
    mkdir -p "$fake/proc/sys/kernel/yama"
    for word in '' --help lowers 'lower x'; do
        echo 1 > "$fake/proc/sys/kernel/yama/ptrace_scope"
        # shellcheck disable=SC2086 # words
        run "$BATS_TEST_DIRNAME/fake-proc" "$fake" "$top/build/noptrace-probe" $word
        assert_failure 64
        assert_output 'noptrace-probe: is for guests of noptrace-image(8): it lowers the scope'
        assert_equal "$(cat "$fake/proc/sys/kernel/yama/ptrace_scope")" 1
    done
}

# Of what glibc has got since, these are old functions that were moved or given another version: a build there finds them.
@test "the tools of noptrace-image call nothing that RHEL 8's glibc, 2.28, does not have" {
    run objdump -T "$top"/build/noptrace-{check,report,cmdline,entry,grub,uki}
    assert_success
    assert_output --partial ' (GLIBC_2'
    run awk '/\*UND\*.*\(GLIBC_2/ { split($(NF - 1), version, /[.)]/)
        if (version[2] > 28 && $NF !~ /^(__libc_start_main|__isoc23_.*|f?stat|lstat)$/) print $NF }' <<< "$output"
    assert_output ''
}

@test "with ARCH= install puts that architecture's programs into a root, and nothing that runs beside its images" {
    make -s -C "$top" install ARCH=arm64 DESTDIR="$BATS_TEST_TMPDIR/root"
    cd "$BATS_TEST_TMPDIR/root"
    assert_equal "$(echo usr/libexec/noptrace/* usr/*bin/*)" \
        'usr/libexec/noptrace/noptrace-judge usr/libexec/noptrace/noptrace-probe usr/sbin/noptrace'
    for file in usr/libexec/noptrace/* usr/sbin/*; do
        assert_equal "$("$top/build/noptrace-uki" machine "$file")" aarch64
    done
    assert [ -e usr/lib/dracut/modules.d/50noptrace/module-setup.sh ]
    assert [ ! -e etc ]

    run make -s -C "$top" ARCH=sparc
    assert_failure
    assert_output --partial 'ARCH=sparc: must be one of arm64 armhf riscv64 ppc64el s390x'
}

# make -n throughout: nothing of it may be run here.
@test "with ARCH= install does not put another machine's programs in the place of this one's" {
    local folder bin=$BATS_TEST_TMPDIR/bin
    mkdir "$bin"
    printf '#!/bin/sh\necho aarch64\n' > "$bin/uname"
    chmod +x "$bin/uname"
    for folder in DESTDIR= prefix=/opt/noptrace; do
        run make -s -n -C "$top" install ARCH=armhf "$folder"
        assert_failure 2
        assert_output --regexp "install ARCH=armhf: this machine is $(uname -m); name the root that it is for with DESTDIR=\.  Stop\.$"
        assert_equal "${#lines[@]}" 1
        # where another's are this one's
        PATH=$bin:$PATH make -s -n -C "$top" install ARCH=arm64 "$folder" > "$BATS_TEST_TMPDIR/commands"
        grep -q '^install .*/noptrace$' "$BATS_TEST_TMPDIR/commands"
    done
    make -s -n -C "$top" install ARCH=armhf DESTDIR="$destination" > "$BATS_TEST_TMPDIR/commands"
    # what is there can be taken away
    make -s -n -C "$top" uninstall ARCH=armhf > "$BATS_TEST_TMPDIR/commands"
}

@test "a program that is too large, or not static, is not built" {
    local tree=$BATS_TEST_TMPDIR/tree
    mkdir "$tree"
    cp -r "$top/Makefile" "$top/src" "$tree"
    run make -s -C "$tree" build/noptrace MAX_BYTES=4096
    assert_failure
    assert_line --regexp '^build/noptrace: [0-9]+ bytes; may be 4096 \(MAX_BYTES=\)$'
    assert [ ! -e "$tree/build/noptrace" ]
    run make -s -C "$tree" build/noptrace LINK=-no-pie
    assert_failure
    assert_line 'build/noptrace: needs a loader; it must be static'
    assert [ ! -e "$tree/build/noptrace" ]
}
