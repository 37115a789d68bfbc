# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# noptrace-image: opens an image as the kernel does. cpio and the compressors unpack, objdump finds the
# sections of a UKI; what is here is the kernel's reading of a file that holds several archives
# (init/initramfs.c), which lsinitrd and unmkinitramfs do not share: they stop after the first that is not
# microcode, and would not see a later one that replaces our program.
#
# Where something cannot be opened, a function returns 1 and $reason says why.

reason=
# where unpack_cpio and unpack_compressed have come to in their file
end=
# a UKI's profiles, '' where it has none, and the command line of each
profiles=() command_lines=()

unreadable() {
    reason=$(head -n 1 <<< "$*")
    return 1
}

# bytes FILE OFFSET COUNT: in hexadecimal.
bytes() {
    od -An -v -t x1 -j "$2" -N "$3" "$1" 2> /dev/null | tr -d ' \n'
}

# number FILE OFFSET COUNT: little endian.
number() {
    od -An -v --endian=little -t "u$3" -j "$2" -N "$3" "$1" 2> /dev/null | tr -d ' '
}

# piece FILE OFFSET [END]: these bytes of it. What reads them may stop before they end.
piece() {
    { tail -c "+$(($2 + 1))" "$1" | head -c "$((${3:-$(stat -c %s "$1")} - $2))"; } 2> /dev/null || true
}

# after_padding FILE OFFSET: where the next byte is that is not zero; nothing if there is none.
after_padding() {
    local differ
    differ=$(LC_ALL=C cmp -i "$2:0" - /dev/zero < "$1" 2> /dev/null || true)
    [[ ! $differ =~ differ:\ (byte|char)\ ([0-9]+) ]] || echo $(($2 + BASH_REMATCH[2] - 1))
}

# content_end FILE OFFSET: where nothing but zeros follows.
content_end() {
    local low=$2 high middle next
    high=$(stat -c %s "$1")
    while ((low < high)); do
        middle=$(((low + high) / 2))
        next=$(after_padding "$1" "$middle")
        if [[ $next ]]; then low=$((next + 1)); else high=$middle; fi
    done
    echo "$low"
}

# contain TREE: makes the symbolic links in it lead where they would if it were the root. An archive that is
# unpacked next follows them, and must not write to the machine that looks at it.
contain() {
    local link target
    find "$1" -type l \( -lname '/*' -o -lname '*..*' \) -printf '%P\0%l\0' \
        | while IFS= read -r -d '' link && IFS= read -r -d '' target; do
            case $target in
                "$1"/*) continue ;;
                /*) ;;
                *) target=/${link%"${link##*/}"}$target ;;
            esac
            ln -sfn "$1$(realpath -ms -- "$target")" "$1/$link"
        done
}

# unpack_cpio FILE OFFSET TREE: one archive, over what is in TREE.
unpack_cpio() {
    local file=$1 offset=$2 tree=$3 said blocks window
    # A user may not make device nodes, and no check needs one.
    said=$(piece "$file" "$offset" \
        | LC_ALL=C cpio -i -d -u --no-absolute-filenames --no-preserve-owner -D "$tree" 2>&1 \
        | grep -v 'Cannot mknod: Operation not permitted' || true)
    contain "$tree"
    [[ $said =~ ^([0-9]+)\ blocks?$ ]] \
        || unreadable "byte $offset: not a whole cpio archive: $(grep -v '^[0-9]* blocks*$' <<< "$said")" || return
    # The last thing that cpio read, in blocks of 512 bytes, was the name of the trailer.
    blocks=${BASH_REMATCH[1]}
    end=$((offset + blocks * 512))
    window=$((end - 1024 > offset ? end - 1024 : offset))
    end=$(piece "$file" "$window" "$end" | LC_ALL=C grep -abo 'TRAILER!!!' | tail -n 1 | cut -d : -f 1)
    end=$(((window + end + 11 + 3) / 4 * 4))
}

# decompressor BYTES: the command for an archive that begins with these. The kernel knows lzma as well, whose
# tool does not tell whether something follows.
decompressor() {
    case $1 in
        1f8b*) echo gzip -dc ;;
        fd377a585a00*) echo xz -dc ;;
        28b52ffd*) echo zstd -dcq ;;
        02214c18*) echo lz4 -dc ;;
        894c5a4f000d*) echo lzop -dc ;;
        425a68*) echo bzip2 -dc ;;
        *) return 1 ;;
    esac
}

# Where another archive could begin, for grep -P.
archive_start='07070[12][0-9A-Fa-f]{104}|\x1f\x8b\x08|\xfd7zXZ\x00|\x28\xb5\x2f\xfd|\x02\x21\x4c\x18|\x89LZO\x00\x0d|BZh[1-9]1AY&SY'

# unpack_compressed FILE OFFSET TREE COMMAND…: what is compressed there. The tools do not tell where it ends,
# but complain of what follows: it is the first place from which on another archive could begin, or zeros
# follow (of which some may still be its own), that leaves nothing out.
unpack_compressed() {
    local file=$1 offset=$2 tree=$3 part=$work/part said size all content candidate
    shift 3
    size=$(stat -c %s "$file")
    end=
    said=$({ piece "$file" "$offset" | "$@" > "$part"; } 2>&1) && [[ ! $said ]] && end=$size
    if [[ ! $end ]]; then
        all=$(stat -c %s "$part")
        content=$(($(content_end "$file" "$offset") - offset))
        for candidate in $(piece "$file" "$offset" | LC_ALL=C grep -aboP "$archive_start" | cut -d : -f 1) \
            $(seq "$content" $((content + 8))); do
            candidate=$((offset + candidate))
            ((candidate > offset && candidate < size)) || continue
            if [[ $(piece "$file" "$offset" "$candidate" | "$@" 2> /dev/null | wc -c) == "$all" ]]; then
                end=$candidate
                break
            fi
        done
    fi
    [[ $end ]] || unreadable "byte $offset: $1 cannot decompress it: $(grep -v '^$' <<< "$said")" || return
    size=$end
    unpack "$part" "$tree" inside || unreadable "in the archive at byte $offset, decompressed: $reason" || return
    end=$size
}

# unpack FILE TREE [inside]: what the kernel would find in its root. Archives follow each other, with zeros
# between; the last that has a file wins. Inside a compressed one there are only plain ones.
unpack() {
    local file=$1 tree=$2 inside=${3-} offset=0 magic command
    while offset=$(after_padding "$file" "$offset") && [[ $offset ]]; do
        magic=$(bytes "$file" "$offset" 6)
        if [[ $magic == 30373037303[12] ]]; then
            ((offset % 4 == 0)) \
                || unreadable "byte $offset: a cpio archive that does not begin at a multiple of 4" || return
            unpack_cpio "$file" "$offset" "$tree" || return
        elif [[ ! $inside ]] && command=$(decompressor "$magic"); then
            command -v "${command%% *}" > /dev/null \
                || unreadable "no ${command%% *} here to decompress it; install it" || return
            # shellcheck disable=SC2086 # a list of words
            unpack_compressed "$file" "$offset" "$tree" $command || return
        elif tail -c 15 "$file" | grep -qa '#BOOTCONFIG'; then
            unreadable 'a boot configuration is attached (#BOOTCONFIG), which may add kernel parameters; check it without'
            return
        else
            unreadable "byte $offset: neither a cpio archive (newc) nor gzip, xz, zstd, lz4 (legacy), lzop or bzip2"
            return
        fi
        offset=$end
    done
}

# is_pe FILE: a UKI, or a kernel with an EFI stub.
is_pe() {
    [[ $(bytes "$1" 0 2) == 4d5a ]] && [[ $(bytes "$1" "$(number "$1" 60 4)" 4) == 50450000 ]]
}

# pe_machine FILE: its architecture, as uname -m says it.
pe_machine() {
    case $(bytes "$1" "$(($(number "$1" 60 4) + 4))" 2) in
        6486) echo x86_64 ;;
        64aa) echo aarch64 ;;
        *) return 1 ;;
    esac
}

# elf_machine FILE: an ELF program's architecture, as uname -m says it; nothing if it is none.
elf_machine() {
    [[ $(bytes "$1" 0 4) == 7f454c46 ]] || return 0
    case $(bytes "$1" 18 2) in
        3e00) echo x86_64 ;;
        b700) echo aarch64 ;;
        f300) echo riscv64 ;;
        *) echo "machine $(number "$1" 18 2)" ;;
    esac
}

# open_uki FILE: takes it apart: $work/initrd, $work/linux, $work/uname, and its command lines. A section
# that follows a .profile section is that profile's, and replaces the one of its name that all share.
open_uki() {
    local name size offset shared='' i
    local -a own=()
    profiles=() command_lines=()
    rm -f "$work"/{initrd,linux,uname}
    command -v objdump > /dev/null || unreadable 'no objdump here to take a UKI apart; install binutils' || return
    LC_ALL=C objdump -h "$1" > "$work/sections" 2> "$work/said" \
        || unreadable "$(< "$work/said"); binutils-multiarch knows more architectures" || return
    while read -r name size offset; do
        offset=$((16#$offset)) size=$((16#$size))
        case $name in
            .profile)
                profiles+=("$(piece "$1" "$offset" $((offset + size)) | tr -d '\0' | sed -n 's/^ID=//p')")
                ;;
            .cmdline)
                # a newline separates words as a space does
                i=$(piece "$1" "$offset" $((offset + size)) | tr -d '\0' | tr '\n' ' ')
                if ((${#profiles[@]})); then own[${#profiles[@]} - 1]=$i; else shared=$i; fi
                ;;
            .initrd | .linux | .uname)
                ((${#profiles[@]} == 0)) \
                    || unreadable "profile ${profiles[-1]} has a $name section of its own, which is not looked into" || return
                piece "$1" "$offset" $((offset + size)) > "$work/${name#.}"
                ;;
        esac
    done < <(awk '$1 ~ /^[0-9]+$/ { print $2, $3, $6 }' "$work/sections")
    [[ -s $work/initrd && -s $work/linux ]] \
        || unreadable 'a PE file without .linux and .initrd: a kernel, or a UKI without an initramfs' || return
    ((${#profiles[@]})) || profiles=('')
    for i in "${!profiles[@]}"; do
        command_lines[i]=${own[i]-$shared}
    done
}

# open_image FILE TREE: unpacks an initramfs image, or that of a UKI, into TREE.
open_image() {
    local file=$1
    profiles=() command_lines=()
    [[ -s $file ]] || unreadable 'an empty file' || return
    if is_pe "$file"; then
        open_uki "$file" || return
        file=$work/initrd
    fi
    rm -rf "$2"
    mkdir "$2"
    unpack "$file" "$2" || return
    # What dracut's squash module makes the root before anything else runs.
    local squashed
    for squashed in squash-root.img erofs-root.img; do
        [[ -e $2/$squashed ]] || continue
        mv "$2/$squashed" "$work/$squashed"
        rm -rf "$2"
        case $squashed in
            squash*) unsquashfs -quiet -no-progress -dest "$2" "$work/$squashed" ;;
            erofs*) fsck.erofs --extract="$2" "$work/$squashed" ;;
        esac > "$work/said" 2>&1 || [[ -d $2 ]] || unreadable "$squashed: $(< "$work/said")" || return
        contain "$2"
    done
    find "$2" -type d ! -perm -u+rwx -exec chmod u+rwx {} +
}
