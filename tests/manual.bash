# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The manuals' examples, which the tests run as they stand there. Sourced with $top, the tree's folder; without mandoc,
# which a machine that only shows the demo does not have.

# example PAGE SUBSECTION: the literal text of that section of PAGE, or subsection of its EXAMPLES, as a reader sees it. A
# page of section 7 is examples throughout. Fails if there is none.
example() {
    # shellcheck disable=SC2154 # whoever sources this sets it
    awk -v title="$2" '
        /^\.Sh / { examples = $2 == "EXAMPLES" || FILENAME ~ /\.7$/; found = substr($0, 5) == title }
        /^\.Ss / { found = examples && substr($0, 5) == title }
        found && /^\.Ed/ { literal = 0 }
        literal { gsub(/\\e/, "\\"); print; printed = 1 }
        found && /^\.Bd -literal/ { literal = 1 }
        END { exit !printed }' "$top/src/$1" || {
        echo "no example in $1: $2" >&2
        return 1
    }
}

# upstream_version ROOT PACKAGE: of what ROOT has of that package, or source package, without Debian's part; for the
# manuals' tables of what was tried. What was unpacked there and not installed says it in its changelog.
upstream_version() {
    local version
    # shellcheck disable=SC2016 # dpkg-query's variables
    version=$(dpkg-query --admindir="$1/var/lib/dpkg" -W -f '${Package} ${source:Package} ${source:Upstream-Version}\n' \
        | awk -v name="$2" '$1 == name || $2 == name { print $3; exit }')
    [[ $version ]] || version=$(zcat "$1/usr/share/doc/$2/changelog.Debian.gz" | sed 's/.*(\([^)-]*\).*/\1/; q')
    echo "${version%%[+~]*}"
}
