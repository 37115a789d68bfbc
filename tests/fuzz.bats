#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# make fuzz-lines can fail: what differs from the kernel is found.

# shellcheck source=tests/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

# assert_finds FROM TO: the fuzzer finds a line that the reader with TO instead of FROM reads otherwise.
assert_finds() {
    local tree=$BATS_TEST_TMPDIR/tree
    mkdir -p "$tree"
    cp -r "$top/Makefile" "$top/src" "$top/tests" "$tree"
    assert_equal "$(grep -cF "$1" "$tree/src/cmdline.c")" 1
    FROM=$1 TO=$2 perl -pi -e 's/\Q$ENV{FROM}/$ENV{TO}/' "$tree/src/cmdline.c"
    run make -s -C "$tree" fuzz-lines
    assert_failure 2
    assert_output --partial 'deadly signal'
    refute_output --partial 'no difference'
}

@test "a fuzzer finds that quotes in a word are not kept" {
    assert_finds 'place->quoted = !place->quoted' 'place->quoted = false'
}

@test "a fuzzer finds that a maintenance= is not told" {
    assert_finds "byte == '=' && line->key == KEY_LENGTH" "byte == '=' && line->key == MISMATCH"
}
