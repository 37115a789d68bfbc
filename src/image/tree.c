/* SPDX-License-Identifier: MIT */
/* A root file system in memory: its nodes, and how names are looked up; tree.h says how. */
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "limits.h"
#include "tree.h"
#include "tree_internal.h"

static size_t lesser(size_t a, size_t b)
{
	return a < b ? a : b;
}

static int compare(const void *a, const void *b)
{
	const struct label *one = a;
	const struct label *other = b;
	int order = memcmp(one->name, other->name, lesser(one->length, other->length));

	if (order != 0)
		return order;
	return (one->length > other->length) - (one->length < other->length);
}

/* What has this name in a folder; NULL if nothing, or if it is none. No step is counted. */
static struct node *child_of(const struct node *folder, const char *name, size_t length)
{
	struct label key = { length, NULL, name };
	struct label *const *found = tfind(&key, &folder->children, compare);

	return found ? (*found)->node : NULL;
}

int tree_beyond(struct tree *tree, const char *bound)
{
	tree->exceeded = bound;
	return E2BIG;
}

int tree_new_node(struct tree *tree, mode_t mode, struct node **made)
{
	struct node *node = NULL;

	/* those that were removed count: they are kept to the end */
	if (tree->count >= LIMIT_ENTRIES)
		return tree_beyond(tree, "more than 250,000 files");
	node = calloc(1, sizeof *node);
	if (!node)
		return ENOMEM;
	node->mode = mode;
	node->fd = -1;
	node->next = tree->nodes;
	tree->nodes = node;
	tree->count++;
	*made = node;
	return 0;
}

static struct label *new_label(const char *name, size_t length, struct node *node)
{
	struct label *label = malloc(sizeof *label + length + 1);
	char *own = NULL;

	if (!label)
		return NULL;
	own = (char *)(label + 1);
	memcpy(own, name, length);
	own[length] = '\0';
	*label = (struct label) { length, node, own };
	return label;
}

static int become_child(struct tree *tree, struct node *folder, struct node *node,
			const struct label *label)
{
	if (folder->depth + 1 > LIMIT_DEPTH)
		return tree_beyond(tree, "folders more than 256 deep");
	node->parent = folder;
	node->depth = folder->depth + 1;
	node->label = label;
	return 0;
}

int tree_enter(struct tree *tree, const struct place *place, struct node *node)
{
	struct label *label = new_label(place->name, place->length, node);
	int error = 0;

	if (!label)
		return ENOMEM;
	if (S_ISDIR(node->mode))
		error = become_child(tree, place->folder, node, label);
	if (error == 0 && !tsearch(label, &place->folder->children, compare))
		error = ENOMEM;
	if (error != 0) {
		free(label);
		return error;
	}
	node->names++;
	return 0;
}

static void forget_content(struct tree *tree, struct node *node)
{
	tree->kept -= node->kept + (node->target ? strlen(node->target) : 0);
	free(node->content);
	free(node->target);
	node->content = NULL;
	node->target = NULL;
	node->kept = 0;
}

void tree_leave(struct tree *tree, const struct place *place)
{
	struct label key = { place->length, NULL, place->name };
	struct label *const *found = tfind(&key, &place->folder->children, compare);
	struct label *label = found ? *found : NULL;

	if (!label)
		return;
	(void)tdelete(label, &place->folder->children, compare);
	if (--label->node->names == 0)
		forget_content(tree, label->node);
	free(label);
}

/* A path that is being walked: what is left of it, and of the links that it went through. */
struct walk {
	struct node *at;
	const char *rest[KERNEL_LINKS + 1];
	unsigned top, links;
	bool folder; /* a slash behind a link asks for one */
	bool covered;
};

static const char *skip_slashes(const char *path)
{
	while (*path == '/')
		path++;
	return path;
}

/* What is left when the walk has come to the end of a link; empty at the end of all. */
static const char *rest_of(struct walk *walk)
{
	walk->rest[walk->top] = skip_slashes(walk->rest[walk->top]);
	if (*walk->rest[walk->top] == '\0' && walk->top > 0)
		walk->top--;
	return walk->rest[walk->top];
}

static int go_through(struct tree *tree, struct walk *walk, const struct node *link)
{
	if (walk->links++ >= KERNEL_LINKS)
		return ELOOP;
	/* where nothing follows the link, its target takes the place of what named it */
	if (*walk->rest[walk->top] != '\0')
		walk->top++;
	walk->rest[walk->top] = link->target;
	if (link->target[0] == '/')
		walk->at = tree->root;
	return 0;
}

static bool is_dots(const char *name, size_t length)
{
	return (length == 1 && name[0] == '.') || (length == 2 && name[0] == '.' && name[1] == '.');
}

static bool is_mount(const struct tree *tree, const struct node *folder)
{
	for (size_t i = 0; i < TREE_MOUNTS; i++) {
		if (tree->mounts[i] == folder)
			return true;
	}
	return false;
}

static struct node *step_to(const struct walk *walk, const char *name, size_t length)
{
	if (is_dots(name, length))
		return length == 1 ? walk->at : walk->at->parent;
	return child_of(walk->at, name, length);
}

static int step_into(struct tree *tree, struct walk *walk, struct node *node)
{
	if (!node)
		return ENOENT;
	if (S_ISLNK(node->mode))
		return go_through(tree, walk, node);
	if (!S_ISDIR(node->mode))
		return ENOTDIR;
	walk->at = node;
	return 0;
}

/* Whether the last component is gone through, if it is a link. */
static bool is_followed(const struct place *place, enum tree_follow follow)
{
	switch (follow) {
	case TREE_PARENT:
		return false;
	case TREE_NOFOLLOW:
		return place->slash;
	case TREE_OPEN:
		return !place->slash;
	default:
		return true;
	}
}

/* The last component: a link that is followed goes on, everything else is the place. */
static int arrive(struct tree *tree, struct walk *walk, enum tree_follow follow,
		  struct place *place, bool *arrived)
{
	if (place->node && S_ISLNK(place->node->mode) && is_followed(place, follow)) {
		walk->folder = walk->folder || place->slash;
		return go_through(tree, walk, place->node);
	}
	*arrived = true;
	if (follow == TREE_PARENT || follow == TREE_OPEN)
		return 0;
	if (!place->node)
		return follow == TREE_FOLLOW || walk->links > 0 ? ENOENT : 0;
	if ((walk->folder || place->slash) && !S_ISDIR(place->node->mode))
		return ENOTDIR;
	return 0;
}

static int take_step(struct tree *tree, struct walk *walk, enum tree_follow follow,
		     struct place *place, bool *arrived)
{
	const char *name = rest_of(walk);
	size_t length = strcspn(name, "/");
	const char *rest = skip_slashes(name + length);

	if (length == 0) {
		*place = (struct place) { walk->at, NULL, 0, walk->at, false, walk->covered };
		*arrived = true;
		return 0;
	}
	if (++tree->steps > LIMIT_STEPS)
		return tree_beyond(tree, "links and paths that take more than 10,000,000 steps");
	if (length > KERNEL_NAME)
		return ENAMETOOLONG;
	walk->rest[walk->top] = rest;
	walk->covered = walk->covered || (!is_dots(name, length) && is_mount(tree, walk->at));
	*place = (struct place) {
		walk->at,     name, length, step_to(walk, name, length), name[length] == '/',
		walk->covered
	};
	if (*rest != '\0' || walk->top > 0)
		return step_into(tree, walk, place->node);
	if (is_dots(name, length))
		place->name = NULL;
	return arrive(tree, walk, follow, place, arrived);
}

int tree_resolve(struct tree *tree, const char *path, enum tree_follow follow, struct place *place)
{
	struct walk walk = { .at = tree->root, .rest = { path } };
	bool arrived = false;
	int error = strlen(path) >= KERNEL_PATH ? ENAMETOOLONG : 0;

	while (error == 0 && !arrived)
		error = take_step(tree, &walk, follow, place, &arrived);
	return error;
}

const struct node *tree_lookup(struct tree *tree, const char *path)
{
	struct place place;

	return tree_resolve(tree, path, TREE_FOLLOW, &place) == 0 ? place.node : NULL;
}

/* The kernel's own archive: without it no /dev/console would be there for what brings no /dev. */
static bool add_own(struct tree *tree)
{
	return tree_make(tree, "dev", S_IFDIR | 0755, 0, 0) == 0 &&
	       tree_make(tree, "dev/console", S_IFCHR | 0600, 5, 1) == 0 &&
	       tree_make(tree, "root", S_IFDIR | 0700, 0, 0) == 0;
}

bool tree_init(struct tree *tree)
{
	*tree = (struct tree) { .root = NULL };
	if (tree_new_node(tree, S_IFDIR | 0755, &tree->root) != 0)
		return false;
	tree->root->parent = tree->root;
	if (add_own(tree))
		return true;
	tree_free(tree);
	return false;
}

void tree_free(struct tree *tree)
{
	struct node *node = tree->nodes;

	while (node) {
		struct node *next = node->next;
		tdestroy(node->children, free);
		free(node->content);
		free(node->target);
		free(node);
		node = next;
	}
	*tree = (struct tree) { .root = NULL };
}
