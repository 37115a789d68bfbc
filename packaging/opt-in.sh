#!/bin/sh
# SPDX-License-Identifier: MIT
#
# postinst, prerm and postrm of Debian's noptrace-dracut and noptrace-initramfs, and %posttrans, %preun and %postun of the
# rpm noptrace-dracut: has the lock put into every kernel's image, or taken out of it, and the boot menus written again.
# The generators and GRUB go by the files that the package brings, and that are gone with it; the entries of other boot
# loaders are removed while what wrote them is still there.
set -e
# which cp --parents of coreutils 9.1 has to be in
cd /

# Where `make install` puts the programs.
libexec=/usr/libexec/noptrace

# dpkg says in the environment which script this is, and whose. rpm does not: its spec sets this.
scriptlet=

package=${DPKG_MAINTSCRIPT_PACKAGE:-noptrace-dracut}
# what lists the files of an image
list=lsinitrd
[ "$package" != noptrace-initramfs ] || list=lsinitramfs

newline='
'

# A shared ESP has names of any bytes.
say() {
    printf '%s: %s\n' "$package" "$*" | tr -c '\n -~' '?' >&2
}

# What runs outside of the root that it is for would build the images of the machine that it runs on.
[ ! "${DPKG_ROOT-}" ] || {
    say "$DPKG_ROOT: another root's images are not built from here, nor its boot menus written: install this package again in it"
    exit 0
}

# dracut needs it
[ -d "${TMPDIR-}" ] || unset TMPDIR

# dracut copies onto the image that is there and, where /boot has no room for all of it, removes that: it may have been the
# last one that boots. So there is a copy of each in this folder, where nothing ages, until they are built. It stays where
# this script was killed, or where an image could not be put back; the next of these scripts begins with that. GRUB's menu,
# which is written the same way, and may be right behind images that are larger now, has a copy there too.
kept=/var/lib/noptrace/images
# to the scriptlets of rpm-ostree /var/lib is read-only; what is killed there leaves a tree that no machine boots
[ -w /var/lib ] || { temporary=$(mktemp -d --tmpdir=/var/tmp noptrace.XXXXXX) && kept=$temporary/images; } || :
# The version of the kernel whose images are being written, each of which may be cut short; or /, for all of them; or GRUB's
# menu.
building=$kept.building

keep_images() {
    # a copy that was cut short is never below the name
    rm -rf "$kept.new"
    if ! (umask 077 && mkdir -p "$kept.new") \
        || ! images -size +0 | while IFS= read -r image; do cp -a --parents "$image" "$kept.new" || exit 1; done \
        || ! mv -T "$kept.new" "$kept" || ! sync -f "$kept"; then
        say 'no copies of the images can be kept, see above, so none is built again: make room there'
        return 1
    fi
}

# is_whole IMAGE: whether it can be read to its end. One that was cut short may have been built by hand since. GRUB's menu is
# whole where what is copied onto it is gone.
is_whole() {
    if [ "$1" = "$unfinished" ]; then
        [ ! -e /boot/grub/grub.cfg.new ] && [ ! -e /boot/grub2/grub.cfg.new ]
    else
        # lsinitrd reads a UKI only where there is objcopy, and lsinitramfs none
        "$list" "$1" < /dev/null > /dev/null 2>&1 \
            || { [ "${1%.efi}" != "$1" ] && "$libexec/noptrace-uki" line "$1" > /dev/null 2>&1; }
    fi
}

# is_unfinished IMAGE: whether it was being written.
is_unfinished() {
    [ "${1#*"$unfinished"}" != "$1" ]
}

# take_tries_off UKI: sets $stem to its path without what systemd-boot counts at its end.
take_tries_off() {
    stem=${1%.efi}
    case ${stem##*+} in
        *[!0-9-]*) ;;
        *) stem=${stem%+*} ;;
    esac
}

# is_counted IMAGE: whether it is a UKI whose boots are counted, and that has another name, $counted, for that.
is_counted() {
    [ "${1%.efi}" != "$1" ] || return 1
    take_tries_off "$1"
    uncounted=$stem
    for counted in "$uncounted".efi "$uncounted"+*.efi; do
        take_tries_off "$counted"
        [ "$counted" = "$1" ] || [ "$stem" != "$uncounted" ] || [ ! -s "$counted" ] || return 0
    done
    return 1
}

# has_no_kernel IMAGE: whether it is named after a version of which no kernel is there. A package that is removed, and not
# purged, leaves files in the folder of its modules.
has_no_kernel() {
    case $1 in
        *[/-][0-9]*.[0-9]*) ;;
        *) return 1 ;;
    esac
    for kernel in /lib/modules/*/kernel /lib/modules/*/vmlinu? /boot/vmlinu?-* /boot/*[Ii]mage-* /boot/kernel-*; do
        case $kernel in
            /lib/*) kernel=${kernel%/*} kernel=${kernel##*/} ;;
            *) kernel=${kernel#*-} ;;
        esac
        case $1 in
            *[/-]"$kernel" | *[/-]"$kernel"[./+]*) return 1 ;;
        esac
    done
}

# The images that are gone, and those that were being written, unless they are what they were, or whole. Sets $gone.
put_back() {
    gone=no
    [ -d "$kept" ] || return 0
    # no image has a newline in its name
    unfinished=$newline
    [ ! -e "$building" ] || unfinished=$(cat "$building")
    find "$kept" -type f | {
        while IFS= read -r copy; do
            image=${copy#"$kept"}
            there=$image
            [ -e "$image" ] || ! is_counted "$image" || there=$counted
            # a boot loader would read what came so far, were it called as the image is
            new=${image%/*}/.noptrace
            if [ -s "$there" ] && { ! is_unfinished "$image" || cmp -s "$copy" "$there" || is_whole "$there"; }; then
                continue
            fi
            # whoever removes a kernel removes its image too
            if [ ! -e "$image" ] && has_no_kernel "$image"; then
                rm -f "$copy"
                continue
            fi
            # that of a build that failed may have taken the room
            if { cp -a "$copy" "$new" || { rm -f "$image" && cp -a "$copy" "$new"; }; } && sync "$new" && mv "$new" "$image"; then
                if [ "$image" = "$unfinished" ]; then
                    say "$image: could not be written, and is the old one, put back"
                else
                    say "$image: could not be built, and is the old one, put back; it $old_ones"
                fi
            else
                rm -f "$new"
                gone=yes
                say "$image: is gone, and the old one, $copy, cannot be put back: do not reboot this machine" \
                    'before it is; or remove that, if its kernel is gone'
            fi
        done
        [ "$gone" = no ]
    } || gone=yes
}

# The copies of images that are other ones now.
forget_built() {
    find "$kept" -type f | while IFS= read -r copy; do
        image=${copy#"$kept"}
        if [ -s "$image" ]; then
            cmp -s "$copy" "$image" || rm "$copy"
        elif is_counted "$image"; then
            rm "$copy"
        fi
    done
}

# All copies, unless one is the only good one of its image.
forget() {
    [ "$gone" = no ] || return 0
    rm -rf "$kept" "$kept.new" "$building"
    [ ! -d "${kept%/*}" ] || rmdir "${kept%/*}" || :
}

# Some generators succeed, and leave no image. What was forgotten has another name.
all_there() {
    find "$kept" -type f | while IFS= read -r copy; do [ -s "${copy#"$kept"}" ] || exit 1; done
}

# build VERSION COMMAND…: what has the images of a kernel written; or, with / instead, of one after the other. Where one is
# gone, the next would take its room.
build() {
    [ "$gone" = no ] || return 1
    echo "$1" > "$building" && sync -f "$building" || return 1
    version=$1
    shift
    # openSUSE's names an image anew where it is another one
    if "$@" && forget_built && { [ "$version" = / ] || all_there; }; then
        rm "$building"
    else
        # what was to build them all has gone on to the next: those that are there are whole
        [ "$version" != / ] || rm "$building"
        put_back
        return 1
    fi
}

# What the administrator has set there, as update-initramfs reads it.
update_initramfs_conf() {
    # shellcheck disable=SC1091 # not of ours
    (update_initramfs='' && . /etc/initramfs-tools/update-initramfs.conf > /dev/null && echo "$update_initramfs") 2> /dev/null
}

# is_new IMAGE: update-initramfs succeeds as well where it takes /boot for read-only, and leaves it. What builds a system's
# tree diverts it, to build the images at the end.
is_new() {
    [ "$before" ] && [ "$(find "$1" ! -newer "$before")" ] || return 0
    [ "$(dpkg-divert --truename /usr/sbin/update-initramfs)" = /usr/sbin/update-initramfs ] || return 0
    say "$1: update-initramfs left it as it was: mount /boot read-write, and run $again"
    return 1
}

# Not by the trigger update-initramfs: that builds the newest kernel's image only, and each of them can be booted.
# What else an image is copied to, systemd-boot's partition for one, post-update.d knows. An image that cannot be built
# does not keep those of other kernels from it.
build_images() {
    failed=0 copied='' generator=dracut
    [ "$package" != noptrace-initramfs ] || generator=update-initramfs
    [ "$gone" = no ] || {
        say 'no image is built while one is gone'
        return 1
    }
    command -v "$generator" > /dev/null || {
        say "there is no $generator, so no image is built"
        return 0
    }
    if [ "$generator" = update-initramfs ] && [ "$(update_initramfs_conf)" = no ]; then
        say 'update_initramfs=no in /etc/initramfs-tools/update-initramfs.conf, so no image was built:' \
            'to have all of them built, run update-initramfs -c -k all'
        return 0
    fi
    keep_images || return 1
    case ${scriptlet:+rpm-}$package in
        noptrace-dracut)
            for image in /boot/initrd.img-*; do
                version=${image#/boot/initrd.img-}
                [ -e "/lib/modules/$version/modules.dep" ] || continue
                [ "$gone" = no ] || break
                echo "dracut: Generating $image"
                # from Debian 13 on it would call post-update.d itself
                build "$version" env NO_POST_UPDATE_HOOKS=1 dracut --quiet --force "$image" "$version" \
                    && { [ ! -d /etc/initramfs/post-update.d ] \
                        || build "$version" run-parts --arg="$version" --arg="$image" /etc/initramfs/post-update.d; } \
                    || failed=1
            done
            ;;
        noptrace-initramfs)
            # not -k all, which stops at the first that fails
            for version in $(linux-version list); do
                image=/boot/initrd.img-$version
                [ -e "$image" ] || continue
                build "$version" update-initramfs -u -k "$version" && is_new "$image" || failed=1
            done
            ;;
        rpm-noptrace-dracut)
            # openSUSE's, which knows the boot loaders that want a copy
            regenerate=/usr/lib/module-init-tools/regenerate-initrd-posttrans
            if [ -x "$regenerate" ]; then
                mkdir -p /run/regenerate-initrd && touch /run/regenerate-initrd/all && build / "$regenerate" || failed=1
                set --
            else
                set -- /lib/modules/*
            fi
            # not --regenerate-all, which goes on to the next kernel
            for kernel; do
                [ -e "$kernel/modules.dep" ] || continue
                version=${kernel##*/}
                # where bootc and ostree have it, and dracut does not look: for any machine, as noptrace-recipes(7) has it
                if [ -e "$kernel/initramfs.img" ]; then
                    build "$version" env DRACUT_NO_XATTR=1 dracut --quiet --force --no-hostonly "$kernel/initramfs.img" "$version" \
                        || failed=1
                else
                    copy=$(copies_of "$version" | head -n 1)
                    if [ ! "$copy" ] || [ -e "$kernel/initrd" ]; then
                        build "$version" dracut --quiet --force --kver "$version" || failed=1
                    fi
                    [ ! "$copy" ] || {
                        say "$copy: dracut does not build what kernel-install has put there:" \
                            "run kernel-install add $version $kernel/vmlinuz in a normal boot"
                        copied=yes
                    }
                fi
            done
            ;;
    esac
    return "$failed"
}

# images TEST…: those that pass these tests of find. A kdump image is no boot of the machine, and kdump builds it. As deep
# as /boot/efi/EFI/Linux; an ESP that is elsewhere is not looked at, and no name with a newline, which is no image's, or of
# what update-initramfs has while it builds. A folder of these may itself be a link.
images() {
    for folder in /boot /efi /lib/modules; do
        [ ! -d "$folder" ] || find -H "$folder" -maxdepth 4 -type f ! -name '*kdump*' ! -path "*$newline*" "$@" \
            \( -name initrd -o -name 'initrd.img*' -o -name 'initrd-*' -o -name 'initramfs-*' -o -name initramfs.img \
            -o -path '*/EFI/Linux/*.efi' ! -name '*.addon.efi' \) ! -name '*.conf' ! -name '*.sig' ! -name '*.dpkg-bak' ! -name '*.new' || :
    done
}

# copies_of VERSION: the images of a kernel that boot where kernel-install has put them, and where dracut, which would build
# another, does not look: UKIs, that of an entry whose token is not the machine's id, and those that are made of what is beside
# the kernel. Not built by kernel-install add from here: in a maintenance boot a UKI can get the word of that, and keep it.
copies_of() {
    # a vendor's UKI, which is copied as it is
    for image in "/lib/modules/$1"/*.efi; do [ ! -e "$image" ] || return 0; done
    machine=''
    { read -r machine < /etc/machine-id; } 2> /dev/null || :
    # dracut's own UKI has nothing before that
    set -- "$1" -path "*/$1/initrd" ! -path "*/${machine:-Default}/*" ! -path '*/Default/*' \
        -o -path "*/EFI/Linux/*-$1.efi" ! -name "linux-$1.efi" -o -path "*/EFI/Linux/*-$1+*.efi"
    [ ! -e "/lib/modules/$1/initrd" ] || set -- "$@" -o -name "initramfs-$1.img"
    shift
    images ! -path '/lib/*' \( "$@" \)
}

# Of a kernel that is gone, of one that its administrator does not want updated, a rescue image, a UKI: that is no reason to
# fail, but to be told.
name_images_of_before() {
    [ "$before" ] || {
        say "no temporary file can be made: which images were not built again is not known; each of them $old_ones"
        return 0
    }
    images ! -newer "$before" | while IFS= read -r image; do
        case $image in
            *-0-rescue*) remedy="remove it and its boot entry, or run dracut --force --no-hostonly --add rescue $image VERSION" ;;
            *.efi) remedy='run kernel-install add VERSION KERNEL in a normal boot, or remove it' ;;
            *) remedy='build it by its name, or remove it and its boot entry' ;;
        esac
        say "$image: not built again; it $old_ones: $remedy; see noptrace(8), PACKAGES"
    done
}

# is_open IMAGE: whether it is a UKI with the word, and not by its name one for maintenance. A generator's hook may call
# kernel-install, which gives it the command line of this boot.
is_open() {
    case $1 in
        *-maintenance.efi) return 1 ;;
        *.efi) line=$("$libexec/noptrace-uki" line "$1") && printf '%s\n' "$line" | "$libexec/noptrace-cmdline" has maintenance ;;
        *) return 1 ;;
    esac
}

# A generator succeeds as well where it was told to leave noptrace out, where something else of an image takes away what
# calls it, or where the image has the word.
look_into_images() {
    [ "$(images)" ] || say 'no image was found in /boot, /efi or /lib/modules, so none locks yet;' \
        'if /boot is not mounted, mount it, and install this package again'
    # as was just said
    [ "$before" ] || return 1
    calls='(system|sysinit\.target\.wants)/noptrace-initramfs\.service|hooks/cmdline/00-noptrace\.sh'
    why='look in /etc/dracut.conf and /etc/dracut.conf.d for what leaves the module noptrace out'
    if [ "$package" = noptrace-initramfs ]; then
        calls=scripts/init-top/00-noptrace
        why='look whether /usr/share/initramfs-tools/hooks/noptrace can be executed'
    fi
    images -newer "$before" | {
        failed=0
        while IFS= read -r image; do
            if is_open "$image"; then
                say "$image has the word maintenance: it would be open at every boot: put the command line without it into" \
                    '/etc/kernel/cmdline, and install this package again'
                failed=1
            fi
            # in /usr/bin where a distribution has made these one folder; usr/lib, to see that it could be read
            found=$("$list" "$image" < /dev/null | sed 's/ -> .*//' | grep -E "(^|[ /])usr/(lib|s?bin/noptrace)\$|($calls)\$") || found=
            case $found$image in
                /*.efi)
                    say "$image: $list cannot read it, so it was not looked into, and may lack the lock: noptrace-image check tells"
                    continue
                    ;;
            esac
            case $found in
                *bin/noptrace*) lacks='nothing that calls usr/sbin/noptrace' ;;
                *) lacks='no usr/sbin/noptrace' ;;
            esac
            case $lacks$found in
                nothing*00-noptrace*) continue ;;
                nothing*system/noptrace-*wants/noptrace-* | nothing*wants/noptrace-*system/noptrace-*) continue ;;
            esac
            say "$image: $list finds $lacks in it, so it does not lock: $why, mend that, and install this package again"
            failed=1
        done
        [ "$failed" = 0 ]
    }
}

# Files of an administrator's, which outlive the package.
name_files_that_ask() {
    set -- /etc/dracut.conf /etc/dracut.conf.d/*.conf
    [ "$package" != noptrace-initramfs ] || set -- /etc/initramfs-tools/noptrace.conf
    for file; do
        ! grep -qs '^[^#]*noptrace' "$file" || say "$file still names noptrace: take that out, and build the images again"
    done
}

# Entries of the Boot Loader Specification are the plugin's: there GRUB's menu stays as it is, since RHEL 8's
# grub2-mkconfig takes back what others have set in grubenv. Whether it reads them is asked as the plugin does.
grub_menu() {
    # its entry would lose the line that names the image, and get it back from nobody
    [ "$gone" = no ] || {
        say "GRUB's menu stays as it was, since an image is gone"
        return 0
    }
    if [ -e /boot/grub/grub.cfg ] && command -v update-grub > /dev/null; then
        menu=/boot/grub/grub.cfg
        set -- update-grub
    elif [ -e /boot/grub2/grub.cfg ] && command -v grub2-mkconfig > /dev/null \
        && ! sed 's/^[[:space:]]*#.*//; s/insmod[[:space:]]\{1,\}[^[:space:];]*//g' /boot/grub2/grub.cfg \
        | grep -qwE 'blscfg|bls_import'; then
        menu=/boot/grub2/grub.cfg
        set -- grub2-mkconfig -o "$menu"
    else
        return 0
    fi
    new=$menu.new menu=$(readlink -f "$menu")
    # those of the images, of which some may have other names now
    forget
    rm -rf "$kept.new"
    inode=$(stat -c %i "$menu")
    if ! (umask 077 && mkdir -p "$kept${menu%/*}") || ! cp -a "$menu" "$kept.new" || ! mv "$kept.new" "$kept$menu"; then
        say "no copy of GRUB's menu can be kept, see above, so it stays as it was: make room there, and run $*"
        return 0
    fi
    build "$menu" "$@" || {
        [ "$gone" = no ] || return 1
        # one that is not taken for a menu stays, for who is told of it
        [ "$(stat -c %i "$menu")" = "$inode" ] || rm -f "$new" || :
        say "$1 failed: GRUB's menu stays as it was"
    }
}

# boot_entries add|clean: the plugin never fails, but where `make uninstall` was it is gone.
boot_entries() {
    [ -x "$plugin" ] || {
        say "$plugin is gone: install this package again"
        return 1
    }
    "$plugin" "$1"
}

before=$(mktemp) || before=
# where /boot is FAT, times are those of every other second
[ ! "$before" ] || touch -d '2 seconds ago' "$before"
plugin=/usr/lib/kernel/install.d/95-noptrace.install
old_ones='may lack the lock' again='dpkg --configure -a'

# clean_up [SIGNAL]: dash runs no EXIT trap where a signal ends it.
clean_up() {
    trap '' HUP INT PIPE QUIT TERM
    trap - EXIT
    [ ! "${1-}" ] || put_back
    forget
    rm -f ${before:+"$before"}
    [ ! "${1-}" ] || {
        trap - "$1"
        kill -s "$1" $$
    }
}
trap clean_up EXIT
for signal in HUP INT PIPE QUIT TERM; do
    # shellcheck disable=SC2064 # this signal
    trap "clean_up $signal" "$signal"
done

put_back
forget

case ${scriptlet:-$DPKG_MAINTSCRIPT_NAME}_$1 in
    postinst_configure | postinst_triggered)
        build_images
        name_images_of_before
        look_into_images
        grub_menu
        boot_entries add
        ;;
    postinst_abort-remove)
        boot_entries add
        ;;
    posttrans_*)
        # To rpm the package is installed all the same.
        build_images || {
            say 'not every image could be built, see above; mend that, and install this package again'
            failed=1
        }
        name_images_of_before
        look_into_images || failed=1
        # where that was done, there is nothing to install again
        [ ! "$copied" ] || failed=1
        grub_menu || failed=1
        boot_entries add || failed=1
        exit "$failed"
        ;;
    prerm_remove | preun_0)
        boot_entries clean || say 'maintenance entries may be left'
        ;;
    postrm_remove | postun_0)
        # A package that cannot be removed helps nobody.
        old_ones='may still lock' again='update-initramfs -u -k all'
        [ "$(images)" ] || say 'no image was found in /boot, /efi or /lib/modules;' \
            'if /boot is not mounted, mount it, and build its images again: they still lock'
        build_images || say 'an image could not be built, see above; it may still lock'
        name_images_of_before
        name_files_that_ask
        grub_menu || :
        ;;
    postrm_purge)
        # Of our scripts for GRUB, silent as they are, its menu has a few lines.
        grub_menu || :
        ;;
esac

#DEBHELPER#
