/* SPDX-License-Identifier: MIT */
/*
 * The bytes of an image: a regular file, or a few pieces of one behind each other as systemd's stub
 * hands the initramfs sections of a UKI to the kernel. Read with pread into a buffer of its own: a
 * file that is cut while it is read gives an error, where a mapping would give SIGBUS.
 */
#ifndef NOPTRACE_SOURCE_H
#define NOPTRACE_SOURCE_H

#include <stdint.h>

#include "failure.h"

enum { SOURCE_BUFFER = 128 * 1024, SOURCE_PIECES = 8 };

struct source {
	int fd;
	uint64_t size; /* of all pieces, with the zeros between them */
	struct piece {
		uint64_t at;	 /* where it begins among all bytes, */
		uint64_t offset; /* and in the file; */
		uint64_t length; /* what follows it, up to the next piece or `size`, is zeros */
	} pieces[SOURCE_PIECES];
	unsigned count;
	uint64_t buffered; /* where the buffer's bytes begin */
	size_t filled;
	unsigned char buffer[SOURCE_BUFFER];
};

/*
 * Opens the file, or the one that a symbolic link names, as one piece. Anything but a regular file
 * is refused, and a FIFO does not make it wait; so is one of more than LIMIT_IMAGE bytes.
 */
bool source_open(struct source *source, const char *path, struct failure *failure);

/* The same for a descriptor, which stays the caller's. */
bool source_take(struct source *source, int fd, struct failure *failure);

/*
 * Makes `source` consist of no piece of the file that `of` reads, for source_append(). The
 * descriptor stays that of `of`.
 */
void source_begin(struct source *source, const struct source *of);

/*
 * Appends `length` bytes of the file, from `offset` on, and as many zeros as make it `size` bytes.
 * It begins at a multiple of 4, as the stub aligns it. Fails when there are too many pieces, or
 * when the file is shorter.
 */
bool source_append(struct source *source, uint64_t offset, uint64_t length, uint64_t size,
		   struct failure *failure);

/*
 * What stands at `offset`: sets `data`, which is good until the next call, and `length`, which is
 * at least 1 before the end, and 0 there.
 */
bool source_at(struct source *source, uint64_t offset, const unsigned char **data, size_t *length,
	       struct failure *failure);

/* Copies bytes from `offset` on, and returns how many there were; less than `size` at the end. */
size_t source_copy(struct source *source, uint64_t offset, void *to, size_t size,
		   struct failure *failure);

/* Closes what source_open() has opened. */
void source_close(const struct source *source);

#endif
