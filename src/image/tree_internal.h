/* SPDX-License-Identifier: MIT */
/* What the files that tree.h describes share. */
#ifndef NOPTRACE_TREE_INTERNAL_H
#define NOPTRACE_TREE_INTERNAL_H

#include "tree.h"

/* Notes the bound that was gone beyond, and returns E2BIG. */
int tree_beyond(struct tree *tree, const char *bound);

/* A node without a name. 0, E2BIG or ENOMEM. */
int tree_new_node(struct tree *tree, mode_t mode, struct node **made);

/* Gives a node the name at `place`, where nothing is. 0, E2BIG or ENOMEM. */
int tree_enter(struct tree *tree, const struct place *place, struct node *node);

/* Takes the name at `place` away, which something has. */
void tree_leave(struct tree *tree, const struct place *place);

#endif
