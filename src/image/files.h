/* SPDX-License-Identifier: MIT */
/* Files of this machine that check is told to read. */
#ifndef NOPTRACE_FILES_H
#define NOPTRACE_FILES_H

#include "failure.h"
#include "text.h"

/*
 * Reads a whole regular file of no more than `longest` bytes; one that gzip has compressed is
 * unpacked, if `unpack` says so. The bytes are to be freed. NULL with the reason: the path
 * and why, or that there is no memory.
 */
char *files_read(const char *path, size_t longest, bool unpack, struct text *text,
		 struct failure *failure);

#endif
