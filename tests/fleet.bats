#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What noptrace-fleet(7) says: its tables are what the real programs answer in guests, one for each state of a machine,
# and its files are used as they stand there. Run by `make fleet`, which makes the root with these programs.

# shellcheck source=tests/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

suite=${FLEET:-trixie}
root=$top/build/$suite-fleet/root
page=noptrace-fleet.7
states=(locked late maint. open 'no Yama')

setup_file() {
    export files=$BATS_FILE_TMPDIR
    handmade "$files/tree" "$root" "$program"
    pack "$files/tree" "$files/with"
    sed -i "/noptrace apply/d" "$files/tree/init"
    pack "$files/tree" "$files/without"
    make_disk
    # two at a time, as there are as many cores
    start_state locked with '' &
    start_state open without 'systemd.mask=noptrace.service audit' &
    wait
    start_state late without '' &
    start_state maint. with maintenance &
    wait
    start_state 'no Yama' without lsm=landlock
}

# start_state STATE IMAGE WORDS: what is answered there is in $files/STATE.
start_state() {
    run_guest "$files/$1" 900 tcg "root=LABEL=debian rw $3" -kernel "$(kernel_of "$root")" -initrd "$files/$2" \
        -drive "$(guest_disk "$files/disk")" < /dev/null > "$files/$1.console" 2>&1 || true
}

# from_page FILE: that file of the page, below the root of the disk.
from_page() {
    rm -f "$files/disk.tree$1"
    example "$page" "$1" > "$files/disk.tree$1"
}

make_disk() {
    local tree=$files/disk.tree version
    version=$(sed -n 's/^VERSION_ID="\(.*\)"/\1/p' "$root/etc/os-release")
    variant_of "$root" "$tree"
    # the kernel is the host's to load; the servers' side is tried outside of the guests
    rm -r "${tree:?}"/{usr/lib/modules,boot/vmlinuz-*,usr/bin/prometheus,usr/bin/promtool,usr/share/{doc,man,locale},var/cache/apt}
    rm -f "$tree/etc/fstab"
    echo 'LABEL=debian / ext4 defaults 0 0' > "$tree/etc/fstab"
    from_page /etc/default/prometheus-node-exporter
    from_page /etc/systemd/system/noptrace-status.service
    from_page /etc/systemd/system/noptrace-status.timer
    from_page /etc/nagios/nrpe.d/noptrace.cfg
    example "$page" tailoring.xml > "$tree/root/tailoring.xml"
    example "$page" /etc/lynis/custom.prf > "$tree/root/lynis.prf"
    # without its other keys, which take a minute in an emulated machine
    rm "$tree/etc/lynis/default.prf"
    sed '/^config-data=sysctl;/{ /;kernel\.yama\.ptrace_scope;/!d }' "$root/etc/lynis/default.prf" > "$tree/etc/lynis/default.prf"
    # One rule, where a whole scan takes minutes in an emulated machine; a rule that is named is looked at also if the
    # profile leaves it out.
    example "$page" 'The scan' | sed "s/oscap xccdf eval/& --rule \"\$rule\"/; s/debian13/debian$version/" > "$tree/root/scan"
    systemctl --quiet --root="$tree" enable noptrace.service noptrace-status.timer
    cat > "$tree/report" << 'END'
#!/bin/bash
cd /root
rule=xccdf_org.ssgproject.content_rule_sysctl_kernel_yama_ptrace_scope
content=$(sed -n '$s/ *//p' scan)

# says WHO SED-EXPRESSION: what it says of the scope.
says() {
    local answer
    answer=$(LC_ALL=C sed -n "$2")
    echo "$1 ${answer:-none}"
}

watch() {
    systemctl start noptrace-status.service
    until curl --silent --fail localhost:9100/metrics > metrics; do
        systemctl is-active --quiet prometheus-node-exporter || break
    done
    says node_sysctl_kernel_yama_ptrace_scope 's/^node_sysctl_kernel_yama_ptrace_scope //p' < metrics
    says noptrace_status 's/^noptrace_status //p' < metrics
    says textfile 's/^node_textfile_mtime_seconds{file="\(.*noptrace.*\)"}.*/\1/p' < metrics
    /usr/lib/nagios/plugins/check_nrpe -H localhost -c check_noptrace
    echo "check_nrpe $?"
}

ask_lynis() {
    lynis audit system --quick --no-colors --no-plugins --tests-from-group kernel_hardening \
        | says "$1" 's/.*kernel\.yama\.ptrace_scope (exp: .*\[ \(.*\) \].*/\1/p'
}

audit() {
    local scope
    scope="scope $(cat /proc/sys/kernel/yama/ptrace_scope)"
    ask_lynis "$scope Lynis"
    oscap xccdf eval --profile anssi_bp28_intermediary --rule "$rule" "$content" | says "$scope OpenSCAP" 's/^Result[[:space:]]*//p'
    kernel-hardening-checker -a | says "$scope kernel-hardening-checker" 's/^kernel\.yama\.ptrace_scope .*| *\([A-Z]*\).*/\1/p'
}

watch
echo "timer $(systemctl is-active noptrace-status.timer)"
if grep -q audit /proc/cmdline; then
    audit
    echo 'kernel.yama.ptrace_scope = 1' > /etc/sysctl.d/10-ptrace.conf
    systemctl restart systemd-sysctl
    audit
    # it looks for this in the working directory too
    cp lynis.prf /etc/lynis/custom.prf
    ask_lynis 'custom.prf'
    rm /etc/lynis/custom.prf
    noptrace lock
    audit
    . ./scan | says tailored 's/^Result[[:space:]]*//p'
    # and what the page warns of
    rm /etc/sysctl.d/10-ptrace.conf
    oscap xccdf eval --remediate --profile anssi_bp28_intermediary --rule "$rule" "$content" | grep '^Result' \
        | says remediated '$s/^Result[[:space:]]*//p'
    echo "run $(tail -n 1 /run/sysctl.d/zz-noptrace.conf)"
    echo "etc $(tail -n 1 /etc/sysctl.conf)"
fi
echo end
END
    reporting_disk "$files/disk" "$tree" prometheus.service icinga2.service exim4.service
}

# answered STATE: it told all that it had to tell.
answered() {
    grep -qx end "$files/$1" || fail "$(
        cat "$files/$1"
        plain "$files/$1.console" | tail -n 40
    )"
}

# table TITLE: the rows of that table of the page, with a tab between columns.
table() {
    awk -v title="$1" '
        /^\.S/ { found = substr($0, 5) == title }
        found && /^\.It .* Ta / && !/ Ta Em / { sub(/^\.It /, ""); gsub(/ Ta /, "\t"); print }' "$top/src/$page"
}

@test "the exporter and the plugin answer in each state of a machine what the page's table says" {
    local row state line
    for state in "${states[@]}"; do answered "$state"; done
    for row in node_sysctl_kernel_yama_ptrace_scope noptrace_status check_nrpe; do
        line=$row
        for state in "${states[@]}"; do line+=$'\t'$(found "$files/$state" "$row"); done
        echo "$line"
    done > "$BATS_TEST_TMPDIR/answers"
    table 'What watchers answer' | grep -v ^Noptrace | diff - "$BATS_TEST_TMPDIR/answers"
    for state in "${states[@]}"; do assert_equal "$(found "$files/$state" timer)" active; done
}

@test "the auditors answer at each scope what the page's table says, and what it says of them with its settings" {
    local row scope line
    answered open
    for row in Lynis OpenSCAP kernel-hardening-checker; do
        line=$row
        for scope in 3 0 1; do line+=$'\t'$(found "$files/open" "scope $scope $row"); done
        echo "$line"
    done > "$BATS_TEST_TMPDIR/answers"
    table 'What auditors answer' | diff - "$BATS_TEST_TMPDIR/answers"
    # at scope 1, and at 3
    assert_equal "$(found "$files/open" custom.prf)" DIFFERENT
    assert_equal "$(found "$files/open" tailored)" informational
    # the repair that the page warns of
    assert_equal "$(found "$files/open" remediated)" error
    assert_equal "$(found "$files/open" run)" '# kernel.yama.ptrace_scope = 3'
    assert_equal "$(found "$files/open" etc)" 'kernel.yama.ptrace_scope = 1'
}

# in_fleet COMMAND…: in the root, where the test's folder is /var/tmp.
in_fleet() {
    in_root "$root" "$BATS_TEST_TMPDIR" "$@"
}

# series METRIC INSTANCE VALUES [LABEL]: for promtool, of a machine whose exporter is asked.
series() {
    echo "      - {series: '$1{job=\"node\", instance=\"$2\"${4:+, $4}}', values: '$3'}"
}

# machine INSTANCE SCOPE STATUS FILE WRITTEN: one that answers that, with a file of metrics that was written then.
machine() {
    series up "$1" 1x60
    [[ $2 == none ]] || series node_sysctl_kernel_yama_ptrace_scope "$1" "$2x60"
    [[ $3 == none ]] || series noptrace_status "$1" "$3x60"
    [[ $4 == none ]] || series node_textfile_mtime_seconds "$1" "$5" "file=\"$4\""
}

# alerts NAME INSTANCE
alerts() {
    echo "          - {labels: '{alertname=\"$1\", instance=\"$2\"}', value: 1}"
}

@test "promtool takes the alert rules, and they alert where the page's table says, for what the exporter answered" {
    local state row every_minute=0+60x60 file=/var/lib/prometheus/node-exporter/noptrace.prom
    local -a rows answers
    example "$page" /etc/prometheus/noptrace.yml > "$BATS_TEST_TMPDIR/noptrace.yml"
    run in_fleet promtool check rules /var/tmp/noptrace.yml
    assert_success
    assert_line --partial '4 rules found'
    {
        printf '%s\n' 'rule_files: [noptrace.yml]' 'evaluation_interval: 1m' 'tests:' '  - interval: 1m' '    input_series:'
        for state in "${states[@]}"; do
            machine "$state" "$(found "$files/$state" node_sysctl_kernel_yama_ptrace_scope)" \
                "$(found "$files/$state" noptrace_status)" "$(found "$files/$state" textfile)" "$every_minute"
        done
        # one that does not answer, from the first or from some minute on
        series up down 0x60
        for row in 'up 1x9 0x49' 'node_sysctl_kernel_yama_ptrace_scope 3x9 stale' 'noptrace_status 0x9 stale'; do
            series "${row%% *}" stopped "${row#* }"
        done
        series node_textfile_mtime_seconds stopped '0+60x9 stale' "file=\"$file\""
        machine 'no program' 3 127 "$file" "$every_minute"
        machine 'timer ended' 3 0 "$file" 0x60
        machine 'other file' 3 0 /var/lib/prometheus/node-exporter/apt.prom "$every_minute"
        machine 'no file' 3 none none ''
        # as a full disk left it
        machine 'empty file' 3 none "$file" "$every_minute"
        printf '%s\n' '    promql_expr_test:' "      - expr: 'count by (alertname, instance) (ALERTS{alertstate=\"firing\"})'" \
            '        eval_time: 30m' '        exp_samples:'
        mapfile -t rows < <(table 'What watchers answer' | grep ^Noptrace)
        for row in "${rows[@]}"; do
            IFS=$'\t' read -ra answers <<< "$row"
            for state in "${!states[@]}"; do
                [[ ${answers[state + 1]} != alert ]] || alerts "${answers[0]}" "${states[state]}"
            done
        done
        alerts NoptraceWarning 'no program'
        for state in down stopped 'timer ended' 'other file' 'no file' 'empty file'; do alerts NoptraceStale "$state"; done
    } > "$BATS_TEST_TMPDIR/test.yml"
    run in_fleet promtool test rules /var/tmp/test.yml
    assert_success
    assert_equal "${#rows[@]}" 3
}

@test "where its answer cannot be written, the timer's service fails, and leaves the last one" {
    local command folder=$BATS_TEST_TMPDIR/full
    # without systemd's quotes, its $$ and the end of its lines
    command=$(example "$page" /etc/systemd/system/noptrace-status.service | sed -n '/^ExecStart=/,$p' | sed -e ':a' -e '/\\$/{ N; s/\\\n *//; ba; }' \
        -e "s,^ExecStart=/bin/sh -c '\(.*\)'\$,\1," -e 's/\$\$/$/g')
    mkdir "$folder"
    # shellcheck disable=SC2016 # the inner shell's
    run unshare --mount sh -c 'mount -t tmpfs -o size=4k tmpfs "$1" && cd "$1" && echo before > noptrace.prom
        noptrace() { return 1; }
        eval "$2"; echo "$?, $(cat noptrace.prom)"
        rm noptrace.prom && eval "$2"; echo "$?, $(cat noptrace.prom)"' - "$folder" "$command"
    assert_line '0, noptrace_status 1'
    assert_line --regexp '^[12], before$'
}

@test "Nagios takes the service, and Icinga the command and the service, for the host that each has by default" {
    example "$page" /etc/nagios4/conf.d/noptrace.cfg > "$BATS_TEST_TMPDIR/noptrace.cfg"
    { cat "$root/etc/nagios4/nagios.cfg" && echo cfg_file=/var/tmp/noptrace.cfg; } > "$BATS_TEST_TMPDIR/nagios.cfg"
    run in_fleet nagios4 -v /var/tmp/nagios.cfg
    assert_success
    assert_output --regexp 'Total Warnings: 0'
    assert_output --regexp "Checked $(($(grep -hc '^define service *{' "$root/etc/nagios4/objects/localhost.cfg") + 1)) services"
    example "$page" /etc/icinga2/conf.d/noptrace.conf > "$BATS_TEST_TMPDIR/noptrace.conf"
    printf 'include "%s"\n' /etc/icinga2/icinga2.conf /var/tmp/noptrace.conf > "$BATS_TEST_TMPDIR/icinga2.conf"
    # not for a host that the server would say its own state of
    printf '%s\n' 'object Host "agentless" {' '  check_command = "dummy"' '  vars.os = "Linux"' '}' >> "$BATS_TEST_TMPDIR/noptrace.conf"
    run in_fleet sh -c 'icinga2 daemon -C --dump-objects -c /var/tmp/icinga2.conf && icinga2 object list --type Service'
    assert_success
    refute_output --regexp 'warning|critical'
    assert_output --regexp "Object '[^']*!noptrace' of type 'Service'"
    refute_output --partial 'agentless!noptrace'
}

@test "the versions that the page has for this release are those of the programs that were tried here" {
    local column row
    local -a columns
    column=$(("$(sed -n 's/^VERSION_ID="\(.*\)"/\1/p' "$root/etc/os-release")" - 11))
    table 'TRIED WITH' > "$BATS_TEST_TMPDIR/page"
    while IFS=$'\t' read -ra columns; do
        columns[column]=$(upstream_version "$root" "${columns[0]%%,*}")
        row=$(printf '\t%s' "${columns[@]}")
        echo "${row:1}"
    done < "$BATS_TEST_TMPDIR/page" > "$BATS_TEST_TMPDIR/here"
    diff "$BATS_TEST_TMPDIR/page" "$BATS_TEST_TMPDIR/here"
    assert [ -s "$BATS_TEST_TMPDIR/page" ]
}
