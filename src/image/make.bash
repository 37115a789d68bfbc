# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# noptrace-image make: the stand-alone archive, to be appended to or loaded after any initramfs that has systemd.
# Its files, and where they are, are those that the dracut module puts into a systemd image.
#
# It is written here, and not by cpio, which makes no names that end in a slash; see archive. What could differ
# from one machine, user or day to the next is a constant.

# pad SIZE: what SIZE bytes lack to a multiple of 4.
pad() {
    local missing=$((-$1 & 3))
    while ((missing--)); do
        printf '\0' || return
    done
}

# entry INODE NAME MODE LINKS SIZE: the header of an entry, and its name.
entry() {
    local field
    printf 070701 || return
    # after the mode root and root, after the links the time; then four numbers of devices and, last, no checksum
    for field in "$1" "$3" 0 0 "$4" 0 "$5" 0 0 0 0 $((${#2} + 1)) 0; do
        printf %08X "$field" || return
    done
    printf '%s\0' "$2" && pad $((110 + ${#2} + 1))
}

# file_entry INODE NAME MODE FILE
file_entry() {
    local size
    size=$(stat -L -c %s -- "$4") && entry "$1" "$2" "$3" 1 "$size" && cat -- "$4" && pad "$size"
}

# link_entry INODE NAME TARGET
link_entry() {
    entry "$1" "$2" 0120777 1 ${#3} && printf %s "$3" && pad ${#3}
}

# archive POLICY PROGRAM MODULE INSTEAD: the archive for that POLICY, of PROGRAM and of the files in the folders
# MODULE, which is the dracut module's, and INSTEAD.
archive() {
    local policy=$1 program=$2 module=$3 instead=$4 inode=0 name names
    local unit=noptrace-initramfs.service units=usr/lib/systemd/system
    local -A files=(
        ["$units/$unit"]=$module/$unit
        ["$units/$unit.d/before.conf"]=$module/before.conf
    ) links=(
        ["$units/sysinit.target.wants/$unit"]=../$unit
    )
    if [[ $policy != continue ]]; then
        files+=(
            ["$units/noptrace-locked@.target"]=$module/noptrace-locked@.target
            ["$units/initrd-switch-root.service.d/noptrace.conf"]=$module/switch-root.conf
            ["$units/noptrace-locked@$policy.target.d/instead.conf"]=$instead/instead.conf
            ["$units/noptrace-instead.service"]=$instead/$policy.service
        )
        links+=(["$units/sysinit.target.wants/noptrace-locked@$policy.target"]=../noptrace-locked@.target)
    fi
    names=$(
        for name in usr/sbin/noptrace "${!files[@]}" "${!links[@]}"; do
            echo "$name"
            while [[ $name == */* ]]; do
                name=${name%/*}
                echo "$name/"
            done
        done | LC_ALL=C sort -u
    ) || return
    # Each folder before what is in it: a kernel makes none that has no entry. The slash at the end of its name
    # lets stand what is there already, be it a link to a folder, as /usr/sbin is one where it was merged with
    # /usr/bin: without the slash a kernel removes that link, and with it all that is called by that path.
    while read -r name; do
        inode=$((inode + 1))
        case $name in
            */) entry $inode "$name" 040755 2 0 ;;
            usr/sbin/noptrace) file_entry $inode "$name" 0100755 "$program" ;;
            */sysinit.target.wants/*) link_entry $inode "$name" "${links[$name]}" ;;
            *) file_entry $inode "$name" 0100644 "${files[$name]}" ;;
        esac || return
    done <<< "$names"
    entry 0 'TRAILER!!!' 0 1 0
}

# The archive that is being written, for whoever cleans up.
partial=''

# make_archive POLICY OUT PROGRAM BESIDE MODULE LIB: makes OUT at once, or not at all. BESIDE is a program of the
# machine that PROGRAM is to be for.
make_archive() {
    local policy=$1 out=$2 program=$3 beside=$4 module=$5 lib=$6 said begins=''
    said=$("$lib/noptrace-judge" policy "$policy") \
        || quit 2 "--on-failure $policy: ${said:-noptrace-judge failed; install noptrace again}"
    # with one in its place, what it led to would stay as it was
    [[ ! -L $out ]] || quit 2 "$out: is a link; name the file that it leads to"
    [[ ! -e $out || -f $out ]] || quit 2 "$out: not a file"
    [[ ! $out -ef $program ]] || quit 2 "$out: is in use here already, and would be lost; name another file"
    if [[ -s $out ]]; then
        IFS='' read -r -N 114 begins 2> /dev/null < "$out" || true
        # without the NULs, which bash drops
        [[ $begins == "$(entry 1 usr/ 040755 2 0 | tr -d '\0')" ]] \
            || quit 2 "$out: has something else in it, and would be lost; name another file, or remove it"
    fi
    said=$("$lib/noptrace-judge" program "$program" "$beside") \
        || quit 1 "$program: ${said:-noptrace-judge failed; install noptrace again}"
    partial=$(mktemp -- "$out.XXXXXX" 2> /dev/null) || quit 2 "$out: cannot be written"
    # 512 is what cpio pads to; what is appended to this one begins at a multiple of 4
    said=$(archive "$policy" "$program" "$module" "$lib/instead" 2>&1 > "$partial") \
        && said=$(truncate -c -s %512 -- "$partial" 2>&1) \
        && said=$(chmod '=rw' -- "$partial" 2>&1) \
        && said=$(mv -fT -- "$partial" "$out" 2>&1) \
        && partial='' && return
    said=${said%%$'\n'*}
    said=${said:-it was stopped}
    # without this file's name and line
    quit 1 "$out: cannot be made: ${said#*: line *: }"
}
