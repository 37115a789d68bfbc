#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# How images are read: noptrace-list stands for all that reads them.

# Each test is a subshell, and sets what it uses.
# shellcheck disable=SC2030,SC2031

# shellcheck source=tests/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

# a loop over no image is no test
shopt -s failglob

setup_file() {
    export reader=$top/build/noptrace-list sanitized=$top/build/noptrace-list-sanitized
    export outside=$BATS_FILE_TMPDIR/outside hostile=$BATS_FILE_TMPDIR/hostile
    export uki=$BATS_FILE_TMPDIR/uki small=$BATS_FILE_TMPDIR/small erofs=$BATS_FILE_TMPDIR/erofs
    make -s -C "$top" all build/noptrace-list build/noptrace-list-sanitized build/guest-list build/failing.so
    mkdir "$outside" "$hostile" "$uki" "$small" "$erofs"
    # whoever tries it as another user must come here
    chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR"
    echo secret > "$outside/secret"
    "$BATS_TEST_DIRNAME/hostile-images" "$hostile" "$outside"
    "$BATS_TEST_DIRNAME/uki-images" "$uki"
    "$BATS_TEST_DIRNAME/erofs-images" "$erofs" "$outside"
    "$BATS_TEST_DIRNAME/judged-images" /dev/null "$small" apart
}

# What is outside, in every way that an image could change it.
outside_is() {
    (cd "$outside" && stat -c '%A %u %g %h %s %n' . ./* && cat secret)
}

# assert_ends SECONDS COMMAND…: with an answer, or with one line that says why not.
assert_ends() {
    local code=0 seconds=$1
    shift
    timeout "$seconds" "$@" > "$BATS_TEST_TMPDIR/out" 2> "$BATS_TEST_TMPDIR/err" || code=$?
    [[ $code == 0 || $code == 2 ]] || fail "$*: exit code $code: $(< "$BATS_TEST_TMPDIR/err")"
    [[ $code == 0 || $(wc -l < "$BATS_TEST_TMPDIR/err") == 1 ]] || fail "$*: $(< "$BATS_TEST_TMPDIR/err")"
    ! LC_ALL=C grep -q '[^ -~]' "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/err" || fail "$*: control characters"
}

# assert_not_read IMAGE WORDS…
assert_not_read() {
    run "$reader" "$1"
    assert_failure 2
    assert_output --partial "${*:2}"
    assert_equal "${#lines[@]}" 1
}

# What the reader finds in a UKI, without what every kernel has.
files_of() {
    "$reader" "$1" | awk '$1 ~ /^-/ { print $6 }'
}

@test "a kernel and the reader make the same of an image, or both refuse it" {
    local judged=$BATS_FILE_TMPDIR/judged image name differ='' count=0
    mkdir "$judged"
    "$BATS_TEST_DIRNAME/judged-images" "$top/build/guest-list" "$judged"
    "$BATS_TEST_DIRNAME/judge" "$(kernel_of "$bookworm")" "$judged"/*.img
    for image in "$judged"/*.img; do
        name=${image%.img} count=$((count + 1))
        [[ -s $name.kernel ]] || fail "$name: the kernel gave no answer: $(plain "$name.console" | tail -n 3)"
        "$reader" "$image" > "$name.list" 2> "$name.reason" || echo refused: > "$name.list"
        LC_ALL=C sort -o "$name.list" "$name.list"
        diff <(sed 's/^refused:.*/refused:/' "$name.kernel") "$name.list" > "$name.diff" \
            || differ+="$name: $(< "$name.diff") $(< "$name.reason")"$'\n'
    done
    assert_equal "$differ" ''
    ((count > 50))
}

@test "no image writes anything outside, whatever it holds" {
    local image before
    before=$(outside_is)
    for image in "$hostile"/out-*.img; do
        assert_ends 10 "$reader" "$image"
    done
    assert_equal "$(outside_is)" "$before"
}

@test "no image writes anything outside when another user looks at it" {
    ((UID == 0)) || skip 'only root can become another user'
    local image before
    before=$(outside_is)
    chmod 777 "$outside"
    cp "$reader" "$BATS_FILE_TMPDIR/reader"
    for image in "$hostile"/out-*.img; do
        assert_ends 10 setpriv --reuid=65534 --regid=65534 --clear-groups "$BATS_FILE_TMPDIR/reader" "$image"
    done
    chmod 755 "$outside"
    assert_equal "$(outside_is)" "$before"
}

@test "the reader opens nothing but the image, and makes, removes and runs nothing" {
    local image
    for image in "$hostile"/out-*-link.img "$small/all-types.img" "$uki/profiles.efi"; do
        strace -f -o "$BATS_TEST_TMPDIR/calls" -e trace=%file,%process,%network "$reader" "$image" > "$BATS_TEST_TMPDIR/out"
        run grep -vE "execve\(\"$reader\"|openat\(AT_FDCWD, \"(/etc/ld.so.cache|/lib/|/usr/lib/)|access\(\"/etc/ld.so.preload\"|newfstatat\(|exit_group\(|exited with 0|openat\(AT_FDCWD, \"$image\", O_RDONLY\|O_NOCTTY\|O_NONBLOCK\|O_CLOEXEC\)" "$BATS_TEST_TMPDIR/calls"
        assert_output ''
    done
}

@test "every bound has its reason" {
    local image
    assert_not_read "$hostile/much-entries.img" 'more than 250,000 files'
    assert_not_read "$hostile/much-symbolic-links.img" 'more than 250,000 files'
    assert_not_read "$hostile/much-without-a-type.img" 'more than 250,000 entries'
    assert_not_read "$hostile/much-depth.img" 'folders more than 256 deep'
    for image in "$hostile"/much-steps*.img; do
        assert_not_read "$image" 'more than 10,000,000 steps'
    done
    assert_not_read "$hostile/much-names.img" 'names of links of more than 256 MiB'
    assert_not_read "$hostile/much-content.img" 'contents of more than 256 MiB'
    assert_not_read "$hostile/much-targets.img" 'links of more than 256 MiB'
    for image in much-{members,empty-members,windows}; do
        assert_not_read "$hostile/$image.img" 'more than 1024 compressed members: too many to be looked at'
    done
    assert_not_read "$hostile/much-unpacked.img" 'unpacks to more than'
    assert_not_read "$hostile/much-unpacked-by-one.img" 'unpacks to more than 269269956 bytes'
    assert_not_read "$hostile/much-image.img" 'too large to be looked at'
    assert_not_read "$hostile/much-dictionary.img" 'a dictionary of'
    assert_not_read "$hostile/much-window.img" 'too much memory'
    assert_not_read "$hostile/much-sections.img" 'more than 1024 sections'
    assert_not_read "$hostile/much-nothing.img" 'an empty file'
    for image in "$hostile"/all-*.img; do
        run "$reader" "$image"
        assert_success
    done
}

@test "no image takes long" {
    local image
    for image in "$hostile"/{much,all}-*.img; do
        assert_ends 10 "$reader" "$image"
    done
}

@test "what is no regular file is refused at once" {
    mkfifo "$BATS_TEST_TMPDIR/fifo"
    ln -s fifo "$BATS_TEST_TMPDIR/link"
    local file
    for file in "$BATS_TEST_TMPDIR"/{fifo,link} /dev/null /dev/zero /; do
        run timeout 5 "$reader" "$file"
        assert_failure 2
        assert_output 'noptrace-list: not a regular file'
    done
    run "$reader" "$BATS_TEST_TMPDIR/none"
    assert_failure 2
    assert_output 'noptrace-list: No such file or directory'
}

@test "a link to an image is read as the image" {
    ln -s "$small/two-archives.img" "$BATS_TEST_TMPDIR/initrd.img"
    run "$reader" "$BATS_TEST_TMPDIR/initrd.img"
    assert_success
    assert_line --partial 'a/b/f'
}

@test "an image is read where standard input is closed" {
    run bash -c 'exec "$@" <&-' - "$reader" "$small/two-archives.img"
    assert_success
    assert_line --partial 'a/b/f'
}

@test "an lzma image is read by the decoder of liblzma 5.2, too, which takes a mark behind a size" {
    local image
    printf '%s\n' '#include <lzma.h>' '#undef LZMA_VERSION' '#define LZMA_VERSION 50020052U' > "$BATS_TEST_TMPDIR/old.h"
    gcc -std=c11 -D_GNU_SOURCE -include "$BATS_TEST_TMPDIR/old.h" -o "$BATS_TEST_TMPDIR/old" "$top"/{tests/noptrace-list,src/image/stream_xz}.c \
        "$top/build/host/reader.a" -lz -lbz2 -llzma -lzstd -llz4 -llzo2
    for image in "$small"/{format-lzma,lzma-with-its-size,lzma-with-its-size-then-plain}.img; do
        run "$BATS_TEST_TMPDIR/old" "$image"
        assert_success
        assert_output "$("$reader" "$image")"
    done
    run "$BATS_TEST_TMPDIR/old" "$small/lzma-with-its-size-and-a-mark.img"
    assert_success
    run "$reader" "$small/lzma-with-its-size-and-a-mark.img"
    assert_failure 2
}

@test "an image that is cut anywhere is read or refused, and no sanitizer complains" {
    local size i
    for image in format-gzip format-bzip2 format-lzma format-xz-crc32 format-lzop format-lz4-legacy format-zstd all-types; do
        size=$(stat -c %s "$small/$image.img")
        for ((i = 1; i < size; i += 1 + size / 25)); do
            head -c "$i" "$small/$image.img" > "$BATS_TEST_TMPDIR/cut"
            assert_ends 20 "$sanitized" "$BATS_TEST_TMPDIR/cut"
        done
    done
}

@test "the corpus makes no sanitizer complain" {
    local image
    for image in "$hostile"/out-*.img "$hostile"/much-{depth,dictionary,window,sections,links,claimed,claimed-name,magic,nothing,kernel,configurations}.img \
        "$small"/*.img "$uki"/*.efi; do
        assert_ends 20 "$sanitized" "$image"
    done
}

# bats test_tags=alone
@test "an image is read as it is, or not at all, whatever allocation or system call fails" {
    local image large=$BATS_TEST_TMPDIR/large
    # more than is read of an image at once
    mkdir "$large.tree"
    head -c 300000 /dev/urandom > "$large.tree/file"
    pack "$large.tree" "$large"
    gzip < "$large" > "$large.gzip"
    lz4 -l < "$large" > "$large.lz4"
    xz --format=lzma < "$large" > "$large.lzma"
    { cat "$small/names.img" && head -c 300000 /dev/zero && cat "$small/names.img"; } > "$large.zeros"
    mkfs.erofs -z lz4 -C 65536 "$large.erofs" "$large.tree" > "$BATS_TEST_TMPDIR/log" 2>&1
    for image in "$small"/{format-{gzip,bzip2,lz{4-legacy,ma,op},xz-crc32,zstd},all-types,forty-links,names,two-archives}.img \
        "$small"/links-with-the-last-body.img "$uki"/{first-of-two,relocated-honest}.efi "$erofs"/{nothing-wrong,lzma,deflate,zstd}.erofs "$large".*[!e]; do
        assert_stands_failures "$reader" "$image"
    done
    written=$large.written assert_stands_failures "$reader" "$large" file "$large.written"
}

@test "what is damaged or cut is refused with the reason, and no sanitizer complains" {
    local image
    for image in "$hostile"/odd-*.img; do
        assert_ends 20 "$sanitized" "$image"
        assert_equal "${image##*/} $(sed 's/^noptrace-list: //' "$BATS_TEST_TMPDIR/err")" "${image##*/} $(< "${image%.img}.says")"
    done
}

# bats test_tags=slow
@test "two thousand mutated images end with an exit code that is documented" {
    run "$BATS_TEST_DIRNAME/mutate-images" 1 2000 "$reader" "$small"/[!l]*.img "$uki"/*.efi
    assert_success
    assert_output '2000 images read'
}

@test "two hundred mutated images make no sanitizer complain" {
    run "$BATS_TEST_DIRNAME/mutate-images" 2 200 "$sanitized" "$small"/[!l]*.img "$uki"/*.efi
    assert_success
}

# written NAME ENTRY…: what the reader writes of NAME, of an archive of these, in perl; and whether its list has the
# size of that.
written() {
    perl -I "$BATS_TEST_DIRNAME" -MImages -e 'print archive(eval $ARGV[0])' "$2" > "$BATS_TEST_TMPDIR/written.img"
    "$reader" "$BATS_TEST_TMPDIR/written.img" "$1" "$BATS_TEST_TMPDIR/written" > "$BATS_TEST_TMPDIR/list"
}

@test "a content that is asked for is written, whole, and what replaced it last" {
    written big 'file("big", "x" x 3_000_000 . "end"), file("other", "y")'
    assert_equal "$(stat -c %s "$BATS_TEST_TMPDIR/written")" 3000003
    assert_equal "$(tail -c 3 "$BATS_TEST_TMPDIR/written")" end
    written big 'file("big", "first one"), file("big", "second")'
    assert_equal "$(< "$BATS_TEST_TMPDIR/written")" second
    written big 'file("big", "first one"), entry(name => "big", mode => 0), file("/./big", "third")'
    assert_equal "$(< "$BATS_TEST_TMPDIR/written")" third
    written big 'dir("d"), file("bug", "another"), file("d/big", "another"), symlink_to("l", "big"), file("l", "x")'
    assert_equal "$(< "$BATS_TEST_TMPDIR/written")" ''
}

@test "of each file 256 KiB are kept, and nothing of kernel modules and firmware" {
    perl -I "$BATS_TEST_DIRNAME" -MImages -e 'print archive((map { dir($_) } "firmware", "firmware/deep", "firmwares"),
        (map { file($_, "x") } "a.ko", "b.ko.gz", "c.ko.xz", "d.ko.zst", "firmware/e", "firmware/deep/f", "g.kox", "h.ko.lz4", "ko", "firmwares/i", "i.firmware"),
        file("j", "x" x 262_144), file("k", "x" x 262_145))' > "$BATS_TEST_TMPDIR/image.img"
    run "$reader" "$BATS_TEST_TMPDIR/image.img"
    assert_success
    assert_equal "$(awk '$1 ~ /^-/ && $5 == "-" { print $6 }' <<< "$output" | sort | xargs)" \
        'a.ko b.ko.gz c.ko.xz d.ko.zst firmware/deep/f firmware/e k'
}

@test "a content that cannot be written is named" {
    perl -I "$BATS_TEST_DIRNAME" -MImages -e 'print archive(file("f", "x"))' > "$BATS_TEST_TMPDIR/image.img"
    run "$reader" "$BATS_TEST_TMPDIR/image.img" f /dev/full
    assert_failure 2
    assert_output 'noptrace-list: what was unpacked cannot be written: Invalid argument'
    run "$reader" "$BATS_TEST_TMPDIR/image.img" f "$BATS_TEST_TMPDIR/none/f"
    assert_failure 2
    assert_output "noptrace-list: $BATS_TEST_TMPDIR/none/f: No such file or directory"
    run "$reader" "$BATS_TEST_TMPDIR/image.img" f
    assert_failure 64
    assert_output 'usage: noptrace-list IMAGE [NAME FILE]'
}

@test "of a UKI the first section of a name counts" {
    assert_equal "$(files_of "$uki/first-of-two.efi")" first
    assert_equal "$(files_of "$uki/plain.efi")" plain
    assert_equal "$(files_of "$uki/without-a-kernel.efi")" own
    assert_equal "$(files_of "$uki/of-32-bits.efi")" own
    assert_not_read "$uki/of-no-kind.efi" 'byte 64: a PE file of an unknown kind'
    assert_not_read "$uki/longer-name.efi" 'without an initramfs'
    assert_not_read "$uki/none.efi" 'without an initramfs'
}

@test "of a UKI with profiles the first one counts, over what all of them share" {
    assert_equal "$(files_of "$uki/profiles.efi")" profile-a
    assert_equal "$(files_of "$uki/profile-without-its-own.efi")" shared
    assert_not_read "$uki/profile-with-an-empty-one.efi" 'without an initramfs'
}

@test "of a UKI the microcode goes first, and both are aligned" {
    assert_equal "$(files_of "$uki/microcode-first.efi")" $'microcode\nown'
    assert_equal "$(files_of "$uki/microcode-not-aligned.efi")" $'microcode\nown'
    # one byte of an archive begins one
    assert_not_read "$uki/microcode-and-a-digit.efi" 'no cpio magic'
}

@test "a section has VirtualSize bytes, zeros behind what the file has" {
    assert_equal "$(files_of "$uki/more-zeros.efi")" zeros
    assert_equal "$(files_of "$uki/less-than-there-is.efi")" less
    run --separate-stderr "$reader" "$uki/cut-in-zeros.efi"
    assert_equal "$stderr" 'noptrace-list: the image ends within the entry at byte 0'
    assert_equal "$(files_of "$uki/zeros-alone.efi")" microcode
    assert_not_read "$uki/zeros-behind-the-end.efi" 'byte 1048576: the file ends before what should be here'
    assert_not_read "$uki/too-many-zeros.efi" 'more than 16 MiB of zeros'
}

@test "a section that is not in the file, or over another, is refused" {
    local name
    assert_not_read "$uki/beyond-the-end.efi" 'section .initrd: the file ends before it does'
    assert_not_read "$uki/offset-beyond-the-end.efi" 'section .initrd: the file ends before it does'
    assert_not_read "$uki/one-byte-beyond-the-end.efi" 'section .other: the file ends before it does'
    cp "$uki/around-4-gib.efi" "$BATS_TEST_TMPDIR/large.efi"
    truncate -s 4G "$BATS_TEST_TMPDIR/large.efi"
    assert_not_read "$BATS_TEST_TMPDIR/large.efi" 'section .initrd: the file ends before it does'
    for name in over-each-other nothing-over-it one-byte-over-it one-byte-under-it; do
        assert_not_read "$uki/$name.efi" 'sections 2 and 3 lie over each other'
    done
    assert_not_read "$uki/over-the-first.efi" 'sections 1 and 2 lie over each other'
    # in no order, and some of nothing
    for name in falling nothing-beyond-the-end empty-within; do
        assert_equal "$name $(files_of "$uki/$name.efi")" "$name own"
    done
    assert_not_read "$uki/more-sections.efi" 'byte 64: more than 1024 sections'
    assert_not_read "$uki/cut.efi" 'the file ends within its PE headers'
}

@test "a section that the firmware would put over the headers, by which the stub finds the others, is refused" {
    local name
    for name in over-the-headers zeros-over-the-table over-what-is-said; do
        assert_not_read "$uki/$name.efi" 'section 3 lies over the headers'
    done
    assert_not_read "$uki/first-over-the-headers.efi" 'section 1 lies over the headers'
    for name in behind-the-headers behind-what-is-said nothing-over-the-headers; do
        assert_equal "$name $(files_of "$uki/$name.efi")" "$name own"
    done
}

@test "relocations that change what is read of a UKI, or are not understood, are refused" {
    local name says stub
    for name in honest nowhere most in-the-first by-none; do
        assert_equal "$name $(files_of "$uki/relocated-$name.efi")" "$name own"
    done
    while IFS='|' read -r name says; do
        assert_not_read "$uki/relocated-$name.efi" "$says"
        run "$top/build/noptrace-uki" machine "$uki/relocated-$name.efi"
        assert_failure 2
        assert_output --partial "$says"
    done << 'END'
initramfs|a relocation of address 0x13010: the firmware would change what is read here
initramfs-from-before|a relocation of address 0x12ff9
initramfs-at-its-end|a relocation of address 0x130f3
kernel|a relocation of address 0x10000
cmdline|a relocation of address 0x14000
profile|a relocation of address 0x14000
sdmagic|a relocation of address 0x14000
ucode|a relocation of address 0x14000
uname|a relocation of address 0x14000
itself|a relocation of address 0x12008
headers|a relocation of address 0x197
damaged-short|its relocations are damaged
damaged-long|its relocations are damaged
damaged-odd|its relocations are damaged
damaged-cut-1|its relocations are damaged
damaged-cut-7|its relocations are damaged
elsewhere-before|its relocations are in no section
elsewhere-behind|its relocations are in no section
elsewhere-in-none|its relocations are in no section
much|relocations of more than 256 KiB
cut|byte 240: the file ends within its PE headers
cut-before|byte 196: the file ends within its PE headers
not-said|a relocation of address 0x13000
not-there|its relocations are in no section
of-32-bits|a relocation of address 0x13000
END
    for stub in "$top"/build/*/root/usr/lib/systemd/boot/efi/linux*.efi.stub; do
        run "$top/build/noptrace-uki" machine "$stub"
        assert_equal "$stub $output" "$stub x86_64"
    done
}

# uki_says CODE OUTPUT ARGUMENT…: what noptrace-uki makes of these
uki_says() {
    run "$top/build/noptrace-uki" "${@:3}"
    assert_equal "${*:3}: $status $output" "${*:3}: $1 $2"
}

@test "a UKI that cannot be taken apart is refused with the reason, and what is none without one" {
    local work=$BATS_TEST_TMPDIR call usage='usage: noptrace-uki open FILE FOLDER | line FILE | machine FILE'
    mkdir "$work/folder"
    echo text > "$work/text"
    small_uki "$work/long.efi" '[ ".cmdline", "z" x (1 << 20) ]'
    small_uki "$work/shared.efi" '[ ".cmdline", "a" ], [ ".cmdline", "b" ], [ ".profile", "ID=p" ]'
    small_uki "$work/profiles.efi" '[ ".cmdline", "a b" ], [ ".profile", "" ], [ ".profile", "ID=p q" ], [ ".cmdline", "c" ], [ ".profile", "" ]'
    small_uki "$work/control.efi" '[ ".cmdline", "a\nb" ]'
    small_uki "$work/maintenance.efi" '[ ".cmdline", "a" ], [ ".profile", "ID=p" ], [ ".profile", "ID=maintenance" ], [ ".cmdline", "b" ], [ ".profile", "ID=maintenancex" ]'
    small_uki "$work/default.efi" '[ ".cmdline", "a" ], [ ".profile", "ID=maintenance" ], [ ".profile", "ID=p" ]'
    # in the place of what was there
    echo 'more than a kernel' > "$work/folder/linux"
    uki_says 0 "$(printf -- '-\t')" open "$uki/plain.efi" "$work/folder"
    assert_equal "$(cat "$work/folder/linux")" kernel
    uki_says 0 "$(printf -- '-\ta b')" open "$work/control.efi" "$work/folder"
    uki_says 0 "$(printf -- '-\ta b\n-\tc\n-\ta b')" open "$work/profiles.efi" "$work/folder"
    uki_says 0 "$(printf -- '-\ta\nmaintenance\tb\n-\ta')" open "$work/maintenance.efi" "$work/folder"
    # what boots when nobody picks is for no maintenance, whatever it is called
    uki_says 0 "$(printf -- '-\ta\n-\ta')" open "$work/default.efi" "$work/folder"
    assert_equal "$(cat "$work/folder/linux")" x
    assert_equal "$(stat -c %a "$work/folder/initrd")" 600
    uki_says 1 '' open "$work/text" "$work/folder"
    uki_says 2 "$work/none: no folder" open "$uki/plain.efi" "$work/none"
    uki_says 2 'byte 200: the file ends within its PE headers' open "$uki/cut.efi" "$work/folder"
    uki_says 2 ".cmdline is there twice: systemd's stubs differ in which of them counts" open "$uki/two-command-lines.efi" "$work/folder"
    uki_says 0 '' line "$uki/plain.efi"
    assert_equal "$("$top/build/noptrace-uki" line "$work/control.efi" | od -An -c)" '   a       b  \n'
    uki_says 1 '' line "$work/text"
    uki_says 2 'byte 200: the file ends within its PE headers' line "$uki/cut.efi"
    head -c $((64 + 25)) "$uki/cut.efi" > "$work/cut.efi"
    uki_says 2 'byte 64: the file ends within its PE headers' line "$work/cut.efi"
    head -c $((64 + 26)) "$uki/cut.efi" > "$work/cut.efi"
    uki_says 2 'byte 148: the file ends within its PE headers' line "$work/cut.efi"
    uki_says 2 ".cmdline is there twice: systemd's stubs differ in which of them counts" line "$uki/two-command-lines.efi"
    uki_says 2 ".linux is there twice: systemd's stubs differ in which of them counts" line "$uki/two-kernels.efi"
    uki_says 2 ".cmdline is there twice: systemd's stubs differ in which of them counts" line "$work/shared.efi"
    uki_says 2 '.cmdline has more than 65536 bytes' line "$work/long.efi"
    uki_says 2 'No such file or directory' machine "$work/none"
    uki_says 2 'byte 200: the file ends within its PE headers' machine "$uki/cut.efi"
    for call in '' open line machine "open $work/text" "line $work/text x" other; do
        # shellcheck disable=SC2086 # words
        uki_says 64 "$usage" $call
    done
}

@test "a UKI that cannot be read or written to its end is taken apart as it is, or refused with the reason" {
    local work=$BATS_TEST_TMPDIR large=$BATS_TEST_TMPDIR/large.efi call count want
    mkdir "$work/folder"
    # it is read in several pieces
    small_uki "$large" '[ ".other", "x" x 300_000 ], [ ".cmdline", "quiet" ]'
    for call in "open $large $work/folder" "line $large" "machine $large"; do
        # shellcheck disable=SC2086 # its arguments
        want=$(strace -qq -o "$work/calls" -P "$large" -e trace=pread64 "$top/build/noptrace-uki" $call)
        count=$(wc -l < "$work/calls")
        ((count > 0))
        for (( ; count > 0; count--)); do
            # shellcheck disable=SC2086
            run strace -qq -o "$work/calls" -P "$large" -e inject="pread64:error=EIO:when=$count" "$top/build/noptrace-uki" $call
            [[ "$status $output" == "0 $want" || "$status $output" =~ ^2\ byte\ [0-9]+:\ Input/output\ error$ ]] \
                || fail "$call: $count: $status $output"
        done
        # shellcheck disable=SC2016,SC2086 # the inner shell's
        run bash -c '"$@" > /dev/full' - "$top/build/noptrace-uki" $call
        assert_failure 2
    done
    run strace -qq -o "$work/calls" -P "$work/folder/linux" -e inject=close:error=EIO "$top/build/noptrace-uki" open "$large" "$work/folder"
    assert_failure 3
    assert_output 'linux: cannot be written: Input/output error'
    # a write that is cut short goes on
    run strace -qq -o "$work/calls" -P "$work/folder/linux" -e inject=write:retval=1:when=1 "$top/build/noptrace-uki" open "$large" "$work/folder"
    assert_success
    ln -sf /dev/full "$work/folder/linux"
    uki_says 3 'linux: cannot be written: No space left on device' open "$large" "$work/folder"
    rm "$work/folder/initrd"
    mkdir "$work/folder/initrd"
    uki_says 3 'initrd: cannot be written: Is a directory' open "$large" "$work/folder"
}

# machine_is MACHINE PERL: what a file of these bytes is said to be for; empty for nothing that is known.
machine_is() {
    perl -I "$BATS_TEST_DIRNAME" -MImages -e 'print eval $ARGV[0] // die $@' "$2" > "$BATS_TEST_TMPDIR/file"
    run "$top/build/noptrace-uki" machine "$BATS_TEST_TMPDIR/file"
    assert_equal "$2: $status $output" "$2: $([[ $1 ]] && echo "0 $1" || echo '1 ')"
}

@test "a kernel, a UKI and a program say what machine they are for" {
    local -r ident='"\x7fELF\2\1\1" . "\0" x 9' loads='pack("V x52", 1)'
    machine_is x86_64 'bzimage("6.1", "x" x 100)'
    machine_is x86_64 'pe(0x8664)'
    machine_is aarch64 'pe(0xaa64)'
    machine_is riscv64 'pe(0x5064)'
    machine_is '' 'pe(0x14c)'
    # of the first header nothing counts but its mark, and where the next is, which has one too
    machine_is x86_64 'pe(0x8664) =~ s/^MZ\0/MZx/r'
    machine_is '' 'pe(0x8664) =~ s/^MZ/MX/r'
    machine_is '' 'pe(0x8664) =~ s/PE\0\0/PE\0x/r'
    machine_is '' '"text"'
    machine_is '' '"x" x 1000'
    # an ELF header: type, machine, version, entry, program headers, section headers, flags, and sizes and counts of them
    local -r header32='"\x7fELF\1\1\1" . "\0" x 9 . pack("v2 V V3 V v6", 2, '
    local number name
    while read -r number name; do
        machine_is "$name" "$ident"' . pack("v2 V Q<3 V v6", 2, '"$number"', 1, 1, 64, 0, 0, 64, 56, 1, 0, 0, 0) . '"$loads"
    done <<< $'62 x86_64\n183 aarch64\n243 riscv64\n21 ppc64le\n258 loongarch64\n22 unknown\n3 unknown\n40 unknown'
    machine_is armv7l "$header32"'40, 1, 1, 52, 0, 0, 52, 32, 1, 0, 0, 0) . pack("V x28", 1)'
    machine_is i686 "$header32"'3, 1, 1, 52, 0, 0, 52, 32, 1, 0, 0, 0) . pack("V x28", 1)'
    machine_is unknown "$header32"'62, 1, 1, 52, 0, 0, 52, 32, 1, 0, 0, 0) . pack("V x28", 1)'
    machine_is s390x '"\x7fELF\2\2\1" . "\0" x 9 . pack("n2 N Q>3 N n6", 2, 22, 1, 1, 64, 0, 0, 64, 56, 1, 0, 0, 0) . pack("N x52", 1)'
    # the entry is what its field says, to the last byte
    machine_is '' '"\x7fELF\1\1\1" . "\0" x 9 . pack("v2 V V3 V v6", 2, 3, 1, 0, 52, 0, 0, 52, 32, 1, 0, 0, 0) . pack("V x28", 1)'
    machine_is s390x '"\x7fELF\2\2\1" . "\0" x 9 . pack("n2 N Q>3 N n6", 2, 22, 1, 1 << 56, 64, 0, 0, 64, 56, 1, 0, 0, 0) . pack("N x52", 1)'
    machine_is unknown "$ident"' . pack("v2 V Q<3 V v6", 2, 4711, 1, 1, 64, 0, 0, 64, 56, 1, 0, 0, 0) . '"$loads"
    # of which nothing is behind the header, in which is what to load as well
    machine_is i686 '"\x7fELF\1\1\1\0" . pack("V x4 v2 V V3 V v6", 1, 2, 3, 1, 1, 8, 0, 0, 52, 32, 1, 0, 0, 0)'
    machine_is x86_64 '"\x7fELF\2\1\1\0" . pack("V x4 v2 V Q<3 V v6", 1, 2, 62, 1, 1, 8, 0, 0, 64, 56, 1, 0, 0, 0)'
    # nothing to load, no entry, small, far and too many program headers, a header that is cut, and a class and an order that there are not
    machine_is '' "$ident"' . pack("v2 V Q<3 V v6", 2, 62, 1, 1, 64, 0, 0, 64, 56, 0, 0, 0, 0)'
    machine_is '' "$ident"' . pack("v2 V Q<3 V v6", 2, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0) . '"$loads"
    machine_is '' "$ident"' . pack("v2 V Q<3 V v6", 2, 62, 1, 1, 64, 0, 0, 64, 55, 1, 0, 0, 0) . '"$loads"
    machine_is '' "$ident"' . pack("v2 V Q<3 V v6", 2, 62, 1, 1, 1 << 20, 0, 0, 64, 56, 1, 0, 0, 0) . '"$loads"
    machine_is '' "$ident"' . pack("v2 V Q<3 V v6", 2, 62, 1, 1, 64, 0, 0, 64, 56, 2, 0, 0, 0) . '"$loads"
    machine_is '' "$ident"' . pack("v2 V Q<3 V", 2, 62, 1, 1, 64, 0, 0)'
    machine_is '' '"\x7fELF\3\1\1" . "\0" x 100'
    machine_is '' '"\x7fELF\2\3\1" . "\0" x 100'
}

# kernel_in IMAGE: the release of a UKI's kernel, and the size and sum of the configuration in it.
kernel_in() {
    "$reader" "$1" | sed -n 's/^kernel //p'
}

@test "the configuration in a kernel is found, by every compression, and the release in its header" {
    local name want
    want=$(cksum < "$uki/config" | awk '{ print $2, $1 }')
    for name in gzip bzip2 lzma xz lzop lz4 zstd unpacked decoys near-decoys end-over-a-border at-the-first-byte old first-with-a-payload \
        of-four-sectors; do
        assert_equal "$name $(kernel_in "$uki/kernel-$name.efi")" "$name 6.1.0-0~test+1_x.y $want"
    done
    # those for other machines have no such header
    for name in plain zboot without-a-release; do
        assert_equal "$name $(kernel_in "$uki/kernel-$name.efi")" "$name - $want"
    done
}

@test "what only looks like a kernel's configuration, is one of two, or too large, is none" {
    local name
    for name in none two three without-an-end end-cut cut damaged too-large then-too-large beyond-the-end elsewhere payload-cut payload-of-nothing; do
        assert_equal "$name $(kernel_in "$uki/kernel-odd-$name.efi")" "$name 6.1.0-0~test+1_x.y - -"
    done
    assert_equal "$(kernel_in "$uki/kernel-header-alone.efi")" '6.1.0-0~test+1_x.y - -'
    assert_equal "$(kernel_in "$uki/kernel-longest-release.efi")" "6.1.0-$(printf 'x%.0s' {1..58}) - -"
    assert_equal "$(kernel_in "$uki/kernel-odd-header-cut.efi")" '- - -'
    assert_equal "$(kernel_in "$uki/kernel-odd-release.efi")" '- - -'
}

# They have no configuration in them: what they unpack to gets one at its end, and is packed as it was.
@test "the configuration is found in Debian's kernels, of 50 MB, as well" {
    local root kernel command
    for root in "$bookworm" "$trixie"; do
        kernel=$(kernel_of "$root")
        command='lz4 -l'
        ! grep -qx CONFIG_KERNEL_ZSTD=y "$root"/boot/config-* || command='zstd -q'
        # shellcheck disable=SC2016 # perl's
        COMMAND=$command perl -I "$BATS_TEST_DIRNAME" -MImages -e '
            my ($kernel, $config) = map { slurp($_) } @ARGV[0, 1];
            my $setup = (1 + ord substr $kernel, 0x1f1, 1) * 512;
            my ($offset, $length) = unpack "VV", substr $kernel, 0x248, 8;
            # lz4 complains of the size behind it
            my $unpacked = packed("sh -c \"$ENV{COMMAND} -dc 2> /dev/null || :\"", substr $kernel, $setup + $offset, $length);
            length $unpacked > 40_000_000 or die "not unpacked\n";
            my $packed = packed("$ENV{COMMAND} -c", $unpacked . ikconfig($config)) . pack "V", 1;
            substr($kernel, 0x248, 8) = pack "VV", length($kernel) - $setup, length $packed;
            spit($ARGV[2], pe(0x8664, [ ".linux", $kernel . $packed ], [ ".initrd", archive(file("f", "x")) ]))' \
            "$kernel" "$root"/boot/config-* "$BATS_TEST_TMPDIR/uki.efi"
        assert_equal "$(kernel_in "$BATS_TEST_TMPDIR/uki.efi")" \
            "${kernel##*/vmlinuz-} $(cksum < "$(echo "$root"/boot/config-*)" | awk '{ print $2, $1 }')"
    done
}

# tree_for_erofs TREE: contents of every form, none of them longer than what is kept of a file.
tree_for_erofs() {
    local i
    mkdir -p "$1"/{empty,many,deep/er}
    : > "$1/nothing"
    head -c 200000 "$(command -v bash)" > "$1/deep/program"
    cp "$(command -v env)" "$1/deep/er/env"
    for ((i = 0; i < 400; i++)); do
        seq "$i" "$((2 * i))" > "$1/many/a-name-that-fills-more-than-one-block-of-a-folder-$i"
    done
    head -c 100000 /dev/zero > "$1/zeros"
    perl -e 'srand 1; print map { chr int rand 256 } 1 .. 20_000' > "$1/random"
    head -c 4096 "$1/random" > "$1/block"
    ln -s ../deep "$1/many/link"
    ln "$1/random" "$1/deep/same"
    chmod 4750 "$1/block"
}

# files_in TREE, files_in_erofs IMAGE: mode, size, sum and name of each file, and where each link leads.
files_in() {
    (cd "$1" && find . -type f -printf '%m %s %P\n' | while read -r mode size name; do
        printf '%04d %s %s %s\n' "$mode" "$size" "$(cksum < "$name" | cut -d ' ' -f 1)" "$name"
    done && find . -type l -printf '%P -> %l\n') | LC_ALL=C sort
}

files_in_erofs() {
    "$reader" "$1" | awk '/^-/ { print substr($1, 2), $4, $5, $6 } /^l/ { print $6, $7, $8 }' | LC_ALL=C sort
}

@test "an erofs is what its maker put into it, by every algorithm and layout" {
    local work=$BATS_TEST_TMPDIR want count=0
    local -a options
    tree_for_erofs "$work/tree"
    want=$(files_in "$work/tree")
    # erofs-utils 1.8 knows all algorithms, fragments and what is there twice, and 1.5, of other defaults, leaves out what it does
    # not know; with fragments they are dracut's options
    while read -ra options; do
        rm -f "$work/erofs"
        if ((count++ < 10)); then
            in_root "$trixie" "$work" mkfs.erofs "${options[@]}" /var/tmp/erofs /var/tmp/tree > "$work/log" 2>&1
        else
            mkfs.erofs "${options[@]}" "$work/erofs" "$work/tree" > "$work/log" 2>&1
        fi || fail "${options[*]}: $(tail -n 2 "$work/log")"
        [[ ${options[*]} != *@(fragments|dedupe)* ]] || (($(od -An -tu1 -j 1104 -N 1 "$work/erofs") & 32)) || fail "${options[*]}: left out"
        assert_equal "${options[*]}: $(files_in_erofs "$work/erofs")" "${options[*]}: $want"
        assert_ends 20 "$sanitized" "$work/erofs"
    done << 'END'
-T 0
-E fragments -z lz4
-C 65536 -E fragments -x -1 -T 0 -z lz4hc
-C 65536 -E fragments -x -1 -T 0 -z zstd
-C 65536 -E fragments -x -1 -T 0 -z lzma
-C 65536 -E fragments -x -1 -T 0 -z deflate
-z zstd -E all-fragments,dedupe
-E all-fragments,dedupe -z lz4 -C 65536
-b 1024
-z lz4 -E legacy-compress,fragments
-z lz4
-E noinline_data
-E force-inode-extended -z lz4hc -C 1048576
-E legacy-compress -z lz4
END
    assert_equal "$count" 14
}

@test "a kernel reads the same in an erofs as the reader, which refuses what it reads otherwise or not" {
    local tree=$BATS_TEST_TMPDIR/tree modules image name differ='' count=0
    modules=$(add_modules "$tree" "$trixie" loop erofs)
    mkdir "$tree"/{dev,root,images}
    cp "$top/build/guest-list" "$tree/bin"
    for image in "$erofs"/*.erofs; do
        # of larger blocks than its pages a kernel reads nothing, and no program there can ask for the longest path
        [[ $image != */path-with-253.erofs ]] && (($(od -An -tu1 -j 1036 -N 1 "$image") <= 12)) && "$reader" "$image" > "$BATS_TEST_TMPDIR/${image##*/}" 2> "$BATS_TEST_TMPDIR/reason" || continue
        cp "$image" "$tree/images"
        count=$((count + 1))
    done
    ((count > 60)) || fail "only $count can be read"
    cat > "$tree/init" << END
#!/bin/busybox sh
/bin/busybox --install /bin
mount -t devtmpfs devtmpfs /dev
stty raw < /dev/ttyS1
for module in $modules; do insmod /modules/\$module; done
for image in /images/*; do
    echo "== \${image##*/}"
    losetup -r /dev/loop0 \$image
    mount -t erofs -o ro /dev/loop0 /root && guest-list /root
    umount /root
    losetup -d /dev/loop0
done > /dev/ttyS1
echo end > /dev/ttyS1
poweroff -f
END
    chmod +x "$tree/init"
    pack "$tree" "$BATS_TEST_TMPDIR/image"
    run_guest "$BATS_TEST_TMPDIR/answer" 240 tcg '' -kernel "$(kernel_of "$trixie")" -initrd "$BATS_TEST_TMPDIR/image" \
        < /dev/null > "$BATS_TEST_TMPDIR/console" 2>&1
    [[ $(tail -n 1 "$BATS_TEST_TMPDIR/answer") == end ]] || fail "$(plain "$BATS_TEST_TMPDIR/console" | tail -n 3)"
    for image in "$tree/images"/*; do
        name=${image##*/}
        awk -v name="$name" '/^==/ { on = $2 == name; next } on && !/^end$/' "$BATS_TEST_TMPDIR/answer" > "$image.kernel"
        # without what every kernel has in its root
        diff <(grep -vE ' (dev|dev/console|root)$' "$image.kernel" | LC_ALL=C sort) \
            <(grep -vE ' (dev|dev/console|root)$' "$BATS_TEST_TMPDIR/$name" | LC_ALL=C sort) > "$image.diff" \
            || differ+="$name: $(< "$image.diff")"$'\n'
    done
    assert_equal "$differ" ''
}

@test "an erofs that would mislead its reader is refused with the reason, and nothing is written" {
    local image before content
    before=$(outside_is)
    for image in "$erofs"/*.erofs; do
        assert_ends 20 "$sanitized" "$image"
        assert_equal "${image##*/} $(sed 's/^noptrace-list: erofs root: //' "$BATS_TEST_TMPDIR/err")" \
            "${image##*/} $(< "${image%.erofs}.says")"
    done
    assert_equal "$(outside_is)" "$before"
    assert_equal "$(files_of "$erofs/nothing-wrong.erofs")" $'etc/hosts\ninit'
    assert_equal "$(files_of "$erofs/own-console.erofs")" dev/console
    assert_equal "$(files_of "$erofs/entry-alone-in-its-block.erofs")" f
    assert_equal "$(files_in_erofs "$erofs/links.erofs" | tail -n 1)" 'b -> x'
    assert_equal "$("$reader" "$erofs/all-types.erofs" | sed -n 's/ t.$/&/p')" \
        $'p0600 0 0 - - t1\nc0600 0 0 307,284280 - t2\nb0600 0 0 307,284280 - t3\ns0600 0 0 - - t4'
    while read -r image content; do
        assert_equal "$image $(files_in_erofs "$erofs/$image.erofs")" "$image 0755 $(perl -e "print $content" | cksum | awk '{ print $2, $1 }') f"
    done << 'END'
head-behind-the-end "x" x 4_097
head-behind-the-end-of-deflate "x" x 4_097
large-pieces-of-one "x" x 4_096
first-inode-compressed "x" x 4_096
largest-piece "x" x 8_192
lzma "x" x 4_096
deflate "x" x 4_096
deflate-to-its-end "x" x 4_096
zstd "x" x 4_096
zstd-to-its-end "x" x 4_096
inline-of-4097 "y" x 4_096, "x"
compact-by-two "x" x 98_304
compact-by-sixteen "x" x 65_536
fragment-in-a-tail-at-4090 "y" x 6, "0123"
fragment-in-a-tail-at-4097 "123"
fragment-at-the-end-of-the-longest-piece "x" x 10
END
}

@test "mutated erofs file systems are read or refused, and no sanitizer complains" {
    local tree=$BATS_TEST_TMPDIR/tree i=0 options
    mkdir "$tree"
    head -c 30000 "$(command -v bash)" > "$tree/program"
    seq 3000 > "$tree/text"
    for options in fragments legacy-compress all-fragments; do
        # that of Debian 12 leaves out what it does not know
        in_root "$trixie" "$BATS_TEST_TMPDIR" mkfs.erofs -E "$options,nosbcrc" -z lz4 -C 65536 "/var/tmp/$((i++)).img" /var/tmp/tree > "$BATS_TEST_TMPDIR/log" 2>&1
    done
    run "$BATS_TEST_DIRNAME/mutate-images" 3 300 "$sanitized" "$BATS_TEST_TMPDIR"/?.img "$erofs"/[!m]*.erofs
    assert_success
}

@test "an image with a boot configuration behind it is refused" {
    { cat "$small/two-archives.img" && printf 'kernel.maintenance\0\0\0\0\0\0\0\0#BOOTCONFIG\n'; } > "$BATS_TEST_TMPDIR/boot.img"
    assert_not_read "$BATS_TEST_TMPDIR/boot.img" '#BOOTCONFIG'
    printf '\0\0\0' >> "$BATS_TEST_TMPDIR/boot.img"
    assert_not_read "$BATS_TEST_TMPDIR/boot.img" '#BOOTCONFIG'
    # no kernel looks further back
    printf '\0' >> "$BATS_TEST_TMPDIR/boot.img"
    assert_not_read "$BATS_TEST_TMPDIR/boot.img" 'invalid magic'
}

@test "numbers that kernels read differently are refused" {
    local digit
    for digit in x : / g G @ '`'; do
        sed "s|07070100000|0707010${digit}000|" "$small/names.img" > "$BATS_TEST_TMPDIR/digit.img"
        assert_not_read "$BATS_TEST_TMPDIR/digit.img" 'a number that is not hexadecimal'
    done
}

@test "what a reason quotes from an image steers no terminal" {
    run "$reader" "$small/control-characters.img"
    assert_success
    assert_line --regexp ' a\\x1b\[31mred\\x7f~ \\x0a$'
    assert_line --regexp ' l -> \\x80\\xff\\x5c\\x09$'
}

# squashed_image: an image whose root is a squashfs; beside it is an unsquashfs that says what is in $LISTED and then $LIST,
# and ends as $END says. Another file there has a name that is as long.
squashed_image() {
    # shellcheck disable=SC2016 # its own parameters: the list goes to what -pf names
    printf '%s\n' '#!/bin/sh' 'if [ "$3" = -pf ]; then cat "$LIST" > "$4"; else printf %b "$LISTED"; fi' 'eval "$END"' > "$BATS_TEST_TMPDIR/unsquashfs"
    chmod +x "$BATS_TEST_TMPDIR/unsquashfs"
    perl -I "$BATS_TEST_DIRNAME" -MImages -e 'print archive(file("init", "mount /squash-root.img\n"), file("squash-root.bak", "y"),
        file("squash-root.img", pack "x56 H16 x448", "f" x 16))' \
        > "$BATS_TEST_TMPDIR/image"
}

# assert_unreadable REASON
assert_unreadable() {
    assert_failure 2
    assert_equal "${lines[*]:1}" "  FAIL  image         $1"
}

@test "what unsquashfs says of a squash-root.img is refused where it cannot be understood" {
    local says text count=0 digits='0 0755 0 0' long less dots
    local -r end='#\n# START OF DATA - DO NOT MODIFY\n#\n'
    export LIST=$BATS_TEST_TMPDIR/list LISTED='' END=true PATH=$BATS_TEST_TMPDIR:$PATH
    squashed_image
    long=$(printf 'x%.0s' {1..8192})
    less=${long#x}
    dots=$(printf './%.0s' {1..2048})
    while IFS='|' read -r says text; do
        text=${text//DIGITS/$digits}
        text=${text//DOTS/$dots}
        text=${text//LESS/$less}
        printf '%b' "${text//LONG/$long}" > "$LIST"
        run --separate-stderr "$top/build/noptrace-image" check "$BATS_TEST_TMPDIR/image"
        assert_equal "${text:0:40}: $status ${lines[*]:1}" "${text:0:40}: 2   FAIL  image         squashfs root: $says"
        count=$((count + 1))
    done << END
its list is cut short|/ D DIGITS\n
its list is cut short|/ D 0 0755
its list is cut short|f 
its list is cut short|f C DIGITS 5
its list is cut short|f S DIGITS x
its list is cut short|f S DIGITS LESS\n
its list is cut short|/ D DIGITS\n#\n# START
a name that is too long|LONG D DIGITS\n
a name that is too long|f\0g D DIGITS\n
a name that is too long|f\0${end}
a name that is too long|f D\0${end}
a name that is too long|f\\\\
a link that is too long|l S DIGITS LONG\n
a link that is too long|l S DIGITS a\0b\n
a name that is too long|l L LONG\n
a line of its list that is not understood|l L a b\n
a line of its list that is not understood|f\n
a line of its list that is not understood|f DD DIGITS\n
a line of its list that is not understood|f 0 DIGITS\n
a line of its list that is not understood|f D\n
a name that is too long|f LONG\n
a line of its list has too few fields|f D 0 0755 0\n
a line of its list has too few fields|f R DIGITS 1\n
a line of its list has too few fields|l S DIGITS\n
a number that is none|f D 0 0758 0 0\n
a number that is none|f D  0755 0 0\n
a number that is none|f D a 0755 0 0\n
a number that is none|f D 0 0755 a 0\n
a number that is none|f D 0 0755 0 a\n${end}
a number that is none|f R DIGITS a 0 0\n
a number that is none|f R DIGITS 0 a\n${end}
a line of its list has too few fields|f B DIGITS 1\n
a number that is none|f C DIGITS a 1\n
a number that is none|f C DIGITS 1 a\n${end}
a name that is too long|f I DIGITS LONG\n
a name that is too long|f I DIGITS f\0${end}
File exists|f R DIGITS 0 0 0\nf C DIGITS 1 3\n
File exists|f I DIGITS f\nf S DIGITS x\n
File exists|f C DIGITS 1 3\nf C DIGITS 1 3\n
File exists|dev/console R DIGITS 0 0 0\n
File exists|l S DIGITS x\nl S DIGITS y\n
No such file or directory|none/f S DIGITS x\n
No such file or directory|none/d D DIGITS\n
No such file or directory|l/ S DIGITS x\n
No such file or directory|l L none\n
No such file or directory|d D DIGITS\nl S DIGITS d\nf L l/none\n
Operation not permitted|d D DIGITS\nl L d\n
File name too long|DOTS D DIGITS\n
File name too long|LESS D DIGITS\n
a file that is not whole|f R DIGITS 2 0 0\n${end}x
a file that is not whole|f R DIGITS 1 4294967297 0\n${end}x
a file that is not whole|f R DIGITS 4294967297 0 0\n${end}x
a file that is not whole|f R DIGITS 1 1 0\n${end}x
a file that is not whole|f R DIGITS 1 18446744073709551615 0\n${end}x
a file that is not whole|f R DIGITS 18446744073709551615 1 0\n${end}x
END
    assert_equal "$count" 55
    perl -e 'print map { "d" . "/d" x $_ . " D 0 0755 0 0\n" } 0 .. 256' > "$LIST"
    run --separate-stderr "$top/build/noptrace-image" check "$BATS_TEST_TMPDIR/image"
    assert_unreadable 'squashfs root: folders more than 256 deep'
    # as many as there may be, and one more
    { perl -e 'print "/ D 0 0755 0 0\n" x 250_000' && printf %b "$end"; } > "$LIST"
    run --separate-stderr "$top/build/noptrace-image" check "$BATS_TEST_TMPDIR/image"
    assert_failure 1
    perl -e 'print "/ D 0 0755 0 0\n" x 250_001' > "$LIST"
    run --separate-stderr "$top/build/noptrace-image" check "$BATS_TEST_TMPDIR/image"
    assert_unreadable 'squashfs root: more entries than are looked at'
}

@test "a squash-root.img with a newline in a name or a link, or which unsquashfs cannot read, is refused" {
    local line count
    export LIST=$BATS_TEST_TMPDIR/list LISTED END=true PATH=$BATS_TEST_TMPDIR:$PATH
    squashed_image
    printf '/ D 0 0755 0 0\nf R 0 0644 0 0 1 0 0\n#\n# START OF DATA - DO NOT MODIFY\n#\nx' > "$LIST"
    # 2 is of what is root's alone; it may write no more than of what is compressed elsewhere, and has no other files, be they
    # the image or those for the roots of other names
    # shellcheck disable=SC2016 # of the shell that evaluates it
    for END in true 'exit 2' '[ "$(ulimit -f)" -le 524388 ]' '[ "$(ulimit -t)" -le 120 ]' '[ "$LC_ALL" = C ]' \
        '[ -e /proc/$$/fd/1 ] && ! ls -l /proc/$$/fd | grep -q /image$' '[ "$(find /proc/$$/fd -lname "*(deleted)" | wc -l)" -le 2 ]' \
        '[ "$3" != -pf ] || { echo heard; echo heard >&2; }'; do
        LISTED='drwxr-xr-x 0/0 3 2026-01-01 00:00 squashfs-root\n\n-rwsr-xr-T 9/9 1 x y z/f\n'
        run --separate-stderr env LC_ALL=C.UTF-8 "$top/build/noptrace-image" check "$BATS_TEST_TMPDIR/image"
        assert_failure 1
        assert_line --partial '/usr/sbin/noptrace: not in the image'
        assert_equal "$(grep heard <<< "$output$stderr")" ''
    done
    # as many as there may be in what is behind the list
    for count in 250000 250001; do
        export count LISTED=''
        # shellcheck disable=SC2016 # of the shell that evaluates it
        END='[ "$3" = -pf ] || yes "drwxr-xr-x 0/0 x" | head -n $count'
        run --separate-stderr "$top/build/noptrace-image" check "$BATS_TEST_TMPDIR/image"
        if ((count == 250000)); then assert_failure 1; else assert_unreadable 'squashfs root: more entries than are looked at'; fi
    done
    for END in 'exit 1' 'kill -9 $$'; do
        run --separate-stderr "$top/build/noptrace-image" check "$BATS_TEST_TMPDIR/image"
        assert_unreadable 'squashfs root: unsquashfs cannot read it, or TMPDIR has no room'
    done
    END=true
    for line in x 'drwxr-xr-x ' 'drwxr-xr-x 0' 'drwxr-xr-x 0 0 x' 'drwxr-xr-xL0/0 x' 'drwxr-xr-x /0 x' 'drwxr-xr-x L/0 x' 'drwxr-xr-x :/0 x' 'xrwxr-xr-x 0/0 x' 'drwxr-xr-x 0 0 0 0 0 /' 'drwxr-xr?x 0/0 x'; do
        LISTED="drwxr-xr-x 0/0 x\n$line\n"
        run --separate-stderr "$top/build/noptrace-image" check "$BATS_TEST_TMPDIR/image"
        assert_unreadable 'squashfs root: a name or a link with a newline in it'
    done
}

@test "the files of a squash-root.img have what unsquashfs says that they have" {
    export LIST=$BATS_TEST_TMPDIR/list LISTED='' END=true PATH=$BATS_TEST_TMPDIR:$PATH
    squashed_image
    # the second is more than is read at once, and nothing of the last is behind the end
    perl -e '
        my $second = "#" . "x" x 200_000 . "\nkernel.yama.ptrace_scope = 3";
        my @files = (["etc/words", "maintenance\n"], ["etc/sysctl.d/x.conf", $second], ["last", ""]);
        my ($list, $data) = ("", "");
        $list .= "$_ D 0 0755 0 0\n" for "dev", "etc", "etc/sysctl.d";
        # which the kernel has made already
        $list .= "dev/console C 0 0600 0 0 5 1\n";
        # a link, behind one that is longer
        $list .= "etc/other S 0 0777 0 0 words-of-others\netc/cmdline S 0 0777 0 0 words\n";
        for (@files) { $list .= "$_->[0] R 0 0644 0 0 " . length($_->[1]) . " " . length($data) . " 0\n"; $data .= $_->[1] }
        print "$list#\n# START OF DATA - DO NOT MODIFY\n#\n$data"' > "$LIST"
    run --separate-stderr "$top/build/noptrace-image" check "$BATS_TEST_TMPDIR/image"
    assert_failure 1
    assert_line --partial '  warn  maintenance   /etc/cmdline: has the word maintenance'
    assert_line '  FAIL  sysctl        /etc/sysctl.d/x.conf:2: sets the scope to 3 in maintenance boots as well; remove that'
}

@test "a squash-root.img is read under limits that are narrower than those for unsquashfs" {
    LIST=$BATS_TEST_TMPDIR/list LISTED='' END=true PATH=$BATS_TEST_TMPDIR:$PATH
    export LIST LISTED END
    squashed_image
    echo 'x' > "$LIST"
    # shellcheck disable=SC2016 # the inner shell's
    run --separate-stderr setpriv --bounding-set=-sys_resource bash -c 'ulimit -t 10 -f 4096 && exec "$1" check "$2"' - "$top/build/noptrace-image" "$BATS_TEST_TMPDIR/image"
    assert_unreadable 'squashfs root: a line of its list that is not understood'
}

# checked_in SIZE [BLOCKS]: the image, with so much room in TMPDIR, and where no file may have more blocks, without a signal.
checked_in() {
    # shellcheck disable=SC2016 # the inner shell's
    run --separate-stderr unshare --mount bash -c 'mount -t tmpfs -o "size=$1" tmpfs "$2" && trap "" XFSZ && ulimit -f "$3" && TMPDIR=$2 exec "$4" check "$5"' \
        - "$1" "$BATS_TEST_TMPDIR/full" "${2:-unlimited}" "$top/build/noptrace-image" "$BATS_TEST_TMPDIR/image"
}

@test "a squash-root.img of which not all can be unpacked is refused: where TMPDIR has no room, and where no file may be as long" {
    local tree=$BATS_TEST_TMPDIR/tree size link
    mkdir "$BATS_TEST_TMPDIR/full" "$tree"
    mkdir "$tree"/a-folder-with-a-long-name-{0001..2000}
    # what is listed is longer than what is behind the list, and unsquashfs may say nothing of what it could not write
    for link in '' $'x\n/sbin/injected D 1 755 0 0'; do
        rm -f "$BATS_TEST_TMPDIR/squashfs"
        [[ ! $link ]] || ln -s "$link" "$tree/zz"
        mksquashfs "$tree" "$BATS_TEST_TMPDIR/squashfs" -no-xattrs -quiet -no-progress > "$BATS_TEST_TMPDIR/log"
        perl -I "$BATS_TEST_DIRNAME" -MImages -e 'print archive(file("init", "mount /squash-root.img\n"), file("squash-root.img", slurp($ARGV[0])))' \
            "$BATS_TEST_TMPDIR/squashfs" > "$BATS_TEST_TMPDIR/image"
        for size in 60k 160k 180k 200k '1m 60' '1m 170' 1m; do
            # shellcheck disable=SC2086 # two words
            checked_in $size
            if [[ $link ]]; then
                assert_unreadable 'squashfs root: a name or a link with a newline in it'
            elif [[ $size == *60 || $size == 60k ]]; then
                assert_failure 2
                assert_line --regexp '^  FAIL  image         squashfs root: (its list is cut short|unsquashfs cannot read it, or TMPDIR has no room)$'
            else
                assert_failure 1
                assert_line --partial '/usr/sbin/noptrace: not in the image'
            fi
        done
    done
    checked_in 8k
    assert_unreadable 'what was unpacked cannot be written: No space left on device'
}

@test "a squash-root.img is refused that kernels find to be shorter than it is: its last sector is not whole" {
    local tree=$BATS_TEST_TMPDIR/tree image=$BATS_TEST_TMPDIR/squashfs more length size
    mkdir "$tree"
    head -c 100 /dev/urandom > "$tree/file"
    # as long as it is, a byte less than whole, and whole; and one that needs nothing more to be so
    for more in 0 511 512 none; do
        [[ $more != none ]] || head -c $((512 - length % 512)) /dev/urandom >> "$tree/file"
        mksquashfs "$tree" "$image" -no-xattrs -nopad -noI -noD -no-fragments -noappend -quiet -no-progress > "$BATS_TEST_TMPDIR/log"
        length=$(stat -c %s "$image")
        size=$length
        [[ $more == [0n]* ]] || size=$((length / 512 * 512 + more))
        truncate -s "$size" "$image"
        perl -I "$BATS_TEST_DIRNAME" -MImages -e 'print archive(file("init", "mount /squash-root.img\n"), file("squash-root.img", slurp($ARGV[0])))' \
            "$image" > "$BATS_TEST_TMPDIR/image"
        run --separate-stderr "$top/build/noptrace-image" check "$BATS_TEST_TMPDIR/image"
        assert_equal "$more $((size % 512 > 0))" "$more $([[ $more == 0 || $more == 511 ]] && echo 1 || echo 0)"
        if ((size % 512)); then
            assert_unreadable 'squashfs root: not whole on a loop device, which leaves out a last sector that is none; build it without -nopad'
        else
            assert_failure 1
            assert_line --partial '/usr/sbin/noptrace: not in the image'
        fi
    done
}

@test "a squash-root.img that cannot be looked at is refused: without unsquashfs, or a file to unpack it into" {
    local most says
    squashed_image
    rm "$BATS_TEST_TMPDIR/unsquashfs"
    ln -s "$(command -v bash)" "$(command -v dirname)" "$BATS_TEST_TMPDIR"
    run --separate-stderr env PATH="$BATS_TEST_TMPDIR" "$top/build/noptrace-image" check "$BATS_TEST_TMPDIR/image"
    assert_unreadable 'squashfs root: no unsquashfs here to read it; install squashfs-tools'
    # one for the image, one for each name that the root may have, and two for what unsquashfs lists
    while read -r most says; do
        # shellcheck disable=SC2016 # the inner shell's
        run --separate-stderr bash -c 'exec 3>&- 4>&- && ulimit -n "$1" && exec "$2" check "$3"' - "$most" "$top/build/noptrace-image" "$BATS_TEST_TMPDIR/image"
        assert_unreadable "$says"
    done << 'END'
6 no place to work in; see TMPDIR
7 squashfs root: cannot run unsquashfs
8 squashfs root: cannot run unsquashfs
END
}
