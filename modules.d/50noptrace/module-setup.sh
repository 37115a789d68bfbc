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

# A program that needs a loader would not start in an image without its libraries. This asks the
# same ldd as dracut does, which calls a script "not a dynamic executable" too.
noptrace_is_static() {
    local _magic _linkage
    IFS= read -r -d '' -n 4 _magic < "$1"
    # ldd fails for what is not dynamic: its words count, not its exit code
    _linkage=$(LC_ALL=C "${DRACUT_LDD:-ldd}" "$1" 2>&1)
    [[ $_magic == $'\x7fELF' ]] \
        && [[ $_linkage =~ 'statically linked'|[Nn]'ot a dynamic executable'|'Not a valid dynamic program' ]]
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
