# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# noptrace-image: guests, and how they end. The project's tests start theirs here too, so that QEMU is
# started in one place.

# What a guest's kernel is for, as uname -m says it: x86_64, aarch64 or riscv64.
guest_machine=x86_64

# guest_words: the words that run_guest puts before those that it is given.
guest_words() {
    # norandmaps: where each process has its programs and libraries at addresses of its own, QEMU has to translate
    # their code once more for each; without that a boot of a dracut image takes a quarter less.
    local words='panic=-1 oops=panic norandmaps'
    case $guest_machine in
        # no_timer_check: on a busy machine an emulated timer comes late, and the kernel's test of it, early in
        # the boot, ends in a panic
        x86_64) echo "console=ttyS0 no_timer_check $words" ;;
        riscv64) echo "console=ttyS0 $words" ;;
        aarch64) echo "console=ttyAMA0 $words" ;;
    esac
}

# guest_fits COMMAND-LINE: whether a guest's kernel has room for all of it behind these words. What has none is cut off
# without a word, or QEMU does not come to boot the kernel.
guest_fits() {
    local LC_ALL=C room=2047 line
    # older ones; newer have 1,023
    [[ $guest_machine != riscv64 ]] || room=511
    line="$(guest_words) $1"
    ((${#line} <= room))
}

# run_guest ANSWER SECONDS ACCEL COMMAND-LINE QEMU-ARGUMENT…
#
# The one place that starts QEMU. COMMAND-LINE goes with -kernel; it is empty for a guest that has a boot
# loader. The guest's console is stdin and stdout; what it writes to its second serial line goes to the file
# ANSWER, whose lines end in a newline alone once the guest has ended. A guest that reboots ends QEMU, as one
# that powers off does, and a panic reboots: how a guest ended is told by its console and not by QEMU's exit
# code. One that halts or hangs ends with its time, with 124; with 137 where QEMU did not heed that, and was killed.
# QEMU stays in the process group of its caller, who may kill that.
run_guest() {
    local answer=$1 seconds=$2 accel=$3 command_line=$4 code=0
    local -a machine=(-serial chardev:answer)
    shift 4
    # other boards than a PC have one serial line, so the second is a PCI card
    [[ $guest_machine == x86_64 ]] || machine=(-M virt -device 'pci-serial,chardev=answer')
    # The processor is QEMU's own choice, which has least to emulate: with -cpu max a boot takes a fifth longer.
    case $guest_machine/$accel in
        aarch64/kvm) machine+=(-cpu host) ;;
        aarch64/*) machine+=(-cpu cortex-a57) ;;
    esac
    # in a name a comma comes twice, as in guest_disk
    timeout --foreground --kill-after=5 "$seconds" \
        "qemu-system-$guest_machine" -accel "$accel" -m 1024 -nodefaults -no-user-config -display none -no-reboot \
        -chardev stdio,id=console,signal=off -serial chardev:console \
        -chardev "file,id=answer,path=${answer//,/,,}" "${machine[@]}" \
        -object rng-random,id=random,filename=/dev/urandom -device virtio-rng-pci,rng=random \
        ${command_line:+-append "$(guest_words) $command_line"} "$@" || code=$?
    # its terminal puts a carriage return before each
    [[ ! -e $answer ]] || sed -i 's/\r$//' "$answer"
    return "$code"
}

# guest_disk FILE: for -drive, a disk that every boot finds as it was made.
guest_disk() {
    local format=raw
    [[ $(od -An -c -N 3 "$1") != '   Q   F   I' ]] || format=qcow2
    # QEMU takes a comma in a name when it comes twice
    echo "file=${1//,/,,},format=$format,if=virtio,snapshot=on"
}

# plain FILE [SED-ARGUMENT…]: a console as a person reads it, without the carriage returns and escape sequences. What
# else a guest could steer a terminal with, in any character set, is a question mark: whatever is not ASCII.
plain() {
    LC_ALL=C sed "${@:2}" -e 's/[\r\x00]//g' -e 's/\x1b\[[0-9;?]*[A-Za-z]//g' -e "$harmless" -- "$1"
}
harmless='y/\t/ /; s/[^ -~]/?/g'

# make_root DISK PROBE [STRACE]: a real root with the probe as its first process, strace if it is given, and
# nothing else.
make_root() {
    local tree=$1.tree
    mkdir -p "$tree"/{dev,proc,sys,run,tmp,etc,usr/bin,usr/sbin,usr/lib,usr/lib64} \
        && ln -s usr/bin usr/sbin usr/lib usr/lib64 "$tree" \
        && cp "$2" "$tree/usr/sbin/init" \
        || return
    # systemd does not switch to a root without this file
    echo 'ID=noptrace-image' > "$tree/etc/os-release"
    if [[ ${3-} ]]; then
        cp "$3" "$tree/usr/bin/strace" || return
        ldd "$tree/usr/bin/strace" | sed -n 's,[^/]*\(/[^ ]*\).*,\1,p' | xargs -r cp -L --parents -t "$tree" || return
    fi
    truncate -s 64M "$1" && mke2fs -q -t ext4 -L noptrace -d "$tree" "$1"
}

# What a console shows where somebody is asked to take over: systemd's, dracut's and busybox's shells.
emergency='You are in emergency mode|Entering emergency mode|Press Enter for maintenance|Dropping to debug shell|built-in shell \(ash\)'

# ended ANSWER CONSOLE CODE: how a guest came to its end, or to where it would wait for ever.
ended() {
    if grep -qx end "$1"; then
        echo answered
    elif plain "$2" | grep -q 'Kernel panic'; then
        echo panicked
    elif plain "$2" | grep -q 'reboot: Power down'; then
        echo 'powered off'
    elif plain "$2" | grep -q 'reboot: Restarting system\|reboot: machine restart'; then
        echo rebooted
    elif plain "$2" | grep -qE "$emergency"; then
        echo 'emergency shell'
    elif [[ ! -s $2 ]]; then
        echo 'no console output'
    elif [[ $3 == 124 || $3 == 137 ]]; then
        echo 'timed out'
    else
        echo 'no answer'
    fi
}

# found ANSWER NAME: what the probe found there, and no more than that many bytes: whoever else is in the guest may write
# there as well, and for ever. Nothing at all is a -, so that who writes too much never has one answer.
found() {
    LC_ALL=C sed -n "/^$2 /{ s/^$2 //; s/^$/-/; $harmless; p; }" "$1" | head -c "$found_most"
}
found_most=10000
