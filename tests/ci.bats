#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The step for GitHub Actions and the template for GitLab, in packaging/ci: their shell parts are taken out of the YAML,
# and run as those run them, with what the manual's jobs give them. What GitHub and GitLab themselves do is not tried.

# shellcheck source=tests/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

ci=$top/packaging/ci

setup_file() {
    export good=$BATS_FILE_TMPDIR/good bad=$BATS_FILE_TMPDIR/bad package=$BATS_FILE_TMPDIR/noptrace_0_amd64.deb
    # another build's, byte for byte, as a package's is
    mkdir -p "$BATS_FILE_TMPDIR"/package/{DEBIAN,usr/sbin}
    { cat "$program" && echo; } > "$BATS_FILE_TMPDIR/package/usr/sbin/noptrace"
    chmod 755 "$BATS_FILE_TMPDIR/package/usr/sbin/noptrace"
    printf '%s\n' 'Package: noptrace' 'Version: 0' 'Architecture: amd64' 'Maintainer: a test' 'Description: a test' \
        > "$BATS_FILE_TMPDIR/package/DEBIAN/control"
    dpkg-deb -b "$BATS_FILE_TMPDIR/package" "$package"
    handmade "$BATS_FILE_TMPDIR/tree" "$bookworm" "$BATS_FILE_TMPDIR/package/usr/sbin/noptrace"
    pack "$BATS_FILE_TMPDIR/tree" "$good"
    sed -i '/noptrace apply/d' "$BATS_FILE_TMPDIR/tree/init"
    pack "$BATS_FILE_TMPDIR/tree" "$bad"
}

# repository IMAGE: as the manual's jobs expect one, in the folder that this is called in.
repository() {
    mkdir -p image
    ln -sfn "$top" noptrace
    cp "$1" image/initramfs.img
    cp "$package" image
    cp "$(kernel_of "$bookworm")" image/vmlinuz
    cp "$bookworm"/boot/config-* image/config
}

# The manual's job, as JSON.
example_github() {
    example noptrace-image.8 'A job for GitHub Actions' | yq '.jobs.locks.steps[] | select(.uses // "" | startswith("./"))'
}

example_gitlab() {
    example noptrace-image.8 'A job for GitLab' | yq .
}

# shell_of github|gitlab: the template's commands.
shell_of() {
    case $1 in
        github) yq -r '.runs.steps[] | select(.run) | .run' "$ci/action.yml" ;;
        gitlab) yq -r '.[".noptrace"].script[]' "$ci/gitlab.yml" ;;
    esac
}

# before_of github|gitlab: what the manual's job runs before them.
before_of() {
    case $1 in
        github) example noptrace-image.8 'A job for GitHub Actions' | yq -r '.jobs.locks.steps[] | select(.run) | .run' ;;
        gitlab) example_gitlab | jq -r '.locks.before_script[]' ;;
    esac
}

# shellcheck disable=SC2016 # jq's variables
# variables_of github|gitlab: the environment in which they run, NAME=VALUE, where the manual's job extends them.
variables_of() {
    local job
    job=$(example_"$1")
    case $1 in
        github)
            echo "GITHUB_ACTION_PATH=$(jq -r .uses <<< "$job")"
            yq -r --argjson given "$(jq .with <<< "$job")" '(.inputs | map_values(.default) + $given) as $inputs
                | .runs.steps[] | select(.run) | .env | to_entries[]
                | "\(.key)=\(.value | capture("^\\$\\{\\{ inputs\\.(?<name>[a-z-]+) \\}\\}$").name | $inputs[.])"' "$ci/action.yml"
            ;;
        gitlab)
            yq -r --argjson given "$(jq .locks.variables <<< "$job")" \
                '.[".noptrace"].variables + $given | to_entries[] | "\(.key)=\(.value)"' "$ci/gitlab.yml"
            ;;
    esac
}

# run_job github|gitlab [NAME=VALUE…]: leaves $status and $output.
run_job() {
    local -a variables
    mapfile -t variables < <(variables_of "$1")
    rm -f noptrace-*.xml
    run env "${variables[@]}" "${@:2}" bash -e -o pipefail -c "$(before_of "$1" && shell_of "$1")"
}

# assert_kept CHECK-FAILURES BOOT-FAILURES: the results and the consoles are where the templates take them from.
assert_kept() {
    local kept name
    kept=$(yq -r '.runs.steps[] | select(.uses) | .with.path' "$ci/action.yml")
    assert_equal "$(yq -r '.[".noptrace"].artifacts.paths[]' "$ci/gitlab.yml")" "$kept"
    assert_equal "$(yq -r '.[".noptrace"].artifacts.reports.junit' "$ci/gitlab.yml")" 'noptrace-*.xml'
    assert_equal "$(while read -r name; do compgen -G "$name"; done <<< "$kept" | sort | xargs)" \
        'noptrace-boot.log noptrace-boot.xml noptrace-check.xml'
    assert_equal "$(sed 's/: .*//' noptrace-boot.log | sort -u)" $'maintenance boot\nnormal boot'
    assert_equal "$(xmllint --xpath 'count(//failure)' noptrace-check.xml)" "$1"
    assert_equal "$(xmllint --xpath 'count(//failure) > 0' noptrace-boot.xml)" "$2"
}

@test "the manual's jobs give the templates what these take, and shellcheck has nothing to say of their shell" {
    local job
    assert_equal "$(example_github | jq -r '.with | keys[]' | sort)" \
        "$(example_github | jq -r '.with | keys[]' | grep -xFf <(yq -r '.inputs | keys[]' "$ci/action.yml") | sort)"
    assert_equal "$(example_github | jq -r .uses)" ./noptrace/packaging/ci
    assert_equal "$(example_gitlab | jq -r '.include[].file')" packaging/ci/gitlab.yml
    assert_equal "$(example_gitlab | jq -r .locks.extends)" .noptrace
    for job in github gitlab; do
        shell_of "$job" | shellcheck -s bash -
        # both give prove all that it knows, by the names that it documents
        assert_equal "$(variables_of "$job" | sed -n 's/^\(NOPTRACE_[A-Z_]*\)=.*/\1/p' | sort)" \
            "$(sed -n 's/^#   \(NOPTRACE_[A-Z_]*\) .*/\1/p' "$ci/prove" | sort)"
        assert [ "$(variables_of "$job" | sed -n 's/^NOPTRACE_[A-Z_]*=image.//p' | xargs)" = 'initramfs.img vmlinuz config' ]
    done
}

@test "an image that locks lets a job on GitHub and on GitLab end well, and the results are kept" {
    cd "$BATS_TEST_TMPDIR"
    repository "$good"
    run_job github
    assert_success
    assert_line 'image/initramfs.img: ok'
    assert_line --regexp '^outcome +locked +open$'
    assert_kept 0 false
    # without the kernel's configuration too: the kernel itself is there
    run_job gitlab NOPTRACE_KERNEL_CONFIG=
    assert_success
    assert_line 'image/initramfs.img: cannot tell'
    assert_line --regexp '^outcome +locked +open$'
    assert_kept 0 false
}

@test "an image that does not lock, or a command line that keeps it from locking, ends a job in red, and says why" {
    local unnamed="prove: image/initramfs.img has not the noptrace that is built here: if it has a package's, name that with NOPTRACE_PROGRAM (program:)"
    cd "$BATS_TEST_TMPDIR"
    repository "$bad"
    run_job gitlab
    assert_failure 1
    assert_line --regexp '^  FAIL  wired '
    assert_line --regexp '^outcome +open +open$'
    assert_kept 1 true
    # which boot alone would not see
    repository "$good"
    run_job github NOPTRACE_CMDLINE='quiet maintenance'
    assert_failure 1
    assert_line --regexp '^  FAIL  maintenance '
    assert_kept 1 false
    # nor would it that the program is not the package's, for which all that there is to do is said
    run_job gitlab NOPTRACE_PROGRAM=
    assert_failure 1
    assert_line --regexp '^  FAIL  identity '
    assert_line --regexp '^outcome +locked +open$'
    assert_line "$unnamed"
    # but not where there is more to be done
    run_job gitlab NOPTRACE_PROGRAM= NOPTRACE_CMDLINE='quiet maintenance'
    assert_failure 1
    assert_kept 2 false
    refute_line "$unnamed"
    # and what check alone would not see
    run_job gitlab NOPTRACE_KERNEL=image/config
    assert_failure 2
    # nor is an earlier boot's console kept for its own
    assert [ ! -s noptrace-boot.log ]
    assert_line 'image/initramfs.img: ok'
    run_job github NOPTRACE_IMAGE=
    assert_failure
    assert_output --partial 'NOPTRACE_IMAGE: which image?'
}
