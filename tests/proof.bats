#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# make prove can fail: a wrong reader is not proved, and nothing is believed.

# shellcheck source=tests/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

setup() {
    command -v frama-c > /dev/null || skip 'this system has no Frama-C'
    tree=$BATS_TEST_TMPDIR/tree
    mkdir -p "$tree/tests"
    cp -r "$top/src" "$tree"
    cp -r "$top/tests/proof" "$tree/tests"
}

# assert_breaks FUNCTION FROM TO: the function that has FROM is proved, and the one with TO instead is not.
assert_breaks() {
    run "$top/tests/prove" "$tree" "$1"
    assert_success
    assert_output --regexp '^prove: [1-9][0-9]* goals, all proved: '
    assert_equal "$(grep -cF "$2" "$tree/src/cmdline.c")" 1
    FROM=$2 TO=$3 perl -pi -e 's/\Q$ENV{FROM}/$ENV{TO}/' "$tree/src/cmdline.c"
    SECONDS_EACH=4 run "$top/tests/prove" "$tree" "$1"
    assert_failure 1
    assert_output --regexp "\[Failed\] Goal typed_$1_"
    assert_output --regexp 'prove: [0-9]+ of [1-9][0-9]* goals proved;'
}

@test "a reader that takes no carriage return for a separator is not proved" {
    assert_breaks cmdline_separates 'byte <= 13' 'byte < 13'
}

@test "a reader that drops a quote where none opened the word is not proved" {
    assert_breaks has_key '(opened && matched == KEY_LENGTH + 1)' 'matched == KEY_LENGTH + 1'
}

@test "a reader that looks in front of a line for its last byte is not proved" {
    assert_breaks without_quote 'opened && to > from && line' 'opened && line'
}

@test "a proof of nothing, and one that stands on an axiom, are none" {
    run "$top/tests/prove" "$tree" no_such_function
    assert_failure 1
    assert_output --partial 'prove: 0 of 0 goals proved;'
    printf '%s\n' '//@ axiomatic wish { axiom granted: 0 == 1; }' >> "$tree/src/cmdline_spec.h"
    run "$top/tests/prove" "$tree" cmdline_separates
    assert_failure 1
    assert_line 'prove: there must be nothing that is believed'
}
