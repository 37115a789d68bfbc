#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# noptrace-image: what it does before it boots anything. dracut.bats and others have its boots.

# run --separate-stderr sets stderr and stderr_lines.
# shellcheck disable=SC2154

# shellcheck source=tests/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

setup() {
    kernel=$BATS_TEST_TMPDIR/kernel image=$BATS_TEST_TMPDIR/image
    : > "$kernel"
    : > "$image"
}

# assert_refused CODE MESSAGE ARGUMENT…: one line on stderr, and nothing on stdout.
assert_refused() {
    run --separate-stderr "$top/build/noptrace-image" "${@:3}"
    assert_failure "$1"
    assert_output ''
    assert_equal "$stderr" "noptrace-image: $2"
}

@test "noptrace-image names the word that is wrong, and exits 2" {
    assert_refused 2 "no call given: not a call; see 'noptrace-image --help'"
    assert_refused 2 "proof: not a call; see 'noptrace-image --help'" proof
    assert_refused 2 "boot needs --kernel and an IMAGE; see 'noptrace-image --help'" boot
    assert_refused 2 "boot needs --kernel and an IMAGE; see 'noptrace-image --help'" boot "$image"
    assert_refused 2 "--kernel: has no value; see 'noptrace-image --help'" boot "$image" --kernel
    assert_refused 2 "--fast: not an option; see 'noptrace-image --help'" boot --fast "$image"
    assert_refused 2 "$kernel: one IMAGE at a time" boot "$image" "$kernel"
    assert_refused 2 '--accel hvf: is tcg or kvm' boot --kernel "$kernel" --accel hvf "$image"
    assert_refused 2 '--timeout soon: is a number of seconds' boot --kernel "$kernel" --timeout soon "$image"
}

@test "noptrace-image names the file that cannot be read or written, and exits 2" {
    assert_refused 2 "/nonexistent: cannot be read as a file" boot --kernel /nonexistent "$image"
    assert_refused 2 "$BATS_TEST_TMPDIR: cannot be read as a file" boot --kernel "$kernel" "$BATS_TEST_TMPDIR"
    run --separate-stderr "$top/build/noptrace-image" boot --kernel "$kernel" --log /nonexistent/log "$image"
    assert_failure 2
    assert_regex "$stderr" 'noptrace-image: --log /nonexistent/log: cannot be written$'
}

@test "noptrace-image without QEMU on the machine is skipped, 77, and says so" {
    run --separate-stderr env PATH=/nonexistent "$top/build/noptrace-image" boot --kernel "$kernel" "$image"
    assert_failure 77
    assert_equal "$stderr" 'noptrace-image: skipped: no qemu-system-x86_64 here; install it'
}

@test "noptrace-image with a kernel that is none cannot tell, 3" {
    run --separate-stderr "$top/build/noptrace-image" boot --kernel "$kernel" --timeout 20 "$image"
    assert_failure 3
    assert_line --regexp '^outcome +no answer +no answer$'
}

@test "a guest that hangs is timed out, 124" {
    run --separate-stderr "$top/build/noptrace-image" boot --kernel "$(kernel_of "$bookworm")" --timeout 1 "$image"
    assert_failure 124
    assert_equal "${stderr_lines[-1]}" "noptrace-image: $image: no answer within 1 s; see its console (--log)"
}

@test "a guest that panics is said to have, 255" {
    run --separate-stderr "$top/build/noptrace-image" boot --kernel "$(kernel_of "$bookworm")" "$image"
    assert_failure 255
    assert_equal "${stderr_lines[-1]}" "noptrace-image: $image: the kernel panicked; see its console (--log)"
}
