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
 * printable ASCII, and the backslash, becomes \xNN. It takes ESCAPED(length) bytes at most.
 */
char *escape(char *to, const char *from, size_t length);

#define ESCAPED(length) (4 * (size_t)(length) + 1)

#endif
