/* SPDX-License-Identifier: MIT */
/*
 * A root file system in memory: what changes it, as the system calls change the kernel's when its
 * root user makes them (fs/namei.c); tree.h has the list.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "limits.h"
#include "tree.h"
#include "tree_internal.h"

static int place_of(struct tree *tree, const char *path, struct place *place)
{
	return tree_resolve(tree, path, TREE_PARENT, place);
}

/* Where something new may be made. */
static int free_place(struct tree *tree, const char *path, bool folder, struct place *place)
{
	int error = place_of(tree, path, place);

	if (error != 0)
		return error;
	if (!place->name || place->node)
		return EEXIST;
	return place->slash && !folder ? ENOENT : 0;
}

int tree_remove(struct tree *tree, const char *path)
{
	struct place place;
	int error = place_of(tree, path, &place);

	if (error != 0)
		return error;
	if (!place.name)
		return EBUSY;
	if (!place.node || (place.slash && !S_ISDIR(place.node->mode)))
		return place.node ? ENOTDIR : ENOENT;
	if (place.node->children)
		return ENOTEMPTY;
	tree_leave(tree, &place);
	return 0;
}

int tree_link(struct tree *tree, const char *old, const char *path)
{
	struct place from;
	struct place to;
	int error = tree_resolve(tree, old, TREE_NOFOLLOW, &from);

	if (error == 0 && !from.node)
		error = ENOENT;
	if (error == 0)
		error = free_place(tree, path, false, &to);
	if (error == 0 && S_ISDIR(from.node->mode))
		error = EPERM;
	return error != 0 ? error : tree_enter(tree, &to, from.node);
}

/* Gives a new node its name, and its group, which is root's, or that of a folder that says so. */
static int enter_new(struct tree *tree, const struct place *place, struct node *node)
{
	if (place->folder->mode & S_ISGID)
		node->gid = place->folder->gid;
	return tree_enter(tree, place, node);
}

static int make_node(struct tree *tree, const struct place *place, mode_t mode, struct node **node)
{
	int error = tree_new_node(tree, mode, node);

	return error != 0 ? error : enter_new(tree, place, *node);
}

int tree_symlink(struct tree *tree, const char *target, const char *path)
{
	struct place place;
	struct node *node = NULL;
	int error = free_place(tree, path, false, &place);
	char *own = NULL;
	size_t length = 0;

	if (error != 0)
		return error;
	length = strlen(target);
	if (tree->kept + length > LIMIT_KEPT_ALL)
		return tree_beyond(tree, "links of more than 256 MiB");
	own = strdup(target);
	if (!own)
		return ENOMEM;
	error = tree_new_node(tree, S_IFLNK | 0777, &node);
	if (error != 0) {
		free(own);
		return error;
	}
	node->target = own;
	tree->kept += length;
	return enter_new(tree, &place, node);
}

int tree_make(struct tree *tree, const char *path, mode_t mode, uint32_t major, uint32_t minor)
{
	struct place place;
	struct node *node = NULL;
	int error = free_place(tree, path, S_ISDIR(mode), &place);

	if (error == 0)
		error = make_node(tree, &place, mode, &node);
	if (error == 0 && (S_ISCHR(mode) || S_ISBLK(mode))) {
		node->major = major;
		node->minor = minor;
	}
	return error;
}

int tree_chmod(struct tree *tree, const char *path, mode_t mode)
{
	struct place place;
	int error = tree_resolve(tree, path, TREE_FOLLOW, &place);

	if (error == 0)
		place.node->mode = (place.node->mode & S_IFMT) | (mode & 07777);
	return error;
}

int tree_chown(struct tree *tree, const char *path, uint32_t uid, uint32_t gid,
	       enum tree_follow follow)
{
	struct place place;
	int error = tree_resolve(tree, path, follow, &place);

	if (error != 0)
		return error;
	if (!place.node)
		return ENOENT;
	if (uid != UINT32_MAX)
		place.node->uid = uid;
	if (gid != UINT32_MAX)
		place.node->gid = gid;
	return 0;
}

/* What is kept of a content of `size` bytes: at first as much of it as its wish, in zeros. */
static int keep(struct tree *tree, struct node *file, size_t length)
{
	unsigned char *content = NULL;

	if (length > file->kept && tree->kept + (length - file->kept) > LIMIT_KEPT_ALL)
		return tree_beyond(tree, "contents of more than 256 MiB");
	content = realloc(file->content, length > 0 ? length : 1);
	if (!content)
		return ENOMEM;
	if (length > file->kept)
		memset(content + file->kept, 0, length - file->kept);
	tree->kept = tree->kept - file->kept + length;
	file->content = content;
	file->kept = length;
	return 0;
}

int tree_truncate(struct tree *tree, struct node *file, uint64_t size)
{
	if (file->fd >= 0 && ftruncate(file->fd, (off_t)size) != 0)
		return errno;
	file->size = size;
	return keep(tree, file, size < file->wanted ? (size_t)size : file->wanted);
}

static int write_out(const struct node *file, uint64_t at, const unsigned char *data, size_t length)
{
	while (length > 0) {
		ssize_t written = pwrite(file->fd, data, length, (off_t)at);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return errno;
		at += (uint64_t)written;
		data += written;
		length -= (size_t)written;
	}
	return 0;
}

int tree_write(const struct node *file, uint64_t at, const unsigned char *data, size_t length)
{
	if (at < file->kept) {
		size_t part = file->kept - (size_t)at;
		memcpy(file->content + at, data, part < length ? part : length);
	}
	return file->fd >= 0 ? write_out(file, at, data, length) : 0;
}

int tree_open(struct tree *tree, const char *path, mode_t mode,
	      struct wish (*wish)(void *closure, const struct node *folder, const char *name,
				  size_t length),
	      void *closure, struct node **file)
{
	struct place place;
	int error = tree_resolve(tree, path, TREE_OPEN, &place);

	if (error != 0)
		return error;
	/* with O_CREAT the kernel takes no folder, and no name that ends like one */
	if (!place.name || place.slash || (place.node && S_ISDIR(place.node->mode)))
		return EISDIR;
	if (place.node && !S_ISREG(place.node->mode))
		return ENXIO;
	*file = place.node;
	if (!place.node) {
		struct wish wished = wish(closure, place.folder, place.name, place.length);
		error = make_node(tree, &place, S_IFREG | (mode & 07777), file);
		if (error != 0)
			return error;
		(*file)->wanted = wished.keep;
		(*file)->fd = wished.fd;
	}
	return 0;
}
