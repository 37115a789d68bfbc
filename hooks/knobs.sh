# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# The knobs of maintenance entries, for both who write them: sourced by hooks/grub.d and hooks/kernel-install. Whatever
# is in a file that is left to us to read, neither grub-mkconfig nor a kernel's installation ends by it.

# settings FILE NAME…: what the variables are after the shell has read FILE, as grub-mkconfig reads it, a line for
# each, in which a newline is a tab, and a last line that is missing where FILE exits or a command of it fails, as "A = no"
# does: grub-mkconfig would end there. bash goes on behind a quote that is not closed, and dash reads a folder as if it
# were empty.
settings() {
    [ -f "$1" ] || [ "$(readlink -f "$1")" = /dev/null ] || return
    # shellcheck disable=SC2016 # the inner shell's
    sh -n "$1" && sh -ec '. "$1" >&2; shift
        for name; do eval "printf %s \"\${$name-}\"" | tr "\n" "\t"; echo; done; echo end' - "$@" < /dev/null
}

# read_knobs: sets $menu, $users, $hotkey and $title, and $wrong where it cannot be told from these what is wanted. In the
# environment they are where grub-mkconfig has read them, as Debian's does; upstream's reads /etc/default/grub alone.
read_knobs() {
    knobs=/etc/default/grub.d/noptrace.cfg file=$knobs
    # a link that leads nowhere is somebody's, who meant something by it
    [ -z "${NOPTRACE_MENU+set}" ] && { [ -e "$knobs" ] || [ -L "$knobs" ]; } || file=/dev/null
    values=$(
        export NOPTRACE_MENU="${NOPTRACE_MENU-yes}"
        settings "$file" NOPTRACE_MENU NOPTRACE_MENU_USERS NOPTRACE_MENU_HOTKEY NOPTRACE_MENU_TITLE
    ) || :
    # shellcheck disable=SC2034 # whoever sources this uses them
    {
        IFS= read -r menu
        IFS= read -r users
        IFS= read -r hotkey
        IFS= read -r title
        IFS= read -r last
    } << END || :
$values
END
    # shellcheck disable=SC2034 # likewise
    wrong=''
    case $menu/$users in
        no/*) ;;
        yes/*[!A-Za-z0-9._,\ -]*) wrong="NOPTRACE_MENU_USERS=$users: names of GRUB users, separated by spaces" ;;
        yes/*) ;;
        *) wrong="NOPTRACE_MENU=$menu: must be yes or no" ;;
    esac
    # shellcheck disable=SC2034 # likewise
    [ "$last" = end ] || wrong="$knobs could not be read to its end"
}
