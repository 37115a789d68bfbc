#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# noptrace-image: the formats of its results, which others read. Their shapes are in noptrace-image(8).

# shellcheck source=tests/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

setup_file() {
    export good=$BATS_FILE_TMPDIR/good tree=$BATS_FILE_TMPDIR/tree bad
    # a name that each format must escape
    bad="$BATS_FILE_TMPDIR/a \"bad\" <image> & \\#1"$'\n\xff.img'
    handmade "$tree" "$bookworm" "$program"
    pack "$tree" "$good"
    chmod -x "$tree/usr/sbin/noptrace"
    sed -i '/noptrace apply/d' "$tree/init"
    pack "$tree" "$bad"
}

image_tool() {
    "$top/build/noptrace-image" "$@" 2> /dev/null
}

check() {
    image_tool check --kernel-config "$(config_of "$bookworm")" "$@"
}

boot() {
    image_tool boot --kernel "$(kernel_of "$bookworm")" "$@"
}

@test "--json has the shape that the manual gives" {
    run check --json "$good" "$bad"
    assert_failure 1
    echo "$output" > "$BATS_TEST_TMPDIR/json"
    run jq -r 'keys_unsorted | join(" ")' "$BATS_TEST_TMPDIR/json"
    assert_output 'format call exit images'
    run jq -r '[.format, .call, .exit, (.images | length)] | join(" ")' "$BATS_TEST_TMPDIR/json"
    assert_output '1 check 1 2'
    run jq -r '.images[] | [.verdict, .exit] | join(" ")' "$BATS_TEST_TMPDIR/json"
    assert_output $'ok 0\nFAIL 1'
    run jq -r '.images[1].image' "$BATS_TEST_TMPDIR/json"
    assert_output "$BATS_FILE_TMPDIR/a \"bad\" <image> & \\#1?.img"
    run jq -r '.images[1].points[] | select(.status == "FAIL") | .point' "$BATS_TEST_TMPDIR/json"
    assert_output $'executable\nwired'
    run jq -r '.images[0].points[0] | to_entries[] | "\(.key)=\(.value)"' "$BATS_TEST_TMPDIR/json"
    assert_output $'point=image\nstatus=ok\ntext=hand-made'
}

@test "--tap is read by a TAP harness, which fails where a point does" {
    check --tap "$good" > "$BATS_TEST_TMPDIR/good.tap"
    run prove --exec cat "$BATS_TEST_TMPDIR/good.tap"
    assert_success
    assert_line 'Result: PASS'
    check --tap "$bad" > "$BATS_TEST_TMPDIR/bad.tap" || true
    run prove --exec cat "$BATS_TEST_TMPDIR/bad.tap"
    assert_failure
    assert_line --partial 'Failed 2/'
    refute_output --partial 'Parse errors'
    grep -qxF "ok 1 - $BATS_FILE_TMPDIR/a \"bad\" <image> & \\\\\\#1?.img: image" "$BATS_TEST_TMPDIR/bad.tap"
}

@test "--junit is well-formed XML that counts what failed" {
    run check --junit "$BATS_TEST_TMPDIR/junit.xml" "$good" "$bad"
    assert_failure 1
    # beside it, stdout has the text
    assert_line "$good: ok"
    run xmllint --xpath 'concat(count(//testsuite), " ", //testsuite[1]/@failures, " ", //testsuite[2]/@failures, " ",
        count(//failure), " ", //testsuite[1]/@tests = count(//testsuite[1]/testcase), " ",
        //testsuite[2]/@skipped = count(//testsuite[2]//skipped))' "$BATS_TEST_TMPDIR/junit.xml"
    assert_output '2 0 2 2 true true'
    run xmllint --xpath 'string(//testcase[@name="executable"]/failure/@message)' "$BATS_TEST_TMPDIR/junit.xml"
    assert_output '/usr/sbin/noptrace: mode 644; make it 755 before the image is built'
    run xmllint --xpath 'string(//testsuite[2]/@name)' "$BATS_TEST_TMPDIR/junit.xml"
    assert_output "$BATS_FILE_TMPDIR/a \"bad\" <image> & \\#1?.img"
}

@test "boot gives its results in the same formats" {
    boot --json --junit "$BATS_TEST_TMPDIR/junit.xml" "$good" > "$BATS_TEST_TMPDIR/json"
    run jq -r '[.call, .exit, .images[0].verdict] | join(" ")' "$BATS_TEST_TMPDIR/json"
    assert_output 'boot 0 ok'
    run jq -r '.images[0].points[] | [.point, .status, .text] | join("|")' "$BATS_TEST_TMPDIR/json"
    assert_output - << 'END'
normal boot|ok|locked
normal boot: ptrace_scope|ok|3
normal boot: PTRACE_TRACEME|ok|EPERM
normal boot: PTRACE_ATTACH|ok|EPERM
normal boot: process_vm_readv|ok|EPERM
normal boot: pidfd_getfd|ok|EPERM
normal boot: strace|ok|refused
normal boot: set to 0|ok|EINVAL
normal boot: set to 1|ok|EINVAL
normal boot: set to 2|ok|EINVAL
normal boot: ptrace_scope then|ok|3
maintenance boot|ok|open
maintenance boot: ptrace_scope|ok|0
maintenance boot: PTRACE_TRACEME|ok|ok
maintenance boot: PTRACE_ATTACH|ok|ok
maintenance boot: process_vm_readv|ok|ok
maintenance boot: pidfd_getfd|ok|ok
maintenance boot: strace|ok|ok
maintenance boot: set to 0|ok|ok
maintenance boot: set to 1|ok|ok
maintenance boot: set to 2|ok|ok
maintenance boot: ptrace_scope then|ok|0
END
    run xmllint --xpath 'string(//testsuite/@failures)' "$BATS_TEST_TMPDIR/junit.xml"
    assert_output 0

    boot --tap "$bad" > "$BATS_TEST_TMPDIR/bad.tap" || assert_equal $? 1
    run prove --exec cat "$BATS_TEST_TMPDIR/bad.tap"
    assert_failure
    assert_line --partial 'Failed 11/'
}

@test "what a boot that never came to its real root did not find is a skipped point" {
    run boot --json --append lsm=lockdown "$good"
    assert_failure 1
    assert_equal "$(jq -r '.images[0].points[] | select(.point == "normal boot") | .text' <<< "$output")" \
        'powered off, must be locked'
    assert_equal "$(jq -r '.images[0].points[] | select(.point == "normal boot: strace") | .status' <<< "$output")" n/a
}

# report TEXT ARGUMENT…: noptrace-report of that, %b, on stdin.
report() {
    run --separate-stderr "$top/build/noptrace-report" "${@:2}" < <(printf %b "$1")
}

@test "noptrace-report gives out whole results of images, and nothing else, 2" {
    local text format
    report 'result\tok\tp\ta\tb\nresult\twarn\tq\tc\nimage\t3\t/x\n' boot tap
    assert_failure 3
    assert_output - << 'END'
TAP version 13
1..3
ok 1 - /x: p
ok 2 - /x: q
# warn: c
not ok 3 - /x: verdict
# cannot tell
END
    # what a point tells is no more than that, nor is one that was skipped
    report 'result\tFAIL\tp\tb\nimage\t1\t/y\nresult\tok\tp\t]]>\nimage\t255\t/#\nresult\tn/a\tp\tc\nimage\t77\t/z\n' boot tap "$BATS_TEST_TMPDIR/junit"
    assert_failure 1
    assert_output - << 'END'
TAP version 13
1..4
not ok 1 - /y: p
# b
ok 2 - /\#: p
ok 3 - /z: p # SKIP c
not ok 4 - /\#: verdict
# panicked
END
    run xmllint --xpath 'concat(//testsuite[1]/@tests, //testsuite[1]/@errors, //testsuite[2]/@tests, //testsuite[2]/@errors, //testsuite[3]/@tests,
        //testsuite[3]/@errors, " ", count(//error), //testcase[@name="verdict"]/error/@message, //system-out)' "$BATS_TEST_TMPDIR/junit"
    assert_output '102110 1panickedok: ]]>'
    assert_equal "$(head -n 1 "$BATS_TEST_TMPDIR/junit")" '<?xml version="1.0" encoding="UTF-8"?>'
    for format in text json tap none; do
        for text in '' 'result\tok\tp\tt\n' 'image\t0\t/x\nresult\tok\tp\tt\n' 'result\tgood\tp\tt\nimage\t0\t/x\n' \
            'result\tok\tp\nimage\t0\t/x\n' 'bad\ta\tb\tc\nimage\t0\t/x\n' 'result' 'result\nimage\t0\t/x\n' 'image\t0\n' 'image\t\t/x\n' 'image\t0x\t/x\n' 'images\t0\t/x\n' '\n'; do
            report "$text" boot "$format"
            assert_equal "$text: $status $output$stderr" "$text: 2 noptrace-report: stdin does not have the results of images"
        done
    done
    # a code that none is stands for the worst
    report 'image\t9\t/x\nimage\t1\t/y\n' boot text
    assert_failure 2
    assert_output $'/x: unreadable\n/y: FAIL'
    # the text is all that is behind the third tab
    report 'result\tok\tp\ta\tb\nimage\t77\t/x\n' boot text
    assert_failure 77
    assert_line '  ok    p             a?b'
    report 'image\t77\t/x\n' boot json
    assert_equal "$(jq -r '"\(.call) \(.images[0].exit)"' <<< "$output")" 'boot 77'
    report 'image\t77\t/x\n' boot none
    assert_failure 77
    assert_equal "$output$stderr" ''
    run --separate-stderr "$top/build/noptrace-report" boot text < /
    assert_failure 2
    assert_equal "$stderr" 'noptrace-report: stdin does not have the results of images'
}

@test "what no character is goes from each text, and what none may see becomes a ?" {
    local text want
    while IFS='|' read -r text want; do
        report "result\tok\tp\t${text}\nimage\t0\t/x\n" boot text
        assert_success
        assert_line "  ok    p             $want"
    done << 'END'
a\0303\0244\0342\0202\0254\0360\0237\0230\0200|aä€😀
\0303x\0342\0202x\0360\0237\0230|xx
\0200a\0277b\0370\0210\0200\0200\0200c\0377|abc
\0300\0256a\0340\0200\0257b\0364\0220\0200\0200c|abc
\033[31ma\0177b\0302\0200c|?[31ma?b?c
\0302\0233a\0302\0237b|?a?b
\0342\0200\0256a\0342\0201\0246b\0330\0234c\0357\0273\0277d\0355\0240\0200e\0357\0277\0277|?a?b?c?d?e?
\0342\0200\0213a\0342\0200\0217b\0342\0200\0220c|?a?b‐c
END
    # to the last and from the first of each kind
    local code
    for code in 20:7e a0:7ff 800:200a 2010:2027 202f:2065 206a:d7ff e000:fefe ff00:fffd 10000:1fffd 40000:10fffd 61b:61d; do
        text=$(perl -e 'for (split /:/, shift) { my $c = chr hex; utf8::encode($c); print $c }' "$code")
        report "result\tok\tp\t<$text>\nimage\t0\t/x\n" boot text
        assert_equal "$code ${lines[1]}" "$code   ok    p             <$text>"
    done
    for code in 1:1f 7f:9f 61c:feff 200b:200f 2028:202e 2066:2069 d800:dfff fffe:ffff 1fffe:10ffff; do
        text=$(perl -e 'for (split /:/, shift) { my $c = chr hex; utf8::encode($c); print $c }' "$code")
        report "result\tok\tp\t<$text>\nimage\t0\t/x\n" boot text
        assert_equal "$code ${lines[1]}" "$code   ok    p             <??>"
    done
    # and no text is longer than 1,000 bytes
    printf -v text '%01001d' 0
    report "result\tok\tp\t${text}1\nimage\t0\t/x\n" boot text
    assert_line "  ok    p             ${text:1}"
}

@test "results that cannot be written are said to be, 2" {
    report 'image\t0\t/x\n' boot none /nonexistent/junit
    assert_failure 2
    assert_equal "$stderr" 'noptrace-image: /nonexistent/junit: No such file or directory'
    report 'image\t0\t/x\n' boot none /dev/full
    assert_failure 2
    assert_equal "$stderr" 'noptrace-image: the results cannot be written'
    # more than is kept before it is written
    report "$(printf 'result\\tok\\tp\\tt\\n%.0s' {1..999})image\t0\t/x\n" boot none /dev/full
    assert_failure 2
    assert_equal "$stderr" 'noptrace-image: the results cannot be written'
    run bash -c 'printf "image\t0\t/x\n" | "$0" boot json > /dev/full' "$top/build/noptrace-report"
    assert_failure 2
    assert_output 'noptrace-image: the results cannot be written'
    run bash -c '"$0" check --kernel-config "$1" "$2" > /dev/full' "$top/build/noptrace-image" "$(config_of "$bookworm")" "$good"
    assert_failure 2
    assert_output 'noptrace-image: the results cannot be written'
    run --separate-stderr image_tool check --kernel-config "$(config_of "$bookworm")" --junit /dev/full "$good"
    assert_failure 2
}

@test "results for which there is no memory are said to be that, 2" {
    local nth reasons=''
    make -s -C "$top" build/failing.so
    printf 'result\tok\tp\tt\nimage\t0\t/x\n' > "$BATS_TEST_TMPDIR/results"
    for nth in {1..12}; do
        run --separate-stderr env FAILING="$nth" LD_PRELOAD="$top/build/failing.so" "$top/build/noptrace-report" boot json < "$BATS_TEST_TMPDIR/results"
        [[ $status == 0 ]] || reasons+="$status $stderr"$'\n'
    done
    # the first of them is that of what reads a line
    assert_equal "$(sort -u <<< "${reasons%$'\n'}")" \
        $'2 noptrace-image: no memory\n2 noptrace-report: stdin does not have the results of images'
}

@test "noptrace-report that is called otherwise says how, 64" {
    local call
    for call in '' boot 'boot text /dev/null x'; do
        # shellcheck disable=SC2086 # its arguments
        report '' $call
        assert_failure 64
        assert_equal "$stderr" 'usage: noptrace-report CALL text|json|tap|none [JUNIT-FILE]'
    done
}

@test "colours are for a terminal, and NO_COLOR keeps them away" {
    local tool
    tool="$top/build/noptrace-image check --kernel-config $(config_of "$bookworm") $good"
    run script -q -e -c "$tool" /dev/null
    assert_success
    assert_output --partial $'\e[32mok  \e[0m'
    run env NO_COLOR=1 script -q -e -c "$tool" /dev/null
    assert_success
    refute_output --partial $'\e'
    # which says nothing where it is empty
    run env NO_COLOR= script -q -e -c "$tool" /dev/null
    assert_success
    assert_output --partial $'\e[32mok  \e[0m'
    run bash -c "$tool"
    refute_output --partial $'\e'
    script -q -e -c "$tool > $BATS_TEST_TMPDIR/file" /dev/null
    run cat "$BATS_TEST_TMPDIR/file"
    assert_output --partial '  ok    program'
    refute_output --partial $'\e'
    # one for each word
    { printf 'result\t%s\tp\tt\n' ok FAIL warn n/a && printf 'image\t1\t/x\n'; } > "$BATS_TEST_TMPDIR/results"
    run script -q -e -c "$top/build/noptrace-report check text < $BATS_TEST_TMPDIR/results" /dev/null
    assert_failure 1
    assert_equal "$(tr -d '\r' <<< "$output")" \
        $'/x: FAIL\n  \e[32mok  \e[0m  p             t\n  \e[31mFAIL\e[0m  p             t\n  \e[33mwarn\e[0m  p             t\n  \e[2mn/a \e[0m  p             t'
}

@test "a boot shows on a terminal how far it has come, and nowhere else" {
    local tool
    tool="$top/build/noptrace-image boot --kernel $(kernel_of "$bookworm") $good"
    run script -q -e -c "$tool" /dev/null
    assert_success
    assert_output --partial 'booting twice: '
    run bash -c "$tool"
    assert_success
    refute_output --partial 'booting twice: '
    refute_output --partial $'\e'
}

@test "--help, the manual and the program have the same options and exit codes" {
    local code option help manual
    help=$("$top/build/noptrace-image" --help)
    manual=$(mandoc -T ascii "$top/src/noptrace-image.8" | col -bx)
    assert_equal "$(grep -oE -- '--[a-z][a-z-]+' <<< "$help" | sort -u)" \
        "$(sed -n '/^OPTIONS/,/^FORMATS/p' <<< "$manual" | grep -oE '^ {5}--.*' | grep -oE -- '--[a-z][a-z-]+' | sort -u \
            | grep -vx -- --help)"
    # each is one that the program takes, with a value or without
    while read -r option; do
        sed '/^usage()/,/^}/d' "$top/src/noptrace-image" | grep -qE -- "/${option}['|) ]" || fail "$option"
    done < <(grep -oE '^  --[a-z-]+' <<< "$help" | tr -d ' ')
    for code in 0 1 2 3 77 124 255; do
        grep -qE "(^| )(exit )?$code: " <<< "$help" || fail "--help lacks $code"
        sed -n '/^EXIT STATUS/,/^EXAMPLES/p' <<< "$manual" | grep -qE "^ {5}$code " || fail "the manual lacks $code"
        sed -n '/^## Prove/,/^## Limits/p' "$top/README.md" | grep -qE "^\| ([0-9]+, )*${code}[ ,]" || fail "README lacks $code"
    done
}

# The same names as README uses.
@test "each noptrace-image command in README works as it stands there" {
    local command
    cp "$good" "$BATS_TEST_TMPDIR/initramfs.img"
    cp "$(kernel_of "$bookworm")" "$BATS_TEST_TMPDIR/vmlinuz"
    cd "$BATS_TEST_TMPDIR"
    grep -oE '^ *noptrace-image .*' "$top/README.md" | sed 's/^ *//' > readme
    diff - readme << 'END'
noptrace-image make --on-failure poweroff noptrace.cpio
noptrace-image check initramfs.img
noptrace-image boot --kernel vmlinuz initramfs.img
END
    while read -r command; do
        run bash -c 'noptrace-image() { "$0" "$@"; }; '"$command" "$top/build/noptrace-image"
        # README gives it no kernel configuration, and this machine has none of that kernel
        if [[ $command == 'noptrace-image check initramfs.img' ]]; then
            assert_failure 3
        else
            assert_success
        fi
    done < readme
}

@test "the tests read the manuals' examples as a reader sees them" {
    local page subsection line pages=''
    for page in noptrace.8 noptrace-image.8 noptrace-fleet.7 noptrace-recipes.7; do
        mandoc -T ascii "$top/src/$page" | col -bx > "$BATS_TEST_TMPDIR/page"
        while read -r subsection; do
            # of section 7 each subsection may be one
            example "$page" "$subsection" > "$BATS_TEST_TMPDIR/example" || [[ $page == *.7 ]] || fail "$page, $subsection"
            [[ ! -s $BATS_TEST_TMPDIR/example ]] || pages+="$page "
            while IFS= read -r line; do
                grep -qF -- "$line" "$BATS_TEST_TMPDIR/page" || fail "$page, $subsection: $line"
            done < "$BATS_TEST_TMPDIR/example"
        done < <(if [[ $page == *.7 ]]; then cat "$top/src/$page"; else sed -n '/^\.Sh EXAMPLES/,/^\.Sh [^E]/p' "$top/src/$page"; fi \
            | sed -n 's/^\.Ss //p')
    done
    assert_equal "$(tr ' ' '\n' <<< "$pages" | grep . | sort | uniq -c | xargs)" '10 noptrace-fleet.7 6 noptrace-image.8 11 noptrace-recipes.7 5 noptrace.8'
}
