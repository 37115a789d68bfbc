# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# noptrace-image boot: boots an image normally and for maintenance, and tells what the first process of the
# real root found. In $work, each boot keeps MODE.console, MODE.answer, MODE.code (of run_guest) and MODE.qemu
# (what QEMU itself said).
#
# From noptrace-image, which sources this, it takes $lib, $probe_in_root, complain and quit; of its main() $kernel, $accel,
# $timeout, $append, $log, $root, $probe and $format; and of its boot() $work. boot_image sets two of them anew: $kernel, to
# that of a UKI, and $accel, where KVM cannot be had. What it finds is in $work/results; whoever ends before it calls
# stop_guests.

# shellcheck source=src/image/guest.bash
source "$lib/guest.bash"

# result STATUS POINT TEXT, and conclude IMAGE CODE behind those of an image: for noptrace-report, which
# has the formats.
result() {
    record result "$1" "$2" "${3//[[:cntrl:]]/?}"
}

conclude() {
    record image "$2" "${1//[[:cntrl:]]/?}"
}

record() {
    local IFS=$'\t'
    printf '%s\n' "$*" 2> /dev/null >> "$work/results" || quit 3 "$work: is full; see TMPDIR"
}

# unreadable IMAGE REASON: of an image that is not booted.
unreadable() {
    complain "$2"
    result FAIL image "$2"
    conclude "$1" 2
}

# What the probe tries, in the order of the table.
tries=(scope traceme attach process_vm_readv pidfd_getfd strace write-0 write-1 write-2 scope-afterwards)

label() {
    case $1 in
        scope) echo ptrace_scope ;;
        traceme | attach) echo "PTRACE_${1^^}" ;;
        write-?) echo "set to ${1#write-}" ;;
        scope-afterwards) echo 'ptrace_scope then' ;;
        *) echo "$1" ;;
    esac
}

# as_in MODE NAME VALUE: whether the probe found there what it must.
as_in() {
    case $1/$2/$3 in
        normal/scope/3 | normal/scope-afterwards/3) ;;
        normal/traceme/EPERM | normal/attach/EPERM | normal/process_vm_readv/EPERM | normal/pidfd_getfd/EPERM) ;;
        normal/write-?/EINVAL | normal/strace/refused) ;;
        maintenance/scope/[012] | maintenance/scope-afterwards/[012]) ;;
        maintenance/traceme/ok | maintenance/attach/ok | maintenance/process_vm_readv/ok | maintenance/pidfd_getfd/ok) ;;
        maintenance/write-?/ok | maintenance/strace/ok) ;;
        # kernels before 5.6 have none; and where no strace was at hand
        */pidfd_getfd/ENOSYS | */strace/absent) ;;
        *) return 1 ;;
    esac
}

# all_as_in MODE ANSWER
all_as_in() {
    local name
    for name in "${tries[@]}"; do
        as_in "$1" "$name" "$(found "$2" "$name")" || return 1
    done
}

# judge MODE: what this boot came to, in a word or two.
judge() {
    local end
    end=$(ended "$work/$1.answer" "$work/$1.console" "$(< "$work/$1.code")")
    if [[ $end != answered ]]; then
        echo "$end"
    elif all_as_in normal "$work/$1.answer"; then
        echo locked
    elif all_as_in maintenance "$work/$1.answer"; then
        echo open
    else
        echo neither
    fi
}

# keep_console MODE: keeps that boot's console, and writes it to $log line by line, as it comes: also what a guest that
# is stopped has said last. grep ends a line that has no end; tee -p goes on where the log cannot be written, of which
# $work/unlogged is left.
keep_console() {
    trap '' TERM
    tee -p "$work/$1.console" | grep --text --line-buffered '' | plain - -u -e "s/^/$1 boot: /" 2> /dev/null >> "${log:-/dev/null}" \
        || : > "$work/unlogged"
}

# boot_mode MODE COMMAND-LINE KERNEL INITRD DISK: stopped, it still waits for its console to be kept.
boot_mode() {
    trap : TERM
    {
        local code=0
        run_guest "$work/$1.answer" "$timeout" "$accel" "$2" -kernel "$3" -initrd "$4" -drive "$(guest_disk "$5")" \
            < /dev/null 2> "$work/$1.qemu" || code=$?
        echo "$code" > "$work/$1.code"
    } | keep_console "$1"
}

# The process groups of the two boots.
guests=()

stop_guests() {
    local guest
    for guest in "${guests[@]}"; do
        kill -- "-$guest" 2> /dev/null || true
    done
}

# says_too_much MODE: whether that guest says more than anybody reads, so as to fill the disk, or to be read for ever.
says_too_much() {
    local size
    for size in $(stat -c %s "$work/$1".{answer,console,qemu}); do
        ((size <= 4 << 20)) || return 0
    done
    return 1
}

# Waits for the boots, and does not wait for one whose guest waits for somebody at its console, or says too much. The
# guests keep the machine busy: whether they have ended is asked often, and costs nothing; what they say is read once a
# second.
await_guests() {
    local -a modes=(normal maintenance)
    local i running=1 read_at=$SECONDS
    while [[ $running ]]; do
        running=
        for i in 0 1; do
            kill -0 "${guests[i]}" 2> /dev/null || continue
            running=1
            ((SECONDS > read_at)) || continue
            if says_too_much "${modes[i]}"; then
                : > "$work/${modes[i]}.stopped"
                kill -- "-${guests[i]}" 2> /dev/null || true
            elif plain "$work/${modes[i]}.console" | grep -qE "$emergency"; then
                kill -- "-${guests[i]}" 2> /dev/null || true
            fi
        done
        if ((SECONDS > read_at)); then
            read_at=$SECONDS
            [[ ! -t 2 ]] || printf '\r\e[Kbooting twice: %s s of %s  %.50s' "$SECONDS" "$timeout" \
                "$(plain "$work/normal.console" | tail -n 1 | cut -c 1-50)" >&2
        fi
        [[ ! $running ]] || sleep 0.1
    done
    [[ ! -t 2 ]] || printf '\r\e[K' >&2
}

row() {
    printf '%-18s %-16s %s\n' "$@"
}

# table NORMAL MAINTENANCE: what both boots found, side by side, and what they came to.
table() {
    local name
    row '' 'normal boot' 'maintenance boot'
    for name in "${tries[@]}"; do
        [[ $name == scope-afterwards ]] \
            || row "$(label "$name")" "$(found "$work/normal.answer" "$name")" "$(found "$work/maintenance.answer" "$name")"
    done
    row outcome "$1" "$2"
    # the last of them may be cut
    log_lines normal | head -c "$found_most" | grep ''
    log_lines maintenance | head -c "$found_most" | grep ''
}

# The lines of ours that a boot left: from the real root's kernel log or, if it never came there, from
# its console.
log_lines() {
    local lines
    lines=$(found "$work/$1.answer" log | sed 's/^[0-7] //')
    [[ $lines ]] || lines=$(plain "$work/$1.console" | sed -n 's/.*\(noptrace: .*\)/\1/p' | sort -u)
    [[ -z $lines ]] || printf '%s\n' "$lines" | sed "s/^/$1 boot: /"
}

# mode_results MODE OUTCOME MUST: the points of one boot.
mode_results() {
    local name value
    if [[ $2 == "$3" ]]; then result ok "$1 boot" "$2"; else result FAIL "$1 boot" "$2, must be $3"; fi
    for name in "${tries[@]}"; do
        value=$(found "$work/$1.answer" "$name")
        if [[ $value == absent || ! $value ]]; then
            result n/a "$1 boot: $(label "$name")" "${value:-no answer}"
        elif as_in "$1" "$name" "$value"; then
            result ok "$1 boot: $(label "$name")" "$value"
        else
            result FAIL "$1 boot: $(label "$name")" "$value"
        fi
    done
}

# conclude_boots IMAGE NORMAL-OUTCOME MAINTENANCE-OUTCOME: the exit code that the two outcomes stand for, and why on stderr.
conclude_boots() {
    local image=$1 normal_outcome=$2 maintenance_outcome=$3 perhaps=''
    case $normal_outcome/$maintenance_outcome in
        locked/open)
            conclude "$image" 0
            return
            ;;
        # what was found in a real root, before what was not
        open/* | neither/* | locked/locked | locked/neither)
            complain "$image: does not do its job: a normal boot is $normal_outcome, a maintenance boot $maintenance_outcome"
            conclude "$image" 1
            return
            ;;
    esac
    # It never came to a real root. If it said that it could not lock, that is the answer.
    if [[ $normal_outcome != locked ]] && log_lines normal | grep -q 'not locked'; then
        complain "$image: could not lock: $(log_lines normal | grep -m 1 -o 'noptrace: .*not locked.*' | head -c 1000)"
        conclude "$image" 1
        return
    fi
    if [[ ! $normal_outcome/$maintenance_outcome =~ locked|open|neither ]] \
        && log_lines normal | grep -q '^normal boot: noptrace: locked: '; then
        perhaps='; noptrace ran, but no real root came: it may lack drivers of the emulated machine, see noptrace-image(8)'
    fi
    case $normal_outcome/$maintenance_outcome in
        *panicked*)
            complain "$image: the kernel panicked; see its console (--log)"
            conclude "$image" 255
            ;;
        *'timed out'*)
            complain "$image: no answer within $timeout s; see its console (--log)$perhaps"
            conclude "$image" 124
            ;;
        *)
            complain "$image: a normal boot: $normal_outcome, a maintenance boot: $maintenance_outcome; see the consoles (--log)$perhaps"
            conclude "$image" 3
            ;;
    esac
}

# find_accel: $accel, or tcg where that cannot be, which is said.
find_accel() {
    [[ $accel == kvm ]] || return 0
    if [[ $guest_machine != "$(uname -m)" ]]; then
        complain "--accel kvm: this machine is $(uname -m), the guest $guest_machine: emulating it"
    elif [[ ! -w /dev/kvm ]]; then
        complain '--accel kvm: /dev/kvm is not there, or may not be written: emulating'
    else
        return 0
    fi
    accel=tcg
}

# find_kernel IMAGE: fails where there is none; otherwise what the image is booted with: $kernel, $initrd, and
# $normal_words and $maintenance_words, which a UKI has on its command lines; and $word, which the maintenance boot needs
# besides.
find_kernel() {
    local profiles purpose line first='' code=0
    initrd=$1 normal_words='' maintenance_words='' word=maintenance
    profiles=$("$lib/noptrace-uki" open "$1" "$work") || code=$?
    case $code in
        0)
            initrd=$work/initrd
            [[ ! $kernel ]] || complain "--kernel $kernel: not booted, as $1 is a UKI, which has its own"
            kernel=$work/linux
            while IFS=$'\t' read -r purpose line; do
                if [[ ! $first ]]; then
                    first=1 normal_words=$line maintenance_words=$line
                fi
                [[ $purpose != maintenance ]] || maintenance_words=$line word=''
            done <<< "$profiles"
            ;;
        1) ;;
        3) quit 3 "${TMPDIR:-/tmp}: $profiles; see TMPDIR" ;;
        *)
            unreadable "$1" "$1: cannot be read: ${profiles:-noptrace-uki failed; install noptrace-image again}"
            return 1
            ;;
    esac
    [[ $kernel ]] || quit 2 "boot needs --kernel, unless IMAGE is a UKI; see 'noptrace-image --help'"
    guest_machine=$("$lib/noptrace-uki" machine "$kernel")
    [[ $guest_machine =~ ^(x86_64|aarch64|riscv64)$ ]] && return
    unreadable "$1" "$kernel: not a kernel for x86-64, arm64 or riscv64"
    return 1
}

# find_root IMAGE: fails where the probe is for another machine; otherwise the disk to boot against, and the words that
# name what is on it.
find_root() {
    local strace=''
    if [[ $root ]]; then
        "$lib/noptrace-cmdline" value root "$normal_words $append" > /dev/null \
            || quit 2 "--root $root: nothing says what to mount there: --append root=…"
        disk=$root words="init=$probe_in_root"
        return
    fi
    if [[ $("$lib/noptrace-uki" machine "$probe") != "$guest_machine" ]]; then
        unreadable "$1" "$probe: no program for $guest_machine, as the kernel is; give that machine's noptrace-probe with --probe"
        return 1
    fi
    if [[ $guest_machine == "$(uname -m)" ]]; then strace=$(command -v strace || true); fi
    [[ $strace ]] || complain "no strace for $guest_machine here: not tried"
    disk=$work/root.disk words='root=LABEL=noptrace'
    make_root "$disk" "$probe" "$strace" || quit 3 "cannot make a real root to boot against in $work"
}

# boot_image IMAGE
boot_image() {
    local image=$1 initrd normal_words maintenance_words word disk words mode tool normal_outcome maintenance_outcome
    find_kernel "$image" || return
    # mke2fs makes a root where none is given
    for tool in "qemu-system-$guest_machine" $([[ $root ]] || echo mke2fs); do
        command -v "$tool" > /dev/null && continue
        complain "skipped: no $tool here; install it"
        result n/a boot "skipped: no $tool here; install it"
        conclude "$image" 77
        return
    done
    find_accel
    find_root "$image" || return
    # The words that end a boot that fails, instead of waiting for somebody at its console; two of run_guest's once more,
    # behind what a UKI says.
    words="$words ro rd.skipfsck rd.shell=0 rd.emergency=poweroff panic=-1 oops=panic $append"

    if ! { guest_fits "$normal_words $words" && guest_fits "$maintenance_words $words $word"; }; then
        complain "$image: a kernel for $guest_machine has no room for its command line and the words of a test boot: not booted"
        result n/a boot "no room for the command line and the words of a test boot"
        conclude "$image" 3
        return
    fi

    [[ ! $log ]] || : > "$log"
    touch "$work"/{normal,maintenance}.{answer,console,qemu}
    # A process group each, to be stopped with all that is in it.
    set -m
    boot_mode normal "$normal_words $words" "$kernel" "$initrd" "$disk" &
    guests+=($!)
    boot_mode maintenance "$maintenance_words $words $word" "$kernel" "$initrd" "$disk" &
    guests+=($!)
    set +m
    await_guests
    wait
    # whose numbers are anybody's now
    guests=()

    for mode in normal maintenance; do
        [[ -e $work/$mode.code ]] || echo 143 > "$work/$mode.code"
        [[ ! $log ]] || sed "s/^/$mode boot: QEMU: /" "$work/$mode.qemu" 2> /dev/null >> "$log" || : > "$work/unlogged"
        cat "$work/$mode.qemu" >&2
        [[ ! -e $work/$mode.stopped ]] || complain "$image: the $mode boot says more than 4 MiB: not waited for"
        # as run_guest does behind a guest that was not stopped
        sed -i 's/\r$//' "$work/$mode.answer"
    done
    [[ ! -e $work/unlogged ]] || quit 2 "$log: cannot be written"

    normal_outcome=$(judge normal)
    maintenance_outcome=$(judge maintenance)
    mode_results normal "$normal_outcome" locked
    mode_results maintenance "$maintenance_outcome" open
    table "$normal_outcome" "$maintenance_outcome" > "$work/table"
    [[ $format != text ]] || cat "$work/table" 2> /dev/null || quit 2 'the results cannot be written'
    conclude_boots "$image" "$normal_outcome" "$maintenance_outcome"
    if [[ $root && $normal_outcome/$maintenance_outcome != locked/open ]]; then
        complain "--root $root: what answers there is $probe_in_root: is noptrace-image installed on it?"
    fi
}
