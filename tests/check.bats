#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# noptrace-image check: images that are broken on purpose, each in one way, and good ones of every kind, which
# boot as well. The broken ones are made from real images, unpacked.

# run --separate-stderr sets stderr; each test is a subshell, and sets what it uses.
# shellcheck disable=SC2154,SC2030,SC2031

# shellcheck source=tests/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

# BAKED=FOLDER keeps the images for the next run.
setup_file() {
    export images=${BAKED-$BATS_FILE_TMPDIR} flavour
    [[ ! -e $images/handmade ]] || return 0
    mkdir -p "$images"
    bake "$bookworm" "$images/systemd" "${systemd_flavour[@]}" 'noptrace_on_failure=emergency' > "$images/log" &
    bake "$bookworm" "$images/shell" "${shell_flavour[@]}" > "$images/log.shell"
    wait $!
    bake "$bookworm" "$images/omitted" "${systemd_flavour[@]}" 'omit_dracutmodules+=" noptrace "' > "$images/log.omitted" &
    bake_with_mkinitramfs "$images/initramfs-tools" noptrace_on_failure=poweroff > "$images/log.initramfs-tools"
    wait $!
    # To pack the trees is what takes the time: of programs and modules but ours, into which check does not look, the first
    # page is left.
    for flavour in systemd shell initramfs-tools; do
        mkdir "$images/$flavour.tree"
        zcat -f "$images/$flavour" | cpio --quiet -i -d -D "$images/$flavour.tree"
        grep -rlZ --exclude=noptrace $'^\x7fELF' "$images/$flavour.tree" | xargs -0 truncate -s '<4096'
    done
    handmade "$images/handmade.tree" "$bookworm" "$program"
    pack "$images/handmade.tree" "$images/handmade"
}

setup() {
    config=$(config_of "$bookworm")
    image=$BATS_TEST_TMPDIR/image
    units=usr/lib/systemd/system
    unit=noptrace-initramfs.service
}

# tree_of FLAVOUR: a copy of that image's files to break, in $tree.
tree_of() {
    tree=$BATS_TEST_TMPDIR/tree
    rm -rf "$tree"
    variant_of "$images/$1.tree" "$tree"
}

check() {
    run --separate-stderr "$top/build/noptrace-image" check --kernel-config "$config" "$@"
}

check_tree() {
    pack "$tree" "$image"
    check "$@" "$image"
}

# assert_fails POINT TEXT: of all points this one alone fails, with this text, and the exit code is 1.
assert_fails() {
    assert_failure 1
    assert_line "$image: FAIL"
    assert_line "  FAIL  $(printf %-12s "$1")  $2"
    assert_equal "$(grep -c '^  FAIL' <<< "$output")" 1
    # nor does it come to anything else
    assert_equal "$(grep -cE "^  [^ ]+ +$1 " <<< "$output")" 1
    assert_equal "$stderr" "noptrace-image: $image: fails: $1"
}

assert_point() {
    assert_line "  $(printf %-4s "$1")  $(printf %-12s "$2")  $3"
}

@test "the kernel's command line is read as the kernel does" {
    local want line ask=$top/build/noptrace-cmdline
    local -A codes=([Y]=0 [n]=1)
    while IFS=$'\t' read -r want line; do
        printf -v line %b "$line"
        run "$ask" has maintenance "$line"
        assert_equal "$status $line" "${codes[$want]} $line"
        # the same from stdin, where procfs adds a newline
        run "$ask" has maintenance < <(printf '%s\n' "$line")
        assert_equal "$status $line" "${codes[$want]} $line"
    done < <(grep -v '^#' "$BATS_TEST_DIRNAME/command-lines")
    assert_equal "$("$ask" value lsm 'lsm=a x="lsm=b" lsm="c d" lsmx=f lsm -- lsm=e')" 'c d'
    assert_equal "$("$ask" words '"a b"  c="d e" f -- g')" $'a b\nc=d e\nf'
    assert_equal "$("$ask" value lsm lsm=a | od -An -c)" '   a  \n'
    run "$ask" value lsm 'quiet'
    assert_failure 1
    # a newline in quotes ends no line of what is printed
    assert_equal "$("$ask" words $'"a\nb" c')" $'a b\nc'
    # and behind a NUL there is nothing, nor before the first byte
    run "$ask" has maintenance < <(printf 'quiet\0 maintenance')
    assert_failure 1
    assert_equal "$("$ask" words < <(printf '"a\n\0b'))" a
    run "$ask" words < /dev/null
    assert_success
    assert_output ''
    for line in '' 'words a b'; do
        # shellcheck disable=SC2086 # its arguments
        run "$ask" $line
        assert_failure 64
        assert_output 'usage: noptrace-cmdline words|value NAME|has WORD [LINE]'
    done
    # a folder, and a line that is longer than any
    run "$ask" words < /
    assert_failure 2
    run "$ask" words < <(head -c 2000000 /dev/zero | tr '\0' x)
    assert_failure 2
    assert_output ''
    run bash -c '"$0" words a > /dev/full' "$ask"
    assert_failure 2
}

# assert_all_points IMAGE WHAT: what is said of that image, whose points behind those of the program are on stdin.
assert_all_points() {
    assert_output - << END
$images/$1: ok
  ok    image         $2
  ok    program       /usr/sbin/noptrace
  ok    executable    mode 755
  ok    static        needs no loader and no library
  ok    architecture  x86_64, as /bin/sh
  ok    identity      the program and its files are those of $program
$(cat)
END
}

@test "a good image of dracut with systemd passes in every point" {
    check "$images/systemd"
    assert_success
    assert_equal "$stderr" ''
    assert_all_points systemd 'dracut, systemd' << END
  ok    wired         by the unit noptrace-initramfs.service
  ok    order         in sysinit.target, before the pivot
  ok    masks         no mask, and every link leads to the unit
  ok    policy        emergency: a boot that could not lock is stopped
  ok    yama          $config has it
  n/a   lsm           no command line is built in, and none is given with --cmdline
  ok    maintenance   no command line is built in
  ok    sysctl        no sysctl.d file sets the scope
END
}

@test "a good shell image of dracut, and one made by hand, pass in every point" {
    check --cmdline 'quiet lsm=yama' "$images/shell"
    assert_success
    assert_equal "$stderr" ''
    assert_all_points shell 'dracut, shell' << END
  ok    wired         by dracut's hook cmdline/00-noptrace.sh
  ok    order         the first of all hooks, before the pivot
  ok    masks         no unit to mask, and no rdinit= is built in
  ok    policy        continue: a boot that could not lock goes on
  ok    yama          $config has it
  ok    lsm           no lsm= without yama is built in
  ok    maintenance   the word is in no command line that is built in for normal boots
  n/a   sysctl        nothing here is known to read sysctl.d, and no file there locks
END
    check "$images/handmade"
    assert_success
    assert_point ok image hand-made
    assert_point ok wired 'by /init'
    assert_line --regexp '^  ok    order         line [1-9][0-9]* of /init, before the pivot$'
    assert_point n/a policy 'whatever /init does when the program fails'
    # nor has it a program of which the machine is known
    tree_of handmade
    rm "$tree/bin/sh"
    check_tree
    assert_point n/a architecture 'x86_64; nothing in the image to compare it with'
}

@test "an image of dracut is known by its folder, also where /lib is another one" {
    tree_of systemd
    mv "$tree/usr/lib/dracut" "$BATS_TEST_TMPDIR/dracut"
    check_tree
    assert_point ok image systemd
    rm "$tree/lib"
    mkdir "$tree/lib"
    cp -a "$tree/usr/lib"/* "$tree/lib"
    mv "$BATS_TEST_TMPDIR/dracut" "$tree/lib/dracut"
    check_tree
    assert_point ok image 'dracut, systemd'
}

@test "an image that dracut was told to omit the module from fails, with what to do" {
    image=$images/omitted
    check "$image"
    assert_failure 1
    assert_point FAIL program '/usr/sbin/noptrace: not in the image; build it with dracut --add noptrace, and let no omit_dracutmodules name it'
    assert_point FAIL wired 'nothing calls the program; build it with dracut --add noptrace, and let no omit_dracutmodules name it'
    refute_line --partial '  identity  '
    assert_equal "$stderr" "noptrace-image: $image: fails: program, wired"
}

@test "a program that is a link, or has another name, by which PID 1 may be told to write to it, fails" {
    local folder text='/usr/sbin/noptrace: a link, or has another name, by which others may write to it; put the file itself there'
    tree_of handmade
    ln "$tree/usr/sbin/noptrace" "$tree/x"
    check_tree
    assert_fails program "$text"
    rm "$tree/x"
    mkdir "$tree/opt"
    mv "$tree/usr/sbin/noptrace" "$tree/opt/n"
    ln -s /opt/n "$tree/usr/sbin/noptrace"
    check_tree
    assert_fails program "$text"
    # and where others would not see that it is the program
    mv "$tree/opt/n" "$tree/opt/noptrace"
    rm -r "$tree/usr/sbin"
    ln -s /opt "$tree/usr/sbin"
    check_tree
    assert_fails program "$text"
    # but where distributions have merged them
    rm "$tree/usr/sbin"
    mv "$tree/opt/noptrace" "$tree"
    for folder in usr/bin sbin bin; do
        mkdir -p "$tree/$folder"
        mv "$tree/noptrace" "$tree/$folder"
        ln -s "/$folder" "$tree/usr/sbin"
        check_tree
        assert_success
        mv "$tree/$folder/noptrace" "$tree"
        rm "$tree/usr/sbin"
    done
}

# part_lib NAME: /lib is no link to /usr/lib any more, but a folder of links to what is there, and has NAME for its own.
part_lib() {
    local name
    rm "$tree/lib"
    mkdir "$tree/lib"
    for name in "$tree"/usr/lib/*; do
        [[ $name == */"$1" || $name == */noptrace ]] || ln -s "../usr/lib/${name##*/}" "$tree/lib"
    done
    mv "$tree/usr/lib/$1" "$tree/lib"
}

@test "what runs in an image is known by what /init leads to, or by its name, and where /usr has not all of /lib" {
    tree_of systemd
    rm "$tree/usr/lib/systemd/systemd"
    check_tree
    assert_failure 1
    assert_point ok image 'dracut, systemd'
    tree_of systemd
    part_lib systemd
    ln -sf /lib/systemd/systemd "$tree/usr/sbin/init"
    ln -sfn usr/sbin/init "$tree/init"
    check_tree
    assert_success
    assert_point ok image 'dracut, systemd'
    assert_point ok sysctl 'no sysctl.d file sets the scope'

    tree_of shell
    mv "$tree/init" "$tree/usr/sbin/start"
    ln -s usr/sbin/start "$tree/init"
    part_lib dracut
    check_tree
    assert_success
    assert_point ok image 'dracut, shell'
    # nor does a link that leads nowhere make it systemd by any name
    ln -sfn usr/sbin/nothing "$tree/init"
    check_tree
    assert_failure 1
    assert_point ok image 'dracut, shell'
}

@test "a program that is cut short fails" {
    tree_of systemd
    rm "$tree/usr/sbin/noptrace"
    head -c 4000 "$program" > "$tree/usr/sbin/noptrace"
    chmod 755 "$tree/usr/sbin/noptrace"
    check_tree
    assert_failure 1
    assert_point FAIL static '/usr/sbin/noptrace: cut short; install noptrace again'
    # what it has would end behind all numbers
    perl -e 'print "\x7fELF\2\1\1" . "\0" x 9 . pack("v2 V Q<3 V v6", 2, 62, 1, 1, 64, ~0, 0, 64, 56, 1, 64, 1, 0) . pack("V x52", 1)' > "$tree/usr/sbin/noptrace"
    check_tree
    assert_point FAIL static '/usr/sbin/noptrace: cut short; install noptrace again'
    assert_point FAIL identity "/usr/sbin/noptrace: not that of $program; build the image anew, or name the right one with --program"
}

@test "a program that is empty fails" {
    tree_of shell
    rm "$tree/usr/sbin/noptrace"
    install -m 755 /dev/null "$tree/usr/sbin/noptrace"
    check_tree
    assert_failure 1
    assert_point FAIL static '/usr/sbin/noptrace: not an ELF program, or cut short; install noptrace again'
    assert_point n/a architecture 'unknown: it is no ELF program'
}

@test "a dynamic program fails" {
    tree_of shell
    rm "$tree/usr/sbin/noptrace"
    echo 'int puts(const char *); int main(void) { puts("noptrace 1"); return 0; }' > "$BATS_TEST_TMPDIR/main.c"
    gcc -o "$tree/usr/sbin/noptrace" "$BATS_TEST_TMPDIR/main.c"
    check_tree --program "$tree/usr/sbin/noptrace"
    assert_fails static "/usr/sbin/noptrace: needs a loader, which an initramfs may lack; build it static, with 'make'"
    # one that names no loader, and is to be relocated all the same
    gcc -static-pie -o "$tree/usr/sbin/noptrace" "$BATS_TEST_TMPDIR/main.c"
    check_tree --program "$tree/usr/sbin/noptrace"
    assert_fails static "/usr/sbin/noptrace: needs a loader, which an initramfs may lack; build it static, with 'make'"
}

@test "a program of another architecture fails" {
    tree_of shell
    # the number of the machine in its header, made AArch64's
    sed 's/^\(\x7fELF.\{14\}\)\x3e\x00/\1\xb7\x00/' "$program" > "$BATS_TEST_TMPDIR/foreign"
    rm "$tree/usr/sbin/noptrace"
    install -m 755 "$BATS_TEST_TMPDIR/foreign" "$tree/usr/sbin/noptrace"
    check_tree
    assert_failure 1
    assert_point FAIL architecture '/usr/sbin/noptrace: for aarch64, and /bin/sh is for x86_64; install noptrace for that'
    # the same machine with 32 bits, and one whose bytes are in another order
    perl -e 'print "\x7fELF\1\1\1" . "\0" x 9 . pack("v2 V V3 V v6", 2, 62, 1, 1, 52, 0, 0, 52, 32, 1, 0, 0, 0) . pack("V x28", 1)' > "$tree/usr/sbin/noptrace"
    check_tree
    assert_point FAIL architecture '/usr/sbin/noptrace: for unknown, and /bin/sh is for x86_64; install noptrace for that'
    perl -e 'print "\x7fELF\2\2\1" . "\0" x 9 . pack("n2 N Q>3 N n6", 2, 62, 1, 1, 64, 0, 0, 64, 56, 1, 0, 0, 0) . pack("N x52", 1)' > "$tree/usr/sbin/noptrace"
    check_tree
    assert_point FAIL architecture '/usr/sbin/noptrace: for unknown, and /bin/sh is for x86_64; install noptrace for that'

    # the first of some is what it runs beside
    tree_of systemd
    rm "$tree/bin/sh"
    check_tree
    assert_point ok architecture 'x86_64, as /usr/lib/systemd/systemd'
    tree_of handmade
    rm "$tree/bin/sh" "$tree/init"
    install -m 755 "$program" "$tree/init"
    check_tree
    assert_point ok architecture 'x86_64, as /init'

    # a UKI, whose kernel says it: machines of ARM, and of nobody
    uki_of '"a kernel"'
    printf '\x64\xaa' | dd of="$image" bs=1 seek=68 conv=notrunc status=none
    check "$image"
    assert_fails architecture '/usr/sbin/noptrace: for x86_64, and the kernel is for aarch64; install noptrace for that'
    printf '\1\1' | dd of="$image" bs=1 seek=68 conv=notrunc status=none
    check "$image"
    assert_fails architecture '/usr/sbin/noptrace: for x86_64, and the kernel is for an unknown machine; install noptrace for that'
}

@test "a configuration beside the image that is no file, or may not be read, is none" {
    local folder=$BATS_TEST_TMPDIR/beside version=6.1.0-own
    tree_of handmade
    rm -rf "$tree"/{usr/,}lib/modules
    mkdir -p "$tree/lib/modules/$version" "$folder"
    check_tree
    mv "$image" "$folder/image"
    echo CONFIG_SECURITY_YAMA=y > "$folder/config-$version"
    run --separate-stderr "$top/build/noptrace-image" check "$folder/image"
    assert_success
    # nor is one that may not be read
    chmod 0 "$folder/config-$version"
    run -3 --separate-stderr setpriv --bounding-set=-dac_override,-dac_read_search "$top/build/noptrace-image" check "$folder/image"
    assert_line --partial '  n/a   yama          cannot tell: '
    rm "$folder/config-$version"
    mkfifo "$folder/config-$version"
    run -3 --separate-stderr timeout 20 "$top/build/noptrace-image" check "$folder/image"
    assert_line --partial '  n/a   yama          cannot tell: '
    rm "$folder/config-$version"
    mkdir "$folder/config-$version"
    run -3 --separate-stderr timeout 20 "$top/build/noptrace-image" check "$folder/image"
    assert_line --partial '  n/a   yama          cannot tell: '
}

@test "a program that is not executable fails" {
    tree_of systemd
    rm "$tree/usr/sbin/noptrace"
    install -m 644 "$program" "$tree/usr/sbin/noptrace"
    check_tree
    assert_failure 1
    assert_point FAIL executable '/usr/sbin/noptrace: mode 644; make it 755 before the image is built'
    # nor as somebody else
    for mode in 4755 2755; do
        chmod "$mode" "$tree/usr/sbin/noptrace"
        check_tree
        assert_fails executable "/usr/sbin/noptrace: mode $mode; make it 755 before the image is built"
    done
}

@test "another program in its place fails" {
    tree_of shell
    # and what is known is the file itself, and not what it unpacks to
    gzip -c "$program" > "$BATS_TEST_TMPDIR/known"
    check_tree --program "$BATS_TEST_TMPDIR/known"
    assert_fails identity "/usr/sbin/noptrace: not that of $BATS_TEST_TMPDIR/known; build the image anew, or name the right one with --program"
    rm "$tree/usr/sbin/noptrace"
    cp "$bookworm/bin/busybox" "$tree/usr/sbin/noptrace"
    check_tree
    assert_fails identity "/usr/sbin/noptrace: not that of $program; build the image anew, or name the right one with --program"

    # one that answers in our name, and would have been asked
    echo 'int puts(const char *); int main(void) { puts("noptrace 0.2.0"); return 0; }' > "$BATS_TEST_TMPDIR/main.c"
    musl-gcc -static -o "$BATS_TEST_TMPDIR/other" "$BATS_TEST_TMPDIR/main.c"
    rm "$tree/usr/sbin/noptrace"
    cp "$BATS_TEST_TMPDIR/other" "$tree/usr/sbin/noptrace"
    check_tree
    assert_fails identity "/usr/sbin/noptrace: not that of $program; build the image anew, or name the right one with --program"
    # of another version, which --program knows
    check_tree --program "$BATS_TEST_TMPDIR/other"
    assert_success
    assert_point ok identity "the program and its files are those of $BATS_TEST_TMPDIR/other"
    # by a path of any length it is named whole
    mkdir -p "$BATS_TEST_TMPDIR"/{a,b}"$(printf '%0240d' 0)"
    cp "$program" "$BATS_TEST_TMPDIR/b$(printf '%0240d' 0)"/program
    program=$BATS_TEST_TMPDIR/a$(printf '%0240d' 0)/../b$(printf '%0240d' 0)/program
    check_tree --program "$program"
    assert_fails identity "/usr/sbin/noptrace: not that of $program; build the image anew, or name the right one with --program"
}

# noptrace_check OPTION…: what noptrace-image calls, with the files that are to be in an image. stdin='<&-' closes that.
noptrace_check() {
    local module=$top/modules.d/50noptrace
    run --separate-stderr timeout 20 bash -c "exec \"\$0\" \"\$@\" ${stdin-}" \
        "$top/build/noptrace-check" --program "$program" --module "$module" --instead "$top/build/instead" \
        --init-top "$top/hooks/initramfs-tools/init-top" --units "$top/hooks/systemd" "$@"
}

@test "where the known program cannot be read whole, check cannot tell whether it is that, 3" {
    local known
    check --program "$bookworm/bin/busybox" "$images/handmade"
    assert_failure 3
    assert_point n/a identity "cannot tell: $bookworm/bin/busybox: too large: there is nothing to compare with; install noptrace, or give --program"
    assert_equal "$stderr" "noptrace-image: $images/handmade: cannot tell: identity"
    run --separate-stderr "$top/build/noptrace-image" check --program "$bookworm/bin/busybox" "$images/handmade"
    assert_failure 3
    assert_equal "$stderr" "noptrace-image: $images/handmade: cannot tell: identity, yama"
    # not asked through the shell, which would have looked
    for known in /nonexistent /dev/null; do
        noptrace_check --program "$known" --kernel-config "$config" "$images/handmade"
        assert_failure 3
        assert_line --regexp "^  n/a   identity      cannot tell: $known: (No such file or directory|not a file): "
    done
}

@test "nothing of an image is executed, or written to a disk" {
    tree_of shell
    rm "$tree/usr/sbin/noptrace"
    printf '#!/bin/sh\ntouch %s/ran\n' "$BATS_TEST_TMPDIR" > "$tree/usr/sbin/noptrace"
    chmod 755 "$tree/usr/sbin/noptrace"
    pack "$tree" "$image"
    run strace -f -qq -e trace=execve,openat -o "$BATS_TEST_TMPDIR/trace" "$top/build/noptrace-image" check \
        --kernel-config "$config" "$image"
    assert_failure 1
    assert [ ! -e "$BATS_TEST_TMPDIR/ran" ]
    # the shell script and the C program, and one file that is written to, which has no name
    run grep -c execve "$BATS_TEST_TMPDIR/trace"
    assert_output 2
    run bash -c "grep -E 'O_WRONLY|O_RDWR|O_CREAT' '$BATS_TEST_TMPDIR/trace' | grep -vE 'O_TMPFILE|\"/dev/'"
    assert_output ''
}

@test "a hook and a unit in one image fail" {
    tree_of systemd
    install -D -m 755 "$top/modules.d/50noptrace/noptrace.sh" "$tree/usr/lib/dracut/hooks/cmdline/00-noptrace.sh"
    check_tree
    assert_fails wired "more than once: the unit noptrace-initramfs.service,dracut's hook cmdline/00-noptrace.sh; build the image anew with one"
}

@test "a hook in a systemd image, and a unit in a shell image, do not run and fail" {
    tree_of systemd
    rm "$tree/$units/$unit" "$tree/$units"/*.wants/"$unit"
    install -D -m 755 "$top/modules.d/50noptrace/noptrace.sh" "$tree/usr/lib/dracut/hooks/cmdline/00-noptrace.sh"
    check_tree
    assert_fails wired "by dracut's hook cmdline/00-noptrace.sh, which does not run where init is systemd; build the image anew"
    tree_of shell
    rm "$tree/usr/lib/dracut/hooks/cmdline/00-noptrace.sh"
    install -D -m 644 "$top/modules.d/50noptrace/$unit" "$tree/$units/$unit"
    check_tree
    assert_fails wired 'by the unit noptrace-initramfs.service, which does not run where init is dracut; build the image anew'
    # nor a unit where /init is somebody's own
    tree_of handmade
    sed '/noptrace apply/d' "$images/handmade.tree/init" > "$BATS_TEST_TMPDIR/init"
    install -m 755 "$BATS_TEST_TMPDIR/init" "$tree/init"
    install -D -m 644 "$top/modules.d/50noptrace/$unit" "$tree/$units/$unit"
    check_tree
    assert_fails wired 'by the unit noptrace-initramfs.service, which does not run where init is hand-made; build the image anew'
    # which a script of systemd's name is
    tree_of systemd
    cp --remove-destination "$BATS_TEST_TMPDIR/init" "$tree/usr/lib/systemd/systemd"
    chmod 755 "$tree/usr/lib/systemd/systemd"
    check_tree
    assert_failure 1
    assert_point ok image hand-made
}

@test "a hook that is empty, says the call in a comment, or is no .sh calls nothing, and fails" {
    tree_of shell
    rm "$tree/usr/lib/dracut/hooks/cmdline/00-noptrace.sh"
    touch "$tree/usr/lib/dracut/hooks/cmdline/00-noptrace.sh"
    check_tree
    assert_fails wired 'nothing calls the program; build it with dracut --add noptrace, and let no omit_dracutmodules name it'
    echo '# noptrace apply' > "$tree/usr/lib/dracut/hooks/cmdline/00-noptrace.sh"
    check_tree
    assert_fails wired 'nothing calls the program; build it with dracut --add noptrace, and let no omit_dracutmodules name it'
    tree_of shell
    mv "$tree/usr/lib/dracut/hooks/cmdline/00-noptrace"{.sh,}
    check_tree
    assert_fails wired 'nothing calls the program; build it with dracut --add noptrace, and let no omit_dracutmodules name it'
    # nor is it ours by another name
    mv "$tree/usr/lib/dracut/hooks/cmdline/00-"{noptrace,lock.sh}
    check_tree
    assert_fails wired 'nothing calls the program; build it with dracut --add noptrace, and let no omit_dracutmodules name it'
}

@test "a hook that runs earlier fails, whatever it does" {
    local hooks name text
    tree_of shell
    hooks=$tree/usr/lib/dracut/hooks/cmdline
    for text in ': nothing' 'exit 0' ''; do
        echo "$text" > "$hooks/00-bbb.sh"
        check_tree
        assert_fails order 'the hook 00-bbb.sh runs before it, and may undo what it needs; rename that'
    done
    # it is the first that is said
    ln -s /proc/cmdline "$hooks/00-aaa.sh"
    check_tree
    assert_fails order 'the hook 00-aaa.sh runs before it, and may undo what it needs; rename that'
    # what comes behind ours may do anything, and dracut runs no other file of that folder
    rm "$hooks"/00-{aaa,bbb}.sh
    for name in 00-noptracf.sh 99-x.sh 00-aaa .00-aaa.sh; do
        echo 'exit 0' > "$hooks/$name"
        check_tree
        assert_success
        assert_point ok order 'the first of all hooks, before the pivot'
    done
    mv "$hooks/"{,.}00-noptrace.sh
    check_tree
    assert_fails wired 'nothing calls the program; build it with dracut --add noptrace, and let no omit_dracutmodules name it'
}

# init_of_lines LINE…: the hand-made /init with these right before its call, which is in line 7.
init_of_lines() {
    tree_of handmade
    printf '%s\n' "$@" > "$BATS_TEST_TMPDIR/lines"
    sed "6r $BATS_TEST_TMPDIR/lines" "$images/handmade.tree/init" > "$BATS_TEST_TMPDIR/init"
    install -m 755 "$BATS_TEST_TMPDIR/init" "$tree/init"
    check_tree
}

@test "a hand-made /init with anything but simple commands before the call fails: a shell may not come to it" {
    local line
    # shellcheck disable=SC1003,SC2016 # what the image's shell would expand
    for line in 'mount -o move /proc /root/proc' 'umount -a' 'umount /proc' 'umount -l "/proc"' 'mount -o remount,ro /proc' 'mount --bind /x /proc' \
        'mount -t tmpfs none /usr/sbin' 'mount -o bind /dev/null /proc/sys/kernel/yama/ptrace_scope' 'mount -t tmpfs none /proc' 'mount -t proc -o ro proc /proc' \
        'mount -t proc -o nosuid,bind proc /proc' 'mount -t proc -o rw, proc /proc/sys' 'mount -t tmpfs x /proc/sys' 'mount -t tmpfs x /dev/../usr' 'mount -t tmpfs /run' \
        'mount -t tmpfs x y /run' 'mount -t tmpfs x /runs' 'mount -t tmpfs -r x /run' 'mount x /run' 'mount /run' 'mount -a' 'mount -t' 'mount x /run -t' 'mount x /run -o' \
        'mount() { :; }' 'rm /usr/sbin/noptrace' 'cp /bin/true /usr/sbin/noptrace' 'ln -sf /bin/true /usr/sbin/noptrace' 'ulimit -n 3' 'echo > /usr/sbin/noptrace' \
        'exec switch_root /root /sbin/init' '[ -e /init2 ] && exec /init2' '. /init2' 'X=1 exec /bin/sh /init2' '\exec /init2' 'true && exec /init2' 'X=/mount -t tmpfs x /run' \
        'exec 2>&1' 'eval exec /init2' 'command exec /init2' 'trap : EXIT' 'exit' 'set -n' 'set -' 'set x' 'set e-' 'set -e -o noexec' 'alias /usr/sbin/noptrace=:' \
        'echo a; exit' 'echo a || exit' 'echo `exit`' 'echo "`exit`"' "PS4='\$(exit)'" 'x=$(exit)' 'echo ${x:-' 'echo \' "echo 'a" 'echo "a' 'cat << x' '! if false; then' \
        'if false; then' 'f ( )' 'f() {' '{' '(' 'x=*' 'echo ~' 'echo {a,b}' $'ec\0ho' $'echo \r' $'echo "\a"' 'echo "\\"' 'PS4="\$(x)"' $'echo "\x7f"' $'\vecho' 'busybox' 'busybox umount /proc' 'busybox mount -a' \
        'mount -t proc proc /sys' 'mount -t none -o bind /ok /sys/x' 'mount -t none /proc /run' 'mount -t tmpfs -o move /proc /run' \
        'mount -t proc -o bind -o rw /x /proc' 'mount -t proc -o subset=pid -o rw x /proc' 'mount -t proc -t tmpfs x /run' 'mount -t tmpfs -t proc x /proc' \
        'mount -t sysfs x /proc' 'mount -t proc -o mode=555 x /proc' 'mount -t proc -o newinstance x /proc' 'mount -t proc -o gid=proc x /proc' 'mount -t proc -o gid= x /proc' \
        'EXECIGNORE=/bin/mount' 'export UID=0 PATH=/bin' 'PATH=/bin UID=0' 'PS4=x' 'export LD_PRELOAD=/x.so' BASH_ENV=x 'export ENV' 'PATH=/x%func:/bin' 'PATH=/b:~' \
        'export PATH="/bin "' 'mount -t proc -o hidepid=4 x /proc' 'mount -t proc -o x y /proc' 'mount -t proc -o rw,,nodev x /proc' 'mount -t proc -o nosuid,,noexec x /proc' 'mount -t "" x /run' 'PATH=%f:/bin' 'mount -t proc -o gid=1234567890 x /proc' 'mkdir -m' 'mkdir -m x /run/x' 'mkdir -m 8 /run/x' 'mknod /proc p' 'mknod -m 600 //proc p' 'mount -t ext4 /dev/sda /run' 'mkdir -x /run' 'a+=b' 'modprobe x' /sbin/a=b '"a"=b' '1a=b' 'a=b =' "echo $(printf '%0256d' 0)" "echo $(printf 'x %.0s' {1..24})"; do
        # none of its words is one of the next line's
        init_of_lines 'echo echo 7 on tmpfs' "$line"
        assert_fails order 'line 9 of /init, behind line 8, which may keep it from running or from locking; put that behind it, or write it as noptrace-image(8) knows it'
    done
    init_of_lines 'echo -e -e -e -e -e -e' 'mkdir -p /sys "/run/x"' 'echo -e -e -e -e' 'set -e -ux' 'echo x ENV ENV ENV' "E='f' G=h" 'mkdir /run/a -m 700'
    assert_success
    # by no link on the way
    init_of_lines 'mkdir -p /run' 'mount -t tmpfs x /run/l/y'
    assert_success
    ln -s /proc/self/root/usr/sbin "$tree/run/l"
    check_tree
    assert_failure 1
    assert_point FAIL order 'line 9 of /init, behind line 8, which may keep it from running or from locking; put that behind it, or write it as noptrace-image(8) knows it'
    # not even one that is for others
    init_of_lines "# don't" '' $' \t#x \\' 'export A="b c" D' "E='f' G=\"h\"'i'" 'mkdir -p /sys "/run/x" # and' 'mount -t sysfs -o nosuid,noexec sysfs /sys' \
        '/bin/mount -n -t devpts -o gid=5 x /dev/pts' '/bin/busybox mount -t tmpfs tmpfs /run/x -o mode=1777' 'mknod /dev/null c 1 3' 'set -e -ux' 'umask 022' 'dmesg -n 1' \
        ': a' 'busybox true' $'\techo "a \'b\'"; ' 'echo it goes on'
    assert_fails order 'line 24 of /init, behind line 22, which may keep it from running or from locking; put that behind it, or write it as noptrace-image(8) knows it'
    init_of_lines "# don't" '' $' \t#x \\' 'export A="b c" D' "E='f' G=\"h\"'i'" 'mkdir -p /sys "/run/x" # and' 'mount -t sysfs -o nosuid,noexec sysfs /sys' \
        '/bin/mount -n -t devpts -o gid=5 x /dev/pts' '/bin/busybox mount -t tmpfs tmpfs /run/x -o mode=1777' 'mknod /dev/null c 1 3' 'set -e -ux' 'umask 022' 'dmesg -n 1' \
        ': a' 'busybox true' $'\techo "a \'b\'" ' "echo $(printf '%0255d' 0)" "echo $(printf 'x %.0s' {1..23})" "export $(printf 'A=x %.0s' {1..23})"
    assert_success
    assert_point ok order 'line 26 of /init, before the pivot'
    # nor what is behind it in the image
    rmdir "$tree/run"
    ln -s usr/sbin "$tree/run"
    check_tree
    assert_failure 1
    assert_point FAIL order 'line 26 of /init, behind line 6, which may keep it from running or from locking; put that behind it, or write it as noptrace-image(8) knows it'
    # nor by what is there once /proc is mounted
    rm "$tree/run"
    mkdir "$tree/run"
    check_tree
    assert_success
    ln -s /proc/self/root/usr/sbin "$tree/run/x"
    check_tree
    assert_failure 1
    assert_point FAIL order 'line 26 of /init, behind line 15, which may keep it from running or from locking; put that behind it, or write it as noptrace-image(8) knows it'
}

@test "no link leads through /proc, where another tree is than the image has, but for those that are known" {
    local kind link target
    while read -r kind link target; do
        tree_of "$kind"
        rm -rf "${tree:?}/$link"
        mkdir -p "$tree/${link%/*}"
        ln -s "$target" "$tree/$link"
        check_tree
        assert_failure 1
        assert_point FAIL masks "/$link is a link through /proc, to what is not seen here: nothing else may meddle with noptrace; remove that"
    done << END
systemd etc/systemd/system/$unit.d/x.conf /proc/self/root/opt/e
systemd etc/systemd/system/service.d ../../../proc/1/root/opt/d
systemd usr/local/lib /proc/thread-self/root/opt/l
systemd etc/systemd/system/o.service /proc/self/cwd/opt/o
systemd etc/init.d/s /x//proc/self/mounts/../root/s
systemd etc/fstab proc/self/fd/3
systemd usr/lib/modules/x /proc
systemd opt/x ./proc/
shell etc/conf.d /proc/self/root/opt/c
shell etc/dracut/hooks /proc/self/root/opt/h
initramfs-tools conf/conf.d /proc/self/root/opt/c
handmade opt/x ..//../proc/./mounts
END
    tree_of systemd
    ln -sf ../proc/self/mounts "$tree/etc/mtab"
    ln -s /proc/net/pnp "$tree/etc/pnp"
    ln -s /proc//mounts "$tree/etc/mounts"
    ln -s /proc/self/exe "$tree/etc/exe"
    ln -s /usr/proc2/aproc "$tree/etc/none"
    check_tree
    assert_success
    # nor does a mount
    for target in /proc/self/root/usr/sbin /proc/1/cwd/usr/sbin /x/proc/self/root/usr; do
        install -D -m 644 /dev/stdin "$tree/etc/fstab" <<< "/opt $target none bind 0 0"
        check_tree
        assert_fails masks "/etc/fstab:1: /opt $target none bind 0 0: nothing else may meddle with noptrace; remove that"
        rm "$tree/etc/fstab"
        install -D -m 644 /dev/stdin "$tree/etc/systemd/system/o.service" <<< "[Service]
ExecStart=/bin/mount --bind /opt $target"
        check_tree
        assert_fails masks "/etc/systemd/system/o.service:2: ExecStart=/bin/mount --bind /opt $target: nothing else may meddle with noptrace; remove that"
        rm "$tree/etc/systemd/system/o.service"
        check --cmdline "rd.systemd.mount-extra=/opt:$target:none:bind" "$images/systemd"
        assert_failure 1
    done
    install -D -m 644 /dev/stdin "$tree/etc/fstab" <<< $'x /proc/sys/fs/binfmt_misc binfmt_misc\nnfsd /proc/fs/nfsd nfsd\nx /sysroot/proc proc'
    check_tree
    assert_success
}

@test "a hand-made /init that does not mount /proc before the call fails" {
    local line
    tree_of handmade
    for line in '/mount.*proc/d' 's/mount.*proc/# &/' 's/mount.*proc/echo &/' '/mount.*proc/{h;d};/noptrace apply/G'; do
        sed "$line" "$images/handmade.tree/init" > "$BATS_TEST_TMPDIR/init"
        install -m 755 "$BATS_TEST_TMPDIR/init" "$tree/init"
        check_tree
        assert_failure 1
        assert_line --regexp '^  FAIL  order         line [67] of /init, before which no mount of /proc is seen whose command and folder are there by then, without which the program does not lock; mount it before$'
    done
    for line in 's|^mount.*proc.*|mount -t "proc" proc "/proc" # it|' 's|^mount.*proc.*|mount -t proc -o nosuid,nodev,noexec,rw,relatime,noatime,defaults none /proc|' \
        's|^mount.*proc.*|mount proc /proc -o gid=5 -t proc -o hidepid=2,nosuid|'; do
        sed "$line" "$images/handmade.tree/init" > "$BATS_TEST_TMPDIR/init"
        install -m 755 "$BATS_TEST_TMPDIR/init" "$tree/init"
        check_tree
        assert_success
    done
    # and on what is there
    install -m 755 "$images/handmade.tree/init" "$tree/init"
    rmdir "$tree/proc"
    check_tree
    assert_fails order 'line 7 of /init, before which no mount of /proc is seen whose command and folder are there by then, without which the program does not lock; mount it before'
    touch "$tree/proc"
    check_tree
    assert_fails order 'line 7 of /init, before which no mount of /proc is seen whose command and folder are there by then, without which the program does not lock; mount it before'
    rm "$tree/proc"
    for line in '4i mkdir -p /proc' '4i /bin/mkdir /sys "/proc"' '2i /bin/busybox mkdir -m 555 /proc /sys'; do
        sed "$line" "$images/handmade.tree/init" > "$BATS_TEST_TMPDIR/init"
        install -m 755 "$BATS_TEST_TMPDIR/init" "$tree/init"
        check_tree
        assert_success
    done
    ln -s /nowhere "$tree/proc"
    sed '2i mkdir -p /proc' "$images/handmade.tree/init" > "$BATS_TEST_TMPDIR/init"
    install -m 755 "$BATS_TEST_TMPDIR/init" "$tree/init"
    check_tree
    assert_fails order 'line 8 of /init, behind line 5, which may keep it from running or from locking; put that behind it, or write it as noptrace-image(8) knows it'
    rm "$tree/proc"
    for line in '4i mkdir -p proc' '6i mkdir /proc' '4i echo /proc' '2i mkdir /proc' '4i /sbin/mkdir /proc'; do
        sed "$line" "$images/handmade.tree/init" > "$BATS_TEST_TMPDIR/init"
        install -m 755 "$BATS_TEST_TMPDIR/init" "$tree/init"
        check_tree
        assert_fails order 'line 8 of /init, before which no mount of /proc is seen whose command and folder are there by then, without which the program does not lock; mount it before'
    done
}

# check_init LINE…: an /init with these lines before the call, and no others. They are said where a test fails.
check_init() {
    echo "init: $*"
    { echo '#!/bin/busybox sh' && printf '%s\n' "$@" && echo /usr/sbin/noptrace apply; } > "$BATS_TEST_TMPDIR/init"
    install -m 755 "$BATS_TEST_TMPDIR/init" "$tree/init"
    check_tree
}

# mounts_by LINE…: it passes so.
mounts_by() {
    check_init "$@"
    assert_success
}

# mounts_not_by LINE…: it fails, and for the mount alone.
mounts_not_by() {
    check_init "$@"
    assert_fails order "line $(($# + 2)) of /init, before which no mount of /proc is seen whose command and folder are there by then, without which the program does not lock; mount it before"
}

@test "a hand-made /init whose mount of /proc finds no command fails" {
    local line lines mount='mount -t proc proc /proc' install='/bin/busybox --install'
    tree_of handmade
    mkdir "$tree/sbin" "$tree/usr/bin"
    for line in "$mount|$install" "/bin/$mount|$install" "export PATH=/sbin|busybox $mount" "/sbin/busybox $mount" \
        "busybox --install|$mount" "bin/busybox --install|$mount" "/busybox --install|$mount" "$install /sbin|$mount" "$install /nowhere|$mount" "$install bin|$mount" "$install /dev|PATH=/dev|$mount" \
        "$install -x /bin|$mount" "$install|PATH=|$mount" "$install|PATH=bin:/bin|$mount" "$install|export PATH=/sbin|$mount" "$install|export \"PATH\"=/sbin|$mount" "$install|X=y PATH=/sbin|$mount" \
        "$install|PATH=/dev|/dev/$mount" "sbin/$mount" "$install /sbin|PATH=/sbin|/bin/$mount"; do
        IFS='|' read -r -a lines <<< "$line"
        mounts_not_by "${lines[@]}"
    done
    for line in "$install|$mount" "$install|/bin/$mount" "$install|bin/$mount" "$install -s|$mount" "$install /bin|$mount" "$install -s /bin|$mount" "$install -s /sbin|/sbin/$mount" "$install /sbin|/sbin/$mount" \
        "$install /sbin|PATH=/usr/sbin:/sbin|$mount" "$install|$install /sbin|$mount" "/bin/busybox $mount" "busybox $mount" "bin/busybox $mount" "$install|export PATH PATHS=x|$mount" "$install|UIDS=0 ENVS=x PATH=/b-c_d.e/1:/bin|$mount" "$install|$mount|mount -t proc x /proc"; do
        IFS='|' read -r -a lines <<< "$line"
        mounts_by "${lines[@]}"
    done
    # and one that something is mounted over
    cp -L "$tree/bin/busybox" "$tree/run/busybox"
    ln -s ../run/busybox "$tree/sbin/mount"
    mounts_not_by PATH=/sbin "$mount"
    # or over what runs it
    rm "$tree/sbin/mount"
    install -m 755 /dev/stdin "$tree/sbin/mount" <<< '#!/run/busybox sh'
    mounts_not_by PATH=/sbin "$mount"
    # which may be there from the start, if it runs
    ln -s ../../bin/busybox "$tree/usr/bin/mount"
    mounts_by "$mount"
    for line in /nowhere /proc/self/exe ../init2; do
        ln -s "$line" "$tree/bin/mount"
        touch "$tree/init2"
        mounts_not_by "$mount"
        mounts_not_by "$install" "$mount"
        mounts_by PATH=/usr/bin:/bin "$mount"
        rm "$tree/bin/mount"
    done
    # and where PATH grows is not known
    init_of_lines 'export PATH+=x' 'echo it goes on'
    assert_failure 1
    assert_line --partial 'behind line 7, which may keep it from running'
    # nor what a folder, or a node, does that has the name that busybox would give it
    for line in 'mkdir -p /bin/mount' 'mkdir -p bin/mount/x' 'mkdir /sbin /bin/mkdir' 'mknod /bin/mount p'; do
        init_of_lines "/bin/busybox $line" "$install"
        assert_failure 1
        assert_line --partial 'which may keep it from running or from locking'
    done
}

@test "a hand-made /init that only says the call, or does not wait for it, fails" {
    local line form='names noptrace, or the scope, in a form that is not known; write it once, as /usr/sbin/noptrace apply, alone or with || and what is done where it fails in the same line'
    tree_of handmade
    # shellcheck disable=SC2016 # what its shell would expand
    for line in 'echo /usr/sbin/noptrace apply' ': /usr/sbin/noptrace apply || { poweroff -f; exit; }' '/usr/sbin/noptrace apply &' \
        'false && /usr/sbin/noptrace apply' '/usr/sbin/noptrace apply|| poweroff -f' '/opt/usr/sbin/noptrace apply' \
        '/usr/sbin/noptrace apply# x' '/usr/sbin/noptrace applyx' '/usr/sbin/noptrace apply & # x' '/usr/sbin/noptrace apply || # x' '/usr/sbin/noptrace apply | sh' '/usr/sbin/noptrace apply || echo "$(x)"' \
        '/usr/sbin/noptrace apply || echo "a" (b)' "/usr/sbin/noptrace apply || echo 'a' &" '/usr/sbin/noptrace apply || echo "#" & # "' '/usr/sbin/noptrace apply || echo "`x`"' '/usr/sbin/noptrace apply || echo "a' \
        '/usr/sbin/noptrace apply || echo x#y &' '/usr/sbin/noptrace apply || echo "\"" &' $'/usr/sbin/noptrace apply || {\npoweroff -f\n}' 'if ! /usr/sbin/noptrace apply; then poweroff -f; fi' 'if ! noptrace apply; then' \
        '/usr/sbin/noptrace apply || echo \>&' $'/usr/sbin/noptrace apply || echo \\\nfailed &' $'/usr/sbin/noptrace apply || {\npoweroff -f\n} &' \
        $'/usr/sbin/noptrace apply || echo ${x-\n} &' $'/usr/sbin/noptrace apply || echo ${x-"}"\n} &' $'/usr/sbin/noptrace apply || time if :\nthen :; fi &' $'/usr/sbin/noptrace apply || function f\n{ :; } &' \
        $'/usr/sbin/noptrace apply || coproc if :\nthen :; fi &' $'/usr/sbin/noptrace apply || [[ a\n]] &' $'/usr/sbin/noptrace apply || cat << x\nx' \
        $'/usr/sbin/noptrace apply || f ()\n{ :; } &' $'/usr/sbin/noptrace apply || echo "a\n" &' $'/usr/sbin/noptrace apply || sync &&\npoweroff -f &' $'/usr/sbin/noptrace apply || (\nsh) &' \
        '/usr/sbin/noptrace apply || poweroff -f &' '/usr/sbin/noptrace apply || poweroff -f & true' '/usr/sbin/noptrace apply || sh &> /x'; do
        line=$line awk '/noptrace apply/ { $0 = ENVIRON["line"] } { print }' "$images/handmade.tree/init" > "$BATS_TEST_TMPDIR/init"
        install -m 755 "$BATS_TEST_TMPDIR/init" "$tree/init"
        check_tree
        assert_fails wired "line 7 of /init $form"
    done
    sed 's/^.*noptrace apply/# &/' "$images/handmade.tree/init" > "$BATS_TEST_TMPDIR/init"
    install -m 755 "$BATS_TEST_TMPDIR/init" "$tree/init"
    check_tree
    assert_fails wired 'nothing calls the program; put the line "/usr/sbin/noptrace apply || { poweroff -f; exit; }" into /init, right behind the mount of /proc, and the program beside it'
    # nor what has a NUL, which some shells drop
    sed 's/noptrace apply.*/noptrace apply # \x00/' "$images/handmade.tree/init" > "$BATS_TEST_TMPDIR/init"
    install -m 755 "$BATS_TEST_TMPDIR/init" "$tree/init"
    check_tree
    assert_fails wired "line 7 of /init $form"
    # nor does what is no script
    sed 1d "$images/handmade.tree/init" > "$BATS_TEST_TMPDIR/init"
    install -m 755 "$BATS_TEST_TMPDIR/init" "$tree/init"
    check_tree
    assert_failure 1
    assert_line --partial 'neither a program nor a script'
    { cat "$program" && echo && cat "$images/handmade.tree/init"; } > "$BATS_TEST_TMPDIR/init"
    install -m 755 "$BATS_TEST_TMPDIR/init" "$tree/init"
    check_tree
    assert_fails wired 'nothing calls the program; put the line "/usr/sbin/noptrace apply || { poweroff -f; exit; }" into /init, right behind the mount of /proc, and the program beside it'
    # nor what ends with the file
    { sed '/noptrace apply/d' "$images/handmade.tree/init" && printf '/usr/sbin/noptrace apply || sh &'; } > "$BATS_TEST_TMPDIR/init"
    install -m 755 "$BATS_TEST_TMPDIR/init" "$tree/init"
    check_tree
    assert_fails wired "line $(grep -c '' "$tree/init") of /init $form"
    # how far it is indented, and what is done where it fails, is the image's own
    # shellcheck disable=SC2016 # what its shell would expand
    for line in '/usr/sbin/noptrace apply' '/usr/sbin/noptrace apply || { echo "no lock" > /dev/console; poweroff -f; }' $'\t /usr/sbin/noptrace apply || exec sh' '/usr/sbin/noptrace apply || sh 2>&1' \
        '/usr/sbin/noptrace apply || sh <&1' '/usr/sbin/noptrace apply || sync && poweroff -f' '/usr/sbin/noptrace apply || { echo "exit $?"; sh $name; }' \
        '/usr/sbin/noptrace apply # the lock' $'/usr/sbin/noptrace apply \t# don\'t (\\' '/usr/sbin/noptrace apply || echo "not locked (see [above] & $name)"' "/usr/sbin/noptrace apply || echo '(a & \"b\"' 'it' && sh # & \`" \
        '/usr/sbin/noptrace apply ||  sh' '/usr/sbin/noptrace apply  || echo x#y "#"' '/usr/sbin/noptrace apply # of noptrace' \
        $'\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t/usr/sbin/noptrace apply'; do
        line=$line awk '/noptrace apply/ { $0 = ENVIRON["line"] } { print }' "$images/handmade.tree/init" > "$BATS_TEST_TMPDIR/init"
        install -m 755 "$BATS_TEST_TMPDIR/init" "$tree/init"
        check_tree
        assert_success
    done
    # nor does anything else name it, be it for maintenance; but in a comment
    # shellcheck disable=SC2016 # what its shell would expand
    for line in '/usr/sbin/noptrace lock' '/usr/sbin/noptrace apply || true' 'echo 3 > /proc/sys/kernel/yama/ptrace_scope' 'sysctl -w kernel.yama.ptrace_scope=3' 'cd /proc/sys/kernel/yama && echo 3 > *' \
        'true "#"; noptrace lock' 'true \ # noptrace' 'true ${x# #noptrace}' 'true x#noptrace' "true '' # noptrace"; do
        line=$line awk '{ print } /noptrace apply/ { print ENVIRON["line"] }' "$images/handmade.tree/init" > "$BATS_TEST_TMPDIR/init"
        install -m 755 "$BATS_TEST_TMPDIR/init" "$tree/init"
        check_tree
        assert_failure 1
        assert_point FAIL wired "line 8 of /init $form"
    done
    # be it in what is done where the call fails
    for line in 'true; /usr/sbin/noptrace lock' 'poweroff -f; echo 3 > /proc/sys/kernel/yama/ptrace_scope' 'true && noptrace lock' 'true | noptrace lock'; do
        line=$line awk '/noptrace apply/ { $0 = "\t/usr/sbin/noptrace apply || " ENVIRON["line"] } { print }' "$images/handmade.tree/init" > "$BATS_TEST_TMPDIR/init"
        install -m 755 "$BATS_TEST_TMPDIR/init" "$tree/init"
        check_tree
        assert_failure 1
        assert_point FAIL wired "line 7 of /init $form"
    done
    # or where a # is in what goes on, or a NUL within a name
    while IFS= read -r line; do
        line=$line awk '{ print } /noptrace apply/ { print ENVIRON["line"] }' "$images/handmade.tree/init" | sed 's/\\n/\n/g; s/@/\x00/g' > "$BATS_TEST_TMPDIR/init"
        install -m 755 "$BATS_TEST_TMPDIR/init" "$tree/init"
        check_tree
        assert_failure 1
        assert_line --partial "of /init $form"
    done << 'END'
true x\\n#; noptrace lock
echo "\n # "; noptrace lock
cat << E\n # $(noptrace lock)\nE
/usr/sbin/nop@trace lock
END
    # nor where a shell reads on, and check does not
    { cat "$images/handmade.tree/init" && yes '# x' | head -c 300K && echo 'noptrace lock'; } > "$BATS_TEST_TMPDIR/init"
    install -m 755 "$BATS_TEST_TMPDIR/init" "$tree/init"
    check_tree
    assert_fails wired '/init: not looked into, being too large, a module or firmware'
    for line in '# noptrace lock' $'true\t# noptrace lock' ' # "kernel.yama"' 'true #noptrace lock'; do
        line=$line awk '{ print } /noptrace apply/ { print ENVIRON["line"] }' "$images/handmade.tree/init" > "$BATS_TEST_TMPDIR/init"
        install -m 755 "$BATS_TEST_TMPDIR/init" "$tree/init"
        check_tree
        assert_success
    done
}

@test "an /init of initramfs-tools whose shell need not come to its scripts, or reads the line otherwise, fails" {
    local line call='run_scripts /scripts/init-top'
    tree_of initramfs-tools
    for line in $'echo \\\n'"$call" $'false &&\n'"$call" $'true || \t\n'"$call" $'true |\n'"$call" $': << x\n'"$call"$'\nx' $': <\\\n<x\n'"$call"$'\nx' \
        $'if false; then\n'"$call"$'\nfi' $'! if false; then\n'"$call"$'\nfi' $'x() {\n'"$call"$'\n}' $'function x {\n'"$call"$'\n}' \
        $'while false\ndo\n'"$call"$'\ndone' $'until :; do\n'"$call"$'\ndone' $'for x in; do\n'"$call"$'\ndone' \
        $'echo \\>& if false; then\n'"$call"$'\nfi' $'true \\\n& if false; then\n'"$call"$'\nfi' $'run-init /root\n'"$call" \
        $'case x in\ny)\n'"$call"$'\nesac' $'false && {\n'"$call"$'\n}' $'false && (\n'"$call"$'\n)' $'x="\n'"$call"$'\n"' $'x=\'\n'"$call"$'\n\'' \
        $'x=\'\\\'; if false; then\n'"$call"$'\nfi' $'false &&\n# x\n\n'"$call" $'false &&\nif :; then :; fi; if false; then\n'"$call"$'\nfi' \
        $'select x in; do\n'"$call"$'\ndone' $'if :; then :; elif if :; then\n'"$call"$'\nfi; then :; fi' $'x="\\"\n'"$call"$'\n"' $'fi\n'"$call" \
        $'x=a#\\\n; if false; then # }\n'"$call"$'\nfi' $'x()\n'"$call" $'x (\t)\n'"$call" $': `exit\n'"$call"$'\n`' $': $\'\\\'\'\nif false; then\n: \\\'\n'"$call"$'\nfi' \
        $'alias run_scripts=:\n'"$call" $'if :; then alias run_scripts=:; fi\n'"$call" $'exec /init2\n'"$call" $':; exit\n'"$call" \
        $': ${x-\n'"$call"$'\n}' $': "${x-${y}\n'"$call"$'\n}"' $'time if false; then\n'"$call"$'\nfi' $'coproc if false; then\n'"$call"$'\nfi' \
        $'exec < /dev/null /init2\n'"$call" $'exec 5run\n'"$call" $'exec 2>&1 /init2\n'"$call" $'exec > x 2>&1 < y 3<&- /init2\n'"$call" $'exec 2 > x\n'"$call" \
        $'exec /'"$(printf '%064d' 0)"$'\n'"$call" $'exec :>x\n'"$call" \
        $'exec >'"$(printf '%062d' 0)"$'>x /init2\n'"$call" $'exec>'"$(printf '%058d' 0)"$'>x /init2\n'"$call" $'if false; then\ncase x in\ndone) ;;\nesac\n'"$call"$'\nfi' \
        $'if false; then\ncase x in\n(done) ;;\nesac\n'"$call"$'\nfi' $'if false; then\ncase x in\ndone|x) ;;\nesac\n'"$call"$'\nfi' \
        $'if false; then\ncase x in\nx|done) ;;\nesac\n'"$call"$'\nfi' $'if false; then\ncase x in\n(x|done) ;;\nesac\n'"$call"$'\nfi' \
        $'if false; then\ncase x in\n}|x|y) ;;\nesac\n'"$call"$'\nfi' \
        $'X=1 exec /x\n'"$call" $'X=1 Y="a b" exec /x\n'"$call" $'exec >|x /x\n'"$call" $'exec >| x /x\n'"$call" $'exec &>x /x\n'"$call" $'exec&>x /x\n'"$call" \
        $'"exec" /x\n'"$call" $'e"xec" /x\n'"$call" $'\\exec /x\n'"$call" $'$x /x\n'"$call" $'`x` /x\n'"$call" $'>x exec /x\n'"$call" $'> x exec /x\n'"$call" $'2> x X=1 exec /x\n'"$call" \
        $'2>&1 exec /x\n'"$call" $'{x}>y exec /x\n'"$call" $'exec<x /x\n'"$call" $'exec< x /x\n'"$call" $'"exec"<x /x\n'"$call" $'X=1 >|x command exec /x\n'"$call" \
        $'command exec /x\n'"$call" $'command -p exec /x\n'"$call" $'builtin exec /x\n'"$call" $'return\n'"$call" $'X=1 return 0\n'"$call" $'exit>x\n'"$call" $'command alias run_scripts=:\n'"$call" \
        $'set -n\n'"$call" $'set -e -n\n'"$call" $'set -eun\n'"$call" $'set -o noexec\n'"$call" $'set $x\n'"$call" $'set "-n"\n'"$call" $'set \\-n\n'"$call" $'command set -n\n'"$call" \
        $'if false; then\nX=1 fi\n'"$call"$'\nfi' $'if false; then\n>x fi\n'"$call"$'\nfi' $'>'"$(printf '%064d' 0)"$'> x exec /x\n'"$call" \
        "$(printf 'x%062d' 0)"$'=1 exec /x\n'"$call" $'echo {\nexec /x\n}\n'"$call" \
        $'if :; then >'"$(printf '%063d' 0)"$'> x alias run_scripts=:; fi\n'"$call" $'exec &>\n'"$call" $'>&2 exec /x\n'"$call" \
        $'\\>& if false; then\n'"$call"$'\nfi' $'if :; then\n${x-\nfi\n'"$call"$'\n}; fi' \
        $'if :; then\n$\'\\\'\'\n\'\nfi\n'"$call"$'\n\'\nfi'; do
        line=$line awk '$0 == "run_scripts /scripts/init-top" { $0 = ENVIRON["line"] } { print }' "$images/initramfs-tools.tree/init" > "$BATS_TEST_TMPDIR/init"
        install -m 755 "$BATS_TEST_TMPDIR/init" "$tree/init"
        check_tree
        assert_fails order '/init: does not call scripts/init-top; build the image anew'
    done
    # nothing says that it is before the pivot
    sed /run-init/d "$images/initramfs-tools.tree/init" > "$BATS_TEST_TMPDIR/init"
    install -m 755 "$BATS_TEST_TMPDIR/init" "$tree/init"
    check_tree
    assert_fails order '/init: does not call scripts/init-top; build the image anew'
    # a NUL is dropped
    sed "s,^$call,i\x00f false; then\n&\nf\x00i," "$images/initramfs-tools.tree/init" > "$BATS_TEST_TMPDIR/init"
    install -m 755 "$BATS_TEST_TMPDIR/init" "$tree/init"
    check_tree
    assert_fails order '/init: does not call scripts/init-top; build the image anew'
    # what is done before is the image's own
    for line in $'# not \\\n'"$call" $'exec > /x 2>&1 <&- 3< /y 0< /z\n'"$call" $'5 exec /x\n'"$call" $'exec >"$x" 2>>"x y"\n'"$call" $'x=$(for i in a; do :; done)\n'"$call" \
        $'>&2 echo\n'"$call" $'echo \'${x\'\n'"$call" $'runs=run-inits\n'"$call" $'case x in\na) if :; then :; fi;; b) for i in a; do :; done;; esac\n'"$call" $'{ if :; then :; fi | (if :; then :; fi); }\n'"$call" $'# a |\n'"$call" $'true &\n'"$call" $'if :; then\n\techo "if" if \\if # if\nfi\n'"$call" $'x() { :; }\n'"$call" \
        $'x()\n{\n\tcase "$1" in\n\ta) : ;;\n\t(b) : ;;\n\tesac\n}\n'"$call" $'for x in 1; do while false; do :; done; done\n'"$call" \
        $'x=$(echo "a b" | { cat; })\n'"$call" $'x=\'a "\'\n'"$call" $'# don\'t { (\n'"$call" $'echo ${x#y} fi done }\n'"$call" $'! false\n'"$call" \
        $'until if :; then :; else false; fi; do :; done; ifs=1; done=2; dodone=3\n'"$call" $'true \\\n\'x\'\n'"$call" $'false || \\\n\ttrue\n'"$call" $'echo a # \\\n'"$call" \
        $'x="a\nb"; y=\\"\n'"$call" $'exec 2>&1 < /dev/null\nexec > /dev/null\n'"$call" $'[ -x /init ] || exit\nfalse && exec sh\n'"$call" \
        $'set -ex\nset -- -n\nset x -n\nset +x\n'"$call" $'X=1 echo exec /x\n>x echo exec /x\n> exec echo\ncommand -v kmod > x\n'"$call" $'x=\'a\' y="$z"\necho >|x\n{ :; } &>x\n'"$call" \
        $'x() { return 1; }\nif false; then "exec" x; fi\nfalse && return\n: set -n exit\n'"$call" $'exec>x 2>|y\nexec <x &\nexec & :\nexec <x; :\n'"$call" \
        $'x() { exit; }\nx()\n{\n\texit\n}\n(exit) || if false; then exit; fi\n'"$call" \
        "$call"$'\nif false; then exec run-init /x; fi' $' \t'"$call"$'\t ' $'ec\\\nho x\n'"$call" $'(:; exit)\nif :; then /'"$(printf '%064d' 0)"$' x; fi\n'"$call" $'while if :; then false; fi; do :; done\n'"$call" \
        $'if if :; then :; fi; then if :; then :; fi; elif if :; then :; fi; then :; else if :; then :; fi; fi\n! if :; then :; fi\n'"$call"; do
        line=$line awk '$0 == "run_scripts /scripts/init-top" { $0 = ENVIRON["line"] } { print }' "$images/initramfs-tools.tree/init" > "$BATS_TEST_TMPDIR/init"
        install -m 755 "$BATS_TEST_TMPDIR/init" "$tree/init"
        check_tree
        assert_success
    done
}

# assert_unknown PATH NUMBER LINE: this line of that file of the image is none that is known, and all else is as it should be.
assert_unknown() {
    assert_fails order "/$1:$2: $3: not a setting that is known, and /init runs it before; remove that"
}

@test "a file in /etc/conf.d, which dracut sources before any hook, may only set what is known" {
    local line name conf=etc/conf.d/font.conf
    tree_of shell
    mkdir -p "$tree/etc/conf.d"
    echo 'umount /proc' > "$tree/etc/conf.d/odd.conf"
    check_tree
    assert_unknown etc/conf.d/odd.conf 1 'umount /proc'
    # dracut reads no other there, and sources no folder
    mv "$tree/etc/conf.d/odd.conf" "$tree/etc/conf.d/odd"
    mkdir "$tree/etc/conf.d/folder.conf"
    check_tree
    assert_success
    assert_point ok order 'the first of all hooks, before the pivot'
    # what runs something, or has it expanded, may be anything at all
    # shellcheck disable=SC2016,SC1003 # the file's own
    for line in /etc/prepare "find /usr/sbin -name 'n*e' -delete" '${c}mod 644 /usr/sbin/no[p]trace' 'x=y' 'FONT' 'FONT = x' '=x' \
        'FONT=x; exit' 'FONT=x exec sh' 'FONT="x" y' "FONT='x'  y" 'FONT=x&' 'FONT=x|y' 'FONT=x>y' 'FONT=<y' 'FONT=(x)' 'FONT=$x' 'FONT="$x"' \
        'FONT="`x`"' 'FONT=`x`' 'FONT="$(x)"' 'FONT="x\' 'FONT=x\' 'FONT="\"' 'FONT="\x"' 'FONT="\\$x"' 'FONT="\\`x`"' 'FONT=\$x' "FONT='\\\$x'" 'FONT="x' "FONT='x" "FONT='x'\"y" "FONT='\$x'" 'FONT=~' 'FONT=x:~' 'FONT=x=~' 'FONT="x"~y' '~FONT=x' 'FONT=x*' 'FONT=[x]' \
        'FONT={x,y}' 'FONT=!x' 'FONT+=x' 'FONT[0]=x' 'export FONT=x y=z' 'export FONT' 'exports FONT=x' 'export export FONT=x' 'exportFONT=x' \
        $'\v# x' $'FONT=x\r' $'\rexport FONT=x' $'\r' 'FONT=x#$y' 'x FONT_URL=y' 'done' ';;' 'root=x)'; do
        printf 'NAME=x\n# a comment\n%s\n' "$line" > "$tree/$conf"
        check_tree
        assert_unknown "$conf" 3 "${line//[$'\v\r']/?}"
    done
    printf 'FONT=x\n# \0' > "$tree/$conf"
    check_tree
    assert_unknown "$conf" 2 '# '
    # so may what a shell goes by, or /init or the C library, or what nobody knows
    for name in PATH IFS ENV BASH_ENV LD_PRELOAD LD_LIBRARY_PATH PS4 SHELLOPTS FPATH EXECIGNORE FUNCNEST OPTIND PPID UID LC_ALL LANG HOME PWD \
        MODPROBE_OPTIONS init rootmnt break debug quiet log_output hookdir hookdir_URLS RD_DEBUG CMDLINE font FONTS aFONT URL; do
        for line in "$name=x" "export $name='x'"; do
            echo "$line" > "$tree/$conf"
            check_tree
            assert_unknown "$conf" 1 "$line"
        done
    done
    # what else is there is a shell's, too, but sets nothing else
    cat > "$tree/$conf" << 'END'

# Don't wait: the `mount` is "not $quick \
	  # (and goes on)
SYSFONT=
FONT=latarcyrheb-sun16 # exit
	FONT_MAP="" 	
export	KEYMAP="de's "'"latin1" ~*?;&|'x,y:z	# $(x) `x` \
export  UNICODE=1
RESUME=UUID=0-1@/dev/x+y%
ANSI_COLOR="0;38;2;60;110;180"
NAME="Pop!_OS é * ~ & | < > ( ) ; #"
REDHAT_SUPPORT_PRODUCT_VERSION=9.4
UBUNTU_CODENAME=noble
PRETTY_NAME="a \"b\" \$c \`d\` \\"
VERSION_ID=1.0~rc1
END
    printf 'PRIVACY_POLICY_URL="https://x.example/y?z=1&a"' >> "$tree/$conf"
    check_tree
    assert_success
    assert_line "$image: ok"
    ln -sf /sys/font "$tree/$conf"
    check_tree
    assert_fails order "/$conf: leads to what is not there, or another by then, and /init runs it before; remove that"
    # and what is there is not what is read
    mkdir -p "$tree/sys"
    echo FONT=x > "$tree/sys/font"
    check_tree
    assert_fails order "/$conf: leads to what is not there, or another by then, and /init runs it before; remove that"
    rm -r "${tree:?}/$conf" "$tree/sys"
    # as it does this one
    rm "$tree/usr/lib/initrd-release"
    printf 'NAME=x\nexit 0\n' > "$tree/usr/lib/initrd-release"
    check_tree
    assert_unknown usr/lib/initrd-release 2 'exit 0'
}

@test "a loop over the kernel's command line, as ZFS has it, may set what is known as well" {
    local number from to conf=conf/conf.d/zfs
    tree_of initramfs-tools
    cat > "$BATS_TEST_TMPDIR/loop" << 'END'
BUSYBOX=y
for x in $(cat /proc/cmdline)
do
  case $x in
# one
	root=ZFS=*|root=zfs:*)
    	BOOT=zfs
  ;;
	root=y)
  ;;
  esac
done
BUSYBOX=n
END
    cp "$BATS_TEST_TMPDIR/loop" "$tree/$conf"
    check_tree
    assert_success
    sed -i '2s/$/; do/;3d' "$tree/$conf"
    check_tree
    assert_success
    while read -r number from to; do
        sed "${number}s,$from,$to," "$BATS_TEST_TMPDIR/loop" > "$tree/$conf"
        check_tree
        assert_unknown "$conf" "$number" "$(sed -n "${number}s/^[ \t]*//p" "$tree/$conf")"
    done << 'END'
1 .* done
2 x PATH
2 cat sh
2 cmdline cmdline;exit
3 do BOOT=x
4 x y
5 # BOOT=
6 root=zfs exit
6 |root |
6 |root.* |root=zfs
6 ) 
6 |.* |)
6 ) )exit
6 ) );;
6 ) |
6 : $x
6 * [x]
7 BOOT PATH
7 BOOT=zfs exit
8 ;; ;&
9 .* BOOT=x
11 esac done
12 $ ;exit
END
    # nor may it end within
    for number in 2 3 4 6 8 11; do
        head -n "$number" "$BATS_TEST_TMPDIR/loop" > "$tree/$conf"
        check_tree
        assert_unknown "$conf" "$number" "$(sed -n "${number}s/^[ \t]*//p" "$BATS_TEST_TMPDIR/loop")"
    done
}

@test "where BOOT is empty, casper's file may set what is known as well" {
    local number from to conf=conf/conf.d/default-boot-to-casper.conf
    tree_of initramfs-tools
    # shellcheck disable=SC2016 # the file's own
    printf '%s\n' 'if [ -z "$BOOT" ]; then' '# one' '    export BOOT=casper' '' $'\tROOT=x' 'fi' 'IP=y' > "$BATS_TEST_TMPDIR/if"
    cp "$BATS_TEST_TMPDIR/if" "$tree/$conf"
    check_tree
    assert_success
    sed -i '/ROOT/d;/^$/d;/IP/d;/#/d' "$tree/$conf"
    check_tree
    assert_success
    while read -r number from to; do
        sed "${number}s/$from/$to/" "$BATS_TEST_TMPDIR/if" > "$tree/$conf"
        check_tree
        assert_unknown "$conf" "$number" "$(sed -n "${number}s/^[ \t]*//p" "$tree/$conf")"
    done << 'END'
1 z n
1 BOOT PATH
1 then then exec sh
1 .* if x; then
1 ; then ]; then
1 .* fi
3 BOOT PATH
3 =.* =$(sh)
3 .* fi
3 .* exec sh
3 .* if [ -z "$BOOT" ]; then
3 .* done
5 .* if [ -z "$BOOT" ]; then
5 .* else
6 fi done
6 $ \&\& exec sh
7 .* fi
END
    # nor may it end within
    for number in 1 3 5; do
        head -n "$number" "$BATS_TEST_TMPDIR/if" > "$tree/$conf"
        check_tree
        assert_unknown "$conf" "$number" "$(sed -n "${number}s/^[ \t]*//p" "$BATS_TEST_TMPDIR/if")"
    done
}

@test "a hook in a folder that this dracut reads is found, and in another it calls nothing, and fails" {
    local folder
    for folder in var/lib etc run; do
        tree_of shell
        mkdir -p "$tree/$folder/dracut"
        mv "$tree/usr/lib/dracut/hooks" "$tree/$folder/dracut"
        check_tree
        assert_fails wired 'nothing calls the program; build it with dracut --add noptrace, and let no omit_dracutmodules name it'
        sed "s,/lib/dracut/hooks,/$folder/dracut/hooks," "$images/shell.tree/usr/lib/dracut-lib.sh" > "$BATS_TEST_TMPDIR/library"
        cp --remove-destination "$BATS_TEST_TMPDIR/library" "$tree/usr/lib/dracut-lib.sh"
        check_tree
        assert_success
        assert_point ok order 'the first of all hooks, before the pivot'
        echo 'exit 0' > "$tree/$folder/dracut/hooks/cmdline/00-aaa.sh"
        check_tree
        assert_fails order 'the hook 00-aaa.sh runs before it, and may undo what it needs; rename that'
    done
    # not where /run only leads to where something is mounted over it
    tree_of shell
    sed "s,/lib/dracut/hooks,/run/dracut/hooks," "$images/shell.tree/usr/lib/dracut-lib.sh" > "$BATS_TEST_TMPDIR/library"
    cp --remove-destination "$BATS_TEST_TMPDIR/library" "$tree/usr/lib/dracut-lib.sh"
    mkdir -p "$tree/run/dracut" "$tree/dev"
    mv "$tree/usr/lib/dracut/hooks" "$tree/dev/c"
    ln -s /dev/c "$tree/run/dracut/hooks"
    check_tree
    assert_failure 1
    assert_point FAIL wired 'nothing calls the program; build it with dracut --add noptrace, and let no omit_dracutmodules name it'
    # where dracut reads several, all of one come before the next, and of one name there is the first
    tree_of shell
    sed 's,/lib/dracut/hooks,/var/lib/dracut/hooks /etc/dracut/hooks /usr/lib/dracut/hooks,' "$images/shell.tree/usr/lib/dracut-lib.sh" > "$BATS_TEST_TMPDIR/library"
    cp --remove-destination "$BATS_TEST_TMPDIR/library" "$tree/usr/lib/dracut-lib.sh"
    for folder in var/lib etc; do
        mkdir -p "$tree/$folder/dracut/hooks/cmdline"
        echo break > "$tree/$folder/dracut/hooks/cmdline/99-x.sh"
        check_tree
        assert_fails order 'the hook 99-x.sh runs before it, and may undo what it needs; rename that'
        rm "$tree/$folder/dracut/hooks/cmdline/99-x.sh"
        ln -s /nowhere "$tree/$folder/dracut/hooks/cmdline/00-noptrace.sh"
        check_tree
        assert_failure 1
        assert_point FAIL wired 'nothing calls the program; build it with dracut --add noptrace, and let no omit_dracutmodules name it'
        rm "$tree/$folder/dracut/hooks/cmdline/00-noptrace.sh"
    done
    # nor one over which /init mounts before
    mkdir -p "$tree/dev"
    rmdir "$tree/etc/dracut/hooks/cmdline"
    mkdir "$tree/dev/c"
    ln -s /dev/c "$tree/etc/dracut/hooks/cmdline"
    mv "$tree/usr/lib/dracut/hooks/cmdline/00-noptrace.sh" "$tree/dev/c"
    check_tree
    assert_failure 1
    assert_point FAIL wired 'nothing calls the program; build it with dracut --add noptrace, and let no omit_dracutmodules name it'
    rm "$tree/etc/dracut/hooks/cmdline"
    mv "$tree/dev/c" "$tree/etc/dracut/hooks/cmdline"
    echo break > "$tree/usr/lib/dracut/hooks/cmdline/00-a.sh"
    check_tree
    assert_point ok order 'the first of all hooks, before the pivot'
    # of two where /lib is no link only one is read
    tree_of shell
    part_lib dracut
    echo 'hookdir=/usr/lib/dracut/hooks' > "$BATS_TEST_TMPDIR/library"
    cp --remove-destination "$BATS_TEST_TMPDIR/library" "$tree/usr/lib/dracut-lib.sh"
    check_tree
    assert_fails wired 'nothing calls the program; build it with dracut --add noptrace, and let no omit_dracutmodules name it'
    mkdir "$tree/usr/lib/dracut"
    mv "$tree/lib/dracut/hooks" "$tree/usr/lib/dracut"
    check_tree
    assert_success
    cp --remove-destination "$images/shell.tree/usr/lib/dracut-lib.sh" "$tree/usr/lib/dracut-lib.sh"
    check_tree
    assert_fails wired 'nothing calls the program; build it with dracut --add noptrace, and let no omit_dracutmodules name it'
}

@test "an /init that names dracut's hooks in a comment alone fails" {
    tree_of shell
    sed 's,^source_hook cmdline,# &,' "$images/shell.tree/init" > "$BATS_TEST_TMPDIR/init"
    install -m 755 "$BATS_TEST_TMPDIR/init" "$tree/init"
    check_tree
    assert_fails order "/init: does not call dracut's cmdline hooks; build the image anew"
}

@test "a link that leads nowhere fails" {
    tree_of systemd
    ln -sf ../nowhere.service "$tree/$units/sysinit.target.wants/$unit"
    check_tree
    assert_fails masks "/$units/sysinit.target.wants/$unit leads nowhere; build the image anew"
    tree_of systemd
    ln -s ../noptrace.service "$tree/$units/sysinit.target.wants/noptrace.service"
    check_tree
    assert_fails masks "/$units/sysinit.target.wants/noptrace.service leads nowhere; build the image anew"
    # in the first of the folders as well
    tree_of systemd
    mkdir -p "$tree/etc/systemd/system.control/sysinit.target.wants"
    ln -s ../noptrace.service "$tree/etc/systemd/system.control/sysinit.target.wants"
    check_tree
    assert_fails masks '/etc/systemd/system.control/sysinit.target.wants/noptrace.service leads nowhere; build the image anew'
}

@test "a masked unit fails" {
    tree_of systemd
    mkdir -p "$tree/etc/systemd/system"
    ln -s /dev/null "$tree/etc/systemd/system/$unit"
    check_tree
    assert_failure 1
    assert_point FAIL masks "/etc/systemd/system/$unit masks the unit, or leads nowhere; remove it"
    assert_equal "$(grep -cE '^  [^ ]+ +masks ' <<< "$output")" 1
}

@test "a unit that nothing starts, that is told to be late, or told to do something else fails" {
    tree_of systemd
    rm "$tree/$units/sysinit.target.wants/$unit"
    check_tree
    assert_fails order "no sysinit.target.wants/$unit: nothing starts it; build the image anew"

    local line folder last number
    for line in 'After=network.target' 'ConditionPathExists=/nowhere' ' ConditionHost = x' 'ExecStart=' \
        'DefaultDependencies=yes' 'User=nobody' 'ReadOnlyPaths=/proc/sys' 'BindPaths=/bin:/usr/sbin' \
        'RootDirectory=/x' 'ProtectKernelTunables=yes' 'CapabilityBoundingSet=' 'Foo'; do
        tree_of systemd
        mkdir -p "$tree/etc/systemd/system/$unit.d"
        printf '[Unit]\nDescription=x\n%s\n' "$line" > "$tree/etc/systemd/system/$unit.d/10-late.conf"
        check_tree
        assert_fails order "/etc/systemd/system/$unit.d/10-late.conf:3: ${line# }: changes $unit, which need not run in time; remove that"
    done
    # a mount over the program names it, besides
    sed -i 's,^Foo$,BindReadOnlyPaths=/bin/true:/usr/sbin/noptrace,' "$tree/etc/systemd/system/$unit.d/10-late.conf"
    check_tree
    assert_failure 1
    assert_equal "$stderr" "noptrace-image: $image: fails: order, masks"
    # one for all services, or for those that have its prefix, wherever systemd looks
    for folder in "$units/service.d" "$units/noptrace-.service.d" "etc/systemd/system.control/$unit.d" \
        "run/systemd/transient/$unit.d" "usr/local/lib/systemd/system/$unit.d"; do
        tree_of systemd
        mkdir -p "$tree/$folder"
        printf '[Service]\nUser=1\n' > "$tree/$folder/odd.conf"
        check_tree
        assert_fails order "/$folder/odd.conf:2: User=1: changes $unit, which need not run in time; remove that"
    done
    # the first of two is named
    printf '[Service]\nUser=2\n' > "$tree/$folder/odder.conf"
    check_tree
    assert_fails order "/$folder/odd.conf:2: User=1: changes $unit, which need not run in time; remove that"
    # what changes nothing that matters, or is read by nobody
    tree_of systemd
    mkdir -p "$tree/$units/service.d"
    printf '%s\n' $' \t[Unit]' $'\tDescription=x ' ' ' Documentation=man:x '[Service]' '# Fedora has this' TimeoutStopFailureMode=abort TimeoutStopSec=1 TimeoutAbortSec=1 Environment=SYSTEMD_SLEEP_FREEZE_USER_SESSIONS=0 'Environment="SYSTEMD_SLEEP_FREEZE_USER_SESSIONS=0"' > "$tree/$units/service.d/10-timeout-abort.conf"
    printf '[Service]\nUser=1\n' > "$tree/$units/service.d/odd.conf~"
    install -D -m 644 /dev/stdin "$tree/etc/systemd/system/systemd-@.socket.d/odd.conf" <<< $'[Socket]\nService=x.service'
    check_tree
    assert_success

    # our own drop-in, altered
    tree_of systemd
    rm "$tree/$units/$unit.d/before.conf"
    sed '/^Before/s/sysinit.target//' "$top/modules.d/50noptrace/before.conf" > "$tree/$units/$unit.d/before.conf"
    check_tree
    assert_fails identity "/$units/$unit.d/before.conf:8: not that of $top/modules.d/50noptrace/before.conf; build the image anew"

    tree_of systemd
    sed '/^ExecStart/d' "$images/systemd.tree/$units/$unit" > "$BATS_TEST_TMPDIR/unit"
    rm "$tree/$units/$unit"
    cp "$BATS_TEST_TMPDIR/unit" "$tree/$units/$unit"
    check_tree
    assert_fails identity "/$units/$unit:19: not that of $top/modules.d/50noptrace/$unit; build the image anew"
    # by a byte, by its last line, or by one more
    last=$(wc -l < "$images/systemd.tree/$units/$unit")
    for line in 1s/./x/ "${last}d" "${last}a#"; do
        sed "$line" "$images/systemd.tree/$units/$unit" > "$BATS_TEST_TMPDIR/unit"
        cp --remove-destination "$BATS_TEST_TMPDIR/unit" "$tree/$units/$unit"
        check_tree
        case $line in
            1*) number=1 ;;
            *d) number=$last ;;
            *) number=$((last + 1)) ;;
        esac
        assert_fails identity "/$units/$unit:$number: not that of $top/modules.d/50noptrace/$unit; build the image anew"
    done
    # the same, where it is not looked into
    tree_of systemd
    mkdir -p "$tree/usr/lib/firmware"
    mv "$tree/$units/$unit.d/before.conf" "$tree/usr/lib/firmware/x"
    ln -s /usr/lib/firmware/x "$tree/$units/$unit.d/before.conf"
    check_tree
    assert_failure 1
    assert_point FAIL identity "/$units/$unit.d/before.conf:1: not that of $top/modules.d/50noptrace/before.conf; build the image anew"
    # and twice
    tree_of systemd
    mkdir -p "$tree/etc/systemd/system.control/$unit.d"
    cp "$tree/$units/$unit.d/before.conf" "$tree/etc/systemd/system.control/$unit.d"
    check_tree
    assert_success
}

@test "a drop-in, or a setting of PID 1, that is not looked into fails, wherever it is" {
    local target
    for target in usr/lib/firmware/x.conf opt/x.ko opt/large; do
        tree_of systemd
        mkdir -p "$tree/${target%/*}" "$tree/etc/systemd/system/$unit.d"
        { [[ $target != opt/large ]] || seq -f '# %.0f' 100000 && printf '[Unit]\nConditionPathExists=/nowhere\n'; } > "$tree/$target"
        ln -s "/$target" "$tree/etc/systemd/system/$unit.d/x.conf"
        check_tree
        assert_failure 1
        assert_point FAIL order "/etc/systemd/system/$unit.d/x.conf: not looked into, being too large, a module or firmware: changes $unit, which need not run in time; remove that"
    done
    tree_of systemd
    mkdir -p "$tree/etc/systemd/system.conf.d" "$tree/opt"
    printf '[Manager]\nCapabilityBoundingSet=\n' > "$tree/opt/x.ko"
    ln -s /opt/x.ko "$tree/etc/systemd/system.conf.d/x.conf"
    check_tree
    assert_fails order '/etc/systemd/system.conf.d/x.conf: not looked into, being too large, a module or firmware: may take from a service what the program needs, or change what PID 1 starts; remove that'
}

@test "a line of systemd's ends at a CR and a NUL as well, and one of a shell's does not" {
    local bytes
    # both ends of a line that is not empty are one
    for bytes in 'Description=x\r' '#x\r' '#x\0' '#x\r\n' '#x\n\r'; do
        tree_of systemd
        mkdir -p "$tree/etc/systemd/system/$unit.d"
        printf '[Unit]\r\n%bConditionPathExists=/nowhere\n' "$bytes" > "$tree/etc/systemd/system/$unit.d/x.conf"
        check_tree
        assert_fails order "/etc/systemd/system/$unit.d/x.conf:3: ConditionPathExists=/nowhere: changes $unit, which need not run in time; remove that"
    done
    for bytes in '\r' '\0'; do
        tree_of systemd
        printf '[Unit]\n#%bConflicts=%s\n' "$bytes" "$unit" > "$tree/$units/x.service"
        check_tree
        assert_fails masks "/$units/x.service:3: Conflicts=$unit: nothing else may meddle with noptrace; remove that"
    done
    tree_of systemd
    printf '[Manager]\n#\rCapabilityBoundingSet=CAP_KILL\n' > "$tree/etc/systemd/system.conf"
    check_tree
    assert_fails order '/etc/systemd/system.conf:3: CapabilityBoundingSet=CAP_KILL: may take from a service what the program needs, or change what PID 1 starts; remove that'
    # a hand-made image whose only call is in a comment of its shell's
    tree_of handmade
    sed 's,^[^#]*noptrace apply.*,#\r/usr/sbin/noptrace apply,' "$images/handmade.tree/init" > "$BATS_TEST_TMPDIR/init"
    cp --remove-destination "$BATS_TEST_TMPDIR/init" "$tree/init"
    chmod 755 "$tree/init"
    check_tree
    assert_failure 1
    assert_line --regexp '^  FAIL  wired         nothing calls the program'
    # or behind a NUL
    sed 's,^[^#]*noptrace apply.*,\x00/usr/sbin/noptrace apply,' "$images/handmade.tree/init" > "$BATS_TEST_TMPDIR/init"
    install -m 755 "$BATS_TEST_TMPDIR/init" "$tree/init"
    check_tree
    assert_failure 1
    assert_line --regexp '^  FAIL  wired         line 7 of /init names noptrace, or the scope, in a form that is not known'
    # and one whose comment has a word of ours, behind what a shell takes for one word
    tree_of systemd
    printf '#!/bin/sh\nrm\r# /usr/sbin/noptrace\n' > "$tree/usr/bin/x"
    check_tree
    assert_failure 1
    assert_line --regexp '^  FAIL  masks         /usr/bin/x:2: '
}

@test "what starts the unit and its policy, and a drop-in of theirs, is found in each folder that systemd reads" {
    local folder name
    for folder in etc/systemd/{system.control,system,system.attached} usr/local/lib/systemd/system; do
        tree_of systemd
        mkdir -p "$tree/$folder/sysinit.target.wants"
        for name in "$unit" noptrace-locked@emergency.target; do
            rm "$tree/$units/sysinit.target.wants/$name"
            ln -s "/$units/${name/emergency/}" "$tree/$folder/sysinit.target.wants/$name"
        done
        check_tree
        assert_success
        refute_output --regexp '(FAIL|warn) '
        assert_point ok policy 'emergency: a boot that could not lock is stopped'
        install -D -m 644 /dev/stdin "$tree/$folder/noptrace-locked@.target.d/odd.conf" <<< $'[Unit]\nConflicts=x.target'
        check_tree
        assert_fails policy "/$folder/noptrace-locked@.target.d/odd.conf:2: Conflicts=x.target: changes noptrace-locked@emergency.target; remove that"
    done
    # but for those over which it mounts before
    for folder in run/systemd/{system.control,transient,generator.early,system,system.attached,generator,generator.late}; do
        tree_of systemd
        install -D -m 644 /dev/stdin "$tree/$folder/noptrace-locked@.target.d/odd.conf" <<< $'[Unit]\nConflicts=x.target'
        check_tree
        assert_fails policy "/$folder/noptrace-locked@.target.d/odd.conf:2: Conflicts=x.target: changes noptrace-locked@emergency.target; remove that"
        tree_of systemd
        mkdir -p "$tree/$folder/sysinit.target.wants"
        mv "$tree/$units/sysinit.target.wants/noptrace-locked@emergency.target" "$tree/$folder/sysinit.target.wants"
        ln -sf "/$units/noptrace-locked@.target" "$tree/$folder/sysinit.target.wants/noptrace-locked@emergency.target"
        check_tree
        assert_point ok policy 'continue: a boot that could not lock goes on'
        rm "$tree/$units/sysinit.target.wants/$unit"
        ln -s "/$units/$unit" "$tree/$folder/sysinit.target.wants/$unit"
        check_tree
        assert_fails order "no sysinit.target.wants/$unit: nothing starts it; build the image anew"
        tree_of systemd
        mkdir -p "$tree/$folder"
        mv "$tree/$units/$unit.d" "$tree/$folder"
        check_tree
        assert_failure 1
        assert_line --partial "/$folder/$unit.d/before.conf: is not noptrace's, and hides that: changes $unit"
    done
}

@test "what starts the unit is not where something will be mounted over it, nor does it lead through there" {
    local mount link
    # /proc has a test of its own
    for mount in run dev sys; do
        tree_of systemd
        mkdir -p "$tree/$mount/u/sysinit.target.wants" "$tree/usr/local/lib/systemd"
        ln -s "/$mount/u" "$tree/usr/local/lib/systemd/system"
        ln -s "/$units/$unit" "$tree/$mount/u/sysinit.target.wants/$unit"
        rm "$tree/$units/sysinit.target.wants/$unit"
        check_tree
        assert_fails order "no sysinit.target.wants/$unit: nothing starts it; build the image anew"
        # that folder is not needed
        ln -s "../$unit" "$tree/$units/sysinit.target.wants/$unit"
        check_tree
        assert_success
    done
    # a link there leads on to what stays, and a .. out of it too, but for where it is itself
    for link in run/u run/../run/u dev/../run/./u; do
        tree_of systemd
        mkdir -p "$tree/run" "$tree/usr/local/lib/systemd" "$tree/opt"
        mv "$tree/$units/sysinit.target.wants" "$tree/opt"
        ln -sf "/$units/$unit" "$tree/opt/sysinit.target.wants"
        ln -sf "/$units/noptrace-locked@.target" "$tree/opt/sysinit.target.wants/noptrace-locked@emergency.target"
        ln -s /opt "$tree/run/u"
        ln -s "/$link" "$tree/usr/local/lib/systemd/system"
        check_tree
        assert_failure 1
        assert_point FAIL order "no sysinit.target.wants/$unit: nothing starts it; build the image anew"
        ln -sfT /run/../opt "$tree/usr/local/lib/systemd/system"
        check_tree
        assert_success
    done
    # nor does the program, or what the unit needs
    tree_of systemd
    mkdir -p "$tree/run"
    ln -s /usr/lib/noptrace.real "$tree/run/x"
    mv "$tree/usr/sbin/noptrace" "$tree/usr/lib/noptrace.real"
    ln -s /run/x "$tree/usr/sbin/noptrace"
    check_tree
    assert_failure 1
    assert_line --partial '/usr/sbin/noptrace: leads to where /init mounts over it'
    # of which nothing more is told
    refute_line --regexp '^  [^ ]+ +(executable|static|architecture|identity) '
    # and where the mount itself leads
    tree_of systemd
    rm -rf "$tree/run"
    ln -s usr/local "$tree/run"
    mkdir -p "$tree/usr/local/lib/systemd/system"
    mv "$tree/$units/sysinit.target.wants" "$tree/usr/local/lib/systemd/system"
    check_tree
    assert_failure 1
    assert_point FAIL order "no sysinit.target.wants/$unit: nothing starts it; build the image anew"
}

@test "what starts the unit is a link in a folder, in those that systemd reads" {
    local name
    for name in "$unit" noptrace-locked@emergency.target; do
        tree_of systemd
        rm "$tree/$units/sysinit.target.wants/$name"
        ln "$tree/$units/${name/emergency/}" "$tree/$units/sysinit.target.wants/$name"
        check_tree
        if [[ $name == "$unit" ]]; then
            assert_fails order "no sysinit.target.wants/$unit: nothing starts it; build the image anew"
        else
            assert_point ok policy 'continue: a boot that could not lock goes on'
        fi
    done
    for name in sysinit.target.wants basic.target.wants; do
        tree_of systemd
        if [[ $name == basic* ]]; then
            sed /sysinit.target/d "$images/systemd.tree/$units/basic.target" > "$BATS_TEST_TMPDIR/basic"
            cp --remove-destination "$BATS_TEST_TMPDIR/basic" "$tree/$units/basic.target"
            name=basic.target.requires
            mkdir -p "$tree/$units/$name"
            ln -s ../sysinit.target "$tree/$units/$name/sysinit.target"
            check_tree
            assert_success
        fi
        mv "$tree/$units/$name" "$tree/usr/lib/systemd/zz"
        ln -s ../zz "$tree/$units/$name"
        ln -s "system/$unit" "$tree/usr/lib/systemd/$unit"
        check_tree
        assert_failure 1
        assert_line --regexp '^  FAIL  order         .*: nothing starts'
    done
    # one that is not called for where systemd is itself
    tree_of systemd
    rm "$tree/lib"
    mkdir -p "$tree/lib/systemd/system/sysinit.target.wants"
    ln -s ../usr/lib/modules "$tree/lib/modules"
    mv "$tree/$units/sysinit.target.wants/$unit" "$tree/lib/systemd/system/sysinit.target.wants/$unit"
    ln -sf "/$units/$unit" "$tree/lib/systemd/system/sysinit.target.wants/$unit"
    check_tree
    assert_failure 1
    assert_point FAIL order "no sysinit.target.wants/$unit: nothing starts it; build the image anew"
    tree_of systemd
    install -D -m 644 "$images/systemd.tree/etc/initrd-release" "$tree/dev/initrd-release"
    ln -sf /dev/initrd-release "$tree/etc/initrd-release"
    check_tree
    assert_failure 1
    assert_line --partial 'no /etc/initrd-release, so systemd starts another target'
}

@test "a folder of units in /lib that some builds of systemd read first, and others not at all, fails" {
    local folder text='some builds of systemd take it before what is in /usr/lib, and others not at all; let /lib lead to usr/lib'
    # of a systemd in /usr/lib
    tree_of systemd
    part_lib modules
    rm "$tree/lib/systemd"
    mkdir -p "$tree/lib/systemd/system"
    check_tree
    assert_success
    echo '[Unit]' > "$tree/lib/systemd/system/x.target"
    check_tree
    assert_fails order "/lib/systemd/system/x.target: $text"
    # nor is it another one for a link, or for a file that nothing runs
    ln -s ../../usr/lib/systemd/systemd "$tree/lib/systemd/systemd"
    check_tree
    assert_fails order "/lib/systemd/system/x.target: $text"
    cp --remove-destination "$tree/usr/lib/systemd/systemd" "$tree/lib/systemd/systemd"
    check_tree
    assert_fails order "/lib/systemd/system/x.target: $text"
    # of one in /lib
    ln -sf /lib/systemd/systemd "$tree/init"
    check_tree
    assert_success
    mkdir -p "$tree/lib/systemd/system/sysinit.target.wants" "$tree/lib/systemd/system/zz"
    ln -s ../x.target "$tree/lib/systemd/system/sysinit.target.wants/x.target"
    check_tree
    assert_success
    ln -s ../x.target "$tree/$units/sysinit.target.wants/x.target"
    check_tree
    assert_fails order "/lib/systemd/system/sysinit.target.wants/x.target: $text"
    rm "$tree/$units/sysinit.target.wants/x.target"
    # nor does a path that is too long for it end the search
    printf -v folder '%0249d/' 0{,,,,,,,,}
    folder=${folder:0:$((2047 - ${#units} - 1))}
    mkdir -p "$tree/lib/systemd/system/$folder" "$tree/usr/lib/systemd/system/$folder"
    touch "$tree/lib/systemd/system/$folder/x"
    check_tree
    assert_failure 1
    assert_line --regexp '^  FAIL  order         /lib/systemd/system/0{249}/'
    rm -r "$tree/lib/systemd/system/${folder%%/*}" "$tree/usr/lib/systemd/system/${folder%%/*}"
    sed /sysinit/d "$tree/$units/basic.target" > "$tree/lib/systemd/system/basic.target"
    check_tree
    assert_fails order "/lib/systemd/system/basic.target: $text"
}

@test "a /proc that is no empty folder fails, but in a hand-made image: /init may take it for procfs, or mount over it" {
    local name text='/proc: no empty folder, so it may not be procfs by then; remove it'
    for name in shell systemd initramfs-tools; do
        tree_of "$name"
        rm -rf "$tree/proc"
        check_tree
        assert_success
        mkdir -p "$tree/proc"
        check_tree
        assert_success
        mkdir "$tree/proc/self"
        check_tree
        assert_failure 1
        assert_point FAIL order "$text"
        rm -r "$tree/proc"
        mkdir -p "$tree/run/p"
        ln -s /run/p "$tree/proc"
        check_tree
        assert_failure 1
        assert_point FAIL order "$text"
        rm "$tree/proc"
        touch "$tree/proc"
        check_tree
        assert_failure 1
        assert_point FAIL order "$text"
    done
}

@test "a file is looked at by each of its names only so often" {
    local i reason='more than 16 MiB of files by other names of theirs, or in folders of which each is looked at'
    tree_of initramfs-tools
    yes NAME=a | head -n 36000 > "$tree/conf/conf.d/x"
    for ((i = 0; i < 60; i++)); do ln "$tree/conf/conf.d/x" "$tree/conf/conf.d/x$i"; done
    check_tree
    assert_success
    for ((i = 60; i < 70; i++)); do ln "$tree/conf/conf.d/x" "$tree/conf/conf.d/x$i"; done
    check_tree
    assert_failure 2
    assert_point FAIL image "$reason"
    # and what is read for its name, if it has but two, but not what nobody reads
    rm "$tree"/conf/conf.d/x?*
    mv "$tree/conf/conf.d/x" "$tree/x"
    for ((i = 0; i < 36; i++)); do
        cp "$tree/x" "$tree/x$i.sh"
        ln "$tree/x$i.sh" "$tree/y$i.sh"
    done
    check_tree
    assert_failure 2
    assert_point FAIL image "$reason"
    for ((i = 0; i < 36; i++)); do
        mv "$tree/x$i.sh" "$tree/x$i"
        mv "$tree/y$i.sh" "$tree/y$i"
    done
    check_tree
    assert_success
    rm "$tree"/[xy]*
    yes '# x' | head -c 250K > "$tree/x"
    for ((i = 0; i < 200; i++)); do ln "$tree/x" "$tree/x$i"; done
    check_tree
    assert_success
    # nor, by a hundred thousand names, more than once
    perl -I "$BATS_TEST_DIRNAME" -MImages -e 'print archive(map { file("n$_", $_ == 1 ? "noptrac/\n" x 28_000 : "", links => 2, ino => 7) } 1 .. 100_000)' >> "$image"
    run bash -c 'ulimit -t 15 && exec "$@"' - "$top/build/noptrace-image" check --kernel-config "$config" "$image"
    assert_success
    # as many bytes as there may be, and one more
    tree_of handmade
    mkdir -p "$tree/etc/init.d"
    yes '# x' | head -c 256K > "$tree/etc/init.d/x"
    for ((i = 1; i < 64; i++)); do ln "$tree/etc/init.d/x" "$tree/etc/init.d/x$i"; done
    check_tree
    assert_success
    printf x > "$tree/etc/init.d/y"
    check_tree
    assert_failure 2
    assert_point FAIL image "$reason"
    # by the first of its names, though that is known
    tree_of shell
    ln "$tree/usr/lib/dracut/hooks/cmdline/00-noptrace.sh" "$tree/zz"
    check_tree
    assert_failure 1
    assert_line --regexp "^  FAIL  masks         /zz:"
}

@test "what a file may not say it may not by another name, either" {
    local name
    # a unit's comment may
    for name in a zz; do
        tree_of systemd
        echo '# /usr/sbin/noptrace' > "$tree/$units/x.service"
        check_tree
        assert_success
        ln "$tree/$units/x.service" "$tree/$name"
        check_tree
        assert_fails masks "/$name:1: # /usr/sbin/noptrace: nothing else may meddle with noptrace; remove that"
    done
    tree_of systemd
    echo /usr/sbin/noptrace > "$tree/x"
    ln "$tree/x" "$tree/y"
    check_tree
    assert_failure 1
    assert_line --regexp '^  FAIL  masks +/[xy]:1: /usr/sbin/noptrace: '
}

@test "a script of SysV's that has a unit come before what ours waits for fails" {
    tree_of systemd
    local i names text='/etc/init.d/x has X-Start-Before with what noptrace waits for: nothing else may meddle with noptrace; remove that'
    mkdir -p "$tree/etc/init.d" "$tree/opt"
    for names in ' X-Start-Before: syslog systemd-journald.socket' 'x-start-before:system.slice' ' X-Start-Before: systemd-jour"nald.socket"' \
        ' X-Start-Before: syst\emd-journald.socket'; do
        printf '%s\n' '### BEGIN INIT INFO' "#$names" '### END INIT INFO' > "$tree/etc/init.d/x"
        check_tree
        assert_fails masks "$text"
    done
    # the first of them is named, and none behind it looked at
    yes '# X-Start-Before: system.slice' | head -c 250K > "$tree/etc/init.d/y"
    for ((i = 0; i < 70; i++)); do ln "$tree/etc/init.d/y" "$tree/etc/init.d/y$i"; done
    check_tree
    assert_fails masks "$text"
    rm "$tree"/etc/init.d/y*
    # by whatever name
    mv "$tree/etc/init.d/x" "$tree/opt/x"
    ln -s /opt/x "$tree/etc/init.d/x"
    check_tree
    assert_fails masks "$text"
    rm "$tree/etc/init.d/x"
    ln "$tree/opt/x" "$tree/etc/init.d/x"
    check_tree
    assert_fails masks "$text"
    for names in 'X-Start-Before: syslog' 'Should-Start: systemd-journald.socket' 'X-Start-Before'; do
        printf '%s\n' "# $names" > "$tree/etc/init.d/x"
        check_tree
        assert_success
    done
    # of which no generator reads any other file
    echo '# X-Start-Before: systemd-journald.socket' > "$tree/etc/x"
    check_tree
    assert_success
}

@test "of drop-ins with one name systemd reads the first, which is to be noptrace's" {
    local path
    for path in noptrace-.service.d/before.conf service.d/before.conf; do
        tree_of systemd
        install -D -m 644 /dev/stdin "$tree/etc/systemd/system/$path" <<< Description=x
        check_tree
        assert_fails order "/etc/systemd/system/$path: is not noptrace's, and hides that: changes $unit, which need not run in time; remove that"
    done
    # what is called so meddles with noptrace, too
    tree_of systemd
    install -D -m 644 /dev/stdin "$tree/etc/systemd/system/sysinit.target.d/noptrace.conf" <<< Description=x
    check_tree
    assert_failure 1
    assert_line --partial "/etc/systemd/system/sysinit.target.d/noptrace.conf: is not noptrace's, and hides that: changes sysinit.target"
    tree_of systemd
    install -D -m 644 /dev/null "$tree/etc/systemd/system/noptrace-locked@.target.d/instead.conf"
    check_tree
    assert_fails policy "/etc/systemd/system/noptrace-locked@.target.d/instead.conf: is not noptrace's, and hides that: changes noptrace-locked@emergency.target; remove that"
}

@test "what starts the unit must be there, and as systemd has it" {
    local target dropin line
    for target in initrd.target basic.target sysinit.target; do
        tree_of systemd
        mkdir -p "$tree/etc/systemd/system"
        ln -s /dev/null "$tree/etc/systemd/system/$target"
        check_tree
        assert_fails order "$target is not there, masked or broken: nothing starts $unit; build the image anew"
        rm "$tree/etc/systemd/system/$target" "$tree/$units/$target"
        check_tree
        assert_fails order "$target is not there, masked or broken: nothing starts $unit; build the image anew"
    done
    # what systemd does not read starts nothing
    while read -r target line; do
        tree_of systemd
        sed "$line" "$images/systemd.tree/$units/$target" > "$BATS_TEST_TMPDIR/target"
        cp --remove-destination "$BATS_TEST_TMPDIR/target" "$tree/$units/$target"
        check_tree
        assert_failure 1
        assert_line --regexp '^  FAIL  order         .*: nothing starts'
    done << 'END'
initrd.target s/^Requires=basic.target/Description=x \\\n&/
initrd.target s/^Requires=basic.target/& \\\n/
sysinit.target $a[Unit
basic.target 1s/.*/[Unit]x/
basic.target s/^Requires=.*/# x \\\n[X-Foo]\n&/
basic.target s/^Requires=.*/\xef\xbb\xbf[X-Foo]\n&/
sysinit.target s/^Description=.*/Description=x \\\n[y/
END
    # nor does one that something else could pull in, keep from being loaded, or let be missing
    while IFS='|' read -r target number line; do
        tree_of systemd
        sed "$number$line" "$images/systemd.tree/$units/$target" > "$BATS_TEST_TMPDIR/target"
        number=$(diff "$BATS_TEST_TMPDIR/target" "$images/systemd.tree/$units/$target" | sed -n 's/^\([0-9]*\).*/\1/p;q')
        line=$(sed -n "${number}p" "$BATS_TEST_TMPDIR/target")
        cp --remove-destination "$BATS_TEST_TMPDIR/target" "$tree/$units/$target"
        check_tree
        assert_fails order "/$units/$target:$number: ${line//[[:cntrl:]]/?}: changes $target, which $unit hangs on; remove that"
    done << 'END'
initrd.target|/^Requires=/|i[X-Foo]
initrd.target|1|i[X-Foo]
initrd.target|1|iDescription=x
initrd.target|/^Requires=/|s/=/=\f/
initrd.target|/^Requires=/|s/$/ shutdown.target/
initrd.target|/^Requires=/|s/Requires/Wants/
initrd.target|/^Requires=/|s/$/ missing.service/
initrd.target|/^Requires=/|aRequires=sysinit.target
initrd.target|/^AssertPathExists=/|s/$/x/
initrd.target|/^Description=/|aDefaultDependencies=no
initrd.target|/^Description=/|aFoo
basic.target|/^Requires=/|s/=/\v=/
basic.target|/^Requires=/|s/$/ missing.service/
basic.target|/^Requires=/|aRequires=basic.target
basic.target|/^RequiresMountsFor=/|s/$/ \/nowhere/
basic.target|/^Description=/|aAssertPathExists=/etc/initrd-release
sysinit.target|/^Conflicts=/|iWants=shutdown.target
sysinit.target|/^Conflicts=/|iRequires=missing.service
sysinit.target|/^Conflicts=/|iConditionPathExists=/nowhere
END
    # and by a link
    for target in initrd.target.wants sysinit.target.requires systemd-journald.socket.wants; do
        tree_of systemd
        mkdir -p "$tree/$units/$target"
        ln -s ../shutdown.target "$tree/$units/$target"
        check_tree
        assert_fails order "${target%.*} pulls in shutdown.target: nothing starts $unit; build the image anew"
    done
    # as they were, or will be
    tree_of systemd
    rm "$tree/$units/"{initrd,basic,sysinit}.target
    printf '%s\n' '[Unit]' OnFailure=emergency.target ConditionPathExists=/etc/initrd-release Requires=basic.target \
        'Wants=initrd-root-fs.target initrd-parse-etc.service' 'After=initrd-fs.target rescue.service' AllowIsolate=yes > "$tree/$units/initrd.target"
    printf '%s\n' '[Unit]' '# x' 'BindsTo=sysinit.target' 'After=timers.target' 'WantsMountsFor=/var /var/tmp' > "$tree/$units/basic.target"
    printf '%s\n' '[Unit]' 'Conflicts=emergency.service emergency.target' 'After=local-fs.target swap.target emergency.target' > "$tree/$units/sysinit.target"
    check_tree
    assert_success
    # systemd rejects a link to another type, and reads the next
    for line in x.service ../x.target; do
        tree_of systemd
        mkdir -p "$tree/etc/systemd/system"
        printf '[Unit]\nRequires=basic.target\n' > "$tree/etc/systemd/system/x.service"
        ln -s system/x.service "$tree/etc/systemd/x.target"
        ln -s "$line" "$tree/etc/systemd/system/initrd.target"
        check_tree
        assert_fails order "initrd.target is not there, masked or broken: nothing starts $unit; build the image anew"
    done
    tree_of systemd
    mkdir -p "$tree/etc/systemd/system" "$tree/opt"
    mv "$tree/$units/initrd.target" "$tree/opt"
    ln -s /opt/initrd.target "$tree/etc/systemd/system/initrd.target"
    check_tree
    assert_fails order "/etc/systemd/system/initrd.target is a link, which has other names: nothing starts $unit; build the image anew"
    # it reads none of a file in which a line is not UTF-8
    tree_of systemd
    # the file is that of other tests too
    { cat "$tree/$units/initrd.target" && printf '# \xff\n'; } > "$BATS_TEST_TMPDIR/target"
    for line in 'Description=\xff' 'Description=\x80' '\x80=x'; do
        cp --remove-destination "$BATS_TEST_TMPDIR/target" "$tree/$units/initrd.target"
        printf '%b\n' "$line" >> "$tree/$units/initrd.target"
        check_tree
        assert_fails order "initrd.target is not there, masked or broken: nothing starts $unit; build the image anew"
    done
    sed -i '$d' "$tree/$units/initrd.target"
    check_tree
    assert_success
    # an empty file is a mask as well
    tree_of systemd
    install -D -m 644 /dev/null "$tree/etc/systemd/system/initrd.target"
    check_tree
    assert_fails order "initrd.target is not there, masked or broken: nothing starts $unit; build the image anew"
    for target in system.slice -.slice; do
        tree_of systemd
        ln -sf /dev/null "$tree/$units/$target"
        check_tree
        assert_fails order "/$units/$target masks what it needs: nothing starts $unit; build the image anew"
    done
    tree_of systemd
    rm "$tree/$units/$unit.d/before.conf"
    check_tree
    assert_fails order "no $unit.d/before.conf: others run before it; build the image anew"
    tree_of systemd
    sed /sysinit.target/d "$images/systemd.tree/$units/basic.target" > "$BATS_TEST_TMPDIR/basic.target"
    cp --remove-destination "$BATS_TEST_TMPDIR/basic.target" "$tree/$units/basic.target"
    check_tree
    assert_fails order "basic.target does not require sysinit.target: nothing starts $unit; build the image anew"
    # nor by a link that leads nowhere, or by which it may be missing
    for target in basic.target.requires/nowhere basic.target.wants/sysinit initrd.target.wants/sysinit; do
        mkdir "$tree/$units/${target%/*}"
        ln -s "../${target#*/}.target" "$tree/$units/${target%/*}/sysinit.target"
        check_tree
        assert_fails order "basic.target does not require sysinit.target: nothing starts $unit; build the image anew"
        rm -r "${tree:?}/$units/${target%/*}"
    done
    # a link does it as well
    for target in initrd.target.requires basic.target.requires; do
        mkdir "$tree/$units/$target"
        ln -s ../sysinit.target "$tree/$units/$target"
        check_tree
        assert_success
        rm -r "${tree:?}/$units/$target"
    done
    tree_of systemd
    rm "$tree/$units/initrd.target"
    printf '[Unit]\nDescription=x\nAfter=basic.target\n' > "$tree/$units/initrd.target"
    check_tree
    assert_fails order "initrd.target does not require basic.target: nothing starts $unit; build the image anew"
    for line in {Requires,BindsTo}=basic.target 'Requires= basic.target  basic.target'; do
        printf '[Unit]\n%s\n' "$line" > "$tree/$units/initrd.target"
        check_tree
        assert_success
    done
    printf '[Unit]\nDescription=x\n' > "$tree/$units/initrd.target"
    # unless it goes past that
    mkdir "$tree/$units/initrd.target.requires"
    ln -s ../sysinit.target "$tree/$units/initrd.target.requires"
    check_tree
    assert_success
    for dropin in sysinit.target.d/x.conf initrd.target.d/x.conf target.d/x.conf system.slice.d/x.conf systemd-journald.socket.d/x.conf; do
        tree_of systemd
        install -D -m 644 /dev/stdin "$tree/etc/systemd/system/$dropin" <<< 'After=dev-nowhere.device'
        check_tree
        assert_failure 1
        assert_line --regexp "^  FAIL  order         /etc/systemd/system/$dropin:1: After=dev-nowhere.device: changes "
    done
    tree_of systemd
    rm "$tree/etc/initrd-release"
    check_tree
    assert_fails order "no /etc/initrd-release, so systemd starts another target: nothing starts $unit; build the image anew"
    # which leads nowhere
    ln -s /nowhere "$tree/etc/initrd-release"
    check_tree
    assert_fails order "no /etc/initrd-release, so systemd starts another target: nothing starts $unit; build the image anew"
    # a capability that PID 1 does without, the program lacks
    tree_of systemd
    mkdir -p "$tree/etc/systemd/system.conf.d"
    printf '[Manager]\nCapabilityBoundingSet=~CAP_SYS_PTRACE\n' > "$tree/etc/systemd/system.conf.d/caps.conf"
    check_tree
    assert_fails order '/etc/systemd/system.conf.d/caps.conf:2: CapabilityBoundingSet=~CAP_SYS_PTRACE: may take from a service what the program needs, or change what PID 1 starts; remove that'
}

@test "what the unit waits for must come at once, and nothing before it may wait for the unit" {
    local name line number
    tree_of systemd
    # as systemd 239 has them
    printf '[Unit]\nDescription=x\nDefaultDependencies=no\nConflicts=shutdown.target\nBefore=slices.target\nWants=-.slice\nAfter=-.slice\n[Slice]\nMemoryAccounting=yes\n' > "$tree/$units/system.slice"
    printf '[Unit]\nDescription=x\nDefaultDependencies=no\nBefore=slices.target\n' > "$tree/$units/-.slice"
    check_tree
    assert_success
    refute_output --regexp '(FAIL|warn) '
    while read -r name line; do
        tree_of systemd
        sed "/^Description/a$line" "$images/systemd.tree/$units/systemd-journald.socket" > "$BATS_TEST_TMPDIR/socket"
        cp --remove-destination "$BATS_TEST_TMPDIR/socket" "$tree/$units/systemd-journald.socket"
        [[ $name == *.socket ]] || printf '[Unit]\n%s\n' "$line" > "$tree/$units/$name"
        [[ $name == *.socket ]] || cp "$images/systemd.tree/$units/systemd-journald.socket" "$tree/$units/systemd-journald.socket"
        check_tree
        assert_failure 1
        assert_line --regexp "^  FAIL  order         /$units/$name:[0-9]+: $line: changes $name, which $unit hangs on; remove that$"
    done << 'END'
systemd-journald.socket After=sysinit.target
systemd-journald.socket ConditionPathExists=/nowhere
systemd-journald.socket DefaultDependencies=yes
systemd-journald.socket Conflicts=x.service
system.slice Requires=nowhere.service
-.slice MemoryMax=1
-.slice Foo
END
    # in its own section, or in what only looks like one
    while IFS='|' read -r number line; do
        tree_of systemd
        printf -v line %b "$line"
        rm "$tree/$units/systemd-journald.socket"
        printf '[Unit]\nDefaultDependencies=no\n%s\n' "$line" > "$tree/$units/systemd-journald.socket"
        check_tree
        assert_failure 1
        assert_line --regexp "^  FAIL  order         /$units/systemd-journald.socket:$number: .*: changes systemd-journald.socket, which $unit hangs on; remove that$"
    done << 'END'
4|[Socket]\nExecStartPre=/bin/x
4|[Socket]\nBindToDevice=x0
4|[Socket]\nListenStream=/data/x
4|[Socket]\nDefaultDependencies=no
3|Before=x.target \\\n[Socket]\nAfter=x.device
3|[Socket] \\\nx=\nAfter=x.device
4|[Socket]\nListenStream=/dev/x
3|[Unit ]\nDescription=x
3|[Service]\nDescription=x
3|[Unit\nDescription=x
3|\v[Socket]\nAfter=x.device
3|DefaultDependencies\v=no
3| After=x.target
END
    # which newer versions of systemd have
    tree_of systemd
    sed '$a[Socket]\nDeferTrigger=yes' "$images/systemd.tree/$units/systemd-journald.socket" > "$BATS_TEST_TMPDIR/socket"
    cp --remove-destination "$BATS_TEST_TMPDIR/socket" "$tree/$units/systemd-journald.socket"
    check_tree
    assert_success
    tree_of systemd
    sed /DefaultDependencies/d "$images/systemd.tree/$units/systemd-journald.socket" > "$BATS_TEST_TMPDIR/socket"
    cp --remove-destination "$BATS_TEST_TMPDIR/socket" "$tree/$units/systemd-journald.socket"
    check_tree
    assert_fails order "/$units/systemd-journald.socket: no DefaultDependencies=no: changes systemd-journald.socket, which $unit hangs on; remove that"
    # and not where it says nothing
    printf '[Install]\nDefaultDependencies=no\n[Unit]\n' >> "$tree/$units/systemd-journald.socket"
    check_tree
    assert_fails order "/$units/systemd-journald.socket: no DefaultDependencies=no: changes systemd-journald.socket, which $unit hangs on; remove that"
    tree_of systemd
    install -D -m 644 /dev/stdin "$tree/usr/lib/firmware/x" <<< '[Unit]'
    ln -s /usr/lib/firmware/x "$tree/$units/system.slice"
    check_tree
    assert_failure 1
    assert_point FAIL order "/$units/system.slice: not looked into, being too large, a module or firmware: changes system.slice, which $unit hangs on; remove that"
    tree_of systemd
    ln -s /usr/lib/firmware/x.target "$tree/etc/systemd/system/basic.target"
    install -D -m 644 "$tree/$units/basic.target" "$tree/usr/lib/firmware/x.target"
    check_tree
    assert_failure 1
    assert_point FAIL order "basic.target is not there, masked or broken: nothing starts $unit; build the image anew"
    # it has no other name, by which something could come before it, be that a link to a link, or in another folder
    while read -r link target name; do
        tree_of systemd
        mkdir -p "$tree/opt" "$tree/${link%/*}"
        ln -s /nowhere.socket "$tree/$units/nowhere.socket"
        ln -s / "$tree/$units/root.socket"
        ln -s ./loop.socket "$tree/$units/loop.socket"
        ln -s systemd-journald.socket "$tree/$units/journald.service"
        ln -s "/$units/systemd-journald.socket" "$tree/opt/a.socket"
        ln -s a.socket "$tree/opt/b.socket"
        ln -s "/$units/systemd-udevd-control.socket" "$tree/opt/systemd-journald.socket"
        check_tree
        assert_success
        ln -sf "$target" "$tree/$link"
        check_tree
        assert_fails order "/$link: another name: changes $name, which $unit hangs on; remove that"
    done << END
$units/x.socket systemd-journald.socket systemd-journald.socket
etc/systemd/system/z.socket ../../../opt/b.socket systemd-journald.socket
etc/systemd/system/z.socket /opt/a.socket systemd-journald.socket
etc/systemd/system/z.socket /opt/systemd-journald.socket systemd-journald.socket
etc/systemd/system/z.target sysinit.target sysinit.target
etc/systemd/system/z-a.slice system.slice system.slice
run/systemd/system/x.target.requires/z.socket ../systemd-journald.socket systemd-journald.socket
$units/z.socket $(printf '../system/%.0s' {1..408})x.socket systemd-journald.socket
$units/z.socket $(printf '../system/%.0s' {1..405}).//././././././x.socket systemd-journald.socket
etc/systemd/system.control/z.socket /opt/a.socket systemd-journald.socket
END
    # but that which systemd starts, for which nothing may be dropped in either
    tree_of systemd
    mkdir -p "$tree/etc/systemd/system"
    ln -sf initrd.target "$tree/etc/systemd/system/default.target"
    install -D -m 644 /dev/stdin "$tree/etc/systemd/system/default.target.d/y.conf" <<< Description=y
    check_tree
    assert_success
    install -D -m 644 /dev/stdin "$tree/etc/systemd/system/default.target.d/y.conf" <<< After=y.target
    check_tree
    assert_fails order "/etc/systemd/system/default.target.d/y.conf:1: After=y.target: changes initrd.target, which $unit hangs on; remove that"
    # nor is it another one's
    for name in systemd-journald.socket basic.target sysinit.target; do
        tree_of systemd
        mv "$tree/$units/$name" "$tree/$units/j.${name##*.}"
        ln -s "j.${name##*.}" "$tree/$units/$name"
        check_tree
        assert_fails order "/$units/$name is a link, which has other names: nothing starts $unit; build the image anew"
    done
    # a line that goes on ends at an empty one, what begins with a vertical tab is no comment, and a mark of the byte order no key
    while IFS='|' read -r number line; do
        tree_of systemd
        printf '[Unit]\n%b\n' "$line" > "$tree/$units/x@.service"
        check_tree
        assert_failure 1
        assert_line --regexp "^  FAIL  masks         /$units/x@.service:$number: .*: nothing else may meddle with noptrace; remove that$"
    done << 'END'
4|Description=x \\\n\nConflicts=nop%i-initramfs.service
4|Description=x \\\n \t\r\nBefore=systemd-journald.socket
5|Conflicts=x \\\n# y\n;z\nnop%i-initramfs.service
4|Conflicts=\\\n#\nnop%i-initramfs.service
3|Conflicts=\\\n\v# noptrace-initramfs.service
2|\xef\xbb\xbfConflicts=nop%i-initramfs.service
END
    for line in Before=systemd-journald.socket 'Before=x.target -.slice' Conflicts=system.slice Before=%i.slice \
        Unit=systemd-journald.socket Service=system.slice; do
        tree_of systemd
        printf '[Unit]\n%s\n' "$line" > "$tree/$units/x.service"
        check_tree
        assert_fails masks "/$units/x.service:2: $line: nothing else may meddle with noptrace; remove that"
    done
}

@test "a systemd before 245 starts default.target in an initramfs: another than initrd.target fails" {
    local library at text='default.target is another than initrd.target, and systemd before 245 starts it in an initramfs; let it lead there'
    for at in usr/lib/systemd lib/systemd; do
        tree_of systemd
        if [[ $at == lib/systemd ]]; then
            part_lib systemd
            ln -sf /lib/systemd/systemd "$tree/init"
            units=$at/system
        else
            part_lib modules
            rm "$tree/lib/systemd"
        fi
        # dracut's own
        rm "$tree/etc/systemd/system/default.target"
        ln -sf rescue.target "$tree/$units/default.target"
        for library in libsystemd-shared-{245,300}.so libsystemd-share{-,dx}239.so; do
            touch "$tree/$at/$library"
            check_tree
            assert_success
            rm "$tree/$at/$library"
        done
        for library in libsystemd-shared-{239,244-1.fc31}.so; do
            touch "$tree/$at/$library"
            check_tree
            assert_fails order "$text"
            [[ $library == *-244* ]] || rm "$tree/$at/$library"
        done
        ln -sf initrd.target "$tree/$units/default.target"
        check_tree
        assert_success
        rm "$tree/$units/default.target"
        check_tree
        assert_success
    done
}

@test "a policy that PID 1 loads for the kernel, by which it may run nothing of ours, fails" {
    local policy
    for policy in etc/ima/ima-policy etc/smack etc/apparmor/earlypolicy {etc,usr/local/lib,usr/lib}/ipe etc/selinux/{config,targeted}; do
        tree_of systemd
        install -D -m 644 /dev/stdin "$tree/$policy" <<< 'appraise func=BPRM_CHECK fowner=12345'
        check_tree
        assert_fails order "/$policy: may take from a service what the program needs, or change what PID 1 starts; remove that"
    done
    # what a link has for such a folder is there too
    tree_of systemd
    mkdir -p "$tree/x/targeted/policy"
    ln -s ../x "$tree/etc/selinux"
    check_tree
    assert_fails order "/etc/selinux/targeted: may take from a service what the program needs, or change what PID 1 starts; remove that"
    rm -r "$tree/x/targeted"
    check_tree
    assert_success
    # or where PID 1 has mounted something by then; and so are its settings
    for policy in etc/{ima,apparmor,selinux,systemd} etc/systemd/system.conf{,.d,.d/x.conf}; do
        tree_of systemd
        rm -rf "${tree:?}/$policy"
        mkdir -p "$tree/${policy%/*}"
        ln -s /proc/self/root/x "$tree/$policy"
        check_tree
        assert_failure 1
        assert_point FAIL order "/$policy: may take from a service what the program needs, or change what PID 1 starts; remove that"
    done
    # also where there is something in the place
    ln -sf /sys/x "$tree/$policy"
    mkdir -p "$tree/sys"
    touch "$tree/sys/x"
    check_tree
    assert_fails order "/$policy: may take from a service what the program needs, or change what PID 1 starts; remove that"
    ln -sf /dev/null "$tree/$policy"
    check_tree
    assert_success
    # which every Debian has
    tree_of systemd
    install -D -m 644 /dev/stdin "$tree/etc/selinux/semanage.conf" <<< 'module-store = direct'
    check_tree
    assert_success
}

@test "a file that PID 1 makes, empties or removes, and that may be the program, fails" {
    local line
    for line in ListenStream=/usr/sbin/no%pce ListenFIFO=/x/%H ListenDatagram=/usr/sbin/%b ListenSpecial=/usr/sbin/n%%race ListenSequentialPacket=/%ptrace Symlinks='/y /usr/sbin/no%ptrace' \
        PIDFile=/usr/sbin/%I/ Symlinks=/usr/sbin/%I// StandardOutput=truncate:/usr/sbin/%I/. PIDFile=/usr/sbin/%N StandardOutput=truncate:/usr/sbin/no%jce StandardError=append:/x/%ptrace StandardInput=file:/usr/sbin/nop%i OpenFile=/usr/sbin/no%pce:x:truncate; do
        tree_of systemd
        printf '[Unit]\n%s\n' "$line" > "$tree/$units/x.service"
        check_tree
        assert_fails masks "/$units/x.service:2: $line: nothing else may meddle with noptrace; remove that"
    done
    tree_of systemd
    printf '[Unit]\n%s\n' ListenStream=/run/%p ListenStream=%t/%p ListenStream=@/x/%p ListenStream=%p ListenStream=x%p ListenStream=/dev/log ListenNetlink='audit 1' ListenStream=/usr/x%p \
        ListenStream=/usr/sbin/%pd Symlinks=/x/y%p PIDFile=/run/%N StandardOutput=journal StandardOutput=append:/run/%p StandardInput=tty OpenFile=/x/y%p:ce \
        ListenFIFO=/var/spool/x/ Symlinks=/dev/x/ StandardOutput=file:/var/log/x/ OpenFile=/etc/x/:x StandardInputText='a b/ c' \
        ExecStart=/x/%p > "$tree/$units/x.service"
    check_tree
    assert_success
}

@test "of what may be set for PID 1, what is known to be harmless passes, and all else fails" {
    local line root
    tree_of systemd
    # what Debian, Fedora, Arch, dracut and administrators set
    printf '[Manager]\n%s\n' '#ManagerEnvironment=' LogLevel=info LogTarget=kmsg ShowStatus=auto CPUAffinity=0-3 \
        RuntimeWatchdogSec=30s DefaultTimeoutStartSec=15s DefaultTimeoutStopSec=45s DefaultLimitNOFILE=1024:524288 DefaultLimitNOFILE=1048576 DefaultLimitNOFILE=256 \
        DefaultLimitCORE=0:infinity DefaultTasksMax=15% DefaultTasksMax=10 DefaultTasksMax=90 DefaultTasksMax=infinity DefaultMemoryAccounting=no \
        SystemCallArchitectures=native SystemCallArchitectures= NoNewPrivileges=no DefaultLimitAS=infinity DefaultStandardOutput=tty ProtectSystem={auto,yes} \
        Default{CPU,IO}Pressure{ThresholdSec,Watch}=x DefaultMemoryZSwapWriteback=yes DefaultOOMScoreAdjust=0 DefaultStartLimitInterval=1 \
        EventLoopRateLimit{Burst,IntervalSec}=1 JoinControllers=cpu MinimumUptimeSec=1 ShutdownWatchdogSec=1 \
        > "$tree/etc/systemd/system.conf"
    # of which systemd reads no other
    install -D -m 644 /dev/stdin "$tree/etc/systemd/system.conf.d/README" <<< 'CapabilityBoundingSet='
    check_tree
    assert_success
    refute_output --regexp '(FAIL|warn) '
    # all that systemd's own system.conf has, but what is for the kernel to bear, or empty
    for root in "$bookworm" "$trixie"; do
        sed -n 's/^#\([A-Z][A-Za-z]*=\)/\1/p' "$root"/{etc,usr/lib}/systemd/system.conf 2> /dev/null \
            | grep -Ev '^(ManagerEnvironment|CapabilityBoundingSet|NUMA.*|DefaultLimit(CPU|FSIZE|DATA|STACK|AS|NOFILE)|DefaultSmackProcessLabel)=' \
                > "$tree/etc/systemd/system.conf"
        grep -q '^DefaultLimitNPROC=' "$tree/etc/systemd/system.conf"
        check_tree
        assert_success
    done
    # the last without a newline, and of a long one as much as helps
    for line in ManagerEnvironment=SYSTEMD_UNIT_PATH=/opt/u DefaultEnvironment=SYSTEMD_FSTAB=/x DefaultLimitNOFILE=3 DefaultLimitNOFILE=255 DefaultLimitNOFILE=3:524288 CPUAccounting=yes DefaultLimitAS=4096 DefaultTasksMax=0 DefaultTasksMax=x \
        CapabilityBoundingSet= SystemCallArchitectures=arm NoNewPrivileges=yes ProtectSystem={no,,strict} DefaultSmackProcessLabel=x Foo=1 "Foo=$(printf '%0200d' 1)"; do
        printf %s "$line" > "$tree/etc/systemd/system.conf"
        check_tree
        assert_fails order "/etc/systemd/system.conf:1: ${line:0:120}: may take from a service what the program needs, or change what PID 1 starts; remove that"
    done
    printf '[Manager]\n\t Foo=1 \n' > "$tree/etc/systemd/system.conf"
    check_tree
    assert_fails order '/etc/systemd/system.conf:2: Foo=1: may take from a service what the program needs, or change what PID 1 starts; remove that'
    # and wherever systemd reads it
    for root in run usr/local/lib usr/lib lib; do
        tree_of systemd
        [[ $root != lib ]] || { part_lib modules && rm "$tree/lib/systemd"; }
        install -D -m 644 /dev/stdin "$tree/$root/systemd/system.conf.d/x.conf" <<< Foo=1
        check_tree
        assert_fails order "/$root/systemd/system.conf.d/x.conf:1: Foo=1: may take from a service what the program needs, or change what PID 1 starts; remove that"
    done
}

@test "whatever else names the unit or the program fails, with file and line" {
    local path line long
    long=$(printf '%060d' 1)
    while IFS=$'\t' read -r path line; do
        tree_of systemd
        install -D -m 755 /dev/stdin "$tree/$path" <<< $'# a comment\n'"$line"
        check_tree
        assert_fails masks "/$path:2: $line: nothing else may meddle with noptrace; remove that"
    done << END
$units/other.service	Conflicts=$unit
$units/other.service	Before = other.target $unit
etc/systemd/system/x.mount	Where=/usr/sbin
etc/systemd/system/x.mount	Where=/proc/sys/
etc/systemd/system/x.mount	Where=/proc//sys/.
etc/systemd/system/x.mount	Where=/../proc/sys/kernel
$units/other.service	ExecStart=/bin/mount -t tmpfs x /sbin/$long/b/c/../../..
$units/other.service	ExecStart=/bin/mount -o remount,ro /proc/sys
$units/other.service	ExecStart=/bin/umount -l "/proc"
etc/systemd/system/x.mount	Where=/x/../proc
etc/systemd/system/x.mount	Where=/run
etc/systemd/system/x.mount	Where=/run/systemd/journal/
etc/fstab	/dev/x /run/systemd tmpfs x-systemd.requires=x.service 0 0
$units/other.service	ExecStart=/bin/sh -c 'umount /proc//sys/../'
$units/x.automount	Where=/usr/sbin/noptrace
etc/fstab	/dev/x /usr/sbin none bind 0 0
etc/fstab	tmpfs /mnt tmpfs x-systemd.after=systemd-udev-trigger.service,x-systemd.before=systemd-journald.socket 0 0
run/systemd/transient/x.mount	Where=/proc/sys
run/systemd/generator/x.mount	Where=/proc/sys
usr/lib/dracut/x/y.txt	rm /usr/sbin/noptrace
usr/lib/dracut/x.sh	rm /usr/sbin/noptrace
usr/lib/systemd/system-generators/x	ln -s /dev/null /run/systemd/system/$unit
usr/lib/tmpfiles.d/x.conf	r /usr/sbin/noptrace
etc/udev/rules.d/1.rules	ACTION=="add", RUN+="/bin/rm /usr/sbin/noptrace"
usr/lib/dracut/hooks/pre-udev/1.sh	systemctl stop $unit
usr/bin/x	rm -f /usr/sbin/noptrace
END
    for path in "$units/basic.target.wants/$unit" "$units/sysinit.target.wants/other.service" etc/systemd/system/other.service usr/bin/other; do
        tree_of systemd
        mkdir -p "$tree/${path%/*}"
        if [[ $path == usr/bin/* ]]; then
            ln -s /usr/sbin/noptrace "$tree/$path"
        else
            ln -s "/$units/$unit" "$tree/$path"
        fi
        check_tree
        if [[ $path == */other.service ]]; then
            assert_failure 1
            assert_equal "$stderr" "noptrace-image: $image: fails: order, masks"
            assert_point FAIL order "/$path: another name: changes $unit, which need not run in time; remove that"
            assert_point FAIL masks "/$path is a link to noptrace's: nothing else may meddle with noptrace; remove that"
        else
            assert_fails masks "/$path is a link to noptrace's: nothing else may meddle with noptrace; remove that"
        fi
    done
    for path in systemd.unit-dropin.service~x systemd.extra-unit.x.service fstab.extra sysctl.extra tmpfiles.extra udev.rules.x; do
        tree_of systemd
        install -D -m 644 /dev/null "$tree/.extra/credentials/$path.cred"
        check_tree
        assert_fails masks "/.extra/credentials/$path.cred is a credential that changes units or files: nothing else may meddle with noptrace; remove that"
    done
    # of a program whether it names ours, and what only begins as one is none
    for line in noptrace-initramfs.service /usr/sbin/noptrace; do
        tree_of systemd
        # shellcheck disable=SC2016 # perl's
        perl -e 'print "\x7fELF\2\1\1" . "\0" x 9 . pack("v2 V Q<3 V v6 V x52", 2, 62, 1, 1, 64, 0, 0, 64, 56, 1, 0, 0, 0, 1) . "\n$ARGV[0]\n"' "$line" > "$tree/usr/bin/x"
        check_tree
        assert_fails masks '/usr/bin/x names noptrace: nothing else may meddle with noptrace; remove that'
        install -D -m 644 "$tree/usr/bin/x" "$tree/usr/lib/tmpfiles.d/x.conf"
        rm "$tree/usr/bin/x"
        check_tree
        assert_fails masks "/usr/lib/tmpfiles.d/x.conf:2: $line: nothing else may meddle with noptrace; remove that"
        rm "$tree/usr/lib/tmpfiles.d/x.conf"
        printf '\177ELF\n%s\n' "$line" > "$tree/usr/bin/x"
        check_tree
        assert_fails masks "/usr/bin/x:2: $line: nothing else may meddle with noptrace; remove that"
    done
    # what has its name, as a mask that masks nothing
    tree_of systemd
    mkdir -p "$tree/run/systemd/generator.late"
    ln -s /dev/null "$tree/run/systemd/generator.late/$unit"
    check_tree
    assert_fails masks "/run/systemd/generator.late/$unit has noptrace's name: nothing else may meddle with noptrace; remove that"
    tree_of systemd
    install -D -m 644 /dev/null "$tree/opt/x-noptrace"
    check_tree
    assert_fails masks '/opt/x-noptrace is not a file of noptrace that is known: nothing else may meddle with noptrace; remove that'
    tree_of systemd
    mkdir -p "$tree/opt/noptrace"
    check_tree
    assert_fails masks "/opt/noptrace has noptrace's name: nothing else may meddle with noptrace; remove that"
    tree_of systemd
    mkdir "$tree/$units/$unit.wants"
    check_tree
    assert_fails masks "/$units/$unit.wants has noptrace's name: nothing else may meddle with noptrace; remove that"
    # firmware has any name
    tree_of systemd
    install -D -m 644 /dev/stdin "$tree/usr/lib/firmware/x.conf" <<< x
    check_tree
    assert_success
    # between fields there are blanks of either kind, and what has not all of them is no mount
    tree_of systemd
    printf 'x\nLABEL=a\t \t/data\nLABEL=b /mnt\n#UUID="c" /usr ext4\n' > "$BATS_TEST_TMPDIR/fstab"
    install -D -m 644 "$BATS_TEST_TMPDIR/fstab" "$tree/etc/fstab"
    check_tree
    assert_success
    for line in $'/dev/x\t/usr/sbin none bind' ' /dev/x /usr/sbin'; do
        { cat "$BATS_TEST_TMPDIR/fstab" && echo "$line"; } > "$tree/etc/fstab"
        check_tree
        assert_failure 1
        assert_line --regexp '^  FAIL  masks         /etc/fstab:5: /dev/x./usr/sbin'
    done
    # wherever its links lead, and whatever is escaped
    ln -s usr/sbin "$tree/y"
    ln -s usr "$tree/root-link"
    for line in /y /root-link '\057proc' '/pro\143' '/\165sr/sbin' '/proc\057sys'; do
        { cat "$BATS_TEST_TMPDIR/fstab" && echo "/dev/x $line"; } > "$tree/etc/fstab"
        check_tree
        assert_failure 1
        assert_line "  FAIL  masks         /etc/fstab:5: /dev/x $line: nothing else may meddle with noptrace; remove that"
    done
    # and what comes before others; what is longer than is looked at might
    for line in '/a x x\055systemd.before=x.service' $'/a\tx\trw,x-systemd.before=x.service 0' "/a x x=$(printf %04094d 0)"; do
        { cat "$BATS_TEST_TMPDIR/fstab" && echo "/dev/x $line"; } > "$tree/etc/fstab"
        check_tree
        assert_failure 1
        assert_line --partial '  FAIL  masks         /etc/fstab:5: /dev/x'
    done
    for line in '/a x x-systemd.after=x.service,x-systemd.requires=x.service' '/a x-systemd.before=x.service x' '/a x x x-systemd.before=' "/a x x=$(printf %04093d 0)"; do
        { cat "$BATS_TEST_TMPDIR/fstab" && echo "/dev/x $line"; } > "$tree/etc/fstab"
        check_tree
        assert_success
    done
    for line in '/pro\14' '/pro\149' $'/proc\\' '/\160roc\040x' "/usr/$(printf %05000d 0)/../sbin" /z /z/y /; do
        { cat "$BATS_TEST_TMPDIR/fstab" && echo "/dev/x $line"; } > "$tree/etc/fstab"
        check_tree
        assert_success
    done
    # nor is more looked at than there is
    printf '\nx' > "$tree/etc/fstab"
    check_tree
    assert_success
    # however long it is, and where it leads
    { seq -f '# %.0f' 100000 && echo '/dev/x /usr/sbin none bind'; } > "$tree/etc/fstab"
    check_tree
    assert_fails masks '/etc/fstab: not looked into, being too large, a module or firmware: nothing else may meddle with noptrace; remove that'
    rm "$tree/etc/fstab"
    install -D -m 644 /dev/stdin "$tree/opt/fstab" <<< '/dev/x /usr/sbin none bind'
    ln -s /opt/fstab "$tree/etc/fstab"
    check_tree
    assert_fails masks '/etc/fstab:1: /dev/x /usr/sbin none bind: nothing else may meddle with noptrace; remove that'
    rm "$tree/etc/fstab"
    cp "$BATS_TEST_TMPDIR/fstab" "$tree/etc/fstab"
    printf '/dev/x \t/usr/sbin\tnone bind\n' >> "$tree/etc/fstab"
    check_tree
    assert_failure 1
    assert_line --regexp '^  FAIL  masks         /etc/fstab:5: /dev/x ./usr/sbin.none bind: nothing else may meddle with noptrace; remove that$'
    # of comments a unit's alone are known to be none of a shell's business
    tree_of systemd
    printf '[Unit]\n; of noptrace\n# and noptrace\n' > "$tree/$units/x.service"
    check_tree
    assert_success
    for path in usr/bin/x usr/lib/systemd/system-generators/x usr/lib/systemd/system.conf.d/x.conf; do
        tree_of systemd
        install -D -m 755 /dev/stdin "$tree/$path" <<< '# of noptrace'
        check_tree
        assert_fails masks "/$path:1: # of noptrace: nothing else may meddle with noptrace; remove that"
    done
    # behind what is read of a file
    tree_of systemd
    { echo '#!/bin/sh' && seq 100000 && echo 'rm /usr/sbin/noptrace'; } > "$tree/usr/bin/x"
    check_tree
    assert_fails masks '/usr/bin/x is too large to be looked at: nothing else may meddle with noptrace; remove that'
    for path in opt/x.sh etc/udev/rules.d/x.rules $units/x.service; do
        tree_of systemd
        install -D -m 644 /dev/stdin "$tree/$path" < <(seq 100000)
        check_tree
        assert_fails masks "/$path is too large to be looked at: nothing else may meddle with noptrace; remove that"
    done
    # where nobody reads it
    tree_of systemd
    part_lib modules
    seq 100000 > "$tree/x"
    for path in usr/share/{doc,man,licenses,lintian,doc-base} usr/lib/{modules,sysimage} lib/modules var/lib/{apt,dpkg,rpm} var/log; do
        install -D -m 644 /dev/stdin "$tree/$path/x" <<< 'rm /usr/sbin/noptrace'
    done
    install -D -m 644 "$top/README.md" "$tree/usr/share/doc/noptrace/README.md"
    check_tree
    assert_success
}

@test "what a link in a folder of units leads to is looked at, wherever it is" {
    local target
    for target in usr/share/doc/x.service opt/sysctl.d/x.service etc/sysctl.d/x.service usr/lib/modules/x; do
        tree_of systemd
        install -D -m 644 /dev/stdin "$tree/$target" <<< "Conflicts=$unit"
        ln -s "/$target" "$tree/$units/x.service"
        check_tree
        assert_failure 1
        assert_line --regexp "^  FAIL  masks         /($units/x.service|$target):1: Conflicts=$unit: nothing else may meddle with noptrace; remove that"
    done
    # through folders, and where it does not name ours
    tree_of systemd
    install -D -m 644 /dev/stdin "$tree/usr/share/doc/units/x.service" <<< 'Conflicts=nop%i.service'
    install -D -m 644 /dev/stdin "$tree/opt/d/x.conf" <<< 'ExecStart=/bin/umount /proc'
    mkdir -p "$tree/etc/systemd"
    rm -rf "$tree/etc/systemd/system"
    ln -s /usr/share/doc/units "$tree/etc/systemd/system"
    check_tree
    assert_fails masks '/etc/systemd/system/x.service:1: Conflicts=nop%i.service: nothing else may meddle with noptrace; remove that'
    ln -s /opt/d "$tree/$units/x.service.d"
    rm "$tree/usr/share/doc/units/x.service"
    check_tree
    assert_fails masks "/$units/x.service.d/x.conf:1: ExecStart=/bin/umount /proc: nothing else may meddle with noptrace; remove that"
    tree_of systemd
    install -D -m 644 /dev/stdin "$tree/usr/lib/firmware/x" <<< "Conflicts=$unit"
    ln -s /usr/lib/firmware/x "$tree/$units/x.service"
    check_tree
    assert_fails masks "/$units/x.service: not looked into, being too large, a module or firmware: nothing else may meddle with noptrace; remove that"
    # a mount is what its name says, also where nobody else looks
    tree_of systemd
    mkdir -p "$tree/etc/systemd" "$tree/usr/share/doc/x"
    echo '[Mount]' > "$tree/usr/share/doc/x/usr-sbin-noptrace.mount"
    ln -s /usr/share/doc/x "$tree/etc/systemd/system.control"
    check_tree
    assert_fails masks '/etc/systemd/system.control/usr-sbin-noptrace.mount mounts over what noptrace needs: nothing else may meddle with noptrace; remove that'
    for target in {proc,proc-sys,usr,bin,usr-bin,sbin,run,run-systemd-journal,run-systemd-journal-stdout}.mount usr-sbin.automount proc-sys-kernel-yama.mount; do
        tree_of systemd
        echo '[Mount]' > "$tree/$units/$target"
        check_tree
        assert_fails masks "/$units/$target mounts over what noptrace needs: nothing else may meddle with noptrace; remove that"
    done
    # one that is empty or leads nowhere is masked
    tree_of systemd
    : > "$tree/$units/usr.mount"
    ln -s /nowhere "$tree/$units/proc.mount"
    echo '[Mount]' > "$tree/$units/data.mount"
    echo '[Unit]' > "$tree/$units/usr.target"
    check_tree
    assert_success
}

@test "a name with specifiers or quotes in it fails where it could be that of one of our units" {
    local line
    # systemd's own, and those of others
    tree_of systemd
    printf '%s\n' '[Unit]' 'Description=On %i, mount /proc' 'After="x"-.service' After=systemd-journald@%i.socket BindsTo=dev-%i.device BindsTo=%i.mount \
        'After=%i.device x.service' 'OnFailure=mail@%n.service' Conflicts=sys-%i.device 'After=dev-disk-by\x2duuid-0123456789%i-0123456789abcdef.device' \
        'After="x"-0123456789abcdef0123456789abcdef.service' 'After=system-%i.slice sys%islice' Wants=-%islice Requires=syst%ijournald.socket \
        '[Service]' $'ExecStart=/bin/x %i \\\n\\\n-y' 'ExecStart=/bin/mount --bind /usr /sysroot/usr' 'ExecStart=/bin/mount --bind a/proc /data' 'ExecStart=/bin/mount -t tmpfs x /run' \
        "ExecStart=/bin/mount --bind /sbin /data/$(printf '%060d' 1)/sbin" 'ExecStart=/bin/ls /proc' $'[X-Odd\\\n mount /proc ]' \
        '  # Conflicts=nop%i.service' $'\t; noptrace' \
        > "$tree/$units/x@.service"
    mkdir -p "$tree/$units/initrd.target.wants"
    ln -s ../x@.service "$tree/$units/initrd.target.wants/x@trace-initramfs.service"
    check_tree
    assert_success
    refute_output --regexp '(FAIL|warn) '
    for line in Conflicts=nop%i.service 'PropagatesStopTo = a.service %p%i.service' 'Requires=%i-initramfs.service' \
        'BindsTo=nop"trace"-initramfs.service' "Conflicts=nop't'race-initramfs.service" PartOf=%i.target Before=nop%% \
        {After,JoinsNamespaceOf,OnFailure,OnSuccess,PropagatesReloadTo,Requisite,{Stop,Reload}PropagatedFrom,Upholds,BindTo,PropagateReload{To,From},{Requires,Requisite}Overridable}=nop%i-initramfs.service \
        'Conflicts=x nop%i.service' Before=-.slice%i Before=%i-.slice \
        {Unit,Service}=no%p-initramfs.service Wants=no%itrace{,-instead}.service Wants=no%itrace-locked@{emergency,poweroff,reboot}.target Wants=noptrace-locked@{,emerg}%i.target \
        {Before,Conflicts,PropagatesStopTo}=syst%ijournald.socket Before=sys%islice Before=-%islice; do
        printf '[Unit]\n%s\n' "$line" > "$tree/$units/x@.service"
        check_tree
        assert_fails masks "/$units/x@.service:2: $line: nothing else may meddle with noptrace; remove that"
    done
    # behind a tab, which is not printed
    printf '[Unit]\nConflicts=x.service\tnop%%i.service\n' > "$tree/$units/x@.service"
    check_tree
    assert_fails masks "/$units/x@.service:2: Conflicts=x.service?nop%i.service: nothing else may meddle with noptrace; remove that"
    # where the last line has no end, with systemd's ends of lines as well
    printf '[Unit]\r\nAfter=x.service' > "$tree/$units/x@.service"
    check_tree
    assert_success
    printf '[Unit]\r\nAfter=y.service\rConflicts=nop%%i.service' > "$tree/$units/x@.service"
    check_tree
    assert_fails masks "/$units/x@.service:3: Conflicts=nop%i.service: nothing else may meddle with noptrace; remove that"
    # before the next line
    printf '[Unit]\nConflicts=nop%%i.service\\\n x.service\n' > "$tree/$units/x@.service"
    check_tree
    assert_fails masks "/$units/x@.service:2: Conflicts=nop%i.service\\: nothing else may meddle with noptrace; remove that"
    # on the next line
    printf '[Unit]\nConflicts=x.service \\\n# a comment\n nop%%i.service\n' > "$tree/$units/x@.service"
    check_tree
    assert_fails masks "/$units/x@.service:4: nop%i.service: nothing else may meddle with noptrace; remove that"
    printf '[Service]\nExecStart=/bin/mount -t tmpfs x \\\n /proc\n' > "$tree/$units/x@.service"
    check_tree
    assert_fails masks "/$units/x@.service:3: /proc: nothing else may meddle with noptrace; remove that"
    for line in '{mount' '[mount'; do
        printf '[Service]\nExecStart=%s /proc\n' "$line" > "$tree/$units/x@.service"
        check_tree
        assert_fails masks "/$units/x@.service:2: ExecStart=$line /proc: nothing else may meddle with noptrace; remove that"
    done
    # two are one, with which no line goes on
    printf '[Unit]\nDescription=x \\\\\nConflicts=nop%%i.service\n' > "$tree/$units/x@.service"
    check_tree
    assert_fails masks "/$units/x@.service:3: Conflicts=nop%i.service: nothing else may meddle with noptrace; remove that"
    printf '[Unit]\nDescription=x \\\\\\\nConflicts=nop%%i.service\n' > "$tree/$units/x@.service"
    check_tree
    assert_success
    # where the name of a setting alone stands before that
    printf '[Unit]\nConflicts \\\n =nop%%i.service\n' > "$tree/$units/x@.service"
    check_tree
    assert_fails masks "/$units/x@.service:2: Conflicts \\: nothing else may meddle with noptrace; remove that"
}

@test "whatever sets the scope beside noptrace fails, however it spells it" {
    local path line
    while IFS=$'\t' read -r path line; do
        tree_of systemd
        install -D -m 755 /dev/stdin "$tree/$path" <<< "$line"
        check_tree
        assert_fails sysctl "/$path:1: $line: nothing but noptrace may set the scope; remove that"
    done << 'END'
usr/lib/tmpfiles.d/x.conf	w /proc/sys/kernel/yama/* - - - - 0
usr/bin/x	sysctl -w kernel.yama.*=0
etc/udev/rules.d/1.rules	ATTR{[subsystem]kernel/yama/ptrace_scope}="0"
usr/lib/tmpfiles.d/x.conf	w /proc/sys/kernel/yama/ptrace_scope - - - - 0
usr/lib/modprobe.d/x.conf	install x sysctl kernel.yama.ptrace_scope=0x3
usr/lib/dracut/hooks/pre-pivot/1.sh	echo 0 > /proc/sys/kernel/yama/ptrace_scope
END
}

@test "a link called systemd is systemd where that is what it leads to" {
    tree_of systemd
    rm "$tree/init"
    install -D -m 755 /dev/stdin "$tree/opt/systemd" <<< $'#!/bin/sh\nexec switch_root /sysroot /sbin/init'
    ln -s opt/systemd "$tree/init"
    check_tree
    assert_failure 1
    assert_point ok image 'dracut, shell'
}

@test "an /init that the kernel cannot run fails" {
    local line text='the kernel cannot run /init, and does without it; build the image anew'
    tree_of handmade
    rm "$tree/init"
    check_tree
    assert_fails wired "/init: not in the image: $text"
    tree_of handmade
    sed 's,^#!.*,#!/nothing/sh,' "$images/handmade.tree/init" > "$BATS_TEST_TMPDIR/init"
    rm "$tree/init"
    install -m 644 "$BATS_TEST_TMPDIR/init" "$tree/init"
    check_tree
    assert_fails wired "/init: not executable: $text"
    chmod 755 "$tree/init"
    check_tree
    assert_fails wired "/nothing/sh: not in the image: $text"
    # which runs itself, and what is neither; of a line old kernels read no more than 127 bytes
    echo echo > "$tree/init"
    check_tree
    assert_fails wired "/init: neither a program nor a script: $text"
    for line in '#!' '#! ' "#!/$(printf '%255s' '' | tr ' ' x)" "#!$(printf '%118s' '')/bin/sh" "#!/bin/sh$(printf '%118s' '')" \
        '#!/bin/sh /real' '#!/bin/sh -c' '#!/bin/sh -ec' '#!/bin/sh -' '#!/bin/sh -s' '#!/bin/busybox true' '#!/bin/busybox' '#!/bin/busybox -e' '#!/bin/sh sh' $'#!/bin/sh\r' '#!/bin/true'; do
        echo "$line" > "$tree/init"
        check_tree
        assert_fails wired "/init: names no shell that a kernel takes, or passes it what is not known: $text"
    done
    # blanks are its spaces and tabs
    for line in $'#!\v/bin/sh' '#!dash' '#!bash'; do
        echo "$line" > "$tree/init"
        check_tree
        assert_failure 1
        assert_line --partial ': not in the image: the kernel cannot run /init, and does without it'
    done
    for line in '#!/bin/sh -aefuvx' $'#! \t/bin/busybox \tash \t' "#!$(printf '%117s' '')/bin/sh" "#!/bin/sh$(printf '%117s' '')"; do
        { echo "$line" && tail -n +2 "$images/handmade.tree/init"; } > "$tree/init"
        check_tree
        assert_success
    done
    echo '#!/bin/ash' > "$tree/init"
    install -m 755 "$tree/init" "$tree/bin/ash"
    check_tree
    assert_fails wired "/init: too many interpreters behind each other: $text"
    # five files behind each other are none too many, six are
    tree_of handmade
    mkdir "$tree"/{a,b,c,d}
    for line in '/a/sh /b/sh' '/b/sh /c/sh' '/c/sh /bin/busybox sh' '/d/sh /a/sh'; do
        install -m 755 /dev/stdin "$tree${line%% *}" <<< "#!${line#* }"
    done
    sed -i 's,^#!.*,#!/a/sh,' "$tree/init"
    check_tree
    assert_success
    sed -i 's,^#!.*,#!/d/sh,' "$tree/init"
    check_tree
    assert_fails wired "/init: too many interpreters behind each other: $text"
    printf '#!\t/nothing/sh\t-e\n' > "$tree/init"
    check_tree
    assert_fails wired "/nothing/sh: not in the image: $text"
    # of two loaders the kernel takes the first; either is named behind the headers
    rm "$tree/init"
    perl -e 'print "\x7fELF\2\1\1" . "\0" x 9 . pack("v2 V Q<3 V v6", 2, 62, 1, 1, 64, 0, 0, 64, 56, 3, 0, 0, 0) . pack("V x52", 1)
        . pack("V x4 Q< x16 Q< x16", 3, 232, 11) . pack("V x4 Q< x16 Q< x16", 3, 243, 13) . "/bin/first\0/bin/busybox\0"' > "$tree/init"
    chmod 755 "$tree/init"
    check_tree
    assert_fails wired "/bin/first: not in the image: $text"
    # each is for one machine
    tree_of handmade
    sed 's/^\(\x7fELF.\{14\}\)\x3e\x00/\1\xb7\x00/' "$program" > "$BATS_TEST_TMPDIR/foreign"
    install -m 755 "$BATS_TEST_TMPDIR/foreign" "$tree/bin/dash"
    sed -i 's,^#!.*,#!/bin/dash,' "$tree/init"
    check_tree
    assert_fails wired "/bin/dash: for another machine than /usr/sbin/noptrace: $text"
    tree_of systemd
    rm "$tree"/lib64/ld-linux-x86-64.so.2 "$tree"/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2
    check_tree
    assert_fails wired "/lib64/ld-linux-x86-64.so.2: not in the image: $text"
    # which is no script
    install -m 755 /dev/stdin "$tree/lib64/ld-linux-x86-64.so.2" <<< '#!/bin/busybox sh'
    check_tree
    assert_fails wired "/lib64/ld-linux-x86-64.so.2: neither a program nor a script: $text"
    # where its header says that the loader's name is, and how long
    while read -r line; do
        rm "$tree/usr/lib/systemd/systemd"
        # shellcheck disable=SC2016 # perl's
        perl -e 'print "\x7fELF\2\1\1" . "\0" x 9 . pack("v2 V Q<3 V v6 V x52 V2 Q<6", 2, 62, 1, 1, 64, 0, 0, 64, 56, 2, 0, 0, 0, 1,
            3, 4, $ARGV[0], 0, 0, $ARGV[1], 0, 0) . "/bin/nothing\0" . "x" x 256 . "\0"' "${line% *}" "${line#* }" > "$tree/usr/lib/systemd/systemd"
        chmod 755 "$tree/usr/lib/systemd/systemd"
        check_tree
        case $line in
            '176 13') assert_fails wired "/bin/nothing: not in the image: $text" ;;
            '187 2') assert_fails wired "g: not in the image: $text" ;;
            '190 256') assert_fails wired "$(printf '%255s' '' | tr ' ' x): not in the image: $text" ;;
            *) assert_fails wired "/init: names no loader that a kernel takes: $text" ;;
        esac
    done << 'END'
176 13
187 2
176 12
176 1
176 0
176 256
190 256
189 257
999999 13
480 13
440 13
0 5
0 0
END
    # of another type, or with longer headers than it reads
    while read -r line; do
        rm "$tree/usr/lib/systemd/systemd"
        # shellcheck disable=SC2016,SC2086 # perl's; three numbers
        perl -e '($type, $size, $count) = @ARGV; print "\x7fELF\2\1\1" . "\0" x 9
            . pack("v2 V Q<3 V v6", $type, 62, 1, 1, 64, 0, 0, 64, $size, $count, 0, 0, 0) . pack("V x52", 1) x $count . "x" x 99' $line > "$tree/usr/lib/systemd/systemd"
        chmod 755 "$tree/usr/lib/systemd/systemd"
        check_tree
        if [[ $line == [23]' 56 1'* ]]; then
            assert_success
        else
            assert_fails wired "/init: neither a program nor a script: $text"
        fi
    done << 'END'
2 56 1
3 56 1
1 56 1
4 56 1
3 55 1
3 57 1
END
}

@test "a failure policy that is broken fails" {
    tree_of systemd
    rm "$tree/$units/initrd-switch-root.service.d/noptrace.conf"
    check_tree
    assert_fails policy 'emergency, but initrd-switch-root.service is not bound to the unit; build the image anew'
    local name policy text
    for name in noptrace-locked@emergency noptrace-locked@ noptrace-@emergency noptrace-@ noptrace-; do
        tree_of systemd
        install -D -m 644 /dev/stdin "$tree/$units/$name.target.d/x.conf" <<< 'ConditionPathExists=/nowhere'
        check_tree
        assert_line "  FAIL  policy        /$units/$name.target.d/x.conf:1: ConditionPathExists=/nowhere: changes noptrace-locked@emergency.target; remove that"
    done
    tree_of systemd
    mv "$tree/$units/sysinit.target.wants/noptrace-locked@"{emergency,panic}.target
    check_tree
    assert_fails policy 'noptrace_on_failure=panic: not one of continue, emergency, poweroff, reboot; build the image anew'
    tree_of systemd
    ln -s ../noptrace-locked@.target "$tree/$units/sysinit.target.wants/noptrace-locked@reboot.target"
    check_tree
    assert_line --regexp '^  FAIL  policy        (reboot|emergency), but there is another one as well; build the image anew$'
    # and whichever of them is last
    mkdir -p "$tree/etc/systemd/system/sysinit.target.wants"
    rm "$tree/$units/sysinit.target.wants/noptrace-locked@reboot.target"
    ln -s "/$units/noptrace-locked@.target" "$tree/etc/systemd/system/sysinit.target.wants/noptrace-locked@reboot.target"
    check_tree
    assert_line --regexp '^  FAIL  policy        (reboot|emergency), but there is another one as well; build the image anew$'
    # the same in two folders is one, and what is no target, or another's, is none
    tree_of systemd
    mkdir -p "$tree/etc/systemd/system/sysinit.target.wants"
    ln -s "/$units/noptrace-locked@.target" "$tree/etc/systemd/system/sysinit.target.wants/noptrace-locked@emergency.target"
    ln -s ../basic.target "$tree/$units/sysinit.target.wants/noptrace-locked@x.service"
    ln -s ../timers.target "$tree/$units/sysinit.target.wants/cryptsetup.target"
    check_tree
    assert_success
    assert_point ok policy 'emergency: a boot that could not lock is stopped'
    # what it needs
    while IFS='|' read -r policy name text; do
        tree_of systemd
        [[ $policy == emergency ]] || mv "$tree/$units/sysinit.target.wants/noptrace-locked@"{emergency,"$policy"}.target
        check_tree
        assert_success
        rm "$tree/$units/$name"
        check_tree
        assert_fails policy "$policy, but there is no $name$text; build the image anew"
    done << 'END'
emergency|emergency.service|: the boot would hang
emergency|emergency.target|: the boot would hang
poweroff|poweroff.target|: the boot would hang
poweroff|systemd-poweroff.service|: the boot would hang
reboot|systemd-reboot.service|: the boot would hang
emergency|initrd-switch-root.service| to hold
emergency|noptrace-locked@.target|
END
    tree_of systemd
    ln -sf ../timers.target "$tree/$units/sysinit.target.wants/noptrace-locked@emergency.target"
    check_tree
    assert_fails policy "/$units/sysinit.target.wants/noptrace-locked@emergency.target does not lead to noptrace-locked@.target; build the image anew"
    # without one
    tree_of systemd
    rm "$tree/$units/sysinit.target.wants/noptrace-locked@emergency.target"
    check_tree
    assert_success
    assert_point ok policy 'continue: a boot that could not lock goes on'
    tree_of shell
    rm "$tree/usr/lib/noptrace/on-failure.sh"
    check_tree
    assert_fails policy 'noptrace_on_failure=: not one of continue, emergency, poweroff, reboot; build the image anew'
    tree_of shell
    cp --remove-destination "$top/modules.d/50noptrace/on-failure/poweroff.sh" "$tree/usr/lib/noptrace/on-failure.sh"
    check_tree
    assert_success
    assert_point ok policy 'poweroff: a boot that could not lock is stopped'
    cp --remove-destination "$top/modules.d/50noptrace/on-failure/emergency.sh" "$tree/usr/lib/noptrace/on-failure.sh"
    check_tree
    assert_success
    assert_point ok policy 'emergency: a boot that could not lock is stopped'
    cp --remove-destination "$top/modules.d/50noptrace/on-failure/poweroff.sh" "$tree/usr/lib/noptrace/on-failure.sh"
    find "$tree" -name poweroff -delete
    check_tree
    assert_fails policy 'poweroff, but there is no poweroff that can run; build the image anew'
    cp --remove-destination "$top/modules.d/50noptrace/on-failure/reboot.sh" "$tree/usr/lib/noptrace/on-failure.sh"
    find "$tree" -name reboot -delete
    check_tree
    assert_fails policy 'reboot, but there is no reboot that can run; build the image anew'
    # nor one that something is mounted over by then
    tree_of shell
    cp --remove-destination "$top/modules.d/50noptrace/on-failure/poweroff.sh" "$tree/usr/lib/noptrace/on-failure.sh"
    find "$tree" -name poweroff -delete
    cp "$tree/usr/sbin/noptrace" "$tree/run/poweroff"
    ln -s /run/poweroff "$tree/usr/sbin/poweroff"
    check_tree
    assert_fails policy 'poweroff, but there is no poweroff that can run; build the image anew'
    # of a folder that is no link each counts
    tree_of shell
    cp --remove-destination "$top/modules.d/50noptrace/on-failure/poweroff.sh" "$tree/usr/lib/noptrace/on-failure.sh"
    find "$tree" -name poweroff -delete
    for name in sbin bin; do
        rm "$tree/$name"
        mkdir "$tree/$name"
        for text in "$tree/usr/$name"/*; do
            [[ $text == */noptrace ]] || ln -s "../usr/$name/${text##*/}" "$tree/$name"
        done
    done
    for name in usr/sbin usr/bin sbin bin; do
        cp "$tree/usr/sbin/noptrace" "$tree/$name/poweroff"
        check_tree
        assert_success
        : > "$tree/$name/poweroff"
        check_tree
        assert_fails policy 'poweroff, but there is no poweroff that can run; build the image anew'
        rm "$tree/$name/poweroff"
    done
    tree_of shell
    find "$tree" -name poweroff -delete
    # another's is not that of ours, whatever it says
    while IFS='|' read -r text policy; do
        rm "$tree/usr/lib/noptrace/on-failure.sh"
        printf 'noptrace_on_failure=%s' "$policy" > "$tree/usr/lib/noptrace/on-failure.sh"
        check_tree
        assert_failure 1
        assert_line --partial '  FAIL  identity      /usr/lib/noptrace/on-failure.sh:'
        assert_line --partial "$text"
    done << END
  ok    policy        continue: |continue
  FAIL  policy        poweroff, but |poweroff
  FAIL  policy        noptrace_on_failure=: not one of |{continue}
  FAIL  policy        noptrace_on_failure=continuea: not one of |continuea
  FAIL  policy        noptrace_on_failure=continuez: not one of |continuez
  ok    policy        continue: |continue{
  FAIL  policy        noptrace_on_failure=: not one of |
  FAIL  policy        noptrace_on_failure=xxx|$(printf '%0120d' 0 | tr 0 x)
END
}

@test "a stand-alone archive has what its policy needs where the image lacks it, and only as it is known" {
    local whole=$BATS_TEST_TMPDIR/whole archive=$BATS_TEST_TMPDIR/archive policy
    local -A others=([emergency]=reboot [poweroff]=emergency [reboot]=poweroff)
    for policy in emergency poweroff reboot; do
        tree_of systemd
        rm "$tree/$units/$policy.target" "$tree/$units/sysinit.target.wants/noptrace-locked@emergency.target" "$tree/usr/sbin/noptrace"
        pack "$tree" "$whole"
        "$top/build/noptrace-image" make --on-failure "$policy" "$archive"
        cat "$whole" "$archive" > "$image"
        check "$image"
        assert_success
        assert_point ok policy "$policy: a boot that could not lock is stopped"
        # what is another policy's does not help
        tree_of systemd
        rm -f "$tree/$units/$policy.target" "$tree/$units/sysinit.target.wants/noptrace-locked@emergency.target"
        ln -s ../noptrace-locked@.target "$tree/$units/sysinit.target.wants/noptrace-locked@$policy.target"
        install -D -m 644 "$top/build/instead/instead.conf" "$tree/$units/noptrace-locked@${others[$policy]}.target.d/instead.conf"
        install -m 644 "$top/build/instead/${others[$policy]}.service" "$tree/$units/noptrace-instead.service"
        check_tree
        assert_fails policy "$policy, but there is no $policy.target: the boot would hang; build the image anew"
        # the same number of bytes, of which cpio has no sum
        sed 's/^FailureAction=/failureAction=/' "$archive" > "$archive.altered"
        cat "$whole" "$archive.altered" > "$image"
        check "$image"
        assert_fails identity "/$units/noptrace-instead.service:$(grep -n ^FailureAction "$top/build/instead/$policy.service" | cut -d : -f 1): not that of $top/build/instead/$policy.service; build the image anew"
        sed 's/^OnFailure=noptrace-/onFailure=noptrace-/' "$archive" > "$archive.altered"
        cat "$whole" "$archive.altered" > "$image"
        check "$image"
        assert_fails identity "/$units/noptrace-locked@$policy.target.d/instead.conf:7: not that of $top/build/instead/instead.conf; build the image anew"
    done
}

@test "a kernel that cannot unpack what the image is packed with fails" {
    local option command other plain=$BATS_TEST_TMPDIR/plain count=0
    local -ra all=(RD_GZIP RD_BZIP2 RD_LZMA RD_XZ RD_LZO RD_LZ4 RD_ZSTD XZ_DEC_X86)
    config=$BATS_TEST_TMPDIR/config
    zcat -f "$images/handmade" > "$plain"
    while read -r option command; do
        $command < "$plain" > "$image"
        # what is no whole configuration says nothing
        echo CONFIG_SECURITY_YAMA=y > "$config"
        check "$image"
        assert_point ok yama "$config has it"
        echo "# CONFIG_$option is not set" >> "$config"
        check "$image"
        assert_fails yama "$config: no CONFIG_$option=y, so it does not unpack the image; pack it in another way, or use another kernel"
        # a whole one that does not know it, and one that has all
        {
            printf '%s\n' CONFIG_SECURITY_YAMA=y CONFIG_BLK_DEV_INITRD=y CONFIG_OTHER=y
            for other in "${all[@]}"; do
                [[ $other == "$option" ]] || echo "CONFIG_$other=y"
            done
        } > "$config"
        check "$image"
        assert_fails yama "$config: no CONFIG_$option=y, so it does not unpack the image; pack it in another way, or use another kernel"
        echo "CONFIG_$option=y" >> "$config"
        check "$image"
        assert_point ok yama "$config has it"
        # nor does it matter to others
        { echo CONFIG_SECURITY_YAMA=y && printf '# CONFIG_%s is not set\n' "${all[@]}"; } > "$config"
        check "$plain"
        assert_point ok yama "$config has it"
        count=$((count + 1))
    done << 'END'
RD_GZIP gzip -1
RD_BZIP2 bzip2
RD_LZMA xz --format=lzma -1
RD_XZ xz --check=crc32 -1
XZ_DEC_X86 xz --check=crc32 --x86 --lzma2=preset=1
RD_LZO lzop -c
RD_LZ4 lz4 -lc
RD_ZSTD zstd -qc
END
    assert_equal "$count" 8
}

@test "a kernel without Yama, or without what it needs, or whose own list leaves it out, fails" {
    local name line before behind
    image=$images/handmade
    config=$BATS_TEST_TMPDIR/config
    echo '# CONFIG_SECURITY_YAMA is not set' > "$config"
    check "$image"
    assert_fails yama "$config: no CONFIG_SECURITY_YAMA, so it cannot lock; use another kernel"
    printf '%s\n' CONFIG_SECURITY_YAMA=y CONFIG_BOOT_CONFIG_EMBED=y > "$config"
    check "$image"
    assert_fails maintenance "$config: CONFIG_BOOT_CONFIG_EMBED, so each boot has words that are not seen here; use another kernel"
    # its /init is a script
    for line in CONFIG_BINFMT_SCRIPT=m '# CONFIG_BINFMT_SCRIPT is not set'; do
        printf '%s\n' CONFIG_SECURITY_YAMA=y "$line" > "$config"
        check "$image"
        assert_fails yama "$config: no CONFIG_BINFMT_SCRIPT=y, so it cannot run /init; use another kernel"
        check "$images/systemd"
        assert_point ok yama "$config has it"
    done
    printf '%s\n' CONFIG_SECURITY_YAMA=y CONFIG_BINFMT_SCRIPT=y > "$config"
    check "$image"
    assert_point ok yama "$config has it"
    printf '%s\n' CONFIG_SECURITY_YAMA=y 'CONFIG_LSM="landlock,lockdown"' > "$config"
    check "$image"
    assert_fails yama "$config: CONFIG_LSM leaves yama out, so it cannot lock; name yama in an lsm= that is built in, or use another kernel"
    check --cmdline 'quiet lsm=lockdown,yama' "$image"
    assert_success
    assert_point ok yama "$config has it"

    for name in SYSCTL PROC_SYSCTL PROC_FS; do
        printf '%s\n' CONFIG_SECURITY_YAMA=y "# CONFIG_$name is not set" > "$config"
        check "$image"
        assert_fails yama "$config: no CONFIG_PROC_SYSCTL, so it cannot lock; use another kernel"
    done
    # files that it unpacks before those of the image
    for name in /srv/x x '""' ''; do
        printf '%s\n' CONFIG_SECURITY_YAMA=y "CONFIG_INITRAMFS_SOURCE=$name" > "$config"
        check "$image"
        assert_point "$([[ $name == *x ]] && echo FAIL || echo ok)" yama \
            "$config$([[ $name == *x ]] && echo ": CONFIG_INITRAMFS_SOURCE, so it unpacks files of its own before the image's, which are not seen here; use another kernel" || echo ' has it')"
    done
    printf '%s\n' CONFIG_SECURITY_YAMA=y '# CONFIG_BLK_DEV_INITRD is not set' > "$config"
    check "$image"
    assert_fails yama "$config: no CONFIG_BLK_DEV_INITRD, so it unpacks no initramfs; use another kernel"
    printf '%s\n' CONFIG_SECURITY_YAMA=y CONFIG_INITRAMFS_FORCE=y > "$config"
    check "$image"
    assert_fails yama "$config: CONFIG_INITRAMFS_FORCE, so it unpacks no initramfs but its own; use another kernel"
    printf '%s\n' CONFIG_SECURITY_YAMA=y 'CONFIG_LSM="landlock,lockdown"' > "$config"

    # of which a kernel with that configuration keeps 2,047 bytes: what is behind is lost, be it the word
    check --cmdline "$(printf '%2018s' x) lsm=lockdown,yama" "$image"
    assert_fails yama "$config: a command line of more than 2,035 bytes, behind which a kernel may not keep the word maintenance; shorten it"
    check --cmdline "$(printf '%2017s' x) lsm=lockdown,yama" "$image"
    assert_success
    printf '%s\n' CONFIG_SECURITY_YAMA=y "CONFIG_CMDLINE=\"$(printf '%2035s' x)\"" > "$config"
    check "$image"
    assert_success
    # with a blank between them
    printf '%s\n' CONFIG_SECURITY_YAMA=y 'CONFIG_CMDLINE="quiet"' > "$config"
    check --cmdline "$(printf '%2030s' x)" "$image"
    assert_fails yama "$config: a command line of more than 2,035 bytes, behind which a kernel may not keep the word maintenance; shorten it"
    check --cmdline "$(printf '%2029s' x)" "$image"
    assert_success
    for line in "1 2034" "2034 1" "1 2033" "2033 1"; do
        printf '%s\n' CONFIG_SECURITY_YAMA=y "CONFIG_CMDLINE=\"$(printf "%${line% *}s" x)\"" > "$config"
        check --cmdline "$(printf "%${line#* }s" x)" "$image"
        assert_equal "$line $(awk '$2 == "yama" { print $1 }' <<< "$output")" "$line $([[ $line == *2034* ]] && echo FAIL || echo ok)"
    done
    # of one that does not count there is nothing
    for line in "OVERRIDE 2035 9" "FORCE 2035 9" "FROM_BOOTLOADER 9 2035" "FALLBACK 9 2035" "BOOTLOADER 9 2035"; do
        read -r name before behind <<< "$line"
        printf '%s\n' CONFIG_SECURITY_YAMA=y "CONFIG_CMDLINE=\"$(printf "%${before}s" x)\"" "CONFIG_CMDLINE_$name=y" > "$config"
        check --cmdline "$(printf "%${behind}s" x)" "$image"
        assert_point ok yama "$config has it"
    done
    printf '%s\n' CONFIG_SECURITY_YAMA=y "CONFIG_CMDLINE=\"$(printf '%9000s' x)\"" > "$config"
    check "$image"
    assert_fails yama "$config: a command line of more than 2,035 bytes, behind which a kernel may not keep the word maintenance; shorten it"

    # no kernel's build writes these: without quotes, twice, and without an end of the quotes or of the line
    for line in 'CONFIG_LSM=yama' 'CONFIG_LSM="bpf,yama' $'CONFIG_LSM="yama"\nCONFIG_LSM="bpf"'; do
        printf 'CONFIG_SECURITY_YAMA=y\n%s' "$line" > "$config"
        check "$image"
        assert_success
    done
    printf 'CONFIG_SECURITY_YAMA=y\nCONFIG_LSM="' > "$config"
    check "$image"
    assert_fails yama "$config: CONFIG_LSM leaves yama out, so it cannot lock; name yama in an lsm= that is built in, or use another kernel"
}

@test "a kernel configuration that is cut short, damaged, or no file is not judged, 2" {
    local size kept
    gzip -n < "$config" > "$BATS_TEST_TMPDIR/whole.gz"
    size=$(stat -c %s "$BATS_TEST_TMPDIR/whole.gz")
    config=$BATS_TEST_TMPDIR/config.gz
    # behind its header, within it, and within the sum at its end
    for kept in 20 9 $((size / 2)) $((size - 1)); do
        head -c "$kept" "$BATS_TEST_TMPDIR/whole.gz" > "$config"
        check "$images/handmade"
        assert_failure 2
        assert_equal "$stderr" "noptrace-image: $images/handmade: unreadable: $config: cannot be read"
    done
    { head -c $((size - 8)) "$BATS_TEST_TMPDIR/whole.gz" && printf '12345678'; } > "$config"
    check "$images/handmade"
    assert_failure 2
    assert_point FAIL image "$config: cannot be read"
    head -c 5M /dev/zero | gzip > "$config"
    check "$images/handmade"
    assert_failure 2
    assert_point FAIL image "$config: too large"
    { echo CONFIG_SECURITY_YAMA=y && head -c $(((4 << 20) - 23)) /dev/zero | tr '\0' '\n'; } > "$config"
    assert_equal "$(stat -c %s "$config")" $((4 << 20))
    check "$images/handmade"
    assert_success
    echo >> "$config"
    check "$images/handmade"
    assert_point FAIL image "$config: too large"
    # nothing, what it cannot unpack, and another file
    for kept in : "xz -9 < $BATS_TEST_TMPDIR/whole.gz" 'echo SOME_CONFIG_YAMA=y' 'printf CONFIG_' "printf '#CONFIG_X=y\n'" 'echo "# CONFIG_X is"' 'echo CONFIG_X is not set'; do
        eval "$kept" > "$config"
        check "$images/handmade"
        assert_failure 2
        assert_equal "$stderr" "noptrace-image: $images/handmade: unreadable: $config: no kernel configuration, plain or in gzip"
    done
    echo '# CONFIG_X is not set' > "$config"
    check "$images/handmade"
    assert_failure 1
    noptrace_check --kernel-config /dev/null "$images/handmade"
    assert_failure 2
    assert_equal "$stderr" "noptrace-image: $images/handmade: unreadable: /dev/null: not a file"
    mkfifo "$BATS_TEST_TMPDIR/fifo"
    noptrace_check --kernel-config "$BATS_TEST_TMPDIR/fifo" "$images/handmade"
    assert_failure 2
    assert_equal "$stderr" "noptrace-image: $images/handmade: unreadable: $BATS_TEST_TMPDIR/fifo: not a file"
    # with stdin closed what it opens is descriptor 0
    stdin='<&-' noptrace_check --kernel-config /dev/null "$images/handmade"
    assert_failure 2
    assert_equal "$stderr" "noptrace-image: $images/handmade: unreadable: /dev/null: not a file"
    stdin='<&-' noptrace_check --kernel-config "$BATS_TEST_TMPDIR/whole.gz" "$images/handmade"
    assert_success
}

@test "a command line that is built into the kernel stands where its configuration says" {
    local want options given line
    config=$BATS_TEST_TMPDIR/config
    # whether Yama runs, what else is configured, and the loader's line
    while IFS='|' read -r want options given; do
        # shellcheck disable=SC2086 # its lines
        printf '%s\n' CONFIG_SECURITY_YAMA=y 'CONFIG_LSM="bpf"' $options > "$config"
        check --cmdline "$given" "$images/handmade"
        assert_equal "$options, $given: $(awk '$2 == "yama" { print $1 }' <<< "$output")" "$options, $given: $want"
    done << 'END'
ok|CONFIG_CMDLINE="lsm=yama"|quiet
ok|CONFIG_CMDLINE="lsm=yama" CONFIG_CMDLINE_OVERRIDE=y|lsm=bpf,yama
FAIL|CONFIG_CMDLINE="quiet" CONFIG_CMDLINE_FORCE=y|lsm=yama
FAIL|CONFIG_CMDLINE="lsm=yama" CONFIG_CMDLINE_FROM_BOOTLOADER=y|quiet
FAIL|CONFIG_CMDLINE="lsm=yama" CONFIG_CMDLINE_FALLBACK=y|quiet
FAIL|CONFIG_CMDLINE="lsm=yama" CONFIG_CMDLINE_BOOTLOADER=y|quiet
ok|CONFIG_CMDLINE="lsm=yama" CONFIG_CMDLINE_EXTEND=y|lsm=yama,x
FAIL|CONFIG_CMDLINE="lsm=x" CONFIG_CMDLINE_EXTEND=y|lsm=yama
ok|CONFIG_CMDLINE="lsm=\yama"|quiet
ok|CONFIG_CMDLINE="quiet"|lsm=yama
FAIL|CONFIG_CMDLINE="lsm=yama\"|quiet
END
    assert_point FAIL lsm "CONFIG_CMDLINE of $config: lsm=yama\\ leaves yama out; add it"
    # where it is all that counts, the word of a menu does not
    for options in OVERRIDE FORCE; do
        printf '%s\n' CONFIG_SECURITY_YAMA=y 'CONFIG_CMDLINE="quiet"' "CONFIG_CMDLINE_$options=y" > "$config"
        check "$images/handmade"
        assert_failure 1
        assert_point FAIL maintenance "$config: CONFIG_CMDLINE_OVERRIDE or _FORCE, so no word of a boot loader counts, and maintenance could not open; use another kernel"
    done
    # of which there is none, or no whole one
    printf '%s\n' CONFIG_SECURITY_YAMA=y 'CONFIG_CMDLINE=""' > "$config"
    check "$images/handmade"
    assert_success
    assert_point ok maintenance 'no command line is built in'
    printf '%s\n' CONFIG_SECURITY_YAMA=y 'CONFIG_CMDLINE="maintenance' > "$config"
    check "$images/handmade"
    assert_failure 1
    assert_point FAIL maintenance "CONFIG_CMDLINE of $config: has the word maintenance: each boot would be open; take it out"
    # it comes before the loader's
    check --cmdline maintenance "$images/handmade"
    assert_point FAIL maintenance "CONFIG_CMDLINE of $config: has the word maintenance: each boot would be open; take it out"
}

@test "of a configuration of another kernel than the image's it is warned" {
    local want version release
    config=$BATS_TEST_TMPDIR/config
    tree_of handmade
    rm -rf "$tree"/{usr/,}lib/modules
    while read -r want version release; do
        rm -rf "$tree/lib/modules"
        mkdir -p "$tree/lib/modules/$version"
        printf '%s\n' '#' "# Linux/x86 $release Kernel Configuration" CONFIG_SECURITY_YAMA=y '# Linux/x86 9.9 of a fragment' > "$config"
        check_tree
        assert_success
        assert_equal "$version $release $(awk '$2 == "yama" { print $1 }' <<< "$output")" "$version $release $want"
    done << 'END'
ok 6.1.0-50-amd64 6.1.176
ok 6.1-rt 6.1.176
ok 6.12.117+deb13-amd64 6.12.117
ok x 6.1.176
warn 6.1.0-50-amd64 6.12.117
warn 6.12.0 6.1.12
warn 5.1.0 6.1.0
warn 6.1.0 7
warn 6.1.0 Kernel
END
    assert_point warn yama "$config has it, but says that it is of Linux Kernel, and the image is for 6.1.0; give the configuration of that"
    # one of several, or of none, is of any
    mkdir "$tree/lib/modules/6.12.0"
    check_tree
    assert_point ok yama "$config has it"
    rm -r "$tree/lib/modules"
    check_tree
    assert_point ok yama "$config has it"
    # and so is one that does not say
    mkdir -p "$tree/lib/modules/6.1.0"
    echo CONFIG_SECURITY_YAMA=y > "$config"
    check_tree
    assert_point ok yama "$config has it"
}

@test "without a kernel configuration check cannot tell, 3" {
    run --separate-stderr "$top/build/noptrace-image" check "$images/handmade"
    assert_failure 3
    assert_line "$images/handmade: cannot tell"
    local release
    release=$(ls "$bookworm/usr/lib/modules")
    assert_point n/a yama "cannot tell: /boot and /lib/modules here have no configuration of $release; give /boot/config-$release of its package with --kernel-config"
    assert_equal "$stderr" "noptrace-image: $images/handmade: cannot tell: yama"
    assert_point n/a lsm 'no command line is built in, and none is given with --cmdline'
    tree_of handmade
    mkdir "$tree/usr/lib/modules/6.1.0-other"
    pack "$tree" "$image"
    run "$top/build/noptrace-image" check "$image"
    assert_failure 3
    assert_point n/a yama "cannot tell: which kernel it is for is not known; give that one's configuration with --kernel-config"
    # a file is none, nor is the same folder elsewhere another
    tree_of handmade
    touch "$tree/usr/lib/modules/file"
    mkdir -p "$tree/lib/modules/$release"
    pack "$tree" "$image"
    run "$top/build/noptrace-image" check "$image"
    assert_failure 3
    assert_line --partial "have no configuration of $release; "
    # or in the other alone
    tree_of handmade
    mkdir "$tree/lib"
    mv "$tree/usr/lib/modules" "$tree/lib"
    pack "$tree" "$image"
    run "$top/build/noptrace-image" check "$image"
    assert_failure 3
    assert_line --partial "have no configuration of $release; "
}

# uki_of KERNEL [SECTION…]: the image is a UKI of the hand-made image and what Images.pm makes of KERNEL, in perl, and
# of these sections, with a stub that knows profiles. Nothing of what it is asked about is on this machine.
uki_of() {
    # shellcheck disable=SC2016 # perl's
    perl -I "$BATS_TEST_DIRNAME" -MImages -e '
        my ($image, $initrd, $kernel, @sections) = @ARGV;
        sub config { return ikconfig(join "", map { "$_\n" } @_) }
        spit($image, pe(0x8664, sdmagic("257.13-1~deb13u1"), [ ".linux", eval $kernel // die $@ ], [ ".initrd", slurp($initrd) ], map { eval "[ $_ ]" // die $@ } @sections))' \
        "$image" "${initrd:-$images/handmade}" "$@"
}

look_at_uki() {
    uki_of "$@"
    run --separate-stderr "$top/build/noptrace-image" check "$image"
}

# check_uki SECTION…: of a UKI with these sections, whose kernel says nothing of itself.
check_uki() {
    uki_of '"a kernel"' "$@"
    check "$image"
}

@test "a UKI with a device tree and no command line, for which a kernel may take that of the tree, is unreadable" {
    local sections
    for sections in '".dtb", "x"' '".dtbauto", "x"' '".dtb", "x"|".cmdline", " \n"' '".dtb", "x"|".cmdline", "quiet"|".profile", "ID=x"|".cmdline", " "'; do
        IFS='|' read -r -a parts <<< "$sections"
        check_uki "${parts[@]}"
        assert_failure 2
        assert_equal "$stderr" "noptrace-image: $image: unreadable: a device tree, and no .cmdline: a kernel may take its words from there, which is not looked into; give it a .cmdline"
    done
    check_uki '".dtb", "x"' '".cmdline", "quiet"'
    assert_success
    check_uki '".dt", "x"'
    assert_success
}

@test "a UKI whose kernel carries its configuration is judged by that, before any file" {
    local yama='bzimage("6.1.0-test", packed("gzip", config("CONFIG_SECURITY_YAMA=y", "CONFIG_LSM=\"bpf,yama\"")))'
    local out='bzimage("6.1.0-test", packed("gzip", config("CONFIG_SECURITY_YAMA=y", "CONFIG_LSM=\"bpf\"")))'
    echo '# CONFIG_SECURITY_YAMA is not set' > "$BATS_TEST_TMPDIR/config-6.1.0-test"
    look_at_uki "$yama"
    assert_success
    assert_point ok yama 'IKCONFIG of .linux has it'
    look_at_uki "$out"
    assert_fails yama 'IKCONFIG of .linux: CONFIG_LSM leaves yama out, so it cannot lock; name yama in an lsm= that is built in, or use another kernel'
    look_at_uki "$out" '".cmdline", "quiet lsm=yama"'
    assert_success
    look_at_uki 'bzimage("6.1.0-test", packed("gzip", config("CONFIG_SECURITY_YAMA=y", "CONFIG_CMDLINE=\"quiet maintenance\"")))'
    assert_fails maintenance 'CONFIG_CMDLINE of IKCONFIG of .linux: has the word maintenance: each boot would be open; take it out'
    # what is said is not looked for
    check "$image"
    assert_success
    assert_point ok yama "$config has it"
    # two are none
    look_at_uki 'bzimage("6.1.0-test", config("CONFIG_SECURITY_YAMA=y") x 2)'
    assert_fails yama "$BATS_TEST_TMPDIR/config-6.1.0-test: no CONFIG_SECURITY_YAMA, so it cannot lock; use another kernel"
}

@test "a UKI whose first profile, which boots when nobody picks one, has the word fails, whatever that profile is called" {
    check_uki '".cmdline", "quiet"' '".profile", "ID=maintenance\n"' '".cmdline", "quiet maintenance"'
    assert_fails maintenance 'profile maintenance: has the word maintenance: each boot would be open; take it out'
    local last=('".profile", "ID=last\n"' '".cmdline", "quiet"')
    check_uki '".cmdline", "quiet"' '".profile", "ID=main\n"' '".profile", "ID=maintenance\n"' '".cmdline", "quiet maintenance"' "${last[@]}"
    assert_success
    assert_point ok image 'UKI: hand-made'
    assert_point ok architecture 'x86_64, as the kernel'
    assert_point ok maintenance 'the word is in no command line that is built in for normal boots'
    check_uki '".cmdline", "quiet"' '".profile", "TITLE=x\nID=main\n"' '".profile", "ID=maintenance\nTITLE=ID=x\n"' '".cmdline", "quiet maintenance"' \
        "${last[@]}"
    assert_success
    # nor is one without a name
    check_uki '".cmdline", "quiet"' '".profile", "ID=main\n"' '".profile", ""' '".cmdline", "quiet maintenance"'
    assert_fails maintenance 'profile @1: has the word maintenance: each boot would be open; take it out'
    check_uki '".cmdline", "quiet"' '".profile", "TITLE=x\n"' '".cmdline", "quiet maintenance"'
    assert_fails maintenance 'profile @0: has the word maintenance: each boot would be open; take it out'
    check_uki '".cmdline", "quiet"' '".profile", "ID=m\n"' '".cmdline", "quiet maintenance"'
    assert_fails maintenance 'profile m: has the word maintenance: each boot would be open; take it out'
    # blanks are none of a name
    check_uki '".cmdline", "quiet"' '".profile", "ID=main\n"' '".profile", " ID=maintenance \r\n"' '".cmdline", "quiet maintenance"' "${last[@]}"
    assert_success
    # and nobody boots what each profile has of its own
    check_uki '".cmdline", "quiet maintenance"' '".profile", "ID=main\n"' '".cmdline", "quiet"'
    assert_success
    # one that has it needs the word
    check_uki '".cmdline", "quiet"' '".profile", "ID=main\n"' '".profile", "ID=maintenance\n"' '".cmdline", "quiet"'
    assert_fails maintenance 'profile maintenance: lacks the word maintenance, and would lock; add it'
    # and has it where a kernel may keep it
    check_uki '".cmdline", "quiet"' '".profile", "ID=main\n"' '".profile", "ID=maintenance\n"' '".cmdline", "x" x 2_036 . " maintenance"' "${last[@]}"
    assert_fails maintenance 'profile maintenance: has more than 2,047 bytes, of which a kernel may keep no more; shorten it'
    # nor is one added to the others
    check_uki '".cmdline", "x" x 2_047' '".profile", "ID=main\n"' '".profile", "ID=maintenance\n"' '".cmdline", "x" x 2_035 . " maintenance"' "${last[@]}"
    assert_success
    # whose kernel need not lock
    config=$BATS_TEST_TMPDIR/config
    printf '%s\n' CONFIG_SECURITY_YAMA=y 'CONFIG_LSM="lockdown"' > "$config"
    check_uki '".cmdline", "lsm=yama"' '".profile", "ID=main\n"' '".profile", "ID=maintenance\n"' '".cmdline", "maintenance"' '".profile", "ID=last\n"' '".cmdline", "lsm=yama"'
    assert_success
    config=$(config_of "$bookworm")
    # a line that is asked about stands before those
    uki_of '"a kernel"' '".cmdline", "quiet rdinit=/x"'
    check --cmdline 'rdinit=/y' "$image"
    assert_fails masks '--cmdline: rdinit=/y keeps it from running; take that out'
    # and all of them are looked at, to their end
    uki_of '"a kernel"' '".cmdline", "quiet rdinit=/x sysctl.kernel.yama.ptrace_scope=3 lsm=bpf ro"'
    check --cmdline quiet "$image"
    assert_failure 1
    assert_point FAIL masks '.cmdline: rdinit=/x keeps it from running; take that out'
    assert_point FAIL lsm '.cmdline: lsm=bpf leaves yama out; add it'
    assert_point FAIL sysctl '.cmdline: sysctl.kernel.yama.ptrace_scope=3 locks maintenance boots as well; take it out'
    # where there is one for maintenance nobody adds the word
    check_uki '".cmdline", "quiet -- x"' '".profile", "ID=main\n"' '".profile", "ID=maintenance\n"' '".cmdline", "quiet maintenance"' "${last[@]}"
    assert_success
    # be it the first that has a line
    check_uki '".profile", "ID=main\n"' '".profile", "ID=maintenance\n"' '".cmdline", "quiet maintenance"' '".profile", "ID=last\n"' '".cmdline", "quiet -- x"'
    assert_success
}

@test "a UKI whose last command line has the word fails: an old systemd-boot boots that one when nobody picks any" {
    local reason='profile maintenance: is the last, which systemd-boot before 257 boots by itself; put a profile without the word behind it'
    local normal=('".cmdline", "quiet"' '".profile", "ID=main\n"') maintenance=('".profile", "ID=maintenance\n"' '".cmdline", "quiet maintenance"')
    check_uki "${normal[@]}" "${maintenance[@]}"
    assert_fails maintenance "$reason"
    # one without a line of its own, or with none in it, is not behind it
    check_uki "${normal[@]}" "${maintenance[@]}" '".profile", "ID=last\n"'
    assert_fails maintenance "$reason"
    check_uki "${normal[@]}" "${maintenance[@]}" '".profile", "ID=last\n"' '".cmdline", ""'
    assert_fails maintenance "$reason"
    check_uki "${normal[@]}" "${maintenance[@]}" '".profile", "ID=last\n"' '".cmdline", "quiet"'
    assert_success
}

@test "a UKI whose command line a stub would hand on as another one fails" {
    local line
    for line in '\xffmaintenance' 'main\xfftenance' 'main\x7ftenance' 'main\xf0\x9f\x98\x80tenance' '\xc1\xadaintenance' 'x\x01maintenance' 'LABEL=Gr\xc3\xb6\xc3\x9fe'; do
        check_uki "\".cmdline\", \"$line quiet\""
        assert_fails maintenance '.cmdline: has bytes that are not printable ASCII, of which stubs make different lines, with the word in them or not; take them out'
    done
    check_uki '".cmdline", "quiet\troot=LABEL=~{}\n\0"'
    assert_success
}

@test "a UKI that has more in a section than is read there, or less than it says, is refused, 2" {
    local section text initrd
    # an initramfs of which no reader has anything to say
    head -c 512 /dev/zero > "$BATS_TEST_TMPDIR/zeros"
    while IFS='|' read -r text section; do
        initrd=''
        check_uki "$section" '".profile", "ID=main"'
        assert_failure 2
        assert_point FAIL image "$text"
        initrd=$BATS_TEST_TMPDIR/zeros
        check_uki "$section"
        assert_failure 2
        assert_point FAIL image "$text"
    done << 'END'
.cmdline has more than 65536 bytes|".cmdline", "x" x 65537
.profile has more than 65536 bytes|".profile", "x" x 65537
.uname has more than 255 bytes|".uname", "6" x 256
byte 9999999: the file ends before what should be here|".cmdline", "", size => 9, offset => 9_999_999
byte 9999999: the file ends before what should be here|".profile", "", size => 9, offset => 9_999_999
byte 9999999: the file ends before what should be here|".ucode", "", size => 9, offset => 9_999_999
END
    perl -I "$BATS_TEST_DIRNAME" -MImages -e 'spit($ARGV[0], pe(0x8664, [ ".linux", "", size => 9, offset => 9_999_999 ], [ ".initrd", "\0" x 512 ]))' "$image"
    check "$image"
    assert_failure 2
    assert_point FAIL image 'byte 9999999: the file ends before what should be here'
}

@test "the configuration of a UKI is found by the release that its kernel says, or .uname where that says none" {
    echo CONFIG_SECURITY_YAMA=y > "$BATS_TEST_TMPDIR/config-6.1.0-own"
    echo > "$BATS_TEST_TMPDIR/config-6.1.0-other"
    look_at_uki 'bzimage("6.1.0-own", "")' '".uname", "6.1.0-other"'
    assert_success
    assert_point ok yama "$BATS_TEST_TMPDIR/config-6.1.0-own has it"
    look_at_uki '"a kernel for arm64"' '".uname", "6.1.0-own\n"'
    assert_success
    assert_point ok yama "$BATS_TEST_TMPDIR/config-6.1.0-own has it"
    # everybody's, and not a profile's own
    look_at_uki '"a kernel for arm64"' '".uname", "6.1.0-own"' '".profile", "ID=a"' '".uname", "6.1.0-other"'
    assert_success
    # however short it is
    echo CONFIG_SECURITY_YAMA=y > "$BATS_TEST_TMPDIR/config-6"
    look_at_uki 'bzimage("6", "")' '".uname", "6.1.0-other"'
    assert_success
    # else by the modules in it
    look_at_uki '"a kernel for arm64"'
    assert_failure 3
    assert_line --partial "have no configuration of $(ls "$bookworm/usr/lib/modules"); "
    look_at_uki 'bzimage("6.1.0-none", "")'
    assert_failure 3
    assert_point n/a yama 'cannot tell: the kernel itself, /boot and /lib/modules here have no configuration of 6.1.0-none; give /boot/config-6.1.0-none of its package with --kernel-config'
}

@test "a release that an image says leads to no other file" {
    local release
    mkdir "$BATS_TEST_TMPDIR/config-a"
    for release in a/b .. 'a b' a\* "$(printf '6%.0s' {1..65})" ''; do
        echo CONFIG_SECURITY_YAMA=y > "$BATS_TEST_TMPDIR/config-$release"
        look_at_uki '"a kernel for arm64"' "'.uname', '$release'"
        assert_failure 3
        refute_output --partial 'has it'
    done
    release=$(printf '6%.0s' {1..64})
    echo CONFIG_SECURITY_YAMA=y > "$BATS_TEST_TMPDIR/config-$release"
    look_at_uki '"a kernel for arm64"' "'.uname', '$release'"
    assert_success
    echo CONFIG_SECURITY_YAMA=y > "$BATS_TEST_TMPDIR/config-6"
    look_at_uki '"a kernel for arm64"' "'.uname', '6'"
    assert_success
    # config- is there from above, and no release
    tree_of handmade
    rm -r "$tree/usr/lib/modules"
    pack "$tree" "$image"
    run "$top/build/noptrace-image" check "$image"
    assert_failure 3
}

@test "the kernel configuration is found beside the image, and may be compressed" {
    cp "$images/handmade" "$image"
    gzip < "$config" > "$BATS_TEST_TMPDIR/${config##*/}"
    run "$top/build/noptrace-image" check "$image"
    assert_success
    assert_point ok yama "$BATS_TEST_TMPDIR/${config##*/} has it"
    cd "$BATS_TEST_TMPDIR" || return
    run "$top/build/noptrace-image" check image
    assert_success
    assert_point ok yama "./${config##*/} has it"
}

@test "the kernel configuration is found where distributions have it" {
    # shellcheck disable=SC2016 # the inner shell's
    run unshare --mount sh -e -c 'mount -t tmpfs tmpfs /boot; cp "$1" /boot; exec "$2" check "$3"' - \
        "$config" "$top/build/noptrace-image" "$images/handmade"
    assert_success
    assert_point ok yama "/boot/${config##*/} has it"
}

@test "what the command line says is found wherever it is built in" {
    local line
    image=$images/handmade
    check --cmdline 'root=/dev/vda maintenance' "$image"
    assert_fails maintenance '--cmdline: has the word maintenance: each boot would be open; take it out'
    check --cmdline 'x="a maintenance b" rd.maintenance maintenance=1' "$image"
    assert_success
    for line in 'quiet -- init-word' 'quiet x="open' '"--"'; do
        check --cmdline "$line" "$image"
        assert_fails maintenance '--cmdline: a word behind it would not count, for a bare -- or an open quote, so maintenance could not open; mend that'
    done
    check --cmdline 'lsm=landlock,lockdown' "$image"
    assert_fails lsm '--cmdline: lsm=landlock,lockdown leaves yama out; add it'
    check --cmdline 'lsm=lockdown lsm=yama,lockdown' "$image"
    assert_success
    check --cmdline 'sysctl.kernel.yama.ptrace_scope=3' "$image"
    assert_fails sysctl '--cmdline: sysctl.kernel.yama.ptrace_scope=3 locks maintenance boots as well; take it out'
    check --cmdline 'sysctl/kernel/yama/ptrace_scope="0x3"' "$image"
    assert_fails sysctl '--cmdline: sysctl/kernel/yama/ptrace_scope=0x3 locks maintenance boots as well; take it out'
    # which takes no pattern there
    check --cmdline 'sysctl.kernel.yama.ptrace_*=3' "$image"
    assert_success
    for line in sysctl..kernel.yama.ptrace_scope=3 sysctl.kernel//yama.ptrace_scope=3 sysctl./kernel/yama/ptrace_scope=3; do
        check --cmdline "quiet $line" "$image"
        assert_fails sysctl "--cmdline: $line locks maintenance boots as well; take it out"
    done
    check --cmdline 'quiet sysctl-kernel.yama.ptrace_scope=3 sysctl.*=3' "$image"
    assert_success

    # what is no 3 to the kernel, or of another name, is none of its business
    for line in '' = =1 =-3 =3x "=$(printf '%040d' 3)" "_$(printf '%0120d' 3)=3"; do
        check --cmdline "quiet sysctl.kernel.yama.ptrace_scope$line" "$image"
        assert_success
    done

    check --cmdline 'rdinit=/bin/sh' "$image"
    assert_fails masks '--cmdline: rdinit=/bin/sh keeps it from running; take that out'
    check --cmdline 'rdinit=/init' "$image"
    assert_success

    cp "$config" "$BATS_TEST_TMPDIR/config"
    config=$BATS_TEST_TMPDIR/config
    sed -i '/^CONFIG_CMDLINE/d' "$config"
    echo 'CONFIG_CMDLINE="quiet foo=\"a b\" maintenance"' >> "$config"
    check "$image"
    assert_fails maintenance "CONFIG_CMDLINE of $config: has the word maintenance: each boot would be open; take it out"
    sed -i 's/^CONFIG_CMDLINE=.*/CONFIG_CMDLINE="quiet \\"maintenance\\""/' "$config"
    check "$image"
    assert_fails maintenance "CONFIG_CMDLINE of $config: has the word maintenance: each boot would be open; take it out"

    image=$images/systemd
    config=$(config_of "$bookworm")
    for line in "systemd.mask=$unit" rd.systemd.mask=sysinit.target rd.systemd.unit=rescue.target \
        "systemd.set_credential=systemd.unit-dropin.$unit:x"; do
        check --cmdline "$line" "$image"
        assert_fails masks "--cmdline: $line keeps it from running; take that out"
    done
}

@test "parameters of systemd's are found as it reads them, and what the kernel hands on to it" {
    local line
    image=$images/systemd
    for line in "rd.systemd.mask='$unit'" "'rd.systemd.mask=$unit'" 'rd.systemd.mask=nop\trace-initramfs.service' \
        systemd.mask=noptrace-locked@poweroff SYSTEMD_UNIT_PATH=/opt/u SYSTEMD_IN_INITRD=0 LD_PRELOAD=/x.so PATH=/x \
        {,rd.}systemd.confirm_spawn{,=1} systemd.confirm-spawn --confirm-spawn systemd.setenv=SYSTEMD_FSTAB=/x rd.systemd.setenv=LD_PRELOAD=/x \
        BASH_ENV=/x 'BASH_FUNC_command%%=()' BASHOPTS=x SHELLOPTS=noexec log_output=/scripts/init-top/00-noptrace \
        break=top break=premount,top rd.break=cmdline rdbreak=cmdline rd.cmdline=ask initrd=0x1000,0x1000 initrd=9 \
        rd.{emergency,rescue,single,-b,-s,s,S,1,2,3,4,5} \
        rd.systemd.mask={sysinit.target,basic.target,initrd.target,system.slice,-.slice,systemd-journald.socket} \
        "systemd.set-credential=systemd.unit-dropin.$unit:x" "rd.systemd.set_credential_binary=systemd.extra-unit.x:eA==" \
        rd.systemd.mount-extra=tmpfs:/proc//sys:tmpfs --unit=rescue.target systemd.set_credential={fstab.extra,sysctl.extra,tmpfiles.extra,udev.rules.x}:x \
        rd.systemd.mount-extra=x:/proc 'rd.systemd.mount-extra=tmpfs:/\x75sr:tmpfs' initcall{_,-}blacklist=x,populate_rootfs initcall_blacklist=init_script_binfmt initrdmem=0x1000,0x1000 \
        initramfs{_,-}options=nr_inodes=432 noinitrd{,=0} PS4=x ENV=/x EUID=0 EXECIGNORE=/usr/sbin/noptrace FPATH=/x FUNCNEST=1 GLOBIGNORE=x IFS=x POSIXLY_CORRECT=x \
        PPID=1 UID=0 BASHX=y systemd.setenv=PS4=x \
        {rootflags=,mount.usrflags=rw\,,rd.systemd.mount-extra=x:/mnt:tmpfs:}x-systemd.before=systemd-journald.socket 'rootflags="x-sys\temd.before"=x'; do
        check --cmdline "quiet 3 $line ro" "$image"
        assert_fails masks "--cmdline: $line keeps it from running; take that out"
    done
    for line in /usr /usr/sbin /sbin /usr/bin /bin /usr/sbin/noptrace /proc /proc/sys/kernel/yama; do
        check --cmdline "rd.systemd.mount-extra=tmpfs:$line:tmpfs" "$image"
        assert_fails masks "--cmdline: rd.systemd.mount-extra=tmpfs:$line:tmpfs keeps it from running; take that out"
    done
    printf -v line 'rd.systemd.mount-extra=%01000d' 0
    check --cmdline "$line" "$image"
    assert_success
    check --cmdline "${line}0" "$image"
    assert_fails masks "--cmdline: ${line:0:120} keeps it from running; take that out"
    # a value goes on behind a blank that is in quotes, of either kind
    for line in 'rootflags="a b,x-systemd.before=systemd-journald.socket"' "mount.usrflags='a b,x-systemd.before=x.service'" \
        'rd.systemd.mount-extra="a b:/usr:tmpfs"' 'rootflags=a" b"' '"rootflags=a b"' "rootflags='a'' b'" 'rootflags="a"" b"' "rootflags=\"a' b\""; do
        check --cmdline "quiet $line" "$image"
        assert_fails masks "--cmdline: ${line%% *} keeps it from running; take that out"
    done
    check --cmdline "rootflags=\"a\",'b',c root=\"x y\"" "$image"
    assert_success
    printf -v line 'rootflags=%01013d' 0
    check --cmdline "$line" "$image"
    assert_success
    check --cmdline "${line}0" "$image"
    assert_fails masks "--cmdline: ${line:0:120} keeps it from running; take that out"
    printf -v line 'rd.systemd.mount-extra=%01100d:/usr:tmpfs' 0
    check --cmdline "$line" "$image"
    assert_fails masks "--cmdline: ${line:0:120} keeps it from running; take that out"
    # whatever it takes for a blank
    for line in $'\t' $'\r' $'\xa0'; do
        check --cmdline "quiet${line}rd.emergency${line}ro" "$image"
        assert_fails masks "--cmdline: rd.emergency keeps it from running; take that out"
    done
    check --cmdline $'quiet\x0erd.emergency' "$image"
    assert_success
    # behind what ends the kernel's part, init reads on
    check --cmdline "quiet -- rd.systemd.mask=$unit" "$image"
    assert_failure 1
    assert_point FAIL masks "--cmdline: rd.systemd.mask=$unit keeps it from running; take that out"
    check --cmdline 'ENVIRONMENT=x PS44=x systemd.setenv=UIDX=x systemd.setenv=UID initramfs_options initramfs_optionsx=x noinitrdx xnoinitrd' "$image"
    assert_success
    check --cmdline "SYSTEMD_LOG_LEVEL=debug SYSTEMD_COLORS=0 SYSTEMD_SULOGIN_FORCE=1 SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1 initcall_blacklist initcall_blacklist=sysfb_init,acpi_cpufreq_init rd.emergency=poweroff rd.systemd.unit=initrd.target root='x y' rd.systemd.mask=x.service \
systemd.mask='dev-disk-by\x2duuid-1.swap' systemd.set_credential=vmm.notify_socket:x rd.systemd.mount-extra=/dev/x:/data rd.systemd.mount-extra=/proc systemd.unit=rescue.target \
break break=premount rd.break rd.break=pre-pivot rdbreak=pre-mount rd.cmdline rd.cmdline=x initrd= initrd=\\\\x initrd=/0 initrd=: break=to \
rd.systemd.debug_shell rescue 3 systemd-mask=$unit xystemd.mask=$unit systemd.mas=$unit systemd.maskx=$unit PATH_X=1 $(printf '%01250d' 0)" "$image"
    assert_success
    refute_output --regexp '(FAIL|warn) '
}

@test "a word in etc/cmdline.d for a shell on the console before the lock fails, where dracut has no systemd" {
    local line path
    for path in etc/cmdline etc/cmdline.d/x.conf; do
        for line in 'quiet rd.break=cmdline' rdbreak=cmdline 'rd.cmdline=ask quiet'; do
            tree_of shell
            install -D -m 644 /dev/stdin "$tree/$path" <<< "$line"
            check_tree
            assert_fails maintenance "/$path: stops each boot for a shell on the console, before the lock; remove rd.break= or the like"
        done
        echo 'rd.break=pre-mount rd.break' > "$tree/$path"
        check_tree
        assert_success
    done
    # also behind a file that it is warned of, and in none that dracut does not read
    echo maintenance > "$tree/etc/cmdline"
    echo rd.break=cmdline > "$tree/etc/cmdline.d/x"
    check_tree
    assert_success
    mv "$tree/etc/cmdline.d/x" "$tree/etc/cmdline.d/x.conf"
    check_tree
    assert_failure 1
    assert_point FAIL maintenance '/etc/cmdline.d/x.conf: stops each boot for a shell on the console, before the lock; remove rd.break= or the like'
    # and whatever is behind it
    tree_of shell
    echo rd.break=cmdline > "$tree/etc/cmdline"
    mkdir -p "$tree/etc/cmdline.d"
    echo maintenance > "$tree/etc/cmdline.d/x.conf"
    check_tree
    assert_fails maintenance '/etc/cmdline: stops each boot for a shell on the console, before the lock; remove rd.break= or the like'
    tree_of systemd
    install -D -m 644 /dev/stdin "$tree/etc/cmdline.d/x.conf" <<< rd.break=cmdline
    check_tree
    assert_success
}

@test "the word in etc/cmdline.d, which the kernel does not read, is a warning" {
    tree_of shell
    mkdir -p "$tree/etc/cmdline.d"
    echo maintenance > "$tree/etc/cmdline.d/10-open.conf"
    check_tree
    assert_success
    assert_point warn maintenance '/etc/cmdline.d/10-open.conf: has the word maintenance, which dracut reads and the kernel does not: it opens nothing; remove it'
    # the first that has it is named
    echo quiet > "$tree/etc/cmdline.d/00-quiet.conf"
    echo maintenance > "$tree/etc/cmdline.d/20-too.conf"
    check_tree
    assert_success
    assert_equal "$(grep -cE '^  [^ ]+ +maintenance ' <<< "$output")" 1
    assert_equal "$(grep -c '^  warn' <<< "$output")" 1
    assert_point warn maintenance '/etc/cmdline.d/10-open.conf: has the word maintenance, which dracut reads and the kernel does not: it opens nothing; remove it'
    # and the file of that name, without a folder
    tree_of shell
    echo maintenance quiet > "$tree/etc/cmdline"
    check_tree
    assert_success
    assert_point warn maintenance '/etc/cmdline: has the word maintenance, which dracut reads and the kernel does not: it opens nothing; remove it'
}

@test "a sysctl.d file that locks maintenance boots fails" {
    tree_of systemd
    mkdir -p "$tree/etc/sysctl.d"
    echo 'kernel.yama.ptrace_scope = 3' > "$tree/etc/sysctl.d/zzz.conf"
    check_tree
    assert_fails sysctl '/etc/sysctl.d/zzz.conf:1: sets the scope to 3 in maintenance boots as well; remove that'
    echo '-kernel/yama/ptrace_* = 0x3' > "$tree/etc/sysctl.d/zzz.conf"
    check_tree
    assert_fails sysctl '/etc/sysctl.d/zzz.conf:1: sets the scope to 3 in maintenance boots as well; remove that'
    # as systemd takes lines, names, and what is said of one twice
    local folder number line
    while IFS='|' read -r number line; do
        printf %b "$line" > "$tree/etc/sysctl.d/zzz.conf"
        check_tree
        assert_fails sysctl "/etc/sysctl.d/zzz.conf:$number: sets the scope to 3 in maintenance boots as well; remove that"
    done << 'END'
2|#\rkernel.yama.ptrace_scope = 3\n
2|#\0kernel.yama.ptrace_scope = 3
1|/kernel//yama/ptrace_scope = 3
1|kernel..yama.ptrace_scope=03
2|# one\nkernel.yama.ptrace_scope = 3\nkernel.yama.* = 1\n
1|kernel.yama.ptrace_scope = 3 1\n
1|kernel.yama.ptrace_scope = 0x3\t xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n
1|kernel.yama.ptrace_scope =\xa03\n
1|kernel/yama/ptrace_scop[eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee] = 3\n
1|kernel/yama/ptrace_scop[e]??????????????????????????????????????????????????????? = 3\n
1|kernel/yama/ptrace_scope******************************************************* = 3\n
1|kernel/yama/ptrace_scop?****************************************************** = 3\n
1|*/yama/ptrace_scope = 3
1|kernel/*0000000000000000000000000000000000000000000000000000000 = 3
1|\fkernel.yama.ptrace_scope\v= 3
1|kernel.yama.ptrace_scope = 3 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
END
    for line in 'kernel/* = 3' "kernel/*$(printf '%054d' 0) = 3" 'kernel.yama.ptrace_scope = 3x' 'kernel.yama.ptrace_scope =' 'xkernel.yama.ptrace_scope = 3' \
        "kernel.yama.ptrace_scope.$(printf '%070d' 1) = 3"; do
        echo "$line" > "$tree/etc/sysctl.d/zzz.conf"
        check_tree
        assert_success
    done
    # by name, whichever the folder, and what is no .conf is not read
    echo 'kernel.yama.ptrace_scope = 3' > "$tree/etc/sysctl.d/zzz.conf~"
    check_tree
    assert_success
    { seq -f '# %.0f' 100000 && echo 'kernel.yama.ptrace_scope = 3'; } > "$tree/etc/sysctl.d/zzz.conf"
    check_tree
    assert_fails sysctl '/etc/sysctl.d/zzz.conf: not looked into, being too large, a module or firmware; remove that'
    for folder in run usr/local/lib usr/lib lib; do
        tree_of systemd
        [[ $folder != lib ]] || { part_lib sysctl.d && rm "$tree/lib/systemd"; }
        mkdir -p "$tree/$folder/sysctl.d"
        echo 'kernel.yama.ptrace_scope = 3' > "$tree/$folder/sysctl.d/zzz.conf"
        check_tree
        assert_fails sysctl "/$folder/sysctl.d/zzz.conf:1: sets the scope to 3 in maintenance boots as well; remove that"
    done
    # unless one before it has a file of that name
    tree_of systemd
    mkdir -p "$tree"/usr/{local/,}lib/sysctl.d
    echo 'kernel.yama.ptrace_scope = 3' > "$tree/usr/lib/sysctl.d/zzz.conf"
    : > "$tree/usr/local/lib/sysctl.d/zzz.conf"
    check_tree
    assert_success
    tree_of systemd
    mkdir -p "$tree/etc/sysctl.d"
    # a lower one is what counts for maintenance boots, and no harm to a locked machine
    printf '# a comment\nno setting\nkernel/yama/ptrace_scope=1\n' > "$tree/etc/sysctl.d/zzz.conf"
    check_tree
    assert_success
    assert_point ok sysctl '/etc/sysctl.d/zzz.conf counts in maintenance boots alone'
    # nobody of systemd's reads the file of the classic sysctl, unless a link has it read
    echo 'kernel.yama.ptrace_scope = 3' > "$tree/etc/sysctl.conf"
    check_tree
    assert_success
    ln -s ../sysctl.conf "$tree/etc/sysctl.d/zzzz.conf"
    check_tree
    assert_fails sysctl '/etc/sysctl.d/zzzz.conf:1: sets the scope to 3 in maintenance boots as well; remove that'
    rm "$tree/etc/sysctl.d/zzzz.conf"
    # of one name only the first folder's is read, and none of /run
    mkdir -p "$tree/run/sysctl.d" "$tree/usr/lib/sysctl.d"
    : > "$tree/run/sysctl.d/yyy.conf"
    echo 'kernel.yama.ptrace_scope = 3' > "$tree/usr/lib/sysctl.d/yyy.conf"
    check_tree
    assert_fails sysctl '/usr/lib/sysctl.d/yyy.conf:1: sets the scope to 3 in maintenance boots as well; remove that'
    rm "$tree/usr/lib/sysctl.d/yyy.conf"
    mkdir -p "$tree/usr/local/lib/sysctl.d"
    echo 'kernel.yama.ptrace_scope = 3' > "$tree/usr/local/lib/sysctl.d/zzz.conf"
    check_tree
    assert_success
    rm -r "$tree"/{etc,usr/lib,usr/local/lib}/sysctl.d
    check_tree
    assert_success
    assert_point ok sysctl 'no sysctl.d file sets the scope'
    # where systemd's is not there another sysctl may read them
    rm "$tree/usr/lib/systemd/systemd-sysctl"
    check_tree
    assert_success
    assert_point n/a sysctl 'nothing here is known to read sysctl.d, and no file there locks'
    install -D -m 644 /dev/stdin "$tree/etc/sysctl.d/zzz.conf" <<< 'kernel.yama.ptrace_scope = 3'
    check_tree
    assert_fails sysctl '/etc/sysctl.d/zzz.conf:1: sets the scope to 3 in maintenance boots as well; remove that'
}

# bats test_tags=slow
@test "of several archives the last one wins, as it does in the kernel" {
    # a second one that overwrites the program, plain behind compressed, and compressed behind plain
    mkdir -p "$BATS_TEST_TMPDIR/later/usr/sbin"
    printf '#!/bin/sh\nexit 0\n' > "$BATS_TEST_TMPDIR/later/usr/sbin/noptrace"
    chmod 755 "$BATS_TEST_TMPDIR/later/usr/sbin/noptrace"
    pack "$BATS_TEST_TMPDIR/later" "$BATS_TEST_TMPDIR/later.cpio"
    local command
    for command in cat 'gzip -n' 'xz --check=crc32' zstd 'lz4 -l' lzop bzip2; do
        $command < "$images/handmade" > "$image"
        truncate -s %4096 "$image"
        check "$image"
        assert_success
        cat "$BATS_TEST_TMPDIR/later.cpio" >> "$image"
        check "$image"
        assert_failure 1
        assert_point FAIL static '/usr/sbin/noptrace: not an ELF program, or cut short; install noptrace again'
        { cat "$images/handmade" && $command < "$BATS_TEST_TMPDIR/later.cpio"; } > "$image"
        check "$image"
        assert_failure 1
    done
    # boot agrees
    run "$top/build/noptrace-image" boot --kernel "$(kernel_of "$bookworm")" "$image"
    assert_failure 1
    # and the other way round
    cat "$BATS_TEST_TMPDIR/later.cpio" "$images/handmade" > "$image"
    assert_locks "$image" "$bookworm"
}

@test "a link in one archive does not let the next write outside of the image" {
    mkdir -p "$BATS_TEST_TMPDIR"/{outside,first/usr,second/usr/sbin}
    ln -s "$BATS_TEST_TMPDIR/outside" "$BATS_TEST_TMPDIR/first/usr/sbin"
    echo > "$BATS_TEST_TMPDIR/second/usr/sbin/noptrace"
    pack "$BATS_TEST_TMPDIR/first" "$BATS_TEST_TMPDIR/1"
    (cd "$BATS_TEST_TMPDIR/second" && echo usr/sbin/noptrace | cpio --quiet -o -H newc) > "$BATS_TEST_TMPDIR/2"
    cat "$BATS_TEST_TMPDIR"/{1,2} > "$image"
    check "$image"
    assert_failure 1
    assert_equal "$(ls "$BATS_TEST_TMPDIR/outside")" ''
}

# one_of_its_exit_codes IMAGE: ends well if check does, with results that their readers can read, and that say so too.
one_of_its_exit_codes() {
    local code=0 out=$BATS_TEST_TMPDIR/out
    timeout 20 "$top/build/noptrace-image" check --kernel-config "$config" --json --junit "$out.xml" "$1" \
        > "$out.json" 2> "$out.err" || code=$?
    case $code in
        0 | 1 | 2 | 3) ;;
        *) return 9 ;;
    esac
    [[ $(jq .exit < "$out.json") == "$code" ]] && xmllint --noout "$out.xml" && ! LC_ALL=C grep -q '[[:cntrl:]]' "$out.err"
}

# bats test_tags=slow
@test "a hostile image gets one of the documented exit codes, and is nowhere written to" {
    local outside=$BATS_TEST_TMPDIR/outside before hostile
    mkdir "$outside" "$BATS_TEST_TMPDIR/hostile"
    echo secret > "$outside/secret"
    "$BATS_TEST_DIRNAME/hostile-images" "$BATS_TEST_TMPDIR/hostile" "$outside"
    before=$(stat -c '%n %s %a %Y' "$outside" "$outside"/*)
    for hostile in "$BATS_TEST_TMPDIR/hostile"/*.img; do
        one_of_its_exit_codes "$hostile" || fail "$hostile"
    done
    assert_equal "$(stat -c '%n %s %a %Y' "$outside" "$outside"/*)" "$before"
}

# An image of what is looked at, and no more, as plain, gzip and squashed in the test's folder.
small_images() {
    local small=$BATS_TEST_TMPDIR/small squash=$BATS_TEST_TMPDIR/squash
    mkdir -p "$small/$units/sysinit.target.wants" "$small/etc" "$squash"
    (cd "$images/systemd.tree" && cp -a --parents init etc/initrd-release usr/lib/initrd-release "$units/$unit" "$units/$unit.d" \
        "$units"/{initrd,basic,sysinit}.target "$units/sysinit.target.wants/$unit" usr/lib/systemd/systemd \
        usr/sbin/noptrace "$small")
    install -D -m 644 /dev/stdin "$small/etc/sysctl.d/x.conf" <<< 'kernel.sysrq = 0'
    # needs no loader, and nobody runs it
    cp --remove-destination "$program" "$small/usr/lib/systemd/systemd"
    pack "$small" "$BATS_TEST_TMPDIR/plain"
    check "$BATS_TEST_TMPDIR/plain"
    assert_success
    gzip < "$BATS_TEST_TMPDIR/plain" > "$BATS_TEST_TMPDIR/gzip"
    mksquashfs "$small" "$squash/squash-root.img" -quiet -no-progress > "$BATS_TEST_TMPDIR/log"
    name_in_init "$squash" squash-root.img
    pack "$squash" "$BATS_TEST_TMPDIR/squashed"
}

# bats test_tags=alone
@test "an image is judged as it is, or not at all, whatever allocation or system call fails" {
    local check=("$top/build/noptrace-check" --program "$program" --module "$top/modules.d/50noptrace"
        --instead "$top/build/instead" --init-top "$top/hooks/initramfs-tools/init-top" --units "$top/hooks/systemd"
        --kernel-config "$config")
    make -s -C "$top" build/failing.so
    small_images
    assert_stands_failures "${check[@]}" "$BATS_TEST_TMPDIR/squashed"
    { cat "$config" && echo 'CONFIG_CMDLINE="a=\"b\""'; } > "$BATS_TEST_TMPDIR/config"
    assert_stands_failures "${check[@]}" --kernel-config "$BATS_TEST_TMPDIR/config" --json --cmdline quiet "$BATS_TEST_TMPDIR/gzip"
    echo 'CONFIG_CMDLINE="maintenance"' >> "$BATS_TEST_TMPDIR/config"
    assert_stands_failures "${check[@]}" --kernel-config "$BATS_TEST_TMPDIR/config" "$BATS_TEST_TMPDIR/plain"
    written=$BATS_TEST_TMPDIR/junit assert_stands_failures "${check[@]}" --junit "$BATS_TEST_TMPDIR/junit" "$images/handmade"
    uki_of '"a kernel"' '".cmdline", "maintenance"' '".uname", "6.1.0"' '".profile", "ID=main\n"'
    mkdir "$image.extra.d"
    perl -I "$BATS_TEST_DIRNAME" -MImages -e 'spit($ARGV[0], pe(0x8664, [ ".cmdline", "quiet" ]))' "$image.extra.d/words.addon.efi"
    perl -I "$BATS_TEST_DIRNAME" -MImages -e 'spit($ARGV[0], pe(0x8664, [ ".sbat", "x" ]))' "$image.extra.d/x.addon.efi"
    assert_stands_failures "${check[@]}" "$image"
    # the word in what is added alone
    uki_of '"a kernel"' '".cmdline", "quiet"' '".uname", "6.1.0"'
    perl -I "$BATS_TEST_DIRNAME" -MImages -e 'spit($ARGV[0], pe(0x8664, [ ".cmdline", "maintenance" ]))' "$image.extra.d/words.addon.efi"
    assert_stands_failures "${check[@]}" "$image"
    rm -r "$image.extra.d"
    # and a kernel that is more than is read at once
    uki_of '"x" x 200_000 . config("CONFIG_SECURITY_YAMA=y")' '".cmdline", "quiet"'
    assert_stands_failures "${check[@]::11}" "$image"
    # and one that does not lock
    rm "$BATS_TEST_TMPDIR/small/$units/sysinit.target.wants/$unit"
    pack "$BATS_TEST_TMPDIR/small" "$image"
    assert_stands_failures "${check[@]}" "$image"
}

# bats test_tags=slow
@test "images with something changed get one of the documented exit codes, and results that can be read" {
    local wrapper=$BATS_TEST_TMPDIR/wrapper
    small_images
    # shellcheck disable=SC2016 # the wrapper's
    {
        echo '#!/bin/bash'
        declare -p top config BATS_TEST_TMPDIR
        declare -f one_of_its_exit_codes
        echo 'one_of_its_exit_codes "$1"'
    } > "$wrapper"
    chmod 755 "$wrapper"
    TMPDIR=$BATS_TEST_TMPDIR run "$BATS_TEST_DIRNAME/mutate-images" 9 300 "$wrapper" "$BATS_TEST_TMPDIR"/{plain,gzip,squashed}
    assert_success
}

@test "an image of initramfs-tools passes, and fails where its order, policy or script is another's" {
    local tree whole=$images/initramfs-tools.tree policy line
    check "$images/initramfs-tools"
    assert_success
    assert_point ok image initramfs-tools
    assert_point ok wired 'by the script init-top/00-noptrace'
    assert_point ok order 'the first script of init-top, before the pivot'
    assert_point ok policy 'poweroff: a boot that could not lock is stopped'

    # whose sysctl reads what systemd's does, and one file more
    tree_of initramfs-tools
    for line in etc/sysctl.d/x.conf etc/sysctl.conf; do
        install -D -m 644 /dev/stdin "$tree/$line" <<< 'kernel.yama.ptrace_scope = 1'
        check_tree
        assert_success
        assert_point n/a sysctl 'nothing here is known to read sysctl.d, and no file there locks'
        install -D -m 644 /dev/stdin "$tree/$line" <<< 'kernel.yama.ptrace_scope = 3'
        check_tree
        assert_fails sysctl "/$line:1: sets the scope to 3 in maintenance boots as well; remove that"
        rm "$tree/$line"
    done
    # what begins the script must be there too
    rm "$tree/usr/bin/sh"
    sed '1s,.*,#!/bin/busybox sh,' "$whole/init" > "$BATS_TEST_TMPDIR/init"
    install -m 755 "$BATS_TEST_TMPDIR/init" "$tree/init"
    check_tree
    assert_fails order '/bin/sh: not in the image, so the script is never run; build the image anew'
    # and nothing be where /init mounts over it
    for line in conf scripts/init-top usr/sbin/noptrace; do
        for policy in run dev sys proc; do
            tree_of initramfs-tools
            mkdir -p "$tree/$policy"
            mv "$tree/$line" "$tree/$policy/x"
            ln -s "/$policy/x" "$tree/$line"
            check_tree
            assert_failure 1
            if [[ $line == usr/* ]]; then
                assert_line '  FAIL  program       /usr/sbin/noptrace: leads to where /init mounts over it; opt in with /etc/initramfs-tools/noptrace.conf, and build it anew'
            else
                assert_line '  FAIL  wired         nothing calls the program; opt in with /etc/initramfs-tools/noptrace.conf, and build it anew'
            fi
        done
    done
    # nor what the script is run by, or sources
    for line in bin/sh scripts/functions; do
        for policy in run dev; do
            tree_of initramfs-tools
            mkdir -p "$tree/$policy"
            mv "$tree/$line" "$tree/$policy/x"
            ln -s "/$policy/x" "$tree/$line"
            check_tree
            assert_fails order "/$line: not there once something is mounted over it, so the script is never run; build the image anew"
        done
    done
    rm "$tree/scripts/functions"
    check_tree
    assert_fails order '/scripts/functions: not there, so the script is never run; build the image anew'
    # nor a folder of what it sources
    tree_of initramfs-tools
    mv "$tree/conf/conf.d" "$tree/run/d"
    ln -s /run/d "$tree/conf/conf.d"
    check_tree
    assert_fails order '/conf/conf.d: something is mounted over it before /init runs what is in it; remove that'
    tree_of initramfs-tools
    for line in all_generic_ide a-name.with_9; do
        { echo "/scripts/init-top/$line \"\$@\"" && cat "$whole/scripts/init-top/ORDER"; } > "$BATS_TEST_TMPDIR/order"
        cp --remove-destination "$BATS_TEST_TMPDIR/order" "$tree/scripts/init-top/ORDER"
        check_tree
        assert_fails order 'not the first script of init-top: what runs before it may undo what it needs; rename that'
    done
    # nor is it there where others alone are
    echo '/scripts/init-top/udev "$@"' > "$BATS_TEST_TMPDIR/order"
    cp --remove-destination "$BATS_TEST_TMPDIR/order" "$tree/scripts/init-top/ORDER"
    check_tree
    assert_fails order 'not in scripts/init-top/ORDER, so the script is never run; build the image anew'
    # shellcheck disable=SC2016 # the script's own
    for line in '# &' ': &' '[ "$x" ] || &' 'if false; then\n&\nfi' 'exec run-init /root /sbin/init\n&' '# " run-init\n&'; do
        sed "s,^run_scripts /scripts/init-top,$line," "$whole/init" > "$BATS_TEST_TMPDIR/init"
        install -m 755 "$BATS_TEST_TMPDIR/init" "$tree/init"
        check_tree
        assert_fails order '/init: does not call scripts/init-top; build the image anew'
    done
    # that it will pivot, a comment may say
    sed 's,^run_scripts /scripts/init-top,\t# then run-init\n&,' "$whole/init" > "$BATS_TEST_TMPDIR/init"
    install -m 755 "$BATS_TEST_TMPDIR/init" "$tree/init"
    cp --remove-destination "$whole/scripts/init-top/ORDER" "$tree/scripts/init-top/ORDER"
    check_tree
    assert_success
    cp --remove-destination "$whole/init" "$tree/init"
    rm "$tree/scripts/init-top/ORDER"
    check_tree
    assert_fails order 'not in scripts/init-top/ORDER, so the script is never run; build the image anew'
    cp "$whole/scripts/init-top/ORDER" "$tree/scripts/init-top/ORDER"
    # 646: whoever may write it, nobody may run it
    install -m 646 "$whole/scripts/init-top/00-noptrace" "$tree/scripts/init-top/00-noptrace"
    check_tree
    assert_fails order '/scripts/init-top/00-noptrace: not executable, so the script is never run; build the image anew'
    rm "$tree/scripts/init-top/00-noptrace"
    check_tree
    assert_fails wired 'nothing calls the program; opt in with /etc/initramfs-tools/noptrace.conf, and build it anew'
    install -D -m 644 "$top/modules.d/50noptrace/$unit" "$tree/$units/$unit"
    check_tree
    assert_fails wired 'by the unit noptrace-initramfs.service, which does not run where init is initramfs-tools; build the image anew'
    tree_of initramfs-tools

    for line in 'return 0' 'if false; then' /scripts/init-top/x '/scripts/init-top/; "$@"' '/scripts/init-top/x "$@"; exec sh "$@"' '[ -e /conf/param.conf ] && exit'; do
        { echo "$line" && cat "$whole/scripts/init-top/ORDER"; } > "$BATS_TEST_TMPDIR/order"
        cp --remove-destination "$BATS_TEST_TMPDIR/order" "$tree/scripts/init-top/ORDER"
        check_tree
        assert_fails order '/scripts/init-top/ORDER:1: not a line that mkinitramfs writes, and may keep it from running; build the image anew'
    done
    { cat "$whole/scripts/init-top/ORDER" && echo 'return 0'; } > "$BATS_TEST_TMPDIR/order"
    cp --remove-destination "$BATS_TEST_TMPDIR/order" "$tree/scripts/init-top/ORDER"
    check_tree
    assert_fails order "/scripts/init-top/ORDER:$(wc -l < "$BATS_TEST_TMPDIR/order"): not a line that mkinitramfs writes, and may keep it from running; build the image anew"
    for line in noptrace_on_failure=panic 'noptrace_on_failure=poweroff; exec sh' noptrace_on_failure= 'noptrace_on_failure= poweroff' 'noptrace_on_failure="poweroffx'; do
        tree_of initramfs-tools
        { echo '# a comment' && echo "$line"; } > "$BATS_TEST_TMPDIR/conf"
        cp --remove-destination "$BATS_TEST_TMPDIR/conf" "$tree/conf/noptrace.conf"
        check_tree
        assert_fails policy "/conf/noptrace.conf:2: $line: not one of continue, emergency, poweroff, reboot; build the image anew"
    done
    # or is set twice, or not alone
    for line in noptrace_on_failure=reboot 'exit 0'; do
        rm "$tree/conf/noptrace.conf"
        printf 'noptrace_on_failure=continue\n\n%s\n' "$line" > "$tree/conf/noptrace.conf"
        check_tree
        assert_fails policy "/conf/noptrace.conf:3: $line: beside the one setting that may be there, noptrace_on_failure=; build the image anew"
    done
    # in what only others take for a comment, for blanks, or do not look at
    for line in '\v#; exec sh' 'noptrace_on_failure=poweroff\r' '#\0\nexec sh'; do
        printf '%b\n' "$line" > "$tree/conf/noptrace.conf"
        check_tree
        assert_failure 1
        assert_line --regexp '^  FAIL  policy        /conf/noptrace.conf:1: '
    done
    { echo noptrace_on_failure=continue && seq -f '# %.0f' 100000 && echo 'exec sh'; } > "$tree/conf/noptrace.conf"
    check_tree
    assert_fails policy '/conf/noptrace.conf: not looked into, being too large, a module or firmware; build the image anew'
    echo 'exit 0' > "$tree/conf/noptrace.conf"
    check_tree
    assert_fails policy "/conf/noptrace.conf:1: exit 0: beside the one setting that may be there, noptrace_on_failure=; build the image anew"
    while IFS='|' read -r policy line; do
        rm "$tree/conf/noptrace.conf"
        printf '# noptrace_on_failure=emergency\n%s\n# noptrace_on_failure=reboot\n' "$line" > "$tree/conf/noptrace.conf"
        check_tree
        assert_success
        assert_line --partial "  ok    policy        $policy: "
    done << 'END'
continue|noptrace_on_failure=continue
continue|noptrace_on_failure="continue" # noptrace_on_failure=poweroff
poweroff|  noptrace_on_failure='poweroff'
END
    # busybox has it as well
    find "$tree" -name poweroff -delete
    check_tree
    assert_success
    find "$tree" -name busybox -delete
    check_tree
    assert_fails policy 'poweroff, but there is no poweroff that can run; build the image anew'
    rm "$tree/conf/noptrace.conf" "$tree/usr/sbin/noptrace"
    check_tree
    assert_failure 1
    assert_point FAIL program '/usr/sbin/noptrace: not in the image; opt in with /etc/initramfs-tools/noptrace.conf, and build it anew'

    # the files that /init sources before, of which one may be sourced between the scripts
    tree_of initramfs-tools
    for line in arch.conf initramfs.conf param.conf conf.d/odd; do
        rm -f "$tree/conf/$line"
        # shellcheck disable=SC2016 # the file's own
        printf 'MODULES=most\nc=ch\n${c}mod 644 /usr/sbin/no[p]trace\n' > "$tree/conf/$line"
        check_tree
        assert_unknown "conf/$line" 2 c=ch
        echo BOOT=local > "$tree/conf/$line"
        check_tree
        assert_success
    done
    # it has names of modules in this one, and does not look at the other
    echo 'loop max_loop=8' > "$tree/conf/modules"
    echo 6f9619ff-8b86-d011-b42d-00cf4fc964ff > "$tree/conf/uuid.conf"
    check_tree
    assert_success
    # what it is read through counts for nothing
    mkdir "$tree/opt"
    echo 'exec sh' > "$tree/opt/odd"
    ln -sf /opt/odd "$tree/conf/conf.d/odd"
    check_tree
    assert_unknown conf/conf.d/odd 1 'exec sh'
    rm "$tree/conf/conf.d/odd"
    sed 's,noptrace apply,&; true,' "$whole/scripts/init-top/00-noptrace" > "$BATS_TEST_TMPDIR/script"
    cp --remove-destination "$BATS_TEST_TMPDIR/script" "$tree/scripts/init-top/00-noptrace"
    chmod 755 "$tree/scripts/init-top/00-noptrace"
    check_tree
    assert_fails identity "/scripts/init-top/00-noptrace:21: not that of $top/hooks/initramfs-tools/init-top; build the image anew"
    # wherever in it the call is
    echo 'noptrace apply' > "$tree/scripts/init-top/00-noptrace"
    check_tree
    assert_line "  FAIL  identity      /scripts/init-top/00-noptrace:1: not that of $top/hooks/initramfs-tools/init-top; build the image anew"
    assert_point ok wired 'by the script init-top/00-noptrace'
}

@test "a drop-in that only links lead to, for its own path is longer than any may be, is looked at" {
    tree_of systemd
    pack "$tree" "$image"
    perl -I "$BATS_TEST_DIRNAME" -MImages -e '
        my ($long, $path) = ("d" x 250, "");
        print dir("far"), (map { dir("far" . ($path .= "/$long")) } 1 .. 15), symlink_to("near", "/far$path"), dir("near/$long"), dir("near/$long/$long"),
            dir("etc"), dir("etc/systemd"), dir("etc/systemd/system"), symlink_to("etc/systemd/system/service.d", "/near/$long/$long"),
            archive(file("near/$long/$long/odd.conf", "[Service]\nExecStart=\n"))' >> "$image"
    check "$image"
    assert_fails order "/etc/systemd/system/service.d/odd.conf:2: ExecStart=: changes noptrace-initramfs.service, which need not run in time; remove that"
}

# name_in_init DIRECTORY IMAGE: an /init as dracut's there, which makes IMAGE its root.
name_in_init() {
    printf '%s\n' '#!/bin/sh' "mount -t squashfs -o ro,loop /$2 /squash/root" 'exec switch_root /squash/root /init' > "$1/init"
}

@test "a squash-root.img that would mislead its reader is refused" {
    local link
    mkdir -p "$BATS_TEST_TMPDIR"/{root,outer,temporary}
    export TMPDIR=$BATS_TEST_TMPDIR/temporary
    name_in_init "$BATS_TEST_TMPDIR/outer" squash-root.img
    # the second is not a line of a pseudo file alone, but has what a list has as well
    for link in $'x\nusr/sbin/noptrace L good' $'../sbin\n-rwxr-xr-x 0 0 0 0 0 /'; do
        ln -sfn "$link" "$BATS_TEST_TMPDIR/root/link"
        rm -f "$BATS_TEST_TMPDIR/outer/squash-root.img"
        mksquashfs "$BATS_TEST_TMPDIR/root" "$BATS_TEST_TMPDIR/outer/squash-root.img" -quiet -no-progress > "$BATS_TEST_TMPDIR/log"
        pack "$BATS_TEST_TMPDIR/outer" "$image"
        check "$image"
        assert_failure 2
        assert_point FAIL image 'squashfs root: a name or a link with a newline in it'
    done
    head -c 5000 /dev/urandom > "$BATS_TEST_TMPDIR/outer/squash-root.img"
    pack "$BATS_TEST_TMPDIR/outer" "$image"
    check "$image"
    assert_failure 2
    assert_point FAIL image 'squashfs root: unsquashfs cannot read it, or TMPDIR has no room'
    assert_equal "$(find "$TMPDIR" -type f)" ''
}

@test "a root of dracut's that a later archive makes a link, or another file, is refused, 2" {
    local outer=$BATS_TEST_TMPDIR/outer name later
    mkdir "$outer"
    tree_of systemd
    mksquashfs "$tree" "$outer/squash-root.img" -quiet -no-progress > "$BATS_TEST_TMPDIR/log"
    cp "$outer/squash-root.img" "$outer/squashfs-root.img"
    mkfs.erofs "$outer/erofs-root.img" "$tree" > "$BATS_TEST_TMPDIR/log" 2>&1
    for name in squash-root.img squashfs-root.img erofs-root.img; do
        name_in_init "$outer" "$name"
        (cd "$outer" && printf '%s\n' . init "$name" | cpio --quiet -o -H newc) > "$BATS_TEST_TMPDIR/honest"
        # one that is there again is read, and not what it was before
        (cd "$outer" && cat "$BATS_TEST_TMPDIR/honest" && cpio --quiet -o -H newc <<< "$name") > "$image"
        check "$image"
        assert_success
        # the last one writes the first file, which has another name by then, into what is read
        # shellcheck disable=SC2016 # perl's
        for later in 'file("other", "x"), symlink_to($n, "/other")' 'symlink_to($n, "none")' 'dir($n)' \
            'file("other", "x", ino => 7, links => 2), entry(name => $n, ino => 7, links => 2)' \
            'file($n, "x", ino => 7, links => 2), file("other", "", ino => 7, links => 2), dir($n), file($n, "y"), file("other", slurp("outer/$n"))'; do
            (cd "$BATS_TEST_TMPDIR" && cat honest && perl -I "$BATS_TEST_DIRNAME" -MImages -e '$n = $ARGV[0]; print archive(eval $ARGV[1])' "$name" "$later") > "$image"
            check "$image"
            assert_failure 2
            assert_point FAIL image "$name: a link, or put in the place of another file: what /init mounts is not what is read here"
        done
    done
}

@test "a squash-root.img with extended attributes, by which overlayfs may go, is refused, 2" {
    local outer=$BATS_TEST_TMPDIR/outer
    mkdir "$outer"
    tree_of systemd
    # the file is that of other tests too
    cp "$tree/$units/$unit" "$BATS_TEST_TMPDIR/unit"
    cp --remove-destination "$BATS_TEST_TMPDIR/unit" "$tree/$units/$unit"
    # setxattr(2), by its number on x86-64 and elsewhere
    perl -e '($file, $name, $machine, $value) = (@ARGV, ""); syscall($machine eq "x86_64" ? 188 : 5, $file, $name, $value, 0, 0) == 0 or die "$!\n"' \
        "$tree/$units/$unit" trusted.overlay.metacopy "$(uname -m)"
    mksquashfs "$tree" "$outer/squash-root.img" -xattrs -quiet -no-progress > "$BATS_TEST_TMPDIR/log"
    name_in_init "$outer" squash-root.img
    pack "$outer" "$image"
    check "$image"
    assert_failure 2
    assert_point FAIL image 'squashfs root: has extended attributes, by which overlayfs may make something else of it; build it with -no-xattrs'
}

@test "in a squash-root.img a second name is one of the file that has it, whatever the first is called" {
    mkdir "$BATS_TEST_TMPDIR/outer"
    tree_of handmade
    # nobody reads this folder
    mkdir -p "$tree"/{usr/lib/modules,var}
    echo 'ExecStart=/usr/sbin/noptrace' > "$tree/usr/lib/modules/a b"
    ln "$tree/usr/lib/modules/a b" "$tree/var/z.conf"
    echo harmless > "$tree/usr/lib/modules/a\\ b"
    mksquashfs "$tree" "$BATS_TEST_TMPDIR/outer/squash-root.img" -quiet -no-progress > "$BATS_TEST_TMPDIR/log"
    name_in_init "$BATS_TEST_TMPDIR/outer" squash-root.img
    touch "$BATS_TEST_TMPDIR/outer/squash-root.old"
    pack "$BATS_TEST_TMPDIR/outer" "$image"
    check "$image"
    assert_failure 1
    assert_line --partial '  FAIL  masks         /var/z.conf:1: ExecStart=/usr/sbin/noptrace'
}

# erofs_of TREE: the image is one whose root is an erofs of this, as dracut makes it.
erofs_of() {
    rm -rf "$BATS_TEST_TMPDIR/outer"
    mkdir "$BATS_TEST_TMPDIR/outer"
    in_root "$trixie" "$BATS_TEST_TMPDIR" mkfs.erofs -C 65536 -E fragments -x -1 -T 0 -z lz4 /var/tmp/outer/erofs-root.img \
        "/var/tmp/${1#"$BATS_TEST_TMPDIR/"}" > "$BATS_TEST_TMPDIR/log" 2>&1
    pack_outer
}

# pack_outer: what is in outer, with an /init that names one of its roots.
pack_outer() {
    name_in_init "$BATS_TEST_TMPDIR/outer" erofs-root.img
    pack "$BATS_TEST_TMPDIR/outer" "$image"
}

@test "in an erofs-root.img the same is looked at as in any other root, without a program of the machine's" {
    local without=$BATS_TEST_TMPDIR/without
    tree_of systemd
    erofs_of "$tree"
    mkdir "$without"
    ln -s "$(command -v bash)" "$(command -v dirname)" "$without"
    # and with neither a TMPDIR nor a look at a file whose name is as long as the root's
    (cd "$without" && echo x > erofs-root.old && cpio --quiet -o -H newc <<< erofs-root.old) >> "$image"
    run env -u TMPDIR PATH="$without" "$top/build/noptrace-image" check --kernel-config "$config" "$image"
    assert_success
    assert_line "$image: ok"

    sed 's,noptrace apply,& ,' "$tree/$units/$unit" > "$BATS_TEST_TMPDIR/unit"
    cp --remove-destination "$BATS_TEST_TMPDIR/unit" "$tree/$units/$unit"
    erofs_of "$tree"
    check "$image"
    assert_failure 1
    assert_line --partial "  FAIL  identity      /$units/$unit"

    # what is beside it is not in the root
    tree_of systemd
    rm "$tree/usr/sbin/noptrace"
    erofs_of "$tree"
    mkdir -p "$BATS_TEST_TMPDIR/outer/usr/sbin"
    cp "$program" "$BATS_TEST_TMPDIR/outer/usr/sbin/noptrace"
    pack_outer
    check "$image"
    assert_failure 1
    assert_line --partial '  FAIL  program'
}

@test "in a root of dracut's, a device, a FIFO or a socket in the place of what starts the unit is seen" {
    local outer=$BATS_TEST_TMPDIR/outer place type
    tree_of systemd
    # dracut makes this one
    assert [ -c "$tree/dev/console" ]
    place=$tree/etc/systemd/system/sysinit.target.wants/$unit
    mkdir -p "${place%/*}"
    for type in none 'c 1 3' 'b 8 0' p s; do
        rm -rf "$place" "$outer"
        # shellcheck disable=SC2086,SC2016 # type and numbers; perl's
        case $type in
            none) ;;
            s) (cd "${place%/*}" && perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => $ARGV[0]) or die' "$unit") ;;
            *) mknod "$place" $type ;;
        esac
        erofs_of "$tree"
        check "$image"
        if [[ $type == none ]]; then assert_success; else assert_point FAIL masks "/${place#"$tree/"} leads nowhere; build the image anew"; fi
        rm "$outer/erofs-root.img"
        mksquashfs "$tree" "$outer/squash-root.img" -quiet -no-progress > "$BATS_TEST_TMPDIR/log"
        name_in_init "$outer" squash-root.img
        pack "$outer" "$image"
        check "$image"
        if [[ $type == none ]]; then assert_success; else assert_point FAIL masks "/${place#"$tree/"} leads nowhere; build the image anew"; fi
    done
}

@test "an erofs-root.img that /init does not make its root is refused" {
    tree_of systemd
    erofs_of "$tree"
    check "$image"
    assert_success
    printf '%s\n' '#!/bin/sh' '# erofs-root.img' 'exec switch_root /root /sbin/init' > "$BATS_TEST_TMPDIR/outer/init"
    pack "$BATS_TEST_TMPDIR/outer" "$image"
    check "$image"
    assert_failure 2
    assert_point FAIL image 'erofs-root.img: /init does not name it, and so makes it no root'
}

@test "an erofs-root.img that is damaged, or would lead out, is refused" {
    local outside=$BATS_TEST_TMPDIR/outside hostile=$BATS_TEST_TMPDIR/hostile outer=$BATS_TEST_TMPDIR/outer name
    mkdir "$outside" "$hostile" "$BATS_TEST_TMPDIR/temporary"
    export TMPDIR=$BATS_TEST_TMPDIR/temporary
    "$BATS_TEST_DIRNAME/erofs-images" "$hostile" "$outside"
    tree_of handmade
    erofs_of "$tree"
    truncate -s -20000 "$outer/erofs-root.img"
    pack_outer
    check "$image"
    assert_failure 2
    assert_point FAIL image 'erofs root: it is cut short, or damaged: something is behind its end'
    for name in slash absolute dots dots-twice through-a-link file-behind-the-end in-itself; do
        cp "$hostile/$name.erofs" "$outer/erofs-root.img"
        pack_outer
        check "$image"
        assert_failure 2
        assert_point FAIL image "erofs root: $(< "$hostile/$name.says")"
    done
    head -c 5000 /dev/urandom > "$outer/erofs-root.img"
    pack_outer
    check "$image"
    assert_failure 2
    assert_point FAIL image 'erofs root: not an erofs file system'
    # /init mounts only one of them
    touch "$outer/squashfs-root.img"
    pack_outer
    check "$image"
    assert_failure 2
    assert_point FAIL image 'squashfs-root.img and erofs-root.img: only one of them becomes the root'
    assert_equal "$(find "$outside" "$TMPDIR" -type f)" ''
}

@test "an image with the whole package in it passes, as mkosi makes one, and one with a file of it altered fails" {
    local name
    tree_of systemd
    # its presets are "disable *"
    make -s -C "$top" install DESTDIR="$tree" > "$BATS_TEST_TMPDIR/log"
    # and what else Debian's packages leave
    mkdir -p "$tree"/usr/share/lintian/overrides "$tree"/var/{lib/apt,log/apt}
    cp "$top/packaging/debian/noptrace.lintian-overrides" "$tree/usr/share/lintian/overrides/noptrace"
    cp "$top/hooks/initramfs-tools/noptrace.conf" "$tree/usr/share/initramfs-tools/noptrace.conf"
    # the latter as 0.2.0 had it
    for name in zz-noptrace-opt-in.conf noptrace.conf; do
        install -D -m 644 "$top/modules.d/50noptrace/zz-noptrace-opt-in.conf" "$tree/usr/lib/dracut/dracut.conf.d/$name"
    done
    echo 'Package: noptrace' > "$tree/var/lib/apt/extended_states"
    echo 'Install: noptrace-dracut:amd64' > "$tree/var/log/apt/history.log"
    check_tree
    assert_success
    refute_output --regexp '(FAIL|warn) '

    # enabled, it locks as well, but is not started again in the real root
    ln -s ../noptrace.service "$tree/$units/sysinit.target.wants/noptrace.service"
    check_tree
    assert_success
    assert_point warn masks "noptrace.service is the real root's, and would not run there again; disable it in the image"

    mkdir -p "$tree/etc/systemd/system/noptrace.service.d"
    printf '[Service]\nExecStartPre=/bin/odd\n' > "$tree/etc/systemd/system/noptrace.service.d/odd.conf"
    check_tree
    assert_fails masks '/etc/systemd/system/noptrace.service.d/odd.conf:2: ExecStartPre=/bin/odd: changes noptrace.service; remove that'
    rm -r "$tree/etc/systemd/system/noptrace.service.d"

    ln -sfn ../odd.service "$tree/$units/sysinit.target.wants/noptrace.service"
    echo '[Unit]' > "$tree/$units/odd.service"
    check_tree
    assert_fails masks "/$units/sysinit.target.wants/noptrace.service does not lead to noptrace.service; build the image anew"
    rm "$tree/$units/odd.service" "$tree/$units/sysinit.target.wants/noptrace.service"

    # what would start it from elsewhere, or call another file of the package, is seen
    mkdir -p "$tree/$units/initrd.target.wants"
    ln -s ../noptrace.service "$tree/$units/initrd.target.wants"
    check_tree
    assert_fails masks "/$units/initrd.target.wants/noptrace.service is a link to noptrace's: nothing else may meddle with noptrace; remove that"
    rm "$tree/$units/initrd.target.wants/noptrace.service"
    printf '[Service]\nExecStart=/usr/libexec/noptrace/noptrace-probe\n' > "$tree/$units/odd.service"
    check_tree
    assert_fails masks "/$units/odd.service:2: ExecStart=/usr/libexec/noptrace/noptrace-probe: nothing else may meddle with noptrace; remove that"
    rm "$tree/$units/odd.service"

    sed 's/ensure/status/' "$tree/$units/noptrace.service" > "$BATS_TEST_TMPDIR/unit"
    cp --remove-destination "$BATS_TEST_TMPDIR/unit" "$tree/$units/noptrace.service"
    check_tree
    assert_fails identity "/$units/noptrace.service:19: not that of $top/hooks/systemd/noptrace.service; build the image anew"
    cp "$top/hooks/systemd/noptrace.service" "$tree/$units/noptrace.service"

    # what the module has for a dracut of that image counts as well
    local module=usr/lib/dracut/modules.d/50noptrace file
    for file in module-setup.sh noptrace.sh noptrace-run.sh noptrace-initramfs.service noptrace-locked@.target before.conf switch-root.conf; do
        mv "$tree/$module/$file" "$BATS_TEST_TMPDIR/file"
        { cat "$BATS_TEST_TMPDIR/file" && echo '# odd'; } > "$tree/$module/$file"
        check_tree
        assert_fails identity "/$module/$file:$(($(wc -l < "$BATS_TEST_TMPDIR/file") + 1)): not that of $top/modules.d/50noptrace/$file; build the image anew"
        mv "$BATS_TEST_TMPDIR/file" "$tree/$module/$file"
    done
}

@test "an image that cannot be read is said to be, 2" {
    local sections
    : > "$image"
    check "$image"
    assert_failure 2
    assert_line "$image: unreadable"
    assert_point FAIL image 'an empty file'
    assert_equal "$stderr" "noptrace-image: $image: unreadable: an empty file"

    head -c 100000 "$images/handmade" > "$image"
    check "$image"
    assert_failure 2
    assert_line --regexp '^  FAIL  image +byte [0-9]+: the image ends within an entry$'

    gzip < "$images/handmade" | head -c 100000 > "$image"
    check "$image"
    assert_failure 2
    assert_point FAIL image 'byte 100000: the image ends within what is compressed from byte 0 on'

    { cat "$images/handmade" && echo something; } > "$image"
    check "$image"
    assert_failure 2
    assert_line --regexp '^  FAIL  image +byte [0-9]+: invalid magic at start of compressed archive: neither a cpio archive \(newc\) nor gzip, bzip2, lzma, xz, lzop, lz4 \(legacy\) or zstd$'

    { cat "$images/handmade" && printf 'key = value\n\0\0\0\0\0\0\0\0#BOOTCONFIG\n'; } > "$image"
    check "$image"
    assert_failure 2
    assert_point FAIL image 'a boot configuration is attached (#BOOTCONFIG), which may add kernel parameters: look at the image without it'

    printf MZ > "$image"
    check "$image"
    assert_failure 2
    assert_equal "$stderr" "noptrace-image: $image: unreadable: byte 0: invalid magic at start of compressed archive: neither a cpio archive (newc) nor gzip, bzip2, lzma, xz, lzop, lz4 (legacy) or zstd"

    check "$(kernel_of "$bookworm")"
    assert_failure 2
    assert_point FAIL image 'a PE file without .linux and .initrd: a kernel, or a UKI without an initramfs'
    perl -I "$BATS_TEST_DIRNAME" -MImages -e 'spit($ARGV[0], pe(0x8664, [ ".initrd", "x" ]))' "$image"
    check "$image"
    assert_failure 2
    assert_point FAIL image 'a PE file without .linux and .initrd: a kernel, or a UKI without an initramfs'
    # nor is it one by what a profile alone has
    for sections in '[ ".linux", "x" ], [ ".profile", "ID=a" ], [ ".initrd", "x" ]' '[ ".initrd", "x" ], [ ".profile", "ID=a" ], [ ".linux", "x" ]'; do
        perl -I "$BATS_TEST_DIRNAME" -MImages -e "spit(\$ARGV[0], pe(0x8664, sdmagic(257), $sections))" "$image"
        check "$image"
        assert_failure 2
        assert_point FAIL image 'a PE file without .linux and .initrd: a kernel, or a UKI without an initramfs'
    done
}

@test "bad input gets one line, and 2" {
    assert_refused 2 "check needs an IMAGE; see 'noptrace-image --help'" check
    assert_refused 2 '--junit: has an empty value; give it one, or leave it out' check --junit '' "$images/handmade"
    assert_refused 2 "--timeout: not an option of check; see 'noptrace-image --help'" check --timeout 3 "$images/handmade"
    assert_refused 2 '/nonexistent: cannot be read as a file' check --kernel-config /nonexistent "$images/handmade"
    assert_refused 2 '/nonexistent/report: cannot be written' check --junit /nonexistent/report "$images/handmade"
    noptrace_check --junit /nonexistent/report "$images/handmade"
    assert_failure 2
    assert_output ''
    assert_equal "$stderr" 'noptrace-image: /nonexistent/report: cannot be written: No such file or directory'
}

@test "an image that is not there, or is none, leaves the others their results" {
    check --json "$images/handmade" /nonexistent "$images"
    assert_failure 2
    assert_equal "$(jq -r '.images[] | "\(.image): \(.verdict)"' <<< "$output")" \
        "$images/handmade: ok"$'\n/nonexistent: unreadable\n'"$images: unreadable"
    # none of which stays open
    run bash -c 'ulimit -n 10 && exec "$@"' - "$top/build/noptrace-image" check --kernel-config "$config" / / / / / / / / / / "$images/handmade"
    assert_failure 2
    assert_line "$images/handmade: ok"
}

@test "a closed stdin, stdout or stderr becomes no file of ours" {
    local closed want
    while read -r want closed; do
        rm -f "$BATS_TEST_TMPDIR/junit"
        run bash -c "\"\$@\" $closed" - "$top/build/noptrace-image" check --kernel-config "$config" --junit "$BATS_TEST_TMPDIR/junit" "$images/handmade"
        assert_equal "$closed: $status" "$closed: $want"
        [[ ! -s $BATS_TEST_TMPDIR/junit ]] || xmllint --noout "$BATS_TEST_TMPDIR/junit"
    done << 'END'
0 <&-
2 >&-
0 2>&-
2 <&- >&-
2 <&- >&- 2>&-
END
}

@test "a file that is read, or has something else than an earlier report in it, is not written to, 2" {
    local report=$BATS_TEST_TMPDIR/report other=$BATS_TEST_TMPDIR/other text read="is in use here already, and would be lost; name another file"
    cp "$images/handmade" "$image"
    cp "$config" "$BATS_TEST_TMPDIR/config"
    ln -s "$image" "$BATS_TEST_TMPDIR/link"
    assert_refused 2 "--junit $image: $read" check --junit "$image" "$image"
    assert_refused 2 "--junit $BATS_TEST_TMPDIR/link: $read" check --junit "$BATS_TEST_TMPDIR/link" "$images/handmade" "$image"
    assert_refused 2 "--junit $BATS_TEST_TMPDIR/config: $read" \
        check --junit "$BATS_TEST_TMPDIR/config" --kernel-config "$BATS_TEST_TMPDIR/config" "$image"
    cp "$program" "$other"
    assert_refused 2 "--junit $other: $read" check --junit "$other" --program "$other" "$image"
    # the option's value was forgotten
    assert_refused 2 "--junit $image: has something else in it, and would be lost; name another file, or remove it" \
        check --junit "$image" "$images/handmade"
    # nor is it another program's
    for text in '<?xml version="1.0"?>\n<image name="kiwi">' '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="other">'; do
        printf %b "$text" > "$report"
        assert_refused 2 "--junit $report: has something else in it, and would be lost; name another file, or remove it" \
            check --junit "$report" "$images/handmade"
    done
    # nor where the text goes, or what is wrong, by whatever name
    for report in "$BATS_TEST_TMPDIR/same" /dev/stdout /dev/fd/1; do
        run bash -c '"$@" > "$0"' "$BATS_TEST_TMPDIR/same" "$top/build/noptrace-image" check --junit "$report" "$image"
        assert_failure 2
        assert_output "noptrace-image: --junit $report: $read"
    done
    run bash -c '"$@" 2> "$0"' "$BATS_TEST_TMPDIR/same" "$top/build/noptrace-image" check --junit "$BATS_TEST_TMPDIR/same" "$image"
    assert_failure 2
    assert_equal "$(< "$BATS_TEST_TMPDIR/same")" "noptrace-image: --junit $BATS_TEST_TMPDIR/same: $read"
    report=$BATS_TEST_TMPDIR/report
    cmp "$image" "$images/handmade"
    cmp "$config" "$BATS_TEST_TMPDIR/config"
    cmp "$program" "$other"
    # an earlier one is, and an empty file
    : > "$report"
    check --junit "$report" "$image"
    assert_success
    check --junit "$report" "$image" "$image"
    assert_success
    assert_equal "$(grep -c '<testsuite ' "$report")" 2
}

@test "POSIXLY_CORRECT changes nothing" {
    export POSIXLY_CORRECT=1
    assert_refused 2 '/nonexistent/report: cannot be written' check --junit /nonexistent/report "$images/handmade"
    check "$images/handmade"
    assert_success
    run "$top/build/noptrace-image" make "$BATS_TEST_TMPDIR/archive"
    assert_success
    assert_output ''
}

@test "noptrace-check that is called otherwise says how, 2" {
    local help call
    help=$("$top/build/noptrace-check" --help)
    assert_equal "$(tr -s ' \n' <<< "${help%%  --program*}")" $'usage: noptrace-check --program FILE --module FOLDER --instead FOLDER --init-top FILE\n --units FOLDER [OPTION...] IMAGE...
What `noptrace-image check` is; see noptrace-image(8).'
    assert_equal "$(sed -n '3p' <<< "$help")" ''
    assert_equal "$(grep -oE '^  --[a-z-]+(, --tap)?' <<< "$help" | xargs)" \
        '--program --module --instead --init-top --units --kernel-config --cmdline --json, --tap --junit'
    for call in '' '--odd' '--json x' '--program /x x' '--program /x --module /x x' '--program /x --module /x --instead /x x' \
        '--program /x --module /x --instead /x --init-top /x x' '--module /x --instead /x --init-top /x --units /x x' \
        '--program /x --instead /x --init-top /x --units /x x' '--program /x --module /x --init-top /x --units /x x' \
        '--program /x --module /x --instead /x --units /x x'; do
        # shellcheck disable=SC2086 # its arguments
        run --separate-stderr "$top/build/noptrace-check" $call
        assert_failure 2
        assert_output ''
        assert_equal "$(sed '/^[^ ]*noptrace-check: /d' <<< "$stderr")" "$help"
    done
    run bash -c '"$0" --help > /dev/full' "$top/build/noptrace-check"
    assert_failure 2
    noptrace_check
    assert_failure 2
    noptrace_check --odd "$images/handmade"
    assert_failure 2
    assert_output ''
    # in any order
    for call in --json --tap; do
        noptrace_check --kernel-config "$config" --junit "$BATS_TEST_TMPDIR/${call#--}.xml" "$call" "$images/handmade"
        assert_success
        xmllint --noout "$BATS_TEST_TMPDIR/${call#--}.xml"
    done
}

@test "an image whose links take too many steps is unreadable, and no point of it is judged" {
    local deep
    tree_of systemd
    deep=$(printf 'd/%.0s' {1..200})
    rm -rf "$tree/etc/systemd/system"
    mkdir -p "$tree/$deep/sysinit.target.wants" "$tree/etc/systemd"
    ln -s "/$deep" "$tree/etc/systemd/system"
    perl -e 'symlink("x", "$ARGV[0]/noptrace-locked\@$_.target") for 1 .. 15_000' "$tree/$deep/sysinit.target.wants"
    check_tree
    assert_failure 2
    assert_equal "${lines[0]}" "$image: unreadable"
    assert_point FAIL image 'links and paths that take more than 10,000,000 steps'
    assert_equal "${#lines[@]}" 2
}

@test "a name in an image turns no line of what is printed" {
    tree_of systemd
    printf '[Unit]\nConflicts=noptrace-initramfs.service\n' > "$tree/usr/lib/systemd/system/"$'evil\u061c\ufeff\u202e.service'
    check_tree
    assert_failure 1
    assert_output --partial 'evil???.service'
    # nor does that of an image
    : > "$BATS_TEST_TMPDIR/"$'evil\nsecond: ok\u202e'
    check "$BATS_TEST_TMPDIR/"$'evil\nsecond: ok\u202e'
    assert_failure 2
    assert_line "$BATS_TEST_TMPDIR/evil?second: ok?: unreadable"
    assert_equal "$stderr" "noptrace-image: $BATS_TEST_TMPDIR/evil?second: ok?: unreadable: an empty file"
}

@test "a conf file that is not looked into may do anything" {
    tree_of shell
    mkdir -p "$tree"/{usr/lib/firmware,etc/conf.d}
    echo 'FONT=x' > "$tree/usr/lib/firmware/odd"
    ln -s /usr/lib/firmware/odd "$tree/etc/conf.d/odd.conf"
    check_tree
    assert_fails order '/etc/conf.d/odd.conf: not looked into, being too large, a module or firmware, and /init runs it before; remove that'
}

@test "of several images the most serious decides the exit code" {
    tree_of handmade
    rm "$tree/usr/sbin/noptrace"
    check_tree "$images/systemd" "$images/handmade"
    assert_failure 1
    assert_line "$images/systemd: ok"
    assert_line "$images/handmade: ok"
    assert_line "$image: FAIL"
    : > "$BATS_TEST_TMPDIR/empty"
    check "$image" "$BATS_TEST_TMPDIR/empty" "$images/handmade"
    assert_failure 2
}

# bats test_tags=slow
@test "images of every compression, with microcode in front, pass and boot" {
    mkdir -p "$BATS_TEST_TMPDIR/early/kernel/x86/microcode"
    echo microcode > "$BATS_TEST_TMPDIR/early/kernel/x86/microcode/GenuineIntel.bin"
    pack "$BATS_TEST_TMPDIR/early" "$BATS_TEST_TMPDIR/early.cpio"
    local command
    for command in cat 'gzip -n' 'xz --check=crc32' zstd 'lz4 -l' lzop bzip2; do
        { cat "$BATS_TEST_TMPDIR/early.cpio" && $command < "$images/handmade"; } > "$image"
        assert_locks "$image" "$bookworm"
    done
}

# bats test_tags=slow
@test "dracut's own images of every compression pass" {
    local compress
    local -A magics=([gzip]='1f 8b' [xz]='fd 37' [zstd]='28 b5' [lz4]='02 21' [lzop]='89 4c' [bzip2]='42 5a')
    # without what takes the time of a compressor, and most of an image
    for compress in gzip xz zstd lz4 lzop bzip2; do
        bake "$bookworm" "$image.$compress" "${shell_flavour[@]}" "compress=$compress" > /dev/null &
        [[ $compress != xz && $compress != lz4 ]] || wait
    done
    wait
    for compress in gzip xz zstd lz4 lzop bzip2; do
        image=$BATS_TEST_TMPDIR/image.$compress
        # dracut goes on with gzip where it does not know a name
        assert_equal "$compress$(od -An -tx1 -N 2 "$image")" "$compress ${magics[$compress]}"
        check "$image"
        assert_success
        assert_line "$image: ok"
        assert [ "$(stat -c %s "$image")" -lt "$(stat -c %s "$images/shell")" ]
    done
    # the last of them, for all: what they hold is the same
    assert_locks "$image" "$bookworm"
}

# bats test_tags=slow
@test "dracut's squash image passes and boots" {
    bake "$bookworm" "$image" "${systemd_flavour[@]}" 'add_dracutmodules+=" squash "' > "$BATS_TEST_TMPDIR/log"
    cpio --quiet -t < "$image" | grep -qx squash-root.img
    assert_locks "$image" "$bookworm"
}

# bats test_tags=slow
@test "dracut's erofs image, and its squashfs image from 104 on, pass and boot" {
    bake "$trixie" "$image" "${systemd_flavour[@]}" 'add_dracutmodules+=" squash-squashfs "' > "$BATS_TEST_TMPDIR/log"
    cpio --quiet -t < "$image" | grep -qx squashfs-root.img
    assert_passes "$image" "$trixie"
    bake "$trixie" "$image" "${systemd_flavour[@]}" 'squash_compress=zstd' 'add_dracutmodules+=" squash-erofs "' > "$BATS_TEST_TMPDIR/log"
    cpio --quiet -t < "$image" | grep -qx erofs-root.img
    assert_locks "$image" "$trixie"
}

@test "a UKI of which not every stub would boot the same is refused, 2" {
    local name section
    "$BATS_TEST_DIRNAME/uki-images" "$BATS_TEST_TMPDIR"
    for name in first-of-two:.initrd two-command-lines:.cmdline two-kernels:.linux two-in-a-profile:.cmdline; do
        image=$BATS_TEST_TMPDIR/${name%:*}.efi section=${name#*:}
        check "$image"
        assert_failure 2
        assert_point FAIL image "$section is there twice: systemd's stubs differ in which of them counts"
    done
    image=$BATS_TEST_TMPDIR/profile-without-its-own.efi
    check "$image"
    assert_failure 2
    assert_point FAIL image 'profile 2 has a .initrd section of its own, which is not looked into'
    # nor of the first, which boots when nobody picks one
    image=$BATS_TEST_TMPDIR/image
    for name in .initrd .ucode .linux; do
        check_uki '".profile", "ID=a"' "\"$name\", \"x\""
        assert_failure 2
        assert_point FAIL image "profile 1 has a $name section of its own, which is not looked into"
    done
}

@test "a UKI with profiles whose stub is not known to know them is refused, 2, in each call: such a stub boots the last line" {
    local name reason="it has profiles, and its .sdmagic does not say systemd-stub 257 or later: stubs before that boot the last profile's command line; build it with a later one"
    "$BATS_TEST_DIRNAME/uki-images" "$BATS_TEST_TMPDIR"
    for name in none 252 256 odd-empty odd-kind odd-no-number odd-sign odd-end odd-behind-a-nul odd-of-a-profile; do
        image=$BATS_TEST_TMPDIR/stub-$name.efi
        check "$image"
        assert_failure 2
        assert_point FAIL image "$reason"
        assert_refused 2 "$image: cannot be read: $reason" boot "$image"
        run "$top/build/noptrace-uki" line "$image"
        assert_failure 2
        assert_output "$reason"
    done
    image=$BATS_TEST_TMPDIR/stub-odd-long.efi
    check "$image"
    assert_failure 2
    assert_point FAIL image '.sdmagic has more than 256 bytes'
    image=$BATS_TEST_TMPDIR/stub-odd-twice.efi
    check "$image"
    assert_failure 2
    assert_point FAIL image ".sdmagic is there twice: systemd's stubs differ in which of them counts"
    for name in 257 257-without-a-nul 1000; do
        run "$top/build/noptrace-uki" line "$BATS_TEST_TMPDIR/stub-$name.efi"
        assert_success
        assert_output quiet
    done
    # without profiles any stub does
    run "$top/build/noptrace-uki" line "$BATS_TEST_TMPDIR/plain.efi"
    assert_success
}

@test "a UKI with a .ucode whose stub is not known to know that is refused, 2: such a stub leaves out what is in it" {
    local name reason='it has a .ucode, and its .sdmagic does not say systemd-stub 256 or later: stubs before that leave out what is in it; build it with a later one'
    "$BATS_TEST_DIRNAME/uki-images" "$BATS_TEST_TMPDIR"
    for name in none 252 odd-empty odd-kind odd-no-number odd-sign odd-end odd-behind-a-nul; do
        image=$BATS_TEST_TMPDIR/microcode-stub-$name.efi
        check "$image"
        assert_failure 2
        assert_point FAIL image "$reason"
        run "$top/build/noptrace-uki" line "$image"
        assert_failure 2
        assert_output "$reason"
    done
    check "$BATS_TEST_TMPDIR/microcode-stub-odd-long.efi"
    assert_failure 2
    assert_point FAIL image '.sdmagic has more than 256 bytes'
    for name in 256 257 257-without-a-nul 1000; do
        run "$top/build/noptrace-uki" line "$BATS_TEST_TMPDIR/microcode-stub-$name.efi"
        assert_success
        assert_output quiet
    done
}

@test "a UKI with a section that older stubs take for its initramfs or kernel, by how its name begins, is refused, 2" {
    local name reason
    "$BATS_TEST_DIRNAME/uki-images" "$BATS_TEST_TMPDIR"
    for name in .initrd .linux .ucode; do
        image=$BATS_TEST_TMPDIR/longer-than$name.efi
        reason="a section's name begins with $name and is longer: systemd's stubs differ in whether it counts as that"
        check "$image"
        assert_failure 2
        assert_point FAIL image "$reason"
        assert_refused 2 "$image: cannot be read: $reason" boot "$image"
    done
    # the first of all as well
    # shellcheck disable=SC2016 # perl's
    perl -I "$BATS_TEST_DIRNAME" -MImages -e 'spit($ARGV[0], pe(0x8664, [ ".linuxes", "x" ], [ ".cmdline", "quiet" ]))' "$BATS_TEST_TMPDIR/first.efi"
    run "$top/build/noptrace-uki" line "$BATS_TEST_TMPDIR/first.efi"
    assert_failure 2
    assert_output "${reason/.ucode/.linux}"
    run "$top/build/noptrace-uki" line "$BATS_TEST_TMPDIR/honest-names.efi"
    assert_success
}

@test "a UKI's command line of which stubs make different lines is nothing that boot, or the plugin, would go by, 2" {
    local name reason='.cmdline has bytes that are not printable ASCII, of which stubs make different lines, with the word in them or not; take them out'
    for name in '"main\xfftenance"' '"quiet\x7f"' '"quiet \x01"'; do
        uki_of '"a kernel"' "\".cmdline\", $name"
        assert_refused 2 "$image: cannot be read: $reason" boot "$image"
        run "$top/build/noptrace-uki" line "$image"
        assert_failure 2
        assert_output "$reason"
    done
    # in any profile, and nothing is printed before
    uki_of '"a kernel"' '".cmdline", "quiet"' '".profile", "ID=main"' '".profile", "ID=other"' '".cmdline", "main\xfftenance"'
    assert_refused 2 "$image: cannot be read: $reason" boot "$image"
    # who picks no profile gets this
    run "$top/build/noptrace-uki" line "$image"
    assert_success
    assert_output quiet
}

# bats test_tags=slow
@test "a UKI of dracut's own passes, and boots without --kernel" {
    # whose own root= is for its own machine
    bake "$bookworm" "$image" "${shell_flavour[@]}" 'uefi=yes' 'kernel_cmdline="quiet root=/dev/nowhere"' > "$BATS_TEST_TMPDIR/log"
    assert_locks_uki
    check "$image"
    assert_point ok image 'UKI: dracut, shell'
    assert_point ok maintenance 'the word is in no command line that is built in for normal boots'
}

# assert_locks_uki: as assert_locks does, with the kernel that is in it.
assert_locks_uki() {
    check "$image"
    assert_success
    assert_line "$image: ok"
    run "$top/build/noptrace-image" boot "$image"
    assert_success
    assert_line --regexp '^outcome +locked +open$'
}

# make_uki IMAGE OPTION…: with Debian 13's ukify, of its kernel and the hand-made image.
make_uki() {
    in_root "$trixie" "$BATS_TEST_TMPDIR" ukify build --output "/var/tmp/${1##*/}" "${@:2}" > /dev/null
}

# make_addon NAME LINE: of Debian 13's ukify, beside the image.
make_addon() {
    mkdir -p "$image.extra.d"
    in_root "$trixie" "$image.extra.d" ukify build --output "/var/tmp/$1" --cmdline "$2" > /dev/null 2>&1
}

# assert_unreadable REASON
assert_unreadable() {
    assert_failure 2
    assert_equal "$stderr" "noptrace-image: $image: unreadable: $1"
}

@test "however many images there are, few descriptors are open at once" {
    local -a many
    mapfile -t many < <(yes "$images/systemd" | head -n 40)
    cp "$config" "$BATS_TEST_TMPDIR/config"
    gzip -n "$BATS_TEST_TMPDIR/config"
    for config in "$config" "$BATS_TEST_TMPDIR/config.gz"; do
        run --separate-stderr bash -c 'exec 3>&- 4>&- && ulimit -n 16 && exec "$@"' - \
            "$top/build/noptrace-image" check --kernel-config "$config" "${many[@]}"
        assert_success
        assert_equal "$(grep -c ': ok$' <<< "$output")" 40
    done
}

@test "what lies beside a UKI for its stub to add is looked at with it" {
    local name line
    uki_of '"a kernel"' '".cmdline", "quiet"'
    make_addon words.addon.efi ro
    check "$image"
    assert_success
    make_addon more.Addon.EFI maintenance
    check "$image"
    assert_fails maintenance '.cmdline, with its addons: has the word maintenance: each boot would be open; take it out'
    make_addon more.Addon.EFI rd.systemd.mask=sysinit.target
    check "$image"
    assert_fails masks '.cmdline, with its addons: rd.systemd.mask=sysinit.target keeps it from running; take that out'
    # one that the next, by its name, goes on with: the stub may leave that out
    for line in 'x="a' '"' 'a -- b'; do
        make_addon more.Addon.EFI "$line"
        check "$image"
        assert_unreadable "$image.extra.d/more.Addon.EFI: its command line goes on in the next one, for a bare -- or an open quote; end it"
    done
    # nor may the last lsm= be one that a stub leaves out, and the one before be odd
    uki_of '"a kernel"' '".cmdline", "quiet lsm=yama"'
    make_addon more.Addon.EFI lsm=integrity
    make_addon words.addon.efi lsm=yama,integrity
    check "$image"
    assert_unreadable "$image.extra.d/more.Addon.EFI: its lsm= leaves yama out; add it"
    make_addon more.Addon.EFI 'lsm=integrity lsm=yama'
    check "$image"
    assert_success
    uki_of '"a kernel"' '".cmdline", "quiet lsm=integrity"'
    check "$image"
    assert_fails lsm '.cmdline: lsm=integrity leaves yama out; add it'
    # a profile for maintenance needs the word, and has that of the others
    make_addon more.Addon.EFI quiet
    make_addon words.addon.efi x=1
    check_uki '".cmdline", "quiet"' '".profile", "ID=main\n"' '".profile", "ID=maintenance\n"' '".cmdline", "quiet maintenance"' '".profile", "ID=last\n"' '".cmdline", "x"'
    assert_success
    make_addon words.addon.efi "x=$(printf '%070000d' 0)"
    check "$image"
    assert_unreadable "$image.extra.d/words.addon.efi: .cmdline has more than 65536 bytes"
    make_addon words.addon.efi "$(printf '%060000d' 0)"
    make_addon more.Addon.EFI "$(printf '%06000d' 0)"
    check "$image"
    assert_unreadable "$image.extra.d: the command lines are too long"
    # as long as may be, with one that says nothing, and one byte more
    perl -I "$BATS_TEST_DIRNAME" -MImages -e 'spit($ARGV[0], pe(0x8664, [ ".sbat", "x" ]))' "$image.extra.d/more.Addon.EFI"
    make_addon words.addon.efi "$(printf '%065535d' 0)"
    check "$image"
    assert_point FAIL yama "$config: a command line of more than 2,047 bytes, of which a kernel may keep no more; shorten it"
    make_addon words.addon.efi "$(printf '%065536d' 0)"
    check "$image"
    assert_unreadable "$image.extra.d: the command lines are too long"
    rm "$image.extra.d/words.addon.efi"
    # what is handed to the initramfs
    perl -I "$BATS_TEST_DIRNAME" -MImages -e 'spit($ARGV[0], pe(0x8664, [ ".initrd", "x" ]))' "$image.extra.d/more.Addon.EFI"
    check "$image"
    assert_unreadable "$image.extra.d/more.Addon.EFI: adds to the initramfs what is not looked into; remove it"
    echo x > "$image.extra.d/more.Addon.EFI"
    check "$image"
    assert_unreadable "$image.extra.d/more.Addon.EFI: not a PE file"
    rm "$image.extra.d/more.Addon.EFI"
    mkdir "$image.extra.d/more.Addon.EFI"
    check "$image"
    assert_unreadable "$image.extra.d/more.Addon.EFI: not a regular file"
    rmdir "$image.extra.d/more.Addon.EFI"
    # of which one is read
    perl -I "$BATS_TEST_DIRNAME" -MImages -e 'spit($ARGV[0], pe(0x8664, [ ".cmdline", "x" ], [ ".cmdline", "y" ]))' "$image.extra.d/more.Addon.EFI"
    check "$image"
    assert_unreadable "$image.extra.d/more.Addon.EFI: .cmdline is there twice: systemd's stubs differ in which of them counts"
    # whatever a profile of its own has
    for name in .ucode .initrd .cmdline; do
        perl -I "$BATS_TEST_DIRNAME" -MImages -e 'spit($ARGV[0], pe(0x8664, sdmagic(257), [ $ARGV[1], "maintenance" ], [ ".profile", "ID=main" ],
            [ $ARGV[1], "" ]))' "$image.extra.d/more.Addon.EFI" "$name"
        check "$image"
        if [[ $name == .cmdline ]]; then
            assert_point FAIL maintenance 'profile main, with its addons: has the word maintenance: each boot would be open; take it out'
        else
            assert_unreadable "$image.extra.d/more.Addon.EFI: adds to the initramfs what is not looked into; remove it"
        fi
    done
    rm "$image.extra.d/more.Addon.EFI"
    # wherever the path begins
    make_addon words.addon.efi maintenance
    cd "$BATS_TEST_TMPDIR"
    check "${image##*/}"
    assert_failure 1
    assert_point FAIL maintenance 'profile main, with its addons: has the word maintenance: each boot would be open; take it out'
    # and where the image is a link to the file, which may be open only
    mkdir "$BATS_TEST_TMPDIR/links"
    ln -s "$image" "$BATS_TEST_TMPDIR/links/latest.efi"
    check "$BATS_TEST_TMPDIR/links/latest.efi"
    assert_failure 1
    assert_point FAIL maintenance 'profile main, with its addons: has the word maintenance: each boot would be open; take it out'
    rm "$image.extra.d/words.addon.efi"
    check "$image"
    assert_success
    cp "$image" "$BATS_TEST_TMPDIR/links/open"
    exec 9< "$BATS_TEST_TMPDIR/links/open"
    rm "$BATS_TEST_TMPDIR/links/open"
    check /proc/self/fd/9
    assert_success
    exec 9<&-
    # in a folder that may not be listed
    mkdir -m 0311 "$BATS_TEST_TMPDIR/hidden"
    cp "$image" "$BATS_TEST_TMPDIR/hidden/image"
    run --separate-stderr setpriv --bounding-set=-dac_override,-dac_read_search "$top/build/noptrace-image" check "$BATS_TEST_TMPDIR/hidden/image"
    image=$BATS_TEST_TMPDIR/hidden/image assert_unreadable "$BATS_TEST_TMPDIR/hidden/.: Permission denied; its addons are looked for there: let it be listed, or move the image"
    exec 9< "$BATS_TEST_TMPDIR/hidden/image"
    chmod 0 "$BATS_TEST_TMPDIR/hidden"
    run --separate-stderr setpriv --bounding-set=-dac_override,-dac_read_search "$top/build/noptrace-image" check /proc/self/fd/9
    image=/proc/self/fd/9 assert_unreadable 'Permission denied'
    exec 9<&-
    # a FAT does not tell capitals from others
    for name in "${image##*/}.Extra.D" IMAGE.EXTRA.D; do
        mv "$image.extra.d" "${image%/*}/$name"
        touch "${image%/*}/$name/unit.cred"
        check "$image"
        assert_unreadable "${image%/*}/$name/unit.cred: no addon; what else is there may be handed to the initramfs, and is not looked into; remove it"
        rm "${image%/*}/$name/unit.cred"
        mv "${image%/*}/$name" "$image.extra.d"
    done
    mkdir "$image.Extra.D"
    check "$image"
    assert_unreadable "$image.Extra.D: on a FAT the same as image.extra.d; remove one"
    rmdir "$image.Extra.D"
    for name in unit.cred x.sysext.raw .addon.efi addon.efi $'o\nd'; do
        touch "$image.extra.d/$name"
        check "$image"
        assert_unreadable "$image.extra.d/${name/$'\n'/?}: no addon; what else is there may be handed to the initramfs, and is not looked into; remove it"
        rm "$image.extra.d/$name"
    done
    perl -I "$BATS_TEST_DIRNAME" -MImages -e 'spit($ARGV[0], pe(0x8664, [ ".dtbauto", "x" ]))' "$image.extra.d/tree.addon.efi"
    check "$image"
    assert_unreadable "$image.extra.d/tree.addon.efi: adds a device tree, from which a kernel may take words; put it into the UKI"
    rm "$image.extra.d/tree.addon.efi"
    # one that says nothing, of the shortest name
    perl -I "$BATS_TEST_DIRNAME" -MImages -e 'spit($ARGV[0], pe(0x8664, [ ".sbat", "x" ]))' "$image.extra.d/x.addon.efi"
    check "$image"
    assert_success
    # more of them than may be open
    for name in {1..20}; do cp "$image.extra.d/x.addon.efi" "$image.extra.d/$name.addon.efi"; done
    # shellcheck disable=SC2016 # the inner shell's
    run --separate-stderr bash -c 'exec 3>&- 4>&- && ulimit -n 10 && exec "$@"' - "$top/build/noptrace-image" check --kernel-config "$config" "$image"
    assert_success
    rm "$image.extra.d/"{1..20}.addon.efi
    # each is read by itself, and not with what the one before had
    perl -I "$BATS_TEST_DIRNAME" -MImages -e '
        spit("$ARGV[0]/a.addon.efi", pe(0x8664, sdmagic(257), [ ".cmdline", "a" ], [ ".profile", "ID=x" ]));
        spit("$ARGV[0]/b.addon.efi", pe(0x8664, [ ".cmdline", "b", address => 0x11000 ]))' "$image.extra.d"
    check "$image"
    assert_success
    rm "$image.extra.d/"[ab].addon.efi
    # behind the line of each profile
    make_addon words.addon.efi more
    cp "$image" "$BATS_TEST_TMPDIR/one"
    uki_of '"a kernel"' '".cmdline", "quiet"' '".profile", "ID=main"' '".profile", "ID=other"' '".cmdline", "x" x 2_045'
    check "$image"
    assert_failure 1
    assert_point FAIL yama "$config: a command line of more than 2,035 bytes, behind which a kernel may not keep the word maintenance; shorten it"
    mv "$BATS_TEST_TMPDIR/one" "$image"
    # of the name without a boot counter, and of no other
    make_addon words.addon.efi maintenance
    mv "$image.extra.d" "$BATS_TEST_TMPDIR/a.efi.extra.d"
    for name in a+3.efi a+3-1.efi a+30-12.efi; do
        cp "$image" "$BATS_TEST_TMPDIR/$name"
        check "$BATS_TEST_TMPDIR/$name"
        assert_failure 1
        assert_point FAIL maintenance 'profile main, with its addons: has the word maintenance: each boot would be open; take it out'
    done
    for name in a+.efi a+x.efi a+3-.efi a+3-x.efi a+3x.efi +3/a.efix; do
        mkdir -p "$BATS_TEST_TMPDIR/+3"
        cp "$image" "$BATS_TEST_TMPDIR/$name"
        check "$BATS_TEST_TMPDIR/$name"
        assert_success
    done
    touch "$BATS_TEST_TMPDIR/a.efi.extra.d/unit.cred"
    check "$BATS_TEST_TMPDIR/a+3.efi"
    assert_failure 2
    rm -r "$BATS_TEST_TMPDIR/a.efi.extra.d"
    mkdir "$image.extra.d"
    # nobody adds anything to an image of another kind
    touch "$image.extra.d/unit.cred"
    cp "$images/handmade" "$image"
    check "$image"
    assert_success
    rm -r "$image.extra.d"
    touch "$image.extra.d"
    uki_of '"a kernel"' '".cmdline", "quiet"'
    check "$image"
    assert_unreadable "$image.extra.d: Not a directory"
}

# make_profile ID LINE: a profile to join, as ID.efi.
make_profile() {
    in_root "$trixie" "$BATS_TEST_TMPDIR" ukify build --output "/var/tmp/$1.efi" --profile "ID=$1" --cmdline "$2" > /dev/null 2>&1
}

# bats test_tags=slow
@test "a UKI whose maintenance profile alone has the word passes, and its profile boots open" {
    local kernel
    handmade "$BATS_TEST_TMPDIR/handmade" "$trixie" "$program"
    pack "$BATS_TEST_TMPDIR/handmade" "$BATS_TEST_TMPDIR/initrd"
    config=$(config_of "$trixie")
    kernel=$(kernel_of "$trixie")
    local -a parts=(--linux "${kernel#"$trixie"}" --initrd /var/tmp/initrd --cmdline 'quiet x=1')

    make_uki "$image" "${parts[@]}"
    assert_locks_uki
    check "$image"
    assert_point ok image 'UKI: hand-made'

    make_uki "$image" "${parts[@]:0:4}" --cmdline 'quiet maintenance'
    check "$image"
    assert_fails maintenance '.cmdline: has the word maintenance: each boot would be open; take it out'
    run "$top/build/noptrace-image" boot "$image"
    assert_failure 1

    make_profile maintenance 'quiet x=2 maintenance'
    make_profile last 'quiet x=3'
    make_uki "$image" "${parts[@]}" --profile ID=main --join-profile /var/tmp/maintenance.efi --join-profile /var/tmp/last.efi
    assert_locks_uki

    make_profile rescue 'quiet maintenance'
    make_uki "$image" "${parts[@]}" --profile ID=main --join-profile /var/tmp/rescue.efi
    check "$image"
    assert_fails maintenance 'profile rescue: has the word maintenance: each boot would be open; take it out'

    make_profile maintenance 'quiet maintenance=1'
    make_uki "$image" "${parts[@]}" --profile ID=main --join-profile /var/tmp/maintenance.efi
    check "$image"
    assert_fails maintenance 'profile maintenance: lacks the word maintenance, and would lock; add it'
    run "$top/build/noptrace-image" boot "$image"
    assert_failure 1
    assert_line --regexp '^outcome +locked +locked$'
}
