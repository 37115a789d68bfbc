#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# make install and uninstall, below DESTDIR.

# shellcheck source=tests/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

setup() {
    destination=$BATS_TEST_TMPDIR/destination
}

installed() {
    (cd "$destination" && find . -type f -printf '%M %P\n' | LC_ALL=C sort -k 2)
}

@test "install puts exactly the documented files in place, as dracut and systemd want them" {
    make -s -C "$top" install DESTDIR="$destination"
    run installed
    assert_output - << 'END'
-rw-r--r-- etc/default/grub.d/noptrace.cfg
-rwxr-xr-x etc/grub.d/45_noptrace
-rwxr-xr-x usr/bin/noptrace-image
-rwxr-xr-x usr/lib/dracut/modules.d/50noptrace/module-setup.sh
-rw-r--r-- usr/lib/dracut/modules.d/50noptrace/noptrace-initramfs.service
-rw-r--r-- usr/lib/dracut/modules.d/50noptrace/noptrace.sh
-rw-r--r-- usr/lib/dracut/modules.d/50noptrace/on-failure/continue.sh
-rw-r--r-- usr/lib/dracut/modules.d/50noptrace/on-failure/emergency.conf
-rw-r--r-- usr/lib/dracut/modules.d/50noptrace/on-failure/emergency.sh
-rw-r--r-- usr/lib/dracut/modules.d/50noptrace/on-failure/poweroff.conf
-rw-r--r-- usr/lib/dracut/modules.d/50noptrace/on-failure/poweroff.sh
-rw-r--r-- usr/lib/dracut/modules.d/50noptrace/on-failure/reboot.conf
-rw-r--r-- usr/lib/dracut/modules.d/50noptrace/on-failure/reboot.sh
-rwxr-xr-x usr/lib/kernel/install.d/95-noptrace.install
-rw-r--r-- usr/lib/sysctl.d/zz-noptrace.conf
-rw-r--r-- usr/lib/systemd/system/noptrace.service
-rw-r--r-- usr/libexec/noptrace/boot.bash
-rw-r--r-- usr/libexec/noptrace/check.bash
-rw-r--r-- usr/libexec/noptrace/guest.bash
-rwxr-xr-x usr/libexec/noptrace/noptrace-probe
-rw-r--r-- usr/libexec/noptrace/results.bash
-rw-r--r-- usr/libexec/noptrace/unpack.bash
-rwxr-xr-x usr/sbin/noptrace
-rw-r--r-- usr/share/doc/noptrace/LICENSE
-rw-r--r-- usr/share/doc/noptrace/README.md
-rw-r--r-- usr/share/doc/noptrace/noptrace.conf
-rwxr-xr-x usr/share/initramfs-tools/hooks/noptrace
-rwxr-xr-x usr/share/initramfs-tools/scripts/init-top/00-noptrace
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

@test "install leaves the knobs of GRUB's menu as they were set" {
    make -s -C "$top" install DESTDIR="$destination"
    echo NOPTRACE_MENU=no > "$destination/etc/default/grub.d/noptrace.cfg"
    make -s -C "$top" install DESTDIR="$destination"
    assert_equal "$(cat "$destination/etc/default/grub.d/noptrace.cfg")" NOPTRACE_MENU=no
}

@test "a prefix of one's own is told to the unit, the module and noptrace-image" {
    make -s -C "$top" install DESTDIR="$destination" prefix=/opt/noptrace
    run grep -rn '=/usr/sbin/noptrace\|=/usr/libexec' "$destination/opt/noptrace/lib/systemd" \
        "$destination/opt/noptrace/bin" "$destination/opt/noptrace/share/initramfs-tools"
    assert_failure 1
    grep -qx 'ExecStart=/opt/noptrace/sbin/noptrace apply' \
        "$destination/opt/noptrace/lib/systemd/system/noptrace.service"
    grep -qx 'program=/opt/noptrace/sbin/noptrace' "$destination/etc/grub.d/45_noptrace"
    grep -qx 'lib=/opt/noptrace/libexec/noptrace' "$destination/opt/noptrace/bin/noptrace-image"
    grep -qx 'noptrace_program=/opt/noptrace/sbin/noptrace' \
        "$destination/opt/noptrace/lib/dracut/modules.d/50noptrace/module-setup.sh"
}

@test "systemd takes the unit files, with each failure policy, without a complaint" {
    local policy
    mkdir "$destination"
    install -D -m 755 "$program" "$destination/usr/sbin/noptrace"
    for policy in '' emergency poweroff reboot; do
        cp "$top/hooks/systemd/noptrace.service" "$top/hooks/dracut/noptrace-initramfs.service" "$destination"
        # verify wants the program on this host, where it is not installed
        sed -i "s,^ExecStart=,&$destination," "$destination"/*.service
        if [[ $policy ]]; then
            mkdir -p "$destination/noptrace-initramfs.service.d"
            cp "$top/hooks/dracut/on-failure/$policy.conf" "$destination/noptrace-initramfs.service.d"
        fi
        run systemd-analyze verify --man=no "$destination"/*.service
        assert_success
        refute_output --partial noptrace
    done
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
