/* SPDX-License-Identifier: MIT */
/* A root file system in memory: paths and lists, as tree.h has them. */
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "limits.h"
#include "tree.h"

/* Entries that are still to be visited, the next one last. No recursion: an image decides how deep.
 */
struct stack {
	const struct label **entries;
	size_t count, size;
	bool failed;
};

static void push(struct stack *stack, const struct label *label)
{
	if (stack->count == stack->size) {
		size_t size = stack->size > 0 ? 2 * stack->size : 256;
		/* NOLINTNEXTLINE(bugprone-sizeof-expression): it is a pointer that is meant */
		size_t one = sizeof *stack->entries;
		const struct label **grown = reallocarray(stack->entries, size, one);
		if (!grown) {
			stack->failed = true;
			return;
		}
		stack->entries = grown;
		stack->size = size;
	}
	stack->entries[stack->count++] = label;
}

/* What twalk(3) does not hand on. twalk_r() would, which glibc has since 2.30 and musl never had.
 */
struct each {
	void (*visit)(void *closure, const struct label *label);
	void *closure;
};
static const struct each *walked;

static void visit_label(const void *at, VISIT visit, int depth)
{
	const struct label *const *label = at;

	(void)depth;
	if (visit == postorder || visit == leaf)
		walked->visit(walked->closure, *label);
}

void tree_each(const struct node *folder, void (*visit)(void *closure, const struct label *label),
	       void *closure)
{
	const struct each each = { visit, closure };
	const struct each *outer = walked;

	if (!folder)
		return;
	walked = &each;
	twalk(folder->children, visit_label);
	/* who visits may look into another folder meanwhile */
	walked = outer;
}

static void push_child(void *closure, const struct label *label)
{
	push(closure, label);
}

static void push_children(struct stack *stack, const struct node *folder)
{
	size_t first = stack->count;

	tree_each(folder, push_child, stack);
	for (size_t i = first, j = stack->count; i + 1 < j; i++) {
		const struct label *last = stack->entries[--j];
		stack->entries[j] = stack->entries[i];
		stack->entries[i] = last;
	}
}

char *tree_path(const struct node *folder, char *to, size_t size)
{
	const struct node *way[LIMIT_DEPTH];
	unsigned depth = 0;
	size_t length = 0;

	for (; folder->label && depth < LIMIT_DEPTH; folder = folder->parent)
		way[depth++] = folder;
	while (depth > 0) {
		const struct label *label = way[--depth]->label;
		if (length + label->length + 2 > size)
			break;
		if (length > 0)
			to[length++] = '/';
		memcpy(to + length, label->name, label->length);
		length += label->length;
	}
	to[length] = '\0';
	return to;
}

/* The path so far is kept from one entry to the next: `lengths` says where each of its folders
 * ends. */
struct way {
	char path[TREE_LONGEST];
	size_t lengths[LIMIT_DEPTH + 2];
};

static void come_to(struct way *way, const struct label *label, unsigned depth)
{
	size_t at = way->lengths[depth - 1];

	if (depth > 1)
		way->path[at++] = '/';
	memcpy(way->path + at, label->name, label->length + 1);
	way->lengths[depth] = at + label->length;
}

/*
 * A mark between the entries of a folder and the next of its parent's: an entry does not know in
 * which folder it is, for a node may have a name in several.
 */
static const struct label end_of_folder = { 0, NULL, "" };

bool tree_visit(const struct tree *tree,
		bool (*visit)(void *closure, const char *path, const struct node *node),
		void *closure)
{
	struct stack stack = { NULL, 0, 0, false };
	struct way *way = calloc(1, sizeof *way);
	unsigned depth = 1;
	bool ok = way != NULL;

	push_children(&stack, tree->root);
	while (ok && !stack.failed && stack.count > 0) {
		const struct label *label = stack.entries[--stack.count];
		if (label == &end_of_folder) {
			depth--;
			continue;
		}
		come_to(way, label, depth);
		ok = visit(closure, way->path, label->node);
		if (S_ISDIR(label->node->mode)) {
			push(&stack, &end_of_folder);
			push_children(&stack, label->node);
			depth++;
		}
	}
	ok = ok && !stack.failed;
	free(stack.entries);
	free(way);
	return ok;
}
