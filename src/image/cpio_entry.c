/* SPDX-License-Identifier: MIT */
/*
 * The kernel's walk over plain archives: what an entry does to the tree, call by call as
 * init/initramfs.c makes them. That one fails is the kernel's business: it goes on. Only a bound,
 * and memory that is short, end the walk.
 */
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cpio_internal.h"
#include "limits.h"

bool cpio_fail(struct cpio *cpio, const char *reason)
{
	return fail(cpio->failure, "byte %llu%s: %s", (unsigned long long)cpio->entry, cpio->where,
		    reason);
}

/* What ends the walk, of what a call has returned. */
static bool goes_on(struct cpio *cpio, int error)
{
	if (error == ENOMEM)
		return cpio_fail(cpio, "no memory");
	if (error == E2BIG)
		return fail(cpio->failure, "byte %llu%s: %s: too much to be looked at",
			    (unsigned long long)cpio->entry, cpio->where, cpio->tree->exceeded);
	return true;
}

/* The same for a call whose failure is not the kernel's: the caller's descriptor takes no more. */
static bool written(struct cpio *cpio, int error)
{
	if (!goes_on(cpio, error))
		return false;
	return error == 0 ||
	       fail(cpio->failure, "what was unpacked cannot be written: %s", strerror(error));
}

/* Removes what has the name if it is of another type. */
static bool clean_path(struct cpio *cpio, mode_t mode)
{
	struct place place;
	int error = tree_resolve(cpio->tree, cpio->buffer, TREE_NOFOLLOW, &place);

	if (error != 0 || !place.node || ((place.node->mode ^ mode) & S_IFMT) == 0)
		return goes_on(cpio, error);
	return goes_on(cpio, tree_remove(cpio->tree, cpio->buffer));
}

static int order(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int compare(const void *a, const void *b)
{
	const struct cpio_seen *one = a;
	const struct cpio_seen *other = b;
	int result = order(one->inode, other->inode);

	if (result == 0)
		result = order(one->major, other->major);
	if (result == 0)
		result = order(one->minor, other->minor);
	return result != 0 ? result : order(one->type, other->type);
}

void cpio_forget(struct cpio *cpio)
{
	tdestroy(cpio->seen, free);
	cpio->seen = NULL;
	cpio->seen_bytes = 0;
}

/* Notes the entry's name, or finds the one that was noted. NULL when memory is short. */
static const struct cpio_seen *note(struct cpio *cpio, bool *before)
{
	size_t length = strlen(cpio->buffer) + 1;
	struct cpio_seen *mine = malloc(sizeof *mine + length);
	struct cpio_seen **found = NULL;

	if (!mine)
		return NULL;
	*mine = (struct cpio_seen) { cpio->inode, cpio->major, cpio->minor, cpio->mode & S_IFMT };
	memcpy(mine->name, cpio->buffer, length);
	found = tsearch(mine, &cpio->seen, compare);
	*before = found && *found != mine;
	if (!found || *before)
		free(mine);
	else
		cpio->seen_bytes += sizeof *mine + length;
	return found ? *found : NULL;
}

enum linked { LINK_NONE, LINK_MADE, LINK_LOST };

/* Makes the entry a link to the first one with its numbers, and says so. */
static bool maybe_link(struct cpio *cpio, enum linked *linked)
{
	const struct cpio_seen *seen = NULL;
	bool before = false;
	int error = 0;

	if (cpio->links < 2)
		return true;
	if (cpio->seen_bytes > LIMIT_KEPT_ALL)
		return cpio_fail(cpio,
				 "names of links of more than 256 MiB: too much to be looked at");
	seen = note(cpio, &before);
	if (!seen)
		return goes_on(cpio, ENOMEM);
	if (!before)
		return true;
	if (!clean_path(cpio, 0))
		return false;
	error = tree_link(cpio->tree, seen->name, cpio->buffer);
	*linked = error == 0 ? LINK_MADE : LINK_LOST;
	return goes_on(cpio, error);
}

static void own(const struct cpio *cpio, struct node *node)
{
	if (cpio->uid != UINT32_MAX)
		node->uid = cpio->uid;
	if (cpio->gid != UINT32_MAX)
		node->gid = cpio->gid;
	node->mode = (node->mode & S_IFMT) | (cpio->mode & 07777);
}

static bool enter_file(struct cpio *cpio)
{
	enum linked linked = LINK_NONE;
	struct node *file = NULL;
	int error = 0;

	if (!maybe_link(cpio, &linked))
		return false;
	if (linked == LINK_LOST)
		return true;
	error = tree_open(cpio->tree, cpio->buffer, cpio->mode, cpio->wish, cpio->closure, &file);
	/* only where what the first one was called has been replaced since */
	if (error == ENXIO)
		return cpio_fail(cpio, "a hard link to a device is written to, of which only the "
				       "device knows what it does");
	if (error != 0)
		return goes_on(cpio, error);
	own(cpio, file);
	cpio->file = file;
	if (linked != LINK_MADE && !written(cpio, tree_truncate(cpio->tree, file, 0)))
		return false;
	return cpio->body == 0 || written(cpio, tree_truncate(cpio->tree, file, cpio->body));
}

/* The owner and permissions of what the name leads to, which need not be what was just made. */
static bool own_path(struct cpio *cpio)
{
	int error = tree_chown(cpio->tree, cpio->buffer, cpio->uid, cpio->gid, TREE_FOLLOW);

	if (error != E2BIG)
		error = tree_chmod(cpio->tree, cpio->buffer, cpio->mode);
	return goes_on(cpio, error);
}

static bool make(struct cpio *cpio)
{
	return goes_on(cpio, tree_make(cpio->tree, cpio->buffer, cpio->mode, cpio->rmajor,
				       cpio->rminor)) &&
	       own_path(cpio);
}

static bool enter_special(struct cpio *cpio)
{
	enum linked linked = LINK_NONE;

	if (!maybe_link(cpio, &linked))
		return false;
	return linked != LINK_NONE || make(cpio);
}

bool cpio_enter(struct cpio *cpio)
{
	cpio->file = NULL;
	if (!clean_path(cpio, cpio->mode))
		return false;
	if (S_ISREG(cpio->mode))
		return enter_file(cpio);
	if (S_ISDIR(cpio->mode))
		return make(cpio);
	if (S_ISBLK(cpio->mode) || S_ISCHR(cpio->mode) || S_ISFIFO(cpio->mode) ||
	    S_ISSOCK(cpio->mode))
		return enter_special(cpio);
	return true;
}

bool cpio_enter_link(struct cpio *cpio, const char *target)
{
	if (strlen(target) >= KERNEL_PATH)
		return cpio_fail(cpio,
				 "a link's target of 4,096 bytes, which not all kernels take");
	return clean_path(cpio, 0) &&
	       goes_on(cpio, tree_symlink(cpio->tree, target, cpio->buffer)) &&
	       goes_on(cpio,
		       tree_chown(cpio->tree, cpio->buffer, cpio->uid, cpio->gid, TREE_NOFOLLOW));
}

bool cpio_write(struct cpio *cpio, uint64_t at, const unsigned char *data, size_t length)
{
	return written(cpio, tree_write(cpio->file, at, data, length));
}
