# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# noptrace-image check: looks into an image, point by point. The functions below check_image are the points,
# one or a few that belong together; each gives its results with what to do about them.
#
# They share what check_image found: $tree, the initramfs unpacked; $init, what runs in it: systemd, dracut,
# initramfs-tools or handmade; $wired, what calls our program there, of the same names; $config, the file of
# the kernel's configuration, and $config_lines, what it says; and the command lines that are built in.

# Of each command line that is built in: where it is from, what it is, and whether it is for maintenance.
origins=() lines=() purposes=()

# The kernel's parser, next_arg() of lib/cmdline.c: the parameters of a command line, one on each line, until
# a bare "--". src/cmdline.h has the rules; that reader answers one question about a line and lists nothing.
parameters() {
    local LC_ALL=C line=$1 separator=$' \t\n\v\f\r\xa0' word name quoted
    local pattern="^[$separator]*((([^\"$separator]|\"[^\"]*\")+(\"[^\"]*\$)?)|\"[^\"]*\$)"
    while [[ $line =~ $pattern ]]; do
        word=${BASH_REMATCH[1]}
        line=${line:${#BASH_REMATCH[0]}}
        quoted=
        if [[ $word == '"'* ]]; then
            word=${word#'"'}
            quoted=1
        fi
        # an '=' that comes first belongs to the name
        if [[ $word == ?*=* ]]; then
            name=${word:0:1}
            word=${word:1}
            name+=${word%%=*}
            word=${word#*=}
            if [[ $word == '"'* ]]; then
                word=${word#'"'}
                word=${word%'"'}
            elif [[ $quoted ]]; then
                word=${word%'"'}
            fi
            word=$name=$word
        elif [[ $quoted ]]; then
            word=${word%'"'}
        fi
        [[ $word != -- ]] || return 0
        # a newline in quotes belongs to the word
        printf '%s\n' "${word//$'\n'/ }"
    done
}

# value LINE NAME: of the last parameter of that name, which is the one that counts.
value() {
    parameters "$1" | awk -v name="$2=" 'index($0, name) == 1 { value = substr($0, length(name) + 1); found = 1 }
        END { if (found) print value; exit !found }'
}

program=usr/sbin/noptrace

# How the program comes into an image of this kind, and is called there.
remedy() {
    case $init in
        handmade) echo 'put the line "/usr/sbin/noptrace apply || poweroff -f" into /init, and the program beside it' ;;
        initramfs-tools) echo 'opt in with /etc/initramfs-tools/noptrace.conf, and build it anew' ;;
        *) echo 'build it with dracut --add noptrace, and let no omit_dracutmodules name it' ;;
    esac
}

check_program() {
    if [[ -f $tree/$program ]]; then
        result ok program "/$program"
    else
        result FAIL program "/$program: not in the image; $(remedy)"
        return 1
    fi
}

check_executable() {
    if [[ $(find -L "$tree/$program" -perm /111) ]]; then
        result ok executable "mode $(stat -L -c %a "$tree/$program")"
    else
        result FAIL executable "/$program: mode $(stat -L -c %a "$tree/$program"); make it 755 before the image is built"
    fi
}

check_static() {
    local headers end
    headers=$(LC_ALL=C readelf -hlW "$tree/$program" 2>&1) || headers=
    if [[ $headers != *'ELF Header'* || $headers != *' LOAD '* ]]; then
        result FAIL static "/$program: not an ELF program, or cut short; install noptrace again"
        return
    fi
    end=$(awk '$1 == "LOAD" { print $2, $5 }' <<< "$headers" \
        | while read -r offset size; do echo $((offset + size)); done | sort -n | tail -n 1)
    if ((end > $(stat -L -c %s "$tree/$program"))); then
        result FAIL static "/$program: cut short, $(stat -L -c %s "$tree/$program") bytes of $end; install noptrace again"
    elif [[ $headers == *' INTERP '* ]]; then
        result FAIL static "/$program: needs a loader that an initramfs may lack; build it with 'make'"
    else
        result ok static "needs no loader and no library"
    fi
}

# Where the program and what it runs beside are for different machines, it cannot be executed.
check_architecture() {
    local file found='' of=''
    for file in bin/sh usr/lib/systemd/systemd init; do
        [[ ! -f $tree/$file ]] || found=$(elf_machine "$tree/$file")
        [[ ! $found ]] || break
    done
    of=/$file
    if ((${#profiles[@]})); then
        found=$(pe_machine "$work/linux" || true)
        of='the kernel'
    fi
    file=$(elf_machine "$tree/$program")
    if [[ ! $found || ! $file ]]; then
        result n/a architecture "${file:-unknown}; nothing in the image to compare it with"
    elif [[ $found == "$file" ]]; then
        result ok architecture "$file, as $of"
    else
        result FAIL architecture "/$program: for $file, and $of is for $found; install noptrace for $found"
    fi
}

check_runs() {
    local machine said code=0
    local -a with=()
    machine=$(elf_machine "$tree/$program")
    if [[ $machine != "$(uname -m)" ]]; then
        with=("$(command -v "qemu-$machine-static" || command -v "qemu-$machine" || true)")
        [[ ${with[0]} ]] || {
            result n/a runs "for ${machine:-no machine that is known}, and no qemu-${machine:-user} here to run it"
            return
        }
    fi
    said=$(timeout 10 "${with[@]}" "$tree/$program" --version 2> /dev/null | tr -d '\0') || code=$?
    if [[ $code == 0 && $said == noptrace\ * ]]; then
        result ok runs "$said${with[0]+, through ${with[0]##*/}}"
    else
        result FAIL runs "/$program --version: exit code $code, '${said:0:60}'; it is not noptrace, or broken (or TMPDIR is mounted noexec)"
    fi
}

# The unit, and where systemd looks for units: the first counts, so an administrator may hide what is in /usr.
unit=noptrace-initramfs.service
unit_folders=({etc,run,usr/local/lib,usr/lib,lib}/systemd/system)

# first_of PATH…: the first of these that is in the image, as a file or a link.
first_of() {
    local path
    for path; do
        if [[ -e $tree/$path || -L $tree/$path ]]; then
            echo "$path"
            return
        fi
    done
    return 1
}

find_init() {
    local target
    target=$(readlink -m "$tree/init")
    if [[ $target == */systemd ]]; then
        echo systemd
    elif [[ -e $tree/scripts/init-top ]]; then
        echo initramfs-tools
    elif [[ -e $tree/usr/lib/dracut || -e $tree/lib/dracut ]]; then
        echo dracut
    else
        echo handmade
    fi
}

hook_folder() {
    first_of var/lib/dracut/hooks/cmdline usr/lib/dracut/hooks/cmdline lib/dracut/hooks/cmdline
}

# calls FILE…: whether one of these calls the program.
calls() {
    grep -qs '^[^#]*noptrace apply' "$@"
}

find_wired() {
    first_of "${unit_folders[@]/%//$unit}" > /dev/null && echo systemd
    calls "$tree/$(hook_folder)"/*noptrace.sh && echo dracut
    # without the conf file that script does nothing
    [[ -e $tree/conf/noptrace.conf ]] && calls "$tree/scripts/init-top/00-noptrace" && echo initramfs-tools
    [[ $init == handmade ]] && calls "$tree/init" && echo handmade
}

# Exactly one thing calls the program, and it is the one that this image's init runs.
check_wired() {
    case $wired in
        "$init") result ok wired "by $(wired_by "$wired")" ;;
        '') result FAIL wired "nothing calls the program; $(remedy)" ;;
        *$'\n'*) result FAIL wired "more than once: $(while read -r by; do wired_by "$by"; done <<< "$wired" | paste -s -d ,); build the image anew with one" ;;
        *) result FAIL wired "by $(wired_by "$wired"), which does not run where init is $init; build the image anew" ;;
    esac
    [[ $wired == "$init" ]]
}

wired_by() {
    case $1 in
        systemd) echo "the unit $unit" ;;
        dracut) echo "dracut's hook cmdline/$(basename "$(compgen -G "$tree/$(hook_folder)/*noptrace.sh")")" ;;
        initramfs-tools) echo 'the script init-top/00-noptrace' ;;
        handmade) echo '/init' ;;
    esac
}

check_order() {
    local LC_ALL=C first='' skips='' hook before line
    case $wired in
        systemd) check_unit ;;
        dracut)
            # dracut sources them, so that the exit of one skips those after it
            for hook in "$tree/$(hook_folder)"/*.sh; do
                [[ $hook != *noptrace.sh ]] || break
                first=${first:-${hook##*/}}
                ! grep -qw exit "$hook" || skips=${hook##*/}
            done
            if [[ $skips ]]; then
                result FAIL order "the hook $skips runs before it, and its exit would skip it; rename that"
            elif [[ $first ]]; then
                result warn order "the hook $first runs before it; rename that"
            else
                result ok order 'the first of all hooks, before the pivot'
            fi
            ;;
        initramfs-tools)
            line=$(grep -n '^/scripts/init-top/00-noptrace' "$tree/scripts/init-top/ORDER" 2> /dev/null | cut -d : -f 1)
            [[ -x $tree/scripts/init-top/00-noptrace ]] || line=''
            case $line in
                1) result ok order 'the first script of init-top, before the pivot' ;;
                '') result FAIL order 'not in scripts/init-top/ORDER, or not executable, so it is never run; build the image anew' ;;
                *) result warn order 'not the first script of init-top' ;;
            esac
            ;;
        handmade)
            line=$(grep -n '^[^#]*noptrace apply' "$tree/init" | head -n 1 | cut -d : -f 1)
            before=$(grep -nE '^[^#]*(switch_root|run-init|pivot_root)' "$tree/init" | head -n 1 | cut -d : -f 1)
            if [[ ! $before ]]; then
                result warn order 'no switch_root is seen in /init'
            elif ((line < before)); then
                result ok order "line $line of /init, before the pivot in line $before"
            else
                result FAIL order "line $line of /init, after the pivot in line $before; put it before that"
            fi
            ;;
    esac
}

# unit_lines: the unit and what is dropped in to it, without comments.
unit_lines() {
    local folder file
    for file in "$(first_of "${unit_folders[@]/%//$unit}")" \
        $(for folder in "${unit_folders[@]}"; do
            cd "$tree" && ls -d "$folder"/{service,noptrace-.service,"$unit"}.d/*.conf 2> /dev/null
        done); do
        grep -vhE '^[[:space:]]*([#;]|$)' "$tree/$file" 2> /dev/null
    done
}

# A unit can be told by others, in drop-ins, to run late, something else, or not at all.
check_unit() {
    local lines odd
    lines=$(unit_lines)
    odd=$(grep -E '^((After|Requires|BindsTo|(Condition|Assert)[A-Za-z]*)=.|ExecStart=|DefaultDependencies=)' <<< "$lines" \
        | grep -vxE 'ExecStart=/usr/sbin/noptrace apply|DefaultDependencies=no' | head -n 1)
    if [[ $odd ]]; then
        result FAIL order "$unit has $odd, and need not run in time; remove that"
    elif ! grep -qx 'ExecStart=/usr/sbin/noptrace apply' <<< "$lines" || ! grep -qx 'DefaultDependencies=no' <<< "$lines" \
        || ! grep -qE '^Before=.*sysinit\.target' <<< "$lines" \
        || ! grep -qE '^Before=.*initrd-switch-root\.service' <<< "$lines"; then
        result FAIL order "$unit is not noptrace's: it need not lock before the pivot; install noptrace again"
    elif ! first_of "${unit_folders[@]/%//sysinit.target.wants/$unit}" > /dev/null; then
        result FAIL order "no sysinit.target.wants/$unit: nothing starts it; build the image anew"
    else
        result ok order 'in sysinit.target, before the pivot'
    fi
}

# What would keep from running what is wired.
check_masks() {
    local path link i odd
    for i in "${!lines[@]}"; do
        odd=$(parameters "${lines[i]}" \
            | grep -E -e '^(rd\.)?systemd\.mask=noptrace-initramfs(\.service)?$' -e '^rdinit=' | grep -vx 'rdinit=/init' | head -n 1)
        if [[ $odd ]]; then
            result FAIL masks "${origins[i]}: $odd keeps it from running; take that out"
            return
        fi
    done
    if [[ $wired != systemd ]]; then
        result ok masks 'no unit to mask, and no rdinit= is built in'
        return
    fi
    path=$(first_of "${unit_folders[@]/%//$unit}")
    # contain has made the link to /dev/null one into the tree
    if [[ $(readlink "$tree/$path") == */dev/null || ! -s $tree/$path ]]; then
        result FAIL masks "/$path masks the unit, or leads nowhere; remove it"
        return
    fi
    link=$(cd "$tree" && find . -name "$unit" -type l \( -path '*.wants/*' -o -path '*.requires/*' \) ! -exec test -e {} \; -print -quit)
    if [[ $link ]]; then
        result FAIL masks "${link#.} leads nowhere; build the image anew"
        return
    fi
    result ok masks 'no mask, and every link leads to the unit'
}

check_policy() {
    local policy='' lines
    case $wired in
        dracut) policy=$(grep -oshE 'noptrace_on_failure=[a-z]+' "$tree/usr/lib/noptrace/on-failure.sh" | tail -n 1) ;;
        initramfs-tools) policy=$(sed -n 's/^noptrace_on_failure=["'\'']\{0,1\}\([a-z]*\).*/\1/p' "$tree/conf/noptrace.conf" | tail -n 1) ;;
        handmade)
            result n/a policy 'whatever /init does when the program fails'
            return
            ;;
        systemd)
            lines=$(unit_lines)
            case $lines in
                *OnFailure=emergency.target*) policy=emergency ;;
                *FailureAction=poweroff-force*) policy=poweroff ;;
                *FailureAction=reboot-force*) policy=reboot ;;
                *OnFailure=* | *FailureAction=*) ;;
                *) policy='continue' ;;
            esac
            if [[ $policy != continue ]] && ! first_of "${unit_folders[@]/%//initrd-switch-root.service.requires/$unit}" > /dev/null; then
                result FAIL policy "${policy:-unknown}, but initrd-switch-root.service does not require the unit; build the image anew"
                return
            fi
            if [[ $policy == emergency ]] && ! first_of "${unit_folders[@]/%//emergency.service}" > /dev/null; then
                result FAIL policy 'emergency, but there is no emergency.service: the boot would hang; build the image anew'
                return
            fi
            ;;
    esac
    case ${policy#*=} in
        continue) result ok policy 'continue: a boot that could not lock goes on' ;;
        emergency | poweroff | reboot) result ok policy "${policy#*=}: a boot that could not lock is stopped" ;;
        *) result FAIL policy "not one of continue, emergency, poweroff, reboot; build the image anew" ;;
    esac
}

# find_config IMAGE: where the kernel's configuration is, if --kernel-config does not say it.
find_config() {
    local versions file
    if [[ $kernel_config ]]; then
        echo "$kernel_config"
        return
    fi
    versions=$(
        if ((${#profiles[@]})) && [[ -e $work/uname ]]; then tr -d '\0' < "$work/uname" && echo; fi
        cd "$tree" && compgen -G 'usr/lib/modules/*' || compgen -G 'lib/modules/*'
    ) || true
    versions=$(sort -u <<< "${versions//*\//}")
    [[ $versions && $versions != *$'\n'* ]] || return 0
    for file in "$(dirname "$1")/config-$versions" "/boot/config-$versions" "/lib/modules/$versions/config" \
        "/lib/modules/$versions/build/.config"; do
        if [[ -r $file ]]; then
            echo "$file"
            return
        fi
    done
}

# built_in ORIGIN LINE PURPOSE
built_in() {
    origins+=("$1")
    lines+=("$2")
    purposes+=("$3")
}

find_command_lines() {
    local line i
    origins=() lines=() purposes=()
    # with C's escapes
    line=$(sed -n 's/^CONFIG_CMDLINE="\(.*\)"$/\1/p' <<< "$config_lines" | sed 's/\\\(["\\]\)/\1/g')
    [[ ! $line ]] || built_in "CONFIG_CMDLINE of $config" "$line" normal
    [[ ! ${cmdline+set} ]] || built_in --cmdline "$cmdline" normal
    for i in "${!command_lines[@]}"; do
        case ${profiles[i]} in
            '') built_in .cmdline "${command_lines[i]}" normal ;;
            maintenance) built_in 'profile maintenance' "${command_lines[i]}" maintenance ;;
            *) built_in "profile ${profiles[i]}" "${command_lines[i]}" normal ;;
        esac
    done
}

check_yama() {
    local i missing
    if [[ ! $config ]]; then
        result n/a yama 'cannot tell: no kernel configuration is at hand; give --kernel-config'
        unknown=yama
    elif ! grep -qx 'CONFIG_SECURITY_YAMA=y' <<< "$config_lines"; then
        result FAIL yama "$config: no CONFIG_SECURITY_YAMA=y: this kernel cannot lock; use another"
    elif grep '^CONFIG_LSM=' <<< "$config_lines" | grep -vq '[",]yama[",]'; then
        # Kernels before 5.1 have no such list. lsm= replaces it: in every normal boot, or not at all.
        missing=yes
        for i in "${!lines[@]}"; do
            [[ ${purposes[i]} == normal ]] || continue
            missing=
            [[ ,$(value "${lines[i]}" lsm), == *,yama,* ]] || {
                missing=yes
                break
            }
        done
        if [[ $missing ]]; then
            result FAIL yama "$config: CONFIG_LSM leaves yama out; boot with an lsm= that has it, or use another kernel"
        else
            result ok yama "$config has it, and lsm= names it"
        fi
    else
        result ok yama "$config has it"
    fi
}

check_lsm() {
    local i list
    for i in "${!lines[@]}"; do
        if list=$(value "${lines[i]}" lsm) && [[ ,$list, != *,yama,* ]]; then
            result FAIL lsm "${origins[i]}: lsm=$list leaves yama out; add it"
            return
        fi
    done
    if ((${#lines[@]})); then
        result ok lsm 'no lsm= without yama is built in'
    else
        result n/a lsm 'no command line is built in, and none is given with --cmdline'
    fi
}

check_maintenance() {
    local i file
    for i in "${!lines[@]}"; do
        if parameters "${lines[i]}" | grep -qx maintenance; then
            [[ ${purposes[i]} == maintenance ]] || {
                result FAIL maintenance "${origins[i]}: has the word maintenance: each boot would be open; take it out"
                return
            }
        elif [[ ${purposes[i]} == maintenance ]]; then
            result FAIL maintenance "${origins[i]}: lacks the word maintenance, and would lock; add it"
            return
        fi
    done
    for file in "$tree"/etc/cmdline "$tree"/etc/cmdline.d/*; do
        if [[ -f $file ]] && parameters "$(tr -d '\0' < "$file")" | grep -qx maintenance; then
            result warn maintenance "${file#"$tree"}: has the word maintenance, which dracut reads and the kernel does not: it opens nothing; remove it"
            return
        fi
    done
    if ((${#lines[@]})); then
        result ok maintenance 'the word is in no command line that is built in for normal boots'
    else
        result ok maintenance 'no command line is built in'
    fi
}

# The sysctl.d files of the image in the order in which systemd-sysctl reads them: by name, and of one name
# only the first.
sysctl_files() {
    local folder file
    for folder in etc run usr/local/lib usr/lib; do
        for file in "$tree/$folder"/sysctl.d/*.conf; do
            [[ ! -e $file && ! -L $file ]] || printf '%s\t%s\n' "${file##*/}" "$file"
        done
    done | LC_ALL=C sort -s -t $'\t' -k 1,1 -u | cut -f 2
}

check_sysctl() {
    local i scope file last=''
    for i in "${!lines[@]}"; do
        scope=$(parameters "${lines[i]}" | sed -nE 's,^sysctl[./]kernel[./]yama[./]ptrace_scope=,,p' | tail -n 1)
        if [[ $scope == 3 ]]; then
            result FAIL sysctl "${origins[i]}: sysctl.kernel.yama.ptrace_scope=3 locks maintenance boots as well; take it out"
            return
        fi
    done
    if [[ $init != systemd ]] || ! first_of {usr/,}lib/systemd/systemd-sysctl > /dev/null; then
        result n/a sysctl 'nothing in this image reads sysctl.d'
        return
    fi
    while read -r file; do
        scope=$(sed -nE 's,^[[:space:]]*(-?)kernel[./]yama[./]ptrace_scope[[:space:]]*=[[:space:]]*([^[:space:]]*).*,\1\2,p' "$file" 2> /dev/null | tail -n 1)
        [[ ! $scope ]] || last="$scope ${file#"$tree"}"
    done < <(sysctl_files)
    case $last in
        '') result ok sysctl 'no sysctl.d file sets the scope' ;;
        3\ * | -3\ *) result FAIL sysctl "${last#* }: sets the scope to 3 in maintenance boots as well; remove that, or let zz-noptrace.conf come after it" ;;
        -*) result ok sysctl "${last#* } leaves a locked machine alone" ;;
        *) result warn sysctl "${last#* }: sets the scope to ${last%% *}: systemd-sysctl fails in a locked boot; write -kernel.yama.ptrace_scope, or install zz-noptrace.conf" ;;
    esac
}

# check_image IMAGE
check_image() {
    local tree=$work/tree init wired config='' config_lines='' unknown=''
    if ! open_image "$1" "$tree"; then
        result FAIL image "$reason"
        complain "$1: unreadable: $reason"
        conclude "$1" 2 unreadable
        return
    fi
    init=$(find_init)
    wired=$(find_wired)
    config=$(find_config "$1")
    [[ ! $config ]] || config_lines=$(gzip -cdf < "$config")
    find_command_lines
    result ok image "$(describe)"

    if check_program; then
        check_executable
        check_static
        check_architecture
        check_runs
    fi
    if check_wired; then
        check_order
        check_masks
        check_policy
    fi
    check_yama
    check_lsm
    check_maintenance
    check_sysctl

    if [[ $(points FAIL) ]]; then
        complain "$1: fails: $(points FAIL)"
        conclude "$1" 1 FAIL
    elif [[ $unknown ]]; then
        complain "$1: cannot tell: $unknown"
        conclude "$1" 3 'cannot tell'
    else
        conclude "$1" 0 ok
    fi
}

# describe: what made the image, as far as it shows, and what runs in it.
describe() {
    local kind=$init
    case $init in
        systemd) [[ ! -e $tree/usr/lib/dracut ]] || kind='dracut, systemd' ;;
        dracut) kind='dracut, shell' ;;
        handmade) kind='hand-made' ;;
    esac
    ((${#profiles[@]})) && kind="UKI: $kind"
    echo "$kind"
}
