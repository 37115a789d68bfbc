/* SPDX-License-Identifier: MIT */
/*
 * Files of settings that a shell sources before the lock, such as initramfs-tools' conf.d and an
 * os-release: what is known in them is allowed, and nothing else.
 */
#ifndef NOPTRACE_SOURCED_H
#define NOPTRACE_SOURCED_H

#include "text.h"

/*
 * The number of the first line, which is then in `line` without the blanks around it, that is
 * neither blank nor a comment, nor sets a variable that is known to what no shell expands, nor is
 * of a loop that chooses by the root= of the kernel's command line which of these are set; 0 if
 * there is none. A shell that sources a file without one does nothing but set such variables, and
 * comes back.
 */
unsigned sourced_unknown(struct text file, struct text *line);

#endif
