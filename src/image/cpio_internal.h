/* SPDX-License-Identifier: MIT */
/* What the two files of the walk share. */
#ifndef NOPTRACE_CPIO_INTERNAL_H
#define NOPTRACE_CPIO_INTERNAL_H

#include "cpio.h"

/* Says what is wrong with the entry, and where it begins; false. */
bool cpio_fail(struct cpio *cpio, const char *reason);

/*
 * Does what an entry with the header that was read and the name in the buffer does to the tree;
 * that it is lost is no failure. Sets cpio->file if a body is to be written.
 */
bool cpio_enter(struct cpio *cpio);
bool cpio_enter_link(struct cpio *cpio, const char *target);

/* Writes a part of the body. */
bool cpio_write(struct cpio *cpio, uint64_t at, const unsigned char *data, size_t length);

/* Forgets which files with several links were seen. */
void cpio_forget(struct cpio *cpio);

#endif
