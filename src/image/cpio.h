/* SPDX-License-Identifier: MIT */
/*
 * The kernel's walk over plain archives (init/initramfs.c, the states of write_buffer()): bytes go
 * in, and a tree changes as the kernel's rootfs would. What follows from one entry after the other,
 * be it wanted or an accident, is the kernel's:
 *
 * - A name's folder must be there: none is made on the way, and an entry without one is lost.
 * - What is there under the name and of another type is removed before, unless it is a folder
 *   that is not empty; then the entry is lost. So a link is replaced and not followed, but links
 *   on the way are followed; and an entry of no type at all removes, and leaves nothing.
 * - A second entry for a file writes into the same file, which may have other names. A second
 *   one for a device changes its owner and permissions, and not its number.
 * - With two links or more, the first entry with its device and inode number makes the file, and
 *   the later ones are links to what then has its name. A later one's body goes into all; if that
 *   name has become a symbolic link since, it goes to where this leads. What has been seen is
 *   forgotten behind a TRAILER!!! and at the end of the image.
 * - An entry is skipped when its name has no bytes or more than 4,096, when it is a link with a
 *   target of more, or no file and has a body.
 *
 * Kernels differ here, and so these are refused: numbers that are not all hexadecimal digits
 * (newer ones say "damaged header"), a name without a NUL at its end (older ones read on), a link's
 * target of 4,096 bytes (tmpfs does not take it), and an entry with a sum (070702, which older ones
 * do not know).
 */
#ifndef NOPTRACE_CPIO_H
#define NOPTRACE_CPIO_H

#include "failure.h"
#include "tree.h"

enum cpio_state {
	CPIO_START,
	CPIO_COLLECT,
	CPIO_HEADER,
	CPIO_SKIP,
	CPIO_NAME,
	CPIO_COPY,
	CPIO_LINK,
	CPIO_RESET, /* between entries, with nothing begun */
};

enum { CPIO_HEADER_LENGTH = 110 };

/* What a file with several links was called, by its numbers. */
struct cpio_seen {
	uint32_t inode, major, minor;
	mode_t type;
	char name[]; /* NUL at its end */
};

struct cpio {
	struct tree *tree;
	struct failure *failure;
	struct wish (*wish)(void *closure, const struct node *folder, const char *name,
			    size_t length);
	void *closure;
	const char *where; /* what offsets count from, for reasons: "" or " of what … unpacks to" */
	unsigned entries; /* against LIMIT_ENTRIES */
	size_t seen_bytes;

	enum cpio_state state, next, behind; /* `behind` what is collected */
	uint64_t at, end;		     /* the offset; where the entry ends, padded */
	uint64_t entry;			     /* where it began */
	size_t have, need;		     /* of what is collected */
	char buffer[16 * 1024];		     /* the header; then the name, and a link's target */
	uint32_t inode, major, minor, links, rmajor, rminor, uid, gid;
	mode_t mode;
	uint64_t body, left, name_size;
	struct node *file; /* that is written to */
	void *seen;	   /* a tree of tsearch(3), of struct cpio_seen */
};

/* Ready for an image; the rest is zeros. */
void cpio_init(struct cpio *cpio, struct tree *tree, struct failure *failure,
	       struct wish (*wish)(void *closure, const struct node *folder, const char *name,
				   size_t length),
	       void *closure);

void cpio_free(struct cpio *cpio);

/* Says that offsets count from here on, and from what. */
void cpio_begin(struct cpio *cpio, uint64_t at, const char *where);

/*
 * Walks on over `length` bytes, up to the first behind an entry that is not zero: returns how many
 * it took. `border` says that the kernel has these bytes in one buffer, and others in the next.
 * Returns with cpio->failure set where the kernel would, and when a bound is reached.
 */
size_t cpio_walk(struct cpio *cpio, const unsigned char *data, size_t length, bool border);

/* Lets it begin an entry, where it stands between two. */
void cpio_start(struct cpio *cpio);

#endif
