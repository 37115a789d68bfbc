/* SPDX-License-Identifier: MIT */
/*
 * A root file system in memory: what the kernel has in its rootfs when the archives are unpacked.
 * Names are looked up in it, links are followed in it and only there. Nothing is on a disk, so
 * there is nothing to get out of.
 *
 * A node is an inode, a label is a name of it in a folder: hard links are labels with one node.
 */
#ifndef NOPTRACE_TREE_H
#define NOPTRACE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "limits.h"

struct node {
	mode_t mode; /* type and permissions, as stat(2) has them */
	uint32_t uid, gid;
	uint32_t major, minor;	/* of a device */
	uint64_t size;		/* of a file's content */
	unsigned char *content; /* its first bytes, `kept` of them, */
	size_t kept, wanted;	/* the wish: at most this many are kept */
	int fd;			/* or where all of them were written, see tree_open(); -1 */
	char *target;		/* of a symbolic link */
	unsigned names;		/* labels that lead to it; 0 when it was removed, and of the root */
	/* of a folder: */
	void *children;		   /* a tree of tsearch(3), ordered by name, of labels */
	struct node *parent;	   /* its own, for the root */
	const struct label *label; /* its own name there; NULL for the root */
	unsigned depth;
	struct node *next; /* of all nodes of the tree */
};

struct label {
	size_t length;
	struct node *node;
	const char *name; /* NUL at its end */
};

enum { TREE_MOUNTS = 4 };

struct tree {
	struct node *root;
	/* folders over which something will be mounted, see image.c, or NULL */
	const struct node *mounts[TREE_MOUNTS];
	struct node *nodes;
	size_t count;
	uint64_t steps, kept; /* against LIMIT_STEPS, LIMIT_KEPT_ALL: of contents and links */
	const char *exceeded; /* the bound of limits.h that was gone beyond, in words, or NULL */
};

/*
 * Makes a tree of what the kernel's built-in archive holds (usr/default_cpio_list): /dev,
 * /dev/console and /root. A kernel that was built with another (CONFIG_INITRAMFS_SOURCE) has more.
 * False when memory is short.
 */
bool tree_init(struct tree *tree);

void tree_free(struct tree *tree);

/* What becomes of the last component of a path. */
enum tree_follow {
	TREE_PARENT,   /* it is named, for what makes or removes it: never followed */
	TREE_NOFOLLOW, /* a link is itself, unless a slash follows it */
	TREE_OPEN,     /* a link is followed, and what it leads to need not be there: O_CREAT */
	TREE_FOLLOW,
};

/* Where a path leads: a name in a folder, and what has that name. */
struct place {
	struct node *folder;
	const char *name; /* not NUL-terminated; NULL where the path ends in nothing to be made or
			     removed: /, ., .. and the empty path, which is the root */
	size_t length;
	struct node *node; /* NULL if nothing has the name */
	bool slash;	   /* one follows the name */
	bool covered;	   /* a name in one of the tree's mounts was looked up on the way: once
			      something is mounted there, the path leads elsewhere, or nowhere */
};

/*
 * Looks a path up as the kernel's fs/namei.c does, from the root on, whether it begins with a slash
 * or not; a .. in the root is the root. Returns 0 or an errno: ENOENT and ENOTDIR for a folder on
 * the way, ENAMETOOLONG for a name of more than 255 bytes or a path of more than 4,095, ELOOP
 * behind more than 40 links, and E2BIG, with tree->exceeded set, when LIMIT_STEPS is used up. That
 * nothing has the last name is no error, except for TREE_FOLLOW and behind a followed link.
 */
int tree_resolve(struct tree *tree, const char *path, enum tree_follow follow, struct place *place);

/* What a path leads to, links followed; NULL if nothing. */
const struct node *tree_lookup(struct tree *tree, const char *path);

/*
 * Calls `visit` for each name in a folder, in the order of their bytes; not at all for NULL, or
 * what is none.
 */
void tree_each(const struct node *folder, void (*visit)(void *closure, const struct label *label),
	       void *closure);

/* No path is longer, from the root on and without links, with its NUL. */
enum { TREE_LONGEST = (LIMIT_DEPTH + 1) * (KERNEL_NAME + 1) };

/* A node's path from the root on, for a folder. Cut if it does not fit; returns `to`. */
char *tree_path(const struct node *folder, char *to, size_t size);

/*
 * Calls `visit` for every entry, folders before what is in them, in the order of the names' bytes;
 * `path` is from the root on, without a slash in front. Ends early when it returns false. False
 * then, and when memory is short.
 */
bool tree_visit(const struct tree *tree,
		bool (*visit)(void *closure, const char *path, const struct node *node),
		void *closure);

/*
 * What follows changes the tree as the system calls of these names do for the kernel's root user; 0
 * or an errno. E2BIG: a bound of limits.h is reached, and tree->exceeded says which. ENOMEM.
 */
int tree_link(struct tree *tree, const char *old, const char *path);
int tree_symlink(struct tree *tree, const char *target, const char *path);

/* rmdir() of a folder, unlink() of anything else. */
int tree_remove(struct tree *tree, const char *path);

/* A folder, a device, a FIFO or a socket, by `mode`. EEXIST where there is something. */
int tree_make(struct tree *tree, const char *path, mode_t mode, uint32_t major, uint32_t minor);

/* The permissions, of what the path leads to through a link. */
int tree_chmod(struct tree *tree, const char *path, mode_t mode);

/* (uint32_t)-1 leaves it. */
int tree_chown(struct tree *tree, const char *path, uint32_t uid, uint32_t gid,
	       enum tree_follow follow);

/* How much of a content is wanted, and a descriptor that gets all of it instead, or -1. */
struct wish {
	size_t keep;
	int fd;
};

/*
 * Opens a file to be written, and makes it if it is not there (O_CREAT), through a link too. ENXIO
 * if it is a device, a FIFO or a socket. The content that it has stays, up to tree_truncate().
 * `wish` decides what is kept of what tree_write() brings: of a node that has a content already it
 * is the first wish that counts. A descriptor is one file's, so that nobody but the caller knows
 * what is in it when two nodes have the same.
 */
int tree_open(struct tree *tree, const char *path, mode_t mode,
	      struct wish (*wish)(void *closure, const struct node *folder, const char *name,
				  size_t length),
	      void *closure, struct node **file);

/* Makes the content that long: cuts it, or fills it with zeros. An errno of ftruncate() is
 * possible. */
int tree_truncate(struct tree *tree, struct node *file, uint64_t size);

/* Writes into the content, which tree_truncate() has made that long. 0, or an errno of pwrite(). */
int tree_write(const struct node *file, uint64_t at, const unsigned char *data, size_t length);

#endif
