/* SPDX-License-Identifier: MIT */
/*
 * What systemd's stub adds to a UKI while it boots: what is in the folder beside it that has its
 * name with .extra.d behind it, see systemd-stub(7); from 255 on, without the name's boot counter.
 * Each of the UKI's command lines goes on with those of its addons there. Credentials and
 * extensions, and what an addon has for an initramfs, are handed to the initramfs, which may then
 * do anything.
 */
#ifndef NOPTRACE_ADDONS_H
#define NOPTRACE_ADDONS_H

#include "image.h"

/*
 * Adds to the lines of a UKI each of them as the addons make it. The lines are those of the UKI
 * alone, too: stubs before 254, and one for which an addon is not signed, know no addons. False,
 * with the reason, for anything else that is in the folder, and for an addon that cannot be read,
 * or whose line the next one goes on with, or has an lsm= that leaves yama out: the stub leaves out
 * an addon of another architecture or .uname, so that each may be the last. The
 * folder's name may have other capitals, as on a FAT. Where the image's path is a link, what is
 * beside the file itself counts as well.
 */
bool addons_add(struct image *image, struct failure *failure);

#endif
