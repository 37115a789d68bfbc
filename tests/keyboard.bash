# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# A guest whose console somebody reads and types at: the tests, and the demo. Sourced after guest.bash.

# at_keyboard DIRECTORY COMMAND…: runs COMMAND, which starts a guest, in the background ($guest), with
# DIRECTORY/console as its console.
at_keyboard() {
    console=$1/console
    rm -f "$1/keyboard"
    : > "$console"
    mkfifo "$1/keyboard"
    "${@:2}" < "$1/keyboard" > "$console" 2>&1 3>&- &
    # shellcheck disable=SC2034 # for the caller
    guest=$!
    exec 7> "$1/keyboard"
}

# shown COUNT TEXT: whether the text has come so often on the console.
shown() {
    (($(plain "$console" | tr '\r' '\n' | grep -a -c -F -- "$2") >= $1))
}

# How long a text may take to come, in seconds.
patience=120

# await COUNT TEXT: until the text has come so often on the console. A prompt has no end of line to wait
# for, so the file is looked at again and again.
await() {
    local seconds=${SECONDS}
    until shown "$1" "$2"; do
        if ((SECONDS - seconds > patience)); then
            echo "not $1 times on the console: $2"
            plain "$console" | tail -n 40
            return 1
        fi >&2
        sleep 0.1
    done
}

# press KEY…: each in one write, as a terminal sends them.
press() {
    local key
    for key; do
        case $key in
            Down) key=$'\e[B' ;;
            Enter) key=$'\r' ;;
        esac
        printf %s "$key" >&7
    done
}

# choose ENTRY…: down GRUB's menu, over each of these, to the last. An arrow key is three bytes, and to a GRUB that the
# host keeps waiting it can be three keys: it is pressed again where it did nothing.
choose() {
    local entry try i
    for entry; do
        for try in 1 2 3 4 5; do
            press Down
            for ((i = 0; i < 50; i++)); do
                ! shown 1 "*$entry" || continue 3
                sleep 0.1
            done
        done
        echo "not highlighted after $try times Down: $entry" >&2
        return 1
    done
}
