/* SPDX-License-Identifier: MIT */
/*
 * What dracut's squash modules make the root of, before anything else runs: a squashfs or an erofs.
 *
 * For squashfs unsquashfs(1) is asked, in a process that may only write to a file without a name:
 * it lists what the file system holds and what is in its files ("pseudo file", from
 * squashfs-tools 4.5 on), and the tree is made of that. For erofs there is a reader of our own, see
 * erofs.h. Nothing is unpacked.
 */
#ifndef NOPTRACE_SQUASHED_H
#define NOPTRACE_SQUASHED_H

#include "source.h"
#include "tree.h"

/*
 * Reads all of `source` into `tree` as archive_read() does. If that has a /squash-root.img,
 * /squashfs-root.img or /erofs-root.img, the tree becomes what is in it. `formats` are those of the
 * archive's members, not of that file system. False, with the reason,
 * also for an image that is cut, for more than one of them, for one that /init does not name, and
 * for one whose name a later archive has made a link, or another file; for a squashfs where a name
 * or a link has a newline, and where unsquashfs fails or is not there, takes more than two minutes
 * of processor time or makes more than LIMIT_UNPACKED; and for an erofs as erofs_read() says.
 */
bool squashed_read(struct source *source, struct tree *tree, unsigned *formats,
		   struct failure *failure);

#endif
