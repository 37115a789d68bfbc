#!/bin/bash
# SPDX-License-Identifier: MIT
#
# dracut module: locks kernel.yama.ptrace_scope before the root pivot, see noptrace(8).
#
# dracut.conf: noptrace_on_failure=continue|emergency|poweroff|reboot says what an image does that
# could not lock; continue is the default.
#
# dracut ignores what install() returns, so whatever would make an image that cannot lock ends the
# build with `exit 1`.

# dracut sets moddir, initdir, kernel and systemdsystemunitdir.
# shellcheck disable=SC2154

# Where `make install` puts the program. In the image it is /usr/sbin/noptrace.
noptrace_program=/usr/sbin/noptrace

# Opt in: --add noptrace, or add_dracutmodules+=" noptrace ".
check() {
    return 255
}

depends() {
    return 0
}

# Ends the build: one line that says what is wrong and what to do.
noptrace_fatal() {
    dfatal "noptrace: $*"
    exit 1
}

# noptrace_elf FILE OFFSET SIZE: the number there, in the byte order of $_endian.
noptrace_elf() {
    od -An -v --endian="$_endian" -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' '
}

# noptrace_is_static FILE: an ELF program without a PT_INTERP header, which would need a loader that is
# not in the image. Read from the file, since ldd calls every foreign program "not dynamic".
noptrace_is_static() {
    local _endian=little _magic _headers _size _count _i
    _magic=$(od -An -v -t x1 -N 4 "$1" | tr -d ' ')
    [[ $_magic == 7f454c46 ]] || return 1
    [[ $(noptrace_elf "$1" 5 1) == 1 ]] || _endian=big
    if [[ $(noptrace_elf "$1" 4 1) == 2 ]]; then
        _headers=$(noptrace_elf "$1" 32 8) _size=$(noptrace_elf "$1" 54 2) _count=$(noptrace_elf "$1" 56 2)
    else
        _headers=$(noptrace_elf "$1" 28 4) _size=$(noptrace_elf "$1" 42 2) _count=$(noptrace_elf "$1" 44 2)
    fi
    [[ $_count -gt 0 ]] || return 1
    for ((_i = 0; _i < _count; _i++)); do
        [[ $(noptrace_elf "$1" $((_headers + _i * _size)) 4) != 3 ]] || return 1
    done
}

# noptrace_is_native FILE: of the architecture of the shell beside which it will run.
noptrace_is_native() {
    [[ $(od -An -t x1 -j 4 -N 2 "$1")$(od -An -t x1 -j 18 -N 2 "$1") == $(od -An -t x1 -j 4 -N 2 "$2")$(od -An -t x1 -j 18 -N 2 "$2") ]]
}

# dracut's own helpers only return a code, which nobody looks at.
noptrace_install() {
    inst_simple "$1" "$2"
    [[ -e $initdir$2 ]] || noptrace_fatal "$1: cannot be put into the image as $2"
}

noptrace_link() {
    mkdir -p "$initdir${2%/*}"
    ln_r "$1" "$2" || noptrace_fatal "$2: cannot be made in the image"
}

install() {
    local _program=${dracutsysrootdir-}$noptrace_program
    local _policy=${noptrace_on_failure:-continue}
    local _unit=noptrace-initramfs.service
    # $systemdsystemconfdir is empty without hostonly
    local _units=${systemdsystemunitdir:-/usr/lib/systemd/system}

    [[ -x $_program ]] \
        || noptrace_fatal "$_program: no such program; install noptrace"
    noptrace_is_static "$_program" \
        || noptrace_fatal "$_program: not a static ELF program; build it with 'make'"
    noptrace_is_native "$_program" "${dracutsysrootdir-}/bin/sh" \
        || noptrace_fatal "$_program: not of the architecture of ${dracutsysrootdir-}/bin/sh; build it for that"
    # Returns 0 where it finds no configuration: it knows kernels that lack Yama, not those that have it.
    check_kernel_config CONFIG_SECURITY_YAMA \
        || noptrace_fatal "kernel $kernel has no CONFIG_SECURITY_YAMA and could not lock; use another kernel"
    case $_policy in
        continue | emergency | poweroff | reboot) ;;
        *) noptrace_fatal "noptrace_on_failure=$_policy: not one of continue, emergency, poweroff, reboot" ;;
    esac

    noptrace_install "$_program" /usr/sbin/noptrace

    if ! dracut_module_included systemd; then
        # The first hook there is: /init has just mounted /proc, and nothing of ours has run yet.
        inst_hook cmdline 00 "$moddir/noptrace.sh" || noptrace_fatal "cannot install the hook"
        noptrace_install "$moddir/on-failure/$_policy.sh" /usr/lib/noptrace/on-failure.sh
        return
    fi

    # A native unit and no hook: an `exit` in another module's hook skips those after it, and an
    # image without the dracut-systemd module runs none.
    noptrace_install "$moddir/$_unit" "$_units/$_unit"
    noptrace_link "$_units/$_unit" "$_units/sysinit.target.wants/$_unit"
    [[ $_policy == continue ]] && return
    # Nothing but a requirement of this service holds a boot: those of targets are let go.
    noptrace_link "$_units/$_unit" "$_units/initrd-switch-root.service.requires/$_unit"
    # emergency.target without an emergency.service would hang without a word
    if [[ $_policy == emergency && ! -e $initdir$_units/emergency.service ]] \
        && ! dracut_module_included dracut-systemd && ! dracut_module_included systemd-emergency; then
        dwarn "noptrace: this image has no emergency.service: a failed lock will power off"
        _policy=poweroff
    fi
    noptrace_install "$moddir/on-failure/$_policy.conf" "$_units/$_unit.d/on-failure.conf"
}
