/* SPDX-License-Identifier: MIT */
/*
 * Why an image cannot be read: one line, for a person. Whatever it quotes from the image is
 * escaped, so that it steers no terminal.
 */
#ifndef NOPTRACE_FAILURE_H
#define NOPTRACE_FAILURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct failure {
	char text[512]; /* empty as long as nothing has failed */
};

/*
 * Says why, in the manner of printf, and returns false, so that a caller can return it. The first
 * reason stays: later ones follow from it. One that does not fit is cut.
 */
bool fail(struct failure *failure, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Writes the `length` bytes at `from` to `to`, NUL at the end, and returns `to`. What is not
 * printable ASCII, and the backslash, becomes \xNN. What does not fit into `size` bytes is cut, at
 * the end of an escape; ESCAPED(length) bytes hold everything.
 */
char *escape(char *to, size_t size, const char *from, size_t length);

#define ESCAPED(length) (4 * (size_t)(length) + 1)

/* Whether all that was printed to a file is written: the last bytes may be where others before them
 * are not, on a disk that was full for a while. */
bool is_written(FILE *file);

#endif
