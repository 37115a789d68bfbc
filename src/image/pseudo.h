/* SPDX-License-Identifier: MIT */
/*
 * What unsquashfs says about a file system: its "pseudo file" (mksquashfs(1)), a line for each name
 * and then the content of the files, and its list.
 */
#ifndef NOPTRACE_PSEUDO_H
#define NOPTRACE_PSEUDO_H

#include "source.h"
#include "tree.h"

/*
 * Whether every line of what `unsquashfs -lln` says, up to its end, is one of a list. In a pseudo
 * file a symbolic link's target stands as it is, and one with a newline would be read as further
 * lines. No line can be both, so that such a target, or name, is found here: the second field is
 * uid/gid in a list, and the letter of a type in a pseudo file. False with the reason, and beyond
 * the bounds of limits.h.
 */
bool pseudo_has_whole_lines(FILE *list, struct failure *failure);

/*
 * Makes in `tree` what a pseudo file says. False, with the reason, for what is none, a name that
 * is there twice, and beyond the bounds of limits.h.
 */
bool pseudo_read(struct source *source, struct tree *tree, struct failure *failure);

#endif
