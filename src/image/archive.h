/* SPDX-License-Identifier: MIT */
/*
 * From an image's bytes to the root file system that a kernel makes of them (unpack_to_rootfs() of
 * init/initramfs.c). Archives follow each other, with zeros between: plain ones, which begin at a
 * multiple of 4, and compressed ones, which hold plain ones only, and whole ones: an archive that
 * goes on in the next member is refused, unless both are lz4. What a later one has replaces what an
 * earlier one had.
 *
 * Known differences: a plain archive that is cut is no error for the kernel, which keeps what it
 * has seen, the last file filled up with zeros; the tree is the same here, and `cut` says so. How
 * full the kernel's rootfs may become is its machine's business.
 */
#ifndef NOPTRACE_ARCHIVE_H
#define NOPTRACE_ARCHIVE_H

#include "source.h"
#include "tree.h"

struct archive_facts {
	bool cut;	  /* the image ends within an entry, */
	uint64_t cut_at;  /* which begins here */
	unsigned formats; /* of its members: 1 << enum stream_format */
};

/*
 * Reads all of `source` into `tree`, which tree_init() has made. `wish` says for each file that is
 * made how much of its content the tree keeps, and which descriptor gets it instead. False, with
 * the reason, where the kernel says "Initramfs unpacking failed", where kernels differ (see
 * cpio.h), for an empty file and one with a boot configuration behind it, and beyond the bounds of
 * limits.h. A reason names the byte of the image where the entry or the member begins, or the byte
 * of what the member unpacks to. The tree is then what was read so far. Time is linear in the
 * image's size.
 */
bool archive_read(struct source *source, struct tree *tree,
		  struct wish (*wish)(void *closure, const struct node *folder, const char *name,
				      size_t length),
		  void *closure, struct archive_facts *facts, struct failure *failure);

/*
 * The usual wish: LIMIT_KEPT bytes of each file, and nothing of kernel modules (.ko, .ko.gz,
 * .ko.xz, .ko.zst) and of what is below a folder called firmware: they are most of a large image,
 * and nobody reads them here. Whoever looks for a content asks text_of_whole() for it.
 */
struct wish archive_wish(void *closure, const struct node *folder, const char *name, size_t length);

#endif
