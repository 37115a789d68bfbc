# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# noptrace-image: what was found, and the formats that it is given out in. noptrace-image(8) documents
# each of them: a change of their shape is a change of the interface.

# One element for each result, in the order of their coming.
result_image=() result_status=() result_point=() result_text=()
# One element for each image: its path, the exit code it stands for, and that code in words.
images=() codes=() verdicts=()

# result STATUS POINT TEXT: of the image that comes next to conclude. STATUS is ok, FAIL, warn or n/a.
result() {
    result_image+=("${#images[@]}")
    result_status+=("$1")
    result_point+=("$2")
    # one line, whatever was found in an image
    result_text+=("${3//[[:cntrl:]]/?}")
}

# points STATUS: the points of the image at hand that have it, separated by commas.
points() {
    local i list=
    for i in "${!result_status[@]}"; do
        [[ ${result_image[i]} != "${#images[@]}" || ${result_status[i]} != "$1" ]] || list+=", ${result_point[i]}"
    done
    printf '%s' "${list#, }"
}

# conclude IMAGE CODE VERDICT: ends the results of IMAGE.
conclude() {
    images+=("${1//[[:cntrl:]]/?}")
    codes+=("$2")
    verdicts+=("$3")
}

# overall: the exit code for all images: a file that cannot be read before an image that does not lock, and
# that before one that cannot be told.
overall() {
    local code
    for code in 2 1 255 124 77 3; do
        [[ " ${codes[*]} " != *" $code "* ]] || break
    done
    [[ " ${codes[*]} " == *" $code "* ]] && echo "$code" || echo 0
}

print_text() {
    local image i
    local -A colour=([ok]=$'\e[32m' [FAIL]=$'\e[31m' [warn]=$'\e[33m' ['n/a']=$'\e[2m' [end]=$'\e[0m')
    [[ -t 1 && ! ${NO_COLOR-} ]] || colour=()
    for image in "${!images[@]}"; do
        printf '%s: %s\n' "${images[image]}" "${verdicts[image]}"
        for i in "${!result_status[@]}"; do
            [[ ${result_image[i]} != "$image" ]] || printf '  %s%-4s%s  %-12s  %s\n' \
                "${colour[${result_status[i]}]-}" "${result_status[i]}" "${colour[end]-}" \
                "${result_point[i]}" "${result_text[i]}"
        done
    done
}

# TAP 13: a point that does not apply is a skipped one, a warning is one that passed, with its text.
print_tap() {
    local i name
    echo 'TAP version 13'
    echo "1..${#result_status[@]}"
    for i in "${!result_status[@]}"; do
        name="$((i + 1)) - ${images[result_image[i]]}: ${result_point[i]}"
        # what follows a # would be a directive
        name=${name//'#'/'\#'}
        case ${result_status[i]} in
            ok) printf 'ok %s\n' "$name" ;;
            warn) printf 'ok %s\n# warn: %s\n' "$name" "${result_text[i]}" ;;
            n/a) printf 'ok %s # SKIP %s\n' "$name" "${result_text[i]}" ;;
            FAIL) printf 'not ok %s\n# %s\n' "$name" "${result_text[i]}" ;;
        esac
    done
}

# json TEXT: as a JSON string. There are no control characters in it: see result.
json() {
    local text=${1//\\/\\\\}
    printf '"%s"' "${text//\"/\\\"}"
}

print_json() {
    local image i separator
    printf '{"format": 1, "call": "%s", "exit": %s, "images": [' "$1" "$(overall)"
    for image in "${!images[@]}"; do
        ((image == 0)) || printf ','
        printf '\n  {"image": %s, "verdict": %s, "exit": %s, "points": [' \
            "$(json "${images[image]}")" "$(json "${verdicts[image]}")" "${codes[image]}"
        separator=
        for i in "${!result_status[@]}"; do
            [[ ${result_image[i]} == "$image" ]] || continue
            printf '%s\n    {"point": %s, "status": "%s", "text": %s}' "$separator" \
                "$(json "${result_point[i]}")" "${result_status[i]}" "$(json "${result_text[i]}")"
            separator=,
        done
        printf ']}'
    done
    printf ']}\n'
}

xml() {
    sed -e 's/&/\&amp;/g' -e 's/</\&lt;/g' -e 's/>/\&gt;/g' -e 's/"/\&quot;/g' <<< "$1"
}

# count IMAGE STATUS: how many points of that image have it; an empty STATUS counts them all.
count() {
    local i n=0
    for i in "${!result_status[@]}"; do
        [[ ${result_image[i]} != "$1" ]] || [[ $2 && ${result_status[i]} != "$2" ]] || n=$((n + 1))
    done
    echo "$n"
}

# A suite for each image, a case for each point.
print_junit() {
    local image i text
    echo '<?xml version="1.0" encoding="UTF-8"?>'
    echo '<testsuites name="noptrace-image">'
    for image in "${!images[@]}"; do
        printf '  <testsuite name="%s" tests="%s" failures="%s" skipped="%s">\n' "$(xml "${images[image]}")" \
            "$(count "$image" '')" "$(count "$image" FAIL)" "$(count "$image" n/a)"
        for i in "${!result_status[@]}"; do
            [[ ${result_image[i]} == "$image" ]] || continue
            printf '    <testcase classname="noptrace-image.%s" name="%s">' "$1" "$(xml "${result_point[i]}")"
            text=$(xml "${result_text[i]}")
            case ${result_status[i]} in
                FAIL) printf '<failure message="%s"/>' "$text" ;;
                n/a) printf '<skipped message="%s"/>' "$text" ;;
                *) printf '<system-out>%s: %s</system-out>' "${result_status[i]}" "$text" ;;
            esac
            echo '</testcase>'
        done
        echo '  </testsuite>'
    done
    echo '</testsuites>'
}

# print_results CALL FORMAT JUNIT-FILE: on stdout, and to the file if one is given.
print_results() {
    # Names of files are bytes; what reads the others wants UTF-8.
    case $2 in
        # boot has said it in its table
        text) [[ $1 == boot ]] || print_text ;;
        *) "print_$2" "$1" | iconv -c -f UTF-8 -t UTF-8 ;;
    esac
    [[ ! $3 ]] || print_junit "$1" | iconv -c -f UTF-8 -t UTF-8 > "$3"
}
