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

# dracut sets these for its modules: moddir, initdir, kernel, dracutbasedir, dracutsysrootdir, systemdsystemunitdir,
# systemdutildir, and what its options and dracut.conf say. print_cmdline, mods_checked_as_dep, prefer_dracutmodules, confdir
# and add_confdir are its own, and tried with 051 to 112: where one is missing, the build goes on as without that look.
# shellcheck disable=SC2154

# Where `make install` puts the programs. In the image noptrace is /usr/sbin/noptrace.
noptrace_program=/usr/sbin/noptrace
noptrace_judge=/usr/libexec/noptrace/noptrace-judge

# Opt in: --add noptrace, or add_dracutmodules+=" noptrace ". dracut asks every module that is not omitted, unless its
# caller names them all, so this is where an opt-in that was taken back unawares ends the build: dracut would make an
# image that only looks as if it locked. And where it is said that an opt-in for the other generator is not one for dracut,
# which update-initramfs may be.
check() {
    local _other=${dracutsysrootdir-}/etc/initramfs-tools/noptrace.conf _opt_in=zz-noptrace-opt-in.conf
    # what another module depends on is in the last of these lists
    local _asked=" $dracutmodules $add_dracutmodules ${force_add_dracutmodules-} ${prefer_dracutmodules-} ${mods_checked_as_dep-} "
    # --print-cmdline makes no image
    [[ $_asked != *\ noptrace\ * && ! ${print_cmdline-} ]] || return 255

    [[ ! ${noptrace_on_failure-} ]] \
        || dwarn "noptrace: noptrace_on_failure=$noptrace_on_failure is set, and nothing asks for the module noptrace: this image will not lock; put add_dracutmodules+=\" noptrace \" into a file of /etc/dracut.conf.d, or remove that setting"
    # not where another file of its name counts in its place, as a link to /dev/null
    [[ ! -e $dracutbasedir/dracut.conf.d/$_opt_in || -e $confdir/$_opt_in || (${add_confdir-} && -e $add_confdir/$_opt_in) ]] \
        || noptrace_fatal "$dracutbasedir/dracut.conf.d/$_opt_in asks for the module noptrace, and another file takes that back: look for add_dracutmodules= there, and write +="
    [[ ! -e $_other ]] \
        || dwarn "noptrace: $_other does not count for dracut, which makes this image: it will not lock; opt in with a file in /etc/dracut.conf.d"
    return 255
}

# Alone, as in dracut -m noptrace, there would be no /init, and no word of that.
depends() {
    [[ " ${omit_dracutmodules-} " == *\ base\ * ]] || echo base
}

# Ends the build: one line that says what is wrong and what to do.
noptrace_fatal() {
    dfatal "noptrace: $*"
    exit 1
}

# noptrace_ask NAME QUESTION…: ends the build where noptrace-judge says no to that.
noptrace_ask() {
    local _said
    _said=$("$noptrace_judge" "${@:2}") && return
    _said=${_said:-noptrace-judge failed; install noptrace again}
    noptrace_fatal "$1: ${_said//"$initdir"/}"
}

# noptrace_ask_all PROGRAM POLICY: whether they would make an image that locks.
noptrace_ask_all() {
    local _root=${dracutsysrootdir-} _like=$initdir/bin/sh _config _line=
    # with --sysroot, that of the root, or this machine's where it is of another architecture
    "$_root$noptrace_judge" --help &> /dev/null && noptrace_judge=$_root$noptrace_judge
    "$noptrace_judge" --help &> /dev/null || noptrace_fatal "$noptrace_judge: cannot be run; install noptrace"

    noptrace_ask "noptrace_on_failure=$2" policy "$2"
    # what dracut has put there already: links of a --sysroot would lead out of it
    [[ -e $_like ]] || _like=$_root/bin/sh
    noptrace_ask "$1" program "$1" "$_like"
    # Without --kernel-image and modules, $kernel is that of this machine. Where no configuration is at
    # hand, only the boot can tell.
    if [[ ${no_kernel-} != yes ]] && _config=$("$noptrace_judge" config "$_root" "$kernel"); then
        [[ ${uefi-} != yes ]] || _line=${kernel_cmdline-}
        noptrace_ask "$_config" kernel "$_config" "$_line"
    fi
    # on purpose, for a second one, or left there
    if [[ ${uefi-} == yes ]] && "${noptrace_judge%/*}/noptrace-cmdline" has maintenance "${kernel_cmdline-}" 2> /dev/null; then
        dwarn 'noptrace: the command line of this UKI has the word maintenance: it never locks'
    fi
}

# dracut's own helpers only return a code, which nobody looks at, and are content with whatever is there already.
noptrace_install() {
    local _sum
    inst_simple "$1" "$2"
    [[ -e $initdir$2 ]] || noptrace_fatal "$1: cannot be put into the image as $2"
    { _sum=$(sha256sum < "$1") && [[ $_sum == "$(sha256sum < "$initdir$2")" ]]; } \
        || noptrace_fatal "$2: another module has put another one into the image; remove that module"
}

noptrace_link() {
    mkdir -p "$initdir${2%/*}"
    ln_r "$1" "$2" || noptrace_fatal "$2: cannot be made in the image"
}

# noptrace_command NAME: has it in the image, be it busybox's.
noptrace_command() {
    local _folder
    inst_multiple -o "$1"
    for _folder in /usr/sbin /usr/bin /sbin /bin; do
        [[ ! -e $initdir$_folder/$1 ]] || return 0
    done
    noptrace_fatal "noptrace_on_failure=$1: no $1 to put into the image; install it, or choose another policy"
}

# The first hook there is: /init has just mounted /proc, and nothing of ours has run yet.
noptrace_install_hook() {
    inst_hook cmdline 00 "$moddir/noptrace.sh" || noptrace_fatal "$moddir/noptrace.sh: cannot be installed as a hook; install noptrace again"
    inst_hook pre-pivot 99 "$moddir/noptrace-run.sh" || noptrace_fatal "$moddir/noptrace-run.sh: cannot be installed as a hook; install noptrace again"
    noptrace_install "$moddir/on-failure/$1.sh" /usr/lib/noptrace/on-failure.sh
    [[ $1 != poweroff && $1 != reboot ]] || noptrace_command "$1"
}

# A native unit and no hook: an `exit` in another module's hook skips those after it, and an image
# without the dracut-systemd module runs none.
noptrace_install_unit() {
    local _policy=$1 _unit=noptrace-initramfs.service _needed
    # $systemdsystemconfdir is empty without hostonly
    local _units=${systemdsystemunitdir:-/usr/lib/systemd/system}

    noptrace_install "$moddir/$_unit" "$_units/$_unit"
    noptrace_install "$moddir/before.conf" "$_units/$_unit.d/before.conf"
    noptrace_link "$_units/$_unit" "$_units/sysinit.target.wants/$_unit"
    [[ $_policy != continue ]] || return 0

    # emergency.target without an emergency.service would hang without a word
    if [[ $_policy == emergency && ! -e $initdir$_units/emergency.service ]] \
        && ! dracut_module_included dracut-systemd && ! dracut_module_included systemd-emergency; then
        dwarn "noptrace: this image has no emergency.service: a failed lock will power off"
        _policy=poweroff
    fi
    if [[ $_policy != emergency ]]; then
        for _needed in "$_units"/{"$_policy","shutdown","umount","final"}.target "$_units/systemd-$_policy.service" \
            "${systemdutildir:-/usr/lib/systemd}/systemd-shutdown"; do
            inst_multiple -o "$_needed"
            [[ -e $initdir$_needed ]] \
                || noptrace_fatal "noptrace_on_failure=$_policy: no $_needed to put into the image; install it, or choose another policy"
        done
    fi
    noptrace_install "$moddir/noptrace-locked@.target" "$_units/noptrace-locked@.target"
    noptrace_link "$_units/noptrace-locked@.target" "$_units/sysinit.target.wants/noptrace-locked@$_policy.target"
    # Nothing but what this service is bound to holds a boot: what targets require is let go.
    noptrace_install "$moddir/switch-root.conf" "$_units/initrd-switch-root.service.d/noptrace.conf"
}

install() {
    local _program=${dracutsysrootdir-}$noptrace_program
    local _policy=${noptrace_on_failure:-continue}

    noptrace_ask_all "$_program" "$_policy"
    noptrace_install "$_program" /usr/sbin/noptrace
    if dracut_module_included systemd; then
        noptrace_install_unit "$_policy"
    else
        noptrace_install_hook "$_policy"
    fi
}
